/* SPDX-License-Identifier: GPL-2.0-or-later */
/* perf_map - the table that a JIT writes of its functions, /tmp/perf-PID.map: lines "START SIZE NAME", hexadecimal.
 *
 * A JIT appends and never takes back, so entries may overlap: the last one that covers an address is right, and what an older one covers
 * beside it stays its. Lines that are not of the form, of no size, or beyond the address space are skipped. Pure; any bytes. At most
 * TT_PERF_MAP_MAX entries of a text of TT_PERF_MAP_BYTES_MAX are used, about 60 bytes each while it is loaded.
 */
#pragma once

#include "collector/base/slice.h"

enum {
	TT_PERF_MAP_MAX = 2 << 20,
	TT_PERF_MAP_BYTES_MAX = 128 << 20,
};

struct tt_perf_map;

/* The text must stay until close. -ENOMEM. */
int tt_perf_map_open(const char *text, size_t len, struct tt_perf_map **ret);
void tt_perf_map_close(struct tt_perf_map *map); /* NULL is fine */
uint32_t tt_perf_map_nr(const struct tt_perf_map *map);
/* false = no entry covers it. */
bool tt_perf_map_find(const struct tt_perf_map *map, uint64_t address, struct tt_slice *ret_name,
		      uint64_t *ret_start);

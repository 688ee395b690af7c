/* SPDX-License-Identifier: GPL-2.0-or-later */
/* depth - how many spans are there at a time, in time order, from spans that are told at their ends.
 *
 * Beginnings and ends wait in a heap until later ones push them out, or finish does. Bound: TT_DEPTH_EDGES_MAX of them; a span that began
 * before what was given already begins there, and is counted (tt_depth_nr_late). So with 100,000 spans a second, one of up to about a second
 * is exact.
 */
#pragma once

#include <stdint.h>

enum { TT_DEPTH_EDGES_MAX = 1 << 18 };

/* From ts_ns on there are depth spans of this key. */
typedef void (*tt_depth_fn)(void *ctx, uint32_t key, uint64_t ts_ns, uint64_t depth);

struct tt_depth;

/* Keys are below nr_keys. -ENOMEM. */
int tt_depth_open(uint32_t nr_keys, tt_depth_fn fn, void *ctx, struct tt_depth **ret_d);
void tt_depth_close(struct tt_depth *d);
/* begin_ts_ns <= end_ts_ns */
void tt_depth_add(struct tt_depth *d, uint32_t key, uint64_t begin_ts_ns, uint64_t end_ts_ns);
void tt_depth_finish(struct tt_depth *d);
uint64_t tt_depth_nr_late(const struct tt_depth *d);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* map_rings - what the kernel tells, as it happens, of processes and their executable mappings: a perf ring per CPU.
 *
 * Needs CAP_PERFMON or kernel.perf_event_paranoid <= 0. Together the rings take at most TT_MAP_RINGS_BYTES_MAX; they must be drained before
 * they are full: a fork with exec is about 1 KiB. CPUs that come later get a ring when tt_map_rings_follow_cpus is called; one that goes
 * and comes back between two calls is not noticed, and its events are missed.
 */
#pragma once

#include "collector/symbol/map_event.h"

enum { TT_MAP_RINGS_BYTES_MAX = 16 << 20 };

struct tt_map_rings;

int tt_map_rings_open(struct tt_map_rings **ret); /* events begin now */
void tt_map_rings_close(struct tt_map_rings *r);  /* NULL is fine */
/* True: there is a CPU whose events from before now are not known. */
bool tt_map_rings_follow_cpus(struct tt_map_rings *r);
uint64_t tt_map_rings_bytes(const struct tt_map_rings *r);

typedef void (*tt_map_event_fn)(void *ctx, const struct tt_map_event *event);
/* All that is there: in order of time for each CPU, not over all. Events are valid until fn returns. */
void tt_map_rings_drain(struct tt_map_rings *r, tt_map_event_fn fn, void *ctx);

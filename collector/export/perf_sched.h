/* SPDX-License-Identifier: GPL-2.0-or-later */
/* perf_sched - context switches as `perf script` prints sched:sched_switch, byte for byte.
 *
 *   "            comm  1234 [001]  5021.123456: sched:sched_switch: prev_comm=comm prev_pid=1234 prev_prio=120 prev_state=S ==> "
 *   "next_comm=swapper/1 next_pid=0 next_prio=120"
 *
 * What a recording does not have: prev_prio is what the task had when it was switched in; 120 for who was running when recording
 * began or went on after a loss. A state that has no letter of its own is D, as in the kernel. Names are raw as in perf, but control characters and invalid UTF-8 are escaped. CLOCK_MONOTONIC, as of
 * perf record -k mono.
 *
 * With stacks, the line is as of perf record -g: the name is not right-aligned, and the stack of who left and an empty line follow.
 */
#pragma once

#include "collector/aggregate/aggregator.h"
#include "collector/aggregate/stacks.h"
#include "collector/export/out.h"

struct tt_perf_sched;

/* stacks NULL = without. A line is shown when one of its two tasks is in the view. -ENOMEM. */
int tt_perf_sched_open(struct tt_out *out, const struct tt_world *world, const struct tt_view *view,
		       const struct tt_stacks *stacks, struct tt_perf_sched **ret_ps);
void tt_perf_sched_close(struct tt_perf_sched *ps);
int tt_perf_sched_event(struct tt_perf_sched *ps, const struct tt_event *ev); /* 0 or -ENOMEM */
uint64_t tt_perf_sched_nr(const struct tt_perf_sched *ps);		      /* lines */

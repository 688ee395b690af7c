/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pftrace_sched - who ran on which CPU, as a Perfetto trace has it: ftrace events, for no others make slices of the CPUs.
 *
 * Switches are held back, up to TT_PFTRACE_SWITCHES_MAX of each CPU, and written in their compact form; finish writes the rest. What is not
 * known is a task that no kernel has, TT_PFTRACE_GAP_COMM: before recording began on a CPU, after it ended, and where switches were
 * shed. It takes the CPU at the last moment that is known, from a task in no state ("?" in Perfetto).
 */
#pragma once

#include "collector/aggregate/world.h"
#include "collector/export/pftrace.h"

enum {
	TT_PFTRACE_SWITCHES_MAX = 512,
	TT_PFTRACE_GAP_TID = 1 << 30 /* and the CPU: kernels give no tid above 1 << 22 */
};
#define TT_PFTRACE_GAP_COMM "[not recorded]"

struct tt_pftrace_sched;

/* t and world outlive it. -ENOMEM, as the functions below that return int: a CPU that is new found no memory. */
int tt_pftrace_sched_open(struct tt_pftrace *t, const struct tt_world *world,
			  struct tt_pftrace_sched **ret_ps);
void tt_pftrace_sched_close(struct tt_pftrace_sched *ps);
int tt_pftrace_sched_switch(struct tt_pftrace_sched *ps, const struct tt_ev_switch *sw);
int tt_pftrace_sched_window(struct tt_pftrace_sched *ps, const struct tt_ev_window *win);
/* TT_LOSS_SWITCHES of a CPU: the switch that comes next knows who leaves. */
int tt_pftrace_sched_lost(struct tt_pftrace_sched *ps, unsigned cpu, const struct tt_loss *loss);
/* Who comes was woken at ts_ns, by its waker_tid. On which CPU that ran is not recorded: told of the one that the task was queued on. */
void tt_pftrace_sched_waking(struct tt_pftrace_sched *ps, const struct tt_ev_switch *sw, uint64_t ts_ns);
/* A task that is new, one that left for good: so that the next one of the same tid is another. */
void tt_pftrace_sched_fork(struct tt_pftrace_sched *ps, unsigned cpu, const struct tt_task *rec);
void tt_pftrace_sched_free(struct tt_pftrace_sched *ps, unsigned cpu, uint64_t ts_ns, uint32_t tid);
/* What is held back, and what was shed of each CPU, where Perfetto looks for loss. */
void tt_pftrace_sched_finish(struct tt_pftrace_sched *ps);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* proc_tasks - the tasks of /proc and their counters, scanned again and again: who is new, who is gone, who
 * ran.
 *
 * Reads proc/PID/task/TID/schedstat below root ("" = the real one) of every task, and stat and cgroup of
 * those that are new or have run since the scan before. Needs no privileges. Remembers at most
 * TT_PROC_TASKS_MAX tasks; those beyond are left out, counted, and said in the stream by TT_EV_LOSS
 * (TT_LOSS_NAMES). Batches as in proc_snapshot.h.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "collector/source/source.h"

enum { TT_PROC_TASKS_MAX = 65536 };

struct tt_proc_tasks;

struct tt_proc_tasks_stats {
	uint64_t nr_tasks;	/* known after the last scan */
	uint64_t nr_beyond;	/* most tasks that a scan found no room for */
	uint64_t nr_unreadable; /* of the last scan: gone while we looked, or hidden */
	bool has_schedstat;	/* some task's schedstat could be read */
	bool has_run_delay; /* and counts: not "0 0 0" for every task (CONFIG_SCHED_INFO, or delay accounting
			       off) */
};

/* pid 0 = all processes. */
int tt_proc_tasks_open(const char *root, uint32_t pid, struct tt_proc_tasks **ret_tasks);
void tt_proc_tasks_close(struct tt_proc_tasks *tasks); /* NULL is fine */
/* The first scan gives TT_EV_TASK (TT_TASK_AT_START) and TT_EV_TASK_COUNTERS of all. Later ones give counters
 * of the tasks that ran or waited since, before them TT_EV_TASK of new ones (FORK, at the same time as their counters;
 * AT_START when an earlier scan must have missed them), new names (RENAME) and moves (CGROUP); and for those gone TT_EV_TASK_COUNTERS with the last known values and TT_EV_TASK (EXIT).
 * With is_last: counters and TT_EV_TASK (AT_END) of all that are there. TT_EV_CGROUP of a task's cgroup comes
 * before the task. start_ns is /proc/PID/stat's, in whole USER_HZ ticks since boot: enough to tell a reused
 * tid, not equal to BPF's. 0, -ENOMEM, the sink's error, or the errno of proc itself; a task that goes while
 * we look is no error. */
int tt_proc_tasks_scan(struct tt_proc_tasks *tasks, const struct tt_sink *sink, bool is_last);
const struct tt_proc_tasks_stats *tt_proc_tasks_stats(const struct tt_proc_tasks *tasks);

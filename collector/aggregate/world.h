/* SPDX-License-Identifier: GPL-2.0-or-later */
/* world - what is known at the moment of an event: names of tasks, cgroups and devices, each CPU's window and steal.
 *
 * Fed with every event before the aggregators are (tt_world_event), asked by them. Bounds: TT_WORLD_TASKS_MAX tasks (dead
 * ones go first), 65536 cgroups, 4096 devices, 8192 CPUs, and per CPU the last 4096 steal gaps; at a bound it
 * counts (nr_forgotten) and answers "tid 1234", never wrongly.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "collector/event/event.h"
#include "collector/session/info.h"

struct tt_world;

enum { TT_WORLD_TASKS_MAX = 65536 };

struct tt_world_task {
	uint32_t tid, pid, parent_pid;
	uint16_t flags; /* TT_TASK_* */
	bool exited;
	char comm[TT_COMM_LEN + 1]; /* raw bytes, NUL-terminated; the last name it had */
	uint64_t start_ns, cgroup_id;
	/* kernel's counters: first and last seen. run_delay grows by the recorded waits between the two. */
	uint64_t first_run_delay_ns, last_run_delay_ns, first_exec_ns, last_exec_ns;
	uint64_t first_ts_ns, last_ts_ns;
	uint64_t serial; /* unique per task in this session, also when a tid is reused */
};

struct tt_world_device {
	uint32_t dev;
	char name[TT_DISK_NAME_LEN + 1];
	bool is_partition;
	bool is_stacked; /* lies on other devices */
};

struct tt_world_window {
	uint64_t begin_ts_ns, end_ts_ns;
};

struct tt_world_cpu {
	bool seen, online;
	uint64_t begin_ts_ns, end_ts_ns;      /* last window of recording */
	uint64_t recorded_ns;		      /* sum of windows (a CPU can go and come) */
	const struct tt_world_window *closed; /* windows that have ended, oldest first: the last 1024 */
	unsigned nr_closed;
	uint64_t begin_steal_ns, end_steal_ns; /* steal clock at the window's ends (last header seen) */
	uint64_t begin_nr_switches, end_nr_switches;
	uint32_t running_tid;
};

int tt_world_open(const struct tt_info *info, struct tt_world **ret_world);
void tt_world_close(struct tt_world *w);
void tt_world_event(struct tt_world *w, const struct tt_event *ev);
/* A name before its time comes. Of a task that was there when recording began (TT_TASK_AT_START): tasks are walked after the first
 * switches, which would be nobody's. Of a device: it is looked up after its first request. What is known already stays, and
 * other records say nothing. */
void tt_world_name_early(struct tt_world *w, const struct tt_record *rec);

const struct tt_info *tt_world_info(const struct tt_world *w);
/* NULL = never heard of. tid 0 is the idle task. Pointers are valid until the next tt_world_event. */
const struct tt_world_task *tt_world_task(const struct tt_world *w, uint32_t tid);
/* Whether all threads of a process moved to another cgroup: of those the record names only one. Who keeps what it knows of a task has to
 * look at all of them. */
bool tt_world_moves_process(const struct tt_task *rec);
/* The threads of a process that live, one after another: thread is the one before, NULL for the first. NULL = no more. */
const struct tt_world_task *tt_world_next_thread(const struct tt_world *w, uint32_t pid,
						 const struct tt_world_task *thread);
const struct tt_world_device *tt_world_device(const struct tt_world *w, uint32_t dev);
/* dev by name ("vda" or "/dev/vda" or "253:0"); NULL = not in this session */
const struct tt_world_device *tt_world_device_by_name(const struct tt_world *w, const char *name);
/* Raw path of a cgroup, NULL = unknown. Short readable name into buf ("docker/3fa1b2c4d5e6", "nginx.service"). */
const char *tt_world_cgroup_path(const struct tt_world *w, uint64_t cgroup_id);
char *tt_world_cgroup_name(const struct tt_world *w, uint64_t cgroup_id, char *buf, size_t size);
unsigned tt_world_nr_cpus(const struct tt_world *w); /* highest CPU seen + 1 */
const struct tt_world_cpu *tt_world_cpu(const struct tt_world *w, unsigned cpu); /* NULL = beyond nr_cpus */

/* How much of [from, to] the CPU was stolen, as far as observed up to now. A gap of s ns first seen at t after u ns
 * without an observation is taken to lie at the end of that stretch: [t - s, t]. *ret_exact (may be NULL) is false when the
 * placement mattered, i.e. an observation window crosses from or to. */
uint64_t tt_world_steal_between(const struct tt_world *w, unsigned cpu, uint64_t from_ts_ns, uint64_t to_ts_ns,
				bool *ret_exact);

/* Of the wait that ended with this switch, on the CPU that the task was queued on first. */
uint64_t tt_world_wait_stolen_ns(const struct tt_world *w, const struct tt_ev_switch *sw);

/* By how much the kernel's run_delay of all tasks grew, over those whose both ends were told (AT_START or FORK, and EXIT or
 * AT_END); nr_tasks of them. Tasks that were forgotten since still count. */
uint64_t tt_world_run_delay_growth_ns(const struct tt_world *w, uint64_t *ret_nr_tasks);
/* Names and gaps that found no room. */
uint64_t tt_world_nr_forgotten(const struct tt_world *w);

/* Where a task was when it left the CPU: the stacks of its last switch-out. */
struct tt_world_left {
	uint64_t ts_ns;		 /* when */
	uint64_t kstack, ustack; /* ids of stacks, or TT_STACK_NONE, TT_STACK_MISSED */
};
/* Of who came by the last event, a switch with stacks: where it slept or lost the CPU before. NULL: it is not known, because it
 * left before recording began, runs for the first time, or its leaving is in a stretch that was shed (TT_LOSS_SWITCHES on any
 * CPU: it may have run there). Valid until the next tt_world_event. At most TT_WORLD_TASKS_MAX tasks that are off the CPU
 * are remembered; recordings without stacks pay nothing for it. */
const struct tt_world_left *tt_world_came_from(const struct tt_world *w);

/* cgroup.c, usable alone: a short readable name for a cgroup path. */
char *tt_cgroup_short_name(const char *path, char *buf, size_t size);
/* "/a/b" holds "/a/b" and "/a/b/c", not "/a/bc". A slash at either end of the prefix means nothing. The prefix may be as reports print
 * it, with a backslash as "\\" and what cannot be printed as "\xNN". */
bool tt_cgroup_is_below(const char *path, const char *prefix);

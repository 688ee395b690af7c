/* SPDX-License-Identifier: GPL-2.0-or-later */
/* delays - who kept whom from running, and who woke whom: every wait for a CPU, charged to others.
 *
 * The one place that decides it. Fed with the events of a session in time order, after the world; calls back for each charge, when the
 * wait ends. Each wait is charged twice over, its whole length each time:
 *
 *   occupant   to those who had the CPU meanwhile that the task was queued on, each for the time that it had it; what was stolen of that
 *              time to the host. Their sum is the run queue's wait_sum_ns, less what was shed
 *   preempter  to who took the CPU from it, when it lost the CPU while it wanted to run on
 *   waker      to who woke it, or its parent, when it did not
 *
 * What cannot be charged is charged to TT_DELAY_UNKNOWN: who ran was not seen, or lies too far back (the last TT_DELAYS_SLICES slices of a
 * CPU are looked at, and where waits overlap a lot only some of the waits are); it lost the CPU before recording began or while
 * switches were shed. Filters (cpu, task) are about who waited.
 */
#pragma once

#include "collector/aggregate/aggregator.h"

enum tt_relation { TT_RELATION_OCCUPANT, TT_RELATION_PREEMPTER, TT_RELATION_WAKER, TT_RELATION_NR };

enum tt_delay_by { TT_DELAY_TASK, TT_DELAY_STOLEN, TT_DELAY_INTERRUPT, TT_DELAY_UNKNOWN, TT_DELAY_BY_NR };

enum { TT_DELAYS_SLICES = 1024 };

struct tt_delay {
	enum tt_relation relation;
	enum tt_delay_by by;
	uint32_t from_tid; /* of TT_DELAY_TASK; 0 = idle */
	uint32_t to_tid;
	uint64_t ts_ns;	  /* the end of the wait */
	uint64_t wait_ns; /* the part of the wait that is charged */
};
/* Borrowed. A wait is charged to the same task once, unless more than a dozen had the CPU meanwhile. */
typedef void (*tt_delay_fn)(void *ctx, const struct tt_delay *delay);

struct tt_delays_options {
	const struct tt_world *world;
	const struct tt_view *view;
	tt_delay_fn fn;
	void *ctx;
};

struct tt_delays_stats {
	uint64_t nr_waits, wait_ns;
	uint64_t unknown_ns;   /* of wait_ns, without an occupant */
	uint64_t shed_wait_ns; /* not in wait_ns: nothing of these waits is known but their sum */
	uint64_t nr_beyond;    /* waits of CPUs from TT_VIEW_CPUS_MAX on: left out */
};

struct tt_delays;

int tt_delays_open(const struct tt_delays_options *opts, struct tt_delays **ret_d); /* -ENOMEM */
void tt_delays_close(struct tt_delays *d);
void tt_delays_event(struct tt_delays *d, const struct tt_event *ev);
const struct tt_delays_stats *tt_delays_stats(const struct tt_delays *d);
void tt_delays_reset(struct tt_delays *d); /* the stats */

const char *tt_relation_name(enum tt_relation relation); /* "occupants" */
const char *tt_delay_by_name(enum tt_delay_by by);	 /* "(stolen)"; NULL for a task */

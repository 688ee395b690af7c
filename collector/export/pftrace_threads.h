/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pftrace_threads - threads of a Perfetto trace: their processes and names, and a track of each for its waits.
 *
 * Bound: TT_PFTRACE_THREADS_MAX threads are remembered; with one more all are forgotten, and told again when something happens to them.
 */
#pragma once

#include "collector/aggregate/world.h"
#include "collector/export/pftrace.h"

enum { TT_PFTRACE_THREADS_MAX = 1 << 16 };

struct tt_pftrace_thread {
	uint64_t track;
	uint64_t last_end_ts_ns;  /* of its waits */
	uint32_t replaced_by_tid; /* who took the CPU when it last left it */
	bool is_preempted;	  /* and it wanted to run on */
	bool is_named, has_track; /* told */
	bool has_left;		  /* for good, as the first of its process: told when no other lives */
};

struct tt_pftrace_threads;

/* As names and texts of pftrace are: raw, ":TID" without a name. Returns buf; TT_PFTRACE_COMM_MAX bytes always fit. */
enum { TT_PFTRACE_COMM_MAX = TT_COMM_LEN + 1 };
char *tt_pftrace_comm(char *buf, const struct tt_world *world, uint32_t tid);

/* t and world outlive it. -ENOMEM. */
int tt_pftrace_threads_open(struct tt_pftrace *t, const struct tt_world *world,
			    struct tt_pftrace_threads **ret_th);
void tt_pftrace_threads_close(struct tt_pftrace_threads *th);
/* Its name and process, as the world has them at ts_ns. */
void tt_pftrace_threads_name(struct tt_pftrace_threads *th, uint32_t tid, uint64_t ts_ns);
/* The same, and of its process, unless they were told: a part of a session does not begin with the names of all tasks. */
void tt_pftrace_threads_meet(struct tt_pftrace_threads *th, uint32_t tid, uint64_t ts_ns);
/* What is remembered of it: valid until the next call. */
struct tt_pftrace_thread *tt_pftrace_thread(struct tt_pftrace_threads *th, uint32_t tid);
/* The same, and its track is told. */
struct tt_pftrace_thread *tt_pftrace_thread_track(struct tt_pftrace_threads *th, uint32_t tid);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pftrace_cpus - what a Perfetto trace tells of each CPU beside its switches: stolen time, tasks that wait, samples.
 *
 * Stolen time is slices, as long as what was stolen, and a counter of their sum; where a slice would begin before the one before has ended
 * it is cut (tt_pftrace_cpus_nr_cut), its argument stolen_ns is right. Waiting tasks are counted by depth.h, with its bound. Samples are
 * PerfSamples; their count is the sum of the weights of a CPU's hits.
 */
#pragma once

#include "collector/export/pftrace_stacks.h"
#include "collector/export/pftrace_threads.h"

struct tt_pftrace_cpus;

/* All outlive it. -ENOMEM. */
int tt_pftrace_cpus_open(struct tt_pftrace *t, const struct tt_world *world, struct tt_pftrace_stacks *stacks,
			 struct tt_pftrace_cpus **ret_pc);
void tt_pftrace_cpus_close(struct tt_pftrace_cpus *pc);
/* hit: of steal, and the event that told it */
void tt_pftrace_cpus_steal(struct tt_pftrace_cpus *pc, const struct tt_hit *hit,
			   const struct tt_ev_steal *ev);
/* A task waited in the queue of a CPU. */
void tt_pftrace_cpus_waited(struct tt_pftrace_cpus *pc, unsigned cpu, uint64_t begin_ts_ns,
			    uint64_t end_ts_ns);
/* hit: of cpu, with a sample */
void tt_pftrace_cpus_sample(struct tt_pftrace_cpus *pc, const struct tt_hit *hit,
			    const struct tt_sample *rec);
void tt_pftrace_cpus_finish(struct tt_pftrace_cpus *pc);
uint64_t tt_pftrace_cpus_nr_cut(const struct tt_pftrace_cpus *pc);
uint64_t tt_pftrace_cpus_nr_late(const struct tt_pftrace_cpus *pc); /* waits, see depth.h */

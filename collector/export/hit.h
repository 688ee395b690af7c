/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hit - time that was lost or spent, and where: what every output with stacks is made of.
 *
 * The one place that turns events into weighted hits. Fed with the events of a session in time order, after the world; calls back for
 * each hit. Weights add up to the totals of the report over the same part of the session, with the same filters:
 *
 *   cause  weight                                      sum                                      filters that count
 *   steal  ns stolen, first seen by one observation    steal: stolen_ns of all CPUs             cpu, task (the victim)
 *   runq   ns waited for a CPU, at the end of the wait runq: wait_sum_ns of all CPUs            cpu, task
 *   disk   ns from start to completion of a request,   disk: total of each device, shed         device, task (the submitter)
 *          as often as /proc/diskstats counts it       requests included
 *   cpu    ns since the sample before, less the steal  recorded_ns - stolen_ns of all CPUs      cpu, task
 *          in it                                       (within one period with --from or --to)
 *
 * What has no task (steal and waits of a stretch that was shed, requests without a submitter, recorded time without a sample) is a hit of nobody:
 * left out when tasks are filtered, as in the report. A hit's time is its end. Hits of weight 0 are made for who counts hits, too.
 *
 * Causes overlap where time does: requests that a task does not wait for go on while it runs, and a request is there as long as it
 * takes, however many are under way. Time on the CPU, in the run queue and stolen never overlap for a task; a disk that lies on another
 * one (dm, md) has the same requests as that.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "collector/aggregate/aggregator.h"
#include "collector/aggregate/trim.h"

enum tt_cause { TT_CAUSE_STEAL, TT_CAUSE_RUNQ, TT_CAUSE_DISK, TT_CAUSE_CPU, TT_CAUSE_NR };
enum { TT_CAUSES_ALL = (1 << TT_CAUSE_NR) - 1 }; /* sets of them are bits */

struct tt_hit {
	enum tt_cause cause;
	uint16_t cpu;	/* TT_CPU_NONE = of none */
	uint64_t ts_ns; /* its end */
	uint64_t weight_ns;
	/* How many gaps, waits, requests (as /proc/diskstats counts them) or samples it is: 0 where only their sum is known. */
	uint64_t nr;
	uint32_t tid, pid;  /* nobody: TT_TID_UNKNOWN and 0. A task without a known process is its own. */
	const char *comm;   /* raw bytes, NUL-terminated; "" = not known; of nobody the reason: "[shed]" */
	uint64_t serial;    /* of the task (world.h); 0 = not known */
	uint64_t cgroup_id; /* it was in, by then; 0 = not known */
	uint32_t dev;	    /* disk: dev_t */
	uint8_t group;	    /* disk: TT_DISK_READ .. TT_DISK_FLUSHES */
	/* Frames put on top of the stack, so that causes are told apart: "[stolen]", "[runq]", "[io_vda_read]"; NULL = none (cpu). Safe in
	 * text. */
	const char *top;
	/* Where there can be no stack, why: "[shed]", "[new_task]", "[not_seen]", "[not_sampled]". NULL: the ids tell. */
	const char *instead;
	uint64_t kstack, ustack; /* TT_STACK_NONE, TT_STACK_MISSED, or ids */
	enum tt_trim trim;	 /* of kstack */
	/* runq: who woke it, or its parent */
	bool has_waker;
	bool waker_is_interrupt; /* then the rest is of what it hit, but for the kernel's stack */
	uint32_t waker_tid;
	const char *waker_comm;
	uint64_t waker_kstack, waker_ustack;
};
/* Borrowed: a hit and its names are valid until the callback returns. */
typedef void (*tt_hit_fn)(void *ctx, const struct tt_hit *hit);

struct tt_hits_options {
	const struct tt_world *world;
	const struct tt_view *view;
	unsigned causes;     /* bits of enum tt_cause */
	uint64_t from_ts_ns; /* 0 = the start: as the pipeline has it */
	const struct tt_stacks *stacks; /* NULL, or of a session by DWARF with all of it: then a stack has one id in all hits */
	bool with_empty; /* hits of weight 0 that are something (nr): a request that took no time, a sample all stolen */
	tt_hit_fn fn;
	void *ctx;
};

struct tt_hits;

int tt_hits_open(const struct tt_hits_options *opts, struct tt_hits **ret_h); /* -ENOMEM */
void tt_hits_close(struct tt_hits *h);
void tt_hits_event(struct tt_hits *h, const struct tt_event *ev);
/* No more events: what is only known now. to_ts_ns: the end of the part that is looked at. */
void tt_hits_finish(struct tt_hits *h, uint64_t to_ts_ns);

uint64_t tt_hits_nr(const struct tt_hits *h, enum tt_cause cause);
uint64_t tt_hits_sum_ns(const struct tt_hits *h, enum tt_cause cause);
/* A disk that lies on others was among the hits: their I/O is there twice. NULL = none; raw. */
const char *tt_hits_stacked_device(const struct tt_hits *h);

const char *tt_cause_name(enum tt_cause cause); /* "steal" */
const char *tt_disk_group_name(unsigned group); /* "read" "write" "discard" "flush" */
const char *tt_cause_lack(enum tt_cause cause); /* in words, where there is none: "no steal" */

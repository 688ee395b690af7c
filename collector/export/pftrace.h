/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pftrace - packets of a Perfetto trace, written as they come; tracks, slices, instants and counters; names that are told once.
 *
 * All packets are of one sequence. Times are ns; Perfetto sorts, so they come in any order, but what ends on a track before something else
 * begins there at the same time is to be written first. Texts are any bytes of the recorded machine, NUL-terminated: they are escaped
 * here (base/escape.h).
 *
 * Bounds: TT_PFTRACE_NAMES_MAX names of slices; those beyond are written with each. No memory: nothing more is written
 * (tt_pftrace_error).
 */
#pragma once

#include <stdint.h>

#include "collector/export/out.h"
#include "collector/export/proto/perfetto.pb-c.h"

enum { TT_PFTRACE_NAMES_MAX = 1 << 16, TT_PFTRACE_ARGS_MAX = 20, TT_PFTRACE_TEXT_MAX = 1024 };

struct tt_pftrace;

int tt_pftrace_open(struct tt_out *out, struct tt_pftrace **ret_t); /* -ENOMEM */
void tt_pftrace_close(struct tt_pftrace *t);
int tt_pftrace_error(const struct tt_pftrace *t); /* 0 or -ENOMEM */
/* Any packet; what makes it one of the sequence is set here. */
void tt_pftrace_put(struct tt_pftrace *t, Pftrace__TracePacket *packet);
/* The first packet: from here on there are names. */
void tt_pftrace_begin(struct tt_pftrace *t);

/* --- tracks --- */

/* Uuids: what it is a track of, and its number. */
enum tt_pf_track {
	TT_PF_GROUP = 1, /* enum tt_pf_group */
	TT_PF_THREAD,	 /* serial of a task (world.h) */
	TT_PF_STEAL,	 /* CPU */
	TT_PF_STOLEN,	 /* counter, CPU */
	TT_PF_WAITING,	 /* counter, CPU */
	TT_PF_DISK,	 /* slot of a disk */
	TT_PF_IN_FLIGHT, /* counter, slot of a disk */
	TT_PF_LANE,	 /* of a disk: slot << 16 | lane */
};
enum tt_pf_group { TT_PF_RECORDING = 1, TT_PF_STEALS, TT_PF_QUEUES, TT_PF_DISKS };

static inline uint64_t tt_pf_uuid(enum tt_pf_track what, uint64_t nr)
{
	return (uint64_t)what << 56 | nr;
}

struct tt_pf_track_options {
	uint64_t uuid, parent;		/* parent 0 = none */
	const char *name, *description; /* NULL = none */
	int32_t rank;			/* among its siblings */
	enum { TT_PF_SLICES, TT_PF_COUNTER_NS, TT_PF_COUNTER } has;
	uint32_t tid, pid; /* not 0: the thread's own track */
};
void tt_pftrace_track(struct tt_pftrace *t, const struct tt_pf_track_options *opts);

/* --- events --- */

enum tt_pf_category {
	TT_PF_CAT_STEAL = 1,
	TT_PF_CAT_RUNQ,
	TT_PF_CAT_DISK,
	TT_PF_CAT_LOSS,
	TT_PF_CAT_RECORDING,
	TT_PF_CAT_NR
};

/* A name and a number, or a text. */
struct tt_pf_arg {
	const char *name; /* a literal */
	const char *text; /* NULL = the number */
	uint64_t number;
};

struct tt_pf_event {
	uint64_t track;
	enum tt_pf_category category;
	const char *name;
	uint64_t ts_ns;
	struct tt_pf_arg args[TT_PFTRACE_ARGS_MAX];
	unsigned nr_args;
	uint64_t flow, terminated_flow; /* an arrow that begins, ends here; 0 = none */
	uint64_t callstack;		/* iid; 0 = none */
	uint64_t weight_ns;		/* of the callstack */
};
void tt_pf_add_number(struct tt_pf_event *ev, const char *name, uint64_t number);
void tt_pf_add_text(struct tt_pf_event *ev, const char *name, const char *text);

void tt_pftrace_begin_slice(struct tt_pftrace *t, const struct tt_pf_event *ev);
void tt_pftrace_end_slice(struct tt_pftrace *t, uint64_t track, uint64_t ts_ns);
/* Both; end_ts_ns >= ev->ts_ns. */
void tt_pftrace_slice(struct tt_pftrace *t, const struct tt_pf_event *ev, uint64_t end_ts_ns);
void tt_pftrace_instant(struct tt_pftrace *t, const struct tt_pf_event *ev);
void tt_pftrace_counter(struct tt_pftrace *t, uint64_t track, uint64_t ts_ns, uint64_t value);

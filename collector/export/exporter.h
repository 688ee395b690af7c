/* SPDX-License-Identifier: GPL-2.0-or-later */
/* exporter - from events and hits to the format of another tool. One file and one line in exporters.def each.
 *
 * A session goes through it once, in time order: open, then event and hit as they come, then finish, then close. What an exporter does not
 * take is NULL. It writes to ctx->out as it goes, or at the end; memory does not grow with the session: every table has a bound, and at
 * it counts (nr_merged).
 *
 * Stacks have names only at the end of a session. Who sums up asks for them in finish. Who writes them with the events says
 * needs_names_first: then the session is read twice and stacks are complete from open on.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "collector/aggregate/aggregator.h"
#include "collector/aggregate/stacks.h"
#include "collector/export/hit.h"
#include "collector/export/out.h"
#include "collector/render/render.h"

struct tt_export_baseline; /* html/baseline.h */

/* Borrowed until close. */
struct tt_export_context {
	const char *file; /* the session's name */
	const struct tt_info *info;
	const struct tt_world *world; /* at the moment of the event */
	const struct tt_view *view;   /* events are of the whole machine; hits are filtered */
	const struct tt_stacks *stacks;
	struct tt_out *out;
	unsigned causes; /* bits of enum tt_cause: the hits that come */
	uint64_t from_ts_ns; /* 0 = the start: as the pipeline has it */
	const struct tt_export_baseline *baseline; /* NULL = none */
};

/* The stretch that was exported, and what is missing in it. */
struct tt_export_end {
	struct tt_interval interval;
	const uint64_t *nr_lost; /* TT_LOSS_NR */
	const char *lack;	 /* why the session is not whole: "cut inside a block"; NULL = it is */
	/* of the same stretch, with all sections, for who needs_report; else NULL */
	const struct tt_report *report;
	const struct tt_report_head *head;
	const char *stacked_device; /* see tt_hits_stacked_device */
	/* the exporter's answer: hits whose stack found no room and went where "(others)" is, with all their weight */
	uint64_t nr_merged;
};

struct tt_exporter {
	const char *name, *help; /* "folded" */
	bool is_binary;		 /* not for a terminal */
	bool needs_names_first;
	bool needs_empty_hits; /* also those of weight 0: it counts them */
	bool needs_report;
	bool takes_counters; /* also a session without single events */
	bool takes_baseline;
	/* NULL, or why this build cannot make it and what to do; asked before anything is read. It returns NULL when it can. */
	const char *(*lack)(void);
	int (*open)(const struct tt_export_context *ctx, void **ret_state); /* -ENOMEM */
	/* Every event between --from and --to after the world has seen it, also names and counters. 0 or an error, which ends it. */
	int (*event)(void *state, const struct tt_event *ev);
	int (*hit)(void *state, const struct tt_hit *hit); /* just after the event that told it */
	int (*finish)(void *state, struct tt_export_end *end);
	void (*close)(void *state); /* NULL is fine */
	/* NULL, or writes what describes its format (--schema). Needs no session. -ENOMEM. */
	int (*schema)(struct tt_out *out);
};

#define TT_EXPORTER(name) extern const struct tt_exporter tt_exporter_##name;
#include "collector/export/exporters.def"
#undef TT_EXPORTER

extern const struct tt_exporter *const tt_exporters[]; /* NULL at the end */

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pipeline - from batches to a report: decoder, order, world and aggregators behind one sink. report feeds it
 * from a file, live from a source.
 *
 * The world sees every event; aggregators see those with from < ts <= to. Memory does not grow with the
 * session.
 */
#pragma once

#include "collector/aggregate/aggregator.h"
#include "collector/aggregate/stacks.h"
#include "collector/render/render.h"
#include "collector/source/source.h"

enum { TT_SECTIONS_MAX = 16 };
#define TT_SECTIONS_NONE  (1ull << TT_SECTIONS_MAX) /* no aggregator: for who takes the events himself */
#define TT_SECTIONS_EVERY (TT_SECTIONS_NONE - 1) /* those on request as well */

struct tt_pipeline_options {
	const struct tt_info *info;    /* must outlive the pipeline */
	const struct tt_view *view;    /* too */
	uint64_t sections;	       /* bit n: tt_aggregators[n]; 0 = all but those on request */
	uint64_t from_ts_ns, to_ts_ns; /* to 0 = no end */
	/* NULL, or who takes the same events as the aggregators, after the world has. An error ends it: no more events, and the
	 * sink returns it. */
	int (*event)(void *ctx, const struct tt_event *ev);
	void *event_ctx;
	struct tt_stacks *stacks; /* NULL, or takes the stacks and their names, of the whole session whatever part is looked at */
};

struct tt_pipeline;

/* Logs its failure. */
int tt_pipeline_open(const struct tt_pipeline_options *opts, struct tt_pipeline **ret_p);
void tt_pipeline_close(struct tt_pipeline *p);
/* Takes batches and epochs; a rejected batch is counted, not an error. -ENOMEM. */
struct tt_sink tt_pipeline_sink(struct tt_pipeline *p);

const struct tt_world *tt_pipeline_world(const struct tt_pipeline *p);
int tt_pipeline_event_error(const struct tt_pipeline *p); /* of opts->event; 0 = none */

/* Last epoch, 0 before the first; last event. */
uint64_t tt_pipeline_epoch_ts_ns(const struct tt_pipeline *p);
uint64_t tt_pipeline_last_ts_ns(const struct tt_pipeline *p);

/* From the first CPU's begin to the last one's end, as far as told; false when no CPU's begin was (counters only). */
bool tt_pipeline_window(const struct tt_pipeline *p, uint64_t *ret_begin_ts_ns, uint64_t *ret_end_ts_ns);

/* What was looked at since open or reset. */
uint64_t tt_pipeline_nr_events(const struct tt_pipeline *p);
/* Of the session, with the hooks that are in use by now. */
const struct tt_info *tt_pipeline_info(const struct tt_pipeline *p);
const uint64_t *tt_pipeline_nr_lost(const struct tt_pipeline *p); /* TT_LOSS_NR */
const struct tt_decode_stats *tt_pipeline_decode_stats(const struct tt_pipeline *p);

/* Runs the aggregators' finish; findings come sorted. Logs; -ENOMEM. */
int tt_pipeline_report(struct tt_pipeline *p, const struct tt_interval *interval, struct tt_report *report);
void tt_pipeline_reset(struct tt_pipeline *p);

/* Whether what the view asks for was in the events at all. Logs what was instead; -ENOENT. */
int tt_pipeline_check_view(const struct tt_pipeline *p);

/* Bits of sections for a name; a usage error lists the names. */
uint64_t tt_section_bit(const char *option, const char *name);

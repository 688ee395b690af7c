/* SPDX-License-Identifier: GPL-2.0-or-later */
/* aggregator - from events to tables. One file and one line in aggregators.def each.
 *
 * Gets every event in time order after the world has seen it. No allocation per event: tables of bounded size, and
 * at the bound "(others)" takes the rest and is counted. finish may be called at any time (live calls it at every
 * interval, then reset); it changes nothing but the report.
 */
#pragma once

#include "collector/aggregate/table.h"
#include "collector/aggregate/world.h"
#include "collector/session/session.h"

enum tt_by { TT_BY_DEFAULT = 0, TT_BY_CPU, TT_BY_TASK, TT_BY_CGROUP, TT_BY_DEVICE };

/* What is looked at. Everything else is left out of rows and histograms; totals "of the machine" say so. */
struct tt_view {
	enum tt_by by;
	bool classic;		     /* disk: the 2013 columns */
	uint32_t pid;		     /* 0 = all */
	const char *cgroup;	     /* path prefix, NULL = all */
	const char *device;	     /* NULL = all */
	const unsigned long *cpu_mask; /* NULL = all; nr_cpu_bits bits */
	unsigned nr_cpu_bits;
	unsigned nr_top;	     /* rows of top lists; 0 = 10 */
};

struct tt_agg_options {
	const struct tt_world *world;
	const struct tt_view *view;
	bool counters_only; /* the source has no single events (procfs) */
};

/* The stretch that a report covers; finish divides by it. */
struct tt_interval {
	uint64_t from_ts_ns, to_ts_ns;
	/* true when it is the whole session, so that the kernel's counters of start and end apply */
	bool whole;
};

struct tt_aggregator {
	const char *name, *title, *help; /* "steal" "STEAL" */
	bool on_request;		 /* not among all sections: only when it is named */
	int (*open)(const struct tt_agg_options *opts, void **ret_state);
	void (*event)(void *state, const struct tt_event *ev);
	/* Adds one section, findings and checks. 0 or -ENOMEM. */
	int (*finish)(void *state, const struct tt_interval *interval, struct tt_report *report);
	void (*reset)(void *state); /* next interval: zero the sums, keep what is in flight and the last counters */
	void (*close)(void *state);
};

#define TT_AGGREGATOR(name) extern const struct tt_aggregator tt_aggregator_##name;
#include "collector/aggregate/aggregators.def"
#undef TT_AGGREGATOR

const struct tt_aggregator *tt_aggregator_find(const char *name);
extern const struct tt_aggregator *const tt_aggregators[]; /* in report order, NULL at the end */

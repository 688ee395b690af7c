/* SPDX-License-Identifier: GPL-2.0-or-later */
/* render - tables to people (text) and to programs (json). Knows units and shapes, no metric by name. */
#pragma once

#include <stdio.h>

#include "collector/aggregate/table.h"
#include "collector/session/session.h"

struct tt_render_options {
	unsigned width; /* columns; 0 = as wide as it gets */
	bool unicode;	/* block characters and thin rules; else ASCII */
	bool colour;
	const char *file;    /* shown in the head line, NULL = none */
	bool interval_lines; /* live: compact, no histograms */
	bool all_tables;     /* with interval_lines: not only the first of each section */
};

/* What the head says. */
struct tt_report_head {
	const struct tt_info *info;
	const struct tt_session_end *end; /* NULL while live */
	uint64_t from_ts_ns, to_ts_ns;
	uint64_t nr_events;
	const uint64_t *nr_lost; /* TT_LOSS_NR of them */
	const char *file;	 /* as opts->file, for JSON; NULL = none */
	bool partial;		 /* a part of the session was asked for (--from, --to) */
	const char *only;	 /* the view's filters in words, "process 12, disk vda"; NULL = everything */
};

int tt_render_text(FILE *out, const struct tt_report *report, const struct tt_report_head *head,
		   const struct tt_render_options *opts);
/* One object. pretty = false puts it on one line (live). {"timethief_json": 1, "host": {...}, "interval":
 * {...}, "loss": {...}, "verified": [...], "findings": [...], "sections": {"steal": {"tables": {"cpus":
 * [{...}]}, "histograms": [...]}}} */
int tt_render_json(FILE *out, const struct tt_report *report, const struct tt_report_head *head, bool pretty);

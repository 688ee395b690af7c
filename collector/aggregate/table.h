/* SPDX-License-Identifier: GPL-2.0-or-later */
/* table - the second waist: named columns with units. Aggregators fill it, renderers print it, neither knows the
 * other's names.
 *
 * Strings are copied, owned by the report, raw bytes (renderers escape). A failed allocation sets report->failed; the
 * calls after it do nothing, so callers check once at the end. Row order is the order of adding.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "collector/aggregate/hist.h"

enum tt_unit {
	TT_UNIT_TEXT,
	TT_UNIT_COUNT,	/* u64, printed whole */
	TT_UNIT_NS,	/* u64; text prints 19.8ms, JSON the number */
	TT_UNIT_MS,	/* double, for iostat's columns: text prints it bare with 2 decimals */
	TT_UNIT_PCT,	/* double */
	TT_UNIT_NUMBER, /* double: rates, sizes, queue lengths; 2 decimals */
	TT_UNIT_BYTES,	/* u64 */
};

struct tt_column {
	const char *key;   /* JSON: "r_await_ms" "steal_pct" "wait_p99_ns"; unit included, lower case */
	const char *label; /* text: "r_await" "%steal" "p99"; the field's own word */
	enum tt_unit unit;
	bool json_only;	   /* too much for the text table */
	unsigned char decimals; /* of doubles in text; 0 = 2 */
};

struct tt_cell {
	enum { TT_CELL_NONE, TT_CELL_U64, TT_CELL_F64, TT_CELL_TEXT } type; /* NONE prints "-", JSON null */
	union {
		uint64_t u64;
		double f64;
		char *text;
	};
};

struct tt_table {
	const char *name;  /* JSON key: "cpus" "victims" "devices" */
	const char *title; /* text heading above it, or NULL */
	const struct tt_column *columns; /* static in the aggregator; the first is the row's key */
	unsigned nr_columns, nr_rows;
	uint64_t nr_rows_left_out; /* rows that a bound or a top-N kept out; printed under the table */
	struct tt_cell *cells; /* nr_rows * nr_columns */
	unsigned cells_room;
};

struct tt_histogram {
	char *name;  /* JSON key, escaped by the renderer: "wait" "vda read total" */
	char *title; /* "run-queue wait", "vda reads: start to completion" */
	struct tt_hist hist;
	bool partial; /* events were shed: percentiles and counts cover only what was recorded */
};

struct tt_note {
	char *text; /* "percentiles are partial: 1,204 switches were shed between 3.1 s and 3.4 s" */
};

struct tt_section {
	const char *name;  /* "steal" "disk" "runq" */
	const char *title; /* "STEAL" */
	struct tt_table *tables;
	unsigned nr_tables;
	struct tt_histogram *histograms;
	unsigned nr_histograms;
	struct tt_note *notes;
	unsigned nr_notes;
};

struct tt_finding {
	double score_ns_per_s; /* how much time it cost: sorts worst first */
	const char *section, *code; /* "steal", "steal-quota": JSON, for scripts */
	char *text;	       /* one plain sentence with its evidence, "." at the end */
};

struct tt_check { /* a probe against the kernel's own counter */
	const char *probe;
	char *text;	/* "steal +0.1 % of /proc/stat" */
	bool ok, known; /* known = false: nothing to compare with */
	double ours, kernel;
	const char *unit; /* "ns" "requests" */
};

struct tt_report {
	struct tt_section *sections;
	unsigned nr_sections;
	struct tt_finding *findings;
	unsigned nr_findings;
	struct tt_check *checks;
	unsigned nr_checks;
	bool failed; /* out of memory: do not print it */
};

void tt_report_init(struct tt_report *r);
void tt_report_free(struct tt_report *r);

/* Pointers stay valid until the next add of the same sort to the same parent. NULL only after a failure. */
struct tt_section *tt_report_add_section(struct tt_report *r, const char *name, const char *title);
struct tt_table *tt_section_add_table(struct tt_report *r, struct tt_section *s, const char *name, const char *title,
				      const struct tt_column *columns, unsigned nr_columns);
void tt_section_add_histogram(struct tt_report *r, struct tt_section *s, const char *name, const char *title,
			      const struct tt_hist *hist, bool partial);
void tt_section_add_note(struct tt_report *r, struct tt_section *s, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void tt_report_add_finding(struct tt_report *r, double score_ns_per_s, const char *section, const char *code,
			   const char *fmt, ...) __attribute__((format(printf, 5, 6)));
void tt_report_add_check(struct tt_report *r, const char *probe, bool ok, bool known, double ours, double kernel,
			 const char *unit, const char *fmt, ...) __attribute__((format(printf, 8, 9)));
void tt_report_sort_findings(struct tt_report *r); /* worst first, ties by code, then text */

/* A row is filled from left to right; cells not set are NONE. */
void tt_table_add_row(struct tt_report *r, struct tt_table *t);
void tt_row_text(struct tt_report *r, struct tt_table *t, unsigned column, const char *text);
void tt_row_u64(struct tt_table *t, unsigned column, uint64_t value);
void tt_row_f64(struct tt_table *t, unsigned column, double value);

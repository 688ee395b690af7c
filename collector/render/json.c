/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/render/render.h"

#include <errno.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "collector/render/json_text.h"
#include "collector/render/words.h"

enum { JSON_SCHEMA_VERSION = 1, REAL_DIGITS = 15 };

/* Set when something was NULL, which is out of memory: then nothing is printed. */
struct builder {
	bool failed;
};

static void set(struct builder *b, json_t *object, const char *key, json_t *value)
{
	if (!value || !object) {
		b->failed = true;
		json_decref(value);
	} else if (json_object_set_new(object, key, value)) {
		b->failed = true;
	}
}

static void append(struct builder *b, json_t *array, json_t *value)
{
	if (!value || !array) {
		b->failed = true;
		json_decref(value);
	} else if (json_array_append_new(array, value)) {
		b->failed = true;
	}
}

static json_t *u64_of(uint64_t value)
{
	return value <= INT64_MAX ? json_integer((json_int_t)value) : json_real((double)value);
}

/* Whole numbers stay whole where a double holds them exactly. */
static json_t *f64_of(double value)
{
	return __builtin_isfinite(value) ? json_real(value) : json_null();
}

static json_t *sum_of(double value)
{
	if (value >= 0 && value < 9007199254740992.0 && value == (double)(json_int_t)value)
		return json_integer((json_int_t)value);
	return f64_of(value);
}

static json_t *cell_value(const struct tt_cell *cell)
{
	switch (cell->type) {
	case TT_CELL_U64:
		return u64_of(cell->u64);
	case TT_CELL_F64:
		return f64_of(cell->f64);
	case TT_CELL_TEXT:
		return tt_json_text(cell->text);
	case TT_CELL_NONE:
		break;
	}
	return json_null();
}

/* --- the head --- */

static json_t *host_object(struct builder *b, const struct tt_info *info)
{
	json_t *host = json_object();

	set(b, host, "hostname", tt_json_text(info->hostname));
	set(b, host, "kernel_release", tt_json_text(info->kernel_release));
	set(b, host, "kernel_version", tt_json_text(info->kernel_version));
	set(b, host, "arch", tt_json_text(info->arch));
	set(b, host, "boot_id", tt_json_text(info->boot_id));
	set(b, host, "hypervisor", tt_json_text(info->hypervisor));
	set(b, host, "steal_reported", json_boolean(info->steal_reported));
	set(b, host, "nr_cpus_possible", json_integer(info->nr_cpus_possible));
	set(b, host, "nr_cpus_online", json_integer(info->nr_cpus_online));
	set(b, host, "user_hz", json_integer(info->user_hz));
	return host;
}

static json_t *source_object(struct builder *b, const struct tt_info *info)
{
	json_t *source = json_object(), *probes = json_array();

	for (unsigned i = 0; i < info->nr_probes && i < TT_INFO_NR_PROBES; i++) {
		const struct tt_probe_info *p = &info->probes[i];
		json_t *probe = json_object();

		set(b, probe, "probe", tt_json_text(p->probe));
		set(b, probe, "rung", p->rung[0] ? tt_json_text(p->rung) : json_null());
		set(b, probe, "detail", tt_json_text(p->detail));
		append(b, probes, probe);
	}
	set(b, source, "name", tt_json_text(info->source));
	set(b, source, "reason", info->source_reason[0] ? tt_json_text(info->source_reason) : json_null());
	set(b, source, "probes", probes);
	return source;
}

static json_t *loss_object(struct builder *b, const uint64_t *nr_lost)
{
	json_t *loss = json_object();

	set(b, loss, "shed", u64_of(tt_loss_shed(nr_lost)));
	for (unsigned what = 1; what < TT_LOSS_NR; what++)
		set(b, loss, tt_loss_key(what), u64_of(nr_lost[what]));
	return loss;
}

static json_t *cost_object(struct builder *b, const struct tt_summary *s)
{
	json_t *cost = json_object();

	set(b, cost, "prog_ns", u64_of(s->prog_ns));
	set(b, cost, "prog_runs", u64_of(s->prog_runs));
	set(b, cost, "cpu_user_ns", u64_of(s->cpu_user_ns));
	set(b, cost, "cpu_system_ns", u64_of(s->cpu_system_ns));
	set(b, cost, "peak_rss_bytes", u64_of(s->peak_rss_bytes));
	set(b, cost, "ring_bytes", u64_of(s->ring_bytes));
	set(b, cost, "wire_bytes", u64_of(s->wire_bytes));
	set(b, cost, "file_bytes", u64_of(s->file_bytes));
	return cost;
}

/* The recording as a whole, whatever part of it the report covers. */
static json_t *session_object(struct builder *b, const struct tt_report_head *head)
{
	const struct tt_session_end *end = head->end;
	json_t *session = json_object();
	char start[48];

	set(b, session, "file", tt_json_text(head->file));
	set(b, session, "tool_version", tt_json_text(head->info->tool_version));
	set(b, session, "start",
	    json_string(tt_format_iso_time(start, sizeof(start), head->info, head->info->start_ts_ns)));
	set(b, session, "start_ts_ns", u64_of(head->info->start_ts_ns));
	set(b, session, "time_zone", tt_json_text(head->info->time_zone));
	set(b, session, "command", head->info->command[0] ? tt_json_text(head->info->command) : json_null());
	if (!end)
		return session;
	set(b, session, "whole", json_boolean(end->has_summary && !end->damaged));
	set(b, session, "damaged", json_boolean(end->damaged));
	set(b, session, "stopped_at_bytes", u64_of(end->offset));
	set(b, session, "stopped_because", end->reason[0] ? tt_json_text(end->reason) : json_null());
	if (end->has_summary) {
		set(b, session, "dur_ns", u64_of(end->summary.end_ts_ns - end->summary.start_ts_ns));
		set(b, session, "nr_events", u64_of(end->summary.nr_events));
		set(b, session, "ended_by", tt_json_text(end->summary.ended_by));
		set(b, session, "loss", loss_object(b, end->summary.nr_lost));
		set(b, session, "cost", cost_object(b, &end->summary));
	}
	return session;
}

static json_t *interval_object(struct builder *b, const struct tt_report_head *head)
{
	uint64_t start_ns = head->info->start_ts_ns;
	json_t *interval = json_object();
	char start[48];

	set(b, interval, "start",
	    json_string(tt_format_iso_time(start, sizeof(start), head->info, head->from_ts_ns)));
	set(b, interval, "from_ns", u64_of(head->from_ts_ns > start_ns ? head->from_ts_ns - start_ns : 0));
	set(b, interval, "to_ns", u64_of(head->to_ts_ns > start_ns ? head->to_ts_ns - start_ns : 0));
	set(b, interval, "dur_ns",
	    u64_of(head->to_ts_ns > head->from_ts_ns ? head->to_ts_ns - head->from_ts_ns : 0));
	set(b, interval, "only", tt_json_text(head->only));
	return interval;
}

static json_t *check_array(struct builder *b, const struct tt_report *report)
{
	json_t *checks = json_array();

	for (unsigned i = 0; i < report->nr_checks; i++) {
		const struct tt_check *c = &report->checks[i];
		json_t *check = json_object();

		set(b, check, "probe", tt_json_text(c->probe));
		set(b, check, "ok", c->known ? json_boolean(c->ok) : json_null());
		set(b, check, "text", tt_json_text(c->text));
		set(b, check, "ours", sum_of(c->ours));
		set(b, check, "kernel", c->known ? sum_of(c->kernel) : json_null());
		set(b, check, "unit", tt_json_text(c->unit));
		append(b, checks, check);
	}
	return checks;
}

static json_t *finding_array(struct builder *b, const struct tt_report *report)
{
	json_t *findings = json_array();

	for (unsigned i = 0; i < report->nr_findings; i++) {
		const struct tt_finding *f = &report->findings[i];
		json_t *finding = json_object();

		set(b, finding, "section", tt_json_text(f->section));
		set(b, finding, "code", tt_json_text(f->code));
		set(b, finding, "score_ns_per_s", f64_of(f->score_ns_per_s));
		set(b, finding, "text", tt_json_text(f->text));
		append(b, findings, finding);
	}
	return findings;
}

/* --- sections --- */

static json_t *row_object(struct builder *b, const struct tt_table *t, unsigned row)
{
	const struct tt_cell *cells = &t->cells[(size_t)row * t->nr_columns];
	json_t *object = json_object();

	for (unsigned i = 0; i < t->nr_columns; i++)
		set(b, object, t->columns[i].key, cell_value(&cells[i]));
	return object;
}

static void set_tables(struct builder *b, json_t *section, const struct tt_section *s)
{
	json_t *tables = json_object(), *left_out = json_object();

	for (unsigned i = 0; i < s->nr_tables; i++) {
		const struct tt_table *t = &s->tables[i];
		json_t *rows = json_array();

		for (unsigned row = 0; row < t->nr_rows; row++)
			append(b, rows, row_object(b, t, row));
		set(b, tables, t->name, rows);
		if (t->nr_rows_left_out)
			set(b, left_out, t->name, u64_of(t->nr_rows_left_out));
	}
	set(b, section, "tables", tables);
	set(b, section, "rows_left_out", left_out);
}

static json_t *bucket_array(struct builder *b, const struct tt_hist *hist)
{
	json_t *buckets = json_array();

	for (unsigned i = 0; i < TT_HIST_NR_BUCKETS; i++) {
		json_t *bucket;

		if (!hist->nr[i])
			continue;
		bucket = json_array();
		append(b, bucket, u64_of(tt_hist_bucket_lower_ns(i)));
		append(b, bucket, u64_of(tt_hist_bucket_upper_ns(i)));
		append(b, bucket, u64_of(hist->nr[i]));
		append(b, buckets, bucket);
	}
	return buckets;
}

static json_t *histogram_object(struct builder *b, const struct tt_histogram *h)
{
	static const struct {
		const char *key;
		double pct;
	} percentiles[] = { { "p50_ns", 50 }, { "p90_ns", 90 }, { "p99_ns", 99 }, { "p99_9_ns", 99.9 } };
	json_t *object = json_object();

	set(b, object, "name", tt_json_text(h->name));
	set(b, object, "title", tt_json_text(h->title));
	set(b, object, "partial", json_boolean(h->partial));
	set(b, object, "count", u64_of(h->hist.nr_total));
	set(b, object, "sum_ns", u64_of(h->hist.sum_ns));
	for (unsigned i = 0; i < sizeof(percentiles) / sizeof(percentiles[0]); i++)
		set(b, object, percentiles[i].key,
		    h->hist.nr_total ? u64_of(tt_hist_percentile_ns(&h->hist, percentiles[i].pct))
				     : json_null());
	set(b, object, "max_ns", u64_of(h->hist.max_ns));
	set(b, object, "clamped", u64_of(h->hist.nr_clamped));
	set(b, object, "buckets_ns", bucket_array(b, &h->hist));
	return object;
}

static json_t *section_object(struct builder *b, const struct tt_section *s)
{
	json_t *section = json_object(), *histograms = json_array(), *notes = json_array();

	set(b, section, "title", tt_json_text(s->title));
	set_tables(b, section, s);
	for (unsigned i = 0; i < s->nr_histograms; i++)
		append(b, histograms, histogram_object(b, &s->histograms[i]));
	set(b, section, "histograms", histograms);
	for (unsigned i = 0; i < s->nr_notes; i++)
		append(b, notes, tt_json_text(s->notes[i].text));
	set(b, section, "notes", notes);
	return section;
}

static json_t *report_object(struct builder *b, const struct tt_report *report,
			     const struct tt_report_head *head)
{
	json_t *root = json_object(), *sections = json_object();

	set(b, root, "timethief_json", json_integer(JSON_SCHEMA_VERSION));
	set(b, root, "host", host_object(b, head->info));
	set(b, root, "session", session_object(b, head));
	set(b, root, "source", source_object(b, head->info));
	set(b, root, "interval", interval_object(b, head));
	set(b, root, "nr_events", u64_of(head->nr_events));
	set(b, root, "loss", loss_object(b, head->nr_lost));
	set(b, root, "verified", check_array(b, report));
	set(b, root, "findings", finding_array(b, report));
	for (unsigned i = 0; i < report->nr_sections; i++)
		set(b, sections, report->sections[i].name, section_object(b, &report->sections[i]));
	set(b, root, "sections", sections);
	return root;
}

int tt_render_json(FILE *out, const struct tt_report *report, const struct tt_report_head *head, bool pretty)
{
	size_t flags = JSON_REAL_PRECISION(REAL_DIGITS) | (pretty ? JSON_INDENT(2) : JSON_COMPACT);
	struct builder b = { .failed = report->failed };
	json_t *root;
	int err = 0;

	if (report->failed)
		return -ENOMEM;
	root = report_object(&b, report, head);
	if (b.failed)
		err = -ENOMEM;
	else if (json_dumpf(root, out, flags) || fputc('\n', out) == EOF)
		err = -EIO;
	json_decref(root);
	return err;
}

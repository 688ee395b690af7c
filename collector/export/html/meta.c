/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <jansson.h>

#include "collector/aggregate/view.h"
#include "collector/export/html/baseline.h"
#include "collector/export/html/page.h"
#include "collector/render/json_text.h"
#include "collector/render/words.h"

enum { DATA_VERSION = 1 }; /* of FORMAT.md */

/* Nothing is appended to what found no memory, and nothing that found none. */
static void append(json_t **array, json_t *value)
{
	if (!*array) {
		json_decref(value);
	} else if (json_array_append_new(*array, value)) {
		json_decref(*array);
		*array = NULL;
	}
}

static json_t *number(uint64_t value)
{
	return json_integer(value <= INT64_MAX ? (json_int_t)value : INT64_MAX);
}

/* ns of the page's time; what lies before it is 0. */
static json_t *page_time(const struct tt_page *page, uint64_t ts_ns)
{
	return number(ts_ns > page->origin_ts_ns ? ts_ns - page->origin_ts_ns : 0);
}

static json_t *time_object(const struct tt_page *page, const struct tt_interval *interval)
{
	uint64_t start_ts_ns = page->ctx.info->start_ts_ns;

	return json_pack("{so so so so si so so si}", "since_start_ns",
			 number(page->origin_ts_ns > start_ts_ns ? page->origin_ts_ns - start_ts_ns : 0),
			 "from_ns", page_time(page, interval->from_ts_ns), "to_ns",
			 page_time(page, interval->to_ts_ns), "bin_ns",
			 number(tt_page_timeline_width_ns(page->timeline)), "nr_bins",
			 (int)tt_page_timeline_nr(page->timeline), "slot_ns",
			 number(tt_page_cells_width_ns(page->cells)), "whole_ns",
			 number(interval->to_ts_ns - interval->from_ts_ns), "phase_seconds",
			 (int)tt_page_phase_seconds(tt_page_timeline_phase(page->timeline)));
}

static json_t *loss_array(const struct tt_page *page)
{
	json_t *losses = json_array();

	for (unsigned i = 0; i < page->nr_losses; i++) {
		const struct tt_page_loss *l = &page->losses[i];

		append(&losses, json_pack("{ss ss so so so so}", "what", tt_loss_key(l->what), "words",
					  tt_loss_words(l->what), "cpu",
					  l->cpu == TT_CPU_NONE ? json_null() : number(l->cpu), "since_ns",
					  page_time(page, l->since_ts_ns), "to_ns", page_time(page, l->ts_ns),
					  "count", number(l->count)));
	}
	return losses;
}

/* What the head says that was lost, in words. */
static json_t *lost_array(const uint64_t nr_lost[TT_LOSS_NR])
{
	json_t *lost = json_array();

	for (unsigned what = 1; what < TT_LOSS_NR; what++) {
		if (nr_lost[what])
			append(&lost, json_pack("{ss ss so}", "what", tt_loss_key(what), "words",
						tt_loss_words(what), "count", number(nr_lost[what])));
	}
	return lost;
}

static json_t *column_array(const struct tt_table *t)
{
	static const char *const units[] = {
		[TT_UNIT_TEXT] = "text",  [TT_UNIT_COUNT] = "count", [TT_UNIT_NS] = "ns",
		[TT_UNIT_MS] = "ms",	  [TT_UNIT_PCT] = "pct",     [TT_UNIT_NUMBER] = "number",
		[TT_UNIT_BYTES] = "bytes"
	};
	json_t *columns = json_array();

	for (unsigned i = 0; i < t->nr_columns; i++) {
		const struct tt_column *c = &t->columns[i];

		append(&columns,
		       json_pack("{ss ss ss sb si}", "key", c->key, "label", c->label, "unit", units[c->unit],
				 "detail", c->json_only, "decimals", c->decimals ? c->decimals : 2));
	}
	return columns;
}

/* How the report's tables are shown: what its JSON does not tell. */
static json_t *table_array(const struct tt_report *report)
{
	json_t *tables = json_array();

	for (unsigned i = 0; i < report->nr_sections; i++) {
		const struct tt_section *s = &report->sections[i];

		for (unsigned j = 0; j < s->nr_tables; j++)
			append(&tables,
			       json_pack("{ss ss so so}", "section", s->name, "name", s->tables[j].name,
					 "title", tt_json_text(s->tables[j].title), "columns",
					 column_array(&s->tables[j])));
	}
	return tables;
}

static json_t *cause_array(unsigned causes)
{
	json_t *names = json_array();

	for (unsigned cause = 0; cause < TT_CAUSE_NR; cause++) {
		if (causes >> cause & 1)
			append(&names, json_string(tt_cause_name((enum tt_cause)cause)));
	}
	return names;
}

static json_t *baseline_object(const struct tt_export_baseline *b)
{
	char start[48];

	if (!b)
		return json_null();
	return json_pack("{so so so so ss so so}", "file", tt_json_text(b->file), "hostname",
			 tt_json_text(b->info.hostname), "kernel_release",
			 tt_json_text(b->info.kernel_release), "command", tt_json_text(b->info.command),
			 "start", tt_format_iso_time(start, sizeof(start), &b->info, b->interval.from_ts_ns),
			 "dur_ns", number(b->interval.to_ts_ns - b->interval.from_ts_ns), "lost",
			 lost_array(b->nr_lost));
}

/* What found no room of its own. */
static json_t *merged_object(const struct tt_page *page, const struct tt_page_profile *profile)
{
	return json_pack("{so so so so so so so}", "stacks", number(profile->nr_merged), "pairs",
			 number(tt_page_pairs_nr_merged(page->pairs)), "tasks",
			 number(tt_page_parties_nr_folded(page->parties)), "moves",
			 number(tt_page_parties_nr_moves_merged(page->parties)), "devices",
			 number(page->devices.nr_merged), "rows",
			 number(tt_page_timeline_nr_refused(page->timeline)), "losses",
			 number(page->nr_losses_left_out));
}

char *tt_page_meta(const struct tt_page *page, const struct tt_export_end *end,
		   const struct tt_page_profile *profile)
{
	json_t *meta =
		json_pack("{si so so so so so so so so so sb sb}", "version", DATA_VERSION, "time",
			  time_object(page, &end->interval), "causes", cause_array(page->ctx.causes),
			  "events",
			  json_pack("{so so sb}", "nr", number(tt_page_events_nr(page->events)), "max",
				    number(TT_PAGE_EVENTS_MAX), "all", tt_page_events_are_all(page->events)),
			  "lost", lost_array(end->nr_lost), "losses", loss_array(page), "tables",
			  table_array(end->report), "merged", merged_object(page, profile), "baseline",
			  baseline_object(page->ctx.baseline), "stacked_device",
			  tt_json_text(end->stacked_device), "has_stacks", page->has_stacks, "has_task_filter",
			  tt_view_has_task_filter(page->ctx.view));
	char *text = meta ? json_dumps(meta, JSON_COMPACT) : NULL;

	json_decref(meta);
	return text;
}

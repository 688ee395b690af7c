/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The whole page: made sessions through the exporter, its data read back, and compared with the report. */
#include <ctype.h>

#include "collector/aggregate/coarse.h"
#include "collector/export/html/baseline.h"
#include "collector/export/html/page.h"
#include "replay.h"
#include "unpack.h"

/* In the place of the built one, which need not be there. */
bool tt_page_template(struct tt_page_part *ret_head, struct tt_page_part *ret_tail)
{
	*ret_head = (struct tt_page_part){ "<head>", 6 };
	*ret_tail = (struct tt_page_part){ "</tail>", 7 };
	return true;
}

static const struct tt_exporter *const html = &tt_exporter_html;

struct page {
	struct replay r;
	void *state;
	struct tt_export_baseline *baseline;
	unsigned causes;
	struct unpacked u;
	json_t *meta, *report;
};

static void take_hit(void *ctx, const struct tt_hit *hit)
{
	struct page *page = ctx; /* the replay is its first member */

	cr_assert(eq(int, html->hit(page->state, hit), 0));
}

static int take_event(void *ctx, const struct tt_event *ev)
{
	struct page *page = ctx;

	cr_assert(eq(int, html->event(page->state, ev), 0));
	return replay_hits(&page->r, ev);
}

static json_t *json_column(const struct unpacked *u, const char *column)
{
	json_t *value = json_loads(column_text(u, column, 0), JSON_REJECT_DUPLICATES, NULL);

	cr_assert(value != NULL, "%s", column);
	return value;
}

static void finish(struct page *page)
{
	struct tt_report_head head = { .info = &made_info,
				       .nr_lost = tt_pipeline_nr_lost(page->r.p),
				       .file = "made.tt" };
	struct tt_export_end end = { .interval = page->r.interval,
				     .nr_lost = head.nr_lost,
				     .report = &page->r.report,
				     .head = &head };

	head.from_ts_ns = end.interval.from_ts_ns;
	head.to_ts_ns = end.interval.to_ts_ns;
	tt_report_init(&page->r.report);
	cr_assert(eq(int, tt_pipeline_report(page->r.p, &page->r.interval, &page->r.report), 0));
	end.stacked_device = tt_hits_stacked_device(page->r.hits);
	cr_assert(eq(int, html->finish(page->state, &end), 0));
}

static void unpack_page(struct page *page)
{
	char *text = replay_text(&page->r);
	size_t len = strlen(text);

	cr_assert(eq(int, strncmp(text, "<head>", 6), 0));
	cr_assert(eq(str, text + len - 7, "</tail>"));
	unpack(text + 6, len - 13, &page->u);
	page->meta = json_column(&page->u, "meta");
	page->report = json_column(&page->u, "report");
}

/* Set view, causes and baseline before. */
static void make_page(struct page *page, uint64_t seed)
{
	struct tt_export_context ctx = {
		.file = "made.tt", .info = &made_info, .view = &page->r.view, .baseline = page->baseline
	};

	ctx.causes = page->causes ? page->causes : TT_CAUSES_ALL;
	replay_open(&page->r, TT_SECTIONS_EVERY, take_event, ctx.causes, take_hit);
	ctx.world = tt_pipeline_world(page->r.p);
	ctx.stacks = page->r.stacks;
	ctx.out = &page->r.out;
	cr_assert(eq(int, html->open(&ctx, &page->state), 0));
	replay_run(&page->r, seed);
	finish(page);
	unpack_page(page);
}

static void close_page(struct page *page)
{
	html->close(page->state);
	html->close(NULL);
	json_decref(page->meta);
	json_decref(page->report);
	unpack_free(&page->u);
	tt_report_free(&page->r.report);
	replay_close(&page->r);
	tt_baseline_close(page->baseline);
}

/* --- looking at it --- */

static json_t *rows_of(const struct page *page, const char *section, const char *table)
{
	json_t *sections = json_object_get(page->report, "sections");
	json_t *rows = json_object_get(json_object_get(json_object_get(sections, section), "tables"), table);

	cr_assert(rows != NULL, "no %s in %s", table, section);
	return rows;
}

/* Of the first row, "all" where there is one. */
static uint64_t first_number(const struct page *page, const char *section, const char *table, const char *key)
{
	json_t *value = json_object_get(json_array_get(rows_of(page, section, table), 0), key);

	cr_assert(value && json_is_integer(value), "no %s in %s of %s", key, table, section);
	return (uint64_t)json_integer_value(value);
}

struct sum {
	uint64_t ns, nr;
};

/* Of the rows of a family whose place / divisor % modulus is rest. */
static struct sum sum_of_cells(const struct page *page, enum tt_page_family family, uint32_t divisor,
			       uint32_t modulus, uint32_t rest)
{
	uint64_t *rows = column_numbers(&page->u, "cells.row"),
		 *counts = column_numbers(&page->u, "cells.count");
	uint64_t *ns = column_numbers(&page->u, "cells.ns"), *nr = column_numbers(&page->u, "cells.nr");
	struct sum sum = { 0, 0 };
	size_t at = 0;

	for (size_t row = 0; row < column_count(&page->u, "cells.row"); row++) {
		uint64_t place = rows[row] & ((1u << TT_PAGE_FAMILY_SHIFT) - 1);
		bool is_meant =
			rows[row] >> TT_PAGE_FAMILY_SHIFT == family && place / divisor % modulus == rest;

		for (uint64_t i = 0; i < counts[row]; i++, at++) {
			sum.ns += is_meant ? ns[at] : 0;
			sum.nr += is_meant ? nr[at] : 0;
		}
	}
	cr_assert(eq(sz, at, column_count(&page->u, "cells.ns")));
	free(rows);
	free(counts);
	free(ns);
	free(nr);
	return sum;
}

static struct sum cpu_sum(const struct page *page, enum tt_page_cpu_sum sum)
{
	return sum_of_cells(page, TT_PAGE_FAMILY_CPU, 1, TT_PAGE_CPU_SUMS, sum);
}

static uint64_t heat_count(const struct page *page, unsigned map)
{
	return sum_of_cells(page, TT_PAGE_FAMILY_HEAT, TT_COARSE_NR_BUCKETS, UINT32_MAX, map).nr;
}

/* --- tests --- */

static void expect_sums_of_the_report(const struct page *page)
{
	uint64_t stolen_ns = first_number(page, "steal", "cpus", "stolen_ns");
	uint64_t wait_ns = first_number(page, "runq", "cpus", "wait_sum_ns");
	uint64_t nr_waits = first_number(page, "runq", "cpus", "waits"),
		 nr_gaps = first_number(page, "steal", "cpus", "gaps");

	cr_expect(eq(u64, cpu_sum(page, TT_PAGE_CPU_STOLEN).ns, stolen_ns));
	cr_expect(eq(u64, cpu_sum(page, TT_PAGE_CPU_STOLEN).nr, nr_gaps));
	cr_expect(eq(u64,
		     cpu_sum(page, TT_PAGE_CPU_WOKEN).ns + cpu_sum(page, TT_PAGE_CPU_PREEMPTED).ns +
			     cpu_sum(page, TT_PAGE_CPU_SHED_WAIT).ns,
		     wait_ns));
	cr_expect(eq(u64, cpu_sum(page, TT_PAGE_CPU_WOKEN).nr + cpu_sum(page, TT_PAGE_CPU_PREEMPTED).nr,
		     nr_waits));
	cr_expect(eq(u64, heat_count(page, TT_PAGE_HEAT_RUNQ), nr_waits));
	cr_expect(eq(u64, heat_count(page, TT_PAGE_HEAT_STEAL), nr_gaps));
}

static void expect_hits(const struct page *page)
{
	uint64_t *causes = column_numbers(&page->u, "entry.cause"),
		 *ns = column_numbers(&page->u, "entry.ns");
	uint64_t by_cause[TT_CAUSE_NR] = { 0 }, all_ns = 0;

	for (size_t i = 0; i < column_count(&page->u, "entry.ns"); i++)
		by_cause[causes[i]] += ns[i];
	for (unsigned cause = 0; cause < TT_CAUSE_NR; cause++) {
		uint64_t sum_ns = tt_hits_sum_ns(page->r.hits, (enum tt_cause)cause);

		cr_expect(eq(u64, by_cause[cause], sum_ns), "entries");
		cr_expect(eq(u64, sum_of_cells(page, TT_PAGE_FAMILY_TASK, 1, TT_CAUSE_NR, cause).ns, sum_ns),
			  "tasks");
		all_ns += sum_ns;
	}
	cr_expect(eq(u64, sum_of_cells(page, TT_PAGE_FAMILY_STACK, 1, 1, 0).ns, all_ns));
	free(causes);
	free(ns);
}

/* The matrix of the section chord, whose total is the report's. */
static void expect_pairs(const struct page *page)
{
	uint64_t *relations = column_numbers(&page->u, "pair.relation"), occupants_ns = 0;

	for (size_t i = 0; i < column_count(&page->u, "pair.relation"); i++) {
		if (relations[i] == TT_RELATION_OCCUPANT)
			occupants_ns +=
				sum_of_cells(page, TT_PAGE_FAMILY_PAIR, 1, UINT32_MAX, (uint32_t)i).ns;
	}
	free(relations);
	cr_expect(eq(u64, occupants_ns,
		     cpu_sum(page, TT_PAGE_CPU_WOKEN).ns + cpu_sum(page, TT_PAGE_CPU_PREEMPTED).ns));
}

/* Numbers that name something are places of what is there. */
static void expect_places(const struct page *page, const char *column, const char *of, uint64_t added)
{
	uint64_t *numbers = column_numbers(&page->u, column), nr = column_count(&page->u, of);

	for (size_t i = 0; i < column_count(&page->u, column); i++)
		cr_expect(lt(u64, numbers[i], nr + added), "%s", column);
	free(numbers);
}

static void expect_all_places(const struct page *page)
{
	expect_places(page, "pair.from", "party.name", 0);
	expect_places(page, "pair.to", "party.name", 0);
	expect_places(page, "party.cgroup", "cgroup.name", 1);
	expect_places(page, "entry.cgroup", "cgroup.name", 1);
	expect_places(page, "entry.node", "node.parent", 1);
	expect_places(page, "node.name", "name", 0);
	expect_places(page, "switch.party", "party.name", 0);
	expect_places(page, "gap.party", "party.name", 0);
	expect_places(page, "request.party", "party.name", 0);
	expect_places(page, "request.device", "device.name", 0);
	expect_places(page, "worst.party", "party.name", 0);
}

Test(html, sums_are_the_reports)
{
	for (uint64_t seed = 0; seed < 3; seed++) {
		struct page page = { 0 };

		make_page(&page, seed);
		expect_sums_of_the_report(&page);
		expect_hits(&page);
		expect_pairs(&page);
		expect_all_places(&page);
		cr_expect(eq(u64, column_sum(&page.u, "clamped"), 0));
		close_page(&page);
	}
}

Test(html, filters_are_those_of_the_report)
{
	static const unsigned long second_cpu[TT_CPU_BITS / (8 * sizeof(long))] = { 2 };

	for (uint64_t seed = 1; seed < 2; seed++) {
		struct page task = { .r.view.pid = 105 },
			    cpu = { .r.view = { .cpu_mask = second_cpu, .nr_cpu_bits = TT_CPU_BITS } };

		make_page(&task, seed);
		expect_sums_of_the_report(&task);
		expect_hits(&task);
		close_page(&task);
		make_page(&cpu, seed);
		expect_sums_of_the_report(&cpu);
		expect_hits(&cpu);
		cr_expect(eq(sz, column_count(&cpu.u, "cpu.id"), 1));
		cr_expect(eq(u64, column_sum(&cpu.u, "cpu.id"), 1));
		close_page(&cpu);
	}
}

Test(html, causes_that_nobody_asked_for_are_not_there)
{
	struct page page = { .causes = 1u << TT_CAUSE_DISK };

	make_page(&page, 0);
	expect_hits(&page);
	cr_expect(eq(sz, json_array_size(json_object_get(page.meta, "causes")), 1));
	close_page(&page);
}

/* Each ns of a CPU's window is a task's, idle, or not known; what is stolen lies in it. */
Test(html, the_timeline_covers_the_windows)
{
	for (uint64_t seed = 0; seed < 2; seed++) {
		struct page page = { 0 };
		uint64_t windows_ns, on_cpu_ns;

		make_page(&page, seed);
		windows_ns = column_sum(&page.u, "window.end") - column_sum(&page.u, "window.begin");
		on_cpu_ns = column_sum(&page.u, "time.task") + column_sum(&page.u, "time.idle");
		cr_expect(le(u64, on_cpu_ns, windows_ns));
		cr_expect(gt(u64, on_cpu_ns, windows_ns / 3));
		cr_expect(le(u64, column_sum(&page.u, "time.stolen"), column_sum(&page.u, "time.task")));
		cr_expect(
			eq(sz, column_count(&page.u, "time.task"),
			   column_count(&page.u, "cpu.id") *
				   (size_t)json_integer_value(
					   json_object_get(json_object_get(page.meta, "time"), "nr_bins"))));
		cr_expect(gt(u64, column_sum(&page.u, "time.requests"), 0));
		close_page(&page);
	}
}

Test(html, single_events_are_there_and_in_order)
{
	struct page page = { 0 };
	uint64_t *cpus, *times, *waits, *flags;
	size_t nr;

	make_page(&page, 0);
	cpus = column_numbers(&page.u, "switch.cpu");
	times = column_numbers(&page.u, "switch.ts");
	waits = column_numbers(&page.u, "switch.wait");
	flags = column_numbers(&page.u, "switch.flags");
	nr = column_count(&page.u, "switch.ts");
	cr_assert(gt(sz, nr, 10));
	for (size_t i = 1; i < nr; i++)
		cr_expect(cpus[i - 1] < cpus[i] || (cpus[i - 1] == cpus[i] && times[i - 1] <= times[i]));
	cr_expect(eq(u64, flags[0], TT_PAGE_SWITCH_BEGINS));
	cr_expect(eq(u64, flags[nr - 1], TT_PAGE_SWITCH_ENDS));
	cr_expect(eq(u64, column_sum(&page.u, "switch.wait"),
		     cpu_sum(&page, TT_PAGE_CPU_WOKEN).ns + cpu_sum(&page, TT_PAGE_CPU_PREEMPTED).ns));
	cr_expect(eq(u64, column_sum(&page.u, "gap.ns"),
		     cpu_sum(&page, TT_PAGE_CPU_STOLEN).ns - cpu_sum(&page, TT_PAGE_CPU_SHED_STEAL).ns));
	cr_expect(eq(ptr, json_object_get(json_object_get(page.meta, "events"), "all"), json_true()));
	free(cpus);
	free(times);
	free(waits);
	free(flags);
	close_page(&page);
}

/* Every text is printable UTF-8; what a name says is not lost. */
Test(html, hostile_names_are_text)
{
	static const char *const columns[] = { "party.name", "device.name", "cgroup.name", "cgroup.path",
					       "name",	     "entry.task",  "report",	   "meta" };
	bool has_script = false;
	struct page page = { 0 };

	make_page(&page, 0);
	for (unsigned c = 0; c < sizeof(columns) / sizeof(columns[0]); c++) {
		for (size_t i = 0; i < column_count(&page.u, columns[c]); i++) {
			const char *text = column_text(&page.u, columns[c], i);
			json_t *string = json_string(text);

			cr_expect(string != NULL, "%s: no UTF-8", columns[c]);
			json_decref(string);
			for (; *text; text++)
				cr_expect(eq(int, iscntrl((unsigned char)*text) && strcmp(text, "\n"), 0),
					  "%s", columns[c]);
		}
	}
	for (size_t i = 0; i < column_count(&page.u, "name"); i++)
		has_script |= !strcmp(column_text(&page.u, "name", i), "<script>alert(1)</script>");
	cr_expect(has_script, "as it is: the page shows text");
	cr_expect(eq(ptr, strstr(page.r.text, "<script"), NULL), "but not in the file");
	close_page(&page);
}

Test(html, the_page_is_told_what_was_lost_and_merged)
{
	struct page page = { 0 };
	json_t *lost, *losses;

	make_page(&page, 0);
	lost = json_object_get(page.meta, "lost");
	losses = json_object_get(page.meta, "losses");
	cr_assert(eq(sz, json_array_size(lost), 1));
	cr_expect(eq(str, (char *)json_string_value(json_object_get(json_array_get(lost, 0), "what")),
		     "switches"));
	cr_expect(eq(int, (int)json_integer_value(json_object_get(json_array_get(lost, 0), "count")), 3));
	cr_assert(ge(sz, json_array_size(losses), 1));
	cr_expect(eq(int, (int)json_integer_value(json_object_get(json_array_get(losses, 0), "cpu")), 1));
	cr_expect(eq(str, (char *)json_string_value(json_object_get(page.meta, "stacked_device")), "dm-0"));
	cr_expect(eq(ptr, json_object_get(page.meta, "has_stacks"), json_true()));
	close_page(&page);
}

/* --- a baseline --- */

static struct tt_export_baseline *reading;

static void take_baseline_hit(void *ctx, const struct tt_hit *hit)
{
	(void)ctx;
	tt_baseline_hit(reading, hit);
}

static struct tt_export_baseline *read_baseline(uint64_t seed, uint64_t *ret_sum_ns)
{
	struct replay r = { 0 };

	cr_assert(eq(int, tt_baseline_open("base\x1b.tt", &reading), 0));
	replay_open(&r, TT_SECTIONS_NONE, NULL, TT_CAUSES_ALL, take_baseline_hit);
	replay_run(&r, seed);
	cr_assert(eq(int,
		     tt_baseline_finish(reading, &made_info, r.stacks, &r.interval, tt_pipeline_nr_lost(r.p)),
		     0));
	*ret_sum_ns = 0;
	for (unsigned cause = 0; cause < TT_CAUSE_NR; cause++)
		*ret_sum_ns += tt_hits_sum_ns(r.hits, (enum tt_cause)cause);
	replay_close(&r);
	return reading;
}

/* What it says outlives the session that it came from. */
Test(html, a_baseline_is_there_beside)
{
	struct page page = { 0 };
	json_t *baseline;
	uint64_t sum_ns;

	page.baseline = read_baseline(3, &sum_ns);
	make_page(&page, 2);
	expect_hits(&page);
	cr_expect(eq(u64, column_sum(&page.u, "base.entry.ns"), sum_ns));
	expect_places(&page, "base.entry.node", "base.node.parent", 1);
	expect_places(&page, "base.node.name", "base.name", 0);
	baseline = json_object_get(page.meta, "baseline");
	cr_expect(eq(str, (char *)json_string_value(json_object_get(baseline, "file")), "base\\x1b.tt"));
	cr_expect(eq(str, (char *)json_string_value(json_object_get(baseline, "hostname")), "made"));
	cr_expect(gt(i64, json_integer_value(json_object_get(baseline, "dur_ns")), 0));
	close_page(&page);
}

Test(html, without_a_baseline_there_is_none)
{
	struct page page = { 0 };

	make_page(&page, 1);
	cr_expect(eq(ptr, json_object_get(page.meta, "baseline"), json_null()));
	cr_expect(eq(ptr, json_object_get(page.u.index, "base.name"), NULL));
	close_page(&page);
}

Test(html, this_page_can_be_made)
{
	cr_expect(eq(ptr, (void *)html->lack(), NULL));
}

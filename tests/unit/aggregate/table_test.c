/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/aggregate/table.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static const struct tt_column columns[] = {
	{ .key = "task", .label = "task", .unit = TT_UNIT_TEXT },
	{ .key = "waits", .label = "waits", .unit = TT_UNIT_COUNT },
	{ .key = "stolen_pct", .label = "%stolen", .unit = TT_UNIT_PCT },
};

Test(table, cells_not_set_are_none_and_rows_keep_their_order)
{
	struct tt_report r;
	struct tt_section *s;
	struct tt_table *t;

	tt_report_init(&r);
	s = tt_report_add_section(&r, "runq", "RUNQ");
	t = tt_section_add_table(&r, s, "waiters", NULL, columns, 3);
	for (uint64_t row = 0; row < 1000; row++) {
		char name[16];

		snprintf(name, sizeof(name), "task %llu", (unsigned long long)row);
		tt_table_add_row(&r, t);
		tt_row_text(&r, t, 0, name);
		tt_row_u64(t, 1, row);
	}
	cr_assert_not(r.failed);
	cr_assert_eq(t->nr_rows, 1000);
	for (uint64_t row = 0; row < 1000; row++) {
		cr_assert_eq(t->cells[row * 3 + 1].u64, row);
		cr_assert_eq(t->cells[row * 3 + 2].type, TT_CELL_NONE);
	}
	cr_expect_str_eq(t->cells[999 * 3].text, "task 999");
	tt_report_free(&r);
}

Test(table, a_cell_can_be_set_again)
{
	struct tt_report r;
	struct tt_table *t;

	tt_report_init(&r);
	t = tt_section_add_table(&r, tt_report_add_section(&r, "runq", "RUNQ"), "waiters", NULL, columns, 3);
	tt_row_u64(t, 1, 5); /* no row yet: nothing happens */
	tt_table_add_row(&r, t);
	tt_row_text(&r, t, 0, "first");
	tt_row_text(&r, t, 0, "second");
	tt_row_f64(t, 2, 1.5);
	cr_expect_str_eq(t->cells[0].text, "second");
	cr_expect_eq(t->cells[2].type, TT_CELL_F64);
	tt_report_free(&r);
}

Test(table, texts_are_copied)
{
	struct tt_hist hist = { .nr_total = 3 };
	char text[] = "vda reads";
	struct tt_section *s;
	struct tt_report r;

	tt_report_init(&r);
	s = tt_report_add_section(&r, "disk", "DISK");
	tt_section_add_histogram(&r, s, text, text, &hist, true);
	tt_section_add_note(&r, s, "%d requests were shed", 12);
	strcpy(text, "overwrite");
	hist.nr_total = 0;
	cr_expect_str_eq(s->histograms[0].name, "vda reads");
	cr_expect_eq(s->histograms[0].hist.nr_total, 3);
	cr_expect(s->histograms[0].partial);
	cr_expect_str_eq(s->notes[0].text, "12 requests were shed");
	tt_report_free(&r);
	cr_expect_eq(r.nr_sections, 0, "free leaves an empty report");
}

Test(table, findings_come_worst_first_and_ties_are_broken_by_code_then_text)
{
	static const char *const expected[] = { "worst", "a", "b", "c", "least" };
	struct tt_report r;

	tt_report_init(&r);
	tt_report_add_finding(&r, 1, "runq", "x", "least");
	tt_report_add_finding(&r, 5, "steal", "b", "c");
	tt_report_add_finding(&r, 5, "steal", "a", "b");
	tt_report_add_finding(&r, 5, "steal", "a", "a");
	tt_report_add_finding(&r, 9, "disk", "z", "worst");
	tt_report_sort_findings(&r);
	for (unsigned i = 0; i < 5; i++)
		cr_expect_str_eq(r.findings[i].text, expected[i]);
	tt_report_free(&r);
}

Test(table, after_a_failure_nothing_is_added_and_nothing_crashes)
{
	struct tt_hist hist = { 0 };
	struct tt_report r;
	struct tt_section *s;

	tt_report_init(&r);
	r.failed = true;
	s = tt_report_add_section(&r, "disk", "DISK");
	cr_expect_null(s);
	cr_expect_null(tt_section_add_table(&r, s, "devices", NULL, columns, 3));
	tt_table_add_row(&r, NULL);
	tt_row_text(&r, NULL, 0, "x");
	tt_row_u64(NULL, 1, 1);
	tt_row_f64(NULL, 2, 1);
	tt_section_add_note(&r, s, "x");
	tt_section_add_histogram(&r, s, "x", "x", &hist, false);
	tt_report_add_finding(&r, 1, "disk", "x", "x");
	tt_report_add_check(&r, "disk", true, true, 1, 1, "requests", "x");
	tt_report_sort_findings(&r);
	cr_expect_eq(r.nr_sections + r.nr_findings + r.nr_checks, 0);
	tt_report_free(&r);
}

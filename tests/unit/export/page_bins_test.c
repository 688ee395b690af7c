/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/export/html/bins.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "tests/unit/batches.h"

#define ORIGIN_NS 5000000000ull
#define MS	  1000000ull

static uint64_t sum_of(const struct tt_page_bins *b, int row)
{
	uint64_t sum = 0;

	for (uint32_t bin = 0; bin < tt_page_bins_nr(b); bin++)
		sum += tt_page_bins_get(b, row, bin);
	return sum;
}

static struct tt_page_bins *open_bins(uint32_t nr_cells)
{
	struct tt_page_bins *b = NULL;

	cr_assert(eq(int, tt_page_bins_open(ORIGIN_NS, nr_cells, &b), 0));
	return b;
}

Test(page_bins, a_span_is_in_each_bin_as_long_as_it_is_there)
{
	struct tt_page_bins *b = open_bins(1 << 16);
	int row = tt_page_bins_row(b, false);

	tt_page_bins_span(b, row, ORIGIN_NS + TT_PAGE_BIN_NS / 2, ORIGIN_NS + 3 * TT_PAGE_BIN_NS + 10);
	tt_page_bins_span(b, row, ORIGIN_NS + 5, ORIGIN_NS + 5);
	tt_page_bins_finish(b);
	cr_expect(eq(u32, tt_page_bins_nr(b), 4));
	cr_expect(eq(u64, tt_page_bins_get(b, row, 0), TT_PAGE_BIN_NS - TT_PAGE_BIN_NS / 2));
	cr_expect(eq(u64, tt_page_bins_get(b, row, 1), TT_PAGE_BIN_NS));
	cr_expect(eq(u64, tt_page_bins_get(b, row, 2), TT_PAGE_BIN_NS));
	cr_expect(eq(u64, tt_page_bins_get(b, row, 3), 10));
	tt_page_bins_close(b);
}

Test(page_bins, a_moment_on_the_border_is_in_the_bin_that_ends_there)
{
	struct tt_page_bins *b = open_bins(1 << 16);
	int row = tt_page_bins_row(b, false);

	tt_page_bins_add(b, row, ORIGIN_NS + TT_PAGE_BIN_NS, 3);
	tt_page_bins_add(b, row, ORIGIN_NS + TT_PAGE_BIN_NS + 1, 4);
	tt_page_bins_finish(b);
	cr_expect(eq(u64, tt_page_bins_get(b, row, 0), 3));
	cr_expect(eq(u64, tt_page_bins_get(b, row, 1), 4));
	tt_page_bins_close(b);
}

Test(page_bins, what_lies_before_the_origin_is_cut_off)
{
	struct tt_page_bins *b = open_bins(1 << 16);
	int row = tt_page_bins_row(b, false);

	tt_page_bins_span(b, row, 0, ORIGIN_NS + 7);
	tt_page_bins_span(b, row, 5, 9);
	tt_page_bins_add(b, row, ORIGIN_NS, 100);
	tt_page_bins_spread(b, row, 0, ORIGIN_NS, 100);
	tt_page_bins_finish(b);
	cr_expect(eq(u64, sum_of(b, row), 7));
	tt_page_bins_close(b);
}

Test(page_bins, maxima_stay_maxima_when_bins_merge)
{
	struct tt_page_bins *b = open_bins(1 << 8);
	int row = tt_page_bins_row(b, true);

	tt_page_bins_add(b, row, ORIGIN_NS + 1, 50);
	tt_page_bins_add(b, row, ORIGIN_NS + TT_PAGE_BIN_NS + 1, 60);
	tt_page_bins_add(b, row, ORIGIN_NS + TT_PAGE_BIN_NS + 2, 20);
	tt_page_bins_add(b, row, ORIGIN_NS + 1000000 * MS, 5);
	tt_page_bins_finish(b);
	cr_expect(gt(u64, tt_page_bins_width_ns(b), TT_PAGE_BIN_NS));
	cr_expect(eq(u64, tt_page_bins_get(b, row, 0), 60));
	cr_expect(eq(u64, tt_page_bins_get(b, row, tt_page_bins_nr(b) - 1), 5));
	tt_page_bins_close(b);
}

/* Against a count by hand: whatever comes in whatever order, each ns is in its bin. */
Test(page_bins, merging_loses_nothing)
{
	enum { NR_ROWS = 5, NR = 3000 };
	struct tt_page_bins *b = open_bins(4096);
	uint64_t sums[NR_ROWS] = { 0 }, half[NR_ROWS] = { 0 }, seed = 11, middle_ns;
	struct {
		uint64_t from_ns, to_ns;
		unsigned row;
	} spans[NR];
	int rows[NR_ROWS];

	for (unsigned i = 0; i < NR; i++) {
		unsigned row = i * NR_ROWS / NR; /* rows come late, when bins are there */
		uint64_t from_ns = tb_random(&seed) % (i * 20 * MS + 1),
			 to_ns = from_ns + tb_random(&seed) % (tb_random(&seed) % 8 ? MS : 9000 * MS);

		if (i % (NR / NR_ROWS) == 0)
			rows[row] = tt_page_bins_row(b, false);
		spans[i].from_ns = from_ns, spans[i].to_ns = to_ns, spans[i].row = row;
		tt_page_bins_span(b, rows[row], ORIGIN_NS + from_ns, ORIGIN_NS + to_ns);
		sums[row] += to_ns - from_ns;
	}
	tt_page_bins_finish(b);
	cr_expect(gt(u64, tt_page_bins_width_ns(b), TT_PAGE_BIN_NS), "or nothing was tested");
	middle_ns = tt_page_bins_nr(b) / 2 * tt_page_bins_width_ns(b);
	for (unsigned i = 0; i < NR; i++) {
		uint64_t to_ns = spans[i].to_ns < middle_ns ? spans[i].to_ns : middle_ns;

		half[spans[i].row] += to_ns > spans[i].from_ns ? to_ns - spans[i].from_ns : 0;
	}
	for (unsigned row = 0; row < NR_ROWS; row++) {
		uint64_t first_half = 0;

		cr_expect(eq(u64, sum_of(b, rows[row]), sums[row]));
		for (uint32_t bin = 0; bin < tt_page_bins_nr(b) / 2; bin++)
			first_half += tt_page_bins_get(b, rows[row], bin);
		cr_expect(eq(u64, first_half, half[row]));
	}
	tt_page_bins_close(b);
}

Test(page_bins, what_is_spread_adds_up)
{
	struct tt_page_bins *b = open_bins(1 << 16);
	int row = tt_page_bins_row(b, false);

	tt_page_bins_spread(b, row, ORIGIN_NS + 100, ORIGIN_NS + 100 + 10 * TT_PAGE_BIN_NS, 1000003);
	tt_page_bins_spread(b, row, ORIGIN_NS + 300, ORIGIN_NS + 300, 5);
	tt_page_bins_finish(b);
	cr_expect(eq(u64, sum_of(b, row), 1000008));
	cr_expect(le(u64, tt_page_bins_get(b, row, 5), 100001));
	cr_expect(ge(u64, tt_page_bins_get(b, row, 5), 99999));
	tt_page_bins_close(b);
}

Test(page_bins, rows_without_room_are_refused_and_counted)
{
	struct tt_page_bins *b = open_bins(64);
	int row = 0;

	for (unsigned i = 0; i < 40; i++)
		row = tt_page_bins_row(b, i % 2);
	cr_expect(eq(int, row, TT_PAGE_ROW_NONE));
	cr_expect(eq(u64, tt_page_bins_nr_refused(b), 8));
	tt_page_bins_span(b, row, ORIGIN_NS, ORIGIN_NS + 10);
	tt_page_bins_add(b, row, ORIGIN_NS + 1, 10);
	tt_page_bins_spread(b, row, ORIGIN_NS, ORIGIN_NS + 10, 10);
	tt_page_bins_add(b, 0, ORIGIN_NS + 3600ull * 1000 * MS, 10);
	tt_page_bins_finish(b);
	cr_expect(eq(u64, tt_page_bins_get(b, row, 0), 0));
	cr_expect(eq(u64, sum_of(b, 0), 10));
	tt_page_bins_close(b);
}

/* A session's times are what its bytes say. */
Test(page_bins, absurd_times_end)
{
	struct tt_page_bins *b = open_bins(1 << 12);
	int row = tt_page_bins_row(b, false);

	tt_page_bins_span(b, row, 0, UINT64_MAX);
	tt_page_bins_add(b, row, UINT64_MAX, 1);
	tt_page_bins_spread(b, row, 1, UINT64_MAX, 9);
	tt_page_bins_finish(b);
	cr_expect(eq(u64, sum_of(b, row), UINT64_MAX - ORIGIN_NS + 10));
	tt_page_bins_close(b);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The small parts of the page's data: cells, phase, worst, devices. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "collector/export/html/bins.h"
#include "collector/export/html/cells.h"
#include "collector/export/html/devices.h"
#include "collector/export/html/phase.h"
#include "collector/export/html/worst.h"
#include "tests/unit/batches.h"

#define ORIGIN_NS 5000000000ull
#define SECOND_NS 1000000000ull

/* --- cells --- */

static struct tt_page_cells *open_cells(uint32_t nr_max)
{
	struct tt_page_cells *c = NULL;

	cr_assert(eq(int, tt_page_cells_open(ORIGIN_NS, nr_max, &c), 0));
	return c;
}

static struct tt_page_cell row_sum(const struct tt_page_cells *c, uint32_t row)
{
	struct tt_page_cell sum = { .row = row };

	for (uint32_t i = 0; i < tt_page_cells_nr(c); i++) {
		const struct tt_page_cell *cell = tt_page_cells_get(c, i);

		if (cell->row == row) {
			sum.ns += cell->ns;
			sum.nr += cell->nr;
		}
	}
	return sum;
}

Test(page_cells, a_slot_ends_where_the_next_begins)
{
	struct tt_page_cells *c = open_cells(64);

	tt_page_cells_add(c, 9, ORIGIN_NS + TT_PAGE_BIN_NS, 5, 1);
	tt_page_cells_add(c, 9, ORIGIN_NS + TT_PAGE_BIN_NS + 1, 6, 1);
	tt_page_cells_add(c, 9, ORIGIN_NS + 1, 7, 1);
	tt_page_cells_add(c, 3, 0, 8, 0); /* before origin is in the first one */
	tt_page_cells_finish(c);
	cr_assert(eq(u32, tt_page_cells_nr(c), 3));
	cr_expect(eq(u32, tt_page_cells_get(c, 0)->row, 3));
	cr_expect(eq(u64, tt_page_cells_get(c, 1)->ns, 12));
	cr_expect(eq(u64, tt_page_cells_get(c, 1)->nr, 2));
	cr_expect(eq(u32, tt_page_cells_get(c, 2)->slot, 1));
	tt_page_cells_close(c);
}

Test(page_cells, sums_stay_exact_at_the_bound)
{
	enum { NR_ROWS = 40, NR_MAX = 256 };
	uint64_t seed = 5, ns[NR_ROWS] = { 0 }, nr[NR_ROWS] = { 0 };
	struct tt_page_cells *c = open_cells(NR_MAX);

	for (unsigned i = 0; i < 20000; i++) {
		uint32_t row = (uint32_t)(tb_random(&seed) % NR_ROWS);
		uint64_t amount = tb_random(&seed) % 1000;

		tt_page_cells_add(c, tt_page_row(TT_PAGE_FAMILY_TASK, row),
				  ORIGIN_NS + tb_random(&seed) % (i * 1000000ull + 1), amount, 1);
		ns[row] += amount;
		nr[row]++;
		cr_assert(le(u32, tt_page_cells_nr(c), NR_MAX));
	}
	tt_page_cells_finish(c);
	cr_expect(gt(u64, tt_page_cells_width_ns(c), TT_PAGE_BIN_NS), "or nothing was merged");
	for (uint32_t row = 0; row < NR_ROWS; row++) {
		struct tt_page_cell sum = row_sum(c, tt_page_row(TT_PAGE_FAMILY_TASK, row));

		cr_expect(eq(u64, sum.ns, ns[row]));
		cr_expect(eq(u64, sum.nr, nr[row]));
	}
	for (uint32_t i = 1; i < tt_page_cells_nr(c); i++) {
		const struct tt_page_cell *a = tt_page_cells_get(c, i - 1), *b = tt_page_cells_get(c, i);

		cr_expect(a->row < b->row || (a->row == b->row && a->slot < b->slot),
			  "in order, and each once");
	}
	tt_page_cells_close(c);
}

Test(page_cells, slots_are_few_however_long_it_takes)
{
	struct tt_page_cells *c = open_cells(64);

	tt_page_cells_add(c, 1, ORIGIN_NS + 1, 1, 1);
	tt_page_cells_add(c, 1, ORIGIN_NS + 3600 * SECOND_NS, 1, 1);
	tt_page_cells_add(c, 1, UINT64_MAX, UINT64_MAX, 1);
	tt_page_cells_add(c, 1, UINT64_MAX, UINT64_MAX, 1); /* stops at the largest */
	tt_page_cells_finish(c);
	for (uint32_t i = 0; i < tt_page_cells_nr(c); i++)
		cr_expect(lt(u32, tt_page_cells_get(c, i)->slot, TT_PAGE_SLOTS_MAX));
	cr_expect(eq(u64, row_sum(c, 1).nr, 4));
	cr_expect(eq(u64, tt_page_cells_get(c, tt_page_cells_nr(c) - 1)->ns, UINT64_MAX));
	tt_page_cells_close(c);
}

Test(page_cells, rows_that_move_to_one_place_are_added_up)
{
	static const uint32_t new_places[] = { 2, 0, 2 };
	struct tt_page_cells *c = open_cells(64);

	for (uint32_t place = 0; place < 3; place++)
		tt_page_cells_add(c, tt_page_row(TT_PAGE_FAMILY_STACK, place), ORIGIN_NS + 1, 10 + place, 1);
	tt_page_cells_add(c, tt_page_row(TT_PAGE_FAMILY_CPU, 1), ORIGIN_NS + 1, 99, 1);
	tt_page_cells_move(c, TT_PAGE_FAMILY_STACK, new_places);
	tt_page_cells_finish(c);
	cr_expect(eq(u64, row_sum(c, tt_page_row(TT_PAGE_FAMILY_STACK, 0)).ns, 11));
	cr_expect(eq(u64, row_sum(c, tt_page_row(TT_PAGE_FAMILY_STACK, 2)).ns, 22));
	cr_expect(eq(u64, row_sum(c, tt_page_row(TT_PAGE_FAMILY_CPU, 1)).ns, 99), "of another family");
	cr_expect(eq(u32, tt_page_cells_nr(c), 3));
	tt_page_cells_close(c);
}

/* --- phase --- */

static uint64_t phase_sum(const struct tt_page_phase *p)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < tt_page_phase_nr(p) * TT_PAGE_PHASE_ROWS; i++)
		sum += tt_page_phase_get(p, TT_PAGE_PHASE_STOLEN, i);
	return sum;
}

Test(page_phase, the_same_part_of_each_second_is_in_the_same_row)
{
	const uint64_t row_ns = SECOND_NS / TT_PAGE_PHASE_ROWS;
	struct tt_page_phase *p = NULL;

	cr_assert(eq(int, tt_page_phase_open(ORIGIN_NS, &p), 0));
	for (uint64_t second = 0; second < 3; second++)
		tt_page_phase_span(p, TT_PAGE_PHASE_STOLEN, ORIGIN_NS + second * SECOND_NS + 5 * row_ns,
				   ORIGIN_NS + second * SECOND_NS + 6 * row_ns + 7);
	tt_page_phase_span(p, TT_PAGE_PHASE_STOLEN, 0, ORIGIN_NS + 1);
	cr_expect(eq(u32, tt_page_phase_nr(p), 3));
	for (uint32_t second = 0; second < 3; second++) {
		cr_expect(eq(u64, tt_page_phase_get(p, TT_PAGE_PHASE_STOLEN, second * TT_PAGE_PHASE_ROWS + 5),
			     row_ns));
		cr_expect(eq(u64, tt_page_phase_get(p, TT_PAGE_PHASE_STOLEN, second * TT_PAGE_PHASE_ROWS + 6),
			     7));
	}
	cr_expect(eq(u64, tt_page_phase_get(p, TT_PAGE_PHASE_STOLEN, 0), 1));
	tt_page_phase_close(p);
}

Test(page_phase, long_sessions_share_columns)
{
	struct tt_page_phase *p = NULL;

	cr_assert(eq(int, tt_page_phase_open(ORIGIN_NS, &p), 0));
	for (uint64_t second = 0; second < 10000; second++)
		tt_page_phase_span(p, TT_PAGE_PHASE_STOLEN, ORIGIN_NS + second * SECOND_NS,
				   ORIGIN_NS + second * SECOND_NS + 1000);
	cr_expect(eq(uint, tt_page_phase_seconds(p), 4));
	cr_expect(eq(u32, tt_page_phase_nr(p), 2500));
	cr_expect(eq(u64, phase_sum(p), 10000 * 1000));
	cr_expect(eq(u64, tt_page_phase_get(p, TT_PAGE_PHASE_STOLEN, 0), 4000));
	tt_page_phase_close(p);
}

/* A span as long as a session's bytes like must not be walked through for hours. */
Test(page_phase, absurd_spans_end)
{
	struct tt_page_phase *p = NULL;

	cr_assert(eq(int, tt_page_phase_open(ORIGIN_NS, &p), 0));
	tt_page_phase_span(p, TT_PAGE_PHASE_STOLEN, 0, UINT64_MAX);
	cr_expect(le(u32, tt_page_phase_nr(p), 4096));
	cr_expect(eq(u64, phase_sum(p), UINT64_MAX - ORIGIN_NS));
	tt_page_phase_close(p);
}

/* --- worst --- */

Test(page_worst, the_longest_are_kept_longest_first)
{
	static struct tt_worst w;
	uint64_t seed = 17, above = 0, shortest_kept;
	static uint64_t all[5000];

	for (unsigned i = 0; i < 5000; i++) {
		all[i] = tb_random(&seed) % 100000;
		tt_worst_add(&w, &(struct tt_worst_one){ .ns = all[i], .ts_ns = i });
	}
	tt_worst_sort(&w);
	cr_assert(eq(uint, w.nr, TT_WORST_MAX));
	for (unsigned i = 1; i < w.nr; i++)
		cr_expect(ge(u64, w.heap[i - 1].ns, w.heap[i].ns));
	shortest_kept = w.heap[w.nr - 1].ns;
	for (unsigned i = 0; i < 5000; i++)
		above += all[i] > shortest_kept;
	cr_expect(lt(u64, above, TT_WORST_MAX));
	cr_expect(eq(u64, all[w.heap[0].ts_ns], w.heap[0].ns));
}

/* --- devices --- */

Test(page_devices, those_without_room_are_one_and_counted)
{
	struct tt_page_devices d = { 0 };

	for (uint32_t dev = 1; dev < TT_PAGE_DEVICES_MAX; dev++)
		cr_expect(eq(u32, tt_page_device_of(&d, dev << 20), dev));
	cr_expect(eq(u32, tt_page_device_of(&d, 3u << 20), 3));
	cr_expect(eq(u64, d.nr_merged, 0));
	cr_expect(eq(u32, tt_page_device_of(&d, 99u << 20), TT_PAGE_DEVICE_OTHERS));
	cr_expect(eq(u64, d.nr_merged, 1));
}

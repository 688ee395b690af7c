/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/export/html/bins.h"

#include <errno.h>
#include <stdlib.h>

enum { NR_ROWS_MAX = 16384, NR_BINS_FIRST = 1 << 16 };

struct row {
	bool is_max;
	uint64_t *values;
	/* Of spans, so that a long one costs no more than a short one: what is added to this bin and all later ones. */
	int64_t *steps;
};

struct tt_page_bins {
	uint64_t origin_ts_ns, width_ns;
	uint32_t nr_cells_max, nr_room; /* bins of a row */
	uint32_t nr;
	struct row *rows;
	unsigned nr_rows;
	uint64_t nr_refused;
};

int tt_page_bins_open(uint64_t origin_ts_ns, uint32_t nr_cells_max, struct tt_page_bins **ret_b)
{
	struct tt_page_bins *b = calloc(1, sizeof(*b));

	if (!b)
		return -ENOMEM;
	b->origin_ts_ns = origin_ts_ns;
	b->width_ns = TT_PAGE_BIN_NS;
	b->nr_cells_max = nr_cells_max;
	b->nr_room = NR_BINS_FIRST;
	b->rows = calloc(NR_ROWS_MAX, sizeof(*b->rows));
	if (!b->rows) {
		free(b);
		return -ENOMEM;
	}
	*ret_b = b;
	return 0;
}

void tt_page_bins_close(struct tt_page_bins *b)
{
	if (!b)
		return;
	for (unsigned i = 0; i < b->nr_rows; i++) {
		free(b->rows[i].values);
		free(b->rows[i].steps);
	}
	free(b->rows);
	free(b);
}

/* Steps become values. */
static void settle(struct tt_page_bins *b, struct row *r)
{
	int64_t level = 0;

	if (!r->steps)
		return;
	for (uint32_t i = 0; i < b->nr_room; i++) {
		level += r->steps[i];
		r->values[i] += (uint64_t)level;
		r->steps[i] = 0;
	}
}

static void merge_pairs(struct row *r, uint32_t nr_room)
{
	for (uint32_t i = 0; i < nr_room; i++) {
		uint64_t a = 2 * i < nr_room ? r->values[2 * i] : 0,
			 b = 2 * i + 1 < nr_room ? r->values[2 * i + 1] : 0;

		if (r->is_max)
			r->values[i] = a > b ? a : b;
		else
			r->values[i] = a + b;
	}
}

static void widen(struct tt_page_bins *b)
{
	for (unsigned i = 0; i < b->nr_rows; i++) {
		settle(b, &b->rows[i]);
		merge_pairs(&b->rows[i], b->nr_room);
	}
	b->width_ns *= 2;
	b->nr = (b->nr + 1) / 2;
}

/* Half the bins for each row: the other half is empty by now. */
static void halve_room(struct tt_page_bins *b)
{
	while (b->nr > b->nr_room / 2)
		widen(b);
	for (unsigned i = 0; i < b->nr_rows; i++) {
		struct row *r = &b->rows[i];
		uint64_t *values;
		int64_t *steps = NULL;

		settle(b, r); /* a step may lie just behind the half */
		values = realloc(r->values, b->nr_room / 2 * sizeof(*values));
		if (r->steps)
			steps = realloc(r->steps, b->nr_room / 2 * sizeof(*steps));
		if (values)
			r->values = values;
		if (steps)
			r->steps = steps;
	}
	b->nr_room /= 2;
}

static int add_row(struct tt_page_bins *b, bool is_max)
{
	struct row *r = &b->rows[b->nr_rows];

	if (b->nr_rows == NR_ROWS_MAX || b->nr_rows + 1 > b->nr_cells_max / 2)
		return TT_PAGE_ROW_NONE;
	while ((uint64_t)b->nr_room * (b->nr_rows + 1) > b->nr_cells_max)
		halve_room(b);
	*r = (struct row){ .is_max = is_max, .values = calloc(b->nr_room, sizeof(*r->values)) };
	if (!is_max)
		r->steps = calloc(b->nr_room, sizeof(*r->steps));
	if (!r->values || (!is_max && !r->steps)) {
		free(r->values);
		free(r->steps);
		return TT_PAGE_ROW_NONE;
	}
	return (int)b->nr_rows++;
}

int tt_page_bins_row(struct tt_page_bins *b, bool is_max)
{
	int row = add_row(b, is_max);

	b->nr_refused += row == TT_PAGE_ROW_NONE;
	return row;
}

uint64_t tt_page_bins_nr_refused(const struct tt_page_bins *b)
{
	return b->nr_refused;
}

/* The bin of a moment that is later than origin. Makes room for it. */
static uint32_t bin_of(struct tt_page_bins *b, uint64_t ts_ns)
{
	uint64_t bin;

	while ((bin = (ts_ns - b->origin_ts_ns - 1) / b->width_ns) >= b->nr_room)
		widen(b);
	if (bin >= b->nr)
		b->nr = (uint32_t)bin + 1;
	return (uint32_t)bin;
}

void tt_page_bins_add(struct tt_page_bins *b, int row, uint64_t ts_ns, uint64_t amount)
{
	struct row *r;
	uint32_t bin;

	if (row == TT_PAGE_ROW_NONE || ts_ns <= b->origin_ts_ns)
		return;
	bin = bin_of(b, ts_ns);
	r = &b->rows[row];
	if (!r->is_max)
		r->values[bin] += amount;
	else if (amount > r->values[bin])
		r->values[bin] = amount;
}

void tt_page_bins_span(struct tt_page_bins *b, int row, uint64_t from_ts_ns, uint64_t to_ts_ns)
{
	uint32_t first, last;
	uint64_t from_ns, to_ns;
	struct row *r;

	if (from_ts_ns < b->origin_ts_ns)
		from_ts_ns = b->origin_ts_ns;
	if (row == TT_PAGE_ROW_NONE || from_ts_ns >= to_ts_ns)
		return;
	last = bin_of(b, to_ts_ns);
	from_ns = from_ts_ns - b->origin_ts_ns;
	to_ns = to_ts_ns - b->origin_ts_ns;
	first = (uint32_t)(from_ns / b->width_ns);
	r = &b->rows[row];
	if (first == last) {
		r->values[first] += to_ns - from_ns;
		return;
	}
	r->values[first] += (first + 1) * b->width_ns - from_ns;
	r->values[last] += to_ns - last * b->width_ns;
	r->steps[first + 1] += (int64_t)b->width_ns;
	r->steps[last] -= (int64_t)b->width_ns;
}

void tt_page_bins_spread(struct tt_page_bins *b, int row, uint64_t from_ts_ns, uint64_t to_ts_ns,
			 uint64_t amount)
{
	uint64_t begin_ts_ns = from_ts_ns > b->origin_ts_ns ? from_ts_ns : b->origin_ts_ns, given = 0;
	double per_ns;
	uint32_t last;

	if (row == TT_PAGE_ROW_NONE || to_ts_ns <= b->origin_ts_ns)
		return;
	last = bin_of(b, to_ts_ns);
	per_ns = begin_ts_ns < to_ts_ns ? (double)amount / (double)(to_ts_ns - begin_ts_ns) : 0;
	/* the rest of the division goes to the last bin, so that the sum is right */
	for (uint32_t bin = (uint32_t)((begin_ts_ns - b->origin_ts_ns) / b->width_ns); bin < last; bin++) {
		uint64_t end_ts_ns = b->origin_ts_ns + (bin + 1) * b->width_ns, part;

		part = (uint64_t)((double)(end_ts_ns - begin_ts_ns) * per_ns);
		if (part > amount - given)
			part = amount - given;
		b->rows[row].values[bin] += part;
		given += part;
		begin_ts_ns = end_ts_ns;
	}
	b->rows[row].values[last] += amount - given;
}

void tt_page_bins_finish(struct tt_page_bins *b)
{
	for (unsigned i = 0; i < b->nr_rows; i++)
		settle(b, &b->rows[i]);
}

uint64_t tt_page_bins_width_ns(const struct tt_page_bins *b)
{
	return b->width_ns;
}

uint32_t tt_page_bins_nr(const struct tt_page_bins *b)
{
	return b->nr;
}

uint64_t tt_page_bins_get(const struct tt_page_bins *b, int row, uint32_t bin)
{
	return row == TT_PAGE_ROW_NONE ? 0 : b->rows[row].values[bin];
}

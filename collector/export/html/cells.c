/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/export/html/cells.h"

#include <errno.h>
#include <stdlib.h>

#include "collector/aggregate/index.h"
#include "collector/export/html/bins.h"

struct tt_page_cells {
	uint64_t origin_ts_ns, width_ns;
	struct tt_page_cell *cells;
	uint32_t nr, nr_max;
	struct tt_index by_key; /* row and slot */
};

int tt_page_cells_open(uint64_t origin_ts_ns, uint32_t nr_max, struct tt_page_cells **ret_c)
{
	struct tt_page_cells *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	c->origin_ts_ns = origin_ts_ns;
	c->width_ns = TT_PAGE_BIN_NS;
	c->nr_max = nr_max;
	c->cells = calloc(nr_max, sizeof(*c->cells));
	if (!c->cells || tt_index_open(&c->by_key, nr_max)) {
		tt_page_cells_close(c);
		return -ENOMEM;
	}
	*ret_c = c;
	return 0;
}

void tt_page_cells_close(struct tt_page_cells *c)
{
	if (!c)
		return;
	free(c->cells);
	tt_index_close(&c->by_key);
	free(c);
}

static uint64_t key_of(uint32_t row, uint32_t slot)
{
	return (uint64_t)row << 32 | slot;
}

/* There is room. */
static void add_to_cell(struct tt_page_cells *c, const struct tt_page_cell *more)
{
	uint64_t key = key_of(more->row, more->slot);
	uint32_t i = tt_index_find(&c->by_key, key);

	if (i == TT_INDEX_NONE) {
		i = c->nr++;
		c->cells[i] = (struct tt_page_cell){ .row = more->row, .slot = more->slot };
		tt_index_put(&c->by_key, key, i);
	}
	if (__builtin_add_overflow(c->cells[i].ns, more->ns, &c->cells[i].ns))
		c->cells[i].ns = UINT64_MAX;
	c->cells[i].nr += more->nr;
}

/* All cells again, after their rows or slots have changed: what is written lies at or before what is read. */
static void add_again(struct tt_page_cells *c)
{
	uint32_t nr = c->nr;

	tt_index_clear(&c->by_key);
	c->nr = 0;
	for (uint32_t i = 0; i < nr; i++) {
		struct tt_page_cell cell = c->cells[i];

		add_to_cell(c, &cell);
	}
}

static void widen(struct tt_page_cells *c, unsigned shift)
{
	c->width_ns <<= shift;
	for (uint32_t i = 0; i < c->nr; i++)
		c->cells[i].slot >>= shift;
	add_again(c);
}

static uint64_t slot_of(const struct tt_page_cells *c, uint64_t ts_ns)
{
	return ts_ns > c->origin_ts_ns ? (ts_ns - c->origin_ts_ns - 1) / c->width_ns : 0;
}

void tt_page_cells_add(struct tt_page_cells *c, uint32_t row, uint64_t ts_ns, uint64_t ns, uint64_t nr)
{
	struct tt_page_cell more = { .row = row, .ns = ns, .nr = nr };
	unsigned shift = 0;

	while (slot_of(c, ts_ns) >> shift >= TT_PAGE_SLOTS_MAX)
		shift++;
	if (shift)
		widen(c, shift);
	/* some to spare, or the next one would find it full again */
	while (c->nr == c->nr_max)
		for (unsigned i = 0; i < 32 && c->nr > c->nr_max / 4 * 3; i++)
			widen(c, 1);
	more.slot = (uint32_t)slot_of(c, ts_ns);
	add_to_cell(c, &more);
}

void tt_page_cells_move(struct tt_page_cells *c, enum tt_page_family family, const uint32_t *new_places)
{
	for (uint32_t i = 0; i < c->nr; i++) {
		uint32_t row = c->cells[i].row, place = row & ((1u << TT_PAGE_FAMILY_SHIFT) - 1);

		if (row >> TT_PAGE_FAMILY_SHIFT == family)
			c->cells[i].row = tt_page_row(family, new_places[place]);
	}
	add_again(c);
}

static int compare_cells(const void *a, const void *b)
{
	const struct tt_page_cell *x = a, *y = b;
	uint64_t key_x = key_of(x->row, x->slot), key_y = key_of(y->row, y->slot);

	return key_x < key_y ? -1 : key_x > key_y;
}

void tt_page_cells_finish(struct tt_page_cells *c)
{
	qsort(c->cells, c->nr, sizeof(*c->cells), compare_cells);
}

static bool is_first_of_row(const struct tt_page_cells *c, uint32_t i)
{
	return !i || c->cells[i].row != c->cells[i - 1].row;
}

void tt_page_cells_put(const struct tt_page_cells *c, struct tt_page_pack *pack)
{
	uint32_t count = 0;

	tt_page_pack_column(pack, "cells.row", TT_PAGE_DELTA);
	for (uint32_t i = 0; i < c->nr; i++) {
		if (is_first_of_row(c, i))
			tt_page_pack_number(pack, c->cells[i].row);
	}
	tt_page_pack_column(pack, "cells.count", TT_PAGE_UNSIGNED);
	for (uint32_t i = 0; i < c->nr; i++) {
		count++;
		if (i + 1 < c->nr && !is_first_of_row(c, i + 1))
			continue;
		tt_page_pack_number(pack, count);
		count = 0;
	}
	tt_page_pack_column(pack, "cells.slot", TT_PAGE_UNSIGNED);
	for (uint32_t i = 0; i < c->nr; i++)
		tt_page_pack_number(pack,
				    c->cells[i].slot - (is_first_of_row(c, i) ? 0 : c->cells[i - 1].slot));
	tt_page_pack_column(pack, "cells.ns", TT_PAGE_UNSIGNED);
	for (uint32_t i = 0; i < c->nr; i++)
		tt_page_pack_number(pack, c->cells[i].ns);
	tt_page_pack_column(pack, "cells.nr", TT_PAGE_UNSIGNED);
	for (uint32_t i = 0; i < c->nr; i++)
		tt_page_pack_number(pack, c->cells[i].nr);
}

uint32_t tt_page_cells_nr(const struct tt_page_cells *c)
{
	return c->nr;
}

const struct tt_page_cell *tt_page_cells_get(const struct tt_page_cells *c, uint32_t i)
{
	return &c->cells[i];
}

uint64_t tt_page_cells_width_ns(const struct tt_page_cells *c)
{
	return c->width_ns;
}

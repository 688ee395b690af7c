/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cells - everything that is filtered by time: rows of which little is in each slot of time, so only what is there is kept.
 *
 * A row is a number that its owner gives: a family (TT_PAGE_FAMILY_*), and its place there. A cell holds ns and a count. The slots are a grid
 * as in bins.h, coarser: when there is no room for a cell, or time goes on beyond the last slot, pairs of slots are merged. Sums of a row stay
 * exact, always. A selection of whole slots is exact, too, and equals what report --from --to counts.
 * Bound: nr_max cells, 60 bytes each, touched as they fill; rows must be fewer than half of that.
 */
#pragma once

#include "collector/export/html/pack.h"

enum tt_page_family {
	TT_PAGE_FAMILY_CPU,    /* sums.h: what each CPU did */
	TT_PAGE_FAMILY_DEVICE, /* requests of each device */
	TT_PAGE_FAMILY_HEAT,   /* latencies by bucket */
	TT_PAGE_FAMILY_TASK,   /* each cause, by party */
	TT_PAGE_FAMILY_PAIR,   /* who delays whom */
	TT_PAGE_FAMILY_STACK,
	TT_PAGE_FAMILY_NR,
	TT_PAGE_FAMILY_SHIFT = 26,
};

enum { TT_PAGE_SLOTS_MAX = 4096 };

struct tt_page_cell {
	uint32_t row, slot;
	uint64_t ns, nr;
};

struct tt_page_cells;

int tt_page_cells_open(uint64_t origin_ts_ns, uint32_t nr_max, struct tt_page_cells **ret_c); /* -ENOMEM */
void tt_page_cells_close(struct tt_page_cells *c);

static inline uint32_t tt_page_row(enum tt_page_family family, uint32_t place)
{
	return (uint32_t)family << TT_PAGE_FAMILY_SHIFT | place;
}

void tt_page_cells_add(struct tt_page_cells *c, uint32_t row, uint64_t ts_ns, uint64_t ns, uint64_t nr);
/* Gives the rows of a family other places: place i becomes new_places[i]. */
void tt_page_cells_move(struct tt_page_cells *c, enum tt_page_family family, const uint32_t *new_places);

/* No more is added: the cells lie in the order of rows, those of a row in the order of slots. */
void tt_page_cells_finish(struct tt_page_cells *c);
/* Columns "cells.row" and "cells.count", how many a row has; and of each cell "cells.slot" (of a row's first one, then the
 * difference to the one before) "cells.ns" "cells.nr". */
void tt_page_cells_put(const struct tt_page_cells *c, struct tt_page_pack *pack);
uint32_t tt_page_cells_nr(const struct tt_page_cells *c);
const struct tt_page_cell *tt_page_cells_get(const struct tt_page_cells *c, uint32_t i);
uint64_t tt_page_cells_width_ns(const struct tt_page_cells *c);

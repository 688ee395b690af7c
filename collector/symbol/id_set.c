/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/symbol/id_set.h"

#include <errno.h>
#include <stdlib.h>

enum { NR_CELLS_AT_FIRST = 4096 };

void tt_id_set_init(struct tt_id_set *set, uint32_t max)
{
	*set = (struct tt_id_set){ .max = max };
}

void tt_id_set_free(struct tt_id_set *set)
{
	free(set->cells);
	*set = (struct tt_id_set){ .max = set->max };
}

/* Where it is, or would go. */
static uint64_t *cell_of(const struct tt_id_set *set, uint64_t id)
{
	uint32_t i = (uint32_t)id & set->mask;

	while (set->cells[i] && set->cells[i] != id)
		i = (i + 1) & set->mask;
	return &set->cells[i];
}

static int grow(struct tt_id_set *set)
{
	uint32_t nr_cells = set->cells ? 2 * (set->mask + 1) : NR_CELLS_AT_FIRST;
	struct tt_id_set old = *set;

	set->cells = calloc(nr_cells, sizeof(*set->cells));
	if (!set->cells) {
		set->cells = old.cells;
		return -ENOMEM;
	}
	set->mask = nr_cells - 1;
	for (uint32_t i = 0; old.cells && i <= old.mask; i++)
		if (old.cells[i])
			*cell_of(set, old.cells[i]) = old.cells[i];
	free(old.cells);
	return 0;
}

enum tt_id_seen tt_id_set_add(struct tt_id_set *set, uint64_t id)
{
	uint64_t *cell = set->cells ? cell_of(set, id) : NULL;

	if (cell && *cell)
		return TT_ID_KNOWN;
	if (set->nr == set->max)
		return TT_ID_NO_ROOM;
	if (!cell || 2 * (set->nr + 1) > set->mask + 1) {
		if (grow(set))
			return TT_ID_NO_ROOM;
		cell = cell_of(set, id);
	}
	*cell = id;
	set->nr++;
	return TT_ID_NEW;
}

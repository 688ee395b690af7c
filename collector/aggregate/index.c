/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/aggregate/index.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The finalizer of splitmix64: every bit of the key reaches every bit of the position. */
static uint64_t mix(uint64_t key)
{
	key = (key ^ (key >> 30)) * 0xbf58476d1ce4e5b9ull;
	key = (key ^ (key >> 27)) * 0x94d049bb133111ebull;
	return key ^ (key >> 31);
}

int tt_index_open(struct tt_index *ix, unsigned max)
{
	uint64_t nr_cells = 4;

	while (nr_cells < 2 * (uint64_t)max)
		nr_cells *= 2;
	*ix = (struct tt_index){ .mask = nr_cells - 1, .max = max };
	ix->cells = calloc(nr_cells, sizeof(*ix->cells));
	return ix->cells ? 0 : -ENOMEM;
}

void tt_index_close(struct tt_index *ix)
{
	free(ix->cells);
	*ix = (struct tt_index){ 0 };
}

/* The cell that holds the key, or the free one where it would go. There is one: at most half are used. */
static uint64_t position_of(const struct tt_index *ix, uint64_t key)
{
	uint64_t i = mix(key) & ix->mask;

	while (ix->cells[i].slot_plus_1 && ix->cells[i].key != key)
		i = (i + 1) & ix->mask;
	return i;
}

uint32_t tt_index_find(const struct tt_index *ix, uint64_t key)
{
	return ix->cells[position_of(ix, key)].slot_plus_1 - 1; /* 0 - 1 is TT_INDEX_NONE */
}

bool tt_index_put(struct tt_index *ix, uint64_t key, uint32_t slot)
{
	struct tt_index_cell *cell = &ix->cells[position_of(ix, key)];

	if (!cell->slot_plus_1) {
		if (ix->nr == ix->max)
			return false;
		ix->nr++;
	}
	*cell = (struct tt_index_cell){ .key = key, .slot_plus_1 = slot + 1 };
	return true;
}

void tt_index_remove(struct tt_index *ix, uint64_t key)
{
	uint64_t hole = position_of(ix, key), i = hole;

	if (!ix->cells[hole].slot_plus_1)
		return;
	/* close the hole: move up whoever was pushed past it, so that no look-up stops short */
	for (;;) {
		uint64_t home;

		i = (i + 1) & ix->mask;
		if (!ix->cells[i].slot_plus_1)
			break;
		home = mix(ix->cells[i].key) & ix->mask;
		if (((i - home) & ix->mask) >= ((i - hole) & ix->mask)) {
			ix->cells[hole] = ix->cells[i];
			hole = i;
		}
	}
	ix->cells[hole].slot_plus_1 = 0;
	ix->nr--;
}

void tt_index_clear(struct tt_index *ix)
{
	if (ix->nr)
		memset(ix->cells, 0, (ix->mask + 1) * sizeof(*ix->cells));
	ix->nr = 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/symbol/slots.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

#include <xxhash.h>

enum { NR_CELLS_AT_FIRST = 1024 };

void tt_slots_init(struct tt_slots *s)
{
	*s = (struct tt_slots){ .cells = NULL };
	if (getrandom(&s->seed, sizeof(s->seed), GRND_NONBLOCK) != sizeof(s->seed))
		s->seed = (uint64_t)time(NULL); /* right after boot: better than nothing */
}

void tt_slots_free(struct tt_slots *s)
{
	free(s->cells);
	s->cells = NULL;
	s->nr = 0;
}

uint32_t tt_slots_hash(const struct tt_slots *s, const void *key, size_t len)
{
	return (uint32_t)XXH3_64bits_withSeed(key, len, s->seed);
}

static void put(struct tt_slots *s, struct tt_slots_cell cell)
{
	uint32_t i = cell.hash & s->mask;

	while (s->cells[i].entry_plus_1)
		i = (i + 1) & s->mask;
	s->cells[i] = cell;
}

static int grow(struct tt_slots *s)
{
	uint32_t nr_cells = s->cells ? 2 * (s->mask + 1) : NR_CELLS_AT_FIRST;
	struct tt_slots old = *s;

	s->cells = calloc(nr_cells, sizeof(*s->cells));
	if (!s->cells) {
		s->cells = old.cells;
		return -ENOMEM;
	}
	s->mask = nr_cells - 1;
	for (uint32_t i = 0; old.cells && i <= old.mask; i++)
		if (old.cells[i].entry_plus_1)
			put(s, old.cells[i]);
	free(old.cells);
	return 0;
}

int tt_slots_add(struct tt_slots *s, uint32_t hash, uint32_t entry)
{
	if (!s->cells || 4 * (uint64_t)(s->nr + 1) > 3 * ((uint64_t)s->mask + 1)) {
		int err = grow(s);

		if (err)
			return err;
	}
	put(s, (struct tt_slots_cell){ .hash = hash, .entry_plus_1 = entry + 1 });
	s->nr++;
	return 0;
}

void tt_slots_remove(struct tt_slots *s, uint32_t hash, uint32_t entry)
{
	uint32_t hole = hash & s->mask, i;

	if (!s->cells)
		return;
	while (s->cells[hole].entry_plus_1 != entry + 1) {
		if (!s->cells[hole].entry_plus_1)
			return;
		hole = (hole + 1) & s->mask;
	}
	/* close the hole: move up whoever was pushed past it, so that no look-up stops short */
	for (i = (hole + 1) & s->mask; s->cells[i].entry_plus_1; i = (i + 1) & s->mask) {
		if (((i - s->cells[i].hash) & s->mask) >= ((i - hole) & s->mask)) {
			s->cells[hole] = s->cells[i];
			hole = i;
		}
	}
	s->cells[hole].entry_plus_1 = 0;
	s->nr--;
}

uint32_t tt_slots_next(const struct tt_slots *s, uint32_t hash, uint32_t *probe)
{
	while (s->cells) {
		const struct tt_slots_cell *cell = &s->cells[(hash + (*probe)++) & s->mask];

		if (!cell->entry_plus_1)
			break;
		if (cell->hash == hash)
			return cell->entry_plus_1 - 1;
	}
	return TT_SLOTS_NONE;
}

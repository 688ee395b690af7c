/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/symbol/addresses.h"

#include <errno.h>
#include <stdlib.h>

_Static_assert(sizeof(struct tt_address) == 32, "addresses.h tells the memory");

enum { NR_AT_FIRST = 4096 };

void tt_addresses_open(struct tt_addresses *a)
{
	*a = (struct tt_addresses){ .entries = NULL };
	tt_slots_init(&a->slots);
}

void tt_addresses_close(struct tt_addresses *a)
{
	free(a->entries);
	a->entries = NULL;
	a->nr = a->room = 0;
	tt_slots_free(&a->slots);
}

void tt_addresses_seal(struct tt_addresses *a)
{
	tt_slots_free(&a->slots);
}

static int grow(struct tt_addresses *a)
{
	uint32_t room = a->room ? 2 * a->room : NR_AT_FIRST;
	struct tt_address *entries;

	if (a->nr < a->room)
		return 0;
	if (a->nr == TT_ADDRESSES_MAX)
		return -ENOSPC;
	entries = realloc(a->entries, room * sizeof(*entries));
	if (!entries)
		return -ENOMEM;
	a->entries = entries;
	a->room = room;
	return 0;
}

uint32_t tt_addresses_note(struct tt_addresses *a, uint64_t space, uint64_t ip, bool is_return,
			   bool *ret_is_new)
{
	const uint64_t key[2] = { space, ip };
	uint32_t hash = tt_slots_hash(&a->slots, key, sizeof(key)), probe = 0, i;
	uint8_t flags = is_return ? TT_ADDRESS_IS_RETURN : 0;

	*ret_is_new = false;
	while ((i = tt_slots_next(&a->slots, hash, &probe)) != TT_SLOTS_NONE) {
		struct tt_address *known = &a->entries[i];

		if (known->ip != ip || known->space != space)
			continue;
		known->flags |= flags;
		return i;
	}
	if (grow(a) || tt_slots_add(&a->slots, hash, a->nr)) {
		a->nr_beyond++;
		return TT_SLOTS_NONE;
	}
	*ret_is_new = true;
	a->entries[a->nr] = (struct tt_address){ .space = space, .ip = ip, .flags = flags };
	return a->nr++;
}

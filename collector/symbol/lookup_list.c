/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>

#include "collector/symbol/symbols_private.h"

int tt_lookup_compare(const struct tt_address *a, const struct tt_address *b)
{
	uint64_t back_a = tt_address_back(a), back_b = tt_address_back(b);

	if (a->offset != b->offset)
		return a->offset < b->offset ? -1 : 1;
	if (back_a != back_b)
		return back_a < back_b ? -1 : 1;
	if (a->space != b->space)
		return a->space < b->space ? -1 : 1;
	return a->ip < b->ip ? -1 : a->ip > b->ip;
}

static int compare(const void *a, const void *b, void *ctx)
{
	const struct tt_address *entries = ctx;

	return tt_lookup_compare(&entries[*(const uint32_t *)a], &entries[*(const uint32_t *)b]);
}

int tt_lookup_list_make(struct tt_lookup_list *list, const struct tt_addresses *addresses, uint32_t dso,
			uint32_t *numbers, uint32_t nr)
{
	*list = (struct tt_lookup_list){ .dso = dso };
	if (!nr)
		return 0;
	list->lookups = malloc(nr * sizeof(*list->lookups));
	list->members = malloc(nr * sizeof(*list->members));
	list->ends = malloc(nr * sizeof(*list->ends));
	if (!list->lookups || !list->members || !list->ends) {
		tt_lookup_list_free(list);
		return -ENOMEM;
	}
	qsort_r(numbers, nr, sizeof(*numbers), compare, addresses->entries);
	for (uint32_t i = 0; i < nr; i++) {
		const struct tt_address *address = &addresses->entries[numbers[i]];
		const struct tt_lookup lookup = { .offset = address->offset,
						  .back = (uint32_t)tt_address_back(address) };

		if (!list->nr || list->lookups[list->nr - 1].offset != lookup.offset ||
		    list->lookups[list->nr - 1].back != lookup.back)
			list->lookups[list->nr++] = lookup;
		list->members[i] = numbers[i];
		list->ends[list->nr - 1] = i + 1;
	}
	list->nr_members = nr;
	return 0;
}

void tt_lookup_list_free(struct tt_lookup_list *list)
{
	free(list->lookups);
	free(list->members);
	free(list->ends);
	*list = (struct tt_lookup_list){ .nr = 0 };
}

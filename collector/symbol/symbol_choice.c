/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/symbol/symbol_choice.h"

#include <string.h>

static size_t nr_leading_underscores(struct tt_slice name)
{
	size_t nr = 0;

	while (nr < name.len && name.text[nr] == '_')
		nr++;
	return nr;
}

int tt_symbol_compare(const struct tt_symbol_choice *a, const struct tt_symbol_choice *b)
{
	size_t nr_a, nr_b;

	if (a->has_size != b->has_size)
		return a->has_size ? -1 : 1;
	if (a->is_relic != b->is_relic)
		return a->is_relic ? 1 : -1;
	if (a->is_weak != b->is_weak)
		return a->is_weak ? 1 : -1;
	if (a->is_global != b->is_global)
		return a->is_global ? -1 : 1;
	nr_a = nr_leading_underscores(a->name);
	nr_b = nr_leading_underscores(b->name);
	if (nr_a != nr_b)
		return nr_a < nr_b ? -1 : 1;
	if (a->name.len != b->name.len)
		return a->name.len > b->name.len ? -1 : 1;
	return memcmp(a->name.text, b->name.text, a->name.len);
}

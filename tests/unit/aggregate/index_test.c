/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "collector/aggregate/index.h"

Test(index, finds_what_was_put_and_nothing_that_was_removed)
{
	static uint32_t mirror[512]; /* slot + 1 by key */
	struct tt_index ix;
	uint64_t state = 3;

	cr_assert(eq(int, tt_index_open(&ix, 300), 0));
	for (unsigned i = 0; i < 200000; i++) {
		uint64_t key;

		state = state * 6364136223846793005ull + 1442695040888963407ull;
		key = (state >> 33) % 512;
		if (state >> 62) {
			if (tt_index_put(&ix, key, i))
				mirror[key] = i + 1;
			else
				cr_assert(mirror[key] == 0 && ix.nr == 300, "only a full index refuses");
		} else {
			tt_index_remove(&ix, key);
			mirror[key] = 0;
		}
		key = (key * 7 + 1) % 512;
		cr_assert(eq(u32, tt_index_find(&ix, key), mirror[key] - 1));
	}
	for (unsigned key = 0; key < 512; key++)
		cr_assert(eq(u32, tt_index_find(&ix, key), mirror[key] - 1));
	tt_index_clear(&ix);
	cr_expect(eq(u32, tt_index_find(&ix, 1), TT_INDEX_NONE));
	tt_index_close(&ix);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/symbol/slots.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdbool.h>

enum { NR = 20000 };

static bool has(const struct tt_slots *s, uint32_t hash, uint32_t entry)
{
	uint32_t probe = 0, i;

	while ((i = tt_slots_next(s, hash, &probe)) != TT_SLOTS_NONE)
		if (i == entry)
			return true;
	return false;
}

Test(slots, what_was_added_is_found_and_what_was_removed_is_not)
{
	struct tt_slots s;

	tt_slots_init(&s);
	cr_expect(not(has(&s, 1, 1)), "empty");
	for (uint32_t i = 0; i < NR; i++) /* a third of them with the same hash as another */
		cr_assert(eq(int, tt_slots_add(&s, i / 3 * 7919, i), 0));
	for (uint32_t i = 0; i < NR; i += 2)
		tt_slots_remove(&s, i / 3 * 7919, i);
	for (uint32_t i = 0; i < NR; i++)
		cr_assert(eq(int, has(&s, i / 3 * 7919, i), i % 2), "%u", i);
	cr_expect(eq(u32, s.nr, NR / 2));
	tt_slots_remove(&s, 1234567, 5);
	cr_expect(eq(u32, s.nr, NR / 2), "was not there");
	tt_slots_free(&s);
}

Test(slots, hashes_are_not_the_same_in_every_process)
{
	struct tt_slots a, b;

	tt_slots_init(&a);
	tt_slots_init(&b);
	cr_expect(ne(u32, tt_slots_hash(&a, "key", 3), tt_slots_hash(&b, "key", 3)),
		  "but for one time in 2^32");
	cr_expect(eq(u32, tt_slots_hash(&a, "key", 3), tt_slots_hash(&a, "key", 3)));
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/symbol/id_set.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

Test(id_set, each_is_new_once)
{
	struct tt_id_set set;

	tt_id_set_init(&set, 10000);
	for (unsigned round = 0; round < 2; round++)
		for (uint64_t i = 1; i <= 10000; i++) /* many of them in a row, and many of one place */
			cr_assert(eq(int, tt_id_set_add(&set, i % 2 ? i : i << 32),
				     round ? TT_ID_KNOWN : TT_ID_NEW));
	cr_expect(eq(int, tt_id_set_add(&set, 77777), TT_ID_NO_ROOM));
	cr_expect(eq(int, tt_id_set_add(&set, 77), TT_ID_KNOWN), "even then");
	cr_expect(eq(u32, set.nr, 10000));
	tt_id_set_free(&set);
	cr_expect(eq(int, tt_id_set_add(&set, 77), TT_ID_NEW));
	tt_id_set_free(&set);
}

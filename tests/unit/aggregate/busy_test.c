/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "collector/aggregate/busy.h"

Test(busy, overlapping_requests_count_once)
{
	static struct tt_busy b;

	tt_busy_add(&b, 100, 200);
	tt_busy_add(&b, 150, 250);
	tt_busy_add(&b, 300, 400);
	cr_expect(eq(u64, tt_busy_ns(&b), 250));
}

Test(busy, a_long_request_that_ends_last_bridges_what_lay_between)
{
	static struct tt_busy b;

	tt_busy_add(&b, 100, 110);
	tt_busy_add(&b, 200, 210);
	tt_busy_add(&b, 300, 310);
	tt_busy_add(&b, 150, 320);
	cr_expect(eq(u64, tt_busy_ns(&b), 10 + 170));
}

Test(busy, a_late_one_finds_its_place)
{
	static struct tt_busy b;

	tt_busy_add(&b, 500, 600);
	tt_busy_add(&b, 100, 200);
	tt_busy_add(&b, 300, 350);
	tt_busy_add(&b, 190, 310);
	cr_expect(eq(u64, tt_busy_ns(&b), 250 + 100));
	cr_expect(eq(u32, b.nr, 2));
}

Test(busy, the_bound_loses_nothing_of_what_does_not_overlap)
{
	static struct tt_busy b;

	for (uint64_t i = 1; i <= 10000; i++)
		tt_busy_add(&b, i * 100, i * 100 + 30);
	cr_expect(eq(u64, tt_busy_ns(&b), 300000));
	cr_expect(eq(u64, b.nr_clipped, 0));
	/* longer than the memory: too little, never too much */
	tt_busy_add(&b, 1, 1000050);
	cr_expect(gt(u64, tt_busy_ns(&b), 300000));
	cr_expect(le(u64, tt_busy_ns(&b), 1000049));
	cr_expect(eq(u64, b.nr_clipped, 1));
}

Test(busy, equals_a_bitmap_for_random_requests)
{
	static struct tt_busy b;
	static unsigned char map[20000];
	uint64_t state = 11, end = 0, expected = 0;

	for (unsigned i = 0; i < 800; i++) {
		uint64_t start;

		state = state * 6364136223846793005ull + 1442695040888963407ull;
		end += (state >> 40) % 25;
		start = end - (state >> 50) % (end < 60 ? end + 1 : 60);
		tt_busy_add(&b, start, end);
		for (uint64_t t = start; t < end; t++)
			map[t] = 1;
	}
	for (unsigned t = 0; t < sizeof(map); t++)
		expected += map[t];
	cr_expect(eq(u64, tt_busy_ns(&b), expected));
}

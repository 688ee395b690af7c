/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>

#include "collector/aggregate/coarse.h"
#include "collector/aggregate/hist.h"

/* Fixed seed: the same values in every run. */
static uint64_t next_random(uint64_t *state)
{
	*state = *state * 6364136223846793005ull + 1442695040888963407ull;
	return *state >> 16;
}

Test(hist, buckets_follow_each_other_without_hole_or_overlap)
{
	for (unsigned b = 0; b < TT_HIST_NR_BUCKETS; b++) {
		cr_assert(eq(u32, tt_hist_bucket(tt_hist_bucket_lower_ns(b)), b));
		cr_assert(eq(u32, tt_hist_bucket(tt_hist_bucket_upper_ns(b)), b));
		if (b)
			cr_assert(eq(u64, tt_hist_bucket_lower_ns(b), tt_hist_bucket_upper_ns(b - 1) + 1));
	}
	cr_expect(eq(u64, tt_hist_bucket_upper_ns(TT_HIST_NR_BUCKETS - 1), (1ull << TT_HIST_MAX_BITS) - 1));
}

Test(hist, a_bucket_is_at_most_one_64th_of_its_lower_bound_wide)
{
	for (unsigned b = 64; b < TT_HIST_NR_BUCKETS; b++) {
		uint64_t lower = tt_hist_bucket_lower_ns(b), width = tt_hist_bucket_upper_ns(b) - lower + 1;

		cr_assert(le(u64, width * 64, lower));
	}
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

Test(hist, percentiles_of_random_values_are_never_low_and_at_most_3_2_percent_high)
{
	static const unsigned pcts[] = { 1, 10, 50, 90, 99, 100 };
	static struct tt_hist h;
	static uint64_t values[10000];
	uint64_t state = 42;

	for (unsigned i = 0; i < 10000; i++) {
		values[i] = next_random(&state) >> (next_random(&state) % 40);
		values[i] &= (1ull << TT_HIST_MAX_BITS) - 1;
		tt_hist_add(&h, values[i]);
	}
	qsort(values, 10000, sizeof(values[0]), compare);
	for (unsigned i = 0; i < sizeof(pcts) / sizeof(pcts[0]); i++) {
		uint64_t exact = values[pcts[i] * 100 - 1], shown = tt_hist_percentile_ns(&h, pcts[i]);

		cr_expect(ge(u64, shown, exact));
		cr_expect(le(dbl, (double)shown, (double)exact * 1.016));
	}
	cr_expect(eq(u64, tt_hist_percentile_ns(&h, 100), h.max_ns));
}

Test(hist, the_rank_is_rounded_up)
{
	static struct tt_hist h;

	for (unsigned i = 1; i <= 10; i++)
		tt_hist_add(&h, i);
	cr_expect(eq(u64, tt_hist_percentile_ns(&h, 50), 5));
	cr_expect(eq(u64, tt_hist_percentile_ns(&h, 51), 6));
	cr_expect(eq(u64, tt_hist_percentile_ns(&h, 0.001), 1));
	cr_expect(eq(u64, tt_hist_percentile_ns(&h, 30), 3), "0.3 * 10 is a little above 3 in binary");
}

Test(hist, an_empty_one_has_no_percentiles)
{
	static const struct tt_hist h;

	cr_expect(eq(u64, tt_hist_percentile_ns(&h, 99), 0));
}

Test(hist, too_large_values_are_counted_and_the_maximum_is_exact)
{
	static struct tt_hist h;

	tt_hist_add(&h, UINT64_MAX / 2);
	tt_hist_add(&h, 5);
	cr_expect(eq(u64, h.nr_clamped, 1));
	cr_expect(eq(u64, h.nr_total, 2));
	cr_expect(eq(u64, tt_hist_percentile_ns(&h, 99), UINT64_MAX / 2));
	cr_expect(eq(u64, tt_hist_percentile_ns(&h, 50), 5));
}

Test(hist, merging_is_adding_everything)
{
	static struct tt_hist a, b, both;
	uint64_t state = 7;

	for (unsigned i = 0; i < 1000; i++) {
		uint64_t value = next_random(&state) >> 20;

		tt_hist_add(i & 1 ? &a : &b, value);
		tt_hist_add(&both, value);
	}
	tt_hist_merge(&a, &b);
	cr_expect(eq(int, memcmp(&a, &both, sizeof(a)), 0));
}

Test(hist, counts_saturate_instead_of_wrapping)
{
	static struct tt_hist a, b;

	tt_hist_add(&a, 1);
	tt_hist_add(&b, 1);
	a.nr[1] = UINT32_MAX;
	tt_hist_add(&a, 1);
	cr_expect(eq(u32, a.nr[1], UINT32_MAX));
	tt_hist_merge(&a, &b);
	cr_expect(eq(u32, a.nr[1], UINT32_MAX));
}

Test(coarse, percentiles_are_never_low_and_at_most_25_percent_high)
{
	for (uint64_t value = 1; value < 1ull << 41; value = value * 5 / 4 + 1) {
		struct tt_coarse c = { 0 };
		uint64_t shown;

		tt_coarse_add(&c, value);
		shown = tt_coarse_percentile_ns(&c, 99, UINT64_MAX);
		cr_assert(ge(u64, shown, value));
		cr_assert(le(dbl, (double)shown, (double)value * 1.25));
		cr_assert(eq(u64, tt_coarse_percentile_ns(&c, 99, value), value), "never above the maximum");
	}
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/aggregate/hist.h"

enum { NR_SUB = 1 << TT_HIST_SUB_BITS };

unsigned tt_hist_bucket(uint64_t value_ns)
{
	unsigned shift;

	if (value_ns < 2 * NR_SUB)
		return (unsigned)value_ns;
	if (value_ns >> TT_HIST_MAX_BITS)
		return TT_HIST_NR_BUCKETS - 1;
	shift = 63 - TT_HIST_SUB_BITS - (unsigned)__builtin_clzll(value_ns);
	return shift * NR_SUB + (unsigned)(value_ns >> shift);
}

uint64_t tt_hist_bucket_lower_ns(unsigned bucket)
{
	unsigned shift;

	if (bucket < 2 * NR_SUB)
		return bucket;
	if (bucket >= TT_HIST_NR_BUCKETS)
		return 1ull << TT_HIST_MAX_BITS;
	shift = bucket / NR_SUB - 1;
	return (uint64_t)(bucket - shift * NR_SUB) << shift;
}

uint64_t tt_hist_bucket_upper_ns(unsigned bucket)
{
	return tt_hist_bucket_lower_ns(bucket < TT_HIST_NR_BUCKETS ? bucket + 1 : bucket) - 1;
}

void tt_hist_add(struct tt_hist *h, uint64_t value_ns)
{
	uint32_t *nr = &h->nr[tt_hist_bucket(value_ns)];

	*nr += *nr != UINT32_MAX;
	h->nr_total++;
	h->nr_clamped += value_ns >> TT_HIST_MAX_BITS != 0;
	h->sum_ns += value_ns;
	if (value_ns > h->max_ns)
		h->max_ns = value_ns;
}

void tt_hist_merge(struct tt_hist *into, const struct tt_hist *from)
{
	for (unsigned b = 0; b < TT_HIST_NR_BUCKETS; b++) {
		uint32_t room = UINT32_MAX - into->nr[b];

		into->nr[b] += from->nr[b] < room ? from->nr[b] : room;
	}
	into->nr_total += from->nr_total;
	into->nr_clamped += from->nr_clamped;
	into->sum_ns += from->sum_ns;
	if (from->max_ns > into->max_ns)
		into->max_ns = from->max_ns;
}

/* Number of values at or below the percentile: the smallest integer >= pct % of all, at least 1. */
static uint64_t rank_of(uint64_t nr_total, double pct)
{
	double exact = (double)nr_total * pct / 100.0;
	uint64_t rank;

	if (!(exact > 0))
		return 1;
	if (exact >= (double)nr_total)
		return nr_total;
	rank = (uint64_t)exact;
	/* 99.9 % of 1000 is 999.0000000000001 in binary: that is rank 999, not 1000 */
	return exact - (double)rank > 1e-9 * exact ? rank + 1 : rank ? rank : 1;
}

uint64_t tt_hist_percentile_ns(const struct tt_hist *h, double pct)
{
	uint64_t rank, nr_below = 0;

	if (!h->nr_total)
		return 0;
	rank = rank_of(h->nr_total, pct);
	/* the last bucket is left out: it may hold clamped values, for which only max_ns is certain */
	for (unsigned b = 0; b < TT_HIST_NR_BUCKETS - 1; b++) {
		nr_below += h->nr[b];
		if (nr_below >= rank) {
			uint64_t upper_ns = tt_hist_bucket_upper_ns(b);

			return upper_ns < h->max_ns ? upper_ns : h->max_ns;
		}
	}
	return h->max_ns;
}

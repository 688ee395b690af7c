/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/aggregate/coarse.h"

enum { NR_SUB = 1 << TT_COARSE_SUB_BITS };

unsigned tt_coarse_bucket(uint64_t value_ns)
{
	unsigned shift;

	if (value_ns < 2 * NR_SUB)
		return (unsigned)value_ns;
	if (value_ns >> TT_COARSE_MAX_BITS)
		return TT_COARSE_NR_BUCKETS - 1;
	shift = 63 - TT_COARSE_SUB_BITS - (unsigned)__builtin_clzll(value_ns);
	return shift * NR_SUB + (unsigned)(value_ns >> shift);
}

uint64_t tt_coarse_upper_ns(unsigned bucket)
{
	unsigned shift;

	if (bucket < 2 * NR_SUB)
		return bucket;
	if (bucket >= TT_COARSE_NR_BUCKETS - 1)
		return UINT64_MAX;
	shift = bucket / NR_SUB - 1;
	return ((uint64_t)(bucket - shift * NR_SUB + 1) << shift) - 1;
}

void tt_coarse_add(struct tt_coarse *c, uint64_t value_ns)
{
	uint32_t *nr = &c->nr[tt_coarse_bucket(value_ns)];

	*nr += *nr != UINT32_MAX;
}

uint64_t tt_coarse_percentile_ns(const struct tt_coarse *c, double pct, uint64_t max_ns)
{
	uint64_t nr_total = 0, nr_below = 0;

	for (unsigned b = 0; b < TT_COARSE_NR_BUCKETS; b++)
		nr_total += c->nr[b];
	for (unsigned b = 0; b < TT_COARSE_NR_BUCKETS && nr_total; b++) {
		nr_below += c->nr[b];
		if ((double)nr_below * 100.0 >= (double)nr_total * pct * (1 - 1e-9)) {
			uint64_t upper_ns = tt_coarse_upper_ns(b);

			return upper_ns < max_ns ? upper_ns : max_ns;
		}
	}
	return nr_total ? max_ns : 0;
}

void tt_coarse_merge(struct tt_coarse *into, const struct tt_coarse *from)
{
	for (unsigned b = 0; b < TT_COARSE_NR_BUCKETS; b++) {
		uint32_t room = UINT32_MAX - into->nr[b];

		into->nr[b] += from->nr[b] < room ? from->nr[b] : room;
	}
}

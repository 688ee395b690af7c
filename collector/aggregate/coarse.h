/* SPDX-License-Identifier: GPL-2.0-or-later */
/* coarse - a small duration histogram for rows of which there are thousands.
 *
 * Like hist, with 4 buckets for every power of two instead of 64: percentiles are the upper bound of a
 * bucket, at most 25 % high, never more than the maximum that the caller knows. 0 to 2^42 - 1 ns; the last
 * bucket is open-ended.
 */
#pragma once

#include <stdint.h>

enum { TT_COARSE_SUB_BITS = 2, TT_COARSE_MAX_BITS = 42 };
enum { TT_COARSE_NR_BUCKETS = (TT_COARSE_MAX_BITS - TT_COARSE_SUB_BITS + 1) << TT_COARSE_SUB_BITS };

struct tt_coarse {
	uint32_t nr[TT_COARSE_NR_BUCKETS]; /* saturates */
};

unsigned tt_coarse_bucket(uint64_t value_ns);
uint64_t tt_coarse_upper_ns(unsigned bucket); /* inclusive */
void tt_coarse_add(struct tt_coarse *c, uint64_t value_ns);
void tt_coarse_merge(struct tt_coarse *into, const struct tt_coarse *from);
/* pct in (0, 100]. 0 for an empty histogram, never more than max_ns. */
uint64_t tt_coarse_percentile_ns(const struct tt_coarse *c, double pct, uint64_t max_ns);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hist - how often a duration fell where; log-linear.
 *
 * Values 0..127 have a bucket each; above, every power of two is split into 64 equal buckets, so a bucket is at most
 * 1/64 (1.6 %) of its lower bound wide. Covers 0 to 2^42 - 1 ns (73 min); larger values go to the last bucket and
 * are counted (nr_clamped). sum_ns and max_ns are exact.
 * Percentiles are the upper bound of the bucket that holds the rank, never more than max_ns: never flattering, at most 1.6 % high.
 * Plain value: zero it to initialise, copy it, nothing to free. Not thread-safe. Never fails.
 */
#pragma once

#include <stdint.h>

enum { TT_HIST_SUB_BITS = 6, TT_HIST_MAX_BITS = 42, TT_HIST_NR_BUCKETS = (TT_HIST_MAX_BITS - TT_HIST_SUB_BITS + 1) << TT_HIST_SUB_BITS };

struct tt_hist {
	uint64_t nr_total, nr_clamped, sum_ns, max_ns;
	uint32_t nr[TT_HIST_NR_BUCKETS]; /* saturates */
};

unsigned tt_hist_bucket(uint64_t value_ns);
uint64_t tt_hist_bucket_lower_ns(unsigned bucket);
uint64_t tt_hist_bucket_upper_ns(unsigned bucket); /* inclusive */
void tt_hist_add(struct tt_hist *h, uint64_t value_ns);
void tt_hist_merge(struct tt_hist *into, const struct tt_hist *from);
/* pct in (0, 100]. 0 for an empty histogram. */
uint64_t tt_hist_percentile_ns(const struct tt_hist *h, double pct);

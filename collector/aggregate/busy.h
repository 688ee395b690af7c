/* SPDX-License-Identifier: GPL-2.0-or-later */
/* busy - how long at least one request was in flight: the length of the union of [start, done] of all
 * requests.
 *
 * Requests come when they are done, so a long one may begin before many that came earlier and bridge the idle
 * time between them. Keeps the newest TT_BUSY_MAX disjoint stretches; when they are used up the older half is
 * summed up and closed. A request that began before closed_until_ns counts from there on (nr_clipped): too
 * little, never too much. Plain value: zero it to initialise.
 */
#pragma once

#include <stdint.h>

enum { TT_BUSY_MAX = 512 };

struct tt_busy_stretch {
	uint64_t from_ts_ns, to_ts_ns;
};

struct tt_busy {
	struct tt_busy_stretch stretches[TT_BUSY_MAX]; /* sorted, disjoint */
	unsigned nr;
	uint64_t closed_ns, closed_until_ns, nr_clipped;
};

void tt_busy_add(struct tt_busy *b, uint64_t from_ts_ns, uint64_t to_ts_ns);
uint64_t tt_busy_ns(const struct tt_busy *b);
/* A new interval begins at ts_ns: what lay before is not counted again. */
void tt_busy_restart(struct tt_busy *b, uint64_t ts_ns);

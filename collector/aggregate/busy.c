/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/aggregate/busy.h"

#include <string.h>

static void close_older_half(struct tt_busy *b)
{
	unsigned nr = b->nr / 2;

	for (unsigned i = 0; i < nr; i++)
		b->closed_ns += b->stretches[i].to_ts_ns - b->stretches[i].from_ts_ns;
	b->closed_until_ns = b->stretches[nr - 1].to_ts_ns;
	memmove(b->stretches, b->stretches + nr, (b->nr - nr) * sizeof(b->stretches[0]));
	b->nr -= nr;
}

void tt_busy_add(struct tt_busy *b, uint64_t from_ts_ns, uint64_t to_ts_ns)
{
	unsigned first, end;

	if (from_ts_ns < b->closed_until_ns) {
		from_ts_ns = b->closed_until_ns;
		b->nr_clipped++;
	}
	if (from_ts_ns >= to_ts_ns)
		return;
	/* [first, end): the stretches that touch the new one. It came last, so they are the last ones but for
	 * late events. */
	for (end = b->nr; end && b->stretches[end - 1].from_ts_ns > to_ts_ns; end--)
		;
	for (first = end; first && b->stretches[first - 1].to_ts_ns >= from_ts_ns; first--)
		;
	if (first < end) {
		if (b->stretches[first].from_ts_ns < from_ts_ns)
			from_ts_ns = b->stretches[first].from_ts_ns;
		if (b->stretches[end - 1].to_ts_ns > to_ts_ns)
			to_ts_ns = b->stretches[end - 1].to_ts_ns;
	} else if (b->nr == TT_BUSY_MAX) {
		close_older_half(b);
		tt_busy_add(b, from_ts_ns, to_ts_ns); /* once: there is room now */
		return;
	}
	memmove(b->stretches + first + 1, b->stretches + end, (b->nr - end) * sizeof(b->stretches[0]));
	b->stretches[first] = (struct tt_busy_stretch){ from_ts_ns, to_ts_ns };
	b->nr = b->nr - (end - first) + 1;
}

uint64_t tt_busy_ns(const struct tt_busy *b)
{
	uint64_t sum_ns = b->closed_ns;

	for (unsigned i = 0; i < b->nr; i++)
		sum_ns += b->stretches[i].to_ts_ns - b->stretches[i].from_ts_ns;
	return sum_ns;
}

void tt_busy_restart(struct tt_busy *b, uint64_t ts_ns)
{
	b->nr = 0;
	b->closed_ns = b->nr_clipped = 0;
	if (ts_ns > b->closed_until_ns)
		b->closed_until_ns = ts_ns;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/aggregate/occupants.h"

#include <errno.h>
#include <stdlib.h>

int tt_occupants_open(struct tt_occupants *o, unsigned nr_max)
{
	*o = (struct tt_occupants){ .nr_max = nr_max, .slices = calloc(nr_max, sizeof(*o->slices)) };
	return o->slices ? 0 : -ENOMEM;
}

void tt_occupants_close(struct tt_occupants *o)
{
	free(o->slices);
	*o = (struct tt_occupants){ 0 };
}

void tt_occupants_switch(struct tt_occupants *o, const struct tt_ev_switch *sw)
{
	if (!sw->slice_ns || sw->slice_ns > sw->ev.ts_ns)
		return;
	o->slices[o->nr++ & (o->nr_max - 1)] =
		(struct tt_slice){ sw->ev.ts_ns - sw->slice_ns, sw->ev.ts_ns, sw->prev_tid };
}

static uint64_t give(uint32_t tid, uint64_t from_ts_ns, uint64_t to_ts_ns, uint64_t min_ts_ns,
		     uint64_t max_ts_ns, tt_occupant_fn fn, void *ctx)
{
	uint64_t from = from_ts_ns > min_ts_ns ? from_ts_ns : min_ts_ns,
		 to = to_ts_ns < max_ts_ns ? to_ts_ns : max_ts_ns;

	if (from >= to)
		return 0;
	fn(ctx, tid, from, to);
	return to - from;
}

unsigned tt_occupants_between(const struct tt_occupants *o, uint64_t from_ts_ns, uint64_t to_ts_ns,
			      uint32_t running_tid, tt_occupant_fn fn, void *ctx, uint64_t *ret_known_ns)
{
	unsigned nr = o->nr < o->nr_max ? (unsigned)o->nr : o->nr_max, i;
	uint64_t oldest_ts_ns = to_ts_ns;

	*ret_known_ns = 0;
	for (i = 0; i < nr && oldest_ts_ns > from_ts_ns; i++) {
		const struct tt_slice *s = &o->slices[(o->nr - 1 - i) & (o->nr_max - 1)];

		if (!i && running_tid != TT_TID_UNKNOWN)
			*ret_known_ns +=
				give(running_tid, s->to_ts_ns, to_ts_ns, from_ts_ns, to_ts_ns, fn, ctx);
		*ret_known_ns += give(s->tid, s->from_ts_ns, s->to_ts_ns, from_ts_ns, to_ts_ns, fn, ctx);
		if (s->from_ts_ns < oldest_ts_ns)
			oldest_ts_ns = s->from_ts_ns;
	}
	return i;
}

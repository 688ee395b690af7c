/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/symbol/map_queue.h"

#include <stdlib.h>
#include <string.h>

_Static_assert(sizeof(struct tt_map_queued) == 48, "map_queue.h tells the memory");

enum { NR_AT_FIRST = 256 };

bool tt_map_queue_put(struct tt_map_queue *q, struct tt_map_queued event)
{
	if (q->nr == q->room) {
		uint32_t room = q->room ? 2 * q->room : NR_AT_FIRST;
		struct tt_map_queued *events;

		if (q->nr == TT_MAP_QUEUE_MAX)
			return false;
		events = realloc(q->events, room * sizeof(*events));
		if (!events)
			return false;
		q->events = events;
		q->room = room;
	}
	event.serial = q->serial++;
	q->events[q->nr++] = event;
	return true;
}

static int compare(const void *a, const void *b)
{
	const struct tt_map_queued *x = a, *y = b;

	if (x->ts_ns != y->ts_ns)
		return x->ts_ns < y->ts_ns ? -1 : 1;
	if (x->serial != y->serial)
		return (int32_t)(x->serial - y->serial) < 0 ? -1 : 1;
	return 0;
}

uint32_t tt_map_queue_sort(struct tt_map_queue *q, uint64_t until_ts_ns)
{
	uint32_t nr = 0;

	if (q->nr > 1)
		qsort(q->events, q->nr, sizeof(*q->events), compare);
	while (nr < q->nr && q->events[nr].ts_ns <= until_ts_ns)
		nr++;
	return nr;
}

void tt_map_queue_drop(struct tt_map_queue *q, uint32_t nr)
{
	q->nr -= nr;
	if (q->nr && nr)
		memmove(q->events, q->events + nr, q->nr * sizeof(*q->events));
}

void tt_map_queue_free(struct tt_map_queue *q, struct tt_dsos *dsos)
{
	for (uint32_t i = 0; i < q->nr; i++)
		if (q->events[i].kind == TT_MAP_EVENT_MAP)
			tt_dsos_unref(dsos, q->events[i].other);
	free(q->events);
	*q = (struct tt_map_queue){ .nr = 0 };
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* map_queue - events of the map rings that wait until all records of their time have come. At most TT_MAP_QUEUE_MAX, 1.5 MiB. */
#pragma once

#include "collector/symbol/dso.h"

enum { TT_MAP_QUEUE_MAX = 32768 };

struct tt_map_queued {
	uint64_t ts_ns, start, end, offset;
	uint32_t kind, pid; /* enum tt_map_event_kind */
	uint32_t other;	    /* FORK: the parent; MAP: the dso, with a reference */
	uint32_t serial;    /* of equal times, the one that was told first comes first */
};

struct tt_map_queue {
	struct tt_map_queued *events;
	uint32_t nr, room;
	uint32_t serial;
};

/* False: it is full, or there is no memory. A MAP's reference is the queue's when it was taken. */
bool tt_map_queue_put(struct tt_map_queue *q, struct tt_map_queued event);
/* Sorts; returns how many events are of up to until_ts_ns. They are the first. */
uint32_t tt_map_queue_sort(struct tt_map_queue *q, uint64_t until_ts_ns);
void tt_map_queue_drop(struct tt_map_queue *q,
		       uint32_t nr); /* the first nr; their references are the caller's */
void tt_map_queue_free(struct tt_map_queue *q, struct tt_dsos *dsos);

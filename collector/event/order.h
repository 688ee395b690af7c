/* SPDX-License-Identifier: GPL-2.0-or-later */
/* order - merges the streams of all CPUs into one, by time.
 *
 * Batches are pushed as they come (per CPU and stream in the order of writing). tt_order_epoch(until) says
 * that every record up to until has been pushed; all events up to it are then delivered in time order, then
 * one struct tt_event of kind TT_EV_EPOCH with ts_ns = until. Ties are broken by what the event is (names and
 * counters first, so that a name is known when its task comes), then (CPU, stream, position). Later events
 * stay for the next epoch. An event that comes later than an epoch that covered it is delivered at the head
 * of the next one and counted (nr_late). A SCHED stream is taken in the order of writing, records are sorted
 * whatever order they were written in. Copies what it must keep; memory is bounded by max_bytes: beyond it
 * the oldest events are delivered early, until half of them are gone, and counted (nr_forced).
 */
#pragma once

#include "collector/event/decode.h"

struct tt_order;

struct tt_order_stats {
	uint64_t nr_late, nr_forced, nr_delivered, peak_bytes;
};

/* Owns no decoder: dec is the caller's. Events go to fn. */
int tt_order_open(struct tt_decoder *dec, size_t max_bytes, tt_event_fn fn, void *ctx,
		  struct tt_order **ret_ord);
void tt_order_close(struct tt_order *ord);
/* Copies the batch. 0, -EBADMSG (rejected by the decoder, counted there), -ENOMEM. */
int tt_order_push(struct tt_order *ord, const void *batch, size_t len);
int tt_order_epoch(struct tt_order *ord, uint64_t until_ts_ns);
const struct tt_order_stats *tt_order_stats(const struct tt_order *ord);

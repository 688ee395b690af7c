/* SPDX-License-Identifier: GPL-2.0-or-later */
/* record_batch - packs records made in user space into batches of TT_STREAM_RECORDS and gives them to a sink.
 *
 * Plain value of a little more than TT_BATCH_BYTES_MAX: init, add, flush; nothing to free. The batches belong
 * to no CPU (TT_CPU_NONE). Records must be added in the order of their times.
 */
#pragma once

#include <stdint.h>

#include "collector/source/source.h"

struct tt_record_batch {
	const struct tt_sink *sink;
	uint32_t used_bytes; /* of bytes, header included; 0 = empty */
	uint16_t nr_records;
	_Alignas(8) unsigned char bytes[TT_BATCH_BYTES_MAX];
};

void tt_record_batch_init(struct tt_record_batch *b, const struct tt_sink *sink);
/* Sets size, kind, cpu and time of rec, which heads a record of size bytes (a multiple of 8), and copies it.
 * Flushes first when it does not fit. 0, or the sink's error: then the record was not added. */
int tt_record_batch_add(struct tt_record_batch *b, struct tt_record *rec, uint16_t size, uint16_t kind,
			uint32_t cpu, uint64_t ts_ns);
int tt_record_batch_flush(struct tt_record_batch *b);

/* One record of no CPU, in a batch of its own. */
int tt_record_emit(const struct tt_sink *sink, void *record, uint16_t size, uint16_t kind, uint64_t ts_ns);

/* CLOCK_MONOTONIC. */
uint64_t tt_now_ns(void);

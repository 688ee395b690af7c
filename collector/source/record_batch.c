/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/source/record_batch.h"

#include <assert.h>
#include <string.h>
#include <time.h>

uint64_t tt_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void tt_record_batch_init(struct tt_record_batch *b, const struct tt_sink *sink)
{
	b->sink = sink;
	b->used_bytes = 0;
	b->nr_records = 0;
}

int tt_record_batch_add(struct tt_record_batch *b, struct tt_record *rec, uint16_t size, uint16_t kind,
			uint32_t cpu, uint64_t ts_ns)
{
	int err;

	assert(size >= sizeof(*rec) && size % 8 == 0 && size <= TT_BATCH_BYTES_MAX - sizeof(struct tt_batch));
	rec->size = size;
	rec->kind = kind;
	rec->cpu = cpu;
	rec->ts_ns = ts_ns;

	if (b->used_bytes + size > TT_BATCH_BYTES_MAX) {
		err = tt_record_batch_flush(b);
		if (err)
			return err;
	}
	if (!b->used_bytes) {
		struct tt_batch head = { .cpu = TT_CPU_NONE,
					 .stream = TT_STREAM_RECORDS,
					 .version = TT_WIRE_VERSION,
					 .base_ts_ns = ts_ns };

		memcpy(b->bytes, &head, sizeof(head));
		b->used_bytes = sizeof(head);
	}
	memcpy(b->bytes + b->used_bytes, rec, size);
	b->used_bytes += size;
	b->nr_records++;
	return 0;
}

int tt_record_batch_flush(struct tt_record_batch *b)
{
	struct tt_batch head;
	uint32_t len = b->used_bytes;

	if (!len)
		return 0;
	memcpy(&head, b->bytes, sizeof(head));
	head.size = len;
	head.nr_records = b->nr_records;
	memcpy(b->bytes, &head, sizeof(head));
	b->used_bytes = 0;
	b->nr_records = 0;
	return b->sink->batch(b->sink->ctx, b->bytes, len);
}

int tt_record_emit(const struct tt_sink *sink, void *record, uint16_t size, uint16_t kind, uint64_t ts_ns)
{
	struct tt_record_batch batch;
	int err;

	tt_record_batch_init(&batch, sink);
	err = tt_record_batch_add(&batch, record, size, kind, TT_CPU_NONE, ts_ns);
	return err ? err : tt_record_batch_flush(&batch);
}

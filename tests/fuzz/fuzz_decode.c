/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz_decode.c - batches of any bytes through decode and order. The input is batches one behind the other;
 * where size makes no sense the rest is one batch. */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "collector/event/order.h"

/* Touches all of an event, so that a sanitizer sees what does not exist. */
static void on_event(void *ctx, const struct tt_event *ev)
{
	uint64_t *sum = ctx;
	const struct tt_record *rec;

	*sum += ev->ts_ns + ev->cpu;
	if (!tt_kind_name(ev->kind) || ev->kind == TT_EV_SWITCH || ev->kind == TT_EV_STEAL)
		return;
	rec = ((const struct tt_ev_record *)ev)->rec;
	if (rec->size < tt_kind_size(rec->kind))
		__builtin_trap();
	for (size_t i = 0; i < rec->size; i++)
		*sum += ((const uint8_t *)rec)[i];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint64_t sum;
	struct tt_decoder *dec;
	struct tt_order *ord;
	_Alignas(8) uint8_t batch[TT_BATCH_BYTES_MAX + 8];

	if (tt_decoder_open(&dec))
		return 0;
	if (tt_order_open(dec, 1 << 20, on_event, &sum, &ord)) {
		tt_decoder_close(dec);
		return 0;
	}
	for (unsigned i = 0; size; i++) {
		uint32_t len = 0;

		memcpy(&len, data, size < 4 ? size : 4);
		if (!len || len > size || len > sizeof(batch))
			len = (uint32_t)(size < sizeof(batch) ? size : sizeof(batch));
		memcpy(batch, data, len);
		tt_order_push(ord, batch, len);
		if (i % 8 == 7)
			tt_order_epoch(ord, ((const struct tt_batch *)batch)->base_ts_ns);
		data += len;
		size -= len;
	}
	tt_order_epoch(ord, sum % 2 ? UINT64_MAX : 1000);
	tt_order_close(ord);
	tt_decoder_close(dec);
	return 0;
}

#ifdef TT_FUZZ_STANDALONE
#include "tests/unit/batches.h"

static size_t tt_fuzz_seed(unsigned nth, uint8_t *data, size_t max)
{
	struct tb_pipe pipe = { .seed = 1 };
	uint64_t random = 1;
	size_t size = 0;
	union tb t;

	for (unsigned i = 0; !nth && i < 24 && size + sizeof(t) <= max; i++) {
		tb_random_batch(&t, &random);
		if (i % 3 == 0) {
			tb_pipe_batch(&t, &pipe);
			t.b.nr_records = 3;
			t.b.size = sizeof(t.b) + 3 * sizeof(struct tt_switch);
		} else if (i % 3 == 1) {
			tb_begin(&t, TT_STREAM_RECORDS, i, 1000 * i);
			tb_record(&t, TT_EV_DISK, sizeof(struct tt_disk), i, 1000 * i);
			tb_record(&t, TT_EV_TASK, sizeof(struct tt_task), i, 900 * i);
			tb_record(&t, TT_EV_LOSS, sizeof(struct tt_loss), TT_CPU_NONE, 1100 * i);
		}
		memcpy(data + size, &t, t.b.size);
		size += t.b.size;
	}
	return size;
}

static void tt_fuzz_repair(uint8_t *data, size_t size)
{
	(void)data;
	(void)size;
}
#endif

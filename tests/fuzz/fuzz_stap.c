/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz_stap.c - SystemTap's bulk streams of any bytes. The input is pieces: a byte that names the stream (low two
 * bits) and what else to do, u16 bytes that follow, those bytes. */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "collector/event/decode.h"
#include "collector/source/stap_stream.h"
#include "collector/source/stap_tool.h"
#include "collector/source/stap_words.h"

enum { NR_STREAMS = 4, PENDING_MAX = 64 << 10 };

struct sum {
	uint64_t bytes;
	uint64_t nr_batches;
};

static int on_batch(void *ctx, const struct tt_batch *batch)
{
	struct sum *sum = ctx;

	if (tt_batch_check(batch, batch->size))
		__builtin_trap();
	for (uint32_t i = 0; i < batch->size; i++)
		sum->bytes += ((const uint8_t *)batch)[i];
	sum->nr_batches++;
	return 0;
}

/* The same bytes as what SystemTap says, and as what a module says of itself. */
static void fuzz_text(const uint8_t *data, size_t size)
{
	struct tt_stap_module module = { .is_ours = false };
	struct tt_stap_words words = { 0 };
	char text[100];

	tt_stap_words_add(&words, (const char *)data, size / 2, NULL, NULL);
	tt_stap_words_add(&words, (const char *)data + size / 2, size - size / 2, NULL, NULL);
	tt_stap_words_end(&words, NULL, NULL);
	tt_stap_words_explain(&words, "release", size % 2 ? 9 : 256, text, sizeof(text));
	if (strlen(text) >= sizeof(text) || strlen(words.detail) >= sizeof(words.detail))
		__builtin_trap();
	tt_stap_parse_modinfo((const char *)data, size, &module);
	if (strlen(module.name) >= sizeof(module.name) || strlen(module.release) >= sizeof(module.release))
		__builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sum sum = { 0 };
	struct tt_stap_streams *s;
	const struct tt_stap_stats *stats;
	uint32_t sequence;
	int err = 0;

	if (size < 1024)
		fuzz_text(data, size);
	if (tt_stap_streams_open(NR_STREAMS, PENDING_MAX, on_batch, &sum, &s))
		return 0;
	stats = tt_stap_streams_stats(s);
	while (!err && size >= 3) {
		uint8_t what = data[0];
		uint16_t len;

		memcpy(&len, data + 1, 2);
		data += 3;
		size -= 3;
		if (len > size)
			len = (uint16_t)size;
		err = tt_stap_streams_push(s, what % NR_STREAMS, data, len);
		if (!err && what & 0x40)
			err = tt_stap_streams_give_up(s);
		if (stats->pending_bytes > PENDING_MAX)
			__builtin_trap();
		data += len;
		size -= len;
	}
	for (unsigned i = 0; !err && i < NR_STREAMS; i++)
		err = tt_stap_streams_end(s, i);
	while (!err && tt_stap_streams_wait(s, &sequence))
		err = tt_stap_streams_give_up(s);
	if (!err && (stats->pending_bytes || stats->nr_batches != sum.nr_batches))
		__builtin_trap();
	tt_stap_streams_close(s);
	return 0;
}

#ifdef TT_FUZZ_STANDALONE
#include "tests/unit/batches.h"

static size_t put_piece(uint8_t *data, uint8_t what, const void *bytes, size_t len)
{
	uint16_t len16 = (uint16_t)len;

	data[0] = what;
	memcpy(data + 1, &len16, 2);
	memcpy(data + 3, bytes, len);
	return 3 + len;
}

static size_t tt_fuzz_seed(unsigned nth, uint8_t *data, size_t max)
{
	static const char words[] = "WARNING: Number of errors: 0, skipped probes: 3\nERROR: Couldn't insert "
				    "module 'x': File exists\n"
				    "name=timethief\0vermagic=6.1.0 SMP\0parmtype=tt_wait:long";
	uint64_t random = 7 + nth;
	size_t size = 0;

	if (nth == 2) {
		memcpy(data, words, sizeof(words));
		return sizeof(words);
	}

	for (uint32_t sequence = 1; nth < 2 && sequence < 24 && size + 3 * TT_BATCH_BYTES_MAX < max;
	     sequence++) {
		uint8_t packet[8 + TT_STAP_PAYLOAD_MAX];
		uint32_t len = 0;
		union tb t;

		for (unsigned i = 0; i < 1 + sequence % 3; i++) {
			if (i % 2) {
				tb_begin(&t, TT_STREAM_RECORDS, TT_CPU_NONE, 1000);
				tb_record(&t, TT_EV_TASK, sizeof(struct tt_task), TT_CPU_NONE, 900);
			} else {
				tb_random_batch(&t, &random);
			}
			if (len + t.b.size > TT_STAP_PAYLOAD_MAX)
				break;
			memcpy(packet + 8 + len, &t, t.b.size);
			len += t.b.size;
		}
		/* the second seed comes in bad order, in two halves, with text between */
		uint32_t told = nth && sequence % 4 == 0 ? sequence + 2 : sequence;
		uint8_t stream = (uint8_t)(sequence * 7 % NR_STREAMS);

		memcpy(packet, &told, 4);
		memcpy(packet + 4, &len, 4);
		size += put_piece(data + size, stream, packet, (8 + len) / 2);
		size += put_piece(data + size, stream | (sequence % 9 ? 0 : 0x40), packet + (8 + len) / 2,
				  8 + len - (8 + len) / 2);
		if (nth)
			size += put_piece(data + size, stream, "WARNING: text\n", 14);
	}
	return size;
}

static void tt_fuzz_repair(uint8_t *data, size_t size)
{
	(void)data;
	(void)size;
}
#endif

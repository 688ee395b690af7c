/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz_pack.c - payloads of session blocks, behind the checksums and the compression that hide them from
 * fuzz_session. The input is the stream's number in one byte, then a payload of any bytes. What unpacks to
 * batches that are well-formed is packed again and must come back bit by bit. */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "collector/event/decode.h"
#include "collector/session/pack.h"

static struct tt_packer *packer;
static struct tt_unpacker *unpacker;

/* The well-formed batches of a payload, one behind the other. */
static void unpack(enum tt_stream stream, const uint8_t *payload, size_t size, struct tt_bytes *batches)
{
	const struct tt_batch *batch;

	if (tt_unpack_start(unpacker, stream, payload, size))
		return;
	while (!tt_unpack_next(unpacker, &batch)) {
		if (batch->size < sizeof(*batch) || batch->size > TT_BATCH_BYTES_MAX)
			__builtin_trap();
		if (batches->size < 1 << 20 && !tt_batch_check(batch, batch->size))
			tt_bytes_append(batches, batch, batch->size);
	}
}

static void round_trip(enum tt_stream stream, const struct tt_bytes *batches)
{
	struct tt_bytes payload = { 0 }, back = { 0 };
	size_t nr_taken;

	for (size_t at = 0; at < batches->size; at += nr_taken) {
		payload.size = back.size = 0;
		if (tt_pack(packer, stream, batches->data + at, batches->size - at, &payload, &nr_taken))
			break;
		unpack(stream, payload.data, payload.size, &back);
		if (back.size != nr_taken || memcmp(back.data, batches->data + at, nr_taken))
			__builtin_trap();
	}
	free(payload.data);
	free(back.data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tt_bytes batches = { 0 };
	enum tt_stream stream;

	if (!size || (!packer && tt_packer_open(&packer)) || (!unpacker && tt_unpacker_open(&unpacker)))
		return 0;
	stream = *data % 2 ? TT_STREAM_SCHED : TT_STREAM_RECORDS;
	unpack(stream, data + 1, size - 1, &batches);
	round_trip(stream, &batches);
	free(batches.data);
	return 0;
}

#ifdef TT_FUZZ_STANDALONE
#include "tests/unit/batches.h"

/* One of each stream. */
static size_t tt_fuzz_seed(unsigned nth, uint8_t *data, size_t max)
{
	struct tt_bytes batches = { 0 }, payload = { 0 };
	uint64_t random = 1;
	size_t nr_taken, size;
	enum tt_stream stream = nth ? TT_STREAM_RECORDS : TT_STREAM_SCHED;
	union tb t;

	if (nth > 1)
		return 0;
	if (!packer && tt_packer_open(&packer))
		exit(1);
	for (unsigned i = 0; i < 20; i++) {
		tb_random_batch(&t, &random);
		if (t.b.stream == stream)
			tt_bytes_append(&batches, &t, t.b.size);
	}
	if (tt_pack(packer, stream, batches.data, batches.size, &payload, &nr_taken) || payload.size >= max)
		exit(1);
	data[0] = stream % 2; /* as LLVMFuzzerTestOneInput tells them apart */
	memcpy(data + 1, payload.data, payload.size);
	size = payload.size + 1;
	free(batches.data);
	free(payload.data);
	return size;
}

static void tt_fuzz_repair(uint8_t *data, size_t size)
{
	(void)data;
	(void)size;
}
#endif

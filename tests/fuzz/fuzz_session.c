/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz_session.c - a session file of any bytes through reader, decode and order. Checksums stop nearly every
 * mutation at once, so the standalone mode makes most of them right again. */
#include "tests/fuzz/fuzz.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "collector/event/order.h"
#include "collector/session/format.h"
#include "collector/session/session.h"

static void on_event(void *ctx, const struct tt_event *ev)
{
	*(uint64_t *)ctx += ev->ts_ns + ev->kind;
}

static int on_batch(void *ctx, const void *data, size_t len)
{
	if (len > TT_BATCH_BYTES_MAX)
		__builtin_trap();
	tt_order_push(ctx, data, len);
	return 0;
}

static int on_epoch(void *ctx, uint64_t until_ts_ns)
{
	return tt_order_epoch(ctx, until_ts_ns);
}

static void replay(const char *path)
{
	static uint64_t sum;
	struct tt_session_reader *reader;
	struct tt_decoder *dec;
	struct tt_order *ord;

	if (tt_decoder_open(&dec))
		return;
	if (!tt_order_open(dec, 1 << 20, on_event, &sum, &ord)) {
		struct tt_sink sink = { ord, on_batch, on_epoch };

		if (!tt_session_open(path, &reader)) {
			while (!tt_session_read_epoch(reader, &sink))
				;
			tt_session_close(reader);
		}
		tt_order_close(ord);
	}
	tt_decoder_close(dec);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static FILE *nowhere;
	FILE *talk = stderr;
	char path[64];
	int fd = memfd_create("session", MFD_CLOEXEC);

	if (!nowhere)
		nowhere = fopen("/dev/null", "w");
	if (fd < 0 || !nowhere)
		return 0;
	if (write(fd, data, size) == (ssize_t)size) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		stderr = nowhere; /* what the reader says; a sanitizer writes to the descriptor itself */
		replay(path);
		stderr = talk;
	}
	close(fd);
	return 0;
}

#ifdef TT_FUZZ_STANDALONE
#include <stdlib.h>

#include "tests/unit/batches.h"

/* A short recording, by way of a file. */
static size_t tt_fuzz_seed(unsigned nth, uint8_t *data, size_t max)
{
	static const struct tt_info info = { .hostname = "fuzz", .nr_probes = 1 };
	static const struct tt_summary summary = { .ended_by = "signal" };
	char dir[] = "/tmp/tt-fuzz-XXXXXX", path[64];
	struct tt_session_writer *w;
	uint64_t random = 1;
	size_t size;
	union tb t;
	FILE *file;

	if (nth)
		return 0;
	if (!mkdtemp(dir))
		exit(1);
	snprintf(path, sizeof(path), "%s/seed.tt", dir);
	if (tt_session_create(path, &info, 0, &w))
		exit(1);
	for (unsigned i = 0; i < 12; i++) {
		tb_random_batch(&t, &random);
		tt_session_write_batch(w, &t, t.b.size);
		if (i % 4 == 3)
			tt_session_write_epoch(w, 1000 * i);
	}
	tt_session_write_end(w, &summary);
	tt_session_writer_close(w);
	file = fopen(path, "rb");
	size = file ? fread(data, 1, max, file) : 0;
	if (file)
		fclose(file);
	unlink(path);
	rmdir(dir);
	return size;
}

/* Numbers, sizes that the file still has, and checksums: so that the payloads are what is tested. */
static void tt_fuzz_repair(uint8_t *data, size_t size)
{
	size_t at = sizeof(struct tt_file_header);
	struct tt_block_header head;

	for (uint32_t number = 0; at + sizeof(head) <= size; number++) {
		memcpy(&head, data + at, sizeof(head));
		head.magic = TT_BLOCK_MAGIC;
		head.number = number;
		if (head.packed_size > size - at - sizeof(head))
			head.packed_size = (uint32_t)(size - at - sizeof(head));
		head.head_check = (uint32_t)XXH64(&head, offsetof(struct tt_block_header, head_check), 0);
		head.check = tt_block_check(&head, data + at + sizeof(head));
		memcpy(data + at, &head, sizeof(head));
		at += sizeof(head) + head.packed_size;
	}
}
#endif

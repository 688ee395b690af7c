/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz_answer.c - a worker that says anything. The input is its messages: u16 bytes that follow, those bytes. */
#include "tests/fuzz/fuzz.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "collector/symbol/debug_files.h"
#include "collector/symbol/resolver.h"

static int root_fd = -1; /* of an empty directory */

static int on_need(void *ctx, const struct tt_message_need *need, uint32_t *attempt)
{
	const struct tt_debug_places places = { -1, root_fd, "/bin/a" };

	(void)ctx;
	return tt_debug_file_open(&places, need, attempt);
}

static int on_answer(void *ctx, uint32_t nth, const void *bytes, size_t len, const struct tt_answer *answer)
{
	uint64_t *sum = ctx;

	if (nth > 3 || len % 8 || answer->nr_frames > TT_ANSWER_FRAMES_MAX)
		__builtin_trap();
	for (unsigned i = 0; i < answer->nr_frames; i++) {
		const struct tt_slice slices[] = { answer->frames[i].name, answer->frames[i].file };

		for (unsigned n = 0; n < 2; n++) {
			if (slices[n].len > TT_NAME_BYTES_MAX || slices[n].text < (const char *)bytes ||
			    slices[n].text + slices[n].len > (const char *)bytes + len)
				__builtin_trap();
			for (size_t at = 0; at < slices[n].len; at++)
				*sum += (unsigned char)slices[n].text[at];
		}
	}
	return 0;
}

/* The same bytes as one answer, with nothing behind them. */
static void fuzz_decode(const uint8_t *data, size_t size)
{
	static struct tt_answer answer;
	char *copy = malloc(size ? size : 1);

	if (!copy)
		return;
	memcpy(copy, data, size);
	if (tt_answer_decode(copy, size, &answer) > (ssize_t)size)
		__builtin_trap();
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct tt_lookup lookups[4];
	uint64_t sum = 0;
	const struct tt_job_owner owner = { &sum, on_need, NULL, on_answer };
	struct tt_job *job;
	int pair[2], ret = 1;

	fuzz_decode(data, size);
	if (root_fd < 0)
		root_fd = open("/proc/self/fdinfo", O_PATH);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return 0;
	if (tt_job_adopt(pair[0], lookups, 4, &owner, &job)) {
		close(pair[1]);
		return 0;
	}
	while (ret == 1 && size > 2) {
		uint16_t len;

		memcpy(&len, data, 2);
		data += 2;
		size -= 2;
		if (len > size)
			len = (uint16_t)size;
		if (!len || tt_message_send(pair[1], data, len, NULL, 0))
			break;
		ret = tt_job_step(job, 0);
		data += len;
		size -= len;
	}
	tt_job_close(job);
	close(pair[1]);
	return 0;
}

#ifdef TT_FUZZ_STANDALONE
static size_t put(uint8_t *data, size_t size, const void *message, uint16_t len)
{
	memcpy(data + size, &len, 2);
	memcpy(data + size + 2, message, len);
	return size + 2 + len;
}

static size_t tt_fuzz_seed(unsigned nth, uint8_t *data, size_t max)
{
	static struct {
		struct tt_message_answers head;
		_Alignas(8) char bytes[4096];
	} answers;
	const struct tt_message_need need = {
		.type = TT_MESSAGE_NEED, .what = 1 + nth % 2, .build_id = { 20, "id" }, .name = "a.debug"
	};
	const struct tt_message_loaded loaded = { .type = TT_MESSAGE_LOADED, .nr_symbols = 3 };
	const struct tt_answer answer = {
		.has_address = true,
		.address = 4,
		.nr_frames = 2,
		.frames = { { .name = { "inner", 5 }, .file = { "a.c", 3 }, .line = 5 },
			    { .name = { "outer", 5 }, .offset = 7 } },
	};
	size_t size = 0, len = 0;

	if (nth > 1 || max < 65536)
		return 0;
	size = put(data, size, &need, sizeof(need));
	size = put(data, size, &loaded, sizeof(loaded));
	for (unsigned i = 0; i < 4; i++) {
		len += tt_answer_encode(&answer, answers.bytes + len);
		answers.head = (struct tt_message_answers){ TT_MESSAGE_ANSWERS, nth ? i + 1 : 1 };
		if (nth && i < 3)
			continue;
		size = put(data, size, &answers, (uint16_t)(sizeof(answers.head) + len));
		len = 0;
	}
	return size;
}

static void tt_fuzz_repair(uint8_t *data, size_t size)
{
	(void)data;
	(void)size;
}
#endif

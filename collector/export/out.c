/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/export/out.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "collector/base/log.h"
#include "collector/base/write.h"
#include "collector/session/output.h"

enum { BUFFER_BYTES = 256 << 10 };

static int open_buffer(struct tt_out *out)
{
	*out = (struct tt_out){ .fd = -1 };
	out->buffer = malloc(BUFFER_BYTES);
	if (!out->buffer)
		return -ENOMEM;
	out->at = out->buffer;
	out->end = out->buffer + BUFFER_BYTES;
	return 0;
}

int tt_out_open_fd(int fd, struct tt_out *out)
{
	int err = open_buffer(out);

	out->fd = fd;
	return err;
}

int tt_out_open(const char *path, bool is_binary, struct tt_out *out)
{
	bool is_stdout = !strcmp(path, "-");
	int err = open_buffer(out);

	if (err) {
		log_error("no memory for the output");
		return err;
	}
	if (is_stdout && is_binary && isatty(STDOUT_FILENO)) {
		log_error("will not write bytes to a terminal; use -o FILE or a pipe");
		err = -EINVAL;
	}
	out->fd = STDOUT_FILENO;
	if (!err && !is_stdout)
		err = tt_output_open(path, &out->file);
	if (err)
		tt_out_close(out);
	return err;
}

static void write_out(struct tt_out *out, const char *data, size_t len)
{
	if (!out->err && len)
		out->err =
			out->file ? tt_output_append(out->file, data, len) : tt_write_all(out->fd, data, len);
	if (!out->err)
		out->nr_bytes += len;
}

void tt_out_flush(struct tt_out *out)
{
	write_out(out, out->buffer, (size_t)(out->at - out->buffer));
	out->at = out->buffer;
}

int tt_out_finish(struct tt_out *out)
{
	size_t left = (size_t)(out->at - out->buffer);

	if (!out->err && out->file)
		out->err = tt_output_append_last(out->file, out->buffer, left);
	else
		tt_out_flush(out);
	out->at = out->buffer;
	if (out->err && out->err != -EPIPE)
		log_error("cannot write to %s: %s",
			  out->file ? tt_output_path(out->file) : "the standard output", strerror(-out->err));
	if (!out->err && out->file) {
		tt_output_close(out->file);
		out->file = NULL;
	}
	return out->err;
}

void tt_out_close(struct tt_out *out)
{
	if (out->file) {
		tt_output_undo(out->file);
		tt_output_close(out->file);
	}
	free(out->buffer);
	*out = (struct tt_out){ .fd = -1 };
}

void tt_out_bytes(struct tt_out *out, const void *data, size_t len)
{
	if (len > (size_t)(out->end - out->at))
		tt_out_flush(out);
	if (len > BUFFER_BYTES) {
		write_out(out, data, len);
		return;
	}
	memcpy(out->at, data, len);
	out->at += len;
}

void tt_out_char(struct tt_out *out, char c)
{
	tt_out_room(out, 1);
	*out->at++ = c;
}

void tt_out_u64(struct tt_out *out, uint64_t value)
{
	tt_out_room(out, 20);
	out->at = tt_put_u64(out->at, value, 0);
}

void tt_out_json(struct tt_out *out, const char *utf8)
{
	tt_out_char(out, '"');
	for (;;) {
		size_t len = strcspn(utf8, "\"\\");

		tt_out_bytes(out, utf8, len);
		if (!utf8[len])
			break;
		tt_out_char(out, '\\');
		tt_out_char(out, utf8[len]);
		utf8 += len + 1;
	}
	tt_out_char(out, '"');
}

static const char pairs[] =
	"0001020304050607080910111213141516171819202122232425262728293031323334353637383940414243444546474849"
	"5"
	"0515253545556575859606162636465666768697071727374757677787980818283848586878889909192939495969798"
	"99";

char *tt_put_u64(char *to, uint64_t value, unsigned width)
{
	char digits[20], *first = digits + sizeof(digits);
	size_t nr;

	for (; value >= 100; value /= 100)
		memcpy(first -= 2, pairs + 2 * (value % 100), 2);
	if (value >= 10)
		memcpy(first -= 2, pairs + 2 * value, 2);
	else
		*--first = (char)('0' + value);
	nr = (size_t)(digits + sizeof(digits) - first);
	for (; width > nr; width--)
		*to++ = ' ';
	memcpy(to, first, nr);
	return to + nr;
}

char *tt_put_seconds(char *to, uint64_t ts_ns)
{
	uint32_t us = (uint32_t)(ts_ns / 1000 % 1000000);

	to = tt_put_u64(to, ts_ns / 1000000000, 0);
	*to++ = '.';
	memcpy(to, pairs + 2 * (us / 10000), 2);
	memcpy(to + 2, pairs + 2 * (us / 100 % 100), 2);
	memcpy(to + 4, pairs + 2 * (us % 100), 2);
	return to + 6;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* out - where text and exports go: a file or stdout behind one large buffer, because millions of lines are written.
 *
 * Writing never fails on the spot: the first error stays (tt_out_error), what comes after it goes nowhere, and tt_out_finish tells it.
 * Who writes for long asks tt_out_error now and then and stops.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { TT_OUT_ROOM_MAX = 64 << 10 }; /* most that can be asked for at once (tt_out_room) */

struct tt_out {
	char *at, *end; /* of the buffer: where the next byte goes */
	char *buffer;
	struct tt_output *file; /* NULL = fd */
	int fd;
	int err;
	uint64_t nr_bytes; /* written out of the buffer before */
};

/* "-" is stdout. A file is created as a session is (session/output.h): what was there becomes path.old, no symbolic link is
 * followed. Bytes that are no text are refused to a terminal. Logs; -errno. */
int tt_out_open(const char *path, bool is_binary, struct tt_out *out);
/* To a descriptor, which stays the caller's. -ENOMEM. */
int tt_out_open_fd(int fd, struct tt_out *out);
/* Everything out of the buffer. 0; -EPIPE: who read stdout has left, which is no failure; else logged. */
int tt_out_finish(struct tt_out *out);
/* A file that was not finished, or not without error, is removed, and what was there before is back. */
void tt_out_close(struct tt_out *out);

static inline int tt_out_error(const struct tt_out *out)
{
	return out->err;
}

void tt_out_flush(struct tt_out *out);

/* Room for size bytes (at most TT_OUT_ROOM_MAX) at out->at, which the caller moves on by what it used. */
static inline char *tt_out_room(struct tt_out *out, size_t size)
{
	if ((size_t)(out->end - out->at) < size)
		tt_out_flush(out);
	return out->at;
}

void tt_out_bytes(struct tt_out *out, const void *data, size_t len);
static inline void tt_out_text(struct tt_out *out, const char *text)
{
	tt_out_bytes(out, text, strlen(text));
}
void tt_out_char(struct tt_out *out, char c);
void tt_out_u64(struct tt_out *out, uint64_t value);
/* A JSON string with its quotes. utf8 is valid UTF-8 without control characters, as tt_escape makes it; jansson would want the whole
 * document in memory first, several hundred bytes a node. */
void tt_out_json(struct tt_out *out, const char *utf8);

/* The digits of value from to on, right-aligned in width blanks; returns behind the last. */
char *tt_put_u64(char *to, uint64_t value, unsigned width);
/* "SEC.UUUUUU", cut, not rounded. */
char *tt_put_seconds(char *to, uint64_t ts_ns);

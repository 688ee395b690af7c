/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/export/stack_text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "collector/aggregate/index.h"
#include "collector/export/name.h"

enum {
	KEPT_BYTES_MAX = 8 << 20,
	NR_CELLS = 1 << 16, /* half of them are used at most */
	NR_FRAMES_MAX = 1 << 17,
	FRAME_BYTES_MAX = 16 << 20,
	ADDRESS_WIDTH = 16,
};

/* All that the text depends on. Zeroed before it is filled: padding counts. */
struct key {
	uint64_t kstack, ustack, waker_kstack, waker_ustack;
	uint32_t trim, waker_tid;
	uint8_t has_waker, waker_is_interrupt;
	char instead[22];
	char waker_comm[TT_COMM_LEN + 1];
	char top[167];
};

struct cell {
	struct key *key; /* NULL = free */
	const char *text;
	size_t len;
};

struct tt_stack_text {
	const struct tt_stacks *stacks;
	bool with_wakers;
	struct cell *cells;
	unsigned nr_used;
	char *kept; /* keys and texts, one behind the other */
	size_t nr_kept;
	char *text; /* of the stack at hand */
	size_t nr_text, nr_text_max;
	bool no_memory;
	/* " function (file)\n" by tt_frame_key, where in frame_bytes */
	struct tt_index by_frame;
	char *frame_bytes;
	uint32_t nr_frame_bytes;
	struct tt_frame_info frames[TT_FRAMES_MAX];
};

int tt_stack_text_open(const struct tt_stacks *stacks, bool with_wakers, struct tt_stack_text **ret_st)
{
	struct tt_stack_text *st = calloc(1, sizeof(*st));

	if (!st)
		return -ENOMEM;
	st->stacks = stacks;
	st->with_wakers = with_wakers;
	st->cells = calloc(NR_CELLS, sizeof(*st->cells));
	st->kept = malloc(KEPT_BYTES_MAX);
	st->frame_bytes = malloc(FRAME_BYTES_MAX);
	if (!st->cells || !st->kept || !st->frame_bytes || tt_index_open(&st->by_frame, NR_FRAMES_MAX)) {
		tt_stack_text_close(st);
		return -ENOMEM;
	}
	*ret_st = st;
	return 0;
}

void tt_stack_text_close(struct tt_stack_text *st)
{
	if (!st)
		return;
	free(st->cells);
	free(st->kept);
	free(st->frame_bytes);
	tt_index_close(&st->by_frame);
	free(st->text);
	free(st);
}

static void add(struct tt_stack_text *st, const char *bytes, size_t len)
{
	if (st->nr_text + len > st->nr_text_max) {
		size_t nr_max = 2 * (st->nr_text + len);
		char *text = realloc(st->text, nr_max);

		if (!text) {
			st->no_memory = true;
			return;
		}
		st->text = text;
		st->nr_text_max = nr_max;
	}
	memcpy(st->text + st->nr_text, bytes, len);
	st->nr_text += len;
}

static void add_address(struct tt_stack_text *st, uint64_t ip)
{
	char digits[ADDRESS_WIDTH];
	unsigned i = ADDRESS_WIDTH;

	do
		digits[--i] = "0123456789abcdef"[ip & 15];
	while (ip >>= 4);
	memset(digits, ' ', i);
	add(st, digits, sizeof(digits));
}

static void add_name(struct tt_stack_text *st, const struct tt_frame_info *f)
{
	char name[TT_NAME_FRAME_MAX];

	add(st, " ", 1);
	tt_name_function(name, sizeof(name), f, TT_NAME_TEXT);
	add(st, name, strlen(name));
	add(st, " (", 2);
	tt_name_file(name, sizeof(name), f, TT_NAME_TEXT);
	add(st, name, strlen(name));
	add(st, ")\n", 2);
}

/* What was added since start is the name of this key. */
static void keep_name(struct tt_stack_text *st, uint64_t key, size_t start)
{
	size_t len = st->nr_text - start;

	if (len + 1 > FRAME_BYTES_MAX - st->nr_frame_bytes || st->no_memory)
		return;
	memcpy(st->frame_bytes + st->nr_frame_bytes, st->text + start, len);
	st->frame_bytes[st->nr_frame_bytes + len] = '\0';
	if (tt_index_put(&st->by_frame, key, st->nr_frame_bytes))
		st->nr_frame_bytes += (uint32_t)len + 1;
}

static void add_frame(struct tt_stack_text *st, const struct tt_frame_info *f)
{
	uint64_t key = tt_frame_key(f);
	uint32_t at = key ? tt_index_find(&st->by_frame, key) : TT_INDEX_NONE;
	size_t start;

	add(st, "\t", 1);
	add_address(st, f->ip);
	start = st->nr_text;
	if (at != TT_INDEX_NONE) {
		add(st, st->frame_bytes + at, strlen(st->frame_bytes + at));
		return;
	}
	add_name(st, f);
	if (key)
		keep_name(st, key, start);
}

static void make_text(struct tt_stack_text *st, const struct tt_hit *hit)
{
	char waker_name[TT_COMM_LEN + 1];
	unsigned nr = tt_frames_of_hit(hit, st->stacks, st->with_wakers ? waker_name : NULL, st->frames);

	st->nr_text = 0;
	for (unsigned i = 0; i < nr; i++)
		add_frame(st, &st->frames[i]);
}

static void make_key(const struct tt_stack_text *st, const struct tt_hit *hit, struct key *key)
{
	memset(key, 0, sizeof(*key));
	key->kstack = hit->kstack;
	key->ustack = hit->ustack;
	key->trim = hit->trim;
	strncpy(key->instead, hit->instead ? hit->instead : "", sizeof(key->instead) - 1);
	strncpy(key->top, hit->top ? hit->top : "", sizeof(key->top) - 1);
	if (!st->with_wakers || !hit->has_waker)
		return;
	key->has_waker = true;
	key->waker_is_interrupt = hit->waker_is_interrupt;
	key->waker_kstack = hit->waker_kstack;
	key->waker_ustack = hit->waker_ustack;
	if (hit->waker_is_interrupt)
		return;
	key->waker_tid = hit->waker_tid;
	strncpy(key->waker_comm, hit->waker_comm, sizeof(key->waker_comm) - 1);
}

static void keep(struct tt_stack_text *st, struct cell *cell, const struct key *key)
{
	char *at;

	if (sizeof(*key) + st->nr_text + 8 > KEPT_BYTES_MAX / 4)
		return; /* one monster must not push out all others */
	if (st->nr_used == NR_CELLS / 2 || sizeof(*key) + st->nr_text + 8 > KEPT_BYTES_MAX - st->nr_kept) {
		memset(st->cells, 0, NR_CELLS * sizeof(*st->cells));
		st->nr_used = 0;
		st->nr_kept = 0; /* the cell is free still */
	}
	at = st->kept + st->nr_kept;
	memcpy(at, key, sizeof(*key));
	memcpy(at + sizeof(*key), st->text, st->nr_text);
	*cell = (struct cell){ (struct key *)at, at + sizeof(*key), st->nr_text };
	st->nr_kept += (sizeof(*key) + st->nr_text + 7) / 8 * 8;
	st->nr_used++;
}

const char *tt_stack_text_get(struct tt_stack_text *st, const struct tt_hit *hit, size_t *ret_len)
{
	struct key key;
	uint64_t i;

	make_key(st, hit, &key);
	i = XXH64(&key, sizeof(key), 0) % NR_CELLS;
	while (st->cells[i].key && memcmp(st->cells[i].key, &key, sizeof(key)))
		i = (i + 1) % NR_CELLS;
	if (st->cells[i].key) {
		*ret_len = st->cells[i].len;
		return st->cells[i].text;
	}
	make_text(st, hit);
	if (st->no_memory)
		return NULL;
	keep(st, &st->cells[i], &key);
	*ret_len = st->nr_text;
	return st->text;
}

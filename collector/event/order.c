/* SPDX-License-Identifier: GPL-2.0-or-later */
/* order.c - see order.h. Two heaps: one of SCHED streams by their next event, one of single records. Nearly
 * all events are switches, and nearly always the stream that is first stays first for a while, so it is
 * drained without touching a heap until it passes the second.
 *
 * Batches are copied into chunks; a chunk is free again when the last batch in it has been decoded.
 */
#include "collector/event/order.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK_BYTES = 64 << 10 };

struct chunk {
	struct chunk *next_free;
	uint32_t nr_used, nr_live; /* bytes handed out; pieces not yet released */
	_Alignas(8) unsigned char data[CHUNK_BYTES];
};

/* A copied SCHED batch that waits in its stream. */
struct piece {
	struct piece *next;
	struct chunk *chunk;
	_Alignas(8) struct tt_batch batch;
};

struct stream {
	struct piece *first, *last; /* first is the one that the cursor is in */
	const struct tt_event *ev;  /* next one; NULL = stream is empty and in no heap */
	uint64_t ts_ns;		    /* ev's */
	uint16_t cpu;
	struct tt_decode_cursor cursor;
};

/* A record of TT_STREAM_RECORDS. */
struct entry {
	uint64_t ts_ns, position;
	const struct tt_record *rec;
	struct chunk *chunk;
	uint16_t cpu; /* of its stream */
	bool is_name; /* or counter: before all else of the same time */
};

struct tt_order {
	struct tt_decoder *dec;
	tt_event_fn fn;
	void *ctx;
	size_t max_bytes, nr_bytes, nr_chunk_bytes; /* of all; of chunks in use */
	struct tt_order_stats stats;
	uint64_t late_before_ts_ns;
	uint64_t next_position;
	struct chunk *current, *free_chunks;
	struct stream *streams[TT_DECODE_CPUS_MAX];
	struct stream **heap; /* of streams with an event */
	unsigned nr_heap, nr_heap_max, nr_streams;
	struct entry *entries; /* heap too */
	size_t nr_entries, nr_entries_max;
};

static void account(struct tt_order *ord, size_t nr_more)
{
	ord->nr_bytes += nr_more;
	if (ord->nr_bytes > ord->stats.peak_bytes)
		ord->stats.peak_bytes = ord->nr_bytes;
}

/* Bytes in a chunk; *ret_chunk has one more live piece then. */
static void *take_bytes(struct tt_order *ord, size_t size, struct chunk **ret_chunk)
{
	struct chunk *ch = ord->current;
	void *bytes;

	if (!ch || CHUNK_BYTES - ch->nr_used < size) {
		ch = ord->free_chunks;
		if (ch)
			ord->free_chunks = ch->next_free;
		else
			ch = malloc(sizeof(*ch));
		if (!ch)
			return NULL;
		ch->nr_used = ch->nr_live = 0;
		account(ord, sizeof(*ch));
		ord->nr_chunk_bytes += sizeof(*ch);
		ord->current = ch;
	}
	bytes = ch->data + ch->nr_used;
	ch->nr_used += (uint32_t)size;
	ch->nr_live++;
	*ret_chunk = ch;
	return bytes;
}

static void release(struct tt_order *ord, struct chunk *ch)
{
	if (--ch->nr_live)
		return;
	ch->nr_used = 0;
	if (ch == ord->current)
		return;
	ch->next_free = ord->free_chunks;
	ord->free_chunks = ch;
	ord->nr_bytes -= sizeof(*ch);
	ord->nr_chunk_bytes -= sizeof(*ch);
}

/* heap of streams */

static bool stream_before(const struct stream *a, const struct stream *b)
{
	return a->ts_ns != b->ts_ns ? a->ts_ns < b->ts_ns : a->cpu < b->cpu;
}

static void sift_stream_up(struct tt_order *ord, unsigned i)
{
	struct stream *s = ord->heap[i];

	for (; i && stream_before(s, ord->heap[(i - 1) / 2]); i = (i - 1) / 2)
		ord->heap[i] = ord->heap[(i - 1) / 2];
	ord->heap[i] = s;
}

static void sift_first_stream_down(struct tt_order *ord)
{
	struct stream *s = ord->heap[0];
	unsigned i = 0, child;

	for (; (child = 2 * i + 1) < ord->nr_heap; i = child) {
		if (child + 1 < ord->nr_heap && stream_before(ord->heap[child + 1], ord->heap[child]))
			child++;
		if (!stream_before(ord->heap[child], s))
			break;
		ord->heap[i] = ord->heap[child];
	}
	ord->heap[i] = s;
}

/* NULL = there is only one. */
static const struct stream *second_stream(const struct tt_order *ord)
{
	if (ord->nr_heap < 2)
		return NULL;
	return ord->nr_heap > 2 && stream_before(ord->heap[2], ord->heap[1]) ? ord->heap[2] : ord->heap[1];
}

/* Moves on to the next event of a stream; ev is NULL when there is none. */
static void stream_next(struct tt_order *ord, struct stream *s)
{
	while (s->first) {
		struct piece *done = s->first;

		s->ev = tt_decode_next(&s->cursor);
		if (s->ev) {
			s->ts_ns = s->ev->ts_ns;
			return;
		}
		s->first = done->next;
		release(ord, done->chunk);
		if (s->first)
			tt_decode_start(ord->dec, &s->cursor, &s->first->batch);
	}
	s->last = NULL;
	s->ev = NULL;
}

/* heap of records */

static bool entry_before(const struct entry *a, const struct entry *b)
{
	if (a->ts_ns != b->ts_ns)
		return a->ts_ns < b->ts_ns;
	if (a->is_name != b->is_name)
		return a->is_name;
	return a->cpu != b->cpu ? a->cpu < b->cpu : a->position < b->position;
}

static void push_entry(struct tt_order *ord, const struct entry *e)
{
	size_t i = ord->nr_entries++;

	for (; i && entry_before(e, &ord->entries[(i - 1) / 2]); i = (i - 1) / 2)
		ord->entries[i] = ord->entries[(i - 1) / 2];
	ord->entries[i] = *e;
}

static struct entry pop_entry(struct tt_order *ord)
{
	struct entry first = ord->entries[0], last = ord->entries[--ord->nr_entries];
	size_t i = 0, child;

	for (; (child = 2 * i + 1) < ord->nr_entries; i = child) {
		if (child + 1 < ord->nr_entries &&
		    entry_before(&ord->entries[child + 1], &ord->entries[child]))
			child++;
		if (!entry_before(&ord->entries[child], &last))
			break;
		ord->entries[i] = ord->entries[child];
	}
	ord->entries[i] = last;
	return first;
}

static bool entry_before_stream(const struct entry *e, const struct stream *s)
{
	if (e->ts_ns != s->ts_ns)
		return e->ts_ns < s->ts_ns;
	return e->is_name || e->cpu < s->cpu;
}

static int reserve_entries(struct tt_order *ord, size_t nr_more)
{
	size_t nr_max = ord->nr_entries_max ? ord->nr_entries_max : 1024;
	struct entry *entries;

	while (nr_max - ord->nr_entries < nr_more)
		nr_max *= 2;
	if (nr_max == ord->nr_entries_max)
		return 0;
	entries = reallocarray(ord->entries, nr_max, sizeof(*entries));
	if (!entries)
		return -ENOMEM;
	account(ord, (nr_max - ord->nr_entries_max) * sizeof(*entries));
	ord->entries = entries;
	ord->nr_entries_max = nr_max;
	return 0;
}

/* delivery */

static void deliver(struct tt_order *ord, const struct tt_event *ev)
{
	ord->stats.nr_delivered++;
	if (ev->ts_ns < ord->late_before_ts_ns)
		ord->stats.nr_late++;
	ord->fn(ord->ctx, ev);
}

static void deliver_entry(struct tt_order *ord)
{
	struct entry e = pop_entry(ord);
	struct tt_ev_record ev = tt_decode_record_event(e.rec);

	deliver(ord, &ev.ev);
	release(ord, e.chunk);
}

/* Drains the first stream for as long as it stays first and up to until. */
static void deliver_stream(struct tt_order *ord, uint64_t until_ts_ns)
{
	struct stream *s = ord->heap[0];
	const struct stream *second = second_stream(ord);
	const struct entry *e = ord->nr_entries ? &ord->entries[0] : NULL;

	do {
		deliver(ord, s->ev);
		stream_next(ord, s);
	} while (s->ev && s->ts_ns <= until_ts_ns && (!second || stream_before(s, second)) &&
		 (!e || !entry_before_stream(e, s)));
	if (!s->ev)
		ord->heap[0] = ord->heap[--ord->nr_heap];
	if (ord->nr_heap)
		sift_first_stream_down(ord);
}

/* Delivers the next event (or a run of them) up to until. false = there is none. */
static bool deliver_some(struct tt_order *ord, uint64_t until_ts_ns)
{
	const struct stream *s = ord->nr_heap ? ord->heap[0] : NULL;
	const struct entry *e = ord->nr_entries ? &ord->entries[0] : NULL;

	if (e && (!s || entry_before_stream(e, s))) {
		if (e->ts_ns > until_ts_ns)
			return false;
		deliver_entry(ord);
		return true;
	}
	if (!s || s->ts_ns > until_ts_ns)
		return false;
	deliver_stream(ord, until_ts_ns);
	return true;
}

static void make_room(struct tt_order *ord)
{
	uint64_t nr_before = ord->stats.nr_delivered;
	size_t nr_enough = ord->nr_chunk_bytes / 2;

	if (ord->nr_bytes <= ord->max_bytes)
		return;
	while (ord->nr_chunk_bytes > nr_enough && deliver_some(ord, UINT64_MAX))
		;
	ord->stats.nr_forced += ord->stats.nr_delivered - nr_before;
}

/* pushing */

static struct stream *stream_of(struct tt_order *ord, unsigned cpu)
{
	struct stream *s = ord->streams[cpu];

	if (s)
		return s;
	if (ord->nr_streams == ord->nr_heap_max) {
		unsigned nr_max = ord->nr_heap_max ? 2 * ord->nr_heap_max : 16;
		struct stream **heap = reallocarray(ord->heap, nr_max, sizeof(*heap));

		if (!heap)
			return NULL;
		ord->heap = heap;
		ord->nr_heap_max = nr_max;
	}
	s = calloc(1, sizeof(*s));
	if (!s)
		return NULL;
	s->cpu = (uint16_t)cpu;
	ord->streams[cpu] = s;
	ord->nr_streams++;
	account(ord, sizeof(*s));
	return s;
}

static int push_sched(struct tt_order *ord, const struct tt_batch *batch, size_t len)
{
	struct stream *s = stream_of(ord, batch->cpu);
	struct chunk *ch;
	struct piece *piece;

	if (!s)
		return -ENOMEM;
	piece = take_bytes(ord, offsetof(struct piece, batch) + len, &ch);
	if (!piece)
		return -ENOMEM;
	piece->next = NULL;
	piece->chunk = ch;
	memcpy(&piece->batch, batch, len);
	if (s->last) {
		s->last->next = piece;
		s->last = piece;
		return 0;
	}
	s->first = s->last = piece;
	tt_decode_start(ord->dec, &s->cursor, &piece->batch);
	stream_next(ord, s);
	if (s->ev) {
		ord->heap[ord->nr_heap++] = s;
		sift_stream_up(ord, ord->nr_heap - 1);
	}
	return 0;
}

static bool is_name_or_counter(unsigned kind)
{
	const char *shape = tt_kind_shape(kind);

	return shape && (!strcmp(shape, "NAME") || !strcmp(shape, "COUNTER"));
}

/* rec lies in chunk, or in the cursor (a loss that decode made) and is copied. */
static int add_entry(struct tt_order *ord, const struct tt_ev_record *ev, bool made, unsigned cpu,
		     struct chunk *ch)
{
	struct entry e = {
		.ts_ns = ev->ev.ts_ns, .position = ord->next_position++, .rec = ev->rec, .chunk = ch
	};

	e.cpu = (uint16_t)cpu;
	e.is_name = is_name_or_counter(ev->ev.kind);
	if (made) {
		void *copy = take_bytes(ord, sizeof(struct tt_loss), &e.chunk);

		if (!copy)
			return -ENOMEM;
		memcpy(copy, ev->rec, sizeof(struct tt_loss));
		e.rec = copy;
	} else {
		ch->nr_live++;
	}
	push_entry(ord, &e);
	return 0;
}

static int push_records(struct tt_order *ord, const struct tt_batch *batch, size_t len)
{
	struct tt_decode_cursor cursor;
	const struct tt_event *ev;
	struct chunk *ch;
	void *copy;
	int err = reserve_entries(ord, batch->nr_records + TT_LOSS_NR);

	if (err)
		return err;
	copy = take_bytes(ord, len, &ch);
	if (!copy)
		return -ENOMEM;
	memcpy(copy, batch, len);
	tt_decode_start(ord->dec, &cursor, copy);
	while ((ev = tt_decode_next(&cursor)) && !err) {
		const struct tt_ev_record *rec = (const struct tt_ev_record *)ev;

		err = add_entry(ord, rec, rec->rec == &cursor.loss.rec, batch->cpu, ch);
	}
	release(ord, ch); /* the records hold it now */
	return err;
}

int tt_order_push(struct tt_order *ord, const void *data, size_t len)
{
	const struct tt_batch *batch = data;
	int err = tt_decode_admit(ord->dec, data, len);

	if (err)
		return err;
	make_room(ord);
	return batch->stream == TT_STREAM_SCHED ? push_sched(ord, batch, len) : push_records(ord, batch, len);
}

int tt_order_epoch(struct tt_order *ord, uint64_t until_ts_ns)
{
	/* with a record that is not there, so that who reads it before looking at the kind reads NULL */
	struct tt_ev_record epoch = {
		.ev = { .kind = TT_EV_EPOCH, .cpu = TT_CPU_NONE, .ts_ns = until_ts_ns }
	};

	while (deliver_some(ord, until_ts_ns))
		;
	if (until_ts_ns >= ord->late_before_ts_ns)
		ord->late_before_ts_ns = until_ts_ns == UINT64_MAX ? until_ts_ns : until_ts_ns + 1;
	ord->fn(ord->ctx, &epoch.ev);
	return 0;
}

int tt_order_open(struct tt_decoder *dec, size_t max_bytes, tt_event_fn fn, void *ctx,
		  struct tt_order **ret_ord)
{
	struct tt_order *ord = calloc(1, sizeof(*ord));

	if (!ord)
		return -ENOMEM;
	ord->dec = dec;
	ord->fn = fn;
	ord->ctx = ctx;
	ord->max_bytes = max_bytes;
	account(ord, sizeof(*ord));
	*ret_ord = ord;
	return 0;
}

/* A chunk is reached from what lives in it, once each. */
static void free_pending(struct tt_order *ord)
{
	for (unsigned cpu = 0; cpu < TT_DECODE_CPUS_MAX; cpu++) {
		struct stream *s = ord->streams[cpu];

		while (s && s->first) {
			struct piece *piece = s->first;

			s->first = piece->next;
			release(ord, piece->chunk);
		}
		free(s);
	}
	while (ord->nr_entries)
		release(ord, ord->entries[--ord->nr_entries].chunk);
}

void tt_order_close(struct tt_order *ord)
{
	if (!ord)
		return;
	free_pending(ord);
	while (ord->free_chunks) {
		struct chunk *next = ord->free_chunks->next_free;

		free(ord->free_chunks);
		ord->free_chunks = next;
	}
	free(ord->current);
	free(ord->heap);
	free(ord->entries);
	free(ord);
}

const struct tt_order_stats *tt_order_stats(const struct tt_order *ord)
{
	return &ord->stats;
}

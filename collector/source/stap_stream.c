/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/source/stap_stream.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "collector/event/decode.h"

enum {
	PACKET_BYTES_MAX = TT_STAP_HEAD_BYTES + TT_STAP_PAYLOAD_MAX,
	PACKET_BYTES_MIN = TT_STAP_HEAD_BYTES + sizeof(struct tt_batch),
	STREAM_BYTES = 2 * PACKET_BYTES_MAX, /* a packet, and as much again that came with its end */
};

struct packet_head {
	uint32_t sequence, len;
};

struct stream {
	uint32_t have, last_sequence;
	bool seen, skipping;
	uint64_t offset;	/* of bytes[0] in the stream */
	uint64_t garbage_bytes; /* in a row */
	_Alignas(8) unsigned char bytes[STREAM_BYTES];
};

struct pending {
	uint32_t len;
	_Alignas(8) unsigned char payload[];
};

struct tt_stap_streams {
	struct tt_stap_stats stats;
	tt_stap_batch_fn fn;
	void *ctx;
	uint32_t next; /* the sequence that comes next */
	uint32_t nr_pending;
	size_t max_pending_bytes;
	unsigned nr_streams;
	struct pending **pending; /* TT_STAP_WINDOW of them, by the low bits of the sequence */
	struct stream streams[];
};

int tt_stap_streams_open(unsigned nr_streams, size_t max_pending_bytes, tt_stap_batch_fn fn, void *ctx,
			 struct tt_stap_streams **ret)
{
	struct tt_stap_streams *s = calloc(1, sizeof(*s) + nr_streams * sizeof(s->streams[0]));

	if (!s)
		return -ENOMEM;
	s->pending = calloc(TT_STAP_WINDOW, sizeof(*s->pending));
	if (!s->pending) {
		free(s);
		return -ENOMEM;
	}
	s->nr_streams = nr_streams;
	s->max_pending_bytes = max_pending_bytes ? max_pending_bytes : 16 << 20;
	s->fn = fn;
	s->ctx = ctx;
	s->next = 1;
	*ret = s;
	return 0;
}

void tt_stap_streams_close(struct tt_stap_streams *s)
{
	if (!s)
		return;
	for (unsigned i = 0; i < TT_STAP_WINDOW; i++)
		free(s->pending[i]);
	free(s->pending);
	free(s);
}

const struct tt_stap_stats *tt_stap_streams_stats(const struct tt_stap_streams *s)
{
	return &s->stats;
}

/* --- in the order of sequences --- */

static struct pending **slot_of(struct tt_stap_streams *s, uint32_t sequence)
{
	return &s->pending[sequence % TT_STAP_WINDOW];
}

/* The payload has been checked. */
static int deliver(struct tt_stap_streams *s, const unsigned char *payload, uint32_t len)
{
	s->next++;
	s->stats.nr_packets++;
	for (uint32_t at = 0; at < len;) {
		const struct tt_batch *batch = (const void *)(payload + at);
		int err;

		s->stats.nr_batches++;
		at += batch->size;
		err = s->fn(s->ctx, batch);
		if (err)
			return err;
	}
	return 0;
}

static int deliver_pending(struct tt_stap_streams *s)
{
	int err = 0;

	while (!err && s->nr_pending && *slot_of(s, s->next)) {
		struct pending **slot = slot_of(s, s->next), *p = *slot;

		*slot = NULL;
		s->nr_pending--;
		s->stats.pending_bytes -= p->len;
		err = deliver(s, p->payload, p->len);
		free(p);
	}
	return err;
}

bool tt_stap_streams_wait(const struct tt_stap_streams *s, uint32_t *ret_sequence)
{
	*ret_sequence = s->next;
	return s->nr_pending != 0;
}

int tt_stap_streams_give_up(struct tt_stap_streams *s)
{
	if (!s->nr_pending)
		return 0;
	while (!*slot_of(s, s->next)) {
		s->next++;
		s->stats.nr_missing++;
	}
	return deliver_pending(s);
}

static int put_pending(struct tt_stap_streams *s, uint32_t sequence, const unsigned char *payload,
		       uint32_t len)
{
	struct pending **slot = slot_of(s, sequence), *p;

	if (*slot) {
		s->stats.nr_refused++;
		return 0;
	}
	p = malloc(sizeof(*p) + len);
	if (!p)
		return -ENOMEM;
	p->len = len;
	memcpy(p->payload, payload, len);
	*slot = p;
	s->nr_pending++;
	s->stats.pending_bytes += len;
	if (s->stats.pending_bytes > s->stats.peak_pending_bytes)
		s->stats.peak_pending_bytes = s->stats.pending_bytes;
	return 0;
}

static int take_packet(struct tt_stap_streams *s, struct stream *st, uint32_t sequence,
		       const unsigned char *payload, uint32_t len)
{
	int32_t ahead = (int32_t)(sequence - s->next);
	int err;

	/* a CPU writes in the order of its sequences */
	if (ahead < 0 || (st->seen && (int32_t)(sequence - st->last_sequence) <= 0)) {
		s->stats.nr_refused++;
		return 0;
	}
	st->seen = true;
	st->last_sequence = sequence;
	if (!ahead) {
		err = deliver(s, payload, len);
		return err ? err : deliver_pending(s);
	}
	err = put_pending(s, sequence, payload, len);
	while (!err && s->stats.pending_bytes > s->max_pending_bytes)
		err = tt_stap_streams_give_up(s);
	return err;
}

/* --- out of the bytes --- */

/* Whether what begins here can be a packet, as far as its first PACKET_BYTES_MIN bytes tell. */
static bool looks_like_packet(const struct tt_stap_streams *s, const unsigned char *at)
{
	struct packet_head head;
	struct tt_batch batch;
	int32_t ahead;

	memcpy(&head, at, sizeof(head));
	memcpy(&batch, at + sizeof(head), sizeof(batch));
	ahead = (int32_t)(head.sequence - s->next);
	/* one that is too late, by however much, is a packet, too: take_packet() refuses it */
	return ahead < TT_STAP_WINDOW && head.len >= sizeof(batch) &&
	       head.len <= TT_STAP_PAYLOAD_MAX && batch.size >= sizeof(batch) && batch.size <= head.len &&
	       batch.size % 8 == 0 && batch.version == TT_WIRE_VERSION &&
	       (batch.stream == TT_STREAM_SCHED || batch.stream == TT_STREAM_RECORDS);
}

static bool is_whole(const unsigned char *payload, uint32_t len)
{
	for (uint32_t at = 0; at < len;) {
		const struct tt_batch *batch = (const void *)(payload + at);

		if (len - at < sizeof(*batch) || batch->size > len - at || tt_batch_check(batch, batch->size))
			return false;
		at += batch->size;
	}
	return true;
}

static void skip_byte(struct tt_stap_streams *s, struct stream *st, uint64_t offset)
{
	if (!st->skipping) {
		if (!s->stats.nr_skips++) {
			s->stats.skip_stream = (unsigned)(st - s->streams);
			s->stats.skip_offset = offset;
		}
		st->skipping = true;
	}
	s->stats.skipped_bytes++;
	st->garbage_bytes++;
}

/* Takes what is whole from the head of st->bytes. At the end of a stream nothing can become whole any more. */
static int parse(struct tt_stap_streams *s, struct stream *st, bool is_end)
{
	_Alignas(8) unsigned char copy[TT_STAP_PAYLOAD_MAX];
	uint32_t at = 0, left;
	int err = 0;

	while (!err && (left = st->have - at) > 0) {
		const unsigned char *payload = st->bytes + at + TT_STAP_HEAD_BYTES;
		struct packet_head head;

		if (left < PACKET_BYTES_MIN && !is_end)
			break;
		if (left < PACKET_BYTES_MIN || !looks_like_packet(s, st->bytes + at)) {
			skip_byte(s, st, st->offset + at++);
			continue;
		}
		memcpy(&head, st->bytes + at, sizeof(head));
		if (left - TT_STAP_HEAD_BYTES < head.len) {
			if (!is_end)
				break;
			skip_byte(s, st, st->offset + at++);
			continue;
		}
		if ((uintptr_t)payload % 8)
			payload = memcpy(copy, payload, head.len);
		if (!is_whole(payload, head.len)) {
			skip_byte(s, st, st->offset + at++);
			continue;
		}
		st->skipping = false;
		st->garbage_bytes = 0;
		err = take_packet(s, st, head.sequence, payload, head.len);
		at += TT_STAP_HEAD_BYTES + head.len;
	}
	st->have -= at;
	st->offset += at;
	memmove(st->bytes, st->bytes + at, st->have);
	if (!err && st->garbage_bytes >= TT_STAP_GARBAGE_MAX) {
		s->stats.skip_stream = (unsigned)(st - s->streams);
		s->stats.skip_offset = st->offset - st->garbage_bytes;
		err = -EBADMSG;
	}
	return err;
}

int tt_stap_streams_push(struct tt_stap_streams *s, unsigned stream, const void *data, size_t len)
{
	const unsigned char *from = data;
	struct stream *st = &s->streams[stream];
	int err = 0;

	assert(stream < s->nr_streams);
	while (!err && len) {
		size_t room = sizeof(st->bytes) - st->have, part = len < room ? len : room;

		/* parse leaves less than a packet behind, so there is room */
		memcpy(st->bytes + st->have, from, part);
		st->have += (uint32_t)part;
		from += part;
		len -= part;
		err = parse(s, st, false);
	}
	return err;
}

int tt_stap_streams_end(struct tt_stap_streams *s, unsigned stream)
{
	assert(stream < s->nr_streams);
	return parse(s, &s->streams[stream], true);
}

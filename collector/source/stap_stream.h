/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stap_stream - from the bytes of SystemTap's bulk output, one stream per CPU, to batches in the order of writing.
 *
 * A stream is packets: u32 sequence (counts over all CPUs, from 1), u32 length, payload. A payload of ours is whole
 * batches, one behind the other. A batch of a CPU may travel on another CPU's stream, so the streams are merged
 * by sequence before anything looks at batches.
 *
 * Trusts nothing: what is no packet of well-formed batches is skipped byte by byte until one begins (counted, with
 * the offset of the first), a sequence that is missing is waited for until the caller gives it up or too much
 * has piled up (counted), one that comes twice or too late is refused (counted). A stream that brings
 * TT_STAP_GARBAGE_MAX bytes in a row without a packet is refused with the offset where they begin.
 * Pure: neither logs nor reads. Memory: 17 KiB a stream, 128 KiB, and at most max_pending bytes of packets that wait.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/event.h"

enum {
	TT_STAP_HEAD_BYTES = 8,
	TT_STAP_PAYLOAD_MAX = 8192, /* the runtime's print buffer: no packet is longer */
	TT_STAP_WINDOW = 16384,	    /* sequences further apart are believed to be garbage */
	TT_STAP_GARBAGE_MAX = 1 << 20,
};

struct tt_stap_stats {
	uint64_t nr_packets, nr_batches;
	uint64_t nr_missing; /* sequences given up */
	uint64_t nr_refused; /* came twice, or after they had been given up */
	uint64_t nr_skips;   /* stretches that were no packet */
	uint64_t skipped_bytes;
	unsigned skip_stream; /* the first of them; valid with nr_skips */
	uint64_t skip_offset;
	uint64_t pending_bytes, peak_pending_bytes;
};

struct tt_stap_streams;

/* A well-formed batch, aligned to 8; borrowed. A negative errno ends the push that called. */
typedef int (*tt_stap_batch_fn)(void *ctx, const struct tt_batch *batch);

/* -ENOMEM. max_pending_bytes 0 = 16 MiB. */
int tt_stap_streams_open(unsigned nr_streams, size_t max_pending_bytes, tt_stap_batch_fn fn, void *ctx,
			 struct tt_stap_streams **ret);
void tt_stap_streams_close(struct tt_stap_streams *s);

/* The next bytes of a stream. 0, -EBADMSG (only garbage: stats say where it begins), -ENOMEM, or what fn returned;
 * then the streams must not be used any more. */
int tt_stap_streams_push(struct tt_stap_streams *s, unsigned stream, const void *data, size_t len);
/* A stream has ended: what is left of it is a packet that was cut, or garbage. Same errors. */
int tt_stap_streams_end(struct tt_stap_streams *s, unsigned stream);

/* Whether packets wait for one with a lower sequence; which one. */
bool tt_stap_streams_wait(const struct tt_stap_streams *s, uint32_t *ret_sequence);
/* That one will not come any more: on to the next that is here. What fn returned. */
int tt_stap_streams_give_up(struct tt_stap_streams *s);

const struct tt_stap_stats *tt_stap_streams_stats(const struct tt_stap_streams *s);

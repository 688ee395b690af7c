/* SPDX-License-Identifier: GPL-2.0-or-later */
/* decode - from a batch of bytes to events; trusts nothing in the bytes.
 *
 * Keeps one small state per CPU (who is running, the clocks of the last header), so batches of a CPU must
 * come in the order in which the probe wrote them. Calls back once per event, in the order of the batch; a
 * batch is checked as a whole before its first event is delivered. Turns the cumulative loss counts of
 * headers into TT_EV_LOSS events (switches, records, nested, unseen = growth of nr_switches - recorded -
 * shed), TT_EV_STEAL with shed = 1 and TT_EV_SHED_WAIT. Pure: neither logs nor exits; what it rejects is counted.
 *
 * A batch is well-formed when its header and every record fit, nr_records is right, CPUs are below
 * TT_DECODE_CPUS_MAX (or TT_CPU_NONE where that is allowed) and times are below TT_DECODE_TS_MAX_NS: so ts_ns
 * plus any u32 duration never wraps.
 */
#pragma once

#include <stddef.h>

#include "collector/event/event.h"

enum { TT_DECODE_CPUS_MAX = 8192 };
#define TT_DECODE_TS_MAX_NS (1ull << 62)

struct tt_decoder;

struct tt_decode_stats {
	uint64_t nr_batches, nr_records, nr_switches, nr_marks;
	uint64_t
		nr_rejected_batches; /* wrong size, version, stream, CPU, or a record that leaves the batch */
	uint64_t nr_unknown_records; /* kinds of a newer version: skipped by their size */
	uint64_t nr_lost[TT_LOSS_NR]; /* by enum tt_loss_what */
	uint64_t nr_seq_mismatches;   /* seq of a switch does not follow from the record before */
};

int tt_decoder_open(struct tt_decoder **ret_dec); /* -ENOMEM */
void tt_decoder_close(struct tt_decoder *dec);

/* Decodes one batch of len bytes (batch->size must be len; data is aligned to 8).
 * 0, or -EBADMSG: rejected, counted, nothing delivered; or -ENOMEM: the first batch of a CPU found no memory.
 */
int tt_decode(struct tt_decoder *dec, const void *data, size_t len, tt_event_fn fn, void *ctx);
const struct tt_decode_stats *tt_decoder_stats(const struct tt_decoder *dec);

/* Whether a batch is well-formed: 0 or -EBADMSG. Touches no decoder. */
int tt_batch_check(const void *data, size_t len);

/* The same event by event, for who must stop within a batch (order). A cursor is a plain value; its fields
 * are decode.c's. */
struct tt_decode_cpu;
struct tt_decode_cursor {
	struct tt_decoder *dec;
	struct tt_decode_cpu *state;
	const unsigned char *at;
	unsigned nr_left, todo;
	uint16_t cpu, batch_flags;
	uint8_t stream;
	uint64_t ts_ns, loss_since_ts_ns;
	uint64_t nr_lost[TT_LOSS_NR];
	struct tt_ev_switch sw;
	struct tt_ev_steal steal;
	struct tt_ev_window window;
	struct tt_ev_shed_wait shed_wait;
	struct tt_ev_record record;
	struct tt_loss loss;
};

/* Checks a batch and makes room for its CPU: 0, -EBADMSG (counted), -ENOMEM. */
int tt_decode_admit(struct tt_decoder *dec, const void *data, size_t len);
/* data was admitted and stays while the cursor is used. Batches of a CPU's SCHED stream are started in the
 * order of writing, each after the one before gave its last event. */
void tt_decode_start(struct tt_decoder *dec, struct tt_decode_cursor *cur, const void *data);
/* NULL = no more. Valid until the next call on this cursor. */
const struct tt_event *tt_decode_next(struct tt_decode_cursor *cur);
/* The event that a whole record of TT_STREAM_RECORDS becomes. */
struct tt_ev_record tt_decode_record_event(const struct tt_record *rec);

/* kind.c: NULL (0) for an unknown kind. */
const char *tt_kind_name(unsigned kind);
const char *tt_kind_shape(unsigned kind);
size_t
tt_kind_size(unsigned kind); /* bytes of its payload in this version: records may be longer, never shorter */

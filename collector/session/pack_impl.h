/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pack_impl - what the pack_*.c share. Nobody else includes it.
 *
 * A batch header is stored as its difference to what follows from the batch before of the same CPU: so the
 * headers of an undisturbed stream are zeros.
 */
#pragma once

#include <stdbool.h>

#include "collector/session/format.h"
#include "collector/session/pack.h"

enum { TT_PACK_CPUS_MAX = 8192, TT_PACK_BYTES_MAX = 4 << 20 /* of batches in one block */ };
enum {
	TT_PACK_RECORDS_PER_BATCH_MAX =
		(TT_BATCH_BYTES_MAX - sizeof(struct tt_batch)) / sizeof(struct tt_mark)
};

/* What the next header of a CPU is expected to say. */
struct tt_predicted {
	uint32_t generation; /* of the block that it belongs to */
	uint32_t running_tid, nr_shed_records, nr_nested;
	uint64_t ts_ns, steal_clock_ns, nr_switches, wait_total_ns, nr_shed_switches;
};

struct tt_predictor {
	uint32_t generation;
	struct tt_predicted cpus[TT_PACK_CPUS_MAX + 1]; /* the last is TT_CPU_NONE */
};

void tt_predictor_restart(struct tt_predictor *pr);
/* NULL: cpu is none that a batch can have. */
struct tt_predicted *tt_predicted_of(struct tt_predictor *pr, unsigned cpu);
void tt_predicted_adopt(struct tt_predicted *pd, const struct tt_batch *b);
/* How far seq is from the one that must follow; counts the switch. */
uint16_t tt_predicted_seq_residual(struct tt_predicted *pd, uint16_t seq);

/* Headers: three columns of plain numbers, then differences to the prediction. */
enum { TT_HEAD_PLAIN = 3, TT_HEAD_PREDICTED = 8, TT_HEAD_COLUMNS = TT_HEAD_PLAIN + TT_HEAD_PREDICTED };

/* residuals: TT_HEAD_PREDICTED numbers, stride apart. Adopts the header. */
void tt_head_residuals(struct tt_predicted *pd, const struct tt_batch *b, uint64_t *residuals, size_t stride);

struct tt_head_columns {
	struct tt_column columns[TT_HEAD_COLUMNS];
};

int tt_head_open(struct tt_head_columns *head, size_t nr_batches, const uint8_t **at, const uint8_t *end);
/* Reads one header (all but size and stream), adopts it. *ret_pd is its CPU's prediction. 0 or -EBADMSG. */
int tt_head_read(struct tt_head_columns *head, struct tt_predictor *pr, struct tt_batch *ret_b,
		 struct tt_predicted **ret_pd);

/* Growing arrays for columns, kept from block to block. */
struct tt_scratch {
	void *data;
	size_t max_bytes;
};
void *tt_scratch_reserve(struct tt_scratch *s, size_t size); /* NULL = no memory; content is lost */

struct tt_packer {
	struct tt_column_writer *columns;
	struct tt_scratch heads, rows, words, classes;
	struct tt_predictor predictor;
};

/* The header columns of nr batches in data. seq: for SCHED, room for a residual per switch. 0 or -ENOMEM. */
int tt_pack_heads(struct tt_packer *p, const uint8_t *data, size_t nr, uint32_t *seq, struct tt_bytes *out);
int tt_pack_sched(struct tt_packer *p, const uint8_t *data, size_t size, struct tt_bytes *out,
		  size_t *ret_taken);
int tt_pack_records(struct tt_packer *p, const uint8_t *data, size_t size, struct tt_bytes *out,
		    size_t *ret_taken);

/* SCHED. Numbers that behave alike share a column: times by whether the CPU idled before, what is known of a
 * wait by why the task waited. */
enum { TT_SCHED_DTS_GROUPS = 2, TT_SCHED_WAIT_GROUPS = 5 };
enum {
	TT_SCHED_WAIT,
	TT_SCHED_DELIVER,
	TT_SCHED_WAKER,
	TT_SCHED_QUEUED,
	TT_SCHED_PRIO,
	TT_SCHED_WAIT_COLUMNS
};

struct tt_sched_payload {
	uint32_t nr_batches, nr_records, nr_words;
	uint32_t nr_dts[TT_SCHED_DTS_GROUPS];
	uint32_t nr_waits[TT_SCHED_WAIT_GROUPS]; /* switches; the other records are marks */
};

static inline unsigned tt_sched_dts_group(uint32_t running_tid)
{
	return running_tid ? 1 : 0;
}

static inline unsigned tt_sched_wait_group(uint32_t next_tid, unsigned flags)
{
	return next_tid ? 1 + ((flags & TT_SW_WAIT_MASK) >> TT_SW_WAIT_SHIFT) : 0;
}

struct tt_sched_columns {
	struct tt_column flags, steal, next_tid, seq, ext;
	struct tt_column dts[TT_SCHED_DTS_GROUPS];
	struct tt_column waits[TT_SCHED_WAIT_COLUMNS][TT_SCHED_WAIT_GROUPS];
	struct tt_column mark_tid, mark_ext, words;
};

/* RECORDS */
struct tt_records_payload {
	uint32_t nr_batches, nr_records, nr_classes, zero;
};

struct tt_records_class { /* records of one kind and size; each 8-byte word of theirs is a column */
	uint16_t kind, size;
	uint32_t nr_records;
};

struct tt_unpacker {
	enum tt_stream stream;
	uint32_t nr_batches_left, nr_records_left;
	struct tt_head_columns head;
	struct tt_sched_columns sched;
	struct tt_column class_index;
	uint32_t nr_classes;
	struct tt_scratch classes; /* struct tt_records_class */
	struct tt_scratch firsts;  /* uint32_t: index of each class's first column */
	struct tt_scratch columns; /* struct tt_column */
	struct tt_predictor predictor;
	_Alignas(8) uint8_t batch[TT_BATCH_BYTES_MAX];
};

int tt_unpack_start_sched(struct tt_unpacker *u, const uint8_t *at, const uint8_t *end);
int tt_unpack_next_sched(struct tt_unpacker *u, struct tt_batch *b, struct tt_predicted *pd);
int tt_unpack_start_records(struct tt_unpacker *u, const uint8_t *at, const uint8_t *end);
int tt_unpack_next_records(struct tt_unpacker *u, struct tt_batch *b);

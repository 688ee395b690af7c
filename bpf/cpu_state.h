/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cpu_state.h - what the programs keep for each CPU; the collector reads its loss counts and what is still staged. */
#pragma once

#include "bpf/event.h"

enum {
	TT_BODY_WORDS = (TT_BATCH_BYTES_MAX - sizeof(struct tt_batch)) / 8,
	TT_BODY_ROOM = TT_BATCH_BYTES_MAX / 8, /* a power of two, as the verifier likes it */
	TT_RECORDS_BYTES = 4096,
	TT_RECORDS_WORDS = (TT_RECORDS_BYTES - sizeof(struct tt_batch)) / 8,
	TT_RECORDS_ROOM = TT_RECORDS_BYTES / 8,
};

/* What a copy of a user stack is for: each has its own rate, so that a machine full of waits does not keep samples from theirs. */
enum tt_copy_why { TT_COPY_SAMPLE, TT_COPY_WAIT, TT_NR_COPY_WHY, TT_COPY_NONE = TT_NR_COPY_WHY }; /* sample: also steal at a tick */

/* One CPU's state and its two staging buffers: of its time line, and of other records that come often. */
struct tt_cpu {
	tt_u64 last_ts_ns;	/* of the last record */
	tt_u64 raw_steal_ns;	/* steal clock as last read */
	tt_u64 steal_clock_ns;	/* the same without jumps */
	tt_u64 account_ns;	/* TT_STEAL_ACCOUNT's clock */
	tt_u64 rq_at, steal_at; /* addresses: this CPU's run queue and steal clock, 0 = none */
	/* the time of records minus the scheduler's clock: its least in this stretch and in the one before */
	tt_s64 offset_ns, offset_before_ns;
	tt_u64 offset_since_ns;
	tt_u64 sample_ts_ns, sample_steal_ns; /* of the last sample: its time, and steal_clock_ns then */
	tt_u64 wait_total_ns;
	tt_u64 nr_switches; /* after the last record */
	tt_u64 nr_shed_switches;
	tt_u32 nr_shed_records;
	tt_u32 nr_nested;
	tt_u32 nr_lost_task_state;
	tt_u32 nr_lost_request_state;
	tt_u32 nr_shed_stacks, nr_missed_stacks, nr_cut_stacks;
	tt_u32 nr_skipped_copies; /* of user stacks: over the rate, or no room */
	tt_u64 nr_copies, copy_due_ns[TT_NR_COPY_WHY]; /* when the rate allows the next one, if none came for long */
	tt_u32 cur_tid;
	tt_u32 pos; /* words used in body */
	tt_u32 nr_batch_switches;
	tt_u32 steal_mode; /* tt_steal_mode as of begin or rebase */
	tt_u32 records_pos; /* words used in records */
	tt_u16 next_flags;  /* TT_BATCH_* of the batch to come */
	tt_u8 on;	    /* enum tt_cpu_on */
	tt_u8 busy;
	struct tt_batch head;
	tt_u64 body[TT_BODY_ROOM];
	struct tt_batch records_head;
	tt_u64 records[TT_RECORDS_ROOM];
};

/* Its window: none (recording has not begun, or the CPU is offline), open, ended with the recording. */
enum tt_cpu_on { TT_CPU_OFF = 0, TT_CPU_ON = 1, TT_CPU_STOPPED = 2 };

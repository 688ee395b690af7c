/* SPDX-License-Identifier: GPL-2.0-or-later */
/* event - one event as everybody after the decoder sees it: absolute time, nothing packed, nobody left to look up.
 *
 * decode turns batches (bpf/event.h) into these; order sorts them; aggregators and exporters take them.
 * A const struct tt_event * is borrowed: valid until the callback returns. The kind says which struct it heads.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "bpf/event.h"

struct tt_event {
	uint16_t kind; /* enum tt_kind */
	uint16_t cpu;  /* or TT_CPU_NONE */
	uint32_t flags; /* of the record: TT_SW_* or TT_DISK_* */
	uint64_t ts_ns; /* end of a span, instant of a mark */
};

/* TT_EV_SWITCH */
struct tt_ev_switch {
	struct tt_event ev;
	uint32_t prev_tid, next_tid; /* prev_tid is TT_TID_UNKNOWN right after a loss */
	uint64_t slice_ns;	     /* since the switch before on this CPU; 0 when that was not seen */
	uint64_t wait_ns, deliver_ns;
	uint32_t waker_tid;
	uint16_t queued_cpu; /* TT_CPU_NONE = unknown */
	uint8_t next_prio;
	uint8_t wait_kind; /* enum tt_wait_kind */
	bool has_stacks;   /* else the next four are not set */
	uint64_t prev_kstack, prev_ustack; /* where who left is; ids, or TT_STACK_NONE, TT_STACK_MISSED */
	uint64_t waker_kstack, waker_ustack; /* of a wakeup's waker */
};
#define TT_TID_UNKNOWN UINT32_MAX

/* TT_EV_STEAL: for every observation with steal, also those made by a switch (then it comes just before the switch). */
struct tt_ev_steal {
	struct tt_event ev;
	uint64_t steal_ns;
	uint64_t since_ns; /* time since the observation before on this CPU: the gap lies within it */
	uint32_t tid;	   /* the victim: who was on the CPU; TT_TID_UNKNOWN: steal of a stretch that was shed */
	uint8_t seen;	   /* enum tt_steal_seen */
	uint8_t shed;	   /* 1: not one gap but the sum of a shed stretch */
	uint64_t kstack, ustack; /* of the victim when it was seen: where it was hit, if a tick saw it */
};

/* The other kinds are their record of bpf/event.h behind an event: ev.ts_ns, ev.cpu are copied from it. */
struct tt_ev_record {
	struct tt_event ev;
	const struct tt_record *rec; /* size and kind were checked: cast by kind; strings are NUL-terminated or full */
};

/* Where recording begins and ends on a CPU; made by the decoder from TT_BATCH_FIRST and TT_BATCH_LAST. Carried as
 * TT_EV_WINDOW, which is never in a file. */
enum { TT_EV_WINDOW = 0x8000, TT_EV_EPOCH = 0x8001, TT_EV_SHED_WAIT = 0x8002 };
struct tt_ev_window {
	struct tt_event ev;
	uint8_t begins; /* else it ends */
	uint32_t tid;	/* who was running */
	uint64_t steal_clock_ns, nr_switches, wait_total_ns;
};

/* Waits that ended on this CPU in a stretch of which switches are missing: their sum, from the clocks of the headers around it. Never in a
 * file. The steal of such a stretch is a TT_EV_STEAL, the switches themselves are a TT_EV_LOSS. */
struct tt_ev_shed_wait {
	struct tt_event ev;
	uint64_t since_ts_ns;
	uint64_t wait_ns;
};

typedef void (*tt_event_fn)(void *ctx, const struct tt_event *ev);

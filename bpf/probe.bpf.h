/* SPDX-License-Identifier: GPL-2.0-or-later */
/* probe.bpf.h - what every probe includes: knobs, the per-CPU state, reading the steal clock, emitting, loss
 * counters.
 *
 * Who may touch a CPU's staging buffers (struct tt_cpu):
 *   sched_switch and the timer tick run with interrupts off, so nothing on this CPU comes between them;
 *   block completions and the sync program run with interrupts on: they set busy first, and whoever finds it
 *   set leaves the buffer alone. The steal clock is cumulative, so a skipped look loses nothing.
 *   When the CPU is dead, cpu__died runs on another one and has it for itself.
 * Requests are staged where the buffers are free. All other records, and those that find them taken, are reserved in the CPU's
 * ring, which is safe in any context.
 *
 * Everything is built twice. TT_MODERN is for kernels that have bpf_rdonly_cast (6.2): it reads by casts and keeps state in arrays
 * whose elements are taken by compare-and-exchange (5.12, arm64 5.18). The other one loads on older kernels, too.
 */
#pragma once

#include "bpf/compat.bpf.h"
#include "bpf/cpu_state.h"
#include "bpf/event.h"

/* What the steal clock is. */
enum tt_steal_mode {
	TT_STEAL_NONE = 0,
	TT_STEAL_PERCPU = 1,	/* a u64 at a fixed distance from the CPU's run queue, or in it */
	TT_STEAL_AT_SWITCH = 2, /* the same, but fresh only at switches and ticks (rq->prev_steal_time_rq) */
	TT_STEAL_ACCOUNT = 3,	/* what our account_steal_time probe added up */
};

#ifdef TT_DEFINE_MAPS
#define TT_MAP
#define TT_KNOB
#else
#define TT_MAP	extern
#define TT_KNOB extern
#endif

/* Knobs: const volatile, set between open and load. */
TT_KNOB const volatile __s64
	tt_preempt_distance;		   /* of the CPU's preempt count from the run queue; 0 = unknown */
TT_KNOB const volatile bool tt_use_stamps; /* waits from our own stamps, not from sched_info */
TT_KNOB const volatile bool tt_probe_runq;
TT_KNOB const volatile bool
	tt_switch_prev_state; /* sched_switch has prev_state as its fourth argument (5.18, RHEL 9.1) */
TT_KNOB const volatile bool
	tt_blk_queue_arg; /* block tracepoints have a leading request_queue (before 5.11) */
TT_KNOB const volatile bool tt_bio_complete_queue_arg; /* block_bio_complete(q, bio), else (bio) */
TT_KNOB const volatile bool
	tt_done_at_complete; /* no hook sees the end of accounting: block_rq_complete ends a request */
TT_KNOB const volatile __u32 tt_rqf_flush_seq, tt_rqf_io_stat; /* of request->rq_flags */
TT_KNOB const volatile __u32 tt_wakeup_bytes;		       /* wake the reader when a ring holds so much */
TT_KNOB const volatile __u32 tt_only_dev;		       /* kernel dev_t, 0 = all */
TT_KNOB const volatile __s32 tt_state_of_death;		       /* CPUHP_TEARDOWN_CPU of enum cpuhp_state */

/* Set while running. A CPU takes over the steal clock when it begins or is told to rebase. */
TT_KNOB volatile __u32 tt_steal_mode;
TT_KNOB volatile __s64 tt_steal_distance; /* from the run queue */
TT_KNOB volatile __u32 tt_recording;	  /* a CPU that comes online now begins by itself */
TT_KNOB volatile __u32 tt_own_pid;	  /* the recorder, in the initial pid namespace */
TT_KNOB volatile __u32 tt_iter_why;	  /* enum tt_task_why of the iterator's records */
TT_KNOB volatile __u32 tt_nr_gone;	  /* how often a CPU went offline */

TT_MAP struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct tt_cpu);
} tt_cpus SEC(".maps");

struct tt_ring_inner {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096); /* the collector makes the real ones */
};

TT_MAP struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1); /* number of possible CPUs, set before load */
	__type(key, u32);
	__array(values, struct tt_ring_inner);
} tt_rings SEC(".maps");

static __always_inline struct tt_cpu *tt_this_cpu(void)
{
	u32 zero = 0;

	return bpf_map_lookup_elem(&tt_cpus, &zero);
}

/* This CPU's run queue, from a task that runs on it. Typed where the pointer is. */
static __always_inline struct rq *tt_current_rq(void)
{
	struct task_struct *t = (void *)bpf_get_current_task();

	if (!bpf_core_field_exists(t->se.cfs_rq))
		return NULL;
	return BPF_CORE_READ(t, se.cfs_rq, rq);
}

/* 64 bits of the kernel's memory. A cast turns the address into a typed pointer, which is read by a plain load; a helper costs some
 * 30 ns. libbpf 1.1 cannot link two object files that name the same kernel function: only sched.bpf.c casts, and has a
 * function for the others. */
#if defined(TT_CASTS)
extern void *bpf_rdonly_cast(const void *obj__ign, u32 btf_id__k) __ksym;

static __always_inline u64 tt_peek(const void *address)
{
	u64 value = ((struct timespec64 *)bpf_rdonly_cast(address, bpf_core_type_id_kernel(struct timespec64)))->tv_sec;

	/* not one load with that of the caller's other branch: the verifier wants one type of pointer for each */
	barrier_var(value);
	return value;
}
#elif defined(TT_MODERN)
u64 tt_peek_by_cast(u64 address);

static __always_inline u64 tt_peek(const void *address)
{
	return tt_peek_by_cast((u64)address);
}
#else
static __always_inline u64 tt_peek(const void *address)
{
	u64 value = 0;

	bpf_probe_read_kernel(&value, sizeof(value), address);
	return value;
}
#endif

static __always_inline u64 tt_read_steal_at(u32 mode, u64 address, const struct tt_cpu *c)
{
	if (mode == TT_STEAL_ACCOUNT)
		return c->account_ns;
	return address ? tt_peek((const void *)address) : 0;
}

static __always_inline u64 tt_read_steal(const struct tt_cpu *c)
{
	return tt_read_steal_at(c->steal_mode, c->steal_at, c);
}

/* Of the steal clock that is set now; notes the run queue, too. The verifier adds no variable to a pointer that it knows: it must forget what this one is. */
static __always_inline u64 tt_steal_address(struct tt_cpu *c, const struct rq *rq)
{
	volatile u64 *rq_at = &c->rq_at;

	*rq_at = (u64)rq;
	if (!rq || !tt_steal_mode || tt_steal_mode == TT_STEAL_ACCOUNT)
		return 0;
	return *rq_at + tt_steal_distance;
}

/* Interrupt, softirq or NMI: the task that is current has nothing to do with what happens. */
static __always_inline bool tt_in_interrupt(const struct rq *rq)
{
	const u32 hardirq_or_nmi = 0x00ff0000, serving_softirq = 0x00000100; /* include/linux/preempt.h */

	if (!tt_preempt_distance || !rq)
		return false;
	return (u32)tt_peek((const void *)rq + tt_preempt_distance) & (hardirq_or_nmi | serving_softirq);
}

/* By volume: with what is about to be written, size bytes, is it time to wake the reader? */
static __always_inline u64 tt_ring_flags(void *ring, u32 size)
{
	return bpf_ringbuf_query(ring, BPF_RB_AVAIL_DATA) + size >= tt_wakeup_bytes ? BPF_RB_FORCE_WAKEUP
										    : BPF_RB_NO_WAKEUP;
}

/* Hands the staged batch of that CPU to its ring. The caller owns the buffer. */
static __always_inline void tt_flush_cpu(struct tt_cpu *c, u32 cpu)
{
	void *ring = bpf_map_lookup_elem(&tt_rings, &cpu);
	u32 words = c->pos;

	if (!c->head.size)
		return;
	if (words > TT_BODY_WORDS)
		words = TT_BODY_WORDS;
	c->head.size = sizeof(struct tt_batch) + words * 8;
	if (!ring || bpf_ringbuf_output(ring, &c->head, sizeof(struct tt_batch) + words * 8,
					tt_ring_flags(ring, sizeof(struct tt_batch) + words * 8))) {
		c->nr_shed_switches += c->nr_batch_switches;
		/* a window's edges must not get lost with the records */
		c->next_flags = TT_BATCH_AFTER_SHED | (c->head.flags & TT_BATCH_FIRST);
	} else {
		c->next_flags = 0;
	}
	c->head.size = 0;
	c->head.nr_records = 0;
	c->nr_batch_switches = 0;
	c->pos = 0;
}

static __always_inline void tt_flush(struct tt_cpu *c)
{
	tt_flush_cpu(c, bpf_get_smp_processor_id());
}

/* Begins a batch of that CPU: the state just before its first record. */
static __always_inline void tt_open_batch_of(struct tt_cpu *c, u32 cpu)
{
	c->head.size = sizeof(struct tt_batch);
	c->head.cpu = cpu;
	c->head.stream = TT_STREAM_SCHED;
	c->head.version = TT_WIRE_VERSION;
	c->head.base_ts_ns = c->last_ts_ns;
	c->head.steal_clock_ns = c->steal_mode ? c->steal_clock_ns : 0;
	c->head.nr_switches = c->nr_switches;
	c->head.wait_total_ns = c->wait_total_ns;
	c->head.nr_shed_switches = c->nr_shed_switches;
	c->head.nr_shed_records = c->nr_shed_records;
	c->head.prev_tid = c->cur_tid;
	c->head.flags = c->next_flags;
	c->head.nr_nested = c->nr_nested;
}

static __always_inline void tt_open_batch(struct tt_cpu *c)
{
	tt_open_batch_of(c, bpf_get_smp_processor_id());
}

/* Hands over the staged records. When the ring has no room they stay: what comes next finds none. */
static __always_inline void tt_flush_records(struct tt_cpu *c, u32 cpu)
{
	void *ring = bpf_map_lookup_elem(&tt_rings, &cpu);
	u32 words = c->records_pos;

	if (!words || !ring)
		return;
	if (words > TT_RECORDS_WORDS)
		words = TT_RECORDS_WORDS;
	c->records_head.size = sizeof(struct tt_batch) + words * 8;
	if (!bpf_ringbuf_output(ring, &c->records_head, sizeof(struct tt_batch) + words * 8,
				tt_ring_flags(ring, sizeof(struct tt_batch) + words * 8)))
		c->records_pos = 0;
}

/* Ends the window of that CPU with the last record, or where the last one was. */
static __always_inline void tt_end_window(struct tt_cpu *c, u32 cpu)
{
	if (!c->head.size)
		tt_open_batch_of(c, cpu);
	c->head.flags |= TT_BATCH_LAST;
	tt_flush_cpu(c, cpu);
	tt_flush_records(c, cpu);
}

/* Room for a record of so many words at now_ns. Returns its place in body; dts_ns fits 32 bits afterwards. */
static __always_inline u32 tt_stage(struct tt_cpu *c, u64 now_ns, u32 words)
{
	if (c->head.size && (c->pos + words > TT_BODY_WORDS || now_ns - c->last_ts_ns > 0xffffffffull))
		tt_flush(c);
	if (!c->head.size) {
		if (now_ns - c->last_ts_ns > 0xffffffffull)
			c->last_ts_ns = now_ns;
		tt_open_batch(c);
	}
	return c->pos;
}

/* How much was stolen since the last look, without jumps (then *flags gains TT_SW_STEAL_JUMP). The caller
 * adds it to steal_clock_ns after staging its record: a batch's header has the clock before its first record.
 */
static __always_inline u64 tt_steal_since(struct tt_cpu *c, u64 raw_ns, u64 now_ns, u16 *flags)
{
	u64 delta_ns = raw_ns - c->raw_steal_ns;
	u64 elapsed_ns = now_ns - c->last_ts_ns;

	if (raw_ns == c->raw_steal_ns)
		return 0;
	if (raw_ns < c->raw_steal_ns) {
		/* restored or migrated: the host began anew */
		delta_ns = 0;
		*flags |= TT_SW_STEAL_JUMP;
	} else if (delta_ns > elapsed_ns + 1000000000ull) {
		/* more than the time that passed: a jump, as after live migration. A second of slack, because
		 * a host may report in one piece what it collected while this CPU was not looking. */
		delta_ns = elapsed_ns;
		*flags |= TT_SW_STEAL_JUMP;
	}
	c->raw_steal_ns = raw_ns;
	return delta_ns;
}

/* From now on the CPU reads the steal clock that is set, without taking the difference to the one before for steal. */
static __always_inline void tt_rebase_steal(struct tt_cpu *c, const struct rq *rq)
{
	c->steal_mode = tt_steal_mode;
	c->steal_at = tt_steal_address(c, rq);
	c->raw_steal_ns = tt_read_steal(c);
}

/* An empty batch goes out at once: the state at the beginning must not get lost with the first records. */
static __always_inline void tt_begin_cpu(struct tt_cpu *c, const struct rq *rq, u64 now_ns, u32 tid,
					 u64 nr_switches)
{
	/* it was here before, and the end of that window found no room */
	if (c->next_flags & TT_BATCH_AFTER_SHED)
		tt_end_window(c, bpf_get_smp_processor_id());
	c->last_ts_ns = now_ns;
	tt_rebase_steal(c, rq);
	c->steal_clock_ns = c->raw_steal_ns;
	c->nr_switches = nr_switches;
	c->cur_tid = tid;
	c->sample_ts_ns = now_ns;
	c->sample_steal_ns = c->steal_clock_ns;
	c->next_flags = TT_BATCH_FIRST;
	c->on = TT_CPU_ON;
	tt_open_batch(c);
	tt_flush(c);
}

/* A batch of one record, straight into the ring, to be given to bpf_ringbuf_submit. NULL: no room, the caller
 * says so to tt_count_shed_record().
 * It must be the only one to compare with NULL: the verifier of 6.1 does not know that ring memory which has
 * passed one comparison cannot be NULL at the next, and finds a path that never submits it. */
static __always_inline void *tt_reserve_batch(u32 size, u64 *ret_submit_flags)
{
	u32 cpu = bpf_get_smp_processor_id();
	void *ring = bpf_map_lookup_elem(&tt_rings, &cpu);

	if (!ring)
		return NULL;
	*ret_submit_flags = tt_ring_flags(ring, size);
	return bpf_ringbuf_reserve(ring, size, 0);
}

static __always_inline void tt_count_shed_record(struct tt_cpu *c)
{
	if (c)
		c->nr_shed_records++;
}

static __always_inline void tt_fill_batch(struct tt_batch *b, const struct tt_cpu *c, u32 size, u64 ts_ns)
{
	__builtin_memset(b, 0, sizeof(*b));
	b->size = size;
	b->cpu = bpf_get_smp_processor_id();
	b->stream = TT_STREAM_RECORDS;
	b->version = TT_WIRE_VERSION;
	b->base_ts_ns = ts_ns;
	b->nr_records = 1;
	b->nr_shed_records = c ? c->nr_shed_records : 0;
}

/* Room for a record in this CPU's batch of records, NULL: there is none. The caller owns the buffers. */
static __always_inline void *tt_stage_record(struct tt_cpu *c, u64 ts_ns, u32 bytes)
{
	u32 pos;

	if (c->records_pos + bytes / 8 > TT_RECORDS_WORDS)
		tt_flush_records(c, bpf_get_smp_processor_id());
	pos = c->records_pos;
	if (pos > TT_RECORDS_WORDS - bytes / 8)
		return NULL;
	if (!pos) {
		tt_fill_batch(&c->records_head, c, 0, ts_ns);
		c->records_head.nr_records = 0;
	}
	c->records_head.nr_records++;
	c->records_pos = pos + bytes / 8;
	return &c->records[pos];
}

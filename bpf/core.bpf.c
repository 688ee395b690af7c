/* SPDX-License-Identifier: GPL-2.0-or-later */
/* core.bpf.c - what all probes share: maps, knobs, the licence, and the program that the collector runs on a
 * chosen CPU. */
#define TT_DEFINE_MAPS
#include "bpf/observe.bpf.h"

char LICENSE[] SEC("license") = "GPL";

/* --- stacks: what is the same for all programs, and is verified once, because it is global --- */

static __always_inline struct tt_stack_set *stack_set_of(u64 id)
{
	u32 index = id >> (64 - TT_STACK_SETS_LOG2);

	return bpf_map_lookup_elem(&tt_stack_sets, &index);
}

static __always_inline bool stack_is_known(const struct tt_stack_set *set, u64 id)
{
	for (int i = 0; set && i < TT_STACK_WAYS; i++)
		if (set->ids[i] == id)
			return true;
	return false;
}

/* In a free place, else one of the others makes way. */
static __always_inline void remember_stack(struct tt_stack_set *set, u64 id, u64 any)
{
	u32 way = any & (TT_STACK_WAYS - 1);

	if (!set)
		return;
	for (int i = 0; i < TT_STACK_WAYS; i++)
		if (!set->ids[i])
			way = i;
	set->ids[way] = id;
}

/* Emits what is in the buffer. False: no room. */
static __always_inline bool emit_stack(struct tt_cpu *c, struct tt_stack_buffer *b, u32 nr)
{
	u32 cpu = bpf_get_smp_processor_id();
	void *ring = bpf_map_lookup_elem(&tt_rings, &cpu);
	u32 stack_bytes = sizeof(b->stack) + nr * 8, size = sizeof(b->head) + stack_bytes;
	u64 now_ns = bpf_ktime_get_ns();

	if (!ring)
		return false;
	b->stack.rec.size = stack_bytes;
	b->stack.rec.kind = TT_EV_STACK;
	b->stack.rec.cpu = cpu;
	b->stack.rec.ts_ns = now_ns;
	tt_fill_batch(&b->head, c, size, now_ns);
	barrier_var(size); /* the verifier has lost its bounds on the way */
	if (size > sizeof(b->head) + sizeof(b->stack) + TT_STACK_DEPTH_MAX * 8)
		return false;
	return !bpf_ringbuf_output(ring, &b->head, size, tt_ring_flags(ring, size));
}

static __always_inline u64 hash_ips(u64 hash, const u64 *ips, u32 nr)
{
	for (u32 i = 0; i < TT_STACK_DEPTH_MAX; i++) {
		if (i >= nr)
			break;
		hash = tt_mix(hash, ips[i]);
	}
	return hash;
}

__noinline int tt_tell_stack(u32 key, u32 nr, u64 space, u32 pid)
{
	struct tt_stack_buffer *b = bpf_map_lookup_elem(&tt_stack_buffers, &key);
	struct tt_cpu *c = tt_this_cpu();
	struct tt_stack_set *set;
	u64 id;

	if (!b || !c)
		return 0;
	b->result = TT_STACK_NONE;
	if (!nr || nr > TT_STACK_DEPTH_MAX)
		return 0;
	b->stack.nr = nr;
	id = hash_ips(tt_mix(tt_stack_key, space), b->ips, nr);
	/* The verifier knows at each way out of the loop what nr is, and would walk all that follows for each: it must forget. */
	barrier();
	nr = b->stack.nr;
	if (id < TT_STACK_IDS)
		id += TT_STACK_IDS;
	b->result = id;
	b->stack.flags = space ? TT_STACK_USER : 0;
	if (nr >= tt_stack_depth) {
		b->stack.flags |= TT_STACK_CUT;
		c->nr_cut_stacks++;
	}
	set = stack_set_of(id);
	if (stack_is_known(set, id))
		return 0;
	b->stack.id = id;
	b->stack.space = space;
	b->stack.pid = pid;
	if (emit_stack(c, b, nr))
		remember_stack(set, id, b->stack.rec.ts_ns);
	else
		c->nr_shed_stacks++;
	return 0;
}

enum { TT_SYNC_BEGIN = 1, TT_SYNC_FLUSH = 2, TT_SYNC_END = 3, TT_SYNC_WHOAMI = 4, TT_SYNC_REBASE = 5 };

/* Never attached: the collector runs it with BPF_PROG_TEST_RUN on the CPU it wants. Args: enum above.
 * Looks at the steal clock and hands over what is staged, so that an idle CPU's records arrive too. Returns 1
 * when it interrupted a program that owns the staging buffer: nothing was done, run it again. */
SEC("?raw_tp/sched_switch")
int core__sync(struct bpf_raw_tracepoint_args *ctx)
{
	u64 what = ctx->args[0];
	struct tt_cpu *c = tt_this_cpu();
	struct rq *rq = tt_current_rq();
	u64 now_ns = bpf_ktime_get_ns();

	if (!c)
		return 0;
	if (what == TT_SYNC_WHOAMI) {
		tt_own_pid = bpf_get_current_pid_tgid() >> 32;
		return 0;
	}
	if (c->busy)
		return 1;
	c->busy = 1;
	barrier();
	if (what == TT_SYNC_BEGIN) {
		if (c->on == TT_CPU_OFF)
			tt_begin_cpu(c, rq, now_ns, (u32)bpf_get_current_pid_tgid(),
				     rq ? BPF_CORE_READ(rq, nr_switches) : 0);
	} else if (what == TT_SYNC_REBASE) {
		tt_rebase_steal(c, rq);
	} else if (c->on == TT_CPU_ON) {
		tt_observe(NULL, c, now_ns, TT_SEEN_SYNC);
		if (what == TT_SYNC_END) {
			c->head.flags |= TT_BATCH_LAST;
			c->on = TT_CPU_STOPPED;
		}
		tt_flush(c);
		tt_flush_records(c, bpf_get_smp_processor_id());
	}
	barrier();
	c->busy = 0;
	return 0;
}

/* A CPU went offline. Runs on the one that took it down: no program runs on a dead CPU, and it cannot come
 * back before this step of hotplug is over. (Nothing on the CPU itself is late enough: tracepoints are silent
 * once it is marked offline.) Its first switch when it comes back begins a new window. */
SEC("?raw_tp/cpuhp_exit")
int cpu__died(struct bpf_raw_tracepoint_args *ctx)
{
	u32 zero = 0, cpu = ctx->args[0];
	s32 state = ctx->args[2], err = ctx->args[3];
	struct tt_cpu *c;

	/* when recording has ended, the collector fetches what is staged */
	if (state != tt_state_of_death || err || !tt_recording)
		return 0;
	tt_nr_gone++;
	c = bpf_map_lookup_percpu_elem(&tt_cpus, &zero, cpu);
	if (!c || c->on != TT_CPU_ON)
		return 0;
	c->on = TT_CPU_OFF;
	tt_end_window(c, cpu);
	return 0;
}

struct tt_clocks {
	u64 steal_clock_ns, prev_steal_rq_ns, nr_switches;
};

/* The clocks of each CPU as they are now, for the counters at the session's ends. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct tt_clocks);
} tt_clocks SEC(".maps");

SEC("?raw_tp/sched_switch")
int core__read_clocks(struct bpf_raw_tracepoint_args *ctx)
{
	u32 zero = 0;
	struct tt_cpu *c = tt_this_cpu();
	struct tt_clocks *clocks = bpf_map_lookup_elem(&tt_clocks, &zero);
	struct rq *rq = tt_current_rq();

	if (!c || !clocks || !rq)
		return 0;
	clocks->steal_clock_ns = tt_read_steal_at(tt_steal_mode, tt_steal_address(c, rq), c);
	clocks->nr_switches = BPF_CORE_READ(rq, nr_switches);
	if (bpf_core_field_exists(rq->prev_steal_time_rq))
		clocks->prev_steal_rq_ns = BPF_CORE_READ(rq, prev_steal_time_rq);
	return 0;
}

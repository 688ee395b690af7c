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

/* --- copies of user stacks --- */

/* A bucket of TT_COPY_BURST that fills at the rate. */
static __always_inline bool may_copy(struct tt_cpu *c, u32 why, u64 now_ns)
{
	u64 interval_ns, least_ns, due_ns;

	if (why >= TT_NR_COPY_WHY)
		return false;
	interval_ns = tt_copy_interval_ns[why];
	least_ns = now_ns - TT_COPY_BURST * interval_ns;
	due_ns = c->copy_due_ns[why];
	if (due_ns > now_ns)
		return false;
	c->copy_due_ns[why] = (due_ns > least_ns ? due_ns : least_ns) + interval_ns;
	return true;
}

/* As much as there is: pages that are not in memory, and what is above the stack, end it. */
static __always_inline u32 copy_bytes(u8 *bytes, u64 from)
{
	u32 nr = 0;

	for (u32 i = 0; i < TT_COPY_BYTES_MAX / TT_COPY_CHUNK_BYTES; i++) {
		if (bpf_probe_read_user(bytes + i * TT_COPY_CHUNK_BYTES, TT_COPY_CHUNK_BYTES,
					(void *)(from + i * TT_COPY_CHUNK_BYTES)))
			break;
		nr += TT_COPY_CHUNK_BYTES;
	}
	return nr;
}

static __always_inline bool emit_copy(struct tt_cpu *c, struct tt_copy_buffer *b, u64 now_ns)
{
	u32 cpu = bpf_get_smp_processor_id();
	void *ring = bpf_map_lookup_elem(&tt_rings, &cpu);
	u32 bytes = sizeof(b->copy) + b->copy.nr_bytes, size = sizeof(b->head) + bytes;

	/* large, and the first to be done without: the other half is for what cannot be had later */
	if (!ring || bpf_ringbuf_query(ring, BPF_RB_AVAIL_DATA) + size > bpf_ringbuf_query(ring, BPF_RB_RING_SIZE) / 2)
		return false;
	b->copy.rec.size = bytes;
	b->copy.rec.kind = TT_EV_USER_COPY;
	b->copy.rec.cpu = cpu;
	b->copy.rec.ts_ns = now_ns;
	tt_fill_batch(&b->head, c, size, now_ns);
	barrier_var(size);
	if (size > sizeof(*b))
		return false;
	return !bpf_ringbuf_output(ring, &b->head, size, tt_ring_flags(ring, size));
}

__noinline int tt_copy_user_stack(u32 key, u32 nr, u64 space, u32 pid, u32 why)
{
#if defined(__TARGET_ARCH_x86)
	enum { SP = 19, CS = 17, CS_32BIT = 0x23 }; /* of struct pt_regs */
	struct tt_stack_buffer *stack;
	struct tt_copy_buffer *b;
	struct tt_cpu *c;
	u64 now_ns;

	if (!tt_copies)
		return 0;
	stack = bpf_map_lookup_elem(&tt_stack_buffers, &key);
	b = bpf_map_lookup_elem(&tt_copy_buffers, &key);
	c = tt_this_cpu();
	if (!stack || !b || !c)
		return 0;
	now_ns = bpf_ktime_get_ns();
	/* Of a task that is in the kernel, or was interrupted, these are the user's; also of code that is interrupted now. */
	if (!may_copy(c, why, now_ns) ||
	    bpf_probe_read_kernel(b->copy.regs, sizeof(b->copy.regs), (void *)bpf_task_pt_regs(bpf_get_current_task_btf())) ||
	    (b->copy.regs[CS] & 0xffff) == CS_32BIT || !(b->copy.nr_bytes = copy_bytes(b->bytes, b->copy.regs[SP]))) {
		c->nr_skipped_copies++;
		return 0;
	}
	c->nr_copies++;
	b->copy.id = tt_mix(tt_mix(~tt_stack_key, bpf_get_smp_processor_id()), c->nr_copies);
	if (b->copy.id < TT_STACK_IDS)
		b->copy.id += TT_STACK_IDS;
	b->copy.by_frame_pointers = stack->result;
	b->copy.nr_by_frame_pointers = nr;
	b->copy.space = space;
	b->copy.pid = pid;
	if (emit_copy(c, b, now_ns))
		stack->result = b->copy.id;
	else
		c->nr_skipped_copies++;
#endif
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

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* core.bpf.c - what all probes share: maps, knobs, the licence, and the program that the collector runs on a
 * chosen CPU. */
#define TT_DEFINE_MAPS
#include "bpf/probe.bpf.h"

char LICENSE[] SEC("license") = "GPL";

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
		tt_observe(c, now_ns, TT_SEEN_SYNC);
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

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* steal.bpf.c - sees steal between switches: at the timer tick, and through account_steal_time itself.
 *
 * Emits struct tt_mark when there is some. Nearly all steal is first seen at a timer interrupt, not at a
 * switch, so without an observer here the lengths of gaps would be wrong.
 *
 * account_steal_time (4.11+: nanoseconds, called with 0 too) is the last rung: the compiler inlines it into
 * its callers on most distribution kernels, and a probe on it attaches and never fires. Its sum then stands
 * in for the clock.
 */
#include "bpf/observe.bpf.h"

static __always_inline int on_tick(void *ctx)
{
	struct tt_cpu *c = tt_this_cpu();

	if (!c || c->on != TT_CPU_ON || c->busy)
		return 0;
	tt_observe(ctx, c, bpf_ktime_get_ns(), TT_SEEN_TICK);
	return 0;
}

/* include/asm/trace/irq_vectors.h (x86): interrupts are off until the handler returns. */
SEC("?tp_btf/local_timer_exit")
int BPF_PROG(steal__timer, int vector)
{
	return on_tick(ctx);
}

/* Where there is no such tracepoint: a cpu-clock event per CPU, driven by an hrtimer. */
SEC("?perf_event")
int steal__clock(void *ctx)
{
	return on_tick(ctx);
}

static __always_inline int on_account(u64 steal_ns)
{
	struct tt_cpu *c = tt_this_cpu();

	if (c)
		c->account_ns += steal_ns;
	return 0;
}

SEC("?fentry/account_steal_time")
int BPF_PROG(steal__account_fentry, u64 steal_ns)
{
	return on_account(steal_ns);
}

SEC("?kprobe/account_steal_time")
int BPF_KPROBE(steal__account_kprobe, u64 steal_ns)
{
	return on_account(steal_ns);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cpu.bpf.c - looks at each CPU at a fixed rate: who runs, where, and what was stolen since the look before.
 *
 * Emits struct tt_sample. Source: a cpu-clock perf event per CPU, an hrtimer: it ticks in idle, too, and comes with interrupts off. It
 * comes late when the CPU is stolen or sleeps deeply; so a sample says how long it stands for, and what it does not stand for.
 */
#include "bpf/observe.bpf.h"

#include <linux/bpf_perf_event.h>

const volatile __u64 tt_sample_period_ns; /* as asked for */

struct sample_batch {
	struct tt_batch head;
	struct tt_sample sample;
};

static __always_inline void fill_sample(struct tt_sample *s, struct tt_cpu *c,
					const struct tt_stack_ids *stacks, u64 now_ns, bool in_kernel)
{
	u64 pid_tgid = bpf_get_current_pid_tgid(), steal_ns = c->steal_clock_ns - c->sample_steal_ns;
	u64 elapsed_ns = now_ns - c->sample_ts_ns, unsampled_ns = 0;

	if (elapsed_ns > steal_ns + 2 * tt_sample_period_ns)
		unsampled_ns = elapsed_ns - steal_ns - tt_sample_period_ns;
	s->rec.size = sizeof(*s);
	s->rec.kind = TT_EV_SAMPLE;
	s->rec.cpu = bpf_get_smp_processor_id();
	s->rec.ts_ns = now_ns;
	s->period_ns = elapsed_ns - unsampled_ns;
	s->steal_ns = steal_ns;
	s->unsampled_ns = unsampled_ns;
	s->kstack = stacks->kernel;
	s->ustack = stacks->user;
	s->tid = (u32)pid_tgid;
	s->pid = pid_tgid >> 32;
	s->flags = in_kernel ? 0 : TT_SAMPLE_USER;
	s->pad[0] = s->pad[1] = s->pad[2] = 0;
}

SEC("?perf_event")
int cpu__sample(struct bpf_perf_event_data *ctx)
{
	struct tt_cpu *c = tt_this_cpu();
	u64 now_ns = bpf_ktime_get_ns(), submit_flags;
	/* the kernel has the upper half of the addresses (not on s390) */
	bool in_kernel = (s64)PT_REGS_IP(&ctx->regs) < 0;
	struct tt_stack_ids stacks = {};
	struct sample_batch *b;
	struct tt_sample *place = NULL;

	if (!c || c->on != TT_CPU_ON || now_ns <= c->sample_ts_ns)
		return 0;
	if (!c->busy)
		stacks = tt_observe(ctx, c, now_ns, TT_SEEN_TICK);
	if (tt_stacks && !stacks.kernel) /* of the same moment */
		stacks = tt_take_stacks(ctx, TT_COPY_SAMPLE);
	if (!c->busy)
		place = tt_stage_record(c, now_ns, sizeof(*place));
	if (place) {
		fill_sample(place, c, &stacks, now_ns, in_kernel);
	} else {
		b = tt_reserve_batch(sizeof(*b), &submit_flags);
		if (!b) {
			tt_count_shed_record(c);
			return 0; /* the next one stands for this time, too */
		}
		tt_fill_batch(&b->head, c, sizeof(*b), now_ns);
		fill_sample(&b->sample, c, &stacks, now_ns, in_kernel);
		bpf_ringbuf_submit(b, submit_flags);
	}
	c->sample_ts_ns = now_ns;
	c->sample_steal_ns = c->steal_clock_ns;
	return 0;
}

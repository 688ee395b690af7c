/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/aggregate/delays.h"

#include <errno.h>
#include <stdlib.h>

#include "collector/aggregate/occupants.h"
#include "collector/aggregate/view.h"

enum {
	NR_PREEMPTED =
		1 << 16, /* by the low bits of the tid: of two that are equal in them one is forgotten */
	NR_PARTS = 12,	 /* occupants of one wait that are told apart */
	/* Deep queues of short slices would make this quadratic: a switch earns the right to look at so many slices. */
	EARNED_PER_SWITCH = 32,
	DEBT_MAX = 4096,
};

struct cpu_state {
	struct tt_occupants occupants;
	unsigned debt; /* slices looked at that were not earned yet */
};

/* A task that lost its CPU, to whom and when. */
struct preempted {
	uint64_t ts_ns;
	uint32_t tid, by_tid;
};

struct tt_delays {
	struct tt_delays_options opts;
	struct cpu_state *cpus[TT_VIEW_CPUS_MAX];
	struct preempted *preempted; /* NR_PREEMPTED */
	uint64_t shed_ts_ns;	     /* what is older may have changed unseen */
	struct tt_delays_stats stats;
};

const char *tt_relation_name(enum tt_relation relation)
{
	static const char *const names[] = { "occupants", "preempters", "wakers" };

	return names[relation];
}

const char *tt_delay_by_name(enum tt_delay_by by)
{
	static const char *const names[] = { NULL, "(stolen)", "(interrupt)", "(not known)" };

	return names[by];
}

int tt_delays_open(const struct tt_delays_options *opts, struct tt_delays **ret_d)
{
	struct tt_delays *d = calloc(1, sizeof(*d));

	if (!d)
		return -ENOMEM;
	d->opts = *opts;
	d->preempted = calloc(NR_PREEMPTED, sizeof(*d->preempted));
	if (!d->preempted) {
		tt_delays_close(d);
		return -ENOMEM;
	}
	*ret_d = d;
	return 0;
}

void tt_delays_close(struct tt_delays *d)
{
	if (!d)
		return;
	for (unsigned cpu = 0; cpu < TT_VIEW_CPUS_MAX; cpu++) {
		if (d->cpus[cpu])
			tt_occupants_close(&d->cpus[cpu]->occupants);
		free(d->cpus[cpu]);
	}
	free(d->preempted);
	free(d);
}

static struct cpu_state *get_cpu(struct tt_delays *d, unsigned cpu)
{
	struct cpu_state *c;

	if (cpu >= TT_VIEW_CPUS_MAX)
		return NULL;
	if (d->cpus[cpu])
		return d->cpus[cpu];
	c = calloc(1, sizeof(*c));
	if (c && tt_occupants_open(&c->occupants, TT_DELAYS_SLICES)) {
		free(c);
		c = NULL;
	}
	d->cpus[cpu] = c;
	return c;
}

static void charge(struct tt_delays *d, struct tt_delay *delay, enum tt_delay_by by, uint32_t from_tid,
		   uint64_t wait_ns)
{
	if (!wait_ns)
		return;
	delay->by = by;
	delay->from_tid = by == TT_DELAY_TASK ? from_tid : 0;
	delay->wait_ns = wait_ns;
	d->opts.fn(d->opts.ctx, delay);
}

/* --- who had the CPU --- */

struct look_back {
	struct tt_delays *d;
	struct tt_delay *delay;
	unsigned cpu, nr_parts;
	bool was_stolen;
	uint64_t left_ns, stolen_ns; /* left: not charged yet */
	struct {
		uint32_t tid;
		uint64_t ns;
	} parts[NR_PARTS];
};

static void add_part(struct look_back *look, uint32_t tid, uint64_t ns)
{
	unsigned i = 0;

	while (i < look->nr_parts && look->parts[i].tid != tid)
		i++;
	if (i == NR_PARTS) {
		charge(look->d, look->delay, TT_DELAY_TASK, tid, ns);
		return;
	}
	if (i == look->nr_parts) {
		look->parts[i].tid = tid;
		look->parts[i].ns = 0;
		look->nr_parts++;
	}
	look->parts[i].ns += ns;
}

/* A task does not wait for itself: its own slices reach into the wait where the clocks differ by a little. */
static void take_occupant(void *ctx, uint32_t tid, uint64_t from_ts_ns, uint64_t to_ts_ns)
{
	struct look_back *look = ctx;
	uint64_t ns = to_ts_ns - from_ts_ns, stolen_ns = 0;

	if (tid == look->delay->to_tid || tid == TT_TID_UNKNOWN)
		return;
	if (ns > look->left_ns) /* slices overlap when their clocks do */
		ns = look->left_ns;
	if (look->was_stolen)
		stolen_ns =
			tt_world_steal_between(look->d->opts.world, look->cpu, from_ts_ns, to_ts_ns, NULL);
	if (stolen_ns > ns)
		stolen_ns = ns;
	look->left_ns -= ns;
	look->stolen_ns += stolen_ns;
	if (ns > stolen_ns)
		add_part(look, tid, ns - stolen_ns);
}

static void charge_occupants(struct tt_delays *d, const struct tt_ev_switch *sw, struct tt_delay *delay)
{
	unsigned cpu = sw->queued_cpu == TT_CPU_NONE ? sw->ev.cpu : sw->queued_cpu;
	struct cpu_state *here = d->cpus[sw->ev.cpu], *c = cpu < TT_VIEW_CPUS_MAX ? d->cpus[cpu] : NULL;
	const struct tt_world_cpu *wc = tt_world_cpu(d->opts.world, cpu);
	uint64_t to_ts_ns = sw->ev.ts_ns, known_ns;
	uint64_t from_ts_ns = to_ts_ns > sw->wait_ns ? to_ts_ns - sw->wait_ns : 0;
	struct look_back look = { .d = d, .delay = delay, .cpu = cpu, .left_ns = sw->wait_ns };

	delay->relation = TT_RELATION_OCCUPANT;
	if (c && here->debt <= DEBT_MAX) {
		look.was_stolen = tt_world_steal_between(d->opts.world, cpu, from_ts_ns, to_ts_ns, NULL);
		here->debt += tt_occupants_between(&c->occupants, from_ts_ns, to_ts_ns,
						   /* on another CPU somebody runs on since its last switch */
						   wc && cpu != sw->ev.cpu ? wc->running_tid : TT_TID_UNKNOWN,
						   take_occupant, &look, &known_ns);
	}
	for (unsigned i = 0; i < look.nr_parts; i++)
		charge(d, delay, TT_DELAY_TASK, look.parts[i].tid, look.parts[i].ns);
	charge(d, delay, TT_DELAY_STOLEN, 0, look.stolen_ns);
	charge(d, delay, TT_DELAY_UNKNOWN, 0, look.left_ns);
	d->stats.unknown_ns += look.left_ns;
}

/* --- who took it, who woke --- */

static struct preempted *preempted_of(const struct tt_delays *d, uint32_t tid)
{
	return &d->preempted[tid % NR_PREEMPTED];
}

static void remember_preempted(struct tt_delays *d, const struct tt_ev_switch *sw)
{
	if (!(sw->ev.flags & TT_SW_PREEMPTED) && (sw->ev.flags & TT_SW_STATE_MASK) != TT_STATE_RUNNING)
		return;
	if (sw->prev_tid && sw->prev_tid != TT_TID_UNKNOWN)
		*preempted_of(d, sw->prev_tid) =
			(struct preempted){ sw->ev.ts_ns, sw->prev_tid, sw->next_tid };
}

static void charge_preempter(struct tt_delays *d, const struct tt_ev_switch *sw, struct tt_delay *delay)
{
	struct preempted *p = preempted_of(d, sw->next_tid);
	bool is_known = p->tid == sw->next_tid && p->ts_ns > d->shed_ts_ns;

	delay->relation = TT_RELATION_PREEMPTER;
	charge(d, delay, is_known ? TT_DELAY_TASK : TT_DELAY_UNKNOWN, p->by_tid, sw->wait_ns);
}

static void charge_waker(struct tt_delays *d, const struct tt_ev_switch *sw, struct tt_delay *delay)
{
	enum tt_delay_by by = TT_DELAY_TASK;

	delay->relation = TT_RELATION_WAKER;
	if (sw->ev.flags & TT_SW_WOKEN_IN_IRQ)
		by = TT_DELAY_INTERRUPT;
	else if (sw->wait_kind == TT_WAIT_UNKNOWN || !sw->waker_tid || sw->waker_tid == TT_TID_UNKNOWN)
		by = TT_DELAY_UNKNOWN; /* idle wakes nobody: its interrupts do */
	charge(d, delay, by, sw->waker_tid, sw->wait_ns);
}

static void on_wait(struct tt_delays *d, const struct tt_ev_switch *sw)
{
	struct tt_delay delay = { .to_tid = sw->next_tid, .ts_ns = sw->ev.ts_ns };

	if (!sw->wait_ns || !sw->next_tid || !tt_view_has_cpu(d->opts.view, sw->ev.cpu) ||
	    !tt_view_has_task(d->opts.view, d->opts.world, sw->next_tid))
		return;
	d->stats.nr_waits++;
	d->stats.wait_ns += sw->wait_ns;
	charge_occupants(d, sw, &delay);
	if (sw->wait_kind == TT_WAIT_PREEMPTED)
		charge_preempter(d, sw, &delay);
	else
		charge_waker(d, sw, &delay);
}

static void on_switch(struct tt_delays *d, const struct tt_ev_switch *sw)
{
	struct cpu_state *c = get_cpu(d, sw->ev.cpu);

	if (!c) {
		d->stats.nr_beyond += sw->wait_ns && sw->next_tid;
		return;
	}
	c->debt -= c->debt < EARNED_PER_SWITCH ? c->debt : EARNED_PER_SWITCH;
	tt_occupants_switch(&c->occupants, sw);
	on_wait(d, sw);
	remember_preempted(d, sw);
}

static void on_loss(struct tt_delays *d, const struct tt_loss *rec)
{
	if ((rec->what == TT_LOSS_SWITCHES || rec->what == TT_LOSS_PACKETS) && rec->rec.ts_ns > d->shed_ts_ns)
		d->shed_ts_ns = rec->rec.ts_ns;
}

void tt_delays_event(struct tt_delays *d, const struct tt_event *ev)
{
	switch (ev->kind) {
	case TT_EV_SWITCH:
		on_switch(d, (const struct tt_ev_switch *)ev);
		break;
	case TT_EV_SHED_WAIT:
		if (tt_view_has_cpu(d->opts.view, ev->cpu))
			d->stats.shed_wait_ns += ((const struct tt_ev_shed_wait *)ev)->wait_ns;
		break;
	case TT_EV_LOSS:
		on_loss(d, (const struct tt_loss *)((const struct tt_ev_record *)ev)->rec);
		break;
	}
}

const struct tt_delays_stats *tt_delays_stats(const struct tt_delays *d)
{
	return &d->stats;
}

void tt_delays_reset(struct tt_delays *d)
{
	d->stats = (struct tt_delays_stats){ 0 };
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/export/hit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collector/aggregate/request.h"
#include "collector/aggregate/view.h"
#include "collector/export/name.h"

/* Of the window of recording that a CPU is in: what became of its time. */
struct cpu_time {
	uint64_t stolen_ns, sampled_ns; /* sampled: the weights of its hits */
	bool has_ended;			/* and all of it was told */
};

struct tt_hits {
	struct tt_hits_options opts;
	bool knows_stacks; /* all of them: names of such a session are read first */
	struct cpu_time *cpus; /* TT_VIEW_CPUS_MAX; NULL when the cause is not asked for */
	uint64_t nr_samples;
	uint64_t nr[TT_CAUSE_NR], sum_ns[TT_CAUSE_NR];
	char top[4 * TT_DISK_NAME_LEN + 32];
	char stacked_device[TT_DISK_NAME_LEN + 1];
};

const char *tt_cause_name(enum tt_cause cause)
{
	static const char *const names[] = { "steal", "runq", "disk", "cpu" };

	return names[cause];
}

const char *tt_disk_group_name(unsigned group)
{
	static const char *const names[TT_DISK_GROUPS] = { "read", "write", "discard", "flush" };

	return names[group];
}

const char *tt_cause_lack(enum tt_cause cause)
{
	static const char *const words[] = { "no steal", "no wait in the run queue",
					     "no counted disk request",
					     "no CPU sample (record --stacks takes them)" };

	return words[cause];
}

int tt_hits_open(const struct tt_hits_options *opts, struct tt_hits **ret_h)
{
	struct tt_hits *h = calloc(1, sizeof(*h));

	if (!h)
		return -ENOMEM;
	h->opts = *opts;
	h->knows_stacks = opts->stacks && !strcmp(tt_world_info(opts->world)->unwind, "dwarf");
	if (opts->causes >> TT_CAUSE_CPU & 1) {
		h->cpus = calloc(TT_VIEW_CPUS_MAX, sizeof(*h->cpus));
		if (!h->cpus) {
			free(h);
			return -ENOMEM;
		}
	}
	*ret_h = h;
	return 0;
}

void tt_hits_close(struct tt_hits *h)
{
	if (!h)
		return;
	free(h->cpus);
	free(h);
}

static bool wants(const struct tt_hits *h, enum tt_cause cause)
{
	return h->opts.causes >> cause & 1;
}

/* Whose it is; comm is what nobody is called. False: the view leaves it out. */
static bool set_task(const struct tt_hits *h, struct tt_hit *hit, uint32_t tid, const char *nobody)
{
	const struct tt_world_task *task;

	hit->tid = tid;
	if (tid == TT_TID_UNKNOWN) {
		hit->comm = nobody;
		return !tt_view_has_task_filter(h->opts.view);
	}
	if (!tt_view_has_task(h->opts.view, h->opts.world, tid))
		return false;
	task = tt_world_task(h->opts.world, tid);
	hit->comm = task ? task->comm : "";
	hit->pid = task && task->pid ? task->pid : tid;
	hit->serial = task ? task->serial : 0;
	hit->cgroup_id = task ? task->cgroup_id : 0;
	return true;
}

/* What nothing is told of is one stack, not one for each copy that was made. */
static uint64_t own_id(const struct tt_hits *h, uint64_t id)
{
	uint64_t own = tt_stacks_canonical(h->opts.stacks, id);

	return h->knows_stacks && own >= TT_STACK_IDS && !tt_stacks_has(h->opts.stacks, own) ? UINT64_MAX : own;
}

static void give(struct tt_hits *h, struct tt_hit *hit)
{
	if (!hit->weight_ns && (!hit->nr || !h->opts.with_empty))
		return;
	if (h->opts.stacks)
		hit->ustack = own_id(h, hit->ustack);
	h->nr[hit->cause]++;
	h->sum_ns[hit->cause] += hit->weight_ns;
	h->opts.fn(h->opts.ctx, hit);
}

static void on_steal(struct tt_hits *h, const struct tt_ev_steal *ev)
{
	struct tt_hit hit = {
		.cause = TT_CAUSE_STEAL,
		.cpu = ev->ev.cpu,
		.ts_ns = ev->ev.ts_ns,
		.weight_ns = ev->steal_ns,
		.nr = !ev->shed,
		.top = "[stolen]",
		.instead = ev->shed ? "[shed]" : NULL,
		.kstack = ev->kstack,
		.ustack = ev->ustack,
		.trim = ev->seen == TT_SEEN_SWITCH ? TT_TRIM_OWN : TT_TRIM_INTERRUPT,
	};

	if (h->cpus && ev->ev.cpu < TT_VIEW_CPUS_MAX)
		h->cpus[ev->ev.cpu].stolen_ns += ev->steal_ns;
	if (!wants(h, TT_CAUSE_STEAL) || !tt_view_has_cpu(h->opts.view, ev->ev.cpu))
		return;
	if (set_task(h, &hit, ev->shed ? TT_TID_UNKNOWN : ev->tid, ev->shed ? "[shed]" : "[unknown_task]"))
		give(h, &hit);
}

/* It waited where it was when it left the CPU. */
static void set_waiting_stack(const struct tt_hits *h, struct tt_hit *hit, const struct tt_ev_switch *sw)
{
	const struct tt_world_left *left = sw->has_stacks ? tt_world_came_from(h->opts.world) : NULL;

	if (left) {
		hit->kstack = left->kstack;
		hit->ustack = left->ustack;
	} else if (sw->has_stacks) {
		hit->instead = sw->wait_kind == TT_WAIT_NEW ? "[new_task]" : "[not_seen]";
	}
}

static void set_waker(const struct tt_hits *h, struct tt_hit *hit, const struct tt_ev_switch *sw)
{
	const struct tt_world_task *waker = tt_world_task(h->opts.world, sw->waker_tid);

	if (sw->wait_kind != TT_WAIT_WAKEUP && sw->wait_kind != TT_WAIT_NEW)
		return;
	hit->has_waker = true;
	hit->waker_is_interrupt = sw->ev.flags & TT_SW_WOKEN_IN_IRQ;
	hit->waker_tid = sw->waker_tid;
	hit->waker_comm = waker ? waker->comm : "";
	if (!sw->has_stacks)
		return;
	hit->waker_kstack = sw->waker_kstack;
	hit->waker_ustack = hit->waker_is_interrupt ? TT_STACK_NONE : sw->waker_ustack;
}

static void on_switch(struct tt_hits *h, const struct tt_ev_switch *sw)
{
	struct tt_hit hit = {
		.cause = TT_CAUSE_RUNQ,
		.cpu = sw->ev.cpu,
		.ts_ns = sw->ev.ts_ns,
		.weight_ns = sw->wait_ns,
		.nr = 1,
		.top = "[runq]",
	};

	if (!sw->wait_ns || !sw->next_tid || !wants(h, TT_CAUSE_RUNQ) ||
	    !tt_view_has_cpu(h->opts.view, sw->ev.cpu) || !set_task(h, &hit, sw->next_tid, "[unknown_task]"))
		return;
	set_waiting_stack(h, &hit, sw);
	set_waker(h, &hit, sw);
	give(h, &hit);
}

/* Waits of switches that were shed are known by their sum. */
static void on_shed_wait(struct tt_hits *h, const struct tt_ev_shed_wait *ev)
{
	struct tt_hit hit = {
		.cause = TT_CAUSE_RUNQ,
		.cpu = ev->ev.cpu,
		.ts_ns = ev->ev.ts_ns,
		.weight_ns = ev->wait_ns,
		.top = "[runq]",
		.instead = "[shed]",
	};

	if (wants(h, TT_CAUSE_RUNQ) && tt_view_has_cpu(h->opts.view, ev->ev.cpu) &&
	    set_task(h, &hit, TT_TID_UNKNOWN, "[shed]"))
		give(h, &hit);
}

static void set_device(struct tt_hits *h, struct tt_hit *hit, uint32_t dev, unsigned group)
{
	const struct tt_world_device *device = tt_world_device(h->opts.world, dev);
	char raw[TT_DISK_NAME_LEN + 1], safe[4 * TT_DISK_NAME_LEN + 1];
	struct tt_frame_info named = { .symbol = raw };

	if (device && device->name[0])
		memcpy(raw, device->name, sizeof(raw));
	else
		snprintf(raw, sizeof(raw), "%u:%u", dev >> 20, dev & 0xfffff);
	if (device && device->is_stacked && !h->stacked_device[0])
		memcpy(h->stacked_device, raw, sizeof(raw));
	tt_name_function(safe, sizeof(safe), &named, TT_NAME_TEXT);
	for (char *c = safe; *c; c++) {
		if (*c == ' ')
			*c = '_';
	}
	snprintf(h->top, sizeof(h->top), "[io_%s_%s]", safe, tt_disk_group_name(group));
	hit->top = h->top;
	hit->dev = dev;
	hit->group = (uint8_t)group;
}

static uint64_t multiply(uint64_t a, uint64_t b)
{
	uint64_t product;

	return __builtin_mul_overflow(a, b, &product) ? UINT64_MAX : product;
}

static void on_disk(struct tt_hits *h, const struct tt_event *ev, const struct tt_disk *rec)
{
	const struct tt_disk_with_stacks *with = (const struct tt_disk_with_stacks *)rec;
	struct tt_hit hit = {
		.cause = TT_CAUSE_DISK,
		.cpu = ev->cpu,
		.ts_ns = ev->ts_ns,
		.weight_ns = multiply(rec->total_ns, tt_request_nr_counted(rec)),
		.nr = tt_request_nr_counted(rec),
	};

	if (!wants(h, TT_CAUSE_DISK) || !(rec->flags & TT_DISK_COUNTED) ||
	    !tt_view_has_device(h->opts.view, h->opts.world, rec->dev) ||
	    !set_task(h, &hit, rec->flags & TT_DISK_NO_SUBMITTER ? TT_TID_UNKNOWN : rec->tid,
		      "[no_submitter]"))
		return;
	if (rec->rec.size >= sizeof(*with)) {
		hit.kstack = with->kstack;
		hit.ustack = with->ustack;
	}
	set_device(h, &hit, rec->dev, tt_request_group(rec));
	give(h, &hit);
}

/* Requests whose records found no room are known by their sums. */
static void on_disk_sums(struct tt_hits *h, const struct tt_event *ev, const struct tt_disk_sums *rec)
{
	struct tt_hit hit = {
		.cause = TT_CAUSE_DISK,
		.cpu = TT_CPU_NONE,
		.ts_ns = ev->ts_ns,
		.weight_ns = rec->shed_total_ns,
		.nr = rec->nr_shed,
		.instead = "[shed]",
	};

	if (!wants(h, TT_CAUSE_DISK) || (!hit.weight_ns && !hit.nr) || rec->group >= TT_DISK_GROUPS ||
	    !tt_view_has_device(h->opts.view, h->opts.world, rec->dev) ||
	    !set_task(h, &hit, TT_TID_UNKNOWN, "[shed]"))
		return;
	set_device(h, &hit, rec->dev, rec->group);
	give(h, &hit);
}

static void on_sample(struct tt_hits *h, const struct tt_event *ev, const struct tt_sample *rec)
{
	struct tt_hit hit = {
		.cause = TT_CAUSE_CPU,
		.cpu = ev->cpu,
		.ts_ns = ev->ts_ns,
		.weight_ns = rec->period_ns > rec->steal_ns ? rec->period_ns - rec->steal_ns : 0,
		.nr = 1,
		.kstack = rec->kstack,
		.ustack = rec->ustack,
	};

	if (!h->cpus)
		return;
	h->nr_samples++;
	if (ev->cpu < TT_VIEW_CPUS_MAX)
		h->cpus[ev->cpu].sampled_ns += hit.weight_ns;
	if (tt_view_has_cpu(h->opts.view, ev->cpu) && set_task(h, &hit, rec->tid, "[unknown_task]"))
		give(h, &hit);
}

/* The time of a window that no sample stands for: after the last one, and where samples were lost. */
static void finish_window(struct tt_hits *h, unsigned cpu, uint64_t end_ts_ns)
{
	const struct tt_world_cpu *wc = tt_world_cpu(h->opts.world, cpu);
	struct cpu_time *c = &h->cpus[cpu];
	uint64_t begin_ts_ns, known_ns = c->stolen_ns + c->sampled_ns;
	struct tt_hit hit = {
		.cause = TT_CAUSE_CPU,
		.cpu = (uint16_t)cpu,
		.ts_ns = end_ts_ns,
		.instead = "[not_sampled]",
	};

	*c = (struct cpu_time){ 0 };
	if (!wc || !h->nr_samples || !tt_view_has_cpu(h->opts.view, cpu) ||
	    !set_task(h, &hit, TT_TID_UNKNOWN, "[not_sampled]"))
		return;
	begin_ts_ns = wc->begin_ts_ns > h->opts.from_ts_ns ? wc->begin_ts_ns : h->opts.from_ts_ns;
	if (end_ts_ns < begin_ts_ns || end_ts_ns - begin_ts_ns <= known_ns)
		return;
	hit.weight_ns = end_ts_ns - begin_ts_ns - known_ns;
	give(h, &hit);
}

static void on_window(struct tt_hits *h, const struct tt_ev_window *win)
{
	if (!h->cpus || win->ev.cpu >= TT_VIEW_CPUS_MAX)
		return;
	if (win->begins)
		h->cpus[win->ev.cpu] = (struct cpu_time){ 0 };
	else
		finish_window(h, win->ev.cpu, win->ev.ts_ns);
	h->cpus[win->ev.cpu].has_ended = !win->begins;
}

void tt_hits_event(struct tt_hits *h, const struct tt_event *ev)
{
	const struct tt_record *rec = ((const struct tt_ev_record *)ev)->rec;

	switch (ev->kind) {
	case TT_EV_SWITCH:
		on_switch(h, (const struct tt_ev_switch *)ev);
		break;
	case TT_EV_SHED_WAIT:
		on_shed_wait(h, (const struct tt_ev_shed_wait *)ev);
		break;
	case TT_EV_STEAL:
		on_steal(h, (const struct tt_ev_steal *)ev);
		break;
	case TT_EV_WINDOW:
		on_window(h, (const struct tt_ev_window *)ev);
		break;
	case TT_EV_DISK:
		on_disk(h, ev, (const struct tt_disk *)rec);
		break;
	case TT_EV_DISK_SUMS:
		on_disk_sums(h, ev, (const struct tt_disk_sums *)rec);
		break;
	case TT_EV_SAMPLE:
		on_sample(h, ev, (const struct tt_sample *)rec);
		break;
	}
}

void tt_hits_finish(struct tt_hits *h, uint64_t to_ts_ns)
{
	unsigned nr_cpus = tt_world_nr_cpus(h->opts.world);

	for (unsigned cpu = 0; h->cpus && cpu < nr_cpus && cpu < TT_VIEW_CPUS_MAX; cpu++) {
		const struct tt_world_cpu *wc = tt_world_cpu(h->opts.world, cpu);

		/* the world may be beyond the part that is looked at */
		if (!h->cpus[cpu].has_ended && (wc->online || wc->end_ts_ns > to_ts_ns) && wc->begin_ts_ns < to_ts_ns)
			finish_window(h, cpu, to_ts_ns);
	}
}

uint64_t tt_hits_nr(const struct tt_hits *h, enum tt_cause cause)
{
	return h->nr[cause];
}

uint64_t tt_hits_sum_ns(const struct tt_hits *h, enum tt_cause cause)
{
	return h->sum_ns[cause];
}

const char *tt_hits_stacked_device(const struct tt_hits *h)
{
	return h->stacked_device[0] ? h->stacked_device : NULL;
}

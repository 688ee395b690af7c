/* SPDX-License-Identifier: GPL-2.0-or-later */
/* perfetto: the native trace of the Perfetto UI.
 *
 * Switches are those of the CPUs that are looked at, whole, so that their tracks have no holes; everything else is made from hits, so
 * that filters count and sums are those of the report.
 */
#include "collector/export/exporter.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "collector/aggregate/view.h"
#include "collector/event/decode.h"
#include "collector/export/pftrace_cpus.h"
#include "collector/export/pftrace_disks.h"
#include "collector/export/pftrace_head.h"
#include "collector/export/pftrace_sched.h"
#include "collector/export/pftrace_stacks.h"
#include "collector/export/pftrace_threads.h"
#include "collector/render/words.h"

struct perfetto {
	struct tt_export_context ctx;
	struct tt_pftrace *t;
	struct tt_pftrace_stacks *stacks;
	struct tt_pftrace_sched *sched;
	struct tt_pftrace_threads *threads;
	struct tt_pftrace_cpus *cpus;
	struct tt_pftrace_disks *disks;
	const struct tt_event *ev; /* the one that hits come of */
	uint64_t nr_flows, nr_cut_waits;
};

static void perfetto_close(void *state)
{
	struct perfetto *pf = state;

	if (!pf)
		return;
	tt_pftrace_disks_close(pf->disks);
	tt_pftrace_cpus_close(pf->cpus);
	tt_pftrace_threads_close(pf->threads);
	tt_pftrace_sched_close(pf->sched);
	tt_pftrace_stacks_close(pf->stacks);
	tt_pftrace_close(pf->t);
	free(pf);
}

static int perfetto_open(const struct tt_export_context *ctx, void **ret_state)
{
	struct perfetto *pf = calloc(1, sizeof(*pf));

	if (!pf)
		return -ENOMEM;
	pf->ctx = *ctx;
	if (tt_pftrace_open(ctx->out, &pf->t) || tt_pftrace_stacks_open(pf->t, ctx->stacks, &pf->stacks) ||
	    tt_pftrace_sched_open(pf->t, ctx->world, &pf->sched) ||
	    tt_pftrace_threads_open(pf->t, ctx->world, &pf->threads) ||
	    tt_pftrace_cpus_open(pf->t, ctx->world, pf->stacks, &pf->cpus) ||
	    tt_pftrace_disks_open(pf->t, ctx->world, pf->stacks, &pf->disks)) {
		perfetto_close(pf);
		return -ENOMEM;
	}
	tt_pftrace_head(pf->t, ctx->info, ctx->from_ts_ns);
	*ret_state = pf;
	return 0;
}

/* Of the kinds that have one. */
static const void *record_of(const struct tt_event *ev)
{
	return ((const struct tt_ev_record *)ev)->rec;
}

/* --- switches, names, loss --- */

static bool others_live(const struct tt_world *world, uint32_t pid, uint32_t tid)
{
	const struct tt_world_task *thread = NULL;

	while ((thread = tt_world_next_thread(world, pid, thread))) {
		if (thread->tid != tid)
			return true;
	}
	return false;
}

/* Who left for good is gone; but the first of a process takes the process along, and so stays until all are gone. */
static void on_last_switch(struct perfetto *pf, const struct tt_ev_switch *sw)
{
	const struct tt_world_task *task = tt_world_task(pf->ctx.world, sw->prev_tid);
	uint32_t tid = sw->prev_tid, pid = task && task->pid ? task->pid : tid;
	bool is_last = !others_live(pf->ctx.world, pid, tid);
	struct tt_pftrace_thread *first = tt_pftrace_thread(pf->threads, pid);

	if (tid == pid && !is_last) {
		first->has_left = true;
		return;
	}
	tt_pftrace_sched_free(pf->sched, sw->ev.cpu, sw->ev.ts_ns, tid);
	if (tid == pid || !is_last || !first->has_left)
		return;
	tt_pftrace_sched_free(pf->sched, sw->ev.cpu, sw->ev.ts_ns, pid);
	first->has_left = false;
}

static int on_switch(struct perfetto *pf, const struct tt_ev_switch *sw)
{
	struct tt_pftrace_thread *prev;
	unsigned state = sw->ev.flags & TT_SW_STATE_MASK;
	uint64_t waking_ts_ns = sw->ev.ts_ns - sw->wait_ns - sw->deliver_ns;
	int err;

	if (sw->ev.flags & TT_SW_PREEMPTED) {
		prev = tt_pftrace_thread(pf->threads, sw->prev_tid);
		prev->is_preempted = true;
		prev->replaced_by_tid = sw->next_tid;
	}
	if (!tt_view_has_cpu(pf->ctx.view, sw->ev.cpu))
		return 0;
	tt_pftrace_threads_meet(pf->threads, sw->next_tid, sw->ev.ts_ns);
	err = tt_pftrace_sched_switch(pf->sched, sw);
	if (!err && sw->wait_kind == TT_WAIT_WAKEUP && waking_ts_ns <= sw->ev.ts_ns)
		tt_pftrace_sched_waking(pf->sched, sw, waking_ts_ns);
	if (!err && (state == TT_STATE_DEAD || state == TT_STATE_ZOMBIE) && sw->prev_tid)
		on_last_switch(pf, sw);
	return err;
}

static void on_task(struct perfetto *pf, const struct tt_event *ev, const struct tt_task *rec)
{
	switch (rec->why) {
	case TT_TASK_FORK:
		tt_pftrace_sched_fork(pf->sched, ev->cpu < TT_DECODE_CPUS_MAX ? ev->cpu : 0, rec);
		tt_pftrace_threads_name(pf->threads, rec->tid, ev->ts_ns);
		break;
	case TT_TASK_AT_START:
	case TT_TASK_EXEC:
	case TT_TASK_RENAME:
		tt_pftrace_threads_name(pf->threads, rec->tid, ev->ts_ns);
		break;
	}
}

/* An instant on the track of the recording. */
static struct tt_pf_event note(const char *name, uint64_t ts_ns)
{
	return (struct tt_pf_event){
		.track = tt_pf_uuid(TT_PF_GROUP, TT_PF_RECORDING),
		.category = TT_PF_CAT_LOSS,
		.name = name,
		.ts_ns = ts_ns,
	};
}

static void add_cpu(struct tt_pf_event *event, unsigned cpu)
{
	if (cpu != TT_CPU_NONE)
		tt_pf_add_number(event, "cpu", cpu);
}

static int on_loss(struct perfetto *pf, const struct tt_event *ev, const struct tt_loss *rec)
{
	const char *words = tt_loss_words(rec->what);
	char name[96];
	struct tt_pf_event event = note(name, ev->ts_ns);

	snprintf(name, sizeof(name), "%llu %s", (unsigned long long)rec->count,
		 words ? words : "losses of an unknown kind");
	add_cpu(&event, ev->cpu);
	tt_pf_add_number(&event, "count", rec->count);
	tt_pf_add_number(&event, "since_ns", ev->ts_ns > rec->since_ts_ns ? ev->ts_ns - rec->since_ts_ns : 0);
	tt_pftrace_instant(pf->t, &event);
	if (rec->what != TT_LOSS_SWITCHES || ev->cpu >= TT_DECODE_CPUS_MAX ||
	    !tt_view_has_cpu(pf->ctx.view, ev->cpu))
		return 0;
	return tt_pftrace_sched_lost(pf->sched, ev->cpu, rec);
}

static int perfetto_event(void *state, const struct tt_event *ev)
{
	struct perfetto *pf = state;
	int err = 0;

	pf->ev = ev;
	switch (ev->kind) {
	case TT_EV_SWITCH:
		err = on_switch(pf, (const struct tt_ev_switch *)ev);
		break;
	case TT_EV_WINDOW:
		if (tt_view_has_cpu(pf->ctx.view, ev->cpu))
			err = tt_pftrace_sched_window(pf->sched, (const struct tt_ev_window *)ev);
		break;
	case TT_EV_TASK:
		on_task(pf, ev, record_of(ev));
		break;
	case TT_EV_LOSS:
		err = on_loss(pf, ev, record_of(ev));
		break;
	}
	return err ? err : tt_pftrace_error(pf->t);
}

/* --- waits --- */

/* Why it had to wait, in words. */
static void name_wait(const struct perfetto *pf, char *name, size_t size, const struct tt_ev_switch *sw,
		      const struct tt_pftrace_thread *thread)
{
	char comm[TT_PFTRACE_COMM_MAX];

	if (sw->ev.flags & TT_SW_THROTTLED)
		snprintf(name, size, "throttled by a CPU quota");
	else if (sw->wait_kind == TT_WAIT_WAKEUP && sw->ev.flags & TT_SW_WOKEN_IN_IRQ)
		snprintf(name, size, "woken by an interrupt");
	else if (sw->wait_kind == TT_WAIT_WAKEUP)
		snprintf(name, size, "woken by %s", tt_pftrace_comm(comm, pf->ctx.world, sw->waker_tid));
	else if (sw->wait_kind == TT_WAIT_NEW)
		snprintf(name, size, "forked by %s", tt_pftrace_comm(comm, pf->ctx.world, sw->waker_tid));
	else if (sw->wait_kind == TT_WAIT_PREEMPTED && thread->is_preempted)
		snprintf(name, size, "preempted by %s",
			 tt_pftrace_comm(comm, pf->ctx.world, thread->replaced_by_tid));
	else if (sw->wait_kind == TT_WAIT_PREEMPTED)
		snprintf(name, size, "preempted");
	else
		snprintf(name, size, "waits, why was not seen");
}

static void add_wait_args(const struct perfetto *pf, struct tt_pf_event *event, const struct tt_hit *hit,
			  const struct tt_ev_switch *sw, const struct tt_pftrace_thread *thread)
{
	uint64_t stolen_ns = tt_world_wait_stolen_ns(pf->ctx.world, sw);

	tt_pf_add_number(event, "wait_ns", hit->weight_ns);
	if (stolen_ns)
		tt_pf_add_number(event, "stolen_ns", stolen_ns);
	tt_pf_add_number(event, "cpu", sw->ev.cpu);
	if (sw->ev.flags & TT_SW_MIGRATED && sw->queued_cpu != TT_CPU_NONE)
		tt_pf_add_number(event, "queued_on_cpu", sw->queued_cpu);
	if (hit->has_waker)
		tt_pf_add_number(event, hit->waker_is_interrupt ? "interrupted_tid" : "waker_tid",
				 sw->waker_tid);
	if (sw->deliver_ns)
		tt_pf_add_number(event, "deliver_ns", sw->deliver_ns);
	if (sw->wait_kind == TT_WAIT_PREEMPTED && thread->is_preempted)
		tt_pf_add_number(event, "preempted_by_tid", thread->replaced_by_tid);
}

/* An arrow from the track of who woke it. Idle and interrupts have none. */
static uint64_t put_wakeup(struct perfetto *pf, const struct tt_hit *hit, const struct tt_ev_switch *sw,
			   uint64_t begin_ts_ns)
{
	char name[TT_PFTRACE_COMM_MAX + 16], comm[TT_PFTRACE_COMM_MAX];
	struct tt_pf_event event = { .category = TT_PF_CAT_RUNQ, .name = name };

	if (!hit->has_waker || hit->waker_is_interrupt || !sw->waker_tid)
		return 0;
	snprintf(name, sizeof(name), "%s %s", sw->wait_kind == TT_WAIT_NEW ? "forks" : "wakes",
		 tt_pftrace_comm(comm, pf->ctx.world, sw->next_tid));
	event.ts_ns = begin_ts_ns > sw->deliver_ns ? begin_ts_ns - sw->deliver_ns : 0;
	event.track = tt_pftrace_thread_track(pf->threads, sw->waker_tid)->track;
	event.flow = ++pf->nr_flows;
	tt_pftrace_instant(pf->t, &event);
	return event.flow;
}

static void put_wait(struct perfetto *pf, const struct tt_hit *hit)
{
	const struct tt_ev_switch *sw = (const struct tt_ev_switch *)pf->ev;
	char name[96];
	struct tt_pf_event event = {
		.category = TT_PF_CAT_RUNQ,
		.name = name,
		.ts_ns = hit->ts_ns > hit->weight_ns ? hit->ts_ns - hit->weight_ns : 0,
		.weight_ns = hit->weight_ns,
	};
	unsigned cpu = sw->queued_cpu < TT_DECODE_CPUS_MAX ? sw->queued_cpu : sw->ev.cpu;
	struct tt_pftrace_thread *thread;

	tt_pftrace_cpus_waited(pf->cpus, cpu, event.ts_ns, hit->ts_ns);
	event.terminated_flow = put_wakeup(pf, hit, sw, event.ts_ns);
	thread = tt_pftrace_thread_track(pf->threads, hit->tid);
	event.track = thread->track;
	if (event.ts_ns < thread->last_end_ts_ns) {
		pf->nr_cut_waits++;
		event.ts_ns = thread->last_end_ts_ns < hit->ts_ns ? thread->last_end_ts_ns : hit->ts_ns;
	}
	thread->last_end_ts_ns = hit->ts_ns;
	name_wait(pf, name, sizeof(name), sw, thread);
	add_wait_args(pf, &event, hit, sw, thread);
	thread->is_preempted = false;
	event.callstack = tt_pftrace_callstack(pf->stacks, hit);
	tt_pftrace_slice(pf->t, &event, hit->ts_ns);
}

/* Weight that is of no single event: what is known of it. */
static void put_rest(struct perfetto *pf, const struct tt_hit *hit, const char *name, const char *arg)
{
	struct tt_pf_event event = note(name, hit->ts_ns);

	add_cpu(&event, hit->cpu);
	tt_pf_add_number(&event, arg, hit->weight_ns);
	tt_pftrace_instant(pf->t, &event);
}

/* At the end there are hits without an event: of time without a sample. */
static int perfetto_hit(void *state, const struct tt_hit *hit)
{
	struct perfetto *pf = state;

	switch (hit->cause) {
	case TT_CAUSE_STEAL:
		tt_pftrace_cpus_steal(pf->cpus, hit, (const struct tt_ev_steal *)pf->ev);
		break;
	case TT_CAUSE_RUNQ:
		if (pf->ev->kind == TT_EV_SWITCH)
			put_wait(pf, hit);
		else
			put_rest(pf, hit, "waits of switches that were shed", "wait_ns");
		break;
	case TT_CAUSE_DISK:
		return pf->ev->kind == TT_EV_DISK
			       ? tt_pftrace_disks_request(pf->disks, hit, record_of(pf->ev))
			       : tt_pftrace_disks_shed(pf->disks, hit);
	case TT_CAUSE_CPU:
		if (hit->nr && hit->cpu < TT_DECODE_CPUS_MAX)
			tt_pftrace_cpus_sample(pf->cpus, hit, record_of(pf->ev));
		else
			put_rest(pf, hit, "time without a sample", "cpu_ns");
		break;
	default:
		break;
	}
	return tt_pftrace_error(pf->t);
}

/* --- the end --- */

static void put_end(struct perfetto *pf, const struct tt_export_end *end)
{
	char losses[TT_LOSS_LIST_MAX];
	struct tt_pf_event event = note("recording ended", end->interval.to_ts_ns);

	event.category = TT_PF_CAT_RECORDING;
	tt_loss_list(losses, sizeof(losses), end->nr_lost);
	tt_pf_add_text(&event, "lost", losses[0] ? losses : "nothing");
	if (end->lack)
		tt_pf_add_text(&event, "session_is_not_whole", end->lack);
	tt_pf_add_number(&event, "waits_cut_at_the_one_before", pf->nr_cut_waits);
	tt_pf_add_number(&event, "steal_slices_cut_at_the_one_before", tt_pftrace_cpus_nr_cut(pf->cpus));
	tt_pf_add_number(&event, "requests_without_a_lane", tt_pftrace_disks_nr_without_lane(pf->disks));
	tt_pf_add_number(&event, "waits_counted_late", tt_pftrace_cpus_nr_late(pf->cpus));
	tt_pf_add_number(&event, "requests_counted_late", tt_pftrace_disks_nr_late(pf->disks));
	tt_pf_add_number(&event, "stacks_without_room", end->nr_merged);
	tt_pftrace_instant(pf->t, &event);
}

static int perfetto_finish(void *state, struct tt_export_end *end)
{
	struct perfetto *pf = state;

	end->nr_merged = tt_pftrace_stacks_nr_merged(pf->stacks);
	tt_pftrace_sched_finish(pf->sched);
	tt_pftrace_cpus_finish(pf->cpus);
	tt_pftrace_disks_finish(pf->disks);
	put_end(pf, end);
	return tt_pftrace_error(pf->t);
}

const struct tt_exporter tt_exporter_perfetto = {
	.name = "perfetto",
	.help = "Perfetto's trace: switches, waits, steal, requests, samples",
	.is_binary = true,
	.needs_names_first = true,
	.needs_empty_hits = true,
	.open = perfetto_open,
	.event = perfetto_event,
	.hit = perfetto_hit,
	.finish = perfetto_finish,
	.close = perfetto_close,
};

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Run queue: how long tasks that could run waited for a CPU, who waited, behind whom, and how much of it was
 * steal.
 *
 * A wait is the growth of the task's sched_info.run_delay, so sums equal /proc/PID/schedstat.
 * docs/metrics.md.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collector/aggregate/coarse.h"
#include "collector/aggregate/findings.h"
#include "collector/aggregate/occupants.h"
#include "collector/aggregate/view.h"
#include "collector/aggregate/who.h"

enum {
	NR_SLICES = 32,	       /* of each CPU, the last ones: enough for a look back over one long wait */
	LONG_WAIT_NS = 100000, /* shorter waits are not asked who ran meanwhile */
	EARNED_PER_SWITCH = 3, /* see ask_for_behind */
	DEBT_MAX = 256,
	NR_BEHIND = 4, /* candidates kept of each row */
	NR_KINDS = 2,  /* woken (or new, or unknown), preempted */
};
enum { WOKEN, PREEMPTED };

struct cpu_state {
	struct tt_hist wait[NR_KINDS], deliver;
	uint64_t stolen_ns;
	uint64_t recorded_wait_ns; /* whatever the view leaves out */
	uint64_t outside_wait_ns;  /* of it, not between the two readings of the task's run_delay */
	uint64_t shed_wait_ns;	   /* of waits without a record */
	/* recorded + shed + unseen = growth of rq->nr_switches; whatever the view leaves out */
	uint64_t nr_recorded, nr_shed, nr_unseen, window_begin_switches, window_switches;
	bool in_window, has_growth;
	struct tt_occupants occupants;
	unsigned debt; /* slices looked at that were not earned yet, see ask_for_behind */
};

struct behind {
	uint64_t ns;
	uint32_t tid;
	char name[TT_COMM_LEN + 1];
};

struct waiter {
	uint64_t nr, sum_ns, max_ns, stolen_ns, nr_preempted, preempted_ns;
	uint64_t throttled_ns;	    /* waits in which a CPU quota held its cgroup back */
	uint64_t after_exit_ns;	    /* waits after its counters were read for the last time, at its exit */
	uint64_t charged_ns;	    /* of the waits without a record, by the kernel's own sum; set by finish */
	uint64_t long_ns, asked_ns; /* of long waits; the part of them for which we know who ran */
	struct behind behind[NR_BEHIND];
	struct tt_coarse wait;
	/* from /proc only: the counters seen last */
	bool counted, seen;
	uint64_t last_run_delay_ns, last_nr_timeslices;
};

struct runq {
	const struct tt_world *world;
	const struct tt_view *view;
	bool counters_only;
	struct cpu_state *cpus[TT_VIEW_CPUS_MAX];
	unsigned nr_cpus;
	struct tt_who who;
	struct waiter *waiters; /* by slot of who */
	uint64_t nr_beyond, nr_throttled, throttled_ns;
	uint64_t nr_shed, first_shed_ts_ns, last_shed_ts_ns;
};

static const struct tt_column cpu_columns[] = {
	{ "cpu", "cpu", TT_UNIT_TEXT, false, 0 },
	{ "waits_per_s", "waits/s", TT_UNIT_NUMBER, false, 1 },
	{ "wait_p50_ns", "p50", TT_UNIT_NS, false, 0 },
	{ "wait_p99_ns", "p99", TT_UNIT_NS, false, 0 },
	{ "wait_p999_ns", "p99.9", TT_UNIT_NS, false, 0 },
	{ "wait_max_ns", "max", TT_UNIT_NS, false, 0 },
	{ "wait_ms_per_s", "wait ms/s", TT_UNIT_NUMBER, false, 0 },
	{ "stolen_pct", "stolen%", TT_UNIT_PCT, false, 1 },
	{ "woken", "woken", TT_UNIT_COUNT, false, 0 },
	{ "woken_p99_ns", "wk_p99", TT_UNIT_NS, false, 0 },
	{ "preempted", "preempted", TT_UNIT_COUNT, false, 0 },
	{ "preempted_p99_ns", "pre_p99", TT_UNIT_NS, false, 0 },
	{ "deliver_p99_ns", "deliver_p99", TT_UNIT_NS, false, 0 },
	{ "waits", "waits", TT_UNIT_COUNT, true, 0 },
	{ "wait_sum_ns", "wait", TT_UNIT_NS, true, 0 },
	{ "shed_wait_ns", "shed", TT_UNIT_NS, true, 0 },
	{ "stolen_ns", "stolen", TT_UNIT_NS, true, 0 },
	{ "wait_p90_ns", "p90", TT_UNIT_NS, true, 0 },
	{ "woken_p50_ns", "wk_p50", TT_UNIT_NS, true, 0 },
	{ "preempted_p50_ns", "pre_p50", TT_UNIT_NS, true, 0 },
	{ "nr_switches", "switches", TT_UNIT_COUNT, true, 0 },
	{ "recorded_switches", "recorded", TT_UNIT_COUNT, true, 0 },
	{ "shed_switches", "shed", TT_UNIT_COUNT, true, 0 },
	{ "unseen_switches", "unseen", TT_UNIT_COUNT, true, 0 },
};
enum {
	CPU_NAME,
	CPU_WAITS_PER_S,
	CPU_P50,
	CPU_P99,
	CPU_P999,
	CPU_MAX,
	CPU_MS_PER_S,
	CPU_STOLEN_PCT,
	CPU_WOKEN,
	CPU_WOKEN_P99,
	CPU_PREEMPTED,
	CPU_PREEMPTED_P99,
	CPU_DELIVER_P99,
	CPU_WAITS,
	CPU_SUM,
	CPU_SHED,
	CPU_STOLEN,
	CPU_P90,
	CPU_WOKEN_P50,
	CPU_PREEMPTED_P50,
	CPU_SWITCHES,
	CPU_RECORDED_SWITCHES,
	CPU_SHED_SWITCHES,
	CPU_UNSEEN_SWITCHES,
	NR_CPU_COLUMNS
};
_Static_assert(sizeof(cpu_columns) / sizeof(cpu_columns[0]) == NR_CPU_COLUMNS, "a column without a name");

static const struct tt_column waiter_columns[] = {
	{ "waiter", "waiter", TT_UNIT_TEXT, false, 0 },
	{ "waits", "waits", TT_UNIT_COUNT, false, 0 },
	{ "wait_sum_ns", "sum", TT_UNIT_NS, false, 0 },
	{ "wait_mean_ns", "mean", TT_UNIT_NS, false, 0 },
	{ "wait_p99_ns", "p99", TT_UNIT_NS, false, 0 },
	{ "wait_max_ns", "max", TT_UNIT_NS, false, 0 },
	{ "stolen_pct", "stolen%", TT_UNIT_PCT, false, 1 },
	{ "preempted_pct", "preempted%", TT_UNIT_PCT, false, 1 },
	{ "behind_pct", "behind%", TT_UNIT_PCT, false, 1 },
	{ "behind", "behind", TT_UNIT_TEXT, false, 0 },
	{ "tid", "tid", TT_UNIT_COUNT, true, 0 },
	{ "pid", "pid", TT_UNIT_COUNT, true, 0 },
	{ "stolen_ns", "stolen", TT_UNIT_NS, true, 0 },
	{ "throttled_ns", "throttled", TT_UNIT_NS, true, 0 },
	{ "cgroup_path", "path", TT_UNIT_TEXT, true, 0 },
};
enum {
	WAIT_NAME,
	WAIT_NR,
	WAIT_SUM,
	WAIT_MEAN,
	WAIT_P99,
	WAIT_MAX,
	WAIT_STOLEN_PCT,
	WAIT_PREEMPTED_PCT,
	WAIT_BEHIND_PCT,
	WAIT_BEHIND,
	WAIT_TID,
	WAIT_PID,
	WAIT_STOLEN,
	WAIT_THROTTLED,
	WAIT_CGROUP_PATH,
	NR_WAIT_COLUMNS
};
_Static_assert(sizeof(waiter_columns) / sizeof(waiter_columns[0]) == NR_WAIT_COLUMNS,
	       "a column without a name");

static const struct tt_column task_columns[] = {
	{ "tid", "tid", TT_UNIT_COUNT, true, 0 },
	{ "pid", "pid", TT_UNIT_COUNT, true, 0 },
	{ "comm", "comm", TT_UNIT_TEXT, true, 0 },
	{ "waits", "waits", TT_UNIT_COUNT, true, 0 },
	{ "wait_sum_ns", "sum", TT_UNIT_NS, true, 0 },
	{ "kernel_run_delay_ns", "run_delay", TT_UNIT_NS, true, 0 },
	{ "ours", "ours", TT_UNIT_COUNT, true, 0 },
};
enum { NR_TASK_COLUMNS = sizeof(task_columns) / sizeof(task_columns[0]) };

/* Life */

static void runq_close(void *state)
{
	struct runq *rq = state;

	if (!rq)
		return;
	for (unsigned i = 0; i < rq->nr_cpus; i++) {
		if (rq->cpus[i])
			tt_occupants_close(&rq->cpus[i]->occupants);
		free(rq->cpus[i]);
	}
	tt_who_close(&rq->who);
	free(rq->waiters);
	free(rq);
}

static int runq_open(const struct tt_agg_options *opts, void **ret_state)
{
	struct runq *rq = calloc(1, sizeof(*rq));

	if (!rq)
		return -ENOMEM;
	rq->world = opts->world;
	rq->view = opts->view;
	rq->counters_only = opts->counters_only;
	rq->waiters = calloc(TT_WHO_MAX, sizeof(*rq->waiters));
	if (!rq->waiters || tt_who_open(&rq->who, opts)) {
		runq_close(rq);
		return -ENOMEM;
	}
	if (rq->counters_only) /* /proc is not asked for cgroups */
		rq->who.by_cgroup = false;
	*ret_state = rq;
	return 0;
}

static struct cpu_state *get_cpu(struct runq *rq, unsigned cpu)
{
	if (cpu >= TT_VIEW_CPUS_MAX)
		return NULL;
	if (!rq->cpus[cpu]) {
		rq->cpus[cpu] = calloc(1, sizeof(struct cpu_state));
		if (rq->cpus[cpu] && tt_occupants_open(&rq->cpus[cpu]->occupants, NR_SLICES)) {
			free(rq->cpus[cpu]);
			rq->cpus[cpu] = NULL;
		}
		if (rq->cpus[cpu] && cpu >= rq->nr_cpus)
			rq->nr_cpus = cpu + 1;
	}
	return rq->cpus[cpu];
}

/* Rows of waiters */

static uint64_t all_wait_ns(const struct waiter *w)
{
	return w->sum_ns + w->charged_ns;
}

static uint64_t waiter_weight(void *ctx, uint32_t slot)
{
	return all_wait_ns(&((struct runq *)ctx)->waiters[slot]);
}

static void merge_waiter(struct waiter *into, const struct waiter *from)
{
	into->nr += from->nr;
	into->sum_ns += from->sum_ns;
	into->charged_ns += from->charged_ns;
	into->stolen_ns += from->stolen_ns;
	into->nr_preempted += from->nr_preempted;
	into->preempted_ns += from->preempted_ns;
	into->throttled_ns += from->throttled_ns;
	if (from->max_ns > into->max_ns)
		into->max_ns = from->max_ns;
	tt_coarse_merge(&into->wait, &from->wait);
}

static void waiter_fold(void *ctx, uint32_t into, uint32_t from)
{
	struct runq *rq = ctx;

	merge_waiter(&rq->waiters[into], &rq->waiters[from]);
	memset(&rq->waiters[from], 0, sizeof(rq->waiters[from]));
}

static void waiter_move(void *ctx, uint32_t to, uint32_t from)
{
	struct runq *rq = ctx;

	rq->waiters[to] = rq->waiters[from];
	memset(&rq->waiters[from], 0, sizeof(rq->waiters[from]));
}

static struct tt_who_owner owner_of(struct runq *rq)
{
	return (struct tt_who_owner){ rq, waiter_weight, waiter_fold, waiter_move };
}

/* Events */

static void name_behind(const struct runq *rq, struct behind *b)
{
	const struct tt_world_task *task = tt_world_task(rq->world, b->tid);

	if (task)
		memcpy(b->name, task->comm, sizeof(b->name));
}

/* Whoever is lightest makes way, so what is kept is at most too small. */
static void blame(const struct runq *rq, struct waiter *w, uint32_t tid, uint64_t ns)
{
	struct behind *lightest = &w->behind[0];

	if (!tid || tid == TT_TID_UNKNOWN)
		return;
	for (unsigned i = 0; i < NR_BEHIND; i++) {
		struct behind *b = &w->behind[i];

		if (b->tid == tid) {
			b->ns += ns;
			if (!b->name[0]) /* the first switches come before the state of every task */
				name_behind(rq, b);
			return;
		}
		if (b->ns < lightest->ns)
			lightest = b;
	}
	if (ns <= lightest->ns)
		return;
	*lightest = (struct behind){ .ns = ns, .tid = tid };
	name_behind(rq, lightest);
}

struct look_back {
	const struct runq *rq;
	struct waiter *w;
	uint32_t tid; /* the waiter */
};

/* A task does not wait for itself: its own slices reach into the wait where the clocks differ by a little. */
static void blame_other(void *ctx, uint32_t tid, uint64_t from_ts_ns, uint64_t to_ts_ns)
{
	const struct look_back *look = ctx;

	if (tid != look->tid)
		blame(look->rq, look->w, tid, to_ts_ns - from_ts_ns);
}

/* Who had the CPU that the task was queued on while it waited, as far as the last slices tell. Returns how
 * many were looked at. */
static unsigned find_behind(struct runq *rq, struct waiter *w, unsigned cpu, const struct tt_ev_switch *sw)
{
	const struct cpu_state *c = cpu < rq->nr_cpus ? rq->cpus[cpu] : NULL;
	const struct tt_world_cpu *wc = tt_world_cpu(rq->world, cpu);
	struct look_back look = { rq, w, sw->next_tid };
	uint64_t known_ns;
	unsigned nr;

	if (!c)
		return 0;
	/* on another CPU somebody runs on since its last switch */
	nr = tt_occupants_between(&c->occupants, sw->ev.ts_ns - sw->wait_ns, sw->ev.ts_ns,
				  wc && cpu != sw->ev.cpu ? wc->running_tid : TT_TID_UNKNOWN, blame_other,
				  &look, &known_ns);
	w->asked_ns += known_ns;
	return nr;
}

/* Short slices and long waits would make this most of the work: a switch earns the right to look at
 * EARNED_PER_SWITCH slices, and where that does not do, some of the waits stand for all. */
static void ask_for_behind(struct runq *rq, struct cpu_state *c, struct waiter *w, unsigned queued_cpu,
			   const struct tt_ev_switch *sw)
{
	w->long_ns += sw->wait_ns;
	if (c->debt <= DEBT_MAX && sw->wait_ns <= sw->ev.ts_ns)
		c->debt += find_behind(rq, w, queued_cpu, sw);
}

static void count_wait(struct runq *rq, struct cpu_state *c, const struct tt_ev_switch *sw)
{
	struct tt_who_owner owner = owner_of(rq);
	uint64_t stolen_ns;
	unsigned queued_cpu = sw->queued_cpu == TT_CPU_NONE ? sw->ev.cpu : sw->queued_cpu;
	unsigned kind = sw->wait_kind == TT_WAIT_PREEMPTED ? PREEMPTED : WOKEN;
	struct waiter *w;
	uint32_t slot;

	tt_who_make_room(&rq->who, &owner);
	slot = tt_who_find(&rq->who, sw->next_tid);
	if (slot == TT_WHO_HIDDEN)
		return;
	stolen_ns = tt_world_wait_stolen_ns(rq->world, sw);
	tt_hist_add(&c->wait[kind], sw->wait_ns);
	c->stolen_ns += stolen_ns;
	if (sw->wait_kind == TT_WAIT_WAKEUP)
		tt_hist_add(&c->deliver, sw->deliver_ns);
	w = &rq->waiters[slot];
	if (sw->ev.flags & TT_SW_THROTTLED) {
		rq->nr_throttled++;
		rq->throttled_ns += sw->wait_ns;
		w->throttled_ns += sw->wait_ns;
	}
	w->nr++;
	w->sum_ns += sw->wait_ns;
	if (!rq->who.by_cgroup && rq->who.slots[slot].exited)
		w->after_exit_ns += sw->wait_ns;
	w->stolen_ns += stolen_ns;
	if (sw->wait_ns > w->max_ns)
		w->max_ns = sw->wait_ns;
	if (kind == PREEMPTED) {
		w->nr_preempted++;
		w->preempted_ns += sw->wait_ns;
	}
	tt_coarse_add(&w->wait, sw->wait_ns);
	if (sw->wait_ns >= LONG_WAIT_NS)
		ask_for_behind(rq, c, w, queued_cpu, sw);
}

/* Tasks are walked one by one when recording begins and ends: what a task waited just before its turn then, or after, is
 * ours but not the kernel's growth. */
static bool is_between_readings(const struct runq *rq, const struct tt_ev_switch *sw)
{
	const struct tt_world_task *task = tt_world_task(rq->world, sw->next_tid);

	return task && task->first_ts_ns && (!task->last_ts_ns || sw->ev.ts_ns <= task->last_ts_ns);
}

static void on_switch(struct runq *rq, const struct tt_ev_switch *sw)
{
	struct cpu_state *c = get_cpu(rq, sw->ev.cpu);

	if (!c) {
		rq->nr_beyond++;
		return;
	}
	c->nr_recorded++;
	c->debt -= c->debt < EARNED_PER_SWITCH ? c->debt : EARNED_PER_SWITCH;
	tt_occupants_switch(&c->occupants, sw);
	if (!sw->wait_ns || !sw->next_tid)
		return;
	c->recorded_wait_ns += sw->wait_ns;
	if (!is_between_readings(rq, sw))
		c->outside_wait_ns += sw->wait_ns;
	if (tt_view_has_cpu(rq->view, sw->ev.cpu))
		count_wait(rq, c, sw);
}

static void on_window(struct runq *rq, const struct tt_ev_window *win)
{
	struct cpu_state *c = get_cpu(rq, win->ev.cpu);

	if (!c)
		return;
	if (win->begins) {
		c->window_begin_switches = win->nr_switches;
	} else if (c->in_window) {
		c->window_switches += win->nr_switches - c->window_begin_switches;
		c->has_growth = true;
	}
	c->in_window = win->begins;
}

static void on_loss(struct runq *rq, const struct tt_loss *rec)
{
	struct cpu_state *c = rec->rec.cpu < TT_VIEW_CPUS_MAX ? get_cpu(rq, rec->rec.cpu) : NULL;

	if (c && rec->what == TT_LOSS_SWITCHES)
		c->nr_shed += rec->count;
	if (c && rec->what == TT_LOSS_UNSEEN)
		c->nr_unseen += rec->count;
	if (rec->what != TT_LOSS_SWITCHES || !rec->count)
		return;
	if (!rq->nr_shed)
		rq->first_shed_ts_ns = rec->since_ts_ns;
	rq->nr_shed += rec->count;
	rq->last_shed_ts_ns = rec->rec.ts_ns;
}

static void on_shed_wait(struct runq *rq, const struct tt_ev_shed_wait *shed)
{
	struct cpu_state *c = get_cpu(rq, shed->ev.cpu);

	if (c)
		c->shed_wait_ns += shed->wait_ns;
}

/* /proc/PID/schedstat: only sums. A task that is first seen counts from what the world takes as its
 * beginning. */
static void on_task_counters(struct runq *rq, const struct tt_task_counters *rec)
{
	const struct tt_world_task *task = tt_world_task(rq->world, rec->tid);
	struct tt_who_owner owner = owner_of(rq);
	struct waiter *w;
	uint32_t slot;

	tt_who_make_room(&rq->who, &owner);
	slot = rec->tid ? tt_who_find(&rq->who, rec->tid) : TT_WHO_HIDDEN;
	if (slot == TT_WHO_HIDDEN || !task)
		return;
	if (slot == TT_WHO_OTHERS) /* no last value to compare with */
		return;
	if (rq->who.slots[slot].serial != task->serial) {
		/* the tid was reused between two looks: the old row is closed, a new one begins */
		rq->who.slots[slot].exited = true;
		tt_index_remove(&rq->who.by_tid, rec->tid);
		slot = tt_who_find(&rq->who, rec->tid);
		if (slot == TT_WHO_HIDDEN || slot == TT_WHO_OTHERS)
			return;
	}
	w = &rq->waiters[slot];
	memcpy(rq->who.slots[slot].comm, task->comm, sizeof(task->comm));
	rq->who.slots[slot].exited = false;
	w->seen = true;
	if (!w->counted) {
		bool is_first = task->first_ts_ns == rec->rec.ts_ns;
		bool is_born = is_first && task->first_run_delay_ns != rec->run_delay_ns;

		w->last_run_delay_ns = is_first ? task->first_run_delay_ns : rec->run_delay_ns;
		w->last_nr_timeslices = is_born ? 0 : rec->nr_timeslices;
		w->counted = true;
	}
	if (rec->run_delay_ns > w->last_run_delay_ns)
		w->sum_ns += rec->run_delay_ns - w->last_run_delay_ns;
	if (rec->nr_timeslices > w->last_nr_timeslices)
		w->nr += rec->nr_timeslices - w->last_nr_timeslices;
	w->last_run_delay_ns = rec->run_delay_ns;
	w->last_nr_timeslices = rec->nr_timeslices;
}

static void runq_event(void *state, const struct tt_event *ev)
{
	struct runq *rq = state;
	const struct tt_record *rec = ((const struct tt_ev_record *)ev)->rec;

	switch (ev->kind) {
	case TT_EV_SWITCH:
		on_switch(rq, (const struct tt_ev_switch *)ev);
		break;
	case TT_EV_WINDOW:
		on_window(rq, (const struct tt_ev_window *)ev);
		break;
	case TT_EV_SHED_WAIT:
		on_shed_wait(rq, (const struct tt_ev_shed_wait *)ev);
		break;
	case TT_EV_TASK:
		tt_who_event(&rq->who, ev);
		break;
	case TT_EV_LOSS:
		on_loss(rq, (const struct tt_loss *)rec);
		break;
	case TT_EV_TASK_COUNTERS:
		if (rq->counters_only)
			on_task_counters(rq, (const struct tt_task_counters *)rec);
		break;
	}
}

/* The report */

struct cpu_sum {
	struct tt_hist wait, kinds[NR_KINDS], deliver;
	uint64_t stolen_ns, shed_wait_ns, covered_ns;
	uint64_t nr_recorded, nr_shed, nr_unseen, nr_switches;
	bool switches_known;
};

static void sum_cpu(const struct cpu_state *c, struct cpu_sum *sum)
{
	for (unsigned i = 0; i < NR_KINDS; i++) {
		tt_hist_merge(&sum->wait, &c->wait[i]);
		tt_hist_merge(&sum->kinds[i], &c->wait[i]);
	}
	tt_hist_merge(&sum->deliver, &c->deliver);
	sum->stolen_ns += c->stolen_ns;
	sum->switches_known |= c->has_growth;
	sum->shed_wait_ns += c->shed_wait_ns;
	sum->nr_recorded += c->nr_recorded;
	sum->nr_shed += c->nr_shed;
	sum->nr_unseen += c->nr_unseen;
	sum->nr_switches += c->window_switches;
}

static void fill_percentile(struct tt_table *t, unsigned column, const struct tt_hist *h, double pct)
{
	if (h->nr_total)
		tt_row_u64(t, column, tt_hist_percentile_ns(h, pct));
}

static void add_cpu_row(const struct runq *rq, struct tt_report *r, struct tt_table *t, const char *name,
			const struct cpu_sum *sum, uint64_t dur_ns)
{
	const struct tt_hist *h = &sum->wait;
	/* whose waits were shed is not known */
	uint64_t sum_ns = h->sum_ns + (tt_view_has_task_filter(rq->view) ? 0 : sum->shed_wait_ns);

	tt_table_add_row(r, t);
	tt_row_text(r, t, CPU_NAME, name);
	tt_row_f64(t, CPU_WAITS_PER_S, tt_per_s((double)h->nr_total, dur_ns));
	tt_row_f64(t, CPU_MS_PER_S, tt_per_s((double)sum_ns / 1e6, dur_ns));
	tt_row_u64(t, CPU_WAITS, h->nr_total);
	tt_row_u64(t, CPU_SUM, sum_ns);
	if (rq->counters_only)
		return;
	fill_percentile(t, CPU_P50, h, 50);
	fill_percentile(t, CPU_P90, h, 90);
	fill_percentile(t, CPU_P99, h, 99);
	fill_percentile(t, CPU_P999, h, 99.9);
	fill_percentile(t, CPU_MAX, h, 100);
	tt_row_f64(t, CPU_STOLEN_PCT, 100 * tt_ratio((double)sum->stolen_ns, (double)h->sum_ns));
	tt_row_u64(t, CPU_STOLEN, sum->stolen_ns);
	tt_row_u64(t, CPU_WOKEN, sum->kinds[WOKEN].nr_total);
	tt_row_u64(t, CPU_PREEMPTED, sum->kinds[PREEMPTED].nr_total);
	fill_percentile(t, CPU_WOKEN_P50, &sum->kinds[WOKEN], 50);
	fill_percentile(t, CPU_WOKEN_P99, &sum->kinds[WOKEN], 99);
	fill_percentile(t, CPU_PREEMPTED_P50, &sum->kinds[PREEMPTED], 50);
	fill_percentile(t, CPU_PREEMPTED_P99, &sum->kinds[PREEMPTED], 99);
	fill_percentile(t, CPU_DELIVER_P99, &sum->deliver, 99);
	tt_row_u64(t, CPU_RECORDED_SWITCHES, sum->nr_recorded);
	tt_row_u64(t, CPU_SHED_SWITCHES, sum->nr_shed);
	tt_row_u64(t, CPU_UNSEEN_SWITCHES, sum->nr_unseen);
	tt_row_u64(t, CPU_SHED, sum->shed_wait_ns);
	if (sum->switches_known)
		tt_row_u64(t, CPU_SWITCHES, sum->nr_switches);
}

/* From counters there is one row, of what all tasks waited. */
static void sum_waiters(struct runq *rq, struct cpu_sum *sum)
{
	for (uint32_t slot = 0; slot < rq->who.nr; slot++) {
		sum->wait.nr_total += rq->waiters[slot].nr;
		sum->wait.sum_ns += rq->waiters[slot].sum_ns;
	}
}

/* A CPU that was offline all the time has none. */
static bool has_row(const struct runq *rq, unsigned cpu, const struct tt_interval *interval)
{
	const struct tt_world_cpu *wc = tt_world_cpu(rq->world, cpu);

	return rq->cpus[cpu] && wc && wc->seen && tt_view_has_cpu(rq->view, cpu) &&
	       (rq->cpus[cpu]->nr_recorded || tt_cpu_covered_ns(wc, interval));
}

static void add_cpu_table(struct runq *rq, const struct tt_interval *interval, struct tt_report *r,
			  struct tt_section *s, const struct cpu_sum *all)
{
	struct tt_table *t = tt_section_add_table(r, s, "cpus", NULL, cpu_columns, NR_CPU_COLUMNS);
	struct cpu_sum *sum = calloc(1, sizeof(*sum));
	char name[16];

	if (!sum)
		r->failed = true;
	if (t)
		add_cpu_row(rq, r, t, "all", all, interval->to_ts_ns - interval->from_ts_ns);
	for (unsigned cpu = 0; t && sum && cpu < rq->nr_cpus; cpu++) {
		if (!has_row(rq, cpu, interval) || rq->counters_only)
			continue;
		memset(sum, 0, sizeof(*sum));
		sum_cpu(rq->cpus[cpu], sum);
		snprintf(name, sizeof(name), "cpu%u", cpu);
		add_cpu_row(rq, r, t, name, sum, tt_cpu_covered_ns(tt_world_cpu(rq->world, cpu), interval));
	}
	free(sum);
}

static const struct behind *worst_behind(const struct waiter *w)
{
	const struct behind *worst = &w->behind[0];

	for (unsigned i = 1; i < NR_BEHIND; i++) {
		if (w->behind[i].ns > worst->ns)
			worst = &w->behind[i];
	}
	return worst->ns ? worst : NULL;
}

static char *behind_name(const struct runq *rq, const struct behind *b, char *buf, size_t size)
{
	const struct tt_world_task *task = tt_world_task(rq->world, b->tid);

	/* as the rows: the last name that it had */
	if (task && task->comm[0])
		snprintf(buf, size, "%s %u", task->comm, b->tid);
	else
		snprintf(buf, size, "%s %u", b->name[0] ? b->name : "tid", b->tid);
	return buf;
}

/* Of all waits of the row. Short ones were not asked, so they count as behind nobody. */
static double behind_pct(const struct waiter *w, const struct behind *b)
{
	double pct = 100 * tt_ratio((double)b->ns, (double)w->asked_ns) *
		     tt_ratio((double)w->long_ns, (double)w->sum_ns);

	return pct < 100 ? pct : 100;
}

static void add_waiter_row(const struct runq *rq, struct tt_report *r, struct tt_table *t, const char *name,
			   const struct waiter *w)
{
	const struct behind *b = worst_behind(w);
	char buf[TT_WHO_NAME_MAX];

	tt_table_add_row(r, t);
	tt_row_text(r, t, WAIT_NAME, name);
	tt_row_u64(t, WAIT_NR, w->nr);
	tt_row_u64(t, WAIT_SUM, all_wait_ns(w));
	tt_row_u64(t, WAIT_MEAN, w->nr ? w->sum_ns / w->nr : 0);
	if (rq->counters_only)
		return;
	tt_row_u64(t, WAIT_P99, tt_coarse_percentile_ns(&w->wait, 99, w->max_ns));
	tt_row_u64(t, WAIT_MAX, w->max_ns);
	tt_row_f64(t, WAIT_STOLEN_PCT, 100 * tt_ratio((double)w->stolen_ns, (double)w->sum_ns));
	tt_row_f64(t, WAIT_PREEMPTED_PCT, 100 * tt_ratio((double)w->preempted_ns, (double)w->sum_ns));
	tt_row_u64(t, WAIT_STOLEN, w->stolen_ns);
	tt_row_u64(t, WAIT_THROTTLED, w->throttled_ns);
	if (b) {
		tt_row_f64(t, WAIT_BEHIND_PCT, behind_pct(w, b));
		tt_row_text(r, t, WAIT_BEHIND, behind_name(rq, b, buf, sizeof(buf)));
	}
}

static void add_waiter_table(struct runq *rq, struct tt_report *r, struct tt_section *s, uint64_t shed_ns)
{
	struct tt_who_owner owner = owner_of(rq);
	struct waiter *others = calloc(1, sizeof(*others));
	char name[TT_WHO_NAME_MAX];
	unsigned nr;
	const uint32_t *slots = tt_who_rank(&rq->who, &owner, &nr);
	struct tt_table *t = NULL;

	if (!others)
		r->failed = true;
	else if (nr || rq->waiters[TT_WHO_OTHERS].nr)
		t = tt_section_add_table(r, s, "waiters", rq->who.by_cgroup ? "waiters by cgroup" : "waiters",
					 waiter_columns, NR_WAIT_COLUMNS);
	if (t)
		merge_waiter(others, &rq->waiters[TT_WHO_OTHERS]);
	for (unsigned i = 0; t && i < nr; i++) {
		const struct tt_who_slot *who = &rq->who.slots[slots[i]];

		if (i >= tt_view_nr_top(rq->view)) {
			merge_waiter(others, &rq->waiters[slots[i]]);
			t->nr_rows_left_out++;
			continue;
		}
		add_waiter_row(rq, r, t, tt_who_name(&rq->who, slots[i], name, sizeof(name)),
			       &rq->waiters[slots[i]]);
		if (!rq->who.by_cgroup) {
			tt_row_u64(t, WAIT_TID, who->tid);
			tt_row_u64(t, WAIT_PID, who->pid);
		}
		if (tt_who_cgroup_path(&rq->who, slots[i]))
			tt_row_text(r, t, WAIT_CGROUP_PATH, tt_who_cgroup_path(&rq->who, slots[i]));
	}
	if (t && all_wait_ns(others))
		add_waiter_row(rq, r, t, "(others)", others);
	if (t && shed_ns) { /* whose they were is not known */
		tt_table_add_row(r, t);
		tt_row_text(r, t, WAIT_NAME, "(shed)");
		tt_row_u64(t, WAIT_SUM, shed_ns);
	}
	free(others);
}

/* The kernel's growth of run_delay of the task of this row. false: it was not read at both ends. */
static bool kernel_wait_ns(const struct runq *rq, uint32_t slot, uint64_t *ret_ns)
{
	const struct tt_who_slot *who = &rq->who.slots[slot];
	const struct tt_world_task *task = tt_world_task(rq->world, who->tid);

	if (!task || task->serial != who->serial || !task->first_ts_ns || !task->last_ts_ns)
		return false;
	*ret_ns = task->last_run_delay_ns - task->first_run_delay_ns + rq->waiters[slot].after_exit_ns;
	return true;
}

/* Of waits that were shed the kernel's own sums tell whose they were, over the whole session. Returns what is left. */
static uint64_t charge_shed_waits(struct runq *rq, const struct tt_interval *interval, uint64_t shed_ns)
{
	uint64_t kernel_ns;

	for (uint32_t slot = 0; slot < rq->who.nr; slot++) {
		struct waiter *w = &rq->waiters[slot];

		w->charged_ns = 0;
		if (!shed_ns || slot == TT_WHO_OTHERS || rq->who.by_cgroup || rq->view->cpu_mask || !interval->whole ||
		    !kernel_wait_ns(rq, slot, &kernel_ns) || kernel_ns <= w->sum_ns)
			continue;
		w->charged_ns = kernel_ns - w->sum_ns < shed_ns ? kernel_ns - w->sum_ns : shed_ns;
		shed_ns -= w->charged_ns;
	}
	return shed_ns;
}

static int compare_tids(const void *a, const void *b, void *ctx)
{
	const struct tt_who_slot *slots = ctx;
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	if (slots[x].tid != slots[y].tid)
		return slots[x].tid < slots[y].tid ? -1 : 1;
	return x < y ? -1 : x > y;
}

/* Every task with the kernel's own counter beside ours, for programs that compare. Not in the text. */
static void add_task_table(struct runq *rq, struct tt_report *r, struct tt_section *s)
{
	struct tt_who_owner owner = owner_of(rq);
	unsigned nr;
	uint32_t *slots;
	struct tt_table *t;

	if (rq->who.by_cgroup)
		return;
	slots = (uint32_t *)tt_who_rank(&rq->who, &owner, &nr);
	if (!nr)
		return;
	qsort_r(slots, nr, sizeof(*slots), compare_tids, rq->who.slots);
	t = tt_section_add_table(r, s, "tasks", NULL, task_columns, NR_TASK_COLUMNS);
	for (unsigned i = 0; t && i < nr; i++) {
		const struct tt_who_slot *who = &rq->who.slots[slots[i]];
		uint64_t kernel_ns;

		tt_table_add_row(r, t);
		tt_row_u64(t, 0, who->tid);
		tt_row_u64(t, 1, who->pid);
		tt_row_text(r, t, 2, who->comm);
		tt_row_u64(t, 3, rq->waiters[slots[i]].nr);
		tt_row_u64(t, 4, rq->waiters[slots[i]].sum_ns);
		if (kernel_wait_ns(rq, slots[i], &kernel_ns))
			tt_row_u64(t, 5, kernel_ns);
		tt_row_u64(t, 6, (who->flags & TT_TASK_OURS) != 0);
	}
}

/* Against sched_info.run_delay of every task whose both ends were told. Waits that were open when recording
 * began or ended, or of tasks that came and went unseen, make the two differ by a little. */
static void add_check(const struct runq *rq, struct tt_report *r)
{
	uint64_t nr_tasks, kernel_ns = tt_world_run_delay_growth_ns(rq->world, &nr_tasks), ours_ns = 0;
	double diff_ns, slack_ns;
	char count[32];

	for (unsigned cpu = 0; cpu < rq->nr_cpus; cpu++) {
		const struct cpu_state *c = rq->cpus[cpu];

		if (c)
			ours_ns += c->recorded_wait_ns - c->outside_wait_ns + c->shed_wait_ns;
	}
	if (!nr_tasks) {
		tt_report_add_check(r, "runq", true, false, (double)ours_ns, 0, "ns",
				    "runq not compared: the tasks' run_delay was not read at both ends");
		return;
	}
	diff_ns = (double)ours_ns - (double)kernel_ns;
	slack_ns = (double)kernel_ns / 50 + 10e6;
	tt_format_count(count, sizeof(count), kernel_ns / 1000000);
	if (!ours_ns && (double)kernel_ns > slack_ns)
		tt_report_add_check(
			r, "runq", false, true, 0, (double)kernel_ns, "ns",
			"runq probe attached but silent: run_delay grew by %s ms, the probe saw none", count);
	else
		tt_report_add_check(r, "runq", diff_ns <= slack_ns && diff_ns >= -slack_ns, true,
				    (double)ours_ns, (double)kernel_ns, "ns",
				    "runq %+.1f %% of schedstat (%s ms)",
				    100 * tt_ratio(diff_ns, (double)kernel_ns), count);
}

static void add_finding(struct runq *rq, const struct tt_interval *interval, struct tt_report *r)
{
	struct tt_who_owner owner = owner_of(rq);
	struct tt_runq_facts f = { .dur_ns = interval->to_ts_ns - interval->from_ts_ns };
	char waiter[TT_WHO_NAME_MAX], behind[TT_WHO_NAME_MAX];
	const struct behind *b;
	const struct waiter *w;
	unsigned nr, i = 0;
	const uint32_t *slots = tt_who_rank(&rq->who, &owner, &nr);

	while (i < nr && rq->who.slots[slots[i]].flags & TT_TASK_OURS)
		i++;
	if (i == nr)
		return;
	w = &rq->waiters[slots[i]];
	b = worst_behind(w);
	f.waiter = tt_who_name(&rq->who, slots[i], waiter, sizeof(waiter));
	f.nr_waits = w->nr;
	f.wait_ns = all_wait_ns(w);
	f.stolen_ns = w->stolen_ns;
	f.throttled_ns = w->throttled_ns;
	f.p99_ns = rq->counters_only ? 0 : tt_coarse_percentile_ns(&w->wait, 99, w->max_ns);
	if (b) {
		f.behind = behind_name(rq, b, behind, sizeof(behind));
		f.behind_pct = behind_pct(w, b);
	}
	tt_findings_runq(r, &f);
}

/* CPUs that were offline for a part of the recording. */
static void add_offline_notes(const struct runq *rq, const struct tt_interval *interval, struct tt_report *r,
			      struct tt_section *s)
{
	enum { NR_NOTES_MAX = 8 };
	uint64_t dur_ns = interval->to_ts_ns - interval->from_ts_ns;
	unsigned nr = 0;

	for (unsigned cpu = 0; cpu < rq->nr_cpus && nr < NR_NOTES_MAX; cpu++) {
		uint64_t covered_ns;

		if (!has_row(rq, cpu, interval))
			continue;
		covered_ns = tt_cpu_covered_ns(tt_world_cpu(rq->world, cpu), interval);
		/* windows do not begin and end at the same moment on all CPUs */
		if (covered_ns + dur_ns / 100 + 10000000 >= dur_ns)
			continue;
		nr++;
		tt_section_add_note(r, s, "cpu%u was online for %.3f s of %.3f s; its rates are of that time",
				    cpu, (double)covered_ns / 1e9, (double)dur_ns / 1e9);
	}
}

static void add_notes(const struct runq *rq, const struct tt_interval *interval, struct tt_report *r,
		      struct tt_section *s, const struct cpu_sum *all)
{
	char count[32];

	tt_view_add_note(rq->view, r, s);
	tt_view_add_by_note(rq->view, 1 << TT_BY_CPU | 1 << TT_BY_DEVICE, "the first table is by CPU; who waits is a task", r, s);
	if (rq->counters_only)
		tt_view_add_by_note(rq->view, 1 << TT_BY_CGROUP, "cgroups need single events; rows are tasks", r, s);
	if (interval->whole && !rq->counters_only)
		add_offline_notes(rq, interval, r, s);
	if (rq->counters_only)
		tt_section_add_note(
			r, s,
			"from /proc/PID/schedstat: sums only; percentiles, steal and who was in front need "
			"single events");
	if (rq->nr_shed)
		tt_section_add_note(
			r, s,
			"percentiles are partial: %s switches were shed between %.3f s and %.3f s; their "
			"waits sum up to %.1f ms%s",
			tt_format_count(count, sizeof(count), rq->nr_shed),
			tt_session_s(rq->world, rq->first_shed_ts_ns), tt_session_s(rq->world, rq->last_shed_ts_ns),
			(double)all->shed_wait_ns / 1e6,
			tt_view_has_task_filter(rq->view) ? "; whose they were is not known, the sums do not hold them"
							  : ", which the sums hold");
	if (rq->nr_shed && all->shed_wait_ns && !tt_view_has_task_filter(rq->view))
		tt_section_add_note(r, s,
				    rq->who.by_cgroup || rq->view->cpu_mask || !interval->whole
					    ? "whose waits were shed is not known: they are in the row (shed)"
					    : "whose waits were shed is told by each task's own run_delay; (shed) is the rest");
	if (rq->nr_throttled)
		tt_section_add_note(
			r, s,
			"%s waits (%.1f ms) were made longer by a CPU quota of a cgroup in this machine",
			tt_format_count(count, sizeof(count), rq->nr_throttled),
			(double)rq->throttled_ns / 1e6);
	if (rq->nr_beyond)
		tt_section_add_note(r, s, "%s switches of CPUs from %d on are left out",
				    tt_format_count(count, sizeof(count), rq->nr_beyond), TT_VIEW_CPUS_MAX);
	if (rq->who.nr_folded)
		tt_section_add_note(r, s, "%s exited tasks are summed up in (others)",
				    tt_format_count(count, sizeof(count), rq->who.nr_folded));
}

static int runq_finish(void *state, const struct tt_interval *interval, struct tt_report *r)
{
	struct runq *rq = state;
	struct tt_section *s = tt_report_add_section(r, "runq", "RUNQ");
	struct cpu_sum *all = calloc(1, sizeof(*all));

	if (!s || !all) {
		free(all);
		return -ENOMEM;
	}
	if (!tt_probe_was_recorded(tt_world_info(rq->world), "runq")) {
		tt_section_add_note(r, s, "not recorded: the runq probe was off");
		goto out;
	}
	for (unsigned cpu = 0; cpu < rq->nr_cpus; cpu++) {
		if (has_row(rq, cpu, interval))
			sum_cpu(rq->cpus[cpu], all);
	}
	if (rq->counters_only)
		sum_waiters(rq, all);
	add_cpu_table(rq, interval, r, s, all);
	add_waiter_table(rq, r, s, charge_shed_waits(rq, interval, tt_view_has_task_filter(rq->view) ? 0 : all->shed_wait_ns));
	add_task_table(rq, r, s);
	if (!rq->counters_only && all->wait.nr_total) {
		tt_section_add_histogram(r, s, "wait", "run-queue wait", &all->wait, rq->nr_shed != 0);
		tt_section_add_histogram(r, s, "woken", "wait after a wakeup", &all->kinds[WOKEN],
					 rq->nr_shed != 0);
		tt_section_add_histogram(r, s, "preempted", "wait after a preemption", &all->kinds[PREEMPTED],
					 rq->nr_shed != 0);
	}
	add_notes(rq, interval, r, s, all);
	if (interval->whole && !rq->counters_only)
		add_check(rq, r);
	add_finding(rq, interval, r);
out:
	free(all);
	return r->failed ? -ENOMEM : 0;
}

/* From counters the rows stay: the next interval counts from where this one ended. */
static void reset_counted(struct runq *rq)
{
	for (uint32_t slot = 0; slot < rq->who.nr; slot++) {
		struct waiter *w = &rq->waiters[slot];

		w->nr = w->sum_ns = 0;
		rq->who.slots[slot].exited = !w->seen; /* may make room */
		w->seen = false;
	}
}

static void runq_reset(void *state)
{
	struct runq *rq = state;

	for (unsigned cpu = 0; cpu < rq->nr_cpus; cpu++) {
		struct cpu_state *c = rq->cpus[cpu];

		if (!c)
			continue;
		memset(c->wait, 0, sizeof(c->wait));
		memset(&c->deliver, 0, sizeof(c->deliver));
		c->stolen_ns = c->recorded_wait_ns = c->outside_wait_ns = c->shed_wait_ns = 0;
		c->nr_recorded = c->nr_shed = c->nr_unseen = c->window_switches = 0;
		c->has_growth = c->in_window = false; /* its end would count from before this interval */
	}
	rq->nr_beyond = rq->nr_throttled = rq->throttled_ns = rq->nr_shed = 0;
	if (rq->counters_only) {
		reset_counted(rq);
		return;
	}
	memset(rq->waiters, 0, rq->who.nr * sizeof(*rq->waiters));
	tt_who_reset(&rq->who);
}

const struct tt_aggregator tt_aggregator_runq = {
	.name = "runq",
	.title = "RUNQ",
	.help = "how long runnable tasks waited for a CPU, and behind whom",
	.open = runq_open,
	.event = runq_event,
	.finish = runq_finish,
	.reset = runq_reset,
	.close = runq_close,
};

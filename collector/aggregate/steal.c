/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Steal: how much of each CPU's time the hypervisor gave to others, in which gaps, and whom it hit.
 *
 * Sums are exact, also over stretches whose single events were shed. Checked against /proc/stat.
 * docs/metrics.md.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collector/aggregate/findings.h"
#include "collector/aggregate/view.h"
#include "collector/aggregate/who.h"
#include "collector/event/stat_line.h"

enum {
	NR_BIG_GAPS = 256, /* kept of each CPU to look for a pattern */
	BIG_GAP_NS = 1000000,
	SAME_GAP_NS = 100000, /* observations closer than this are one gap seen in two pieces */
	NEAR_DISK_NS = 1000000,
	NR_SEEN = 4,
};

struct counters {
	bool known;
	uint64_t ts_ns, ticks[TT_STAT_NR], prev_steal_rq_ns;
};

struct cpu_state {
	uint64_t all_ns; /* whatever the view leaves out, shed included */
	uint64_t shown_ns, shed_ns, nr_gaps, nr_seen[NR_SEEN];
	struct counters first, last;
	struct tt_stat_line line;
	uint64_t grown_ticks[TT_STAT_NR]; /* since first */
	struct counters check_from; /* of first, or of where another hook took over */
	uint64_t unchecked_ns;	    /* of all_ns, before that */
	struct tt_hist gaps;
	struct tt_gap big[NR_BIG_GAPS]; /* ring */
	uint64_t nr_big;
	bool has_jumped;
};

struct victim {
	uint64_t stolen_ns, nr_gaps, max_ns;
};

struct steal {
	const struct tt_world *world;
	const struct tt_view *view;
	bool counters_only;
	struct cpu_state *cpus[TT_VIEW_CPUS_MAX];
	unsigned nr_cpus;
	uint64_t beyond_ns; /* stolen from CPUs that have no row */
	struct tt_who who;
	struct victim *victims; /* by slot of who */
	uint64_t nr_jumps, first_jump_ts_ns;
	uint64_t stat_ts_ns, last_stat_ts_ns; /* of this reading of /proc/stat, and of the one before */
	char silent_hook[24], next_hook[24]; /* "" = it never changed */
	uint64_t hook_change_ts_ns, missed_ns;
	/* gaps beside completions of disk requests */
	uint64_t nr_done, last_done_ts_ns, near_ns, pending_end_ts_ns, pending_ns;
};

static const struct tt_column cpu_columns[] = {
	{ "cpu", "cpu", TT_UNIT_TEXT, false, 0 },
	{ "steal_pct", "%steal", TT_UNIT_PCT, false, 0 },
	{ "stolen_ns", "stolen", TT_UNIT_NS, false, 0 },
	{ "gaps", "gaps", TT_UNIT_COUNT, false, 0 },
	{ "gap_p50_ns", "p50", TT_UNIT_NS, false, 0 },
	{ "gap_p99_ns", "p99", TT_UNIT_NS, false, 0 },
	{ "gap_max_ns", "max", TT_UNIT_NS, false, 0 },
	{ "seen_tick", "tick", TT_UNIT_COUNT, false, 0 },
	{ "seen_switch", "switch", TT_UNIT_COUNT, false, 0 },
	{ "seen_completion", "compl", TT_UNIT_COUNT, false, 0 },
	{ "seen_sync", "sync", TT_UNIT_COUNT, false, 0 },
	{ "shed_ns", "shed", TT_UNIT_NS, true, 0 },
	{ "recorded_ns", "recorded", TT_UNIT_NS, true, 0 },
	{ "stat_steal_ns", "/proc/stat", TT_UNIT_NS, true, 0 },
	{ "rq_steal_ns", "run queue", TT_UNIT_NS, true, 0 },
};
enum {
	CPU_NAME,
	CPU_PCT,
	CPU_STOLEN,
	CPU_GAPS,
	CPU_P50,
	CPU_P99,
	CPU_MAX,
	CPU_TICK,
	CPU_SWITCH,
	CPU_COMPLETION,
	CPU_SYNC,
	CPU_SHED,
	CPU_RECORDED,
	CPU_STAT,
	CPU_RQ,
	NR_CPU_COLUMNS
};
_Static_assert(sizeof(cpu_columns) / sizeof(cpu_columns[0]) == NR_CPU_COLUMNS, "a column without a name");

static const struct tt_column victim_columns[] = {
	{ "victim", "victim", TT_UNIT_TEXT, false, 0 },	  { "stolen_ns", "stolen", TT_UNIT_NS, false, 0 },
	{ "share_pct", "share%", TT_UNIT_PCT, false, 1 }, { "gaps", "gaps", TT_UNIT_COUNT, false, 0 },
	{ "max_ns", "max", TT_UNIT_NS, false, 0 },	  { "tid", "tid", TT_UNIT_COUNT, true, 0 },
	{ "pid", "pid", TT_UNIT_COUNT, true, 0 },	  { "cgroup_path", "path", TT_UNIT_TEXT, true, 0 },
};
enum {
	VICTIM_NAME,
	VICTIM_STOLEN,
	VICTIM_SHARE,
	VICTIM_GAPS,
	VICTIM_MAX,
	VICTIM_TID,
	VICTIM_PID,
	VICTIM_CGROUP_PATH,
	NR_VICTIM_COLUMNS
};
_Static_assert(sizeof(victim_columns) / sizeof(victim_columns[0]) == NR_VICTIM_COLUMNS,
	       "a column without a name");

static void steal_close(void *state)
{
	struct steal *st = state;

	if (!st)
		return;
	for (unsigned i = 0; i < st->nr_cpus; i++)
		free(st->cpus[i]);
	tt_who_close(&st->who);
	free(st->victims);
	free(st);
}

static int steal_open(const struct tt_agg_options *opts, void **ret_state)
{
	struct steal *st = calloc(1, sizeof(*st));

	if (!st)
		return -ENOMEM;
	st->world = opts->world;
	st->view = opts->view;
	st->counters_only = opts->counters_only;
	st->victims = calloc(TT_WHO_MAX, sizeof(*st->victims));
	if (!st->victims || tt_who_open(&st->who, opts)) {
		steal_close(st);
		return -ENOMEM;
	}
	*ret_state = st;
	return 0;
}

static struct cpu_state *get_cpu(struct steal *st, unsigned cpu)
{
	if (cpu >= TT_VIEW_CPUS_MAX)
		return NULL;
	if (!st->cpus[cpu]) {
		st->cpus[cpu] = calloc(1, sizeof(struct cpu_state));
		if (st->cpus[cpu] && cpu >= st->nr_cpus)
			st->nr_cpus = cpu + 1;
	}
	return st->cpus[cpu];
}

/* Rows of victims */

static uint64_t victim_weight(void *ctx, uint32_t slot)
{
	return ((struct steal *)ctx)->victims[slot].stolen_ns;
}

static void add_victim(struct victim *into, const struct victim *from)
{
	into->stolen_ns += from->stolen_ns;
	into->nr_gaps += from->nr_gaps;
	if (from->max_ns > into->max_ns)
		into->max_ns = from->max_ns;
}

static void victim_fold(void *ctx, uint32_t into, uint32_t from)
{
	struct steal *st = ctx;

	add_victim(&st->victims[into], &st->victims[from]);
	st->victims[from] = (struct victim){ 0 };
}

static void victim_move(void *ctx, uint32_t to, uint32_t from)
{
	struct steal *st = ctx;

	st->victims[to] = st->victims[from];
	st->victims[from] = (struct victim){ 0 };
}

static struct tt_who_owner owner_of(struct steal *st)
{
	return (struct tt_who_owner){ st, victim_weight, victim_fold, victim_move };
}

/* Events */

static void keep_big_gap(struct cpu_state *c, uint64_t end_ts_ns, uint64_t gap_ns)
{
	struct tt_gap *newest = c->nr_big ? &c->big[(c->nr_big - 1) % NR_BIG_GAPS] : NULL;
	uint64_t start_ts_ns = gap_ns < end_ts_ns ? end_ts_ns - gap_ns : 0;

	if (newest && start_ts_ns <= newest->end_ts_ns + SAME_GAP_NS && end_ts_ns > newest->end_ts_ns) {
		newest->end_ts_ns = end_ts_ns;
		return;
	}
	if (gap_ns >= BIG_GAP_NS)
		c->big[c->nr_big++ % NR_BIG_GAPS] = (struct tt_gap){ start_ts_ns, end_ts_ns };
}

static void compare_with_disk(struct steal *st, uint64_t end_ts_ns, uint64_t gap_ns)
{
	if (st->nr_done && st->last_done_ts_ns + NEAR_DISK_NS + gap_ns >= end_ts_ns) {
		st->near_ns += gap_ns;
		return;
	}
	st->pending_end_ts_ns = end_ts_ns; /* a completion may follow */
	st->pending_ns = gap_ns;
}

static void on_disk_done(struct steal *st, uint64_t ts_ns)
{
	st->nr_done++;
	st->last_done_ts_ns = ts_ns;
	if (ts_ns <= st->pending_end_ts_ns + NEAR_DISK_NS)
		st->near_ns += st->pending_ns;
	st->pending_ns = 0;
}

static void on_gap(struct steal *st, struct cpu_state *c, const struct tt_ev_steal *ev)
{
	struct tt_who_owner owner = owner_of(st);
	uint32_t slot;

	keep_big_gap(c, ev->ev.ts_ns, ev->steal_ns);
	compare_with_disk(st, ev->ev.ts_ns, ev->steal_ns);
	tt_who_make_room(&st->who, &owner);
	slot = tt_who_find(&st->who, ev->tid);
	if (slot == TT_WHO_HIDDEN)
		return;
	add_victim(&st->victims[slot], &(struct victim){ ev->steal_ns, 1, ev->steal_ns });
	c->shown_ns += ev->steal_ns;
	c->nr_gaps++;
	c->nr_seen[ev->seen % NR_SEEN]++;
	tt_hist_add(&c->gaps, ev->steal_ns);
}

static void on_steal(struct steal *st, const struct tt_ev_steal *ev)
{
	struct cpu_state *c = get_cpu(st, ev->ev.cpu);

	if (!ev->steal_ns)
		return;
	if (!c) {
		st->beyond_ns += ev->steal_ns;
		return;
	}
	c->all_ns += ev->steal_ns;
	if (!tt_view_has_cpu(st->view, ev->ev.cpu))
		return;
	if (!ev->shed) {
		on_gap(st, c, ev);
	} else if (!tt_view_has_task_filter(st->view)) {
		c->shown_ns += ev->steal_ns;
		c->shed_ns += ev->steal_ns;
	}
}

static void on_jumps(struct steal *st, struct cpu_state *c, uint64_t ts_ns, uint64_t count)
{
	if (!st->nr_jumps)
		st->first_jump_ts_ns = ts_ns;
	st->nr_jumps += count;
	if (c)
		c->has_jumped = true;
}

/* A clock that is read tells of its jumps itself. Where counters are all there is, they are found here. */
static void on_counters(struct steal *st, const struct tt_cpu_counters *rec, unsigned cpu)
{
	struct cpu_state *c = get_cpu(st, cpu);
	uint64_t grown[TT_STAT_NR];
	bool jumped;

	if (rec->rec.ts_ns != st->stat_ts_ns) {
		st->last_stat_ts_ns = st->stat_ts_ns;
		st->stat_ts_ns = rec->rec.ts_ns;
	}
	if (!c)
		return;
	jumped = tt_stat_line_follow(&c->line, rec, tt_world_info(st->world)->user_hz,
				     c->line.ts_ns < st->last_stat_ts_ns, grown);
	if (jumped && st->counters_only)
		on_jumps(st, c, rec->rec.ts_ns, 1);
	for (unsigned i = 0; i < TT_STAT_NR; i++)
		c->grown_ticks[i] += grown[i];
	c->last.known = true;
	c->last.ts_ns = rec->rec.ts_ns;
	c->last.prev_steal_rq_ns = rec->prev_steal_rq_ns;
	memcpy(c->last.ticks, rec->ticks, sizeof(c->last.ticks));
	if (!c->first.known)
		c->first = c->check_from = c->last;
}

/* Growth of one field of /proc/stat; a field that went back has grown by 0, as mpstat prints it. */
static uint64_t ticks_between(const struct counters *from, const struct counters *to, unsigned field)
{
	return to->ticks[field] > from->ticks[field] ? to->ticks[field] - from->ticks[field] : 0;
}

static double tick_ns(const struct steal *st)
{
	uint32_t user_hz = tt_world_info(st->world)->user_hz;

	return 1e9 / (user_hz ? user_hz : 100);
}

static uint64_t ticks_to_ns(const struct steal *st, uint64_t ticks)
{
	double ns = (double)ticks * tick_ns(st);

	return ns < 1e19 ? (uint64_t)ns : UINT64_MAX;
}

/* What the silent hook missed is missing: from here on the sums can be compared again. */
static void on_hook_change(struct steal *st, const struct tt_event *ev, const struct tt_hook_change *rec)
{
	if (strncmp(rec->probe, "steal", sizeof(rec->probe)))
		return;
	snprintf(st->silent_hook, sizeof(st->silent_hook), "%.*s", (int)sizeof(rec->from), rec->from);
	snprintf(st->next_hook, sizeof(st->next_hook), "%.*s", (int)sizeof(rec->to), rec->to);
	st->hook_change_ts_ns = ev->ts_ns;
	for (unsigned cpu = 0; cpu < st->nr_cpus; cpu++) {
		struct cpu_state *c = st->cpus[cpu];

		if (!c)
			continue;
		st->missed_ns += ticks_to_ns(st, ticks_between(&c->check_from, &c->last, TT_STAT_STEAL));
		c->check_from = c->last;
		c->unchecked_ns = c->all_ns;
	}
}

static void steal_event(void *state, const struct tt_event *ev)
{
	struct steal *st = state;
	const struct tt_record *rec = ((const struct tt_ev_record *)ev)->rec;

	switch (ev->kind) {
	case TT_EV_STEAL:
		on_steal(st, (const struct tt_ev_steal *)ev);
		break;
	case TT_EV_DISK:
		on_disk_done(st, ev->ts_ns);
		break;
	case TT_EV_CPU_COUNTERS:
		on_counters(st, (const struct tt_cpu_counters *)rec, ev->cpu);
		break;
	case TT_EV_TASK:
		tt_who_event(&st->who, ev);
		break;
	case TT_EV_HOOK_CHANGE:
		on_hook_change(st, ev, (const struct tt_hook_change *)rec);
		break;
	case TT_EV_LOSS:
		if (((const struct tt_loss *)rec)->what == TT_LOSS_JUMP && !st->counters_only)
			on_jumps(st, get_cpu(st, ev->cpu), ev->ts_ns, ((const struct tt_loss *)rec)->count);
		break;
	}
}

/* The report */

static bool has_counters(const struct cpu_state *c)
{
	return c->last.known && c->last.ts_ns > c->first.ts_ns;
}

/* user nice system idle iowait irq softirq steal: guest time is in user already */
static uint64_t all_ticks_delta(const struct cpu_state *c)
{
	uint64_t sum_ticks = 0;

	for (unsigned i = 0; i <= TT_STAT_STEAL; i++)
		sum_ticks += c->grown_ticks[i];
	return sum_ticks;
}

static double busy_pct(const struct cpu_state *c)
{
	uint64_t all_ticks = all_ticks_delta(c);

	if (!has_counters(c) || !all_ticks)
		return -1;
	return 100.0 * (1 - tt_ratio((double)(c->grown_ticks[3] + c->grown_ticks[4]), (double)all_ticks));
}

/* What a row of the table needs, for one CPU or for all. */
struct cpu_sum {
	uint64_t stolen_ns, covered_ns, shed_ns, nr_gaps, nr_seen[NR_SEEN];
	uint64_t stat_steal_ticks, stat_all_ticks;
	bool has_stat;
	uint64_t
		rq_steal_ns; /* growth of rq->prev_steal_time_rq; 0 = none, or the kernel has no such field */
	struct tt_hist gaps;
};

static void sum_cpu(const struct steal *st, const struct cpu_state *c, const struct tt_world_cpu *cpu,
		    const struct tt_interval *interval, struct cpu_sum *sum)
{
	sum->stolen_ns += c->shown_ns;
	sum->covered_ns += cpu ? tt_cpu_covered_ns(cpu, interval) : 0;
	sum->shed_ns += c->shed_ns;
	sum->nr_gaps += c->nr_gaps;
	for (unsigned i = 0; i < NR_SEEN; i++)
		sum->nr_seen[i] += c->nr_seen[i];
	tt_hist_merge(&sum->gaps, &c->gaps);
	if (has_counters(c)) {
		sum->has_stat = true;
		sum->stat_steal_ticks += st->counters_only ? c->grown_ticks[TT_STAT_STEAL]
							   : ticks_between(&c->first, &c->last, TT_STAT_STEAL);
		sum->stat_all_ticks += all_ticks_delta(c);
		if (c->first.prev_steal_rq_ns && c->last.prev_steal_rq_ns > c->first.prev_steal_rq_ns)
			sum->rq_steal_ns += c->last.prev_steal_rq_ns - c->first.prev_steal_rq_ns;
	}
}

static double steal_pct(const struct steal *st, const struct cpu_sum *sum)
{
	if (st->counters_only)
		return 100 * tt_ratio((double)sum->stat_steal_ticks, (double)sum->stat_all_ticks);
	return 100 * tt_ratio((double)sum->stolen_ns, (double)sum->covered_ns);
}

static void add_cpu_row(const struct steal *st, struct tt_report *r, struct tt_table *t, const char *name,
			const struct cpu_sum *sum)
{
	tt_table_add_row(r, t);
	tt_row_text(r, t, CPU_NAME, name);
	if (sum->has_stat)
		tt_row_u64(t, CPU_STAT, ticks_to_ns(st, sum->stat_steal_ticks));
	if (st->counters_only) {
		if (sum->has_stat) {
			tt_row_f64(t, CPU_PCT, steal_pct(st, sum));
			tt_row_u64(t, CPU_STOLEN, ticks_to_ns(st, sum->stat_steal_ticks));
		}
		return;
	}
	if (sum->rq_steal_ns)
		tt_row_u64(t, CPU_RQ, sum->rq_steal_ns);
	if (sum->covered_ns)
		tt_row_f64(t, CPU_PCT, steal_pct(st, sum));
	tt_row_u64(t, CPU_STOLEN, sum->stolen_ns);
	tt_row_u64(t, CPU_GAPS, sum->nr_gaps);
	if (sum->nr_gaps) {
		tt_row_u64(t, CPU_P50, tt_hist_percentile_ns(&sum->gaps, 50));
		tt_row_u64(t, CPU_P99, tt_hist_percentile_ns(&sum->gaps, 99));
		tt_row_u64(t, CPU_MAX, sum->gaps.max_ns);
	}
	tt_row_u64(t, CPU_TICK, sum->nr_seen[TT_SEEN_TICK]);
	tt_row_u64(t, CPU_SWITCH, sum->nr_seen[TT_SEEN_SWITCH]);
	tt_row_u64(t, CPU_COMPLETION, sum->nr_seen[TT_SEEN_COMPLETION]);
	tt_row_u64(t, CPU_SYNC, sum->nr_seen[TT_SEEN_SYNC]);
	tt_row_u64(t, CPU_SHED, sum->shed_ns);
	tt_row_u64(t, CPU_RECORDED, sum->covered_ns);
}

/* A CPU has a row when it was recorded or counted, and is looked at. */
static bool has_row(struct steal *st, unsigned cpu, const struct tt_interval *interval)
{
	const struct tt_world_cpu *wc = tt_world_cpu(st->world, cpu);

	if (!wc || !wc->seen || !tt_view_has_cpu(st->view, cpu) || !get_cpu(st, cpu))
		return false;
	return tt_cpu_covered_ns(wc, interval) || has_counters(st->cpus[cpu]) || st->cpus[cpu]->all_ns;
}

static void add_cpu_table(struct steal *st, const struct tt_interval *interval, struct tt_report *r,
			  struct tt_section *s, const struct cpu_sum *all)
{
	struct tt_table *t = tt_section_add_table(r, s, "cpus", NULL, cpu_columns, NR_CPU_COLUMNS);
	unsigned nr_cpus = tt_world_nr_cpus(st->world);
	char name[16];

	if (!t)
		return;
	add_cpu_row(st, r, t, "all", all);
	for (unsigned cpu = 0; cpu < nr_cpus && cpu < TT_VIEW_CPUS_MAX; cpu++) {
		struct cpu_sum sum = { 0 };

		if (!has_row(st, cpu, interval))
			continue;
		sum_cpu(st, st->cpus[cpu], tt_world_cpu(st->world, cpu), interval, &sum);
		snprintf(name, sizeof(name), "cpu%u", cpu);
		add_cpu_row(st, r, t, name, &sum);
	}
}

static void add_victim_row(struct tt_report *r, struct tt_table *t, const char *name, const struct victim *v,
			   uint64_t all_ns)
{
	tt_table_add_row(r, t);
	tt_row_text(r, t, VICTIM_NAME, name);
	tt_row_u64(t, VICTIM_STOLEN, v->stolen_ns);
	tt_row_f64(t, VICTIM_SHARE, 100 * tt_ratio((double)v->stolen_ns, (double)all_ns));
	if (!v->nr_gaps)
		return;
	tt_row_u64(t, VICTIM_GAPS, v->nr_gaps);
	tt_row_u64(t, VICTIM_MAX, v->max_ns);
}

static void add_ranked_victims(struct steal *st, struct tt_report *r, struct tt_table *t, uint64_t all_ns)
{
	struct tt_who_owner owner = owner_of(st);
	struct victim others = st->victims[TT_WHO_OTHERS];
	char name[TT_WHO_NAME_MAX];
	unsigned nr;
	const uint32_t *slots = tt_who_rank(&st->who, &owner, &nr);

	for (unsigned i = 0; i < nr; i++) {
		const struct victim *v = &st->victims[slots[i]];

		if (i >= tt_view_nr_top(st->view)) {
			add_victim(&others, v);
			t->nr_rows_left_out++;
			continue;
		}
		add_victim_row(r, t, tt_who_name(&st->who, slots[i], name, sizeof(name)), v, all_ns);
		if (!st->who.by_cgroup && st->who.slots[slots[i]].tid != TT_TID_UNKNOWN) {
			tt_row_u64(t, VICTIM_TID, st->who.slots[slots[i]].tid);
			tt_row_u64(t, VICTIM_PID, st->who.slots[slots[i]].pid);
		}
		if (tt_who_cgroup_path(&st->who, slots[i]))
			tt_row_text(r, t, VICTIM_CGROUP_PATH, tt_who_cgroup_path(&st->who, slots[i]));
	}
	if (others.stolen_ns)
		add_victim_row(r, t, "(others)", &others, all_ns);
}

static void add_victim_cpus(struct steal *st, struct tt_report *r, struct tt_table *t, uint64_t all_ns)
{
	char name[16];

	for (unsigned cpu = 0; cpu < st->nr_cpus; cpu++) {
		const struct cpu_state *c = st->cpus[cpu];

		if (!c || !c->nr_gaps)
			continue;
		snprintf(name, sizeof(name), "cpu%u", cpu);
		add_victim_row(r, t, name,
			       &(struct victim){ c->shown_ns - c->shed_ns, c->nr_gaps, c->gaps.max_ns },
			       all_ns);
	}
}

static void add_victim_table(struct steal *st, struct tt_report *r, struct tt_section *s,
			     const struct cpu_sum *all)
{
	const char *title = st->who.by_cgroup ? "victims by cgroup" : "victims";
	struct tt_table *t;

	if (!all->stolen_ns)
		return;
	t = tt_section_add_table(r, s, "victims", title, victim_columns, NR_VICTIM_COLUMNS);
	if (!t)
		return;
	if (st->view->by == TT_BY_CPU)
		add_victim_cpus(st, r, t, all->stolen_ns);
	else
		add_ranked_victims(st, r, t, all->stolen_ns);
	if (all->shed_ns) /* whom it hit is not known: the single events were shed */
		add_victim_row(r, t, "(shed)", &(struct victim){ all->shed_ns, 0, 0 }, all->stolen_ns);
}

/* Against /proc/stat. It counts whole USER_HZ ticks, so each CPU may be off by one, and the two reads of the
 * file are not at the very moment at which recording began and ended: one more tick, and 1 %. */
static void add_check(struct steal *st, struct tt_report *r)
{
	double ours_ns = 0, kernel_ns = 0, rq_ns = 0, slack_ns = tick_ns(st), diff_ns, diff_pct;
	bool has_stat = false, has_rq = true, has_jumped = false, ok;
	char rq_text[48] = "", count[32];

	for (unsigned cpu = 0; cpu < st->nr_cpus; cpu++) {
		const struct cpu_state *c = st->cpus[cpu];

		if (!c || !has_counters(c))
			continue;
		has_stat = true;
		/* the kernel has counted the jump as steal, we have not */
		has_jumped = has_jumped || c->has_jumped;
		ours_ns += (double)(c->all_ns - c->unchecked_ns);
		kernel_ns += (double)ticks_between(&c->check_from, &c->last, TT_STAT_STEAL) * tick_ns(st);
		slack_ns += tick_ns(st);
		has_rq = has_rq && c->check_from.prev_steal_rq_ns && c->last.prev_steal_rq_ns;
		rq_ns += (double)(c->last.prev_steal_rq_ns - c->check_from.prev_steal_rq_ns);
	}
	if (!has_stat) {
		tt_report_add_check(r, "steal", true, false, 0, 0, "ns",
				    "steal not compared: /proc/stat was not read at both ends");
		return;
	}
	if (has_jumped) {
		tt_report_add_check(r, "steal", true, false, ours_ns, kernel_ns, "ns",
				    "steal not compared: the steal clock jumped, and /proc/stat with it");
		return;
	}
	slack_ns += kernel_ns / 100;
	diff_ns = ours_ns - kernel_ns;
	ok = (diff_ns < 0 ? -diff_ns : diff_ns) <= slack_ns;
	tt_format_count(count, sizeof(count), kernel_ns < 1e19 ? (uint64_t)(kernel_ns / 1e6) : UINT64_MAX);
	if (!ok && ours_ns == 0) {
		tt_report_add_check(
			r, "steal", false, true, ours_ns, kernel_ns, "ns",
			"steal probe attached but silent: /proc/stat grew by %s ms, the probe saw none",
			count);
		return;
	}
	if (has_rq && rq_ns > 0)
		snprintf(rq_text, sizeof(rq_text), ", %+.1f %% of the run queues' steal",
			 100 * (ours_ns - rq_ns) / rq_ns);
	diff_pct = kernel_ns > 0 ? 100 * diff_ns / kernel_ns : 0;
	if (kernel_ns >= slack_ns)
		tt_report_add_check(r, "steal", ok, true, ours_ns, kernel_ns, "ns",
				    "steal %+.1f %% of /proc/stat (%s ms)%s", diff_pct, count, rq_text);
	else /* so few ticks that a percentage would say nothing */
		tt_report_add_check(r, "steal", ok, true, ours_ns, kernel_ns, "ns",
				    "steal %.1f ms, /proc/stat %s ms (resolution %.0f ms)%s", ours_ns / 1e6,
				    count, tick_ns(st) / 1e6, rq_text);
}

/* How much of the stolen time would lie near a completion if the two had nothing to do with each other: at
 * most. */
static double near_disk_by_chance_pct(const struct steal *st, const struct tt_hist *gaps, uint64_t dur_ns)
{
	double done_per_ns = tt_ratio((double)st->nr_done, (double)dur_ns), near_ns = 0, all_ns = 0;

	for (unsigned b = 0; b < TT_HIST_NR_BUCKETS; b++) {
		double gap_ns = (double)tt_hist_bucket_upper_ns(b), sum_ns = gap_ns * gaps->nr[b];
		double expected = done_per_ns * (gap_ns + 2 * NEAR_DISK_NS); /* completions around it */

		if (!gaps->nr[b])
			continue;
		near_ns += sum_ns * (expected < 1 ? expected : 1);
		all_ns += sum_ns;
	}
	return 100 * tt_ratio(near_ns, all_ns);
}

/* The ring of big gaps in time order. */
static unsigned unroll_gaps(const struct cpu_state *c, struct tt_gap *gaps)
{
	unsigned nr = c->nr_big < NR_BIG_GAPS ? (unsigned)c->nr_big : NR_BIG_GAPS;

	for (unsigned i = 0; i < nr; i++)
		gaps[i] = c->big[(c->nr_big - nr + i) % NR_BIG_GAPS];
	return nr;
}

static unsigned collect_cpu_facts(struct steal *st, const struct tt_interval *interval,
				  struct tt_steal_cpu_facts *facts, struct tt_gap *gaps)
{
	unsigned nr = 0;

	for (unsigned cpu = 0; cpu < st->nr_cpus; cpu++) {
		struct tt_steal_cpu_facts *f = &facts[nr];
		const struct cpu_state *c = st->cpus[cpu];

		if (!c || !has_row(st, cpu, interval))
			continue;
		*f = (struct tt_steal_cpu_facts){ .cpu = cpu, .busy_pct = busy_pct(c), .gaps = gaps };
		f->stolen_ns = c->all_ns;
		f->covered_ns = tt_cpu_covered_ns(tt_world_cpu(st->world, cpu), interval);
		if (st->counters_only) {
			f->stolen_ns = ticks_to_ns(st, c->grown_ticks[TT_STAT_STEAL]);
			f->covered_ns = ticks_to_ns(st, all_ticks_delta(c));
		}
		f->steal_pct = 100 * tt_ratio((double)f->stolen_ns, (double)f->covered_ns);
		f->nr_gaps = unroll_gaps(c, gaps);
		gaps += f->nr_gaps;
		nr++;
	}
	return nr;
}

static int add_findings(struct steal *st, const struct tt_interval *interval, struct tt_report *r,
			const struct cpu_sum *all)
{
	struct tt_steal_cpu_facts *cpus = calloc(st->nr_cpus + 1, sizeof(*cpus));
	struct tt_gap *gaps = calloc((st->nr_cpus + 1) * (size_t)NR_BIG_GAPS, sizeof(*gaps));
	struct tt_who_owner owner = owner_of(st);
	struct tt_steal_facts facts = { .cpus = cpus,
					.gaps = &all->gaps,
					.session_start_ts_ns = tt_world_info(st->world)->start_ts_ns };
	char victim[TT_WHO_NAME_MAX];
	const uint32_t *slots;
	unsigned nr;

	if (!cpus || !gaps) {
		free(cpus);
		free(gaps);
		return -ENOMEM;
	}
	facts.dur_ns = interval->to_ts_ns - interval->from_ts_ns;
	facts.nr_cpus = collect_cpu_facts(st, interval, cpus, gaps);
	for (unsigned i = 0; i < facts.nr_cpus; i++) {
		facts.stolen_ns += cpus[i].stolen_ns;
		facts.covered_ns += cpus[i].covered_ns;
	}
	slots = tt_who_rank(&st->who, &owner, &nr);
	if (nr) {
		facts.victim = tt_who_name(&st->who, slots[0], victim, sizeof(victim));
		facts.victim_pct =
			100 * tt_ratio((double)st->victims[slots[0]].stolen_ns, (double)facts.stolen_ns);
	}
	facts.near_disk_pct = 100 * tt_ratio((double)st->near_ns, (double)(all->stolen_ns - all->shed_ns));
	facts.near_disk_by_chance_pct = near_disk_by_chance_pct(st, &all->gaps, facts.dur_ns);
	facts.nr_jumps = st->nr_jumps;
	facts.first_jump_ts_ns = st->first_jump_ts_ns;
	facts.silent_hook = st->silent_hook;
	facts.next_hook = st->next_hook;
	facts.hook_change_ts_ns = st->hook_change_ts_ns;
	facts.missed_ns = st->missed_ns;
	tt_findings_steal(r, &facts);
	free(cpus);
	free(gaps);
	return 0;
}

/* Steal that nobody reports must not look like steal of 0. */
static bool is_reported(const struct steal *st, const struct cpu_sum *all)
{
	return tt_world_info(st->world)->steal_reported || all->stolen_ns || all->stat_steal_ticks ||
	       st->beyond_ns;
}

static void add_notes(const struct steal *st, struct tt_report *r, struct tt_section *s,
		      const struct cpu_sum *all)
{
	tt_view_add_note(st->view, r, s);
	if (!st->counters_only)
		tt_view_add_by_note(st->view, 1 << TT_BY_DEVICE, "nothing is stolen from a device; victims are tasks", r, s);
	if (st->counters_only)
		tt_section_add_note(
			r, s, "from /proc/stat, in ticks of %.0f ms: gaps and victims need single events",
			tick_ns(st) / 1e6);
	if (all->shed_ns)
		tt_section_add_note(
			r, s,
			"gaps and victims are partial: %.1f ms of steal fell into stretches whose events "
			"were shed; the totals are exact",
			(double)all->shed_ns / 1e6);
	if (st->beyond_ns)
		tt_section_add_note(r, s, "CPUs from %d on have no row; %.1f ms were stolen from them",
				    TT_VIEW_CPUS_MAX, (double)st->beyond_ns / 1e6);
	if (st->who.nr_folded)
		tt_section_add_note(r, s, "%llu exited tasks are summed up in (others)",
				    (unsigned long long)st->who.nr_folded);
}

static int steal_finish(void *state, const struct tt_interval *interval, struct tt_report *r)
{
	struct steal *st = state;
	const struct tt_info *info = tt_world_info(st->world);
	struct tt_section *s = tt_report_add_section(r, "steal", "STEAL");
	struct cpu_sum *all = calloc(1, sizeof(*all));
	unsigned nr_cpus = tt_world_nr_cpus(st->world);
	int err = 0;

	if (!s || !all) {
		free(all);
		return -ENOMEM;
	}
	for (unsigned cpu = 0; cpu < nr_cpus && cpu < TT_VIEW_CPUS_MAX; cpu++) {
		if (has_row(st, cpu, interval))
			sum_cpu(st, st->cpus[cpu], tt_world_cpu(st->world, cpu), interval, all);
	}
	if (!tt_probe_was_recorded(info, "steal")) {
		tt_section_add_note(r, s, "not recorded: the steal probe was off");
	} else if (!is_reported(st, all)) {
		tt_section_add_note(
			r, s,
			"not reported here: this kernel has counted none since boot, and nothing shows that its hypervisor "
			"(%s) gives it a steal clock, so time may have been stolen without a trace",
			info->hypervisor[0] ? info->hypervisor : "unknown");
	} else {
		add_cpu_table(st, interval, r, s, all);
		add_victim_table(st, r, s, all);
		if (all->nr_gaps)
			tt_section_add_histogram(r, s, "gaps", "length of steal gaps", &all->gaps,
						 all->shed_ns != 0);
		add_notes(st, r, s, all);
		if (interval->whole && !st->counters_only)
			add_check(st, r);
		err = add_findings(st, interval, r, all);
	}
	free(all);
	return r->failed ? -ENOMEM : err;
}

static void steal_reset(void *state)
{
	struct steal *st = state;

	for (unsigned cpu = 0; cpu < st->nr_cpus; cpu++) {
		struct cpu_state *c = st->cpus[cpu];
		struct tt_stat_line line;
		struct counters last;

		if (!c)
			continue;
		last = c->last;
		line = c->line;
		memset(c, 0, sizeof(*c));
		c->first = c->last = c->check_from = last;
		c->line = line;
	}
	memset(st->victims, 0, st->who.nr * sizeof(*st->victims));
	tt_who_reset(&st->who);
	st->beyond_ns = st->nr_jumps = st->first_jump_ts_ns = st->missed_ns = 0;
	st->silent_hook[0] = '\0';
	st->nr_done = st->near_ns = st->pending_ns = 0;
}

const struct tt_aggregator tt_aggregator_steal = {
	.name = "steal",
	.title = "STEAL",
	.help = "time that the hypervisor gave to others, by CPU and by victim",
	.open = steal_open,
	.event = steal_event,
	.finish = steal_finish,
	.reset = steal_reset,
	.close = steal_close,
};

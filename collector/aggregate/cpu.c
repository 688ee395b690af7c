/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CPU: who ran, from samples at a fixed rate. A sample stands for the time since the one before on its CPU, less what was stolen
 * of it; so over all CPUs the time of tasks, idle time and steal are the time sampled. One that came far too late stands for one period, and
 * the rest is time of which nothing is known. docs/metrics.md.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collector/aggregate/view.h"
#include "collector/aggregate/who.h"

struct cpu_sum {
	uint64_t nr, sampled_ns, user_ns, kernel_ns, idle_ns, stolen_ns, unsampled_ns;
};

struct runner {
	uint64_t nr, user_ns, kernel_ns;
};

struct cpus {
	const struct tt_world *world;
	const struct tt_view *view;
	struct cpu_sum *cpus[TT_VIEW_CPUS_MAX];
	unsigned nr_cpus;
	uint64_t nr_beyond; /* samples of CPUs that have no row */
	struct tt_who who;
	struct runner *runners; /* by slot of who */
};

static const struct tt_column cpu_columns[] = {
	{ "cpu", "cpu", TT_UNIT_TEXT, false, 0 },
	{ "samples", "samples", TT_UNIT_COUNT, false, 0 },
	{ "user_pct", "user%", TT_UNIT_PCT, false, 1 },
	{ "kernel_pct", "kernel%", TT_UNIT_PCT, false, 1 },
	{ "idle_pct", "idle%", TT_UNIT_PCT, false, 1 },
	{ "stolen_pct", "stolen%", TT_UNIT_PCT, false, 1 },
	{ "sampled_ns", "sampled", TT_UNIT_NS, true, 0 },
	{ "user_ns", "user", TT_UNIT_NS, true, 0 },
	{ "kernel_ns", "kernel", TT_UNIT_NS, true, 0 },
	{ "idle_ns", "idle", TT_UNIT_NS, true, 0 },
	{ "stolen_ns", "stolen", TT_UNIT_NS, true, 0 },
	{ "unsampled_ns", "unsampled", TT_UNIT_NS, true, 0 },
};
enum {
	CPU_NAME,
	CPU_SAMPLES,
	CPU_USER_PCT,
	CPU_KERNEL_PCT,
	CPU_IDLE_PCT,
	CPU_STOLEN_PCT,
	CPU_SAMPLED,
	CPU_USER,
	CPU_KERNEL,
	CPU_IDLE,
	CPU_STOLEN,
	CPU_UNSAMPLED,
	NR_CPU_COLUMNS
};
_Static_assert(sizeof(cpu_columns) / sizeof(cpu_columns[0]) == NR_CPU_COLUMNS, "a column without a name");

static const struct tt_column task_columns[] = {
	{ "task", "task", TT_UNIT_TEXT, false, 0 },	   { "cpu_pct", "cpu%", TT_UNIT_PCT, false, 1 },
	{ "run_ns", "ran", TT_UNIT_NS, false, 0 },	   { "user_pct", "user%", TT_UNIT_PCT, false, 1 },
	{ "samples", "samples", TT_UNIT_COUNT, false, 0 }, { "user_ns", "user", TT_UNIT_NS, true, 0 },
	{ "kernel_ns", "kernel", TT_UNIT_NS, true, 0 },	   { "tid", "tid", TT_UNIT_COUNT, true, 0 },
	{ "pid", "pid", TT_UNIT_COUNT, true, 0 },	   { "cgroup_path", "path", TT_UNIT_TEXT, true, 0 },
};
enum {
	TASK_NAME,
	TASK_CPU_PCT,
	TASK_RUN,
	TASK_USER_PCT,
	TASK_SAMPLES,
	TASK_USER,
	TASK_KERNEL,
	TASK_TID,
	TASK_PID,
	TASK_CGROUP_PATH,
	NR_TASK_COLUMNS
};
_Static_assert(sizeof(task_columns) / sizeof(task_columns[0]) == NR_TASK_COLUMNS, "a column without a name");

static void cpu_close(void *state)
{
	struct cpus *cs = state;

	if (!cs)
		return;
	for (unsigned i = 0; i < cs->nr_cpus; i++)
		free(cs->cpus[i]);
	tt_who_close(&cs->who);
	free(cs->runners);
	free(cs);
}

static int cpu_open(const struct tt_agg_options *opts, void **ret_state)
{
	struct cpus *cs = calloc(1, sizeof(*cs));

	if (!cs)
		return -ENOMEM;
	cs->world = opts->world;
	cs->view = opts->view;
	cs->runners = calloc(TT_WHO_MAX, sizeof(*cs->runners));
	if (!cs->runners || tt_who_open(&cs->who, opts)) {
		cpu_close(cs);
		return -ENOMEM;
	}
	*ret_state = cs;
	return 0;
}

static struct cpu_sum *get_cpu(struct cpus *cs, unsigned cpu)
{
	if (cpu >= TT_VIEW_CPUS_MAX)
		return NULL;
	if (!cs->cpus[cpu]) {
		cs->cpus[cpu] = calloc(1, sizeof(struct cpu_sum));
		if (cs->cpus[cpu] && cpu >= cs->nr_cpus)
			cs->nr_cpus = cpu + 1;
	}
	return cs->cpus[cpu];
}

/* Rows of tasks */

static uint64_t run_ns(const struct runner *r)
{
	return r->user_ns + r->kernel_ns;
}

static uint64_t runner_weight(void *ctx, uint32_t slot)
{
	return run_ns(&((struct cpus *)ctx)->runners[slot]);
}

static void add_runner(struct runner *into, const struct runner *from)
{
	into->nr += from->nr;
	into->user_ns += from->user_ns;
	into->kernel_ns += from->kernel_ns;
}

static void runner_fold(void *ctx, uint32_t into, uint32_t from)
{
	struct cpus *cs = ctx;

	add_runner(&cs->runners[into], &cs->runners[from]);
	cs->runners[from] = (struct runner){ 0 };
}

static void runner_move(void *ctx, uint32_t to, uint32_t from)
{
	struct cpus *cs = ctx;

	cs->runners[to] = cs->runners[from];
	cs->runners[from] = (struct runner){ 0 };
}

static struct tt_who_owner owner_of(struct cpus *cs)
{
	return (struct tt_who_owner){ cs, runner_weight, runner_fold, runner_move };
}

/* Events */

static void on_sample(struct cpus *cs, const struct tt_sample *rec)
{
	struct tt_who_owner owner = owner_of(cs);
	uint64_t stolen_ns = rec->steal_ns < rec->period_ns ? rec->steal_ns : rec->period_ns;
	uint64_t ran_ns = rec->period_ns - stolen_ns;
	struct cpu_sum *c = get_cpu(cs, rec->rec.cpu);
	bool is_user = rec->flags & TT_SAMPLE_USER;
	uint32_t slot = TT_WHO_OTHERS;

	if (!c) {
		cs->nr_beyond++;
		return;
	}
	if (!tt_view_has_cpu(cs->view, rec->rec.cpu))
		return;
	if (rec->tid) {
		tt_who_make_room(&cs->who, &owner);
		slot = tt_who_find(&cs->who, rec->tid);
	} else if (tt_view_has_task_filter(cs->view)) {
		return;
	}
	if (slot == TT_WHO_HIDDEN)
		return;
	c->nr++;
	c->sampled_ns += rec->period_ns;
	c->stolen_ns += stolen_ns;
	c->unsampled_ns += rec->unsampled_ns;
	if (!rec->tid) {
		c->idle_ns += ran_ns;
		return;
	}
	*(is_user ? &c->user_ns : &c->kernel_ns) += ran_ns;
	add_runner(&cs->runners[slot], &(struct runner){ 1, is_user ? ran_ns : 0, is_user ? 0 : ran_ns });
}

static void cpu_event(void *state, const struct tt_event *ev)
{
	struct cpus *cs = state;

	if (ev->kind == TT_EV_SAMPLE)
		on_sample(cs, (const struct tt_sample *)((const struct tt_ev_record *)ev)->rec);
	else if (ev->kind == TT_EV_TASK)
		tt_who_event(&cs->who, ev);
}

/* The report */

static void add_cpu_row(struct tt_report *r, struct tt_table *t, const char *name, const struct cpu_sum *sum)
{
	tt_table_add_row(r, t);
	tt_row_text(r, t, CPU_NAME, name);
	tt_row_u64(t, CPU_SAMPLES, sum->nr);
	tt_row_f64(t, CPU_USER_PCT, 100 * tt_ratio((double)sum->user_ns, (double)sum->sampled_ns));
	tt_row_f64(t, CPU_KERNEL_PCT, 100 * tt_ratio((double)sum->kernel_ns, (double)sum->sampled_ns));
	tt_row_f64(t, CPU_IDLE_PCT, 100 * tt_ratio((double)sum->idle_ns, (double)sum->sampled_ns));
	tt_row_f64(t, CPU_STOLEN_PCT, 100 * tt_ratio((double)sum->stolen_ns, (double)sum->sampled_ns));
	tt_row_u64(t, CPU_SAMPLED, sum->sampled_ns);
	tt_row_u64(t, CPU_USER, sum->user_ns);
	tt_row_u64(t, CPU_KERNEL, sum->kernel_ns);
	tt_row_u64(t, CPU_IDLE, sum->idle_ns);
	tt_row_u64(t, CPU_STOLEN, sum->stolen_ns);
	tt_row_u64(t, CPU_UNSAMPLED, sum->unsampled_ns);
}

static void add_sum(struct cpu_sum *into, const struct cpu_sum *from)
{
	into->nr += from->nr;
	into->sampled_ns += from->sampled_ns;
	into->user_ns += from->user_ns;
	into->kernel_ns += from->kernel_ns;
	into->idle_ns += from->idle_ns;
	into->stolen_ns += from->stolen_ns;
	into->unsampled_ns += from->unsampled_ns;
}

static void add_cpu_table(const struct cpus *cs, struct tt_report *r, struct tt_section *s,
			  const struct cpu_sum *all)
{
	struct tt_table *t = tt_section_add_table(r, s, "cpus", NULL, cpu_columns, NR_CPU_COLUMNS);
	char name[16];

	if (!t)
		return;
	add_cpu_row(r, t, "all", all);
	for (unsigned cpu = 0; cpu < cs->nr_cpus; cpu++) {
		if (!cs->cpus[cpu] || !cs->cpus[cpu]->nr)
			continue;
		snprintf(name, sizeof(name), "cpu%u", cpu);
		add_cpu_row(r, t, name, cs->cpus[cpu]);
	}
}

static void add_task_row(struct tt_report *r, struct tt_table *t, const char *name, const struct runner *run,
			 uint64_t dur_ns)
{
	tt_table_add_row(r, t);
	tt_row_text(r, t, TASK_NAME, name);
	tt_row_f64(t, TASK_CPU_PCT, 100 * tt_ratio((double)run_ns(run), (double)dur_ns));
	tt_row_u64(t, TASK_RUN, run_ns(run));
	tt_row_f64(t, TASK_USER_PCT, 100 * tt_ratio((double)run->user_ns, (double)run_ns(run)));
	tt_row_u64(t, TASK_SAMPLES, run->nr);
	tt_row_u64(t, TASK_USER, run->user_ns);
	tt_row_u64(t, TASK_KERNEL, run->kernel_ns);
}

static void add_task_table(struct cpus *cs, struct tt_report *r, struct tt_section *s, uint64_t dur_ns)
{
	const char *title = cs->who.by_cgroup ? "who ran, by cgroup" : "who ran";
	struct tt_table *t = tt_section_add_table(r, s, "tasks", title, task_columns, NR_TASK_COLUMNS);
	struct runner others = cs->runners[TT_WHO_OTHERS];
	struct tt_who_owner owner = owner_of(cs);
	char name[TT_WHO_NAME_MAX];
	unsigned nr;
	const uint32_t *slots = tt_who_rank(&cs->who, &owner, &nr);

	for (unsigned i = 0; t && i < nr; i++) {
		const struct tt_who_slot *slot = &cs->who.slots[slots[i]];
		const struct runner *run = &cs->runners[slots[i]];

		if (i >= tt_view_nr_top(cs->view)) {
			add_runner(&others, run);
			t->nr_rows_left_out++;
			continue;
		}
		add_task_row(r, t, tt_who_name(&cs->who, slots[i], name, sizeof(name)), run, dur_ns);
		if (!cs->who.by_cgroup && slot->tid != TT_TID_UNKNOWN) {
			tt_row_u64(t, TASK_TID, slot->tid);
			tt_row_u64(t, TASK_PID, slot->pid);
		}
		if (tt_who_cgroup_path(&cs->who, slots[i]))
			tt_row_text(r, t, TASK_CGROUP_PATH, tt_who_cgroup_path(&cs->who, slots[i]));
	}
	if (t && others.nr)
		add_task_row(r, t, "(others)", &others, dur_ns);
}

/* Only where samples were asked for: a section that says that nobody did would say nothing. */
static int cpu_finish(void *state, const struct tt_interval *interval, struct tt_report *r)
{
	struct cpus *cs = state;
	const struct tt_info *info = tt_world_info(cs->world);
	struct cpu_sum all = { 0 };
	struct tt_section *s;

	for (unsigned cpu = 0; cpu < cs->nr_cpus; cpu++)
		if (cs->cpus[cpu])
			add_sum(&all, cs->cpus[cpu]);
	if (!all.nr && (!info->nr_probes || !tt_probe_was_recorded(info, "cpu")))
		return 0;
	s = tt_report_add_section(r, "cpu", "CPU");
	if (!s)
		return -ENOMEM;
	tt_view_add_note(cs->view, r, s);
	if (!all.nr) {
		tt_section_add_note(r, s, "no sample in this interval");
		return r->failed ? -ENOMEM : 0;
	}
	tt_view_add_by_note(cs->view, 1 << TT_BY_CPU | 1 << TT_BY_DEVICE, "the first table is by CPU; who ran is a task", r, s);
	add_cpu_table(cs, r, s, &all);
	if (run_ns(&(struct runner){ 0, all.user_ns, all.kernel_ns }))
		add_task_table(cs, r, s, interval->to_ts_ns - interval->from_ts_ns);
	if (all.unsampled_ns)
		tt_section_add_note(r, s,
				    "for %.1f ms of all CPUs no sample came in time, as of a CPU that sleeps "
				    "deeply: they are in no row",
				    (double)all.unsampled_ns / 1e6);
	if (cs->nr_beyond)
		tt_section_add_note(r, s,
				    "CPUs from %d on have no row; %llu of their samples are in no table",
				    TT_VIEW_CPUS_MAX, (unsigned long long)cs->nr_beyond);
	if (cs->who.nr_folded)
		tt_section_add_note(r, s, "%llu exited tasks are summed up in (others)",
				    (unsigned long long)cs->who.nr_folded);
	return r->failed ? -ENOMEM : 0;
}

static void cpu_reset(void *state)
{
	struct cpus *cs = state;

	for (unsigned cpu = 0; cpu < cs->nr_cpus; cpu++)
		if (cs->cpus[cpu])
			memset(cs->cpus[cpu], 0, sizeof(*cs->cpus[cpu]));
	memset(cs->runners, 0, cs->who.nr * sizeof(*cs->runners));
	tt_who_reset(&cs->who);
	cs->nr_beyond = 0;
}

const struct tt_aggregator tt_aggregator_cpu = {
	.name = "cpu",
	.title = "CPU",
	.help = "who ran, from samples (record --rate, record --stacks)",
	.open = cpu_open,
	.event = cpu_event,
	.finish = cpu_finish,
	.reset = cpu_reset,
	.close = cpu_close,
};

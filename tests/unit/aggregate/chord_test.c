/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/aggregate/delays.h"
#include <stdio.h>

#include "collector/aggregate/view.h"
#include "collector/aggregate/who.h"
#include "tests/unit/aggregate/feed.h"

static struct feed f;

TestSuite(chord);

struct sw {
	unsigned cpu;
	uint64_t ts_ns, slice_ns, wait_ns;
	uint32_t prev, next;
	unsigned kind, flags;
	uint32_t waker;
	unsigned queued_cpu;
};

static void feed_switch(const struct sw *sw)
{
	struct tt_ev_switch ev = { .ev = { TT_EV_SWITCH, (uint16_t)sw->cpu, sw->flags, sw->ts_ns } };

	ev.prev_tid = sw->prev;
	ev.next_tid = sw->next;
	ev.slice_ns = sw->slice_ns;
	ev.wait_ns = sw->wait_ns;
	ev.wait_kind = (uint8_t)sw->kind;
	ev.waker_tid = sw->waker;
	ev.queued_cpu = sw->queued_cpu ? (uint16_t)sw->queued_cpu : (uint16_t)sw->cpu;
	feed_event(&f, &ev.ev);
}

static void feed_names(void)
{
	feed_task(&f, 10 * S, TT_TASK_AT_START, 1, "hog", 1, 0);
	feed_task(&f, 10 * S, TT_TASK_AT_START, 2, "db", 1, 0);
	feed_task(&f, 10 * S, TT_TASK_AT_START, 3, "web", 1, 0);
}

/* The cell of a matrix; -1 = it is empty. */
static int64_t cell_ns(const char *table, const char *from, const char *to)
{
	const struct tt_table *t = feed_table(&f, table);

	for (unsigned row = 0; t && row < t->nr_rows; row++) {
		const struct tt_cell *cells = &t->cells[row * t->nr_columns];

		if (!strcmp(cells[0].text, from) && !strcmp(cells[1].text, to))
			return (int64_t)cells[2].u64;
	}
	return -1;
}

static uint64_t sum_ns(const char *table)
{
	const struct tt_table *t = feed_table(&f, table);
	uint64_t sum = 0;

	for (unsigned row = 0; t && row < t->nr_rows; row++)
		sum += t->cells[row * t->nr_columns + 2].u64;
	return sum;
}

/* hog has the CPU for 10 ms and loses it to db after that; web, woken by db, has waited for both. */
Test(chord, a_wait_is_charged_to_who_had_the_cpu_and_to_who_began_it)
{
	feed_open(&f, "chord", false);
	feed_names();
	feed_switch(&(struct sw){ 0, 10 * S, 1 * MS, 0, 0, 1, TT_WAIT_WAKEUP, 0, 0, 0 });
	feed_switch(&(struct sw){ 0, 10 * S + 10 * MS, 10 * MS, 4 * MS, 1, 2, TT_WAIT_WAKEUP,
				  TT_SW_PREEMPTED | TT_SW_WOKEN_IN_IRQ, 1, 0 });
	feed_switch(&(struct sw){ 0, 10 * S + 15 * MS, 5 * MS, 8 * MS, 2, 3, TT_WAIT_WAKEUP,
				  TT_STATE_SLEEPING, 2, 0 });
	feed_switch(&(struct sw){ 0, 10 * S + 17 * MS, 2 * MS, 7 * MS, 3, 1, TT_WAIT_PREEMPTED,
				  TT_STATE_SLEEPING, 0, 0 });
	feed_finish(&f, 10 * S, 11 * S);
	cr_expect(eq(i64, cell_ns("occupants", "hog 1", "db 2"), 4 * MS));
	cr_expect(eq(i64, cell_ns("occupants", "hog 1", "web 3"), 3 * MS));
	cr_expect(eq(i64, cell_ns("occupants", "db 2", "web 3"), 5 * MS));
	cr_expect(eq(i64, cell_ns("occupants", "db 2", "hog 1"), 5 * MS));
	cr_expect(eq(i64, cell_ns("occupants", "web 3", "hog 1"), 2 * MS));
	cr_expect(eq(u64, sum_ns("occupants"), 19 * MS));
	cr_expect(eq(i64, cell_ns("preempters", "db 2", "hog 1"), 7 * MS));
	cr_expect(eq(u64, sum_ns("preempters"), 7 * MS));
	cr_expect(eq(i64, cell_ns("wakers", "(interrupt)", "db 2"), 4 * MS));
	cr_expect(eq(i64, cell_ns("wakers", "db 2", "web 3"), 8 * MS));
	cr_expect(eq(u64, sum_ns("wakers"), 12 * MS));
	feed_close(&f);
}

Test(chord, what_was_stolen_of_a_wait_is_the_hosts)
{
	feed_open(&f, "chord", false);
	feed_names();
	feed_window(&f, 0, 10 * S, true, 0);
	feed_steal(&f, 0, 10 * S + 9 * MS, 3 * MS, 9 * MS, 1); /* [6, 9) ms */
	feed_switch(&(struct sw){ 0, 10 * S + 10 * MS, 10 * MS, 8 * MS, 1, 2, TT_WAIT_WAKEUP,
				  TT_STATE_SLEEPING, 1, 0 });
	feed_finish(&f, 10 * S, 11 * S);
	cr_expect(eq(i64, cell_ns("occupants", "(stolen)", "db 2"), 3 * MS));
	cr_expect(eq(i64, cell_ns("occupants", "hog 1", "db 2"), 5 * MS));
	cr_expect(eq(u64, sum_ns("occupants"), 8 * MS));
	feed_close(&f);
}

Test(chord, what_nobody_saw_is_not_known)
{
	feed_open(&f, "chord", false);
	feed_names();
	/* of 8 ms waited, 2 ms of hog are known; who preempted db, and who woke web, is not */
	feed_switch(&(struct sw){ 0, 10 * S + 10 * MS, 2 * MS, 8 * MS, 1, 2, TT_WAIT_PREEMPTED,
				  TT_STATE_SLEEPING, 0, 0 });
	feed_switch(&(struct sw){ 0, 10 * S + 11 * MS, 1 * MS, 1 * MS, 2, 3, TT_WAIT_UNKNOWN,
				  TT_STATE_SLEEPING, 0, 0 });
	feed_finish(&f, 10 * S, 11 * S);
	cr_expect(eq(i64, cell_ns("occupants", "(not known)", "db 2"), 6 * MS));
	cr_expect(eq(i64, cell_ns("preempters", "(not known)", "db 2"), 8 * MS));
	cr_expect(eq(i64, cell_ns("wakers", "(not known)", "web 3"), 1 * MS));
	cr_expect(f.report.sections[0].nr_notes == 1);
	feed_close(&f);
}

/* What was preempted before switches were shed may have run since. */
Test(chord, a_preempter_from_before_a_loss_is_not_believed)
{
	struct tt_loss loss = { .what = TT_LOSS_SWITCHES, .count = 5, .since_ts_ns = 10 * S + 10 * MS };

	feed_open(&f, "chord", false);
	feed_names();
	feed_switch(
		&(struct sw){ 0, 10 * S + 10 * MS, 1 * MS, 0, 1, 2, TT_WAIT_WAKEUP, TT_SW_PREEMPTED, 0, 0 });
	feed_record(&f, TT_EV_LOSS, 0, 10 * S + 20 * MS, &loss.rec, 0);
	feed_switch(&(struct sw){ 0, 10 * S + 30 * MS, 1 * MS, 6 * MS, 2, 1, TT_WAIT_PREEMPTED,
				  TT_STATE_SLEEPING, 0, 0 });
	feed_finish(&f, 10 * S, 11 * S);
	cr_expect(eq(i64, cell_ns("preempters", "(not known)", "hog 1"), 6 * MS));
	feed_close(&f);
}

Test(chord, on_another_cpu_it_is_who_runs_there)
{
	feed_open(&f, "chord", false);
	feed_names();
	feed_switch(&(struct sw){ 1, 10 * S, 1 * MS, 0, 0, 1, TT_WAIT_WAKEUP, 0, 0,
				  0 }); /* hog on cpu1 from now on */
	feed_switch(&(struct sw){ 0, 10 * S + 10 * MS, 1 * MS, 6 * MS, 0, 2, TT_WAIT_WAKEUP, 0, 3, 1 });
	feed_finish(&f, 10 * S, 11 * S);
	cr_expect(eq(i64, cell_ns("occupants", "hog 1", "db 2"), 6 * MS));
	feed_close(&f);
}

/* Filters are about who waits. */
Test(chord, who_delays_a_process_may_be_anybody)
{
	f.view.pid = 2;
	feed_open(&f, "chord", false);
	feed_names();
	feed_switch(&(struct sw){ 0, 10 * S + 10 * MS, 10 * MS, 4 * MS, 1, 2, TT_WAIT_WAKEUP, TT_SW_PREEMPTED,
				  3, 0 });
	feed_switch(&(struct sw){ 0, 10 * S + 20 * MS, 10 * MS, 10 * MS, 2, 1, TT_WAIT_PREEMPTED,
				  TT_STATE_SLEEPING, 0, 0 });
	feed_finish(&f, 10 * S, 11 * S);
	cr_expect(eq(i64, cell_ns("occupants", "hog 1", "db 2"), 4 * MS));
	cr_expect(eq(i64, cell_ns("wakers", "web 3", "db 2"), 4 * MS));
	cr_expect(eq(u64, sum_ns("occupants"), 4 * MS));
	cr_expect(feed_table(&f, "preempters") == NULL);
	feed_close(&f);
}

Test(chord, by_cgroup)
{
	struct tt_cgroup a = { .id = 7, .path = "/a.slice/a.service" }, b = { .id = 8, .path = "/b.slice" };
	struct tt_task task = { .pid = 1, .why = TT_TASK_AT_START, .start_ns = 1 };

	f.view.by = TT_BY_CGROUP;
	feed_open(&f, "chord", false);
	feed_record(&f, TT_EV_CGROUP, TT_CPU_NONE, 10 * S, &a.rec, 0);
	feed_record(&f, TT_EV_CGROUP, TT_CPU_NONE, 10 * S, &b.rec, 0);
	for (uint32_t tid = 1; tid <= 4; tid++) {
		task.tid = tid;
		task.cgroup_id = tid < 3 ? 7 : 8;
		feed_record(&f, TT_EV_TASK, TT_CPU_NONE, 10 * S, &task.rec, 0);
	}
	feed_switch(&(struct sw){ 0, 10 * S + 10 * MS, 10 * MS, 4 * MS, 1, 3, TT_WAIT_WAKEUP, TT_SW_PREEMPTED,
				  2, 0 });
	feed_switch(&(struct sw){ 0, 10 * S + 20 * MS, 10 * MS, 5 * MS, 2, 4, TT_WAIT_WAKEUP, TT_SW_PREEMPTED,
				  2, 0 });
	feed_finish(&f, 10 * S, 11 * S);
	cr_expect(eq(i64, cell_ns("occupants", "a.service", "b.slice"), 9 * MS));
	cr_expect(eq(i64, cell_ns("wakers", "a.service", "b.slice"), 9 * MS));
	feed_close(&f);
}

/* The kernel tells of the leader alone. */
Test(chord, the_threads_of_a_process_move_with_it)
{
	struct tt_cgroup a = { .id = 7, .path = "/a.slice" }, b = { .id = 8, .path = "/b.slice" };
	struct tt_task task = { .why = TT_TASK_AT_START, .start_ns = 1, .cgroup_id = 7 };

	f.view.by = TT_BY_CGROUP;
	feed_open(&f, "chord", false);
	feed_record(&f, TT_EV_CGROUP, TT_CPU_NONE, 10 * S, &a.rec, 0);
	feed_record(&f, TT_EV_CGROUP, TT_CPU_NONE, 10 * S, &b.rec, 0);
	for (task.tid = 1; task.tid <= 3; task.tid++) {
		task.pid = task.tid == 3 ? 3 : 1; /* 2 is a thread of 1 */
		feed_record(&f, TT_EV_TASK, TT_CPU_NONE, 10 * S, &task.rec, 0);
	}
	feed_switch(&(struct sw){ 0, 10 * S + 10 * MS, 10 * MS, 4 * MS, 3, 2, TT_WAIT_WAKEUP, TT_SW_PREEMPTED,
				  3, 0 });
	task = (struct tt_task){ .tid = 1,
				 .pid = 1,
				 .why = TT_TASK_CGROUP,
				 .flags = TT_TASK_WHOLE_PROCESS,
				 .start_ns = 1,
				 .cgroup_id = 8 };
	feed_record(&f, TT_EV_TASK, TT_CPU_NONE, 10 * S + 11 * MS, &task.rec, 0);
	feed_switch(&(struct sw){ 0, 10 * S + 20 * MS, 10 * MS, 5 * MS, 2, 3, TT_WAIT_WAKEUP, TT_SW_PREEMPTED,
				  2, 0 });
	feed_finish(&f, 10 * S, 11 * S);
	cr_expect(eq(i64, cell_ns("wakers", "a.slice", "a.slice"), 4 * MS));
	cr_expect(eq(i64, cell_ns("wakers", "b.slice", "a.slice"), 5 * MS), "another process stays");
	feed_close(&f);
}

/* More tasks than rows, each waiting once behind the next: sums stay, and what is left out is told. */
Test(chord, sums_stay_beyond_all_bounds)
{
	const unsigned nr = 3 * TT_WHO_MAX;

	feed_open(&f, "chord", false);
	for (uint32_t i = 1; i <= nr; i++) {
		uint64_t ts_ns = 10 * S + i * 10000ull;

		feed_task(&f, ts_ns, TT_TASK_FORK, i, "x", ts_ns, 0);
		feed_switch(&(struct sw){ 0, ts_ns, 10000, 5000, i - 1, i, TT_WAIT_NEW, TT_STATE_DEAD, i - 1,
					  0 });
		feed_task(&f, ts_ns, TT_TASK_EXIT, i - 1, "x", ts_ns - 10000, 0);
	}
	feed_finish(&f, 10 * S, 11 * S);
	cr_expect(eq(u64, sum_ns("occupants"), 5000ull * nr));
	cr_expect(eq(u64, sum_ns("wakers"), 5000ull * nr));
	cr_expect(cell_ns("wakers", "(others)", "(others)") > 5000ll * TT_WHO_MAX);
	cr_expect(eq(u32, f.report.sections[0].nr_notes, 1), "that there are others is told");
	feed_close(&f);
}

/* Many waits behind many slices: some are not looked at, and that is said, not guessed. */
Test(chord, deep_queues_are_sampled)
{
	uint64_t ts_ns = 10 * S;
	unsigned i;

	feed_open(&f, "chord", false);
	for (i = 0; i < 20000; i++, ts_ns += 1000)
		feed_switch(&(struct sw){ 0, ts_ns, 1000, 900000, 100 + i % 901, 100 + (i + 1) % 901,
					  TT_WAIT_PREEMPTED, TT_SW_PREEMPTED, 0, 0 });
	feed_finish(&f, 10 * S, 11 * S);
	cr_expect(eq(u64, sum_ns("occupants"), 20000 * 900000ull));
	cr_expect(eq(u32, f.report.sections[0].nr_notes, 2),
		  "how much is not known, and what found no cell of its own");
	feed_close(&f);
}

Test(chord, only_when_it_is_named)
{
	for (unsigned i = 0; tt_aggregators[i]; i++)
		cr_expect(eq(int, tt_aggregators[i]->on_request, tt_aggregators[i] == &tt_aggregator_chord));
}

Test(chord, an_interval_begins_with_nothing)
{
	feed_open(&f, "chord", false);
	feed_names();
	feed_switch(&(struct sw){ 0, 10 * S + 10 * MS, 10 * MS, 4 * MS, 1, 2, TT_WAIT_WAKEUP, TT_SW_PREEMPTED,
				  3, 0 });
	feed_finish(&f, 10 * S, 11 * S);
	feed_next(&f);
	/* who had the CPU before is not forgotten */
	feed_switch(&(struct sw){ 0, 10 * S + 20 * MS, 10 * MS, 15 * MS, 2, 3, TT_WAIT_WAKEUP,
				  TT_STATE_SLEEPING, 1, 0 });
	feed_finish(&f, 11 * S, 12 * S);
	cr_expect(eq(i64, cell_ns("occupants", "hog 1", "web 3"), 5 * MS));
	cr_expect(eq(u64, sum_ns("occupants"), 15 * MS));
	feed_close(&f);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/aggregate/feed.h"

static struct feed f;

TestSuite(runq);

struct sw {
	unsigned cpu;
	uint64_t ts_ns, slice_ns, wait_ns;
	uint32_t prev, next;
	unsigned kind, queued_cpu;
};

static void feed_switch(const struct sw *sw)
{
	struct tt_ev_switch ev = { .ev = { TT_EV_SWITCH, (uint16_t)sw->cpu, 0, sw->ts_ns } };

	ev.prev_tid = sw->prev;
	ev.next_tid = sw->next;
	ev.slice_ns = sw->slice_ns;
	ev.wait_ns = sw->wait_ns;
	ev.deliver_ns = sw->kind == TT_WAIT_WAKEUP ? 2000 : 0;
	ev.wait_kind = (uint8_t)sw->kind;
	ev.queued_cpu = (uint16_t)sw->queued_cpu;
	feed_event(&f, &ev.ev);
}

/* 1 s on one CPU: hog (1) and db (2) take turns of 10 ms, db waits for hog every time; db was woken for half
 * of its turns. */
static void feed_turns(void)
{
	feed_window(&f, 0, 10 * S, true, 5 * S);
	feed_task(&f, 10 * S, TT_TASK_AT_START, 1, "hog", 1, 100 * MS);
	feed_task(&f, 10 * S, TT_TASK_AT_START, 2, "db", 1, 200 * MS);
	for (uint64_t i = 1; i <= 50; i++) {
		uint64_t ts_ns = 10 * S + i * 20 * MS;

		feed_switch(&(struct sw){ 0, ts_ns - 10 * MS, 10 * MS, 10 * MS, 1, 2,
					  i & 1 ? TT_WAIT_WAKEUP : TT_WAIT_PREEMPTED, 0 });
		feed_switch(&(struct sw){ 0, ts_ns, 10 * MS, 0, 2, 1, TT_WAIT_PREEMPTED, 0 });
	}
	feed_task(&f, 11 * S, TT_TASK_AT_END, 1, "hog", 1, 100 * MS);
	feed_task(&f, 11 * S, TT_TASK_AT_END, 2, "db", 1, 700 * MS);
	feed_window(&f, 0, 11 * S, false, 5 * S + 500 * MS);
}

Test(runq, waits_per_cpu_and_their_kinds)
{
	feed_open(&f, "runq", false);
	feed_turns();
	feed_finish(&f, 10 * S, 11 * S);
	for (unsigned i = 0; i < 2; i++) {
		const char *row = i ? "cpu0" : "all";

		EXPECT_NEAR(feed_f64(&f, "cpus", row, "waits_per_s"), 50);
		EXPECT_NEAR(feed_f64(&f, "cpus", row, "wait_ms_per_s"), 500);
		cr_expect(eq(u64, feed_u64(&f, "cpus", row, "wait_max_ns"), 10 * MS));
		cr_expect(eq(u64, feed_u64(&f, "cpus", row, "wait_p50_ns"), 10 * MS));
		cr_expect(eq(u64, feed_u64(&f, "cpus", row, "woken"), 25));
		cr_expect(eq(u64, feed_u64(&f, "cpus", row, "preempted"), 25));
		cr_expect(eq(u64, feed_u64(&f, "cpus", row, "deliver_p99_ns"), 2000));
	}
	feed_close(&f);
}

Test(runq, the_waiter_and_whom_it_waited_for)
{
	feed_open(&f, "runq", false);
	feed_turns();
	feed_finish(&f, 10 * S, 11 * S);
	cr_expect(eq(u64, feed_u64(&f, "waiters", "db 2", "wait_sum_ns"), 500 * MS));
	cr_expect(eq(u64, feed_u64(&f, "waiters", "db 2", "wait_mean_ns"), 10 * MS));
	cr_expect(eq(str, feed_cell(&f, "waiters", "db 2", "behind")->text, "hog 1"));
	EXPECT_NEAR(feed_f64(&f, "waiters", "db 2", "behind_pct"), 100);
	EXPECT_NEAR(feed_f64(&f, "waiters", "db 2", "preempted_pct"), 50);
	cr_assert(feed_finding(&f, "runq-wait") != NULL);
	cr_expect(eq(str, feed_finding(&f, "runq-wait")->text,
		     "db 2 waited 500 ms/s for a CPU (50 waits, p99 10.0ms), 100 % of it behind hog 1."));
	feed_close(&f);
}

Test(runq, the_stolen_part_of_a_wait_is_that_of_the_cpu_it_queued_on)
{
	feed_open(&f, "runq", false);
	feed_window(&f, 0, 10 * S, true, 0);
	feed_window(&f, 1, 10 * S, true, 0);
	feed_steal(&f, 1, 10 * S + 100 * MS, 6 * MS, 6 * MS, 9);
	feed_switch(&(struct sw){ 0, 10 * S + 100 * MS, MS, 10 * MS, 8, 3, TT_WAIT_WAKEUP, 1 });
	feed_switch(&(struct sw){ 0, 10 * S + 120 * MS, MS, 10 * MS, 3, 4, TT_WAIT_WAKEUP, TT_CPU_NONE });
	feed_finish(&f, 10 * S, 11 * S);
	EXPECT_NEAR(feed_f64(&f, "waiters", "tid 3", "stolen_pct"), 60);
	EXPECT_NEAR(feed_f64(&f, "waiters", "tid 4", "stolen_pct"), 0);
	EXPECT_NEAR(feed_f64(&f, "cpus", "all", "stolen_pct"), 30);
	feed_close(&f);
}

static const struct tt_cell *task_cells(unsigned row)
{
	const struct tt_table *t = feed_table(&f, "tasks");

	cr_assert(t != NULL && row < t->nr_rows);
	return &t->cells[row * t->nr_columns];
}

Test(runq, each_task_has_the_kernels_own_counter_beside_ours)
{
	feed_open(&f, "runq", false);
	feed_turns();
	feed_finish(&f, 10 * S, 11 * S);
	cr_expect(eq(u64, task_cells(0)[0].u64, 2));
	cr_expect(eq(u64, task_cells(0)[4].u64, 500 * MS));
	cr_expect(eq(u64, task_cells(0)[5].u64, 500 * MS));
	cr_assert(eq(u32, f.report.nr_checks, 1));
	cr_expect(f.report.checks[0].ok);
	EXPECT_NEAR(f.report.checks[0].ours, 500e6);
	EXPECT_NEAR(f.report.checks[0].kernel, 500e6);
	feed_close(&f);
}

Test(runq, shed_waits_are_in_the_total_that_is_checked)
{
	struct tt_loss loss = { .what = TT_LOSS_SWITCHES, .count = 7, .since_ts_ns = 10 * S + 200 * MS };
	struct tt_ev_shed_wait shed = { { TT_EV_SHED_WAIT, 0, 0, 10 * S + 400 * MS },
					10 * S + 200 * MS,
					130 * MS };

	f.info.start_ts_ns = 10 * S;
	feed_open(&f, "runq", false);
	feed_turns();
	feed_record(&f, TT_EV_LOSS, 0, 10 * S + 400 * MS, &loss.rec, 0);
	feed_event(&f, &shed.ev);
	/* db waited 100 ms of it, as the kernel tells */
	feed_task(&f, 11 * S, TT_TASK_AT_END, 2, "db", 1, 800 * MS);
	feed_finish(&f, 10 * S, 11 * S);
	EXPECT_NEAR(f.report.checks[0].ours, 630e6);
	cr_expect(eq(u64, feed_u64(&f, "cpus", "all", "shed_wait_ns"), 130 * MS));
	cr_expect(eq(u64, feed_u64(&f, "cpus", "all", "wait_sum_ns"), 630 * MS));
	EXPECT_NEAR(feed_f64(&f, "cpus", "all", "wait_ms_per_s"), 630);
	cr_expect(eq(u64, feed_u64(&f, "waiters", "db 2", "wait_sum_ns"), 600 * MS));
	cr_expect(eq(u64, feed_u64(&f, "waiters", "(shed)", "wait_sum_ns"), 30 * MS));
	cr_expect(f.report.sections[0].histograms[0].partial);
	cr_expect(strstr(feed_finding(&f, "runq-wait")->text, "db 2 waited 600 ms/s") != NULL, "%s",
		  feed_finding(&f, "runq-wait")->text);
	cr_assert(eq(u32, f.report.sections[0].nr_notes, 2), "%s", f.report.sections[0].notes[0].text);
	cr_expect(strstr(f.report.sections[0].notes[0].text,
			 "7 switches were shed between 0.200 s and 0.400 s") != NULL,
		  "%s", f.report.sections[0].notes[0].text);
	feed_close(&f);
}

static void feed_edge(unsigned cpu, uint64_t ts_ns, bool begins, uint64_t nr_switches)
{
	struct tt_ev_window ev = { .ev = { TT_EV_WINDOW, (uint16_t)cpu, 0, ts_ns }, .begins = begins };

	ev.nr_switches = nr_switches;
	feed_event(&f, &ev.ev);
}

/* cpu1 is offline from 11 to 14 s, and does two switches on the way that nobody counts. */
Test(runq, what_a_cpu_does_between_two_windows_is_not_counted)
{
	feed_open(&f, "runq", false);
	feed_edge(0, 10 * S, true, 500);
	feed_edge(1, 10 * S, true, 100);
	feed_switch(&(struct sw){ 1, 10 * S + MS, MS, MS, 0, 5, TT_WAIT_WAKEUP, 0 });
	feed_edge(1, 11 * S, false, 101);
	feed_edge(1, 14 * S, true, 103);
	feed_switch(&(struct sw){ 1, 14 * S + MS, MS, MS, 0, 5, TT_WAIT_WAKEUP, 0 });
	feed_edge(0, 15 * S, false, 500);
	feed_edge(1, 15 * S, false, 104);
	feed_finish(&f, 10 * S, 15 * S);
	cr_expect(eq(u64, feed_u64(&f, "cpus", "cpu1", "nr_switches"), 2));
	cr_expect(eq(u64, feed_u64(&f, "cpus", "cpu1", "recorded_switches"), 2));
	EXPECT_NEAR(feed_f64(&f, "cpus", "cpu1", "waits_per_s"), 1);
	cr_assert(eq(u32, f.report.sections[0].nr_notes, 1));
	cr_expect(eq(str, f.report.sections[0].notes[0].text,
		     "cpu1 was online for 2.000 s of 5.000 s; its rates are of that time"));
	feed_close(&f);
}

Test(runq, a_cpu_has_no_row_in_an_interval_in_which_it_is_offline)
{
	struct tt_interval second = { 11 * S, 12 * S, false };

	feed_open(&f, "runq", false);
	feed_edge(0, 10 * S, true, 500);
	feed_edge(1, 10 * S, true, 100);
	feed_edge(1, 10 * S + 500 * MS, false, 100);
	cr_assert(eq(int, f.agg->finish(f.state, &(struct tt_interval){ 10 * S, 11 * S, false }, &f.report),
		     0));
	cr_expect(eq(u32, feed_table(&f, "cpus")->nr_rows, 3));
	feed_next(&f);
	cr_assert(eq(int, f.agg->finish(f.state, &second, &f.report), 0));
	cr_expect(eq(u32, feed_table(&f, "cpus")->nr_rows, 2), "all and cpu0");
	feed_close(&f);
}

Test(runq, idle_and_switches_without_a_wait_count_nothing)
{
	feed_open(&f, "runq", false);
	feed_window(&f, 0, 10 * S, true, 0);
	feed_switch(&(struct sw){ 0, 10 * S + MS, MS, 0, 0, 5, TT_WAIT_WAKEUP, 0 });
	feed_switch(&(struct sw){ 0, 10 * S + 2 * MS, MS, 77, 5, 0, TT_WAIT_UNKNOWN, 0 });
	feed_finish(&f, 10 * S, 11 * S);
	cr_expect(eq(u64, feed_u64(&f, "cpus", "all", "waits"), 0));
	cr_expect(feed_table(&f, "waiters") == NULL);
	feed_close(&f);
}

Test(runq, a_reused_tid_has_a_row_of_its_own)
{
	feed_open(&f, "runq", false);
	feed_window(&f, 0, 10 * S, true, 0);
	feed_task(&f, 10 * S, TT_TASK_AT_START, 3, "first", 1, 0);
	feed_switch(&(struct sw){ 0, 10 * S + 10 * MS, MS, MS, 8, 3, TT_WAIT_WAKEUP, 0 });
	feed_task(&f, 10 * S + 20 * MS, TT_TASK_EXIT, 3, "first", 1, MS);
	feed_task(&f, 10 * S + 30 * MS, TT_TASK_FORK, 3, "second", 9, 0);
	feed_switch(&(struct sw){ 0, 10 * S + 40 * MS, MS, 2 * MS, 8, 3, TT_WAIT_NEW, 0 });
	feed_finish(&f, 10 * S, 11 * S);
	cr_expect(eq(u64, feed_u64(&f, "waiters", "first 3", "wait_sum_ns"), MS));
	cr_expect(eq(u64, feed_u64(&f, "waiters", "second 3", "wait_sum_ns"), 2 * MS));
	feed_close(&f);
}

Test(runq, a_hundred_thousand_short_tasks_lose_no_wait)
{
	uint64_t sum_ns = 0;
	const struct tt_table *t;

	feed_open(&f, "runq", false);
	feed_window(&f, 0, 10 * S, true, 0);
	feed_task(&f, 10 * S, TT_TASK_AT_START, 1, "server", 1, 0);
	for (uint32_t tid = 2; tid < 100000; tid++) {
		uint64_t ts_ns = 10 * S + tid * 1000ull;

		feed_task(&f, ts_ns, TT_TASK_FORK, tid, "short", ts_ns, 0);
		feed_switch(&(struct sw){ 0, ts_ns + 1, 1, 100, 1, tid, TT_WAIT_NEW, 0 });
		feed_task(&f, ts_ns + 2, TT_TASK_EXIT, tid, "short", ts_ns, 100);
		feed_switch(&(struct sw){ 0, ts_ns + 3, 1, 1, tid, 1, TT_WAIT_PREEMPTED, 0 });
	}
	feed_finish(&f, 10 * S, 11 * S);
	cr_expect(eq(u64, feed_u64(&f, "waiters", "server 1", "wait_sum_ns"), 99998),
		  "who lives stays whole");
	t = feed_table(&f, "waiters");
	for (unsigned i = 0; i < t->nr_rows; i++)
		sum_ns += t->cells[i * t->nr_columns + 2].u64;
	cr_expect(eq(u64, sum_ns, 99998ull * 101));
	feed_close(&f);
}

Test(runq, only_the_process_asked_for_is_shown)
{
	f.view.pid = 1;
	feed_open(&f, "runq", false);
	feed_turns();
	feed_finish(&f, 10 * S, 11 * S);
	cr_expect(eq(u64, feed_u64(&f, "cpus", "all", "waits"), 0));
	EXPECT_NEAR(f.report.checks[0].ours, 500e6);
	feed_close(&f);
}

/* db is in the cgroup that is looked at, leaves it, and comes back. */
Test(runq, a_task_counts_while_it_is_in_the_cgroup_asked_for)
{
	struct tt_cgroup in = { .id = 7, .path = "/in" }, out = { .id = 8, .path = "/out" };
	struct tt_task task = { .tid = 2, .pid = 2, .start_ns = 1, .comm = "db" };

	f.view.cgroup = "/in";
	feed_open(&f, "runq", false);
	feed_window(&f, 0, 10 * S, true, 5 * S);
	feed_record(&f, TT_EV_CGROUP, TT_CPU_NONE, 10 * S, &in.rec, 0);
	feed_record(&f, TT_EV_CGROUP, TT_CPU_NONE, 10 * S, &out.rec, 0);
	for (unsigned i = 0; i < 3; i++) {
		uint64_t ts_ns = 10 * S + i * 100 * MS;

		task.why = i ? TT_TASK_CGROUP : TT_TASK_AT_START;
		task.cgroup_id = i == 1 ? 8 : 7;
		feed_record(&f, TT_EV_TASK, TT_CPU_NONE, ts_ns, &task.rec, 0);
		feed_switch(&(struct sw){ 0, ts_ns + 10 * MS, 10 * MS, 5 * MS, 1, 2, TT_WAIT_WAKEUP, 0 });
		feed_switch(&(struct sw){ 0, ts_ns + 20 * MS, 10 * MS, 0, 2, 1, TT_WAIT_UNKNOWN, 0 });
	}
	feed_window(&f, 0, 11 * S, false, 5 * S);
	feed_finish(&f, 10 * S, 11 * S);
	cr_expect(eq(u64, feed_u64(&f, "cpus", "all", "waits"), 2));
	cr_expect(eq(u64, feed_u64(&f, "waiters", "db 2", "waits"), 2));
	cr_expect(eq(u32, feed_table(&f, "waiters")->nr_rows, 1));
	feed_close(&f);
}

/* The same, and so many tasks come and go meanwhile that slots are closed up. */
Test(runq, who_moved_away_finds_its_row_again_however_many_come_and_go)
{
	struct tt_cgroup in = { .id = 7, .path = "/in" };
	struct tt_task db = { .tid = 200000, .pid = 200000, .start_ns = 1, .comm = "db" },
		       shorts = { .comm = "short" };

	f.view.cgroup = "/in";
	feed_open(&f, "runq", false);
	feed_window(&f, 0, 10 * S, true, 5 * S);
	feed_record(&f, TT_EV_CGROUP, TT_CPU_NONE, 10 * S, &in.rec, 0);
	shorts.cgroup_id = 7;
	for (uint32_t tid = 2; tid < 50000; tid++) {
		uint64_t ts_ns = 10 * S + tid * 10000ull;
		static const unsigned whys[] = { TT_TASK_FORK, TT_TASK_EXIT };

		shorts.tid = shorts.pid = tid;
		shorts.start_ns = ts_ns;
		for (unsigned i = 0; i < 2; i++) {
			shorts.why = (tt_u16)whys[i];
			feed_record(&f, TT_EV_TASK, TT_CPU_NONE, ts_ns + 2 * i, &shorts.rec, 0);
			if (!i)
				feed_switch(&(struct sw){ 0, ts_ns + 1, 1, 100, 1, tid, TT_WAIT_NEW, 0 });
		}
		if (tid != 100 && tid != 200 && tid != 30000 &&
		    tid != 49000) /* in, out, still out, in again */
			continue;
		db.why = tid == 100 ? TT_TASK_FORK : TT_TASK_CGROUP;
		db.cgroup_id = tid == 200 ? 8 : 7;
		if (tid != 30000)
			feed_record(&f, TT_EV_TASK, TT_CPU_NONE, ts_ns + 3, &db.rec, 0);
		feed_switch(&(struct sw){ 0, ts_ns + 4, 1, 5 * MS, 1, db.tid, TT_WAIT_WAKEUP, 0 });
		feed_switch(&(struct sw){ 0, ts_ns + 5, 1, 0, db.tid, 1, TT_WAIT_UNKNOWN, 0 });
	}
	feed_window(&f, 0, 11 * S, false, 5 * S);
	feed_finish(&f, 10 * S, 11 * S);
	cr_expect(eq(u64, feed_u64(&f, "waiters", "db 200000", "waits"), 2));
	cr_expect(eq(u64, feed_u64(&f, "waiters", "db 200000", "wait_sum_ns"), 10 * MS));
	feed_close(&f);
}

static void feed_schedstat(uint64_t ts_ns, uint32_t tid, uint64_t run_delay_ns, uint64_t nr_timeslices,
			   uint64_t start_ns)
{
	struct tt_task_counters rec = { .tid = tid, .pid = tid, .start_ns = start_ns, .comm = "worker" };

	rec.run_delay_ns = run_delay_ns;
	rec.nr_timeslices = nr_timeslices;
	feed_record(&f, TT_EV_TASK_COUNTERS, TT_CPU_NONE, ts_ns, &rec.rec, 0);
}

Test(runq, counters_give_sums_per_task_and_interval)
{
	f.info.start_ts_ns = 10 * S;
	feed_open(&f, "runq", true);
	feed_schedstat(10 * S, 5, 100 * MS, 1000, S);
	feed_schedstat(11 * S, 5, 150 * MS, 1010, S);
	feed_schedstat(11 * S, 6, 30 * MS, 3, 10 * S + 500 * MS); /* born in between: all of it is new */
	feed_finish(&f, 10 * S, 11 * S);
	cr_expect(eq(u64, feed_u64(&f, "waiters", "worker 5", "wait_sum_ns"), 50 * MS));
	cr_expect(eq(u64, feed_u64(&f, "waiters", "worker 5", "waits"), 10));
	cr_expect(eq(u64, feed_u64(&f, "waiters", "worker 6", "wait_sum_ns"), 30 * MS));
	EXPECT_NEAR(feed_f64(&f, "cpus", "all", "wait_ms_per_s"), 80);
	cr_expect(eq(int, feed_cell(&f, "cpus", "all", "wait_p99_ns")->type, TT_CELL_NONE));
	feed_next(&f);
	feed_schedstat(12 * S, 5, 155 * MS, 1020, S);
	feed_schedstat(12 * S, 6, 9 * MS, 1, 11 * S + 500 * MS); /* the tid is another task's now */
	feed_finish(&f, 11 * S, 12 * S);
	cr_expect(eq(u64, feed_u64(&f, "waiters", "worker 5", "wait_sum_ns"), 5 * MS));
	cr_expect(eq(u64, feed_u64(&f, "waiters", "worker 6", "wait_sum_ns"), 9 * MS));
	feed_close(&f);
}

/* As the source tells it: of each task it says who it is, then its counters. */
Test(runq, counters_of_a_fork_count_from_0_and_those_of_the_start_do_not)
{
	f.info.start_ts_ns = 10 * S;
	feed_open(&f, "runq", true);
	feed_task(&f, 10 * S, TT_TASK_AT_START, 5, "worker", S, 0);
	feed_schedstat(10 * S, 5, 0, 1000, S); /* has never waited */
	feed_task(&f, 11 * S, TT_TASK_FORK, 6, "worker", 10 * S + 500 * MS, 30 * MS);
	feed_schedstat(11 * S, 6, 30 * MS, 3, 10 * S + 500 * MS);
	feed_schedstat(11 * S, 5, 20 * MS, 1010, S);
	feed_finish(&f, 10 * S, 11 * S);
	cr_expect(eq(u64, feed_u64(&f, "waiters", "worker 5", "wait_sum_ns"), 20 * MS));
	cr_expect(eq(u64, feed_u64(&f, "waiters", "worker 5", "waits"), 10));
	cr_expect(eq(u64, feed_u64(&f, "waiters", "worker 6", "wait_sum_ns"), 30 * MS));
	cr_expect(eq(u64, feed_u64(&f, "waiters", "worker 6", "waits"), 3));
	feed_close(&f);
}

/* A switch before this one was not seen (its slice is unknown): nobody knows who ran up to now, and it was not the
 * task that waited. */
Test(runq, a_task_is_never_behind_itself)
{
	feed_open(&f, "runq", false);
	feed_window(&f, 0, 10 * S, true, 0);
	feed_task(&f, 10 * S, TT_TASK_AT_START, 1, "hog", 1, 0);
	feed_task(&f, 10 * S, TT_TASK_AT_START, 2, "db", 1, 0);
	feed_switch(&(struct sw){ 0, 10 * S + 10 * MS, 10 * MS, 0, 1, 2, TT_WAIT_WAKEUP, 0 });
	feed_switch(&(struct sw){ 0, 10 * S + 14 * MS, 4 * MS, 0, 2, 1, TT_WAIT_WAKEUP, 0 });
	/* 5 ms of hog are seen, then 3 ms are not; the stamp of the wait reaches 1 ms into db's own slice */
	feed_switch(&(struct sw){ 0, 10 * S + 19 * MS, 5 * MS, 0, 1, 3, TT_WAIT_WAKEUP, 0 });
	feed_switch(&(struct sw){ 0, 10 * S + 22 * MS, 0, 9 * MS, 3, 2, TT_WAIT_PREEMPTED, 0 });
	feed_finish(&f, 10 * S, 11 * S);
	cr_expect(eq(str, feed_cell(&f, "waiters", "db 2", "behind")->text, "hog 1"));
	EXPECT_NEAR(feed_f64(&f, "waiters", "db 2", "behind_pct"), 100.0 * 5 / 6);
	feed_close(&f);
}

/* The first switches come before the state of every task has been told. */
Test(runq, who_becomes_known_later_is_named)
{
	feed_open(&f, "runq", false);
	feed_window(&f, 0, 10 * S, true, 0);
	feed_switch(&(struct sw){ 0, 10 * S + 10 * MS, 10 * MS, 10 * MS, 1, 2, TT_WAIT_WAKEUP, 0 });
	feed_task(&f, 10 * S + 11 * MS, TT_TASK_AT_START, 1, "hog", 1, 0);
	feed_switch(&(struct sw){ 0, 10 * S + 12 * MS, 2 * MS, 0, 2, 1, TT_WAIT_WAKEUP, 0 });
	feed_switch(&(struct sw){ 0, 10 * S + 22 * MS, 10 * MS, 10 * MS, 1, 2, TT_WAIT_PREEMPTED, 0 });
	feed_finish(&f, 10 * S, 11 * S);
	cr_expect(eq(str, feed_cell(&f, "waiters", "tid 2", "behind")->text, "hog 1"));
	feed_close(&f);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/aggregate/feed.h"

static struct feed f;

TestSuite(steal);

static void feed_cpu_counters(unsigned cpu, uint64_t ts_ns, uint64_t idle_ticks, uint64_t steal_ticks)
{
	struct tt_cpu_counters rec = { 0 };

	rec.ticks[0] = ts_ns / (10 * MS) - idle_ticks - steal_ticks; /* the rest was user time */
	rec.ticks[3] = idle_ticks;
	rec.ticks[TT_STAT_STEAL] = steal_ticks;
	feed_record(&f, TT_EV_CPU_COUNTERS, cpu, ts_ns, &rec.rec, 0);
}

/* 2 CPUs, 10 s. cpu1 loses 100 ms in 5 gaps of 20 ms, cpu0 10 ms in one. */
static void feed_session(void)
{
	for (unsigned cpu = 0; cpu < 2; cpu++) {
		feed_window(&f, cpu, 100 * S, true, 0);
		feed_cpu_counters(cpu, 100 * S, 0, 0);
	}
	feed_task(&f, 100 * S, TT_TASK_AT_START, 7, "postgres", 1, 0);
	for (uint64_t i = 1; i <= 4; i++)
		feed_steal(&f, 1, (100 + i) * S, 20 * MS, 4 * MS, 7);
	feed_steal(&f, 1, 105 * S, 20 * MS, 4 * MS, 0);
	feed_steal(&f, 0, 106 * S, 10 * MS, 4 * MS, 8);
	feed_cpu_counters(0, 110 * S, 0, 1);
	feed_cpu_counters(1, 110 * S, 0, 10);
	for (unsigned cpu = 0; cpu < 2; cpu++)
		feed_window(&f, cpu, 110 * S, false, 0);
}

Test(steal, shares_of_cpus_and_of_all)
{
	feed_open(&f, "steal", false);
	feed_session();
	feed_finish(&f, 100 * S, 110 * S);
	EXPECT_NEAR(feed_f64(&f, "cpus", "all", "steal_pct"), 0.55);
	EXPECT_NEAR(feed_f64(&f, "cpus", "cpu0", "steal_pct"), 0.10);
	EXPECT_NEAR(feed_f64(&f, "cpus", "cpu1", "steal_pct"), 1.00);
	cr_expect(eq(u64, feed_u64(&f, "cpus", "all", "stolen_ns"), 110 * MS));
	cr_expect(eq(u64, feed_u64(&f, "cpus", "cpu1", "gaps"), 5));
	cr_expect(eq(u64, feed_u64(&f, "cpus", "all", "seen_tick"), 6));
	cr_expect(eq(u64, feed_u64(&f, "cpus", "all", "seen_switch"), 0));
	cr_expect(eq(u64, feed_u64(&f, "cpus", "cpu1", "gap_max_ns"), 20 * MS));
	cr_expect(eq(u64, feed_u64(&f, "cpus", "all", "recorded_ns"), 20 * S));
	feed_close(&f);
}

Test(steal, victims_sum_up_to_the_cpus_also_when_events_were_shed)
{
	const struct tt_table *t;
	uint64_t sum_ns = 0;

	f.view.nr_top = 1;
	feed_open(&f, "steal", false);
	feed_session();
	feed_steal(&f, 0, 107 * S, 3 * MS, 500 * MS, TT_TID_UNKNOWN);
	feed_finish(&f, 100 * S, 110 * S);
	cr_expect(eq(u64, feed_u64(&f, "victims", "postgres 7", "stolen_ns"), 80 * MS));
	cr_expect(eq(u64, feed_u64(&f, "victims", "(others)", "stolen_ns"), 30 * MS));
	cr_expect(eq(u64, feed_u64(&f, "victims", "(shed)", "stolen_ns"), 3 * MS));
	t = feed_table(&f, "victims");
	cr_expect(eq(u64, t->nr_rows_left_out, 2));
	for (unsigned i = 0; i < t->nr_rows; i++)
		sum_ns += t->cells[i * t->nr_columns + 1].u64;
	cr_expect(eq(u64, sum_ns, feed_u64(&f, "cpus", "all", "stolen_ns")));
	cr_expect(eq(u64, feed_u64(&f, "cpus", "all", "gaps"), 6), "a shed stretch is no gap");
	cr_expect(f.report.sections[0].histograms[0].partial);
	feed_close(&f);
}

Test(steal, a_task_without_a_name_is_shown_by_its_number)
{
	feed_open(&f, "steal", false);
	feed_session();
	feed_finish(&f, 100 * S, 110 * S);
	cr_expect(eq(u64, feed_u64(&f, "victims", "tid 8", "gaps"), 1));
	cr_expect(eq(u64, feed_u64(&f, "victims", "idle", "stolen_ns"), 20 * MS));
	feed_close(&f);
}

Test(steal, agrees_with_proc_stat_within_its_ticks)
{
	feed_open(&f, "steal", false);
	feed_session();
	feed_finish(&f, 100 * S, 110 * S);
	cr_assert(eq(u32, f.report.nr_checks, 1));
	cr_expect(f.report.checks[0].ok && f.report.checks[0].known);
	EXPECT_NEAR(f.report.checks[0].ours, 110e6);
	EXPECT_NEAR(f.report.checks[0].kernel, 110e6);
	feed_close(&f);
}

Test(steal, a_silent_probe_is_called_silent)
{
	feed_open(&f, "steal", false);
	feed_window(&f, 0, 100 * S, true, 0);
	feed_cpu_counters(0, 100 * S, 0, 0);
	feed_cpu_counters(0, 110 * S, 0, 50);
	feed_window(&f, 0, 110 * S, false, 0);
	feed_finish(&f, 100 * S, 110 * S);
	cr_assert(eq(u32, f.report.nr_checks, 1));
	cr_expect(not(f.report.checks[0].ok));
	cr_expect(strstr(f.report.checks[0].text, "silent") != NULL, "%s", f.report.checks[0].text);
	feed_close(&f);
}

Test(steal, what_nobody_reports_is_not_printed_as_0)
{
	f.no_steal_clock = true;
	feed_open(&f, "steal", false);
	feed_window(&f, 0, 100 * S, true, 0);
	feed_window(&f, 0, 110 * S, false, 0);
	feed_finish(&f, 100 * S, 110 * S);
	cr_expect(feed_table(&f, "cpus") == NULL);
	cr_assert(eq(u32, f.report.sections[0].nr_notes, 1));
	cr_expect(strstr(f.report.sections[0].notes[0].text, "not reported") != NULL);
	cr_expect(eq(u32, f.report.nr_checks, 0));
	feed_close(&f);
}

Test(steal, equal_gaps_at_a_fixed_period_are_a_quota)
{
	feed_open(&f, "steal", false);
	feed_window(&f, 0, 100 * S, true, 0);
	for (uint64_t i = 1; i < 50; i++) {
		feed_steal(&f, 0, 100 * S + i * 100 * MS, 20 * MS + i % 3 * 10000, 20 * MS + i % 3 * 10000,
			   7);
		feed_steal(&f, 0, 100 * S + i * 100 * MS + 37 * MS, 50000, 4 * MS, 7); /* noise */
	}
	feed_window(&f, 0, 105 * S, false, 0);
	feed_finish(&f, 100 * S, 105 * S);
	cr_assert(feed_finding(&f, "steal-quota") != NULL);
	cr_expect(strstr(feed_finding(&f, "steal-quota")->text, "20.0ms every 100ms") != NULL, "%s",
		  feed_finding(&f, "steal-quota")->text);
	feed_close(&f);
}

Test(steal, irregular_gaps_of_all_cpus_are_no_quota)
{
	uint64_t state = 5, ts_ns[2] = { 100 * S, 100 * S };

	feed_open(&f, "steal", false);
	for (unsigned cpu = 0; cpu < 2; cpu++)
		feed_window(&f, cpu, 100 * S, true, 0);
	for (unsigned i = 0; i < 200; i++) {
		uint64_t steal_ns;

		state = state * 6364136223846793005ull + 1442695040888963407ull;
		steal_ns = MS + (state >> 40) % (4 * MS);
		ts_ns[i % 2] += 10 * MS + (state >> 20) % (70 * MS);
		feed_steal(&f, i % 2, ts_ns[i % 2], steal_ns, steal_ns, 7);
	}
	for (unsigned cpu = 0; cpu < 2; cpu++)
		feed_window(&f, cpu, 105 * S, false, 0);
	feed_finish(&f, 100 * S, 105 * S);
	cr_expect(feed_finding(&f, "steal-quota") == NULL);
	cr_expect(feed_finding(&f, "steal-overcommit") != NULL);
	feed_close(&f);
}

/* At 103 s, when the kernel has counted 300 ms that the hook did not see. */
static void feed_hook_change(const char *probe)
{
	struct tt_hook_change rec = { .from = "fentry", .to = "tick" };

	memcpy(rec.probe, probe, strlen(probe));
	feed_record(&f, TT_EV_HOOK_CHANGE, TT_CPU_NONE, 103 * S, &rec.rec, 0);
}

static void feed_session_with_change(const char *probe)
{
	feed_open(&f, "steal", false);
	feed_window(&f, 0, 100 * S, true, 0);
	feed_cpu_counters(0, 100 * S, 0, 0);
	feed_cpu_counters(0, 103 * S, 0, 30);
	feed_hook_change(probe);
	feed_steal(&f, 0, 105 * S, 50 * MS, 4 * MS, 7);
}

Test(steal, a_silent_hook_that_gave_way_is_told_with_what_it_missed)
{
	const struct tt_finding *finding;

	f.info.start_ts_ns = 100 * S;
	feed_session_with_change("steal");
	feed_cpu_counters(0, 110 * S, 0, 35);
	feed_window(&f, 0, 110 * S, false, 0);
	feed_finish(&f, 100 * S, 110 * S);
	finding = feed_finding(&f, "steal-hook");
	cr_assert(finding != NULL);
	cr_expect(strstr(finding->text, "hook fentry was attached but silent: tick took over at 3.000 s. "
					"The 300ms that the kernel counted") != NULL,
		  "%s", finding->text);
	cr_assert(eq(u32, f.report.nr_checks, 1));
	cr_expect(f.report.checks[0].ok && f.report.checks[0].known, "%s", f.report.checks[0].text);
	EXPECT_NEAR(f.report.checks[0].ours, 50e6);
	EXPECT_NEAR(f.report.checks[0].kernel, 50e6);
	feed_next(&f);
	feed_finish(&f, 110 * S, 120 * S);
	cr_expect(feed_finding(&f, "steal-hook") == NULL, "told once");
	feed_close(&f);
}

Test(steal, a_hook_change_of_another_probe_is_not_ours)
{
	feed_session_with_change("runq");
	feed_finish(&f, 100 * S, 110 * S);
	cr_expect(feed_finding(&f, "steal-hook") == NULL);
	feed_close(&f);
}

Test(steal, a_hook_change_of_a_hostile_file_is_cut)
{
	struct tt_cpu_counters huge = { .ticks[TT_STAT_STEAL] = UINT64_MAX };
	struct tt_hook_change rec;

	feed_open(&f, "steal", false);
	feed_cpu_counters(0, 100 * S, 0, 0);
	feed_record(&f, TT_EV_CPU_COUNTERS, 0, 101 * S, &huge.rec, 0);
	memset(&rec, 'x', sizeof(rec));
	memcpy(rec.probe, "steal", 6);
	for (unsigned i = 0; i < 3; i++)
		feed_record(&f, TT_EV_HOOK_CHANGE, TT_CPU_NONE, 102 * S, &rec.rec, 0);
	feed_finish(&f, 100 * S, 110 * S);
	cr_assert(feed_finding(&f, "steal-hook") != NULL);
	cr_expect(strstr(feed_finding(&f, "steal-hook")->text, "hook xxxxxxxxxxxxxxxxxxxxxxx was") != NULL);
	feed_close(&f);
}

Test(steal, from_counters_only_the_share_is_that_of_mpstat)
{
	feed_open(&f, "steal", true);
	feed_cpu_counters(0, 100 * S, 0, 0);
	feed_cpu_counters(0, 110 * S, 500, 150);
	feed_finish(&f, 100 * S, 110 * S);
	EXPECT_NEAR(feed_f64(&f, "cpus", "cpu0", "steal_pct"), 15.0);
	EXPECT_NEAR(feed_f64(&f, "cpus", "all", "steal_pct"), 15.0);
	cr_expect(eq(int, feed_cell(&f, "cpus", "cpu0", "gaps")->type, TT_CELL_NONE));
	feed_next(&f);
	feed_cpu_counters(0, 120 * S, 500, 250);
	feed_finish(&f, 110 * S, 120 * S);
	EXPECT_NEAR(feed_f64(&f, "cpus", "cpu0", "steal_pct"), 10.0);
	feed_close(&f);
}

Test(steal, a_counter_that_goes_back_is_no_steal)
{
	feed_open(&f, "steal", true);
	feed_cpu_counters(0, 100 * S, 0, 200);
	feed_cpu_counters(0, 110 * S, 0, 150);
	feed_finish(&f, 100 * S, 110 * S);
	EXPECT_NEAR(feed_f64(&f, "cpus", "cpu0", "steal_pct"), 0.0);
	feed_close(&f);
}

static void feed_stat(unsigned cpu, uint64_t ts_ns, uint64_t user_ticks, uint64_t steal_ticks)
{
	struct tt_cpu_counters rec = { 0 };

	rec.ticks[0] = user_ticks;
	rec.ticks[TT_STAT_STEAL] = steal_ticks;
	feed_record(&f, TT_EV_CPU_COUNTERS, cpu, ts_ns, &rec.rec, 0);
}

Test(steal, from_counters_only_a_jump_is_clamped_and_named)
{
	f.info.start_ts_ns = 100 * S;
	feed_open(&f, "steal", true);
	for (unsigned s = 0; s <= 4; s++)
		feed_stat(0, (100 + s) * S, 90 * s, 10 * s);
	feed_stat(1, 100 * S, 0, 0);
	feed_stat(1, 101 * S, 90, 10);
	feed_stat(1, 102 * S, 180, 360020); /* an hour */
	feed_stat(1, 103 * S, 270, 359980); /* and half a second back, after a tenth more */
	feed_stat(1, 104 * S, 360, 359990);
	feed_finish(&f, 100 * S, 104 * S);
	cr_expect(eq(u64, feed_u64(&f, "cpus", "cpu0", "stolen_ns"), 400 * MS));
	cr_expect(eq(u64, feed_u64(&f, "cpus", "cpu1", "stolen_ns"), 300 * MS));
	EXPECT_NEAR(feed_f64(&f, "cpus", "cpu1", "steal_pct"), 100 * 30 / 390.0);
	cr_assert(feed_finding(&f, "steal-jump") != NULL);
	cr_expect(strstr(feed_finding(&f, "steal-jump")->text, "jumped 2 times, first at 2.000 s") != NULL, "%s",
		  feed_finding(&f, "steal-jump")->text);
	feed_next(&f);
	feed_stat(1, 105 * S, 450, 360000);
	feed_finish(&f, 104 * S, 105 * S);
	cr_expect(eq(u64, feed_u64(&f, "cpus", "cpu1", "stolen_ns"), 100 * MS));
	cr_expect(feed_finding(&f, "steal-jump") == NULL, "told once");
	feed_next(&f);
	feed_stat(1, 106 * S, 540, 720000);
	feed_finish(&f, 105 * S, 106 * S);
	cr_expect(feed_finding(&f, "steal-jump") != NULL, "an interval begins where the one before ended");
	cr_expect(eq(u64, feed_u64(&f, "cpus", "cpu1", "stolen_ns"), 100 * MS));
	feed_close(&f);
}

/* The record that the source made of it is of the same jump. */
Test(steal, from_counters_only_a_jump_that_is_told_is_not_another)
{
	struct tt_loss told = { .count = 1, .what = TT_LOSS_JUMP };

	feed_open(&f, "steal", true);
	feed_stat(0, 100 * S, 0, 20);
	feed_stat(0, 101 * S, 90, 360030);
	feed_record(&f, TT_EV_LOSS, 0, 101 * S, &told.rec, 0);
	feed_finish(&f, 100 * S, 101 * S);
	cr_assert(feed_finding(&f, "steal-jump") != NULL);
	cr_expect(strstr(feed_finding(&f, "steal-jump")->text, "jumped 1 time,") != NULL);
	feed_close(&f);
}

Test(steal, from_counters_only_a_cpu_that_came_back_is_no_jump)
{
	feed_open(&f, "steal", true);
	for (unsigned s = 0; s <= 3; s++)
		feed_stat(0, (100 + s) * S, 90 * s, 10 * s);
	feed_stat(1, 100 * S, 5000, 1000);
	feed_stat(1, 102 * S, 3, 2);
	feed_stat(1, 103 * S, 83, 22);
	feed_finish(&f, 100 * S, 103 * S);
	cr_expect(feed_finding(&f, "steal-jump") == NULL);
	cr_expect(eq(u64, feed_u64(&f, "cpus", "cpu1", "stolen_ns"), 200 * MS));
	EXPECT_NEAR(feed_f64(&f, "cpus", "cpu1", "steal_pct"), 20);
	feed_close(&f);
}

Test(steal, an_interval_divides_by_the_time_that_the_cpu_was_online)
{
	struct tt_interval first = { 100 * S, 101 * S, false }, second = { 101 * S, 102 * S, false };

	feed_open(&f, "steal", false);
	feed_window(&f, 1, 90 * S, true, 0);
	feed_steal(&f, 1, 100 * S + 100 * MS, 30 * MS, 30 * MS, 7);
	feed_window(&f, 1, 100 * S + 200 * MS, false, 0);
	feed_window(&f, 1, 100 * S + 600 * MS, true, 0);
	feed_window(&f, 1, 100 * S + 700 * MS, false, 0);
	cr_assert(eq(int, f.agg->finish(f.state, &first, &f.report), 0));
	cr_expect(eq(u64, feed_u64(&f, "cpus", "cpu1", "recorded_ns"), 300 * MS));
	EXPECT_NEAR(feed_f64(&f, "cpus", "cpu1", "steal_pct"), 10);
	EXPECT_NEAR(feed_f64(&f, "cpus", "all", "steal_pct"), 10);
	feed_next(&f);
	cr_assert(eq(int, f.agg->finish(f.state, &second, &f.report), 0));
	cr_expect(eq(u32, feed_table(&f, "cpus")->nr_rows, 1), "gone");
	feed_close(&f);
}

Test(steal, the_next_interval_starts_at_0)
{
	feed_open(&f, "steal", false);
	feed_window(&f, 0, 100 * S, true, 0);
	feed_steal(&f, 0, 101 * S, 20 * MS, 20 * MS, 7);
	feed_finish(&f, 100 * S, 102 * S);
	cr_expect(eq(u64, feed_u64(&f, "cpus", "cpu0", "stolen_ns"), 20 * MS));
	feed_next(&f);
	cr_assert(eq(int, f.agg->finish(f.state, &(struct tt_interval){ 102 * S, 103 * S, false }, &f.report),
		     0));
	cr_expect(eq(u64, feed_u64(&f, "cpus", "cpu0", "stolen_ns"), 0));
	cr_expect(eq(u64, feed_u64(&f, "cpus", "cpu0", "recorded_ns"), S), "a quiet CPU is still on");
	feed_close(&f);
}

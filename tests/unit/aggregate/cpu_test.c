/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/aggregate/feed.h"

static struct feed f;

static void setup(void)
{
	memset(&f, 0, sizeof(f));
	feed_open(&f, "cpu", false);
}

static void teardown(void)
{
	feed_close(&f);
}

TestSuite(cpu, .init = setup, .fini = teardown);

static void sample(unsigned cpu, uint64_t ts_ns, uint64_t period_ns, uint64_t steal_ns, uint32_t tid, unsigned flags)
{
	struct tt_sample rec = { .period_ns = period_ns, .steal_ns = steal_ns, .tid = tid, .pid = tid, .flags = (tt_u16)flags };

	feed_record(&f, TT_EV_SAMPLE, cpu, ts_ns, &rec.rec, 0);
}

Test(cpu, user_kernel_idle_and_stolen_time_are_the_time_sampled)
{
	feed_task(&f, 0, TT_TASK_AT_START, 10, "web", 1, 0);
	sample(0, 10 * MS, 10 * MS, 0, 10, TT_SAMPLE_USER);
	sample(0, 20 * MS, 10 * MS, 4 * MS, 10, 0);
	sample(0, 30 * MS, 10 * MS, 0, 0, 0);
	sample(1, 30 * MS, 30 * MS, 3 * MS, 0, 0);
	feed_finish(&f, 0, 100 * MS);
	cr_expect(eq(u64, feed_u64(&f, "cpus", "cpu0", "user_ns"), 10 * MS));
	cr_expect(eq(u64, feed_u64(&f, "cpus", "cpu0", "kernel_ns"), 6 * MS));
	cr_expect(eq(u64, feed_u64(&f, "cpus", "cpu0", "idle_ns"), 10 * MS));
	cr_expect(eq(u64, feed_u64(&f, "cpus", "cpu0", "stolen_ns"), 4 * MS));
	cr_expect(eq(u64, feed_u64(&f, "cpus", "all", "sampled_ns"), 60 * MS));
	EXPECT_NEAR(feed_f64(&f, "cpus", "all", "idle_pct"), 100.0 * 37 / 60);
	cr_expect(eq(u64, feed_u64(&f, "tasks", "web 10", "run_ns"), 16 * MS));
	EXPECT_NEAR(feed_f64(&f, "tasks", "web 10", "cpu_pct"), 16);
	EXPECT_NEAR(feed_f64(&f, "tasks", "web 10", "user_pct"), 62.5);
}

Test(cpu, a_sample_that_came_too_late_is_no_time_of_anybody)
{
	struct tt_sample rec = { .period_ns = 10 * MS, .unsampled_ns = 400 * MS, .tid = 10, .pid = 10 };

	feed_record(&f, TT_EV_SAMPLE, 0, 500 * MS, &rec.rec, 0);
	feed_finish(&f, 0, 500 * MS);
	cr_expect(eq(u64, feed_u64(&f, "cpus", "all", "sampled_ns"), 10 * MS));
	cr_expect(eq(u64, feed_u64(&f, "cpus", "all", "unsampled_ns"), 400 * MS));
	cr_assert(eq(u32, f.report.sections[0].nr_notes, 1));
	cr_expect(strstr(f.report.sections[0].notes[0].text, "400.0 ms") != NULL);
}

Test(cpu, more_steal_than_time_is_no_time_below_zero)
{
	sample(0, 10 * MS, 10 * MS, 11 * MS, 10, 0);
	feed_finish(&f, 0, 100 * MS);
	cr_expect(eq(u64, feed_u64(&f, "cpus", "all", "stolen_ns"), 10 * MS));
	cr_expect(eq(u64, feed_u64(&f, "cpus", "all", "kernel_ns"), 0));
}

Test(cpu, only_the_process_asked_for)
{
	f.view.pid = 10;
	feed_task(&f, 0, TT_TASK_AT_START, 10, "web", 1, 0);
	feed_task(&f, 0, TT_TASK_AT_START, 11, "db", 1, 0);
	sample(0, 10 * MS, 10 * MS, 0, 10, 0);
	sample(0, 20 * MS, 10 * MS, 0, 11, 0);
	sample(0, 30 * MS, 10 * MS, 0, 0, 0);
	feed_finish(&f, 0, 100 * MS);
	cr_expect(eq(u64, feed_u64(&f, "cpus", "all", "sampled_ns"), 10 * MS));
	cr_expect(eq(u32, feed_table(&f, "tasks")->nr_rows, 1));
}

Test(cpu, without_samples_there_is_no_section)
{
	feed_finish(&f, 0, 100 * MS);
	cr_expect(eq(u32, f.report.nr_sections, 0));
}

Test(cpu, an_interval_without_samples_says_so_when_they_were_asked_for)
{
	feed_close(&f);
	memset(&f, 0, sizeof(f));
	f.info.nr_probes = 1;
	strcpy(f.info.probes[0].probe, "cpu");
	strcpy(f.info.probes[0].rung, "perf_event");
	feed_open(&f, "cpu", false);
	sample(0, 10 * MS, 10 * MS, 0, 10, 0);
	feed_next(&f);
	feed_finish(&f, 10 * MS, 20 * MS);
	cr_assert(eq(u32, f.report.nr_sections, 1));
	cr_expect(eq(u32, f.report.sections[0].nr_notes, 1));
	cr_expect(eq(u32, f.report.sections[0].nr_tables, 0));
}

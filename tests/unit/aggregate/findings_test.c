/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/aggregate/findings.h"
#include "tests/unit/aggregate/feed.h"

static struct tt_report r;

static void setup(void)
{
	tt_report_init(&r);
}

static void teardown(void)
{
	tt_report_free(&r);
}

TestSuite(findings, .init = setup, .fini = teardown);

static unsigned make_gaps(struct tt_gap *gaps, unsigned nr, uint64_t period_ns, uint64_t gap_ns,
			  uint64_t jitter_ns)
{
	for (unsigned i = 0; i < nr; i++) {
		gaps[i].end_ts_ns = S + i * period_ns + (i % 2) * jitter_ns;
		gaps[i].start_ts_ns = gaps[i].end_ts_ns - gap_ns;
	}
	return nr;
}

Test(findings, a_quota_needs_8_gaps_a_steady_period_and_similar_lengths)
{
	struct tt_gap gaps[64];
	struct tt_quota quota;

	cr_assert(tt_find_quota(gaps, make_gaps(gaps, 8, 100 * MS, 20 * MS, 0), &quota));
	cr_expect(eq(u64, quota.period_ns, 100 * MS));
	cr_expect(eq(u64, quota.gap_ns, 20 * MS));
	cr_expect(not(tt_find_quota(gaps, make_gaps(gaps, 7, 100 * MS, 20 * MS, 0), &quota)), "too few");
	cr_expect(not(tt_find_quota(gaps, make_gaps(gaps, 64, 100 * MS, 20 * MS, 30 * MS), &quota)),
		  "unsteady");
	make_gaps(gaps, 64, 100 * MS, 20 * MS, 0);
	for (unsigned i = 0; i < 64; i += 2)
		gaps[i].start_ts_ns = gaps[i].end_ts_ns - 12 * MS;
	cr_expect(not(tt_find_quota(gaps, 64, &quota)), "lengths differ");
	cr_expect(not(tt_find_quota(NULL, 0, &quota)));
}

Test(findings, steal_beside_the_own_io_is_called_so_only_when_chance_does_not_explain_it)
{
	static struct tt_hist h;
	struct tt_steal_cpu_facts cpu = {
		.steal_pct = 5, .stolen_ns = 50 * MS, .covered_ns = S, .busy_pct = -1
	};
	struct tt_steal_facts f = {
		.cpus = &cpu, .nr_cpus = 1, .gaps = &h, .stolen_ns = 50 * MS, .covered_ns = S
	};

	f.dur_ns = S;
	for (unsigned i = 0; i < 50; i++)
		tt_hist_add(&h, MS);
	f.near_disk_pct = 90;
	f.near_disk_by_chance_pct = 80;
	tt_findings_steal(&r, &f);
	cr_assert(eq(u32, r.nr_findings, 1));
	cr_expect(eq(str, (char *)r.findings[0].code, "steal"));
	f.near_disk_by_chance_pct = 10;
	tt_findings_steal(&r, &f);
	cr_expect(eq(str, (char *)r.findings[1].code, "steal-own-io"));
}

Test(findings, all_cpus_alike_is_an_overcommitted_host_or_a_large_busy_vm)
{
	static struct tt_hist h;
	struct tt_steal_cpu_facts cpus[4];
	struct tt_steal_facts f = {
		.cpus = cpus, .nr_cpus = 4, .gaps = &h, .covered_ns = 4 * S, .dur_ns = S
	};

	for (unsigned i = 0; i < 4; i++)
		cpus[i] = (struct tt_steal_cpu_facts){ i, 8 + i, 30, 80 * MS, S, NULL, 0 };
	f.stolen_ns = 320 * MS;
	for (unsigned i = 0; i < 100; i++)
		tt_hist_add(&h, 3 * MS);
	tt_findings_steal(&r, &f);
	cr_expect(eq(str, (char *)r.findings[0].code, "steal-overcommit"));
	EXPECT_NEAR(r.findings[0].score_ns_per_s, 320e6);
	for (unsigned i = 0; i < 4; i++)
		cpus[i].busy_pct = 99;
	tt_findings_steal(&r, &f);
	cr_expect(eq(str, (char *)r.findings[1].code, "steal-busy-vm"));
	cpus[0].steal_pct = 2;
	tt_findings_steal(&r, &f);
	cr_expect(eq(str, (char *)r.findings[2].code, "steal"), "they are not alike");
}

Test(findings, a_jump_of_the_steal_clock_is_told)
{
	static struct tt_hist h;
	struct tt_steal_facts f = {
		.gaps = &h, .nr_jumps = 2, .first_jump_ts_ns = 3 * S, .session_start_ts_ns = S, .dur_ns = S
	};

	tt_findings_steal(&r, &f);
	cr_assert(eq(u32, r.nr_findings, 1));
	cr_expect(strstr(r.findings[0].text, "jumped 2 times, first at 2.000 s") != NULL, "%s",
		  r.findings[0].text);
}

Test(findings, little_is_not_worth_a_sentence)
{
	static struct tt_hist h;
	struct tt_steal_cpu_facts cpu = {
		.steal_pct = 0.3, .stolen_ns = 3 * MS, .covered_ns = S, .busy_pct = -1
	};
	struct tt_steal_facts steal = {
		.cpus = &cpu, .nr_cpus = 1, .gaps = &h, .stolen_ns = 3 * MS, .covered_ns = S
	};
	struct tt_disk_facts disk = { .device = "vda", .what = "reads", .p99_ns = 90000, .dur_ns = S };
	struct tt_runq_facts runq = { .waiter = "a 1", .wait_ns = 4 * MS, .nr_waits = 5, .dur_ns = S };

	steal.dur_ns = S;
	tt_hist_add(&h, 3 * MS);
	disk.all.nr = disk.slowest.nr = 5;
	disk.all.total_ns = disk.slowest.total_ns = 400000;
	tt_findings_steal(&r, &steal);
	tt_findings_disk(&r, &disk);
	tt_findings_runq(&r, &runq);
	cr_expect(eq(u32, r.nr_findings, 0));
	tt_findings_finish(&r, NULL, false, false, &(struct tt_interval){ 0, S, true });
	cr_assert(eq(u32, r.nr_findings, 1));
	cr_expect(eq(str, (char *)r.findings[0].code, "nothing"));
}

Test(findings, loss_and_failed_checks_are_told)
{
	uint64_t nr_lost[TT_LOSS_NR] = { 0 };

	nr_lost[TT_LOSS_SWITCHES] = 12345;
	tt_report_add_check(&r, "steal", false, true, 1, 2, "ns", "steal -50.0 %% of /proc/stat (2 ms)");
	tt_findings_finish(&r, nr_lost, false, false, &(struct tt_interval){ 0, S, true });
	cr_assert(eq(u32, r.nr_findings, 3));
	for (unsigned i = 0; i < 3; i++) {
		if (!strcmp(r.findings[i].code, "loss"))
			cr_expect(strstr(r.findings[i].text, "12,345 switches") != NULL);
		if (!strcmp(r.findings[i].code, "check"))
			cr_expect(strstr(r.findings[i].text, "steal -50.0 %") != NULL);
	}
}

Test(findings, a_wait_under_a_cpu_quota_says_so)
{
	struct tt_runq_facts runq = {
		.waiter = "a 1", .wait_ns = 500 * MS, .throttled_ns = 400 * MS, .nr_waits = 5, .dur_ns = S
	};

	tt_findings_runq(&r, &runq);
	cr_assert(eq(u32, r.nr_findings, 1));
	cr_expect(strstr(r.findings[0].text, "80 % of it was held back by a CPU quota") != NULL, "%s",
		  r.findings[0].text);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "replay.h"

static uint64_t sums[TT_CAUSE_NR];

static void add_hit(void *ctx, const struct tt_hit *hit)
{
	(void)ctx;
	cr_expect(gt(u64, hit->weight_ns, 0));
	cr_expect(hit->comm != NULL);
	sums[hit->cause] += hit->weight_ns;
}

/* Cell of the row "all" of the first table of a section; its rows summed up for disks. */
static uint64_t cell(const struct tt_report *report, const char *section, const char *table, const char *key)
{
	for (unsigned s = 0; s < report->nr_sections; s++) {
		for (unsigned i = 0; i < report->sections[s].nr_tables; i++) {
			const struct tt_table *t = &report->sections[s].tables[i];

			if (strcmp(report->sections[s].name, section) || strcmp(t->name, table))
				continue;
			for (unsigned c = 0; t->nr_rows && c < t->nr_columns; c++) {
				if (!strcmp(t->columns[c].key, key))
					return t->cells[c].u64;
			}
		}
	}
	cr_fatal("no %s in %s of %s", key, table, section);
	return 0;
}

/* aqu-sz is the summed time of all requests over the time of the report. */
static uint64_t disk_sum(const struct tt_report *report)
{
	double sum = 0;

	for (unsigned s = 0; s < report->nr_sections; s++) {
		for (unsigned i = 0; i < report->sections[s].nr_tables; i++) {
			const struct tt_table *t = &report->sections[s].tables[i];

			if (strcmp(report->sections[s].name, "disk") || strcmp(t->name, "devices"))
				continue;
			for (unsigned row = 0; row < t->nr_rows; row++) {
				for (unsigned c = 0; c < t->nr_columns; c++)
					sum += strcmp(t->columns[c].key, "aqu_sz")
						       ? 0
						       : t->cells[row * t->nr_columns + c].f64;
			}
		}
	}
	return (uint64_t)(sum * 1e9 + 0.5); /* of an interval of 1 s */
}

static void expect_totals(struct replay *r)
{
	struct tt_interval interval = { 0, 1000000000, true };
	uint64_t stolen_ns, recorded_ns;

	tt_report_init(&r->report);
	cr_assert(eq(int, tt_pipeline_report(r->p, &interval, &r->report), 0));
	stolen_ns = cell(&r->report, "steal", "cpus", "stolen_ns");
	recorded_ns = cell(&r->report, "steal", "cpus", "recorded_ns");
	cr_expect(eq(u64, sums[TT_CAUSE_STEAL], stolen_ns));
	cr_expect(eq(u64, sums[TT_CAUSE_RUNQ], cell(&r->report, "runq", "cpus", "wait_sum_ns")));
	cr_expect(epsilon_eq(dbl, (double)sums[TT_CAUSE_DISK], (double)disk_sum(&r->report), 4));
	if (r->view.pid)
		cr_expect(lt(u64, sums[TT_CAUSE_CPU], recorded_ns - stolen_ns));
	else
		cr_expect(eq(u64, sums[TT_CAUSE_CPU], recorded_ns - stolen_ns));
	tt_report_free(&r->report);
}

Test(hit, weights_add_up_to_the_report)
{
	struct replay r = { 0 };

	replay_open(&r, 0, NULL, TT_CAUSES_ALL, add_hit);
	replay_run(&r, 0);
	expect_totals(&r);
	for (unsigned cause = 0; cause < TT_CAUSE_NR; cause++)
		cr_expect(eq(u64, tt_hits_sum_ns(r.hits, (enum tt_cause)cause), sums[cause]));
	cr_expect(eq(str, (char *)tt_hits_stacked_device(r.hits), "dm-0"));
	replay_close(&r);
}

Test(hit, weights_of_random_sessions_add_up_to_the_report)
{
	for (uint64_t seed = 1; seed <= 20; seed++) {
		struct replay r = { 0 };

		memset(sums, 0, sizeof(sums));
		replay_open(&r, 0, NULL, TT_CAUSES_ALL, add_hit);
		replay_run(&r, seed);
		expect_totals(&r);
		replay_close(&r);
	}
}

/* Who is not looked at has no weight in either; a CPU's waits are its own. */
Test(hit, filters_are_those_of_the_report)
{
	static const unsigned long second_cpu[TT_CPU_BITS / (8 * sizeof(long))] = { 2 };

	for (uint64_t seed = 1; seed <= 3; seed++) {
		struct replay r = { .view = { .pid = 105 } };

		memset(sums, 0, sizeof(sums));
		replay_open(&r, 0, NULL, TT_CAUSES_ALL, add_hit);
		replay_run(&r, seed);
		expect_totals(&r);
		replay_close(&r);

		r = (struct replay){ .view = { .cpu_mask = second_cpu, .nr_cpu_bits = TT_CPU_BITS } };
		memset(sums, 0, sizeof(sums));
		replay_open(&r, 0, NULL, TT_CAUSES_ALL, add_hit);
		replay_run(&r, seed);
		expect_totals(&r);
		replay_close(&r);

		r = (struct replay){ .view = { .device = "vda" } };
		memset(sums, 0, sizeof(sums));
		replay_open(&r, 0, NULL, TT_CAUSES_ALL, add_hit);
		replay_run(&r, seed);
		expect_totals(&r);
		replay_close(&r);
	}
}

static uint64_t counts[TT_CAUSE_NR];

static void count_hit(void *ctx, const struct tt_hit *hit)
{
	(void)ctx;
	cr_expect(gt(u64, hit->weight_ns + hit->nr, 0));
	counts[hit->cause] += hit->nr;
}

/* Of all devices and operations. */
static uint64_t nr_requests(const struct tt_report *report)
{
	uint64_t nr = 0;

	for (unsigned s = 0; s < report->nr_sections; s++) {
		for (unsigned i = 0; i < report->sections[s].nr_tables; i++) {
			const struct tt_table *t = &report->sections[s].tables[i];

			if (strcmp(report->sections[s].name, "disk") || strcmp(t->name, "devices"))
				continue;
			for (unsigned k = 0; k < t->nr_rows * t->nr_columns; k++) {
				const char *key = t->columns[k % t->nr_columns].key;

				if (!strcmp(key, "reads") || !strcmp(key, "writes") ||
				    !strcmp(key, "discards") || !strcmp(key, "flushes"))
					nr += t->cells[k].u64;
			}
		}
	}
	return nr;
}

Test(hit, counts_are_those_of_the_report)
{
	struct tt_interval interval = { 0, 1000000000, true };

	for (uint64_t seed = 0; seed <= 12; seed++) {
		struct replay r = { .with_empty = true };

		memset(counts, 0, sizeof(counts));
		replay_open(&r, 0, NULL, TT_CAUSES_ALL, count_hit);
		replay_run(&r, seed);
		tt_report_init(&r.report);
		cr_assert(eq(int, tt_pipeline_report(r.p, &interval, &r.report), 0));
		cr_expect(eq(u64, counts[TT_CAUSE_STEAL], cell(&r.report, "steal", "cpus", "gaps")));
		cr_expect(eq(u64, counts[TT_CAUSE_RUNQ], cell(&r.report, "runq", "cpus", "waits")));
		cr_expect(eq(u64, counts[TT_CAUSE_CPU], cell(&r.report, "cpu", "cpus", "samples")));
		cr_expect(eq(u64, counts[TT_CAUSE_DISK], nr_requests(&r.report)), "seed %lu",
			  (unsigned long)seed);
		tt_report_free(&r.report);
		replay_close(&r);
	}
}

static unsigned nr_seen[TT_CAUSE_NR];

static void look_at(void *ctx, const struct tt_hit *hit)
{
	(void)ctx;
	nr_seen[hit->cause]++;
	if (hit->cause == TT_CAUSE_STEAL && hit->weight_ns == 30000) {
		cr_expect(eq(u32, hit->tid, TT_TID_UNKNOWN));
		cr_expect(eq(str, (char *)hit->comm, "[shed]"));
		cr_expect(eq(str, (char *)hit->instead, "[shed]"));
	}
	if (hit->cause == TT_CAUSE_RUNQ && hit->weight_ns == 250000) {
		cr_expect(eq(u32, hit->tid, 101));
		cr_expect(eq(u32, hit->pid, 100));
		cr_expect(eq(u64, hit->ustack, MADE_U_RUST), "where it was preempted");
		cr_expect(not(hit->has_waker));
	}
	if (hit->cause == TT_CAUSE_RUNQ && hit->weight_ns == 60000) {
		cr_expect(eq(u64, hit->ustack, MADE_U_CXX), "where it slept");
		cr_expect(hit->waker_is_interrupt);
		cr_expect(eq(u64, hit->waker_kstack, MADE_K_WAKE_IRQ));
	}
	if (hit->cause == TT_CAUSE_RUNQ && hit->weight_ns == 5000)
		cr_expect(eq(str, (char *)hit->instead, "[new_task]"));
	if (hit->cause == TT_CAUSE_RUNQ && hit->weight_ns == 600000) {
		cr_expect(eq(u64, hit->ustack, MADE_U_NO_NAMES), "it left after the loss");
		cr_expect(eq(u32, hit->pid, 108));
	}
	if (hit->cause == TT_CAUSE_RUNQ && hit->weight_ns == 3000) {
		cr_expect(eq(u32, hit->pid, 106), "a task without a process is its own");
		cr_expect(eq(str, (char *)hit->instead, "[not_seen]"));
	}
	if (hit->cause == TT_CAUSE_DISK && hit->weight_ns == 90000)
		cr_expect(eq(str, (char *)hit->top, "[io_evil_:{x}_plus_1_write]"));
	if (hit->cause == TT_CAUSE_DISK && hit->weight_ns == 5000)
		cr_expect(eq(str, (char *)hit->top, "[io_248:7_read]"));
	if (hit->cause == TT_CAUSE_DISK && hit->weight_ns == 44000)
		cr_expect(eq(str, (char *)hit->top, "[io_vda_flush]"));
	if (hit->cause == TT_CAUSE_DISK && hit->weight_ns == 33000) {
		cr_expect(eq(str, (char *)hit->comm, "[no_submitter]"));
		cr_expect(eq(str, (char *)hit->top, "[io_vda_discard]"));
	}
	cr_expect(not(hit->cause == TT_CAUSE_DISK && hit->weight_ns == 999999), "not counted");
}

Test(hit, each_kind_says_what_it_is)
{
	struct replay r = { 0 };

	replay_open(&r, 0, NULL, TT_CAUSES_ALL, look_at);
	replay_run(&r, 0);
	replay_close(&r);
	cr_expect(eq(u32, nr_seen[TT_CAUSE_STEAL], 11));
	cr_expect(eq(u32, nr_seen[TT_CAUSE_RUNQ], 15));
	cr_expect(eq(u32, nr_seen[TT_CAUSE_DISK], 7), "one of them shed requests");
	cr_expect(eq(u32, nr_seen[TT_CAUSE_CPU], 7), "two of them what no sample stands for");
}

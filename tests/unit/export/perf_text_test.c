/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/export/perf_text.h"

#include "collector/export/perf_sched.h"
#include "collector/export/repeat.h"
#include "replay.h"

static struct tt_perf_text *text;
static struct tt_perf_sched *sched;
static struct tt_repeat *repeat;

static void put_hit(void *ctx, const struct tt_hit *hit)
{
	(void)ctx;
	cr_assert(eq(int,
		     repeat ? tt_repeat_add(repeat, hit) : tt_perf_text_put(text, hit, hit->weight_ns, 1),
		     0));
}

static int put_event(void *ctx, const struct tt_event *ev)
{
	(void)ctx;
	return tt_perf_sched_event(sched, ev);
}

static int put_repeated(void *ctx, const struct tt_hit *hit, uint64_t nr)
{
	return tt_perf_text_put(text, hit, *(uint64_t *)ctx, nr);
}

static void expect_text(enum tt_cause cause, bool wakers, const char *golden)
{
	struct replay r = { 0 };

	replay_open(&r, TT_SECTIONS_NONE, NULL, 1u << cause, put_hit);
	cr_assert(eq(int, tt_perf_text_open(&r.out, r.stacks, cause, wakers, &text), 0));
	replay_run(&r, 0);
	tt_perf_text_close(text);
	expect_golden(golden, replay_text(&r));
	replay_close(&r);
}

Test(perf_text, steal)
{
	expect_text(TT_CAUSE_STEAL, false, "export/script-steal.txt");
}

Test(perf_text, runq)
{
	expect_text(TT_CAUSE_RUNQ, false, "export/script-runq.txt");
}

Test(perf_text, runq_with_wakers)
{
	expect_text(TT_CAUSE_RUNQ, true, "export/script-runq-wakers.txt");
}

Test(perf_text, disk)
{
	expect_text(TT_CAUSE_DISK, false, "export/script-disk.txt");
}

Test(perf_text, cpu)
{
	expect_text(TT_CAUSE_CPU, false, "export/script-cpu.txt");
}

static void expect_sched(bool stacks, const char *golden)
{
	struct replay r = { 0 };

	replay_open(&r, TT_SECTIONS_NONE, put_event, 0, put_hit);
	cr_assert(eq(int,
		     tt_perf_sched_open(&r.out, tt_pipeline_world(r.p), &r.view, stacks ? r.stacks : NULL,
					&sched),
		     0));
	replay_run(&r, 0);
	cr_expect(eq(u64, tt_perf_sched_nr(sched), 15));
	tt_perf_sched_close(sched);
	expect_golden(golden, replay_text(&r));
	replay_close(&r);
}

Test(perf_text, switches_as_perf_prints_them)
{
	expect_sched(false, "export/script-sched.txt");
}

Test(perf_text, switches_with_stacks)
{
	expect_sched(true, "export/script-sched-stacks.txt");
}

static uint64_t nr_records(const char *s)
{
	uint64_t nr = 0;

	for (; (s = strstr(s, "\n\n")); s += 2)
		nr++;
	return nr;
}

/* Sums to within half a unit, whatever the unit. */
Test(perf_text, repeated_records_stand_for_the_same_time)
{
	static const uint64_t units_ns[] = { 777777, 1000000, 3000000, 1000000000 };

	for (unsigned i = 0; i < 4; i++) {
		uint64_t unit_ns = units_ns[i], sum_ns, nr;
		struct replay r = { 0 };

		replay_open(&r, TT_SECTIONS_NONE, NULL, 1u << TT_CAUSE_RUNQ, put_hit);
		cr_assert(eq(int, tt_perf_text_open(&r.out, r.stacks, TT_CAUSE_RUNQ, false, &text), 0));
		cr_assert(eq(int, tt_repeat_open(unit_ns, put_repeated, &unit_ns, &repeat), 0));
		replay_run(&r, 3);
		cr_assert(eq(int, tt_repeat_finish(repeat), 0));
		sum_ns = tt_hits_sum_ns(r.hits, TT_CAUSE_RUNQ);
		nr = tt_repeat_nr(repeat);
		cr_expect(le(u64, nr * unit_ns, sum_ns + unit_ns / 2));
		cr_expect(ge(u64, nr * unit_ns + unit_ns / 2, sum_ns));
		tt_repeat_close(repeat);
		repeat = NULL;
		tt_perf_text_close(text);
		cr_expect(eq(u64, nr_records(replay_text(&r)), nr));
		replay_close(&r);
	}
}

/* The shares of two tasks that take turns are theirs, though neither of them ever waits for a unit. */
static unsigned nr_of[2];

static int count_repeated(void *ctx, const struct tt_hit *hit, uint64_t nr)
{
	(void)ctx;
	nr_of[hit->tid] += (unsigned)nr;
	return 0;
}

Test(perf_text, short_hits_in_turn_count_alike)
{
	struct tt_hit hit = { .comm = "x", .weight_ns = 500 };

	cr_assert(eq(int, tt_repeat_open(1000, count_repeated, NULL, &repeat), 0));
	for (unsigned i = 0; i < 2001; i++) {
		hit.tid = i % 2;
		tt_repeat_add(repeat, &hit);
	}
	tt_repeat_finish(repeat);
	cr_expect(eq(u32, nr_of[0] + nr_of[1], 1001));
	cr_expect(eq(u32, nr_of[1], 500));
	tt_repeat_close(repeat);
	repeat = NULL;
}

Test(perf_text, more_stacks_than_are_kept_still_add_up)
{
	struct tt_hit hit = { .comm = "x", .weight_ns = 300 };

	cr_assert(eq(int, tt_repeat_open(1000, count_repeated, NULL, &repeat), 0));
	for (unsigned i = 0; i < 100000; i++) {
		hit.kstack = i;
		tt_repeat_add(repeat, &hit);
	}
	tt_repeat_finish(repeat);
	cr_expect(eq(u32, nr_of[0], 30000));
	tt_repeat_close(repeat);
	repeat = NULL;
}

/* Late events are not earlier than those before them. */
Test(perf_text, times_never_go_back)
{
	struct tt_hit hit = {
		.cause = TT_CAUSE_STEAL, .comm = "x", .weight_ns = 1, .top = "[stolen]", .ts_ns = 5000
	};
	struct replay r = { 0 };

	replay_open(&r, TT_SECTIONS_NONE, NULL, 0, put_hit);
	cr_assert(eq(int, tt_perf_text_open(&r.out, r.stacks, TT_CAUSE_STEAL, false, &text), 0));
	put_hit(NULL, &hit);
	hit.ts_ns = 1000;
	put_hit(NULL, &hit);
	tt_perf_text_close(text);
	replay_text(&r);
	cr_expect(strstr(r.text, "0.000005") != strrchr(r.text, '.') - 1);
	cr_expect(not(strstr(r.text, "0.000001") != NULL));
	replay_close(&r);
}

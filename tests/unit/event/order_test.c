/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/event/order.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <stdlib.h>

#include "tests/unit/batches.h"

static struct {
	unsigned nr;
	struct tt_event events[200000];
	uint32_t key[200000]; /* next_tid, tid, or the record's device */
} * got;

static struct tt_decoder *dec;
static struct tt_order *ord;

static void on_event(void *ctx, const struct tt_event *ev)
{
	(void)ctx;
	cr_assert(lt(u32, got->nr, 200000));
	got->events[got->nr] = *ev;
	if (ev->kind == TT_EV_SWITCH)
		got->key[got->nr] = ((const struct tt_ev_switch *)ev)->next_tid;
	else if (ev->kind == TT_EV_TASK)
		got->key[got->nr] = ((const struct tt_task *)((const struct tt_ev_record *)ev)->rec)->tid;
	else if (ev->kind == TT_EV_DISK)
		got->key[got->nr] = ((const struct tt_disk *)((const struct tt_ev_record *)ev)->rec)->dev;
	got->nr++;
}

static void open_order(size_t max_bytes)
{
	cr_assert(eq(int, tt_decoder_open(&dec), 0));
	cr_assert(eq(int, tt_order_open(dec, max_bytes, on_event, NULL, &ord), 0));
	got = calloc(1, sizeof(*got));
	cr_assert(got != NULL);
}

static void setup(void)
{
	open_order(16 << 20);
}

static void teardown(void)
{
	tt_order_close(ord);
	tt_decoder_close(dec);
	free(got);
}

TestSuite(order, .init = setup, .fini = teardown);

static void push(union tb *t)
{
	cr_assert(eq(int, tt_order_push(ord, t, t->b.size), 0));
}

static void expect_event(unsigned i, unsigned kind, uint64_t ts_ns, uint32_t key)
{
	cr_assert(lt(u32, i, got->nr));
	cr_expect(eq(u16, got->events[i].kind, (uint16_t)kind), "event %u", i);
	cr_expect(eq(u64, got->events[i].ts_ns, ts_ns), "event %u", i);
	cr_expect(eq(u32, got->key[i], key), "event %u", i);
}

Test(order, streams_are_merged_by_time_and_the_rest_waits_for_its_epoch)
{
	union tb t;

	tb_begin(&t, TT_STREAM_SCHED, 1, 100);
	tb_switch(&t, 10, 11, 1);
	tb_switch(&t, 30, 12, 2);
	push(&t);
	tb_begin(&t, TT_STREAM_SCHED, 0, 100);
	tb_switch(&t, 20, 21, 1);
	tb_switch(&t, 50, 22, 2);
	push(&t);
	tb_begin(&t, TT_STREAM_RECORDS, 1, 125);
	((struct tt_disk *)tb_record(&t, TT_EV_DISK, sizeof(struct tt_disk), 1, 125))->dev = 7;
	push(&t);
	cr_expect(eq(u32, got->nr, 0));
	cr_assert(eq(int, tt_order_epoch(ord, 140), 0));
	cr_assert(eq(u32, got->nr, 5));
	expect_event(0, TT_EV_SWITCH, 110, 11);
	expect_event(1, TT_EV_SWITCH, 120, 21);
	expect_event(2, TT_EV_DISK, 125, 7);
	expect_event(3, TT_EV_SWITCH, 140, 12);
	expect_event(4, TT_EV_EPOCH, 140, 0);
	cr_assert(eq(int, tt_order_epoch(ord, 1000), 0));
	expect_event(5, TT_EV_SWITCH, 170, 22);
	expect_event(6, TT_EV_EPOCH, 1000, 0);
	cr_expect(eq(u64, tt_order_stats(ord)->nr_late, 0));
	cr_expect(eq(u64, tt_order_stats(ord)->nr_delivered, 5));
}

Test(order, at_equal_times_names_come_first_then_lower_cpus)
{
	union tb t;

	tb_begin(&t, TT_STREAM_SCHED, 1, 100);
	tb_switch(&t, 0, 11, 1);
	push(&t);
	tb_begin(&t, TT_STREAM_RECORDS, 0, 100);
	((struct tt_disk *)tb_record(&t, TT_EV_DISK, sizeof(struct tt_disk), 0, 100))->dev = 7;
	push(&t);
	tb_begin(&t, TT_STREAM_SCHED, 0, 100);
	tb_switch(&t, 0, 21, 1);
	push(&t);
	tb_begin(&t, TT_STREAM_RECORDS, TT_CPU_NONE, 100);
	((struct tt_task *)tb_record(&t, TT_EV_TASK, sizeof(struct tt_task), TT_CPU_NONE, 100))->tid = 5;
	push(&t);
	tt_order_epoch(ord, 100);
	expect_event(0, TT_EV_TASK, 100, 5);
	expect_event(1, TT_EV_SWITCH, 100, 21);
	expect_event(2, TT_EV_DISK, 100, 7);
	expect_event(3, TT_EV_SWITCH, 100, 11);
}

Test(order, records_written_out_of_order_are_sorted)
{
	union tb t;

	tb_begin(&t, TT_STREAM_RECORDS, 0, 100);
	for (unsigned i = 0; i < 30; i++)
		((struct tt_disk *)tb_record(&t, TT_EV_DISK, sizeof(struct tt_disk), 0, 100 + i * 7 % 30))
			->dev = i;
	push(&t);
	tt_order_epoch(ord, 200);
	cr_assert(eq(u32, got->nr, 31));
	for (unsigned i = 0; i < 30; i++)
		cr_expect(eq(u64, got->events[i].ts_ns, 100 + i));
}

Test(order, what_comes_after_its_epoch_is_late_and_still_delivered)
{
	union tb t;

	tt_order_epoch(ord, 500);
	tb_begin(&t, TT_STREAM_SCHED, 0, 100);
	tb_switch(&t, 20, 21, 1);
	push(&t);
	tt_order_epoch(ord, 1000);
	expect_event(1, TT_EV_SWITCH, 120, 21);
	cr_expect(eq(u64, tt_order_stats(ord)->nr_late, 1));
}

Test(order, a_rejected_batch_is_not_kept)
{
	union tb t;

	tb_begin(&t, TT_STREAM_SCHED, 0, 100);
	t.b.version = 9;
	cr_expect(eq(int, tt_order_push(ord, &t, t.b.size), -EBADMSG));
	tt_order_epoch(ord, 1000);
	cr_expect(eq(u32, got->nr, 1));
	cr_expect(eq(u64, tt_decoder_stats(dec)->nr_rejected_batches, 1));
}

/* 3 CPUs, each with times of its own, cut into epochs at random. */
Test(order, many_streams_come_out_sorted_complete_and_in_little_memory)
{
	struct tb_pipe pipes[3] = { { .seed = 1, .cpu = 0 },
				    { .seed = 2, .cpu = 1 },
				    { .seed = 3, .cpu = 2 } };
	uint64_t seed = 99, last_ts_ns = 0;
	unsigned nr_events = 0;
	union tb t;

	for (unsigned round = 0; round < 300; round++) {
		struct tb_pipe *slowest = &pipes[0];

		for (unsigned i = 1; i < 3; i++)
			if (pipes[i].ts_ns < slowest->ts_ns)
				slowest = &pipes[i];
		tb_pipe_batch(&t, slowest);
		nr_events += t.b.nr_records;
		push(&t);
		tb_begin(&t, TT_STREAM_RECORDS, 1, slowest->ts_ns);
		tb_record(&t, TT_EV_DISK, sizeof(struct tt_disk), 1,
			  slowest->ts_ns + tb_random(&seed) % 100000);
		nr_events++;
		push(&t);
		if (round % 5 == 0) {
			for (unsigned i = 0; i < 3; i++)
				slowest = pipes[i].ts_ns < slowest->ts_ns ? &pipes[i] : slowest;
			tt_order_epoch(ord, slowest->ts_ns);
		}
	}
	tt_order_epoch(ord, UINT64_MAX);
	for (unsigned i = 0; i < got->nr; i++) {
		if (got->events[i].kind == TT_EV_EPOCH)
			continue;
		cr_assert(ge(u64, got->events[i].ts_ns, last_ts_ns), "event %u", i);
		last_ts_ns = got->events[i].ts_ns;
		nr_events--;
	}
	cr_expect(eq(u32, nr_events, 0));
	cr_expect(eq(u64, tt_order_stats(ord)->nr_late, 0));
	cr_expect(lt(u64, tt_order_stats(ord)->peak_bytes, 1 << 20));
	cr_expect(eq(u64, tt_decoder_stats(dec)->nr_seq_mismatches, 0));
}

Test(order_bound, memory_stays_bounded_without_epochs_and_what_is_forced_is_counted, .fini = teardown)
{
	struct tb_pipe pipe = { .seed = 5 };
	unsigned nr_pushed = 0;
	union tb t;

	open_order(1 << 20);
	for (unsigned i = 0; i < 1000; i++) {
		tb_pipe_batch(&t, &pipe);
		nr_pushed += t.b.nr_records;
		push(&t);
	}
	cr_expect(gt(u64, tt_order_stats(ord)->nr_forced, 0));
	cr_expect(lt(u64, tt_order_stats(ord)->peak_bytes, (1 << 20) + (128 << 10)));
	tt_order_epoch(ord, UINT64_MAX);
	cr_expect(eq(u32, got->nr, nr_pushed + 1));
}

Test(order, closing_with_events_pending_frees_them)
{
	uint64_t seed = 3;
	union tb t;

	for (unsigned i = 0; i < 200; i++) {
		tb_random_batch(&t, &seed);
		push(&t);
	}
}

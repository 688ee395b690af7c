/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/event/decode.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>

#include "tests/unit/batches.h"

/* What came out, copied. */
struct seen {
	unsigned nr;
	union {
		struct tt_event ev;
		struct tt_ev_switch sw;
		struct tt_ev_steal steal;
		struct tt_ev_window window;
		struct tt_ev_shed_wait shed_wait;
		struct tt_ev_record record;
	} events[600];
	struct tt_loss losses[600]; /* at the same index */
};

static struct tt_decoder *dec;
static struct seen seen;

static void on_event(void *ctx, const struct tt_event *ev)
{
	size_t size = ev->kind == TT_EV_SWITCH	 ? sizeof(struct tt_ev_switch)
		      : ev->kind == TT_EV_STEAL	 ? sizeof(struct tt_ev_steal)
		      : ev->kind == TT_EV_WINDOW ? sizeof(struct tt_ev_window)
		      : ev->kind == TT_EV_SHED_WAIT ? sizeof(struct tt_ev_shed_wait)
						 : sizeof(struct tt_ev_record);

	(void)ctx;
	memcpy(&seen.events[seen.nr], ev, size);
	if (ev->kind == TT_EV_LOSS)
		memcpy(&seen.losses[seen.nr], seen.events[seen.nr].record.rec, sizeof(struct tt_loss));
	seen.nr++;
}

static int decode(union tb *t)
{
	return tt_decode(dec, t, t->b.size, on_event, NULL);
}

static void setup(void)
{
	cr_assert(eq(int, tt_decoder_open(&dec), 0));
	memset(&seen, 0, sizeof(seen));
}

static void teardown(void)
{
	tt_decoder_close(dec);
}

TestSuite(decode, .init = setup, .fini = teardown);

static void begin_first(union tb *t)
{
	tb_begin(t, TT_STREAM_SCHED, 3, 1000000);
	t->b.flags = TT_BATCH_FIRST;
	t->b.steal_clock_ns = 500;
	t->b.nr_switches = 65534; /* seq wraps at the second switch */
	t->b.wait_total_ns = 70;
	t->b.prev_tid = 10;
}

Test(decode, a_chain_of_switches_gets_times_tids_and_slices)
{
	union tb t;

	begin_first(&t);
	tb_switch(&t, 100, 20, 1)->wait_ns = 5;
	tb_switch(&t, 50, 0, 2)->flags = TT_STATE_SLEEPING;
	tb_switch(&t, 30, 20, 3)->flags = TT_WAIT_WAKEUP << TT_SW_WAIT_SHIFT;
	cr_assert(eq(int, decode(&t), 0));
	cr_assert(eq(u32, seen.nr, 4));
	cr_expect(eq(u16, seen.events[0].ev.kind, TT_EV_WINDOW));
	cr_expect(eq(u8, seen.events[0].window.begins, 1));
	cr_expect(eq(u32, seen.events[0].window.tid, 10));
	cr_expect(eq(u64, seen.events[0].window.nr_switches, 65534));
	cr_expect(eq(u64, seen.events[0].ev.ts_ns, 1000000));
	cr_expect(eq(u64, seen.events[1].ev.ts_ns, 1000100));
	cr_expect(eq(u16, seen.events[1].ev.cpu, 3));
	cr_expect(eq(u32, seen.events[1].sw.prev_tid, 10));
	cr_expect(eq(u32, seen.events[1].sw.next_tid, 20));
	cr_expect(eq(u64, seen.events[1].sw.slice_ns, 0), "the switch before was not seen");
	cr_expect(eq(u64, seen.events[1].sw.wait_ns, 5));
	cr_expect(eq(u32, seen.events[2].sw.prev_tid, 20));
	cr_expect(eq(u64, seen.events[2].sw.slice_ns, 50));
	cr_expect(eq(u32, seen.events[3].sw.prev_tid, 0));
	cr_expect(eq(u8, seen.events[3].sw.wait_kind, TT_WAIT_WAKEUP));
	cr_expect(eq(u64, seen.events[3].ev.ts_ns, 1000180));
	cr_expect(eq(u64, tt_decoder_stats(dec)->nr_switches, 3));
	cr_expect(eq(u64, tt_decoder_stats(dec)->nr_seq_mismatches, 0));
}

Test(decode, steal_of_a_switch_comes_before_it_and_hits_who_left)
{
	union tb t;

	begin_first(&t);
	tb_switch(&t, 100, 20, 1);
	tb_mark(&t, 400, 300, TT_SEEN_TICK, 20);
	tb_switch(&t, 600, 30, 2)->steal_ns = tt_dur32_pack(3ull << 30);
	cr_assert(eq(int, decode(&t), 0));
	cr_assert(eq(u32, seen.nr, 5));
	cr_expect(eq(u16, seen.events[2].ev.kind, TT_EV_STEAL));
	cr_expect(eq(u64, seen.events[2].steal.steal_ns, 300));
	cr_expect(eq(u64, seen.events[2].steal.since_ns, 400));
	cr_expect(eq(u8, seen.events[2].steal.seen, TT_SEEN_TICK));
	cr_expect(eq(u16, seen.events[3].ev.kind, TT_EV_STEAL));
	cr_expect(eq(u64, seen.events[3].steal.steal_ns, 3ull << 30));
	cr_expect(eq(u32, seen.events[3].steal.tid, 20));
	cr_expect(eq(u8, seen.events[3].steal.seen, TT_SEEN_SWITCH));
	cr_expect(eq(u64, seen.events[3].steal.since_ns, 600));
	cr_expect(eq(u16, seen.events[4].ev.kind, TT_EV_SWITCH));
	cr_expect(eq(u64, seen.events[4].sw.slice_ns, 1000), "a mark is no switch");
}

Test(decode, the_last_batch_ends_the_window_with_the_sums_of_header_and_records)
{
	union tb t;

	begin_first(&t);
	t.b.flags |= TT_BATCH_LAST;
	tb_switch(&t, 100, 20, 1)->wait_ns = 11;
	tb_mark(&t, 5, 40, TT_SEEN_TICK, 20);
	cr_assert(eq(int, decode(&t), 0));
	cr_assert(eq(u32, seen.nr, 4));
	cr_expect(eq(u16, seen.events[3].ev.kind, TT_EV_WINDOW));
	cr_expect(eq(u8, seen.events[3].window.begins, 0));
	cr_expect(eq(u64, seen.events[3].ev.ts_ns, 1000105));
	cr_expect(eq(u32, seen.events[3].window.tid, 20));
	cr_expect(eq(u64, seen.events[3].window.steal_clock_ns, 540));
	cr_expect(eq(u64, seen.events[3].window.nr_switches, 65535));
	cr_expect(eq(u64, seen.events[3].window.wait_total_ns, 81));
}

Test(decode, a_cpu_that_comes_back_begins_anew_and_nothing_of_the_gap_is_told)
{
	union tb t;

	begin_first(&t);
	t.b.flags |= TT_BATCH_LAST;
	t.b.nr_shed_switches = 4;
	tb_switch(&t, 100, 20, 1);
	cr_assert(eq(int, decode(&t), 0));
	seen.nr = 0;
	begin_first(&t);
	t.b.base_ts_ns = 5000000;
	t.b.steal_clock_ns = 20; /* the clock may have started again */
	t.b.nr_switches = 65540;
	t.b.nr_shed_switches = 4;
	tb_switch(&t, 100, 30, 1)->steal_ns = 7;
	cr_assert(eq(int, decode(&t), 0));
	cr_assert(eq(u32, seen.nr, 3));
	cr_expect(eq(u16, seen.events[0].ev.kind, TT_EV_WINDOW));
	cr_expect(eq(u64, seen.events[0].window.nr_switches, 65540));
	cr_expect(eq(u64, seen.events[1].steal.since_ns, 100));
	cr_expect(eq(u64, seen.events[2].sw.slice_ns, 0));
	cr_expect(eq(u64, tt_decoder_stats(dec)->nr_lost[TT_LOSS_UNSEEN], 0));
	cr_expect(eq(u64, tt_decoder_stats(dec)->nr_lost[TT_LOSS_SWITCHES], 4));
	cr_expect(eq(u64, tt_decoder_stats(dec)->nr_lost[TT_LOSS_JUMP], 0));
	cr_expect(eq(u64, tt_decoder_stats(dec)->nr_seq_mismatches, 0));
}

Test(decode, an_undisturbed_second_batch_goes_on)
{
	union tb t;

	begin_first(&t);
	tb_switch(&t, 100, 20, 1)->steal_ns = 7;
	cr_assert(eq(int, decode(&t), 0));
	seen.nr = 0;
	tb_begin(&t, TT_STREAM_SCHED, 3, 1000300);
	t.b.steal_clock_ns = 507;
	t.b.nr_switches = 65535;
	t.b.prev_tid = 20;
	tb_switch(&t, 0, 30, 1)->steal_ns = 9;
	cr_assert(eq(int, decode(&t), 0));
	cr_assert(eq(u32, seen.nr, 2));
	cr_expect(eq(u64, seen.events[0].steal.since_ns, 200), "since the last record, not since the header");
	cr_expect(eq(u64, seen.events[1].sw.slice_ns, 200));
	cr_expect(eq(u64, tt_decoder_stats(dec)->nr_seq_mismatches, 0));
}

Test(decode, a_shed_stretch_becomes_a_loss_and_one_sum_of_steal)
{
	union tb t;

	begin_first(&t);
	tb_switch(&t, 100, 20, 1);
	cr_assert(eq(int, decode(&t), 0));
	seen.nr = 0;
	tb_begin(&t, TT_STREAM_SCHED, 3, 2000000);
	t.b.flags = TT_BATCH_AFTER_SHED;
	t.b.steal_clock_ns = 500 + 1234;
	t.b.nr_switches = 65535 + 42 + 3; /* 42 shed, 3 never shown to the program */
	t.b.nr_shed_switches = 42;
	t.b.nr_shed_records = 6;
	t.b.nr_nested = 2;
	t.b.prev_tid = 77;
	tb_switch(&t, 10, 20, 1)->steal_ns = 4;
	cr_assert(eq(int, decode(&t), 0));
	cr_assert(eq(u32, seen.nr, 7));
	for (unsigned i = 0; i < 4; i++) {
		static const uint32_t what[] = { TT_LOSS_SWITCHES, TT_LOSS_RECORDS, TT_LOSS_NESTED,
						 TT_LOSS_UNSEEN };
		static const uint64_t count[] = { 42, 6, 2, 3 };

		cr_assert(eq(u16, seen.events[i].ev.kind, TT_EV_LOSS));
		cr_expect(eq(u64, seen.losses[i].count, count[i]));
		cr_expect(eq(u32, seen.losses[i].what, what[i]));
		cr_expect(eq(u64, seen.losses[i].since_ts_ns, 1000100));
		cr_expect(eq(u64, seen.losses[i].rec.ts_ns, 2000000));
	}
	cr_expect(eq(u16, seen.events[4].ev.kind, TT_EV_STEAL));
	cr_expect(eq(u8, seen.events[4].steal.shed, 1));
	cr_expect(eq(u32, seen.events[4].steal.tid, TT_TID_UNKNOWN));
	cr_expect(eq(u64, seen.events[4].steal.steal_ns, 1234));
	cr_expect(eq(u64, seen.events[4].steal.since_ns, 999900));
	cr_expect(eq(u64, seen.events[5].steal.since_ns, 10), "the header was an observation");
	cr_expect(eq(u32, seen.events[6].sw.prev_tid, 77));
	cr_expect(eq(u64, seen.events[6].sw.slice_ns, 0));
	cr_expect(eq(u64, tt_decoder_stats(dec)->nr_lost[TT_LOSS_SWITCHES], 42));
	cr_expect(eq(u64, tt_decoder_stats(dec)->nr_lost[TT_LOSS_UNSEEN], 3));
}

Test(decode, recorded_shed_and_unseen_switches_add_up_to_the_counter)
{
	uint64_t seed = 7, nr_switches = 1000, nr_shed = 0, nr_recorded = 0;
	union tb t;

	for (unsigned round = 0; round < 300; round++) {
		tb_begin(&t, TT_STREAM_SCHED, 0, 1000 + round * 100000ull);
		t.b.flags = round ? 0 : TT_BATCH_FIRST;
		if (round && tb_random(&seed) % 3 == 0) {
			uint64_t nr_more = tb_random(&seed) % 100000;

			nr_shed += nr_more;
			nr_switches += nr_more + tb_random(&seed) % 4; /* and a hole */
			t.b.flags = TT_BATCH_AFTER_SHED;
		}
		t.b.nr_switches = nr_switches;
		t.b.nr_shed_switches = nr_shed;
		for (unsigned i = 0; i < 100; i++) {
			nr_switches += 1 + (tb_random(&seed) % 20 == 0);
			tb_switch(&t, 10, i, 0)->seq = (uint16_t)nr_switches;
			nr_recorded++;
		}
		seen.nr = 0;
		cr_assert(eq(int, decode(&t), 0));
	}
	cr_expect(eq(u64, tt_decoder_stats(dec)->nr_lost[TT_LOSS_SWITCHES], nr_shed));
	cr_expect(eq(u64, nr_recorded + nr_shed + tt_decoder_stats(dec)->nr_lost[TT_LOSS_UNSEEN],
		     nr_switches - 1000));
}

Test(decode, a_hole_in_seq_is_an_unseen_switch)
{
	union tb t;

	begin_first(&t);
	tb_switch(&t, 100, 20, 1);
	tb_switch(&t, 100, 30, 4); /* 2 and 3 are missing */
	cr_assert(eq(int, decode(&t), 0));
	cr_assert(eq(u32, seen.nr, 4));
	cr_expect(eq(u32, seen.losses[2].what, TT_LOSS_UNSEEN));
	cr_expect(eq(u64, seen.losses[2].count, 2));
	cr_expect(eq(u64, seen.losses[2].since_ts_ns, 1000100));
	cr_expect(eq(u32, seen.events[3].sw.prev_tid, 20));
	cr_expect(eq(u64, seen.events[3].sw.slice_ns, 0));
	cr_expect(eq(u64, tt_decoder_stats(dec)->nr_seq_mismatches, 1));
}

Test(decode, no_steal_clock_means_no_steal)
{
	union tb t;

	begin_first(&t);
	t.b.steal_clock_ns = 0;
	tb_switch(&t, 100, 20, 1);
	cr_assert(eq(int, decode(&t), 0));
	tb_begin(&t, TT_STREAM_SCHED, 3, 1000200);
	t.b.nr_switches = 65535;
	t.b.prev_tid = 20;
	t.b.steal_clock_ns = 1ull << 50; /* a clock out of nowhere: more than the time that passed */
	cr_assert(eq(int, decode(&t), 0));
	cr_expect(eq(u32, seen.nr, 2));
}

Test(decode, a_jump_of_the_steal_clock_is_counted)
{
	union tb t;

	begin_first(&t);
	tb_switch(&t, 100, 20, 1)->flags = TT_SW_STEAL_JUMP;
	cr_assert(eq(int, decode(&t), 0));
	cr_assert(eq(u32, seen.nr, 3));
	cr_expect(eq(u32, seen.losses[1].what, TT_LOSS_JUMP));
	cr_expect(eq(u64, tt_decoder_stats(dec)->nr_lost[TT_LOSS_JUMP], 1));
}

Test(decode, a_sync_mark_without_steal_is_an_observation_but_no_event)
{
	union tb t;

	begin_first(&t);
	tb_mark(&t, 100, 0, TT_SEEN_SYNC, 10);
	tb_mark(&t, 30, 5, TT_SEEN_TICK, 10);
	cr_assert(eq(int, decode(&t), 0));
	cr_assert(eq(u32, seen.nr, 2));
	cr_expect(eq(u64, seen.events[1].steal.since_ns, 30));
}

Test(decode, shed_records_are_counted_once_though_both_streams_tell)
{
	union tb t;

	begin_first(&t);
	t.b.nr_shed_records = 5;
	cr_assert(eq(int, decode(&t), 0));
	tb_begin(&t, TT_STREAM_RECORDS, 3, 1000500);
	t.b.nr_shed_records = 8;
	cr_assert(eq(int, decode(&t), 0));
	tb_begin(&t, TT_STREAM_SCHED, 3, 1000600);
	t.b.nr_switches = 65534;
	t.b.steal_clock_ns = 500;
	t.b.prev_tid = 10;
	t.b.nr_shed_records = 7; /* an older header */
	cr_assert(eq(int, decode(&t), 0));
	cr_expect(eq(u64, tt_decoder_stats(dec)->nr_lost[TT_LOSS_RECORDS], 8));
}

Test(decode, records_of_known_kinds_pass_and_unknown_ones_are_skipped)
{
	union tb t;
	struct tt_disk *disk;

	tb_begin(&t, TT_STREAM_RECORDS, TT_CPU_NONE, 50);
	tb_record(&t, 999, 24, TT_CPU_NONE, 50);
	tb_record(&t, TT_EV_WINDOW, 64, 0, 50);
	tb_record(&t, TT_EV_SWITCH, 64, 0, 50);
	disk = tb_record(&t, TT_EV_DISK, sizeof(*disk) + 8, 2, 60); /* longer: of a newer version */
	disk->flags = TT_DISK_COUNTED;
	disk->bytes = 4096;
	cr_assert(eq(int, decode(&t), 0));
	cr_assert(eq(u32, seen.nr, 1));
	cr_expect(eq(u64, seen.events[0].ev.ts_ns, 60));
	cr_expect(eq(u16, seen.events[0].ev.cpu, 2));
	cr_expect(eq(u32, seen.events[0].ev.flags, TT_DISK_COUNTED));
	cr_expect(eq(u64, tt_decoder_stats(dec)->nr_unknown_records, 3));
	cr_expect(eq(u64, tt_decoder_stats(dec)->nr_records, 1));
}

static void expect_rejected(const char *what, union tb *t, size_t len)
{
	uint64_t nr_before = tt_decoder_stats(dec)->nr_rejected_batches;

	cr_expect(eq(int, tt_decode(dec, t, len, on_event, NULL), -EBADMSG), "%s", what);
	cr_expect(eq(u64, tt_decoder_stats(dec)->nr_rejected_batches, nr_before + 1), "%s", what);
	cr_expect(eq(u32, seen.nr, 0), "%s", what);
}

#define REJECT(what, change)                                                                                 \
	do {                                                                                                 \
		begin_first(&t);                                                                             \
		tb_switch(&t, 100, 20, 1);                                                                   \
		tb_mark(&t, 5, 40, TT_SEEN_TICK, 20);                                                        \
		sw = (struct tt_switch *)(t.data + 64);                                                      \
		change;                                                                                      \
		expect_rejected(what, &t, t.b.size);                                                         \
	} while (0)

Test(decode, sched_batches_that_do_not_add_up_are_rejected_whole)
{
	struct tt_switch *sw;
	union tb t;

	REJECT("version", t.b.version = 2);
	REJECT("stream", t.b.stream = 3);
	REJECT("stream 0", t.b.stream = 0);
	REJECT("cpu", t.b.cpu = TT_DECODE_CPUS_MAX);
	REJECT("no cpu", t.b.cpu = TT_CPU_NONE);
	REJECT("time", t.b.base_ts_ns = UINT64_MAX);
	REJECT("one record less", t.b.nr_records--);
	REJECT("one record more", t.b.nr_records++);
	REJECT("ext leaves the batch", sw->ext = 3);
	REJECT("ext swallows the mark", sw->ext = 2);
	REJECT("half a mark", (t.b.size -= 8, t.b.nr_records = 2));
	begin_first(&t);
	expect_rejected("len is not size", &t, t.b.size + 8);
	expect_rejected("short", &t, 56);
	expect_rejected("nothing", &t, 0);
}

Test(decode, record_batches_that_do_not_add_up_are_rejected_whole)
{
	static const struct {
		const char *what;
		uint16_t size, kind;
		uint32_t cpu;
		uint64_t ts_ns;
	} bad[] = {
		{ "size 0", 0, TT_EV_DISK, 0, 5 },
		{ "size 8", 8, 999, 0, 5 },
		{ "size not of 8", sizeof(struct tt_disk) - 4, 999, 0, 5 },
		{ "too small for its kind", sizeof(struct tt_disk) - 8, TT_EV_DISK, 0, 5 },
		{ "leaves the batch", sizeof(struct tt_disk) + 8, TT_EV_DISK, 0, 5 },
		{ "cpu", sizeof(struct tt_disk), TT_EV_DISK, TT_DECODE_CPUS_MAX, 5 },
		{ "cpu above 16 bits", sizeof(struct tt_disk), TT_EV_DISK, 0x1ffff, 5 },
		{ "time", sizeof(struct tt_disk), TT_EV_DISK, 0, TT_DECODE_TS_MAX_NS },
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		union tb t;
		struct tt_record *rec;

		tb_begin(&t, TT_STREAM_RECORDS, 0, 5);
		rec = tb_record(&t, TT_EV_DISK, sizeof(struct tt_disk), 0, 5);
		rec->size = bad[i].size;
		rec->kind = bad[i].kind;
		rec->cpu = bad[i].cpu;
		rec->ts_ns = bad[i].ts_ns;
		expect_rejected(bad[i].what, &t, t.b.size);
	}
}

Test(decode, every_kind_has_a_name_a_shape_and_a_size)
{
	cr_expect(eq(str, (char *)tt_kind_name(TT_EV_DISK), "disk"));
	cr_expect(eq(str, (char *)tt_kind_shape(TT_EV_SWITCH), "SWITCH"));
	cr_expect(eq(sz, tt_kind_size(TT_EV_CGROUP), 280));
	cr_expect(eq(ptr, (void *)tt_kind_name(0), NULL));
	cr_expect(eq(ptr, (void *)tt_kind_shape(TT_EV_WINDOW), NULL));
	cr_expect(eq(sz, tt_kind_size(12345), 0));
}

Test(decode, stacks_of_a_switch_are_who_left_and_the_waker)
{
	uint64_t words[] = { 101, 102, 103, 104 };
	union tb t;
	struct tt_switch *sw;

	begin_first(&t);
	sw = tb_switch(&t, 100, 20, 1);
	sw->steal_ns = 7;
	tb_ext(&t, &sw->ext, words, 2);
	sw = tb_switch(&t, 100, 30, 2);
	tb_ext(&t, &sw->ext, words, 4);
	tb_switch(&t, 100, 40, 3);
	cr_assert(eq(int, decode(&t), 0));
	cr_assert(eq(u32, seen.nr, 5));
	cr_expect(eq(u64, seen.events[1].steal.kstack, 101), "the victim is who left");
	cr_expect(eq(u64, seen.events[1].steal.ustack, 102));
	cr_expect(seen.events[2].sw.has_stacks);
	cr_expect(eq(u64, seen.events[2].sw.prev_kstack, 101));
	cr_expect(eq(u64, seen.events[2].sw.waker_kstack, TT_STACK_NONE));
	cr_expect(eq(u64, seen.events[3].sw.prev_ustack, 102));
	cr_expect(eq(u64, seen.events[3].sw.waker_kstack, 103));
	cr_expect(eq(u64, seen.events[3].sw.waker_ustack, 104));
	cr_expect(not(seen.events[4].sw.has_stacks));
}

Test(decode, stacks_of_a_mark_are_the_victims)
{
	uint64_t words[] = { 101, 102 };
	union tb t;
	struct tt_mark *mark;

	begin_first(&t);
	mark = tb_mark(&t, 400, 300, TT_SEEN_TICK, 10);
	tb_ext(&t, &mark->ext, words, 2);
	tb_mark(&t, 400, 300, TT_SEEN_TICK, 10);
	cr_assert(eq(int, decode(&t), 0));
	cr_assert(eq(u32, seen.nr, 3));
	cr_expect(eq(u64, seen.events[1].steal.kstack, 101));
	cr_expect(eq(u64, seen.events[1].steal.ustack, 102));
	cr_expect(eq(u64, seen.events[2].steal.kstack, TT_STACK_NONE));
	cr_expect(eq(u64, seen.events[2].ev.ts_ns, 1000800));
}

Test(decode, what_a_record_says_of_its_length_must_be_in_it)
{
	static const struct {
		unsigned kind;
		size_t fixed, at; /* where its u16 or u32 length lies */
		bool is_u16;
		unsigned unit;
	} kinds[] = {
		{ TT_EV_STACK, sizeof(struct tt_stack), offsetof(struct tt_stack, nr), true, 8 },
		{ TT_EV_MODULE, sizeof(struct tt_module), offsetof(struct tt_module, path_len), false, 1 },
		{ TT_EV_SYMBOL, sizeof(struct tt_symbol), offsetof(struct tt_symbol, name_len), false, 1 },
		{ TT_EV_USER_COPY, sizeof(struct tt_user_copy), offsetof(struct tt_user_copy, nr_bytes), true, 1 },
	};

	for (unsigned i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		for (unsigned extra = 0; extra < 2; extra++) {
			uint32_t len = 16 / kinds[i].unit + extra;
			union tb t;
			uint8_t *rec;

			tb_begin(&t, TT_STREAM_RECORDS, 0, 1000);
			rec = tb_record(&t, kinds[i].kind, kinds[i].fixed + 16, 0, 1000);
			memcpy(rec + kinds[i].at, &len, kinds[i].is_u16 ? 2 : 4);
			cr_expect(eq(int, decode(&t), extra ? -EBADMSG : 0), "kind %u, length %u", kinds[i].kind, len);
		}
	}
}

Test(decode, waits_of_switches_that_were_shed_are_told_with_their_stretch)
{
	union tb t;

	begin_first(&t);
	tb_switch(&t, 100, 20, 1)->wait_ns = 5;
	cr_assert(eq(int, decode(&t), 0));
	tb_begin(&t, TT_STREAM_SCHED, 3, 1000900);
	t.b.flags = TT_BATCH_AFTER_SHED;
	t.b.steal_clock_ns = 500;
	t.b.nr_switches = 65534 + 1 + 4;
	t.b.nr_shed_switches = 4;
	t.b.wait_total_ns = 70 + 5 + 1000;
	t.b.prev_tid = 20;
	cr_assert(eq(int, decode(&t), 0));
	cr_assert(eq(u32, seen.nr, 4));
	cr_expect(eq(u16, seen.events[2].ev.kind, TT_EV_LOSS));
	cr_expect(eq(u16, seen.events[3].ev.kind, TT_EV_SHED_WAIT));
	cr_expect(eq(u64, seen.events[3].shed_wait.wait_ns, 1000));
	cr_expect(eq(u64, seen.events[3].shed_wait.since_ts_ns, 1000100));
	cr_expect(eq(u64, seen.events[3].ev.ts_ns, 1000900));
}

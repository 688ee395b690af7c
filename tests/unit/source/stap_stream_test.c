/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/source/stap_stream.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/batches.h"

/* Batches are told apart by their CPU, 100 + the packet's sequence, and by nr_switches: which of the packet. */
enum { NR_SEEN_MAX = 4096 };

struct seen {
	unsigned nr;
	uint16_t cpus[NR_SEEN_MAX];
	int fail_at; /* the sink's error at this batch; 0 = never */
};

static int on_batch(void *ctx, const struct tt_batch *batch)
{
	struct seen *seen = ctx;

	cr_assert_eq((uintptr_t)batch % 8, 0);
	if (seen->nr < NR_SEEN_MAX)
		seen->cpus[seen->nr] = batch->cpu;
	seen->nr++;
	return seen->fail_at && seen->nr == (unsigned)seen->fail_at ? -EFBIG : 0;
}

/* A packet of nr_batches batches with two switches each; its length. */
static size_t make_packet(unsigned char *at, uint32_t sequence, unsigned nr_batches)
{
	uint32_t len = 0;

	for (unsigned i = 0; i < nr_batches; i++) {
		union tb t;

		tb_begin(&t, TT_STREAM_SCHED, 100 + sequence, 1000 * sequence);
		t.b.nr_switches = i;
		tb_switch(&t, 10, 7, 1);
		tb_switch(&t, 10, 8, 2);
		memcpy(at + 8 + len, &t, t.b.size);
		len += t.b.size;
	}
	memcpy(at, &sequence, 4);
	memcpy(at + 4, &len, 4);
	return 8 + len;
}

static struct tt_stap_streams *open_streams(struct seen *seen, unsigned nr, size_t max_pending)
{
	struct tt_stap_streams *s = NULL;

	cr_assert_eq(tt_stap_streams_open(nr, max_pending, on_batch, seen, &s), 0);
	return s;
}

static void push_packet(struct tt_stap_streams *s, unsigned stream, uint32_t sequence)
{
	unsigned char packet[512];
	size_t len = make_packet(packet, sequence, 1);

	cr_assert_eq(tt_stap_streams_push(s, stream, packet, len), 0);
}

static void expect_order(const struct seen *seen, unsigned nr, const unsigned *sequences)
{
	cr_assert_eq(seen->nr, nr, "%u batches instead of %u", seen->nr, nr);
	for (unsigned i = 0; i < nr; i++)
		cr_expect_eq(seen->cpus[i], 100 + sequences[i], "batch %u is of packet %u", i,
			     seen->cpus[i] - 100u);
}

Test(stap_stream, a_packet_of_several_batches_gives_each_whatever_the_pieces_it_came_in)
{
	for (size_t piece = 1; piece < 600; piece += 37) {
		struct seen seen = { 0 };
		struct tt_stap_streams *s = open_streams(&seen, 1, 0);
		unsigned char packet[1024];
		size_t len = make_packet(packet, 1, 3);

		len += make_packet(packet + len, 2, 1);
		for (size_t at = 0; at < len; at += piece)
			cr_assert_eq(tt_stap_streams_push(s, 0, packet + at,
							  piece < len - at ? piece : len - at),
				     0);
		expect_order(&seen, 4, (unsigned[]){ 1, 1, 1, 2 });
		cr_expect_eq(tt_stap_streams_stats(s)->nr_packets, 2);
		cr_expect_eq(tt_stap_streams_stats(s)->nr_batches, 4);
		cr_expect_eq(tt_stap_streams_stats(s)->skipped_bytes, 0);
		tt_stap_streams_close(s);
	}
}

Test(stap_stream, streams_are_merged_by_sequence)
{
	struct seen seen = { 0 };
	struct tt_stap_streams *s = open_streams(&seen, 3, 0);
	uint32_t sequence;

	push_packet(s, 2, 3);
	push_packet(s, 2, 6);
	push_packet(s, 0, 2);
	cr_expect_eq(seen.nr, 0);
	cr_expect(tt_stap_streams_wait(s, &sequence));
	cr_expect_eq(sequence, 1);
	push_packet(s, 1, 1);
	push_packet(s, 1, 4);
	push_packet(s, 0, 5);
	expect_order(&seen, 6, (unsigned[]){ 1, 2, 3, 4, 5, 6 });
	cr_expect(not(tt_stap_streams_wait(s, &sequence)));
	cr_expect_eq(tt_stap_streams_stats(s)->pending_bytes, 0);
	cr_expect_eq(tt_stap_streams_stats(s)->nr_missing, 0);
	tt_stap_streams_close(s);
}

Test(stap_stream, what_is_missing_is_waited_for_until_given_up_and_refused_when_it_comes_after_all)
{
	struct seen seen = { 0 };
	struct tt_stap_streams *s = open_streams(&seen, 2, 0);

	push_packet(s, 0, 1);
	push_packet(s, 0, 4);
	push_packet(s, 0, 6);
	expect_order(&seen, 1, (unsigned[]){ 1 });
	cr_assert_eq(tt_stap_streams_give_up(s), 0);
	expect_order(&seen, 2, (unsigned[]){ 1, 4 });
	cr_expect_eq(tt_stap_streams_stats(s)->nr_missing, 2, "2 and 3");
	push_packet(s, 1, 3);
	push_packet(s, 1, 5);
	expect_order(&seen, 4, (unsigned[]){ 1, 4, 5, 6 });
	cr_expect_eq(tt_stap_streams_stats(s)->nr_refused, 1);
	cr_expect_eq(tt_stap_streams_stats(s)->nr_missing, 2);
	tt_stap_streams_close(s);
}

Test(stap_stream, twice_the_same_and_backwards_in_a_stream_are_refused)
{
	struct seen seen = { 0 };
	struct tt_stap_streams *s = open_streams(&seen, 2, 0);

	push_packet(s, 0, 1);
	push_packet(s, 0, 1);
	push_packet(s, 1, 1);
	push_packet(s, 0, 4);
	push_packet(s, 1, 4); /* while the first waits */
	push_packet(s, 0, 3); /* behind 4 */
	cr_expect_eq(tt_stap_streams_stats(s)->nr_refused, 4);
	cr_assert_eq(tt_stap_streams_give_up(s), 0);
	expect_order(&seen, 2, (unsigned[]){ 1, 4 });
	cr_expect_eq(tt_stap_streams_stats(s)->nr_missing, 2);
	tt_stap_streams_close(s);
}

Test(stap_stream, at_the_bound_of_what_waits_the_gap_is_given_up)
{
	struct seen seen = { 0 };
	struct tt_stap_streams *s = open_streams(&seen, 1, 10 * 128);

	for (uint32_t sequence = 2; sequence < 2 + 10; sequence++)
		push_packet(s, 0, sequence);
	cr_expect_eq(seen.nr, 0);
	push_packet(s, 0, 12);
	cr_expect_eq(seen.nr, 11);
	cr_expect_eq(tt_stap_streams_stats(s)->nr_missing, 1);
	cr_expect_eq(tt_stap_streams_stats(s)->pending_bytes, 0);
	cr_expect_leq(tt_stap_streams_stats(s)->peak_pending_bytes, 11 * 128);
	tt_stap_streams_close(s);
}

Test(stap_stream, text_in_the_middle_is_skipped_and_its_offset_told)
{
	static const char text[] = "WARNING: Number of errors: 0, skipped probes: 12\n";
	struct seen seen = { 0 };
	struct tt_stap_streams *s = open_streams(&seen, 2, 0);
	unsigned char bytes[2048];
	size_t len = make_packet(bytes, 1, 1), offset = len;

	memcpy(bytes + len, text, sizeof(text) - 1);
	len += sizeof(text) - 1;
	len += make_packet(bytes + len, 2, 2);
	len += make_packet(bytes + len, 3, 1);
	cr_assert_eq(tt_stap_streams_push(s, 1, bytes, len), 0);
	expect_order(&seen, 4, (unsigned[]){ 1, 2, 2, 3 });
	cr_expect_eq(tt_stap_streams_stats(s)->skipped_bytes, sizeof(text) - 1);
	cr_expect_eq(tt_stap_streams_stats(s)->nr_skips, 1);
	cr_expect_eq(tt_stap_streams_stats(s)->skip_stream, 1);
	cr_expect_eq(tt_stap_streams_stats(s)->skip_offset, offset);
	tt_stap_streams_close(s);
}

Test(stap_stream, a_packet_that_was_cut_costs_only_itself)
{
	struct seen seen = { 0 };
	struct tt_stap_streams *s = open_streams(&seen, 1, 0);
	unsigned char bytes[2048];
	size_t len = make_packet(bytes, 1, 1), cut = make_packet(bytes + len, 2, 4) - 100;

	len += cut;
	for (uint32_t sequence = 3; sequence < 8; sequence++)
		len += make_packet(bytes + len, sequence, 1);
	cr_assert_eq(tt_stap_streams_push(s, 0, bytes, len), 0);
	cr_assert_eq(tt_stap_streams_end(s, 0), 0);
	cr_assert_eq(tt_stap_streams_give_up(s), 0);
	expect_order(&seen, 6, (unsigned[]){ 1, 3, 4, 5, 6, 7 });
	cr_expect_eq(tt_stap_streams_stats(s)->skipped_bytes, cut);
	cr_expect_eq(tt_stap_streams_stats(s)->nr_missing, 1);
	tt_stap_streams_close(s);
}

Test(stap_stream, a_cut_at_the_end_of_the_stream_does_not_hide_what_lies_in_it)
{
	struct seen seen = { 0 };
	struct tt_stap_streams *s = open_streams(&seen, 1, 0);
	unsigned char bytes[4096];
	size_t cut = make_packet(bytes, 1, 20) - 1500, len;

	len = cut + make_packet(bytes + cut, 2, 1);
	cr_assert_eq(tt_stap_streams_push(s, 0, bytes, len), 0);
	cr_expect_eq(seen.nr, 0, "it may still become whole");
	cr_assert_eq(tt_stap_streams_end(s, 0), 0);
	cr_assert_eq(tt_stap_streams_give_up(s), 0);
	expect_order(&seen, 1, (unsigned[]){ 2 });
	tt_stap_streams_close(s);
}

Test(stap_stream, a_batch_of_wrong_size_refuses_its_packet)
{
	static const struct {
		size_t at;
		uint32_t value;
		const char *what;
	} breaks[] = {
		{ 8, 64, "size of the first batch too small for its records" },
		{ 8, 4000, "larger than the packet" },
		{ 8 + offsetof(struct tt_batch, nr_records), 3, "one record too many" },
		{ 4, 127, "length that is no multiple of the batches" },
		{ 4, 8200, "length above the print buffer" },
		{ 4, 0, "no length" },
	};

	for (unsigned i = 0; i < sizeof(breaks) / sizeof(breaks[0]); i++) {
		struct seen seen = { 0 };
		struct tt_stap_streams *s = open_streams(&seen, 1, 0);
		unsigned char bytes[1024];
		size_t bad = make_packet(bytes, 1, 1), len = bad;

		memcpy(bytes + breaks[i].at, &breaks[i].value, 4);
		len += make_packet(bytes + len, 2, 1);
		cr_assert_eq(tt_stap_streams_push(s, 0, bytes, len), 0);
		cr_assert_eq(tt_stap_streams_end(s, 0), 0);
		cr_assert_eq(tt_stap_streams_give_up(s), 0);
		cr_expect_eq(seen.nr, 1, "%s", breaks[i].what);
		cr_expect_eq(seen.cpus[0], 102, "%s", breaks[i].what);
		cr_expect_eq(tt_stap_streams_stats(s)->skipped_bytes, bad, "%s", breaks[i].what);
		tt_stap_streams_close(s);
	}
}

Test(stap_stream, megabytes_without_a_packet_are_refused_with_their_offset)
{
	struct seen seen = { 0 };
	struct tt_stap_streams *s = open_streams(&seen, 2, 0);
	unsigned char *bytes = malloc(3 << 20);
	size_t len;
	int err = 0;

	cr_assert_not_null(bytes);
	memset(bytes, 'x', 3 << 20);
	memset(bytes, 0, 300);
	len = 300 + make_packet(bytes + 300, 1, 1);
	err = tt_stap_streams_push(s, 1, bytes, 3 << 20);
	cr_expect_eq(err, -EBADMSG);
	cr_expect_eq(seen.nr, 1);
	cr_expect_eq(tt_stap_streams_stats(s)->skip_stream, 1);
	cr_expect_eq(tt_stap_streams_stats(s)->skip_offset, len, "where the garbage in a row begins");
	cr_expect_leq(tt_stap_streams_stats(s)->skipped_bytes, 300 + TT_STAP_GARBAGE_MAX + 17000);
	tt_stap_streams_close(s);
	free(bytes);
}

Test(stap_stream, a_sequence_far_off_is_garbage)
{
	struct seen seen = { 0 };
	struct tt_stap_streams *s = open_streams(&seen, 1, 0);

	push_packet(s, 0, 1);
	push_packet(s, 0, 1 + TT_STAP_WINDOW + 1);
	push_packet(s, 0, 2);
	cr_expect_eq(seen.nr, 2);
	cr_expect_eq(tt_stap_streams_stats(s)->nr_missing, 0);
	cr_expect_eq(tt_stap_streams_stats(s)->skipped_bytes, 136);
	tt_stap_streams_close(s);
}

static void push_numbered(struct tt_stap_streams *s, unsigned stream, uint32_t sequence)
{
	unsigned char packet[512];
	size_t len = make_packet(packet, 1, 1);

	memcpy(packet, &sequence, sizeof(sequence));
	cr_assert_eq(tt_stap_streams_push(s, stream, packet, len), 0);
}

Test(stap_stream, what_is_too_late_by_any_distance_is_refused_and_is_no_garbage)
{
	struct seen seen = { 0 };
	struct tt_stap_streams *s = open_streams(&seen, 2, 0);
	uint32_t last = 3 * TT_STAP_WINDOW;

	for (uint32_t sequence = 2; sequence <= last; sequence++) {
		push_numbered(s, 0, sequence);
		cr_assert_eq(tt_stap_streams_give_up(s), 0);
	}
	for (uint32_t i = 0; i < TT_STAP_GARBAGE_MAX / 128; i++)
		push_numbered(s, 1, 1 + i); /* asserts that the push succeeds */
	cr_expect_eq(tt_stap_streams_stats(s)->skipped_bytes, 0);
	cr_expect_eq(tt_stap_streams_stats(s)->nr_refused, TT_STAP_GARBAGE_MAX / 128);
	tt_stap_streams_close(s);
}

Test(stap_stream, an_error_of_the_sink_ends_the_push)
{
	struct seen seen = { .fail_at = 2 };
	struct tt_stap_streams *s = open_streams(&seen, 1, 0);
	unsigned char packet[1024];
	size_t len = make_packet(packet, 1, 3);

	cr_expect_eq(tt_stap_streams_push(s, 0, packet, len), -EFBIG);
	cr_expect_eq(seen.nr, 2);
	tt_stap_streams_close(s);
}

Test(stap_stream, every_sequence_is_delivered_or_counted_whatever_is_lost_on_the_way)
{
	enum { NR = 3000, NR_STREAMS = 4 };
	uint64_t seed = 42;

	for (unsigned round = 0; round < 20; round++) {
		struct seen seen = { 0 };
		struct tt_stap_streams *s = open_streams(&seen, NR_STREAMS, 64 << 10);
		unsigned nr_dropped = 0;

		for (uint32_t sequence = 1; sequence <= NR; sequence++) {
			/* the first and the last of all arrive: what is lost behind the last is nobody's to know */
			bool dropped = sequence > 1 && sequence < NR && tb_random(&seed) % 10 == 0;
			unsigned char packet[512];
			size_t len = make_packet(packet, sequence, 1);
			unsigned stream = (unsigned)(tb_random(&seed) % NR_STREAMS);

			nr_dropped += dropped;
			if (!dropped)
				cr_assert_eq(tt_stap_streams_push(s, stream, packet, len), 0);
			if (tb_random(&seed) % 5 == 0) /* text between packets, never within one */
				cr_assert_eq(tt_stap_streams_push(s, stream, "noise", 5), 0);
		}
		for (unsigned i = 0; i < NR_STREAMS; i++)
			cr_assert_eq(tt_stap_streams_end(s, i), 0);
		for (uint32_t sequence; tt_stap_streams_wait(s, &sequence);)
			cr_assert_eq(tt_stap_streams_give_up(s), 0);
		cr_expect_eq(seen.nr + tt_stap_streams_stats(s)->nr_missing, NR);
		cr_expect_eq(tt_stap_streams_stats(s)->nr_missing, nr_dropped);
		cr_expect_eq(tt_stap_streams_stats(s)->nr_refused, 0);
		for (unsigned i = 1; i < seen.nr && i < NR_SEEN_MAX; i++)
			cr_assert_gt(seen.cpus[i], seen.cpus[i - 1]);
		tt_stap_streams_close(s);
	}
}

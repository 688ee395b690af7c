/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Recordings of earlier versions stay readable. tests/fixtures/sessions/v1-synthetic.tt was written by the
 * first version of the format: two CPUs of a pipe benchmark, disk records, a mark, names, a loss, extension
 * words. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <xxhash.h>

#include "collector/event/order.h"
#include "collector/session/session.h"

static struct tt_order *ord;
static unsigned nr_of[TT_EV_LOSS + 1], nr_begins, nr_ends, nr_epochs;
static uint64_t steal_ns, last_ts_ns;
static XXH64_hash_t hash;

static void on_event(void *ctx, const struct tt_event *ev)
{
	(void)ctx;
	cr_expect(ge(u64, ev->ts_ns, last_ts_ns));
	last_ts_ns = ev->ts_ns;
	if (ev->kind <= TT_EV_LOSS)
		nr_of[ev->kind]++;
	if (ev->kind == TT_EV_WINDOW)
		(*(((const struct tt_ev_window *)ev)->begins ? &nr_begins : &nr_ends))++;
	if (ev->kind == TT_EV_STEAL)
		steal_ns += ((const struct tt_ev_steal *)ev)->steal_ns;
}

static int on_batch(void *ctx, const void *data, size_t len)
{
	(void)ctx;
	hash = XXH64(data, len, hash);
	return tt_order_push(ord, data, len);
}

static int on_epoch(void *ctx, uint64_t until_ts_ns)
{
	(void)ctx;
	nr_epochs++;
	return tt_order_epoch(ord, until_ts_ns);
}

Test(fixture, a_session_of_version_1_reads_as_it_was_written)
{
	static const struct tt_sink sink = { NULL, on_batch, on_epoch };
	struct tt_session_reader *r;
	struct tt_decoder *dec;

	cr_assert(eq(int, tt_decoder_open(&dec), 0));
	cr_assert(eq(int, tt_order_open(dec, 16 << 20, on_event, NULL, &ord), 0));
	cr_assert(eq(int, tt_session_open("tests/fixtures/sessions/v1-synthetic.tt", &r), 0));
	cr_expect(eq(str, (char *)tt_session_info(r)->hostname, "fixture"));
	cr_expect(eq(str, (char *)tt_session_info(r)->probes[0].rung, "clock"));
	while (!tt_session_read_epoch(r, &sink))
		;
	tt_order_epoch(ord, UINT64_MAX);
	cr_expect(eq(str, (char *)tt_session_get_end(r)->reason, ""));
	cr_expect(eq(u64, tt_session_get_end(r)->summary.nr_events, 1522));
	cr_expect(eq(u32, nr_epochs, 3));
	cr_expect(eq(u32, nr_begins, 2));
	cr_expect(eq(u32, nr_ends, 2));
	cr_expect(eq(u32, nr_of[TT_EV_SWITCH], 12 * 126 + 1));
	cr_expect(eq(u32, nr_of[TT_EV_STEAL], 2));
	cr_expect(eq(u64, steal_ns, 57));
	cr_expect(eq(u32, nr_of[TT_EV_DISK], 3));
	cr_expect(eq(u32, nr_of[TT_EV_TASK], 2));
	cr_expect(eq(u32, nr_of[TT_EV_CGROUP], 1));
	cr_expect(eq(u32, nr_of[TT_EV_DEVICE], 1));
	cr_expect(eq(u32, nr_of[TT_EV_LOSS], 1));
	cr_expect(eq(u64, tt_decoder_stats(dec)->nr_rejected_batches, 0));
	cr_expect(eq(u64, tt_decoder_stats(dec)->nr_seq_mismatches, 0));
	cr_expect(eq(u64, tt_order_stats(ord)->nr_late, 0));
	cr_expect(eq(u64, hash, 3665824372846605561ull), "every byte of every batch");
	tt_session_close(r);
	tt_order_close(ord);
	tt_decoder_close(dec);
}

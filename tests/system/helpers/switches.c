/* SPDX-License-Identifier: GPL-2.0-or-later */
/* switches FILE - each context switch of a session on a line, in each CPU's own order:
 * cpu ts_ns prev next kind wait_ns deliver_ns waker queued_cpu flags
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "collector/event/decode.h"
#include "collector/session/session.h"

static void print_event(void *ctx, const struct tt_event *ev)
{
	const struct tt_ev_switch *sw = (const void *)ev;

	(void)ctx;
	if (ev->kind == TT_EV_SWITCH)
		printf("%u %" PRIu64 " %d %d %u %" PRIu64 " %" PRIu64 " %u %d %#x\n", ev->cpu, ev->ts_ns, (int)sw->prev_tid,
		       (int)sw->next_tid, sw->wait_kind, sw->wait_ns, sw->deliver_ns, sw->waker_tid,
		       sw->queued_cpu == TT_CPU_NONE ? -1 : sw->queued_cpu, ev->flags);
}

static int take_batch(void *ctx, const void *batch, size_t len)
{
	return tt_decode(ctx, batch, len, print_event, NULL);
}

static int take_epoch(void *ctx, uint64_t until_ts_ns)
{
	(void)ctx;
	(void)until_ts_ns;
	return 0;
}

int main(int argc, char **argv)
{
	struct tt_session_reader *r;
	struct tt_decoder *dec;
	int err;

	if (argc != 2) {
		fprintf(stderr, "usage: %s FILE\n", argv[0]);
		return 2;
	}
	if (tt_decoder_open(&dec))
		return 1;
	err = tt_session_open(argv[1], &r);
	if (!err) {
		struct tt_sink sink = { dec, take_batch, take_epoch };

		do
			err = tt_session_read_epoch(r, &sink);
		while (!err);
		tt_session_close(r);
	}
	tt_decoder_close(dec);
	if (err < 0)
		fprintf(stderr, "%s: %s\n", argv[1], strerror(-err));
	return err < 0;
}

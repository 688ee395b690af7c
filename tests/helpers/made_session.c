/* SPDX-License-Identifier: GPL-2.0-or-later */
/* made_session - writes a session that nobody recorded: with stacks of every kind and hostile names, or at random (tests/unit/made.h);
 * or one of many switches, for benchmarks.
 *
 *   made_session FILE                  the one of the golden files
 *   made_session FILE SEED             at random
 *   made_session FILE switches NUMBER  two CPUs of perf bench sched pipe
 */
#include <stdlib.h>

#include "collector/base/log.h"
#include "collector/session/session.h"
#include "tests/unit/made.h"

static void write_batch(void *ctx, const union tb *t)
{
	if (tt_session_write_batch(ctx, t, t->b.size))
		exit(1);
}

static void write_switches(struct tt_session_writer *w, uint64_t nr)
{
	static struct made m;
	struct tb_pipe pipes[2] = { { .seed = 7, .ts_ns = MADE_START_NS }, { .seed = 9, .ts_ns = MADE_START_NS, .cpu = 1 } };

	made_begin(&m, write_batch, w);
	made_records(&m);
	made_task(&m, 4711, 4711, "sched-pipe");
	made_task(&m, 4712, 4712, "sched-pipe");
	made_flush(&m);
	for (uint64_t i = 0; i < nr / 126; i++) {
		tb_pipe_batch(&m.t, &pipes[i & 1]);
		write_batch(w, &m.t);
		if (i % 800 == 799 && tt_session_write_epoch(w, pipes[pipes[0].ts_ns > pipes[1].ts_ns].ts_ns))
			exit(1);
	}
}

int main(int argc, char **argv)
{
	struct tt_summary summary = { .start_ts_ns = MADE_START_NS, .end_ts_ns = MADE_START_NS + 4000000, .ended_by = "duration" };
	struct tt_session_writer *w;

	if (argc < 2 || tt_session_create(argv[1], &made_info, 0, &w))
		return 1;
	if (argc > 3)
		write_switches(w, strtoull(argv[3], NULL, 0));
	else if (argc > 2)
		made_random(strtoull(argv[2], NULL, 0), write_batch, w);
	else
		made_session(write_batch, w);
	if (tt_session_write_epoch(w, 1ull << 61) || tt_session_write_end(w, &summary))
		return 1;
	tt_session_writer_close(w);
	return 0;
}

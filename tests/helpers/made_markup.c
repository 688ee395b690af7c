/* SPDX-License-Identifier: GPL-2.0-or-later */
/* made_markup - writes a session whose every name is markup with script in it: host, command, tasks, cgroups, disks, functions, files. For
 * tests of what a browser makes of them.
 *
 *   made_markup FILE
 */
#include <stdio.h>
#include <stdlib.h>

#include "collector/session/session.h"
#include "tests/unit/made.h"

#define ATTACK "<img src=x onerror=alert(1)>"

enum { FIRST_TID = 201, NR_TASKS = 5, K_STACK = 3000, U_STACK = 3001 };

static void write_batch(void *ctx, const union tb *t)
{
	if (tt_session_write_batch(ctx, t, t->b.size))
		exit(1);
}

static void write_names(struct made *m)
{
	static const char *const comms[NR_TASKS] = { "<img onerror=a>", "</script><b>", "<!--<script>", "\"';alert(1)//", "<svg/onload=a>" };

	made_records(m);
	for (unsigned i = 0; i < NR_TASKS; i++) {
		struct tt_cgroup *rec = tb_record(&m->t, TT_EV_CGROUP, sizeof(*rec), TT_CPU_NONE, MADE_START_NS);

		rec->id = 100 + i;
		snprintf(rec->path, sizeof(rec->path), "/%u</title><script>alert(%u)</script>" ATTACK, i, i);
		made_task(m, FIRST_TID + i, FIRST_TID + i, comms[i])->cgroup_id = 100 + i;
	}
	made_device(m, 253u << 20, "<i onload=a()>", false);
	made_flush(m);
}

static void write_switches(struct made *m)
{
	static const uint64_t stacks[TT_EXT_MAX] = { K_STACK, U_STACK, K_STACK, U_STACK };

	made_sched(m, 0, TT_BATCH_FIRST);
	for (unsigned i = 0; i < 60; i++) {
		struct made_switch ms = { 50000, FIRST_TID + i % NR_TASKS, TT_SW_PREEMPTED, TT_WAIT_PREEMPTED, i ? 40000 : 0, i % 3 ? 0 : 9000, 0, 0, { 0 } };

		if (i % 2) {
			ms.wait_kind = TT_WAIT_WAKEUP;
			ms.waker_tid = FIRST_TID + (i + 2) % NR_TASKS;
		}
		memcpy(ms.stacks, stacks, sizeof(stacks));
		made_switch(m, &ms);
	}
	made_flush(m);
}

static void write_rest(struct made *m)
{
	static const char *const user[] = { "</script><script>alert(2)</script>", "operator<<<img src=x onerror=alert(3)>", "<script>alert(4)</script>", NULL };
	static const char *const kernel[] = { "<svg onload=alert(5)>", "javascript:alert(6)", NULL };

	made_records(m);
	for (unsigned i = 0; i < 10; i++)
		made_disk(m, MADE_START_NS + 200000 * (i + 1), 253u << 20, i % 2, FIRST_TID + i % NR_TASKS, 100000 + i, K_STACK, U_STACK);
	made_sample(m, MADE_START_NS + 1000000, 0, FIRST_TID, 1000000, 0, K_STACK, U_STACK);
	made_flush(m);
	made_end(m);
	made_stack(m, K_STACK, 0, 0, 1, kernel);
	made_stack(m, U_STACK, FIRST_TID, 0, 2, user);
	made_records(m);
	tb_module(&m->t, 1, TT_MODULE_KERNEL, "[" ATTACK "]");
	tb_module(&m->t, 2, 0, "/srv/" ATTACK);
	made_flush(m);
}

int main(int argc, char **argv)
{
	struct tt_summary summary = { .start_ts_ns = MADE_START_NS, .end_ts_ns = MADE_START_NS + 4000000, .ended_by = ATTACK };
	struct tt_info info = made_info;
	struct tt_session_writer *w;
	static struct made m;

	snprintf(info.hostname, sizeof(info.hostname), "</title>" ATTACK);
	snprintf(info.kernel_release, sizeof(info.kernel_release), "<script>alert(7)</script>");
	snprintf(info.hypervisor, sizeof(info.hypervisor), "<b onclick=alert(8)>");
	snprintf(info.command, sizeof(info.command), "</script>" ATTACK);
	if (argc != 2 || tt_session_create(argv[1], &info, 0, &w))
		return 1;
	made_begin(&m, write_batch, w);
	write_names(&m);
	write_switches(&m);
	write_rest(&m);
	if (tt_session_write_epoch(w, 1ull << 61) || tt_session_write_end(w, &summary))
		return 1;
	tt_session_writer_close(w);
	return 0;
}

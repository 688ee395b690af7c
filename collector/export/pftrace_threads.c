/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/export/pftrace_threads.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collector/aggregate/index.h"
#include "collector/base/escape.h"

/* Tasks that the world does not know have no serial. */
#define NO_SERIAL (1ull << 48)

struct tt_pftrace_threads {
	struct tt_pftrace *t;
	const struct tt_world *world;
	struct tt_index index; /* by track */
	struct tt_pftrace_thread *threads;
};

char *tt_pftrace_comm(char *buf, const struct tt_world *world, uint32_t tid)
{
	const struct tt_world_task *task = tt_world_task(world, tid);

	if (task && task->comm[0])
		memcpy(buf, task->comm, TT_PFTRACE_COMM_MAX);
	else
		snprintf(buf, TT_PFTRACE_COMM_MAX, ":%u", tid);
	return buf;
}

int tt_pftrace_threads_open(struct tt_pftrace *t, const struct tt_world *world,
			    struct tt_pftrace_threads **ret_th)
{
	struct tt_pftrace_threads *th = calloc(1, sizeof(*th));

	if (!th)
		return -ENOMEM;
	th->t = t;
	th->world = world;
	th->threads = calloc(TT_PFTRACE_THREADS_MAX, sizeof(*th->threads));
	if (!th->threads || tt_index_open(&th->index, TT_PFTRACE_THREADS_MAX)) {
		tt_pftrace_threads_close(th);
		return -ENOMEM;
	}
	*ret_th = th;
	return 0;
}

void tt_pftrace_threads_close(struct tt_pftrace_threads *th)
{
	if (!th)
		return;
	tt_index_close(&th->index);
	free(th->threads);
	free(th);
}

static struct tt_pftrace_thread *get(struct tt_pftrace_threads *th, uint64_t track)
{
	uint32_t slot = tt_index_find(&th->index, track);

	if (slot == TT_INDEX_NONE) {
		if (th->index.nr == TT_PFTRACE_THREADS_MAX)
			tt_index_clear(&th->index);
		slot = th->index.nr;
		tt_index_put(&th->index, track, slot);
		th->threads[slot] = (struct tt_pftrace_thread){ .track = track };
	}
	return &th->threads[slot];
}

struct tt_pftrace_thread *tt_pftrace_thread(struct tt_pftrace_threads *th, uint32_t tid)
{
	const struct tt_world_task *task = tt_world_task(th->world, tid);

	return get(th, tt_pf_uuid(TT_PF_THREAD, task ? task->serial : NO_SERIAL | tid));
}

static void put_name(struct tt_pftrace_threads *th, const struct tt_world_task *task, uint64_t ts_ns)
{
	Pftrace__ProcessTree__Process process = PFTRACE__PROCESS_TREE__PROCESS__INIT,
				      *processes[] = { &process };
	Pftrace__ProcessTree__Thread thread = PFTRACE__PROCESS_TREE__THREAD__INIT, *threads[] = { &thread };
	Pftrace__ProcessTree tree = PFTRACE__PROCESS_TREE__INIT;
	Pftrace__TracePacket packet = PFTRACE__TRACE_PACKET__INIT;
	char comm[4 * TT_COMM_LEN + 1], *cmdline[] = { comm };

	tt_escape(comm, sizeof(comm), task->comm, TT_COMM_LEN);
	thread.has_tid = thread.has_tgid = true;
	thread.tid = (int32_t)task->tid;
	thread.tgid = (int32_t)(task->pid ? task->pid : task->tid);
	thread.name = comm;
	tree.n_threads = 1;
	tree.threads = threads;
	if (thread.tid == thread.tgid) {
		process.has_pid = process.has_ppid = process.has_cmdline_is_comm = process.has_is_kthread =
			true;
		process.pid = thread.tgid;
		process.ppid = (int32_t)task->parent_pid;
		process.n_cmdline = 1;
		process.cmdline = cmdline;
		process.cmdline_is_comm = true;
		process.is_kthread = (task->flags & TT_TASK_KTHREAD) != 0;
		tree.n_processes = 1;
		tree.processes = processes;
	}
	packet.has_timestamp = true;
	packet.timestamp = ts_ns;
	packet.process_tree = &tree;
	tt_pftrace_put(th->t, &packet);
}

void tt_pftrace_threads_name(struct tt_pftrace_threads *th, uint32_t tid, uint64_t ts_ns)
{
	const struct tt_world_task *task = tt_world_task(th->world, tid);

	if (!tid || !task)
		return;
	put_name(th, task, ts_ns);
	tt_pftrace_thread(th, tid)->is_named = true;
}

void tt_pftrace_threads_meet(struct tt_pftrace_threads *th, uint32_t tid, uint64_t ts_ns)
{
	const struct tt_world_task *task;

	if (!tid || tt_pftrace_thread(th, tid)->is_named)
		return;
	task = tt_world_task(th->world, tid);
	if (task && task->pid != tid && !tt_pftrace_thread(th, task->pid)->is_named)
		tt_pftrace_threads_name(th, task->pid, ts_ns);
	tt_pftrace_threads_name(th, tid, ts_ns);
}

struct tt_pftrace_thread *tt_pftrace_thread_track(struct tt_pftrace_threads *th, uint32_t tid)
{
	const struct tt_world_task *task = tt_world_task(th->world, tid);
	struct tt_pftrace_thread *thread = tt_pftrace_thread(th, tid);
	char name[TT_PFTRACE_COMM_MAX];
	struct tt_pf_track_options opts = {
		.uuid = thread->track,
		.name = tt_pftrace_comm(name, th->world, tid),
		.tid = tid,
		.pid = task && task->pid ? task->pid : tid,
	};

	if (!thread->has_track)
		tt_pftrace_track(th->t, &opts);
	thread->has_track = true;
	return thread;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* task.bpf.c - who is who: fork, exec, rename, exit, cgroups; and every task at the ends of a recording.
 *
 * Emits struct tt_task and struct tt_cgroup. Source: include/trace/events/{task,sched,cgroup}.h,
 * kernel/bpf/task_iter.c.
 *
 * A task's last counters are told at its exit and never again: what finds no room in a ring waits in a queue, which the collector
 * empties at every epoch.
 */
#include "bpf/probe.bpf.h"

struct task_batch {
	struct tt_batch head;
	struct tt_task task;
};

struct cgroup_batch {
	struct tt_batch head;
	struct tt_cgroup cgroup;
};

enum { NR_LATE_MAX = 4096 };

struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, NR_LATE_MAX);
	__uint(key_size, 0);
	__uint(value_size, sizeof(struct tt_task));
} tt_late_tasks SEC(".maps");

/* The task's v2 cgroup; if that is the root, its cgroup of the v1 cpu hierarchy (hosts can be hybrid). */
static __always_inline u64 cgroup_id(struct task_struct *t)
{
	struct cgroup *dfl = BPF_CORE_READ(t, cgroups, dfl_cgrp);
	struct cgroup *v1;
	u32 index;

	if (BPF_CORE_READ(dfl, level) > 0 || !bpf_core_enum_value_exists(enum cgroup_subsys_id, cpu_cgrp_id))
		return BPF_CORE_READ(dfl, kn, id);
	index = bpf_core_enum_value(enum cgroup_subsys_id, cpu_cgrp_id);
	if (index >= 16)
		return BPF_CORE_READ(dfl, kn, id);
	v1 = BPF_CORE_READ(t, cgroups, subsys[index], cgroup);
	if (BPF_CORE_READ(v1, root, hierarchy_id) == 0) /* the controller is on v2 */
		return BPF_CORE_READ(dfl, kn, id);
	return BPF_CORE_READ(v1, kn, id) | TT_CGROUP_V1;
}

static __always_inline void fill_task(struct tt_task *r, struct task_struct *t, u64 now_ns, u16 why)
{
	u64 queued_ns, clock_ns;

	r->rec.size = sizeof(*r);
	r->rec.kind = TT_EV_TASK;
	r->rec.cpu = bpf_get_smp_processor_id();
	r->rec.ts_ns = now_ns;
	r->start_ns = BPF_CORE_READ(t, start_time);
	r->cgroup_id = cgroup_id(t);
	r->run_delay_ns = 0;
	r->open_wait_ns = 0;
	if (bpf_core_field_exists(t->sched_info.run_delay)) {
		r->run_delay_ns = BPF_CORE_READ(t, sched_info.run_delay);
		queued_ns = BPF_CORE_READ(t, sched_info.last_queued);
		clock_ns = bpf_core_field_exists(t->se.cfs_rq) ? BPF_CORE_READ(t, se.cfs_rq, rq, clock) : 0;
		if (queued_ns && clock_ns > queued_ns)
			r->open_wait_ns = clock_ns - queued_ns;
	}
	r->exec_ns = BPF_CORE_READ(t, se.sum_exec_runtime);
	r->tid = BPF_CORE_READ(t, pid);
	r->pid = BPF_CORE_READ(t, tgid);
	r->parent_pid = BPF_CORE_READ(t, real_parent, tgid);
	r->why = why;
	r->flags = 0;
	if (BPF_CORE_READ(t, flags) & 0x00200000) /* PF_KTHREAD */
		r->flags |= TT_TASK_KTHREAD;
	if (tt_own_pid && r->pid == tt_own_pid)
		r->flags |= TT_TASK_OURS;
	bpf_probe_read_kernel(&r->comm, sizeof(r->comm), &t->comm);
}

static __always_inline void describe_task(struct tt_task *r, struct task_struct *t, u64 now_ns, u16 why, u16 flags, const char *comm)
{
	fill_task(r, t, now_ns, why);
	r->flags |= flags;
	if (comm) /* a rename: the task still has the old name */
		bpf_probe_read_kernel_str(&r->comm, sizeof(r->comm), comm);
}

static __always_inline int emit_task(struct task_struct *t, u16 why, u16 flags, const char *comm)
{
	u64 now_ns = bpf_ktime_get_ns();
	struct tt_cpu *c = tt_this_cpu();
	struct tt_task late = {};
	struct task_batch *b;
	u64 submit_flags;

	if (!tt_recording)
		return 0;
	b = tt_reserve_batch(sizeof(*b), &submit_flags);
	if (!b) {
		describe_task(&late, t, now_ns, why, flags, comm);
		if (bpf_map_push_elem(&tt_late_tasks, &late, 0))
			tt_count_shed_record(c);
		return 0;
	}
	tt_fill_batch(&b->head, c, sizeof(*b), now_ns);
	describe_task(&b->task, t, now_ns, why, flags, comm);
	bpf_ringbuf_submit(b, submit_flags);
	return 0;
}

SEC("?tp_btf/task_newtask")
int BPF_PROG(task__newtask, struct task_struct *t)
{
	return emit_task(t, TT_TASK_FORK, 0, NULL);
}

SEC("?tp_btf/sched_process_exec")
int BPF_PROG(task__exec, struct task_struct *t)
{
	return emit_task(t, TT_TASK_EXEC, 0, NULL);
}

SEC("?tp_btf/task_rename")
int BPF_PROG(task__rename, struct task_struct *t, const char *comm)
{
	return emit_task(t, TT_TASK_RENAME, 0, comm);
}

SEC("?tp_btf/sched_process_exit")
int BPF_PROG(task__exit, struct task_struct *t)
{
	return emit_task(t, TT_TASK_EXIT, 0, NULL);
}

SEC("?tp_btf/cgroup_attach_task")
int BPF_PROG(task__cgroup_attach, struct cgroup *cgrp, const char *path, struct task_struct *t,
	     bool threadgroup)
{
	return emit_task(t, TT_TASK_CGROUP, threadgroup ? TT_TASK_WHOLE_PROCESS : 0, NULL);
}

static __always_inline int emit_cgroup(struct cgroup *cgrp, const char *path)
{
	u64 now_ns = bpf_ktime_get_ns();
	struct tt_cpu *c = tt_this_cpu();
	struct cgroup_batch *b;
	u64 submit_flags;
	u64 id = BPF_CORE_READ(cgrp, kn, id);
	u32 mask;

	if (!tt_recording)
		return 0;
	if (BPF_CORE_READ(cgrp, root, hierarchy_id) != 0) {
		mask = BPF_CORE_READ(cgrp, root, subsys_mask);
		if (!bpf_core_enum_value_exists(enum cgroup_subsys_id, cpu_cgrp_id) ||
		    !(mask & 1u << bpf_core_enum_value(enum cgroup_subsys_id, cpu_cgrp_id)))
			return 0; /* a v1 hierarchy that we show nothing of */
		id |= TT_CGROUP_V1;
	}
	b = tt_reserve_batch(sizeof(*b), &submit_flags);
	if (!b) {
		tt_count_shed_record(c);
		return 0;
	}
	__builtin_memset(b, 0, sizeof(*b));
	tt_fill_batch(&b->head, c, sizeof(*b), now_ns);
	b->cgroup.rec.size = sizeof(b->cgroup);
	b->cgroup.rec.kind = TT_EV_CGROUP;
	b->cgroup.rec.cpu = TT_CPU_NONE;
	b->cgroup.rec.ts_ns = now_ns;
	b->cgroup.id = id;
	bpf_probe_read_kernel_str(&b->cgroup.path, sizeof(b->cgroup.path), path);
	bpf_ringbuf_submit(b, submit_flags);
	return 0;
}

SEC("?tp_btf/cgroup_mkdir")
int BPF_PROG(task__cgroup_mkdir, struct cgroup *cgrp, const char *path)
{
	return emit_cgroup(cgrp, path);
}

SEC("?tp_btf/cgroup_rename")
int BPF_PROG(task__cgroup_rename, struct cgroup *cgrp, const char *path)
{
	return emit_cgroup(cgrp, path);
}

/* Every task as it is now: the collector reads the records from the iterator's file. */
SEC("?iter/task")
int task__all(struct bpf_iter__task *ctx)
{
	struct task_struct *t = ctx->task;
	struct tt_task r = {};

	if (!t || !t->pid)
		return 0;
	fill_task(&r, t, bpf_ktime_get_ns(), tt_iter_why);
	bpf_seq_write(ctx->meta->seq, &r, sizeof(r));
	return 0;
}

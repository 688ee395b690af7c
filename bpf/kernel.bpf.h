/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kernel.bpf.h - the kernel fields that the probes read, and nothing else.
 *
 * Written by hand so that no generated header is needed and a host without BTF can build. Offsets are of no
 * meaning here: preserve_access_index makes libbpf look each field up in the running kernel's BTF. A field
 * that some kernels lack is asked for with bpf_core_field_exists first; compat.bpf.h knows the renames.
 */
#pragma once

#include <linux/types.h>
#include <linux/bpf.h>
#include <linux/ptrace.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s32 s32;
typedef __s64 s64;

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

typedef struct {
	int counter;
} atomic_t;

struct rq {
	u64 clock;
	u64 nr_switches;
	u64 prev_steal_time;	/* CONFIG_PARAVIRT: what the tick has accounted */
	u64 prev_steal_time_rq; /* CONFIG_PARAVIRT_TIME_ACCOUNTING: fresh whenever rq->clock is */
};

struct cfs_rq {
	struct rq *rq;
};

struct sched_entity {
	struct cfs_rq
		*cfs_rq; /* CONFIG_FAIR_GROUP_SCHED; set for tasks of every class, the idle task included */
	u64 sum_exec_runtime;
};

struct sched_info {
	unsigned long pcount;
	unsigned long long run_delay;
	unsigned long long last_arrival;
	unsigned long long last_queued;
};

struct cfs_bandwidth {
	u64 quota;
	int nr_throttled;
};

struct task_group {
	struct task_group *parent;
	struct cfs_bandwidth cfs_bandwidth;
};

struct thread_info {
	u32 cpu;
	u64 preempt_count; /* arm64 */
};

struct kernfs_node {
	u64 id;
};

struct cgroup_root {
	int hierarchy_id;
	unsigned int subsys_mask;
};

struct cgroup {
	int level;
	struct kernfs_node *kn;
	struct cgroup_root *root;
};

struct cgroup_subsys_state {
	struct cgroup *cgroup;
};

struct mm_struct {
	int map_count;
};

struct css_set {
	struct cgroup_subsys_state *subsys[16];
	struct cgroup *dfl_cgrp;
};

struct task_struct {
	struct thread_info thread_info;
	int cpu; /* before 5.16, x86 */
	unsigned int __state;
	unsigned int flags;
	int prio;
	int pid;
	int tgid;
	int exit_state;
	struct task_struct *real_parent;
	struct task_struct *group_leader;
	struct mm_struct *mm;
	u64 self_exec_id; /* u32 before 5.7 */
	struct sched_entity se;
	struct sched_info sched_info;
	struct task_group *sched_task_group;
	struct css_set *cgroups;
	u64 start_time;
	unsigned in_iowait : 1;
	char comm[16];
};

struct bpf_map;
struct blk_mq_ops;

struct gendisk {
	int major;
	int first_minor;
	char disk_name[32];
	struct request_queue *queue;
};

struct request_queue {
	const struct blk_mq_ops *mq_ops;
	struct gendisk *disk;
};

struct request {
	struct request_queue *q;
	unsigned int cmd_flags;
	unsigned int rq_flags;
	unsigned int __data_len;
	u64 __sector;
	u64 start_time_ns;
	struct bio *bio;
	struct block_device *part; /* struct hd_struct before 5.11 */
	atomic_t ref;		   /* 0 = free; refcount_t before 5.16 */
};

struct block_device {
	struct gendisk *bd_disk;
};

struct bvec_iter {
	u64 bi_sector;
	unsigned int bi_size;
};

struct bio {
	struct block_device *bi_bdev;
	unsigned int bi_opf;
	u8 bi_status;
	struct bvec_iter bi_iter;
	void *bi_private;
};

/* Begins with 64 bits that may be anything: what tt_peek() calls its memory. */
struct timespec64 {
	s64 tv_sec;
};

struct seq_file;

struct bpf_iter_meta {
	struct seq_file *seq;
};

struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
};

enum req_flag_bits { __REQ_PREFLUSH = 18 };

enum cgroup_subsys_id { cpu_cgrp_id = 1 };

#pragma clang attribute pop

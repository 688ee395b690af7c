/* SPDX-License-Identifier: GPL-2.0-or-later */
/* proc_parse - the formats of /proc, read from text buffers; proc(5), Documentation/admin-guide/iostats.rst.
 *
 * Pure: no files, no allocation, no logging. The text is a buffer of any bytes with an end, not a string.
 * tt_proc_next_*: take lines from *pos on, skip those that are not of the form, fill *ret and return true;
 * false = none left. *pos is behind what was read. tt_proc_parse_*: 0 or -EINVAL, *ret written on success
 * only.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/event.h"
#include "collector/base/slice.h"

/* cpuN lines of /proc/stat, 0 where an old kernel lacks a field. Sets rec.cpu and ticks, zeroes the rest. N
 * is below TT_CPU_NONE. */
bool tt_proc_next_cpu(const char **pos, const char *end, struct tt_cpu_counters *ret);

/* Lines of /proc/diskstats with 11 (2.6.25), 15 (4.18), 17 (5.5) or more fields behind the name; fewer
 * (partitions before 2.6.25) are skipped. The _ms fields are modulo 2^32, as in the kernel. Long names are
 * cut. Zeroes rec. */
bool tt_proc_next_disk(const char **pos, const char *end, struct tt_disk_counters *ret);

struct tt_proc_schedstat {
	uint64_t exec_ns, run_delay_ns, nr_timeslices;
};
int tt_proc_parse_schedstat(const char *text, size_t len, struct tt_proc_schedstat *ret);

struct tt_proc_task_stat {
	uint32_t tid, parent_pid;
	uint32_t flags;		/* PF_* */
	uint64_t start_ticks;	/* USER_HZ since boot */
	char comm[TT_COMM_LEN]; /* as task->comm: cut to 15 bytes, and without the work that a kworker is said
				   to do */
};
enum { TT_PF_KTHREAD = 0x00200000, TT_PF_WQ_WORKER = 0x00000020 };
/* /proc/PID/stat. The name may hold any bytes, ')' and newline too: it ends at the last ')'. */
int tt_proc_parse_task_stat(const char *text, size_t len, struct tt_proc_task_stat *ret);

/* Lines of /proc/PID/cgroup: "0::/path" is v2, "4:cpu,cpuacct:/path" v1. */
struct tt_proc_cgroup_line {
	bool is_v2, is_v1_cpu;
	struct tt_slice controllers; /* comma-separated; "" for v2 */
	struct tt_slice path;
};
bool tt_proc_next_cgroup(const char **pos, const char *end, struct tt_proc_cgroup_line *ret);

/* Lines of /proc/PID/mountinfo. root and mount_point still hold the kernel's octal escapes. */
struct tt_proc_mount {
	struct tt_slice root, mount_point, fs_type, super_options;
};
bool tt_proc_next_mount(const char **pos, const char *end, struct tt_proc_mount *ret);
/* Undoes the \040 of mountinfo. False when it does not fit into size (NUL included). */
bool tt_proc_unescape(struct tt_slice s, char *dst, size_t size);

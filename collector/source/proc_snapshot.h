/* SPDX-License-Identifier: GPL-2.0-or-later */
/* proc_snapshot - what /proc and /sys say right now, as records: counters of CPUs, disks and tasks, and
 * names.
 *
 * Every function reads below root ("" = the real one), builds batches of TT_STREAM_RECORDS (at most
 * TT_BATCH_BYTES_MAX bytes, cpu TT_CPU_NONE, times of CLOCK_MONOTONIC that never decrease within a call) and
 * gives them to the sink at once. No privileges needed. Text that cannot be parsed is skipped. Bounds are
 * next to the functions; what does not fit is said in the stream by a TT_EV_LOSS record (TT_LOSS_NAMES) and
 * counted where a count is returned. All return 0, the sink's error, -ENOMEM, or the errno of the file that
 * could not be opened or read.
 */
#pragma once

#include <stdint.h>

#include "collector/source/source.h"

enum {
	TT_PROC_DISKS_MAX = 4096,
	TT_PROC_CPUS_MAX = 8192,
	TT_PROC_CGROUPS_MAX = 65536,
	TT_PROC_CGROUP_DEPTH_MAX = 32,
};

/* Sees each record before it is given away, with CPU, time and ticks; fills in what only a BPF program can read (steal_clock_ns,
 * prev_steal_rq_ns, nr_switches). */
typedef void (*tt_proc_fill_cpu_fn)(void *ctx, struct tt_cpu_counters *counters);

/* TT_EV_CPU_COUNTERS for every cpuN line of /proc/stat (online CPUs). fill may be NULL. */
int tt_proc_emit_cpu_counters(const char *root, const struct tt_sink *sink, tt_proc_fill_cpu_fn fill,
			      void *ctx);

/* Devices whose names were given already. Plain value, about 150 KiB: zero it to initialise. */
struct tt_proc_known_disks {
	unsigned nr, next; /* next: the one to forget at the bound */
	struct {
		uint32_t dev;
		char name[TT_DISK_NAME_LEN];
	} disks[TT_PROC_DISKS_MAX];
};

/* TT_EV_DISK_COUNTERS for every line of /proc/diskstats, partitions included, or for dev only (kernel dev_t;
 * 0 = all). known may be NULL; else TT_EV_DEVICE comes before the counters of each device that is not in it
 * under this name. */
int tt_proc_emit_disk_counters(const char *root, const struct tt_sink *sink, uint32_t dev,
			       struct tt_proc_known_disks *known);

/* TT_EV_DEVICE from /sys/dev/block/MAJOR:MINOR, told as of ts_ns. -ENOENT: no such device. */
int tt_proc_emit_device(const char *root, const struct tt_sink *sink, uint32_t dev, uint64_t ts_ns);
/* TT_EV_DEVICE for every line of /proc/diskstats; where sysfs has no such device, the name alone. */
int tt_proc_emit_devices(const char *root, const struct tt_sink *sink);

/* TT_EV_CGROUP for every directory of the cgroup2 hierarchy and of the v1 hierarchy with the cpu controller,
 * as far as /proc/self/mountinfo shows them; id is the inode number, for v1 with TT_CGROUP_V1. Paths are
 * those of the caller's cgroup namespace, cut at the end when too long; cgroups beyond the bounds are left
 * out. No hierarchy is no error. */
int tt_proc_emit_cgroups(const char *root, const struct tt_sink *sink);

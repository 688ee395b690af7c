/* SPDX-License-Identifier: GPL-2.0-or-later */
/* info - what a recording knows about itself: the header of a session file, and its closing summary.
 *
 * Plain values, fixed size. Strings are UTF-8, NUL-terminated, any bytes from outside escaped when printed.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "bpf/event.h"

enum { TT_INFO_NR_PROBES = 4, TT_INFO_NR_FILTERS = 5 };

struct tt_probe_info {
	char probe[16];	 /* "steal" "disk" "runq" "task" */
	char rung[32];	 /* "clock", "block_io_done", "tp_btf", "/proc/stat" ...; "" = not recorded */
	char detail[160]; /* how: "KVM steal area by BTF offset, observer local_timer_exit" */
};

struct tt_info {
	char tool_version[32];
	char hostname[65], kernel_release[65], kernel_version[130], arch[32];
	char boot_id[37];
	char hypervisor[32]; /* "KVM" "Xen" "VMware" "Hyper-V" "none" "unknown" */
	bool steal_reported; /* whether this kernel accounts steal at all */
	uint32_t nr_cpus_possible, nr_cpus_online;
	uint32_t user_hz;
	int64_t realtime_offset_ns; /* CLOCK_REALTIME - CLOCK_MONOTONIC at the start */
	int32_t utc_offset_s;	    /* of the recording machine: reports print its local time */
	char time_zone[16];
	uint64_t start_ts_ns; /* CLOCK_MONOTONIC */
	char source[16];      /* "bpf" "procfs" */
	char source_reason[1000]; /* why auto did not take a better one; "" = it did */
	unsigned nr_probes;
	struct tt_probe_info probes[TT_INFO_NR_PROBES];
	char unwind[8];	      /* user stacks by "fp" or "dwarf"; "" = there are none */
	char command[512];    /* record -- CMD..., escaped, cut */
	/* default view of the report, from record's -p, --cgroup, --device, --cpu */
	char filter_pid[16], filter_cgroup[256], filter_device[32], filter_cpu[256];
};

struct tt_summary {
	uint64_t start_ts_ns, end_ts_ns;
	uint64_t nr_events;		/* switches, marks and records in the file */
	uint64_t nr_lost[TT_LOSS_NR];
	uint64_t wire_bytes, file_bytes;
	uint64_t prog_ns, prog_runs;	/* BPF programs; 0 when the kernel does not count */
	uint64_t cpu_user_ns, cpu_system_ns, peak_rss_bytes, ring_bytes;
	char ended_by[32];		/* "duration" "command" "signal" "max-size" "disk full" "error" */
	int32_t command_status;		/* wait status of CMD, -1 = none */
};

/* Fills everything about this host (not source, probes, filters). root is "" or a directory that holds proc/ and sys/. */
void tt_info_fill_host(struct tt_info *info, const char *root);

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/export/pftrace_head.h"

#include <stdio.h>

#include "collector/base/escape.h"

enum { CLOCK_ID_REALTIME = 1, CLOCK_ID_MONOTONIC = 3, CLOCK_ID_BOOTTIME = 6, SAFE_MAX = 4 * 160 };

static void put_clocks(struct tt_pftrace *t, const struct tt_info *info)
{
	uint64_t ts_ns = info->start_ts_ns;
	int64_t realtime_ns = 0;
	Pftrace__ClockSnapshot__Clock clocks[3], *clocks_at[3];
	const uint32_t ids[3] = { CLOCK_ID_BOOTTIME, CLOCK_ID_MONOTONIC, CLOCK_ID_REALTIME };
	Pftrace__ClockSnapshot snapshot = PFTRACE__CLOCK_SNAPSHOT__INIT;
	Pftrace__TracePacket packet = PFTRACE__TRACE_PACKET__INIT;

	snapshot.n_clocks = 3;
	if (ts_ns > INT64_MAX ||
	    __builtin_add_overflow((int64_t)ts_ns, info->realtime_offset_ns, &realtime_ns) || realtime_ns < 0)
		snapshot.n_clocks = 2; /* fields come from a file */
	for (unsigned i = 0; i < snapshot.n_clocks; i++) {
		pftrace__clock_snapshot__clock__init(&clocks[i]);
		clocks[i].has_clock_id = clocks[i].has_timestamp = true;
		clocks[i].clock_id = ids[i];
		clocks[i].timestamp = ids[i] == CLOCK_ID_REALTIME ? (uint64_t)realtime_ns : ts_ns;
		clocks_at[i] = &clocks[i];
	}
	snapshot.clocks = clocks_at;
	packet.clock_snapshot = &snapshot;
	tt_pftrace_put(t, &packet);
}

static void put_system(struct tt_pftrace *t, const struct tt_info *info)
{
	Pftrace__SystemInfo__Utsname utsname = PFTRACE__SYSTEM_INFO__UTSNAME__INIT;
	Pftrace__SystemInfo system = PFTRACE__SYSTEM_INFO__INIT;
	Pftrace__TracePacket packet = PFTRACE__TRACE_PACKET__INIT;
	char version[SAFE_MAX], release[SAFE_MAX], machine[SAFE_MAX], tool[SAFE_MAX], named[64];

	snprintf(named, sizeof(named), "timethief %s", info->tool_version);
	utsname.sysname = (char *)"Linux";
	utsname.version =
		tt_escape(version, sizeof(version), info->kernel_version, sizeof(info->kernel_version));
	utsname.release =
		tt_escape(release, sizeof(release), info->kernel_release, sizeof(info->kernel_release));
	utsname.machine = tt_escape(machine, sizeof(machine), info->arch, sizeof(info->arch));
	system.utsname = &utsname;
	system.tracing_service_version = tt_escape(tool, sizeof(tool), named, sizeof(named));
	system.has_hz = system.has_timezone_off_mins = system.has_num_cpus = true;
	system.hz = info->user_hz;
	system.timezone_off_mins = info->utc_offset_s / 60;
	system.num_cpus = info->nr_cpus_possible;
	packet.system_info = &system;
	tt_pftrace_put(t, &packet);
}

static void put_groups(struct tt_pftrace *t)
{
	static const struct {
		enum tt_pf_group group;
		const char *name, *description;
	} groups[] = {
		{ TT_PF_RECORDING, "timethief", "What was recorded, and what was lost" },
		{ TT_PF_STEALS, "Steal",
		  "Time that the hypervisor did not run a CPU. A gap lies at the end of the stretch in which "
		  "it was first seen" },
		{ TT_PF_QUEUES, "Run queue", "Tasks that wait for a CPU, where they were queued first" },
		{ TT_PF_DISKS, "Disks", "Requests from start to completion, as /proc/diskstats counts them" },
	};

	for (unsigned i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
		struct tt_pf_track_options opts = {
			.uuid = tt_pf_uuid(TT_PF_GROUP, groups[i].group),
			.name = groups[i].name,
			.description = groups[i].description,
			.rank = (int32_t)i,
		};

		tt_pftrace_track(t, &opts);
	}
}

/* Not before what is looked at: the time line would begin there. */
static void put_session(struct tt_pftrace *t, const struct tt_info *info, uint64_t from_ts_ns)
{
	char probes[512] = "";
	size_t len = 0;
	struct tt_pf_event event = {
		.track = tt_pf_uuid(TT_PF_GROUP, TT_PF_RECORDING),
		.category = TT_PF_CAT_RECORDING,
		.name = "recording began",
		.ts_ns = from_ts_ns > info->start_ts_ns ? from_ts_ns : info->start_ts_ns,
	};

	tt_pf_add_text(&event, "host", info->hostname);
	tt_pf_add_text(&event, "kernel", info->kernel_release);
	tt_pf_add_text(&event, "hypervisor", info->hypervisor);
	tt_pf_add_text(&event, "steal_reported", info->steal_reported ? "yes" : "no");
	tt_pf_add_text(&event, "boot_id", info->boot_id);
	tt_pf_add_text(&event, "tool_version", info->tool_version);
	tt_pf_add_text(&event, "source", info->source);
	tt_pf_add_text(&event, "command", info->command);
	for (unsigned i = 0; i < info->nr_probes && i < TT_INFO_NR_PROBES && len < sizeof(probes); i++) {
		const struct tt_probe_info *probe = &info->probes[i];

		len += (size_t)snprintf(probes + len, sizeof(probes) - len, "%s%s: %s", len ? ", " : "",
					probe->probe, probe->rung[0] ? probe->rung : "not recorded");
	}
	tt_pf_add_text(&event, "probes", probes);
	tt_pftrace_instant(t, &event);
}

void tt_pftrace_head(struct tt_pftrace *t, const struct tt_info *info, uint64_t from_ts_ns)
{
	tt_pftrace_begin(t);
	put_clocks(t, info);
	put_system(t, info);
	put_groups(t);
	put_session(t, info, from_ts_ns);
}

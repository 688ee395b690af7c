/* SPDX-License-Identifier: GPL-2.0-or-later */
/* map_event - what the kernel tells of processes and what they map: one record of a perf ring, decoded; include/uapi/linux/perf_event.h.
 *
 * For events opened with the attributes of tt_map_event_attr. Pure; trusts nothing in the bytes.
 */
#pragma once

#include <linux/perf_event.h>

#include "collector/base/slice.h"

enum tt_map_event_kind {
	TT_MAP_EVENT_MAP = 1, /* executable memory; earlier mappings in its range are gone */
	TT_MAP_EVENT_FORK,    /* a process; threads are TT_MAP_EVENT_THREAD */
	TT_MAP_EVENT_THREAD,
	TT_MAP_EVENT_EXEC,
	TT_MAP_EVENT_EXIT, /* of the thread that the process is called after */
	TT_MAP_EVENT_LOST, /* nr_lost events of this ring found no room */
};

struct tt_map_event {
	enum tt_map_event_kind kind;
	uint32_t pid;
	uint32_t parent_pid; /* FORK */
	uint64_t ts_ns;	     /* CLOCK_MONOTONIC */
	uint64_t nr_lost;

	/* MAP */
	uint64_t start, end, offset; /* offset: of start in the file */
	uint32_t major, minor;	     /* of the file */
	uint64_t ino, generation;
	struct tt_slice path; /* as the process sees it; "//anon", "[vdso]" */
};

/* Without build_id: of a mapping that one event wants with it, the kernel marks the records for all others as having one, too (the misc bits of
 * perf_event_mmap_output are never taken back). perf 6.1 crashes on such a recording made at the same time. */
struct perf_event_attr tt_map_event_attr(void);

/* One record with its header, len bytes. 1 = *ret is an event, 0 = nothing that matters here, -EBADMSG = not of the form. */
int tt_map_event_decode(const void *record, size_t len, struct tt_map_event *ret);

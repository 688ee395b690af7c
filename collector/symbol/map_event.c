/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/symbol/map_event.h"

#include <errno.h>
#include <string.h>
#include <time.h>

/* What sample_id_all appends to every record. */
struct trailer {
	uint32_t pid, tid;
	uint64_t time_ns;
	uint32_t cpu, reserved;
};

struct task_body { /* FORK, EXIT */
	uint32_t pid, parent_pid, tid, parent_tid;
	uint64_t time_ns;
};

struct lost_body {
	uint64_t id, nr;
};

struct mmap2_body {
	uint32_t pid, tid;
	uint64_t start, len, offset;
	uint32_t major, minor;
	uint64_t ino, generation;
	uint32_t prot, flags;
	/* char path[]: NUL-padded to 8 */
};

struct comm_body {
	uint32_t pid, tid;
	/* char comm[] */
};

struct perf_event_attr tt_map_event_attr(void)
{
	return (struct perf_event_attr){
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(struct perf_event_attr),
		.config = PERF_COUNT_SW_DUMMY,
		.sample_type = PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_CPU,
		.mmap = 1,
		.mmap2 = 1,
		.comm = 1,
		.comm_exec = 1,
		.task = 1,
		.sample_id_all = 1,
		.use_clockid = 1,
		.clockid = CLOCK_MONOTONIC,
		.exclude_kernel = 1,
		.exclude_hv = 1,
	};
}

static int decode_map(const char *body, size_t len, struct tt_map_event *ret)
{
	struct mmap2_body map;

	if (len < sizeof(map))
		return -EBADMSG;
	memcpy(&map, body, sizeof(map));
	if (__builtin_add_overflow(map.start, map.len, &ret->end))
		return -EBADMSG;
	ret->kind = TT_MAP_EVENT_MAP;
	ret->pid = map.pid;
	ret->start = map.start;
	ret->offset = map.offset;
	ret->major = map.major;
	ret->minor = map.minor;
	ret->ino = map.ino;
	ret->generation = map.generation;
	ret->path.text = body + sizeof(map);
	ret->path.len = strnlen(ret->path.text, len - sizeof(map));
	return map.len > 0;
}

static int decode_task(const char *body, size_t len, bool is_exit, struct tt_map_event *ret)
{
	struct task_body task;

	if (len < sizeof(task))
		return -EBADMSG;
	memcpy(&task, body, sizeof(task));
	ret->pid = task.pid;
	ret->parent_pid = task.parent_pid;
	if (is_exit) {
		ret->kind = TT_MAP_EVENT_EXIT;
		return task.pid == task.tid;
	}
	ret->kind = task.pid == task.parent_pid ? TT_MAP_EVENT_THREAD : TT_MAP_EVENT_FORK;
	return 1;
}

static int decode_exec(const char *body, size_t len, struct tt_map_event *ret)
{
	struct comm_body comm;

	if (len < sizeof(comm))
		return -EBADMSG;
	memcpy(&comm, body, sizeof(comm));
	ret->kind = TT_MAP_EVENT_EXEC;
	ret->pid = comm.pid;
	return 1;
}

static int decode_lost(const char *body, size_t len, struct tt_map_event *ret)
{
	struct lost_body lost;

	if (len < sizeof(lost))
		return -EBADMSG;
	memcpy(&lost, body, sizeof(lost));
	ret->kind = TT_MAP_EVENT_LOST;
	ret->nr_lost = lost.nr;
	return 1;
}

int tt_map_event_decode(const void *record, size_t len, struct tt_map_event *ret)
{
	const char *body = (const char *)record + sizeof(struct perf_event_header);
	struct perf_event_header head;
	struct trailer trailer;

	if (len < sizeof(head) + sizeof(trailer))
		return -EBADMSG;
	memcpy(&head, record, sizeof(head));
	memcpy(&trailer, (const char *)record + len - sizeof(trailer), sizeof(trailer));
	len -= sizeof(head) + sizeof(trailer);
	*ret = (struct tt_map_event){ .ts_ns = trailer.time_ns };
	switch (head.type) {
	case PERF_RECORD_MMAP2: /* PERF_RECORD_MISC_MMAP_BUILD_ID may be set, but that is never ours */
		return decode_map(body, len, ret);
	case PERF_RECORD_FORK:
	case PERF_RECORD_EXIT:
		return decode_task(body, len, head.type == PERF_RECORD_EXIT, ret);
	case PERF_RECORD_COMM:
		return head.misc & PERF_RECORD_MISC_COMM_EXEC ? decode_exec(body, len, ret) : 0;
	case PERF_RECORD_LOST:
		return decode_lost(body, len, ret);
	default:
		return 0;
	}
}

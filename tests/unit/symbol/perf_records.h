/* SPDX-License-Identifier: GPL-2.0-or-later */
/* perf_records - records of a perf ring as the kernel writes them; include/uapi/linux/perf_event.h. */
#pragma once

#include <linux/perf_event.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define PERF_TIME 123456789ull

struct perf_bytes {
	size_t len;
	_Alignas(8) unsigned char bytes[512];
};

static inline void perf_begin(struct perf_bytes *b, uint32_t type, uint16_t misc)
{
	const struct perf_event_header head = { .type = type, .misc = misc };

	memset(b, 0, sizeof(*b));
	memcpy(b->bytes, &head, sizeof(head));
	b->len = sizeof(head);
}

static inline void perf_put(struct perf_bytes *b, const void *bytes, size_t len)
{
	memcpy(b->bytes + b->len, bytes, len);
	b->len += len;
}

static inline void perf_put_u32(struct perf_bytes *b, uint32_t value)
{
	perf_put(b, &value, sizeof(value));
}

static inline void perf_put_u64(struct perf_bytes *b, uint64_t value)
{
	perf_put(b, &value, sizeof(value));
}

/* What sample_id_all appends: TID, TIME, CPU. */
static inline void perf_end(struct perf_bytes *b, uint32_t pid)
{
	b->len = (b->len + 7) & ~(size_t)7;
	perf_put_u32(b, pid);
	perf_put_u32(b, pid);
	perf_put_u64(b, PERF_TIME);
	perf_put_u64(b, 1);
	((struct perf_event_header *)b->bytes)->size = (uint16_t)b->len;
}

static inline void perf_mmap2(struct perf_bytes *b, uint32_t pid, uint64_t start, uint64_t len,
			      uint64_t offset, const char *path)
{
	perf_begin(b, PERF_RECORD_MMAP2, PERF_RECORD_MISC_USER);
	perf_put_u32(b, pid);
	perf_put_u32(b, pid);
	perf_put_u64(b, start);
	perf_put_u64(b, len);
	perf_put_u64(b, offset);
	perf_put_u32(b, 8);
	perf_put_u32(b, 1);
	perf_put_u64(b, 123);
	perf_put_u64(b, 9);
	perf_put_u32(b, 5);
	perf_put_u32(b, 2);
	perf_put(b, path, strlen(path) + 1);
	perf_end(b, pid);
}

static inline void perf_task(struct perf_bytes *b, uint32_t type, uint32_t pid, uint32_t parent_pid,
			     uint32_t tid)
{
	perf_begin(b, type, 0);
	perf_put_u32(b, pid);
	perf_put_u32(b, parent_pid);
	perf_put_u32(b, tid);
	perf_put_u32(b, parent_pid);
	perf_put_u64(b, PERF_TIME);
	perf_end(b, pid);
}

static inline void perf_comm(struct perf_bytes *b, uint32_t pid, bool is_exec)
{
	perf_begin(b, PERF_RECORD_COMM, is_exec ? PERF_RECORD_MISC_COMM_EXEC : 0);
	perf_put_u32(b, pid);
	perf_put_u32(b, pid);
	perf_put(b, "true", 5);
	perf_end(b, pid);
}

static inline void perf_lost(struct perf_bytes *b, uint64_t nr)
{
	perf_begin(b, PERF_RECORD_LOST, 0);
	perf_put_u64(b, 1);
	perf_put_u64(b, nr);
	perf_end(b, 0);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/symbol/map_event.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <string.h>

#include "tests/unit/symbol/perf_records.h"

static struct tt_map_event event;

static int decode(const struct perf_bytes *b)
{
	return tt_map_event_decode(b->bytes, b->len, &event);
}

Test(map_event, a_mapping_with_device_and_inode)
{
	struct perf_bytes b;

	perf_mmap2(&b, 77, 0x1000, 0x2000, 0x3000, "/bin/true");
	cr_assert(eq(int, decode(&b), 1));
	cr_expect(eq(int, event.kind, TT_MAP_EVENT_MAP));
	cr_expect(eq(u32, event.pid, 77));
	cr_expect(eq(u64, event.start, 0x1000));
	cr_expect(eq(u64, event.end, 0x3000));
	cr_expect(eq(u64, event.offset, 0x3000));
	cr_expect(eq(u32, event.major, 8));
	cr_expect(eq(u32, event.minor, 1));
	cr_expect(eq(u64, event.ino, 123));
	cr_expect(eq(u64, event.generation, 9));
	cr_expect(tt_slice_is(event.path, "/bin/true"));
	cr_expect(eq(u64, event.ts_ns, PERF_TIME));
}

Test(map_event, a_mapping_that_is_marked_for_others)
{
	struct perf_bytes b;

	perf_mmap2(&b, 77, 0x1000, 0x2000, 0, "/bin/true");
	((struct perf_event_header *)b.bytes)->misc |= PERF_RECORD_MISC_MMAP_BUILD_ID;
	cr_assert(eq(int, decode(&b), 1));
	cr_expect(eq(u64, event.ino, 123));
	cr_expect(eq(u64, event.generation, 9));
	cr_expect(not(tt_map_event_attr().build_id));
}

Test(map_event, processes_and_threads)
{
	struct perf_bytes b;

	perf_task(&b, PERF_RECORD_FORK, 80, 77, 80);
	cr_assert(eq(int, decode(&b), 1));
	cr_expect(eq(int, event.kind, TT_MAP_EVENT_FORK));
	cr_expect(eq(u32, event.pid, 80));
	cr_expect(eq(u32, event.parent_pid, 77));
	perf_task(&b, PERF_RECORD_FORK, 80, 80, 81);
	cr_assert(eq(int, decode(&b), 1));
	cr_expect(eq(int, event.kind, TT_MAP_EVENT_THREAD));
	perf_task(&b, PERF_RECORD_EXIT, 80, 77, 80);
	cr_assert(eq(int, decode(&b), 1));
	cr_expect(eq(int, event.kind, TT_MAP_EVENT_EXIT));
	perf_task(&b, PERF_RECORD_EXIT, 80, 77, 81);
	cr_expect(eq(int, decode(&b), 0), "a thread's exit matters not");
	perf_comm(&b, 80, true);
	cr_assert(eq(int, decode(&b), 1));
	cr_expect(eq(int, event.kind, TT_MAP_EVENT_EXEC));
	cr_expect(eq(u32, event.pid, 80));
	perf_comm(&b, 80, false);
	cr_expect(eq(int, decode(&b), 0), "a new name is no exec");
	perf_lost(&b, 42);
	cr_assert(eq(int, decode(&b), 1));
	cr_expect(eq(int, event.kind, TT_MAP_EVENT_LOST));
	cr_expect(eq(u64, event.nr_lost, 42));
}

Test(map_event, what_is_too_short_is_refused)
{
	struct perf_bytes b;

	perf_mmap2(&b, 77, 0x1000, 0x2000, 0x3000, "/bin/true");
	for (size_t len = 0; len < 8 + 24 + 64; len++) {
		b.len = len;
		cr_expect(eq(int, decode(&b), -EBADMSG), "%zu", len);
	}
	perf_mmap2(&b, 77, UINT64_MAX - 0xfff, 0x2000, 0, "/bin/true");
	cr_expect(eq(int, decode(&b), -EBADMSG), "beyond the address space");
	perf_mmap2(&b, 77, 0x1000, 0, 0, "/bin/true");
	cr_expect(eq(int, decode(&b), 0), "nothing is mapped");
}

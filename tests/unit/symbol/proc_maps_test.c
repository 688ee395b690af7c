/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/symbol/proc_maps.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

static bool parse(const char *text, struct tt_proc_map *ret)
{
	const char *pos = text;

	return tt_proc_next_map(&pos, text + strlen(text), ret);
}

Test(proc_maps, a_line_is_range_rights_offset_file_and_path)
{
	struct tt_proc_map map;

	cr_assert(parse("7f37c7400000-7f37c7556000 r-xp 00026000 fe:01 265143                     "
			"/usr/lib/libc.so.6\n",
			&map));
	cr_expect(eq(u64, map.start, 0x7f37c7400000));
	cr_expect(eq(u64, map.end, 0x7f37c7556000));
	cr_expect(eq(u64, map.offset, 0x26000));
	cr_expect(eq(u64, map.ino, 265143));
	cr_expect(eq(u32, map.major, 0xfe));
	cr_expect(eq(u32, map.minor, 1));
	cr_expect(map.is_executable);
	cr_expect(tt_slice_is(map.path, "/usr/lib/libc.so.6"));

	cr_assert(parse("7ffe00000000-7ffe00021000 rw-p 00000000 00:00 0 \n", &map));
	cr_expect(not(map.is_executable));
	cr_expect(eq(sz, map.path.len, 0), "anonymous");
	cr_assert(parse("ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]",
			&map));
	cr_expect(tt_slice_is(map.path, "[vsyscall]"));
	cr_assert(parse("1-2 r-xp 0 0:0 5 /a b  c", &map));
	cr_expect(tt_slice_is(map.path, "/a b  c"), "blanks are part of a name");
}

Test(proc_maps, lines_of_another_form_are_skipped)
{
	static const char text[] = "\nnonsense\n2-1 r-xp 0 0:0 5 /backwards\n1-2 r-x 0 0:0 5 /short\n"
				   "1-2 r-xp 0 0:0 x /number\n1-2 r-xp 0 100000000:0 5 "
				   "/major\n10000000000000000-2 r-xp 0 0:0 5\n"
				   "3-4 r-xp 0 0:0 5 /good";
	const char *pos = text;
	struct tt_proc_map map;

	cr_assert(tt_proc_next_map(&pos, text + strlen(text), &map));
	cr_expect(tt_slice_is(map.path, "/good"));
	cr_expect(not(tt_proc_next_map(&pos, text + strlen(text), &map)));
}

Test(proc_maps, a_path_loses_its_escapes_and_what_was_appended)
{
	static const char text[] = "/tmp/a\\012b (deleted)";
	char path[64];
	bool is_deleted;
	size_t len =
		tt_proc_map_path((struct tt_slice){ text, strlen(text) }, path, sizeof(path), &is_deleted);

	cr_expect(eq(sz, len, 8));
	cr_expect(eq(int, memcmp(path, "/tmp/a\nb", 8), 0));
	cr_expect(is_deleted);
	cr_expect(eq(sz, tt_proc_map_path((struct tt_slice){ text, strlen(text) }, path, 3, NULL), 3), "cut");
	tt_proc_map_path((struct tt_slice){ " (deleted)", 10 }, path, sizeof(path), &is_deleted);
	cr_expect(not(is_deleted), "a name of nothing else");
}

Test(proc_maps, status_tells_the_innermost_pid_and_the_effective_user)
{
	static const char text[] = "Name:\tnode\nUid:\t1000\t1001\t1002\t1003\nNSpid:\t4711\t88\t1\n";
	uint32_t value;

	cr_assert(tt_proc_status_ns_pid(text, strlen(text), &value));
	cr_expect(eq(u32, value, 1));
	cr_assert(tt_proc_status_uid(text, strlen(text), &value));
	cr_expect(eq(u32, value, 1001));
	cr_expect(not(tt_proc_status_ns_pid("Name:\tx\n", 8, &value)));
	cr_expect(not(tt_proc_status_ns_pid("NSpid:\t\n", 8, &value)));
	cr_expect(not(tt_proc_status_uid("Uid:\t7\n", 7, &value)));
}

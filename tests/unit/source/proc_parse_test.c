/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/source/proc_parse.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <string.h>

static bool next_disk(const char *line, struct tt_disk_counters *ret)
{
	return tt_proc_next_disk(&line, line + strlen(line), ret);
}

Test(proc_parse, cpu_lines_are_those_with_a_number)
{
	static const char text[] = "cpu  9 9 9 9\ncpu0 1 2 3 4 5 6 7 8 9 10 11\ncpu2 1 2 3 4\nintr 5\n";
	const char *pos = text, *end = text + sizeof(text) - 1;
	struct tt_cpu_counters c;

	cr_assert(tt_proc_next_cpu(&pos, end, &c));
	cr_expect(eq(u32, c.rec.cpu, 0));
	cr_expect(eq(u64, c.ticks[TT_STAT_STEAL], 8));
	cr_expect(eq(u64, c.ticks[9], 10));
	cr_assert(tt_proc_next_cpu(&pos, end, &c));
	cr_expect(eq(u32, c.rec.cpu, 2), "cpu1 is offline");
	cr_expect(eq(u64, c.ticks[TT_STAT_STEAL], 0), "a kernel before 2.6.11 has no such column");
	cr_expect(not(tt_proc_next_cpu(&pos, end, &c)));
}

Test(proc_parse, cpu_lines_that_are_not_of_the_form_are_skipped)
{
	static const char *const lines[] = { "cpu",
					     "cpu0",
					     "cpu0 1 2 3",
					     "cpu0 1 2 3 -4",
					     "cpu65535 1 2 3 4",
					     "cpu1x 1 2 3 4",
					     "cpu0 1 2 3 99999999999999999999" };
	struct tt_cpu_counters c;

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		const char *pos = lines[i];

		cr_expect(not(tt_proc_next_cpu(&pos, pos + strlen(pos), &c)), "%s", lines[i]);
	}
}

Test(proc_parse, diskstats_of_every_kernel)
{
	struct tt_disk_counters c;

	cr_assert(next_disk(" 8 16 sdb 1 2 3 4 5 6 7 8 9 10 11\n", &c));
	cr_expect(eq(u32, c.dev, 8 << 20 | 16));
	cr_expect(eq(u64, c.ios[TT_DISK_READ], 1));
	cr_expect(eq(u64, c.merges[TT_DISK_WRITE], 6));
	cr_expect(eq(u32, c.in_flight, 9));
	cr_expect(eq(u32, c.io_ticks_ms, 10));
	cr_expect(eq(u32, c.time_in_queue_ms, 11));

	cr_assert(next_disk(" 8 16 sdb 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15\n", &c));
	cr_expect(eq(u64, c.ios[TT_DISK_DISCARD], 12));
	cr_expect(eq(u64, c.ios[TT_DISK_FLUSHES], 0));

	cr_assert(next_disk(" 8 16 sdb 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18\n", &c));
	cr_expect(eq(u64, c.sectors[TT_DISK_DISCARD], 14));
	cr_expect(eq(u64, c.ios[TT_DISK_FLUSHES], 16));
	cr_expect(eq(u32, c.ticks_ms[TT_DISK_FLUSHES], 17));
}

Test(proc_parse, half_a_group_of_diskstats_is_none)
{
	struct tt_disk_counters c;

	cr_assert(next_disk("8 0 sda 1 2 3 4 5 6 7 8 9 10 11 12 13", &c));
	cr_expect(eq(u64, c.ios[TT_DISK_DISCARD], 0));
	cr_expect(eq(u64, c.merges[TT_DISK_DISCARD], 0));
	cr_assert(next_disk("8 0 sda 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16", &c));
	cr_expect(eq(u64, c.ios[TT_DISK_DISCARD], 12));
	cr_expect(eq(u64, c.ios[TT_DISK_FLUSHES], 0));
}

Test(proc_parse, diskstats_milliseconds_wrap_at_32_bits_and_names_are_cut)
{
	struct tt_disk_counters c;

	cr_assert(
		next_disk("8 0 a_name_that_is_longer_than_thirty_one_bytes 1 2 3 4294967301 5 6 7 8 9 10 11",
			  &c));
	cr_expect(eq(u32, c.ticks_ms[TT_DISK_READ], 5));
	cr_expect(eq(sz, strlen(c.name), TT_DISK_NAME_LEN - 1));
}

Test(proc_parse, diskstats_lines_that_are_not_of_the_form_are_skipped)
{
	static const char *const lines[] = { "",
					     "8 0",
					     "8 0 sda",
					     "8 1 sda1 1 2 3 4",
					     "8 0 a b 1 2 3 4 5 6 7 8 9 10 11",
					     "4096 0 sda 1 2 3 4 5 6 7 8 9 10 11",
					     "8 1048576 s 1 2 3 4 5 6 7 8 9 10 11",
					     "8 0 sda 1 2 3 4 5 6 7 8 -9 10 11" };
	struct tt_disk_counters c;

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		cr_expect(not(next_disk(lines[i], &c)), "%s", lines[i]);
}

Test(proc_parse, schedstat_has_three_numbers)
{
	struct tt_proc_schedstat s = { 0 };

	cr_expect(eq(int, tt_proc_parse_schedstat("1000 200 3\n", 11, &s), 0));
	cr_expect(eq(u64, s.run_delay_ns, 200));
	cr_expect(eq(int, tt_proc_parse_schedstat("1000 200\n3\n", 11, &s), -EINVAL));
	cr_expect(eq(int, tt_proc_parse_schedstat("", 0, &s), -EINVAL));
	cr_expect(eq(int, tt_proc_parse_schedstat("1000 200 3", 8, &s), -EINVAL),
		  "the text ends where it ends");
	cr_expect(eq(u64, s.run_delay_ns, 200), "written on success only");
}

static int parse_stat(const char *text, struct tt_proc_task_stat *ret)
{
	return tt_proc_parse_task_stat(text, strlen(text), ret);
}

#define STAT_REST(flags) " S 1 1 1 0 -1 " flags " 0 0 0 0 5 6 0 0 20 0 1 0 5000 1000 10\n"

Test(proc_parse, a_task_name_may_hold_parentheses_and_newlines)
{
	struct tt_proc_task_stat s;

	cr_assert(eq(int, parse_stat("42 (a) R 7 (\n)b)" STAT_REST("0"), &s), 0));
	cr_expect(eq(u32, s.tid, 42));
	cr_expect(eq(u32, s.parent_pid, 1));
	cr_expect(eq(u64, s.start_ticks, 5000));
	cr_expect(eq(int, memcmp(s.comm, "a) R 7 (\n)b\0\0\0\0", TT_COMM_LEN), 0));
}

Test(proc_parse, names_are_as_the_probes_see_them)
{
	struct tt_proc_task_stat s;

	cr_assert(eq(int, parse_stat("7 (kworker/0:1-events)" STAT_REST("69238880"), &s), 0));
	cr_expect(eq(str, s.comm, "kworker/0:1"));
	cr_expect(eq(u32, s.flags & TT_PF_KTHREAD, TT_PF_KTHREAD));
	cr_assert(eq(int, parse_stat("7 (kworker/R-mm_percpu_wq)" STAT_REST("69238880"), &s), 0));
	cr_expect(eq(str, s.comm, "kworker/R-mm_pe"), "its own dash stays, 15 bytes are left");
	cr_assert(eq(int, parse_stat("7 (my-program)" STAT_REST("4194304"), &s), 0));
	cr_expect(eq(str, s.comm, "my-program"), "only kworkers are cut");
}

Test(proc_parse, a_task_stat_that_is_cut_is_refused)
{
	static const char whole[] = "42 (name) S 1 1 1 0 -1 0 0 0 0 0 5 6 0 0 20 0 1 0 5000 1000";
	struct tt_proc_task_stat s;

	for (size_t len = 0; len < sizeof("42 (name) S 1 1 1 0 -1 0 0 0 0 0 5 6 0 0 20 0 1 0 ") - 1; len++)
		cr_expect(eq(int, tt_proc_parse_task_stat(whole, len, &s), -EINVAL), "%zu bytes", len);
	cr_expect(eq(int, parse_stat(")42(" STAT_REST("0"), &s), -EINVAL));
	cr_expect(eq(int, parse_stat("-1 (a)" STAT_REST("0"), &s), -EINVAL));
}

Test(proc_parse, cgroup_lines_of_both_versions)
{
	static const char text[] =
		"garbage\n4:cpu,cpuacct:/docker/a:b\n3:cpuset:/x\n1:name=systemd:/\n0::/web.slice\n5:cpu\n";
	const char *pos = text, *end = text + sizeof(text) - 1;
	struct tt_proc_cgroup_line line;

	cr_assert(tt_proc_next_cgroup(&pos, end, &line));
	cr_expect(line.is_v1_cpu && !line.is_v2);
	cr_expect(tt_slice_is(line.path, "/docker/a:b"));
	cr_assert(tt_proc_next_cgroup(&pos, end, &line));
	cr_expect(not(line.is_v1_cpu), "cpuset is not cpu");
	cr_assert(tt_proc_next_cgroup(&pos, end, &line));
	cr_assert(tt_proc_next_cgroup(&pos, end, &line));
	cr_expect(line.is_v2 && tt_slice_is(line.path, "/web.slice"));
	cr_expect(not(tt_proc_next_cgroup(&pos, end, &line)));
}

Test(proc_parse, mount_lines_with_any_number_of_optional_fields)
{
	static const char text[] = "1 2 0:3 / /plain rw - cgroup2 none rw,nsdelegate\n"
				   "1 2 0:3 /a /with\\040blank rw shared:1 master:2 - cgroup cgroup rw,cpu\n"
				   "1 2 0:3 / /cut rw shared:1\n";
	const char *pos = text, *end = text + sizeof(text) - 1;
	struct tt_proc_mount m;
	char path[12];

	cr_assert(tt_proc_next_mount(&pos, end, &m));
	cr_expect(tt_slice_is(m.fs_type, "cgroup2") && tt_slice_is(m.super_options, "rw,nsdelegate"));
	cr_assert(tt_proc_next_mount(&pos, end, &m));
	cr_expect(tt_slice_is(m.root, "/a") && tt_slice_has_item(m.super_options, "cpu"));
	cr_expect(tt_proc_unescape(m.mount_point, path, sizeof(path)));
	cr_expect(eq(str, path, "/with blank"));
	cr_expect(not(tt_proc_unescape(m.mount_point, path, sizeof(path) - 1)), "no room");
	cr_expect(not(tt_proc_next_mount(&pos, end, &m)));
}

Test(proc_parse, an_escaped_nul_does_not_end_a_path)
{
	struct tt_slice s = { "/a\\000b", 7 };
	char path[16];

	cr_expect(not(tt_proc_unescape(s, path, sizeof(path))));
}

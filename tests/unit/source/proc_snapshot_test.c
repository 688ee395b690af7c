/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/source/proc_snapshot.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/source/collect.h"

TestSuite(proc_snapshot, .init = forget_collected);

static void fill_steal(void *ctx, struct tt_cpu_counters *c)
{
	c->steal_clock_ns = *(uint64_t *)ctx + c->rec.cpu;
}

Test(proc_snapshot, cpu_counters_are_the_lines_of_stat)
{
	uint64_t base_ns = 1000;
	const struct tt_cpu_counters *c;

	cr_assert(eq(int,
		     tt_proc_emit_cpu_counters(FIXTURES "hostile/t0", &collect_sink, fill_steal, &base_ns),
		     0));
	cr_assert(eq(uint, seen.nr_records, 3), "cpu0, cpu2 and cpu8 are of the form");
	c = (const struct tt_cpu_counters *)collected_record(0);
	cr_expect(eq(u64, c->ticks[TT_STAT_STEAL], 40));
	c = (const struct tt_cpu_counters *)collected_record(2);
	cr_expect(eq(u32, c->rec.cpu, 8));
	cr_expect(eq(u64, c->steal_clock_ns, 1008));
}

Test(proc_snapshot, a_missing_file_is_its_errno)
{
	cr_expect(eq(int, tt_proc_emit_cpu_counters(FIXTURES "hostile/t1", &collect_sink, NULL, NULL),
		     -ENOENT));
	cr_expect(eq(int, tt_proc_emit_cpu_counters(FIXTURES "nowhere", &collect_sink, NULL, NULL), -ENOENT));
	cr_expect(eq(uint, seen.nr_batches, 0));
}

Test(proc_snapshot, the_sinks_error_comes_back)
{
	seen.fail_with = -ENOSPC;
	cr_expect(eq(int, tt_proc_emit_cpu_counters(FIXTURES "kvm-2cpu/t0", &collect_sink, NULL, NULL),
		     -ENOSPC));
}

Test(proc_snapshot, counters_of_a_real_guest_grow)
{
	uint64_t before, after;

	cr_assert(eq(int, tt_proc_emit_disk_counters(FIXTURES "kvm-2cpu/t0", &collect_sink, 254 << 20, NULL),
		     0));
	cr_assert(eq(uint, seen.nr_records, 1), "only the disk that was asked for, no name");
	before = find_disk("vda")->ios[TT_DISK_WRITE];
	forget_collected();
	cr_assert(eq(int, tt_proc_emit_disk_counters(FIXTURES "kvm-2cpu/t1", &collect_sink, 254 << 20, NULL),
		     0));
	after = find_disk("vda")->ios[TT_DISK_WRITE];
	cr_expect(ge(u64, after, before));
	cr_expect(gt(u64, before, 0));
}

Test(proc_snapshot, hostile_diskstats)
{
	cr_assert(eq(int, tt_proc_emit_disk_counters(FIXTURES "hostile/t0", &collect_sink, 0, NULL), 0));
	cr_expect(eq(uint, seen.nr_records, 5));
	cr_expect(eq(u64, find_disk("sda")->sectors[TT_DISK_WRITE], 160));
	cr_expect(eq(u32, find_disk("sdb")->in_flight, UINT32_MAX));
	cr_expect(eq(u64, find_disk("nvme0n1")->ios[TT_DISK_READ], 4294967296));
	cr_expect(find_disk("sda1") == NULL, "four fields are not enough");
}

Test(proc_snapshot, a_device_is_named_once_and_again_when_its_name_changes)
{
	struct tt_proc_known_disks *known = calloc(1, sizeof(*known));

	cr_assert(known != NULL);
	cr_assert(eq(int, tt_proc_emit_disk_counters(FIXTURES "hostile/t0", &collect_sink, 0, known), 0));
	cr_expect(eq(uint, count_kind(TT_EV_DEVICE), 5));
	cr_expect(eq(uint, collected_record(0)->kind, TT_EV_DEVICE), "the name comes first");
	forget_collected();
	cr_assert(eq(int, tt_proc_emit_disk_counters(FIXTURES "hostile/t0", &collect_sink, 0, known), 0));
	cr_expect(eq(uint, count_kind(TT_EV_DEVICE), 0));
	forget_collected();
	cr_assert(eq(int, tt_proc_emit_disk_counters(FIXTURES "hostile/t1", &collect_sink, 0, known), 0));
	cr_expect(eq(uint, count_kind(TT_EV_DEVICE), 1));
	cr_expect(find_device("renamed") != NULL);
	free(known);
}

Test(proc_snapshot, devices_from_sysfs)
{
	cr_assert(eq(int, tt_proc_emit_device(FIXTURES "hostile/t0", &collect_sink, 8 << 20, 5), 0));
	cr_assert(find_device("sda") != NULL);
	cr_expect(eq(u64, find_device("sda")->size_sectors, 2048));
	cr_expect(eq(u16, find_device("sda")->rotational, 1));
	cr_expect(eq(u16, find_device("sda")->is_partition, 0));
	cr_expect(eq(u16, find_device("sda")->is_stacked, 0));
	cr_assert(eq(int, tt_proc_emit_device(FIXTURES "hostile/t0", &collect_sink, 252 << 20, 5), 0));
	cr_expect(eq(u16, find_device("dm-0")->is_stacked, 1));
	cr_expect(eq(int, tt_proc_emit_device(FIXTURES "hostile/t0", &collect_sink, 253 << 20, 5), -ENOENT),
		  "no name");
	cr_expect(eq(int, tt_proc_emit_device(FIXTURES "hostile/t0", &collect_sink, 1, 5), -ENOENT));
	forget_collected();
	cr_assert(eq(int, tt_proc_emit_devices(FIXTURES "hostile/t0", &collect_sink), 0));
	cr_expect(eq(uint, seen.nr_records, 5), "every disk has a name, sysfs or not");
}

Test(proc_snapshot, cgroups_of_both_hierarchies)
{
	struct stat st;
	const struct tt_cgroup *c;

	cr_assert(eq(int, tt_proc_emit_cgroups(FIXTURES "hostile/t0", &collect_sink), 0));
	cr_expect(eq(uint, seen.nr_records, 6));
	c = find_cgroup("/web.slice/nginx.service", false);
	cr_assert(c != NULL);
	cr_assert(
		eq(int, stat(FIXTURES "hostile/t0/sys/fs/cgroup/uni fied/web.slice/nginx.service", &st), 0));
	cr_expect(eq(u64, c->id, (uint64_t)st.st_ino));
	cr_expect(find_cgroup("/", false) && find_cgroup("/", true));
	cr_expect(find_cgroup("/docker/3fa1b2c4d5e6", true) != NULL);
}

static unsigned depth_reached;

/* A sink for cgroups: longest path by slashes. */
static int measure_depth(void *ctx, const void *batch, size_t len)
{
	unsigned slashes;

	(void)ctx;
	for (size_t pos = sizeof(struct tt_batch); pos < len;) {
		const struct tt_cgroup *c = (const struct tt_cgroup *)((const char *)batch + pos);

		slashes = 0;
		for (const char *p = c->path; c->rec.kind == TT_EV_CGROUP && *p; p++)
			slashes += *p == '/';
		if (slashes > depth_reached)
			depth_reached = slashes;
		seen.nr_records += c->rec.kind == TT_EV_LOSS;
		pos += c->rec.size;
	}
	return 0;
}

Test(proc_snapshot, deep_cgroups_are_cut_off_and_said)
{
	static const struct tt_sink sink = { NULL, measure_depth, NULL };
	char root[] = "/tmp/tt-cgroups-XXXXXX", path[512], command[64];
	FILE *mountinfo;

	cr_assert(mkdtemp(root) != NULL);
	snprintf(path, sizeof(path), "%s/proc", root);
	cr_assert(eq(int, mkdir(path, 0755), 0));
	strcat(path, "/self");
	cr_assert(eq(int, mkdir(path, 0755), 0));
	strcat(path, "/mountinfo");
	mountinfo = fopen(path, "w");
	cr_assert(mountinfo != NULL);
	fputs("1 2 0:3 / /cg rw - cgroup2 none rw\n", mountinfo);
	fclose(mountinfo);
	snprintf(path, sizeof(path), "%s/cg", root);
	cr_assert(eq(int, mkdir(path, 0755), 0));
	for (int i = 0; i < TT_PROC_CGROUP_DEPTH_MAX + 3; i++) {
		strcat(path, "/d");
		cr_assert(eq(int, mkdir(path, 0755), 0));
	}
	cr_expect(eq(int, tt_proc_emit_cgroups(root, &sink), 0));
	cr_expect(eq(uint, depth_reached, TT_PROC_CGROUP_DEPTH_MAX));
	cr_expect(eq(uint, seen.nr_records, 1), "one loss record");
	snprintf(command, sizeof(command), "rm -r %s", root);
	cr_expect(eq(int, system(command), 0));
}

Test(proc_snapshot, no_hierarchy_is_no_error)
{
	cr_expect(eq(int, tt_proc_emit_cgroups(FIXTURES "hostile/t1", &collect_sink), 0));
	cr_expect(eq(uint, seen.nr_records, 0));
}

Test(proc_snapshot, this_machine_can_be_read)
{
	cr_expect(eq(int, tt_proc_emit_cpu_counters("", &collect_sink, NULL, NULL), 0));
	cr_expect(ge(uint, count_kind(TT_EV_CPU_COUNTERS), 1));
	cr_expect(eq(int, tt_proc_emit_devices("", &collect_sink), 0));
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/source/source.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/source/collect.h"

TestSuite(procfs, .init = forget_collected);

static struct tt_source *open_source(const char *root, struct tt_info *info)
{
	struct tt_source_options opts = { .probes = TT_PROBE_DEFAULT,
					  .interval_ns = 20000000,
					  .proc_root = root };
	struct tt_source *src = NULL;

	cr_assert(eq(int, tt_source_procfs.open(&opts, info, &collect_sink, &src), 0));
	return src;
}

Test(procfs, is_found_by_its_name)
{
	cr_expect(tt_source_find("procfs") == &tt_source_procfs);
	cr_expect(tt_source_find("") == NULL);
}

Test(procfs, one_snapshot_at_start_at_every_interval_and_at_stop)
{
	struct tt_info info = { 0 };
	struct tt_source *src = open_source(FIXTURES "kvm-2cpu/t0", &info);

	cr_expect(eq(uint, info.nr_probes, 3));
	cr_expect(eq(str, info.probes[0].rung, "/proc/stat"));
	cr_assert(eq(int, src->ops->start(src), 0));
	cr_expect(eq(uint, seen.nr_epochs, 1));
	cr_expect(eq(uint, count_kind(TT_EV_CPU_COUNTERS), 2));
	cr_expect(eq(uint, count_kind(TT_EV_TASK), 4));

	cr_assert(eq(int, src->ops->poll(src, 0), 0));
	cr_expect(eq(uint, seen.nr_epochs, 1), "20 ms have not gone by");
	cr_assert(eq(int, src->ops->poll(src, 1000), 0));
	cr_expect(eq(uint, seen.nr_epochs, 2));
	cr_assert(eq(int, src->ops->stop(src), 0));
	cr_expect(eq(uint, seen.nr_epochs, 3));
	cr_expect(eq(uint, count_kind(TT_EV_CPU_COUNTERS), 6));
	cr_expect(find_task(4001, TT_TASK_AT_END) != NULL);
	src->ops->close(src);
}

static void write_stat(const char *root, unsigned user, unsigned steal0, unsigned steal1)
{
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "%s/proc/stat", root);
	f = fopen(path, "w");
	cr_assert(f != NULL);
	fprintf(f, "cpu0 %u 0 0 500 0 0 0 %u 0 0\n", user, steal0);
	if (steal1)
		fprintf(f, "cpu1 %u 0 0 500 0 0 0 %u 0 0\n", user, steal1);
	fclose(f);
}

Test(procfs, a_jump_of_steal_is_told_with_its_cpu)
{
	char root[] = "/tmp/timethief-procfs.XXXXXX", path[64];
	struct tt_source_options opts = { .probes = TT_PROBE_STEAL, .interval_ns = 1, .proc_root = root };
	struct tt_source_stats stats;
	struct tt_info info = { .user_hz = 100 };
	struct tt_source *src = NULL;

	cr_assert(mkdtemp(root) != NULL);
	snprintf(path, sizeof(path), "%s/proc", root);
	cr_assert(eq(int, mkdir(path, 0700), 0));
	write_stat(root, 1000, 10, 10);
	cr_assert(eq(int, tt_source_procfs.open(&opts, &info, &collect_sink, &src), 0));
	cr_assert(eq(int, src->ops->start(src), 0));
	write_stat(root, 1001, 11, 360010); /* an hour */
	cr_assert(eq(int, src->ops->poll(src, 1000), 0));
	write_stat(root, 1002, 12, 0); /* cpu1 goes offline */
	cr_assert(eq(int, src->ops->poll(src, 1000), 0));
	write_stat(root, 1003, 13, 1); /* and comes back anew */
	cr_assert(eq(int, src->ops->poll(src, 1000), 0));
	write_stat(root, 1004, 3, 2); /* a tenth of a second back */
	cr_assert(eq(int, src->ops->stop(src), 0));
	cr_expect(eq(uint, count_kind(TT_EV_LOSS), 2));
	for (unsigned i = 0, nr = 0; i < seen.nr_records; i++) {
		const struct tt_loss *loss = (const struct tt_loss *)collected_record(i);

		if (loss->rec.kind != TT_EV_LOSS)
			continue;
		cr_expect(eq(u32, loss->what, TT_LOSS_JUMP));
		cr_expect(eq(u64, loss->count, 1));
		cr_expect(eq(u32, loss->rec.cpu, nr++ ? 0 : 1));
		cr_expect(lt(u64, loss->since_ts_ns, loss->rec.ts_ns));
	}
	src->ops->stats(src, &stats);
	cr_expect(eq(u64, stats.nr_lost[TT_LOSS_JUMP], 2));
	src->ops->close(src);
	snprintf(path, sizeof(path), "%s/proc/stat", root);
	unlink(path);
	snprintf(path, sizeof(path), "%s/proc", root);
	rmdir(path);
	rmdir(root);
}

Test(procfs, a_failing_sink_stops_it_but_a_later_stop_may_succeed)
{
	struct tt_info info = { 0 };
	struct tt_source *src = open_source(FIXTURES "kvm-2cpu/t0", &info);

	seen.fail_with = -ENOSPC;
	cr_expect(eq(int, src->ops->start(src), -ENOSPC));
	seen.fail_with = 0;
	cr_expect(eq(int, src->ops->stop(src), 0));
	src->ops->close(src);
}

Test(procfs, what_cannot_be_read_is_left_out)
{
	struct tt_info info = { 0 };
	struct tt_source *src = open_source(FIXTURES "hostile/t1", &info);

	cr_expect(eq(str, info.probes[0].rung, ""), "there is no stat");
	cr_expect(eq(str, info.probes[1].rung, "/proc/diskstats"));
	cr_assert(eq(int, src->ops->start(src), 0));
	cr_expect(eq(uint, count_kind(TT_EV_CPU_COUNTERS), 0));
	cr_expect(eq(uint, count_kind(TT_EV_DISK_COUNTERS), 2));
	src->ops->close(src);
}

Test(procfs, wrong_hooks_and_roots_are_refused)
{
	struct tt_source_options opts = {
		.probes = TT_PROBE_DEFAULT, .proc_root = "", .hooks = { "steal=clock" }, .nr_hooks = 1
	};
	struct tt_info info = { 0 };
	struct tt_source *src = NULL;

	cr_expect(eq(int, tt_source_procfs.open(&opts, &info, &collect_sink, &src), -EINVAL));
	opts.hooks[0] = "steal=/proc/stat";
	opts.proc_root = FIXTURES "nowhere";
	cr_expect(eq(int, tt_source_procfs.open(&opts, &info, &collect_sink, &src), -ENOENT));
	opts.proc_root = FIXTURES;
	cr_expect(eq(int, tt_source_procfs.open(&opts, &info, &collect_sink, &src), -ENOSYS));
	cr_expect(src == NULL);
	tt_source_procfs.close(NULL);
}

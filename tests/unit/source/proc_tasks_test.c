/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/source/proc_tasks.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/source/collect.h"

/* A root whose tasks are those of a fixture's t0 or t1; the scanner keeps proc open, so tasks are links that
 * change. */
static char root[] = "/tmp/tt-tasks-XXXXXX";
static struct tt_proc_tasks *tasks;

static void link_to(const char *from, const char *to)
{
	char absolute[4096], here[2048];

	cr_assert(getcwd(here, sizeof(here)) != NULL);
	snprintf(absolute, sizeof(absolute), "%s/" FIXTURES "hostile/%s", here, to);
	unlink(from);
	if (!access(absolute, F_OK))
		cr_assert(eq(int, symlink(absolute, from), 0));
}

static void show(const char *when)
{
	static const char *const names[] = { "proc/77", "proc/80", "proc/81", "proc/82",
					     "proc/83", "proc/84", "proc/85", "proc/self" };
	char from[128], to[128];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(from, sizeof(from), "%s/%s", root, names[i]);
		snprintf(to, sizeof(to), "%s/%s", strcmp(names[i], "proc/self") ? when : "t0", names[i]);
		link_to(from, to);
	}
	snprintf(from, sizeof(from), "%s/sys", root);
	link_to(from, "t0/sys");
}

static void setup(void)
{
	char path[64];

	forget_collected();
	strcpy(root, "/tmp/tt-tasks-XXXXXX");
	cr_assert(mkdtemp(root) != NULL);
	snprintf(path, sizeof(path), "%s/proc", root);
	cr_assert(eq(int, mkdir(path, 0755), 0));
	show("t0");
	cr_assert(eq(int, tt_proc_tasks_open(root, 0, &tasks), 0));
}

static void teardown(void)
{
	char command[64];

	tt_proc_tasks_close(tasks);
	snprintf(command, sizeof(command), "rm -r %s", root);
	cr_expect(eq(int, system(command), 0));
}

TestSuite(proc_tasks, .init = setup, .fini = teardown);

Test(proc_tasks, the_first_scan_gives_everybody)
{
	const struct tt_task *task;

	cr_assert(eq(int, tt_proc_tasks_scan(tasks, &collect_sink, false), 0));
	cr_expect(eq(uint, count_kind(TT_EV_TASK), 5));
	cr_expect(eq(uint, count_kind(TT_EV_TASK_COUNTERS), 5));
	task = find_task(77, TT_TASK_AT_START);
	cr_assert(task != NULL);
	cr_expect(eq(int, memcmp(task->comm, "a) R 1 2\n((b\0\0\0", TT_COMM_LEN), 0));
	cr_expect(eq(u32, task->pid, 77));
	cr_expect(eq(u64, task->start_ns, 5000000000), "500 ticks of 10 ms");
	cr_expect(eq(u64, task->run_delay_ns, 200));
	cr_expect(eq(u32, find_task(78, TT_TASK_AT_START)->pid, 77), "a thread");
	cr_expect(eq(u16, find_task(80, TT_TASK_AT_START)->flags, TT_TASK_KTHREAD));
	cr_expect(eq(u64, tt_proc_tasks_stats(tasks)->nr_unreadable, 2),
		  "one has no schedstat, one a broken stat");
	cr_expect(tt_proc_tasks_stats(tasks)->has_run_delay);
}

Test(proc_tasks, a_cgroup_is_named_before_its_task)
{
	const struct tt_cgroup *v2, *v1;
	bool named_before;

	cr_assert(eq(int, tt_proc_tasks_scan(tasks, &collect_sink, false), 0));
	v2 = find_cgroup("/web.slice/nginx.service", false);
	v1 = find_cgroup("/docker/3fa1b2c4d5e6", true);
	cr_assert(v2 && v1);
	cr_expect(eq(u64, find_task(77, TT_TASK_AT_START)->cgroup_id, v2->id));
	cr_expect(eq(u64, find_task(78, TT_TASK_AT_START)->cgroup_id, v1->id),
		  "v2 says root, so v1's cpu cgroup");
	cr_expect(eq(u64, find_task(83, TT_TASK_AT_START)->cgroup_id, 0), "outside of what we see");
	named_before = (const void *)v2 < (const void *)find_task(77, TT_TASK_AT_START);
	cr_expect(named_before);
}

Test(proc_tasks, a_quiet_scan_says_nothing)
{
	cr_assert(eq(int, tt_proc_tasks_scan(tasks, &collect_sink, false), 0));
	forget_collected();
	cr_assert(eq(int, tt_proc_tasks_scan(tasks, &collect_sink, false), 0));
	cr_expect(eq(uint, seen.nr_records, 0));
	cr_expect(eq(u64, tt_proc_tasks_stats(tasks)->nr_tasks, 5));
}

Test(proc_tasks, the_second_scan_gives_what_changed)
{
	cr_assert(eq(int, tt_proc_tasks_scan(tasks, &collect_sink, false), 0));
	forget_collected();
	show("t1");
	cr_assert(eq(int, tt_proc_tasks_scan(tasks, &collect_sink, false), 0));

	cr_assert(find_task(77, TT_TASK_RENAME) != NULL);
	cr_expect(eq(str, (char *)find_task(77, TT_TASK_RENAME)->comm, "renamed"));
	cr_expect(eq(u64, find_task_counters(77)->run_delay_ns, 250));
	cr_expect(find_task(78, TT_TASK_CGROUP) != NULL, "moved");
	cr_expect(eq(u64, find_task_counters(78)->exec_ns, 4000),
		  "as the kernel says it, even when it goes back");
	cr_expect(find_task_counters(80) == NULL, "did not run");

	cr_assert(find_task(83, TT_TASK_EXIT) != NULL);
	cr_expect(eq(u64, find_task_counters(83)->run_delay_ns, 2), "the last that was known");
	cr_assert(find_task(84, TT_TASK_EXIT) != NULL && find_task(84, TT_TASK_FORK) != NULL);
	cr_expect(eq(str, (char *)find_task(84, TT_TASK_FORK)->comm, "another"),
		  "a reused tid is another task");
	cr_expect(find_task(85, TT_TASK_FORK) != NULL);
	cr_expect(eq(uint, count_kind(TT_EV_TASK), 6));
	cr_expect(eq(u64, tt_proc_tasks_stats(tasks)->nr_tasks, 5));
}

Test(proc_tasks, the_last_scan_gives_everybody_again)
{
	cr_assert(eq(int, tt_proc_tasks_scan(tasks, &collect_sink, false), 0));
	forget_collected();
	cr_assert(eq(int, tt_proc_tasks_scan(tasks, &collect_sink, true), 0));
	cr_expect(eq(uint, count_kind(TT_EV_TASK_COUNTERS), 5));
	for (uint32_t tid = 83; tid <= 84; tid++)
		cr_expect(find_task(tid, TT_TASK_AT_END) != NULL, "%u", tid);
	cr_expect(eq(uint, count_kind(TT_EV_TASK), 5));
}

Test(proc_tasks, one_process_can_be_asked_for)
{
	struct tt_proc_tasks *one;

	cr_assert(eq(int, tt_proc_tasks_open(root, 77, &one), 0));
	cr_assert(eq(int, tt_proc_tasks_scan(one, &collect_sink, false), 0));
	cr_expect(eq(uint, count_kind(TT_EV_TASK), 2));
	tt_proc_tasks_close(one);
}

static void make_task(unsigned tid, unsigned start_ticks)
{
	static const char *const files[] = { "stat", "schedstat" };
	char path[128];

	snprintf(path, sizeof(path), "%s/proc/77777", root);
	mkdir(path, 0755);
	strcat(path, "/task");
	mkdir(path, 0755);
	snprintf(path + strlen(path), 16, "/%u", tid);
	cr_assert(eq(int, mkdir(path, 0755), 0));
	for (size_t i = 0; i < 2; i++) {
		char file[160];
		FILE *f;

		snprintf(file, sizeof(file), "%s/%s", path, files[i]);
		f = fopen(file, "w");
		cr_assert(f != NULL);
		if (i)
			fprintf(f, "%u %u 1\n", tid, 2 * tid);
		else
			fprintf(f, "%u (t%u) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 %u 0 0\n", tid, tid, start_ticks);
		fclose(f);
	}
}

/* The directory may leave one out while others come and go; it is no newer for that. */
Test(proc_tasks, who_was_missed_by_the_first_scan_is_no_fork)
{
	make_task(1, 700);
	cr_assert(eq(int, tt_proc_tasks_scan(tasks, &collect_sink, false), 0));
	make_task(2, 699);
	make_task(3, 700);
	cr_assert(eq(int, tt_proc_tasks_scan(tasks, &collect_sink, false), 0));
	cr_expect(find_task(2, TT_TASK_AT_START) != NULL && find_task(2, TT_TASK_FORK) == NULL);
	cr_assert(find_task(3, TT_TASK_FORK) != NULL);
	cr_expect(eq(u64, find_task(3, TT_TASK_FORK)->rec.ts_ns, find_task_counters(3)->rec.ts_ns),
		  "which says that these are all there ever were");
}

static unsigned nr_forks, nr_exits;

static int count_forks_and_exits(void *ctx, const void *batch, size_t len)
{
	(void)ctx;
	for (size_t pos = sizeof(struct tt_batch); pos < len;) {
		const struct tt_task *task = (const struct tt_task *)((const char *)batch + pos);

		if (task->rec.kind == TT_EV_TASK) {
			nr_forks += task->why == TT_TASK_FORK;
			nr_exits += task->why == TT_TASK_EXIT;
		}
		pos += task->rec.size;
	}
	return 0;
}

/* More than the table has at first, so it grows; then half of them go, so it closes gaps. */
Test(proc_tasks, thousands_come_and_go)
{
	static const struct tt_sink sink = { NULL, count_forks_and_exits, NULL };
	enum { NR = 5000 };
	char command[160];

	cr_assert(eq(int, tt_proc_tasks_scan(tasks, &sink, false), 0));
	for (unsigned i = 0; i < NR; i++)
		make_task(1000 + 7 * i, 90000);
	cr_assert(eq(int, tt_proc_tasks_scan(tasks, &sink, false), 0));
	cr_expect(eq(uint, nr_forks, NR));
	snprintf(command, sizeof(command), "rm -r %s/proc/77777/task/*[02468]", root);
	cr_assert(eq(int, system(command), 0));
	cr_assert(eq(int, tt_proc_tasks_scan(tasks, &sink, false), 0));
	cr_expect(eq(uint, nr_exits, NR / 2));
	cr_expect(eq(u64, tt_proc_tasks_stats(tasks)->nr_tasks, 5 + NR / 2));
	cr_assert(eq(int, tt_proc_tasks_scan(tasks, &sink, false), 0));
	cr_expect(eq(uint, nr_exits, NR / 2));
	cr_expect(eq(uint, nr_forks, NR));
}

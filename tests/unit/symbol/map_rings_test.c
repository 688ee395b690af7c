/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What this kernel tells of processes that come and go. */
#include "collector/symbol/map_rings.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <sched.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "collector/source/record_batch.h"

enum { NR_CHILDREN = 50 };

static struct tt_map_rings *rings;
static pid_t children[NR_CHILDREN];
static struct {
	unsigned nr_forks, nr_execs, nr_exits, nr_maps;
	uint64_t nr_lost, first_ts_ns, last_ts_ns;
} seen;

static void count(void *ctx, const struct tt_map_event *event)
{
	(void)ctx;
	if (event->kind == TT_MAP_EVENT_LOST) {
		seen.nr_lost += event->nr_lost;
		return;
	}
	for (unsigned i = 0; i < NR_CHILDREN; i++) {
		if (event->pid != (uint32_t)children[i])
			continue;
		seen.nr_forks += event->kind == TT_MAP_EVENT_FORK && event->parent_pid == (uint32_t)getpid();
		seen.nr_execs += event->kind == TT_MAP_EVENT_EXEC;
		seen.nr_exits += event->kind == TT_MAP_EVENT_EXIT;
		if (event->kind == TT_MAP_EVENT_MAP && memmem(event->path.text, event->path.len, "true", 4))
			seen.nr_maps++;
		if (!seen.first_ts_ns || event->ts_ns < seen.first_ts_ns)
			seen.first_ts_ns = event->ts_ns;
		if (event->ts_ns > seen.last_ts_ns)
			seen.last_ts_ns = event->ts_ns;
	}
}

static void open_rings(void)
{
	int err = tt_map_rings_open(&rings);

	if (err == -EPERM || err == -EACCES || err == -ENOENT || err == -ENOSYS)
		cr_skip_test("perf_event_open: %s: needs CAP_PERFMON and a kernel with perf events",
			     strerror(-err));
	cr_assert(eq(int, err, 0));
}

static void run_children(void)
{
	char *const argv[] = { (char *)"true", NULL };

	for (unsigned i = 0; i < NR_CHILDREN; i++) {
		cr_assert(eq(int, posix_spawn(&children[i], "/bin/true", NULL, NULL, argv, NULL), 0));
		while (waitpid(children[i], NULL, 0) < 0 && errno == EINTR)
			;
	}
}

Test(map_rings, short_lived_processes_are_seen, .timeout = 60)
{
	uint64_t before_ns, after_ns;

	open_rings();
	cr_expect(le(u64, tt_map_rings_bytes(rings), TT_MAP_RINGS_BYTES_MAX + (1 << 20)));
	before_ns = tt_now_ns();
	run_children();
	after_ns = tt_now_ns();
	tt_map_rings_drain(rings, count, NULL);
	cr_expect(eq(u64, seen.nr_lost, 0));
	cr_expect(eq(uint, seen.nr_forks, NR_CHILDREN));
	cr_expect(eq(uint, seen.nr_execs, NR_CHILDREN));
	cr_expect(eq(uint, seen.nr_exits, NR_CHILDREN));
	cr_expect(eq(uint, seen.nr_maps, NR_CHILDREN));
	cr_expect(ge(u64, seen.first_ts_ns, before_ns), "CLOCK_MONOTONIC");
	cr_expect(le(u64, seen.last_ts_ns, after_ns));
	cr_expect(not(tt_map_rings_follow_cpus(rings)), "no CPU came or went");
	memset(&seen, 0, sizeof(seen));
	tt_map_rings_drain(rings, count, NULL);
	cr_expect(eq(uint, seen.nr_forks, 0), "each is told once");
	tt_map_rings_close(rings);
	tt_map_rings_close(NULL);
}

/* As a recording does it, and then as it does not. */
Test(map_rings, what_finds_no_room_is_counted, .timeout = 110)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET((unsigned)sched_getcpu(), &one);
	cr_assert(eq(int, sched_setaffinity(0, sizeof(one), &one), 0)); /* all events go into one ring */
	open_rings();
	for (unsigned i = 0; i < 10; i++) {
		run_children();
		tt_map_rings_drain(rings, count, NULL);
	}
	cr_expect(eq(u64, seen.nr_lost, 0));
	cr_expect(eq(uint, seen.nr_execs, 10 * NR_CHILDREN));
	for (unsigned i = 0; i < 40; i++) /* about 1 KiB each, 512 KiB at most */
		run_children();
	tt_map_rings_drain(rings, count, NULL);
	run_children(); /* the record of a loss comes with the next that finds room */
	tt_map_rings_drain(rings, count, NULL);
	cr_expect(gt(u64, seen.nr_lost, 0));
	tt_map_rings_close(rings);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/aggregate/feed.h"

static struct feed f;

static void setup(void)
{
	feed_open(&f, "steal", false);
}

static void teardown(void)
{
	feed_close(&f);
}

TestSuite(world, .init = setup, .fini = teardown);

static uint64_t between(uint64_t from, uint64_t to, bool *exact)
{
	return tt_world_steal_between(f.world, 0, from, to, exact);
}

Test(world, steal_lies_at_the_end_of_its_observation)
{
	bool exact;

	feed_steal(&f, 0, 1000, 100, 500, 1); /* lies in [900, 1000], seen since 500 */
	cr_expect(eq(u64, between(0, 2000, &exact), 100));
	cr_expect(exact, "the whole observation is inside");
	cr_expect(eq(u64, between(0, 899, &exact), 0));
	cr_expect(not(exact), "it may as well lie before 899");
	cr_expect(eq(u64, between(950, 2000, &exact), 50));
	cr_expect(not(exact));
	cr_expect(eq(u64, between(920, 930, NULL), 10), "inside one gap");
	cr_expect(eq(u64, between(0, 400, &exact), 0));
	cr_expect(exact);
	cr_expect(eq(u64, between(1000, 2000, &exact), 0));
	cr_expect(exact, "it ended before");
	cr_expect(eq(u64, between(2000, 1000, NULL), 0), "no time, no steal");
	cr_expect(eq(u64, tt_world_steal_between(f.world, 7, 0, 5000, NULL), 0), "a CPU never seen");
}

Test(world, sums_over_many_gaps_are_exact)
{
	for (uint64_t i = 1; i <= 100; i++)
		feed_steal(&f, 0, i * 1000, i, 1000, 1);
	cr_expect(eq(u64, between(10000, 20000, NULL), 11 + 12 + 13 + 14 + 15 + 16 + 17 + 18 + 19 + 20));
	cr_expect(eq(u64, between(10000, 19990, NULL), 155 - 10), "the last one is cut");
	cr_expect(eq(u64, between(10000 - 5, 20000, NULL), 155 + 5), "the first one too");
	cr_expect(eq(u64, between(0, UINT64_MAX, NULL), 5050));
}

Test(world, only_the_last_4096_gaps_are_kept_and_it_says_so)
{
	bool exact;

	for (uint64_t i = 1; i <= 10000; i++)
		feed_steal(&f, 0, i * 1000, 10, 1000, 1);
	cr_expect(eq(u64, between(0, UINT64_MAX, &exact), 40960));
	cr_expect(not(exact));
	cr_expect(eq(u64, between(9000000, 10000000, &exact), 10000));
	cr_expect(exact);
}

Test(world, a_gap_is_never_longer_than_the_time_it_lies_in)
{
	feed_steal(&f, 0, 1000, 100, 500, 1);
	feed_steal(&f, 0, 1050, 90, 50, 1); /* the steal clock ran ahead */
	cr_expect(eq(u64, between(0, 2000, NULL), 150));
	feed_steal(&f, 0, 900, 50, 10, 1); /* late */
	cr_expect(eq(u64, between(0, 2000, NULL), 150));
}

Test(world, a_reused_tid_is_another_task)
{
	uint64_t serial;

	feed_task(&f, 10, TT_TASK_AT_START, 100, "old", 5, 1000);
	serial = tt_world_task(f.world, 100)->serial;
	feed_task(&f, 20, TT_TASK_RENAME, 100, "older", 5, 1100);
	cr_expect(eq(u64, tt_world_task(f.world, 100)->serial, serial), "still the same");
	cr_expect(eq(str, (char *)tt_world_task(f.world, 100)->comm, "older"));
	feed_task(&f, 30, TT_TASK_EXIT, 100, "older", 5, 1500);
	cr_expect(tt_world_task(f.world, 100)->exited);
	cr_expect(eq(u64, tt_world_task(f.world, 100)->last_run_delay_ns, 1500));
	feed_task(&f, 40, TT_TASK_FORK, 100, "new", 35, 0);
	cr_expect(ne(u64, tt_world_task(f.world, 100)->serial, serial));
	cr_expect(not(tt_world_task(f.world, 100)->exited));
	cr_expect(eq(u64, tt_world_task(f.world, 100)->first_run_delay_ns, 0));
	cr_expect(eq(u64, tt_world_task(f.world, 100)->last_ts_ns, 0), "its end is not known");
	feed_task(&f, 50, TT_TASK_AT_END, 100, "new", 35, 70);
	cr_expect(eq(u64, tt_world_run_delay_growth_ns(f.world, NULL), 500 + 70), "both count");
}

Test(world, a_fork_seen_by_the_snapshot_too_starts_at_0)
{
	feed_task(&f, 10, TT_TASK_FORK, 100, "a", 9, 0);
	feed_task(&f, 11, TT_TASK_AT_START, 100, "a", 9, 40);
	feed_task(&f, 50, TT_TASK_AT_END, 100, "a", 9, 100);
	feed_task(&f, 51, TT_TASK_AT_END, 100, "a", 9, 100);
	cr_expect(eq(u64, tt_world_run_delay_growth_ns(f.world, NULL), 100), "counted once");
}

Test(world, idle_has_a_name_and_unknown_tasks_have_none)
{
	cr_expect(eq(str, (char *)tt_world_task(f.world, 0)->comm, "idle"));
	cr_expect(tt_world_task(f.world, 4711) == NULL);
	feed_task(&f, 10, TT_TASK_AT_START, 0, "evil", 9, 0);
	cr_expect(eq(str, (char *)tt_world_task(f.world, 0)->comm, "idle"));
}

Test(world, more_tasks_than_fit_forgets_the_dead_first)
{
	feed_task(&f, 1, TT_TASK_AT_START, 1, "init", 1, 0);
	for (uint32_t tid = 2; tid < TT_WORLD_TASKS_MAX + 1000; tid++) {
		feed_task(&f, tid, TT_TASK_FORK, tid, "short", tid, 0);
		feed_task(&f, tid, TT_TASK_EXIT, tid, "short", tid, 3);
	}
	cr_expect(tt_world_task(f.world, 1) != NULL, "it lives");
	cr_expect(tt_world_task(f.world, 2) == NULL);
	cr_expect(tt_world_task(f.world, TT_WORLD_TASKS_MAX + 999) != NULL);
	cr_expect(gt(u64, tt_world_nr_forgotten(f.world), 0));
	cr_expect(eq(u64, tt_world_run_delay_growth_ns(f.world, NULL), 3ull * (TT_WORLD_TASKS_MAX + 998)));
}

/* Of the process pid: those that live, by walking its list and by asking for every tid. */
static unsigned nr_threads_listed(uint32_t pid)
{
	const struct tt_world_task *thread = NULL;
	unsigned nr = 0;

	while ((thread = tt_world_next_thread(f.world, pid, thread))) {
		cr_expect(eq(u32, thread->pid, pid));
		cr_expect(not(thread->exited));
		nr++;
	}
	return nr;
}

static unsigned nr_threads_found(uint32_t pid, uint32_t tid_max)
{
	unsigned nr = 0;

	for (uint32_t tid = 1; tid <= tid_max; tid++) {
		const struct tt_world_task *task = tt_world_task(f.world, tid);

		nr += task && task->pid == pid && !task->exited;
	}
	return nr;
}

Test(world, threads_of_a_process_whoever_comes_and_goes)
{
	enum { TIDS = 60, PIDS = 6 };
	static const unsigned whys[] = { TT_TASK_FORK, TT_TASK_EXIT, TT_TASK_EXEC, TT_TASK_RENAME,
					 TT_TASK_AT_START };
	unsigned seed = 1, nr_listed_max = 0;

	for (uint64_t ts_ns = 1; ts_ns < 5000; ts_ns++) {
		struct tt_task rec = { 0 };

		rec.tid = 1 + (unsigned)rand_r(&seed) % TIDS;
		rec.pid = 1 + (unsigned)rand_r(&seed) % PIDS;
		rec.start_ns = 1 + (unsigned)rand_r(&seed) % 3; /* sometimes another task with its tid */
		rec.why = (tt_u16)whys[(unsigned)rand_r(&seed) % (sizeof(whys) / sizeof(whys[0]))];
		feed_record(&f, TT_EV_TASK, TT_CPU_NONE, ts_ns, &rec.rec, 0);
		for (uint32_t pid = 1; pid <= PIDS; pid++) {
			unsigned nr = nr_threads_listed(pid);

			cr_assert(eq(u32, nr, nr_threads_found(pid, TIDS)));
			nr_listed_max = nr > nr_listed_max ? nr : nr_listed_max;
		}
	}
	cr_expect(gt(u32, nr_listed_max, 3), "there was something to list");
	cr_expect(eq(u32, nr_threads_listed(PIDS + 1), 0));
}

Test(world, a_name_of_16_bytes_is_whole)
{
	feed_task(&f, 1, TT_TASK_AT_START, 1, "0123456789abcdef", 1, 0);
	cr_expect(eq(str, (char *)tt_world_task(f.world, 1)->comm, "0123456789abcdef"));
}

Test(world, devices_are_found_by_name_path_and_number)
{
	feed_device(&f, 253u << 20 | 3, "vda", false);
	cr_expect(tt_world_device_by_name(f.world, "vda") != NULL);
	cr_expect(tt_world_device_by_name(f.world, "/dev/vda") != NULL);
	cr_expect(tt_world_device_by_name(f.world, "253:3") != NULL);
	cr_expect(tt_world_device_by_name(f.world, "vdb") == NULL);
}

Test(world, windows_add_up_when_a_cpu_goes_and_comes)
{
	feed_window(&f, 2, 1000, true, 0);
	feed_window(&f, 2, 3000, false, 0);
	feed_window(&f, 2, 5000, true, 0);
	feed_steal(&f, 2, 5500, 10, 100, 1);
	cr_expect(eq(u64, tt_world_cpu(f.world, 2)->recorded_ns, 2500));
	cr_expect(tt_world_cpu(f.world, 2)->online);
	cr_expect(eq(u32, tt_world_nr_cpus(f.world), 3));
	cr_expect(not(tt_world_cpu(f.world, 0)->seen));
	cr_expect(tt_world_cpu(f.world, 3) == NULL);
	cr_expect(eq(u32, tt_world_cpu(f.world, 2)->nr_closed, 1));
	feed_window(&f, 2, 7000, true,
		    0); /* the end of the window before was lost: it was last heard of at 5500 */
	cr_expect(eq(u32, tt_world_cpu(f.world, 2)->nr_closed, 2));
	cr_expect(eq(u64, tt_world_cpu(f.world, 2)->closed[1].end_ts_ns, 5500));
	cr_expect(eq(u64, tt_world_cpu(f.world, 2)->recorded_ns, 2500));
}

Test(world, only_so_many_windows_are_kept_and_all_are_in_the_sum)
{
	for (uint64_t i = 1; i <= 5000; i++) {
		feed_window(&f, 0, i * 1000, true, 0);
		feed_window(&f, 0, i * 1000 + 100, false, 0);
	}
	cr_expect(eq(u64, tt_world_cpu(f.world, 0)->recorded_ns, 500000));
	cr_expect(le(u32, tt_world_cpu(f.world, 0)->nr_closed, 1024));
	cr_expect(ge(u32, tt_world_cpu(f.world, 0)->nr_closed, 512));
	cr_expect(eq(u64, tt_world_cpu(f.world, 0)->closed[tt_world_cpu(f.world, 0)->nr_closed - 1].end_ts_ns,
		     5000100));
	cr_expect(eq(u64, tt_world_nr_forgotten(f.world), 5000 - tt_world_cpu(f.world, 0)->nr_closed));
}

Test(world, a_hook_change_is_in_the_info_and_a_hostile_one_is_cut)
{
	struct tt_hook_change rec = { .probe = "steal", .from = "fentry", .to = "tick" };

	feed_close(&f);
	f.info.nr_probes = 2;
	strcpy(f.info.probes[0].probe, "disk");
	strcpy(f.info.probes[0].rung, "block_io_done");
	strcpy(f.info.probes[1].probe, "steal");
	strcpy(f.info.probes[1].rung, "fentry");
	feed_open(&f, "steal", false);
	feed_record(&f, TT_EV_HOOK_CHANGE, TT_CPU_NONE, 10, &rec.rec, 0);
	cr_expect(eq(str, (char *)tt_world_info(f.world)->probes[0].rung, "block_io_done"));
	cr_expect(eq(str, (char *)tt_world_info(f.world)->probes[1].rung, "tick"));
	cr_expect(eq(str, (char *)tt_world_info(f.world)->probes[1].detail,
		     "in the place of fentry, which was silent"));
	cr_expect(eq(str, f.info.probes[1].rung, "fentry"), "the session's own is as it was");
	memset((char *)&rec + sizeof(rec.rec), 'x', sizeof(rec) - sizeof(rec.rec));
	memcpy(rec.probe, "disk", 5);
	feed_record(&f, TT_EV_HOOK_CHANGE, TT_CPU_NONE, 20, &rec.rec, 0);
	cr_expect(eq(u64, strlen(tt_world_info(f.world)->probes[0].rung), sizeof(rec.to)));
	memset(rec.probe, 'x', sizeof(rec.probe));
	feed_record(&f, TT_EV_HOOK_CHANGE, TT_CPU_NONE, 30, &rec.rec, 0);
	cr_expect(eq(str, (char *)tt_world_info(f.world)->probes[1].rung, "tick"));
}

/* Where tasks were when they left the CPU */

static void switch_to(unsigned cpu, uint64_t ts_ns, uint32_t prev_tid, uint32_t next_tid, unsigned state,
		      unsigned wait_kind, uint64_t kstack)
{
	struct tt_ev_switch sw = { .ev = { TT_EV_SWITCH, (uint16_t)cpu, state, ts_ns } };

	sw.prev_tid = prev_tid;
	sw.next_tid = next_tid;
	sw.wait_kind = (uint8_t)wait_kind;
	sw.has_stacks = kstack != 0;
	sw.prev_kstack = kstack;
	sw.prev_ustack = kstack + 1;
	feed_event(&f, &sw.ev);
}

static uint64_t came_from(void)
{
	return tt_world_came_from(f.world) ? tt_world_came_from(f.world)->kstack : 0;
}

static void lose(unsigned what, unsigned cpu, uint64_t ts_ns)
{
	struct tt_loss rec = { .what = what, .count = 1 };

	feed_record(&f, TT_EV_LOSS, cpu, ts_ns, &rec.rec, 0);
}

Test(world, who_comes_was_where_it_left)
{
	switch_to(0, 10, 100, 200, TT_STATE_SLEEPING, TT_WAIT_WAKEUP, 5000);
	cr_expect(eq(ptr, (void *)tt_world_came_from(f.world), NULL), "200 left before recording began");
	switch_to(0, 20, 200, 0, TT_STATE_SLEEPING, 0, 6000);
	cr_expect(eq(u64, came_from(), 0), "idle is nowhere");
	switch_to(1, 30, 0, 100, TT_STATE_IDLE, TT_WAIT_WAKEUP, 7000);
	cr_assert(tt_world_came_from(f.world) != NULL, "on another CPU, too");
	cr_expect(eq(u64, tt_world_came_from(f.world)->kstack, 5000));
	cr_expect(eq(u64, tt_world_came_from(f.world)->ustack, 5001));
	cr_expect(eq(u64, tt_world_came_from(f.world)->ts_ns, 10));
	feed_steal(&f, 0, 35, 1, 1, 1);
	cr_expect(eq(u64, came_from(), 5000), "until the next switch");
	switch_to(1, 40, 100, 200, TT_STATE_RUNNING, TT_WAIT_WAKEUP, 8000);
	cr_expect(eq(u64, came_from(), 6000));
	switch_to(1, 50, 200, 100, TT_STATE_SLEEPING, TT_WAIT_PREEMPTED, 9000);
	cr_expect(eq(u64, came_from(), 8000), "the last time counts");
}

Test(world, what_was_consumed_or_shed_is_not_known)
{
	switch_to(0, 10, 100, 200, TT_STATE_SLEEPING, 0, 5000);
	switch_to(0, 20, 200, 100, TT_STATE_SLEEPING, 0, 6000);
	switch_to(0, 30, 100, 200, TT_STATE_SLEEPING, 0, 0);
	cr_expect(eq(u64, came_from(), 0), "a switch without stacks");
	switch_to(1, 40, 0, 100, TT_STATE_IDLE, 0, 7000);
	cr_expect(eq(u64, came_from(), 0), "it left without a stack");
	switch_to(1, 42, 100, 0, TT_STATE_SLEEPING, 0, 5000);
	switch_to(1, 44, 0, 100, TT_STATE_IDLE, 0, 0);
	switch_to(1, 46, 100, 0, TT_STATE_SLEEPING, 0, 0);
	switch_to(1, 48, 0, 100, TT_STATE_IDLE, 0, 7000);
	cr_expect(eq(u64, came_from(), 0), "nor is an older one its last");
	switch_to(1, 50, 100, 0, TT_STATE_SLEEPING, 0, 8000);
	lose(TT_LOSS_SWITCHES, 0, 60);
	switch_to(1, 70, 0, 100, TT_STATE_IDLE, 0, 7000);
	cr_expect(eq(u64, came_from(), 0), "it may have run on CPU 0 meanwhile");
	switch_to(1, 80, 100, 0, TT_STATE_SLEEPING, 0, 9000);
	switch_to(1, 90, 0, 100, TT_STATE_IDLE, 0, 7000);
	cr_expect(eq(u64, came_from(), 9000), "after the loss");
}

Test(world, a_switch_that_the_kernel_hid_leaves_who_left_uncertain)
{
	switch_to(0, 10, 100, 200, TT_STATE_SLEEPING, 0, 5000);
	lose(TT_LOSS_UNSEEN, 0, 20);
	switch_to(0, 20, 200, 300, TT_STATE_SLEEPING, 0, 6000);
	switch_to(0, 30, 300, 200, TT_STATE_SLEEPING, 0, 7000);
	cr_expect(eq(u64, came_from(), 0));
	switch_to(0, 40, 200, 100, TT_STATE_SLEEPING, 0, 8000);
	cr_expect(eq(u64, came_from(), 5000), "others are remembered");
}

Test(world, the_dead_and_the_new_have_been_nowhere)
{
	switch_to(0, 10, 100, 200, TT_STATE_SLEEPING, 0, 5000);
	switch_to(0, 20, 200, 100, TT_STATE_SLEEPING, 0, 6000);
	switch_to(0, 30, 100, 200, TT_STATE_DEAD, 0, 7000);
	switch_to(0, 40, 200, 100, TT_STATE_SLEEPING, 0, 8000);
	cr_expect(eq(u64, came_from(), 0));
	switch_to(0, 50, 100, 200, TT_STATE_SLEEPING, TT_WAIT_NEW, 9000);
	cr_expect(eq(u64, came_from(), 0), "200 has the tid of one whose end was not seen");
}

Test(world, more_sleepers_than_it_remembers_are_counted)
{
	uint64_t nr_before = tt_world_nr_forgotten(f.world);

	for (uint32_t tid = 1; tid <= TT_WORLD_TASKS_MAX + 5; tid++)
		switch_to(0, tid, tid, tid + 1, TT_STATE_SLEEPING, 0, 5000);
	cr_expect(eq(u64, tt_world_nr_forgotten(f.world) - nr_before, 5));
	switch_to(0, 1u << 20, TT_WORLD_TASKS_MAX + 6, 7, TT_STATE_SLEEPING, 0, 6000);
	cr_expect(eq(u64, came_from(), 5000));
}

/* Requests come before what says which disk they went to. */
Test(world, a_device_has_its_name_before_its_time)
{
	struct tt_device rec = { .rec = { .size = sizeof(rec), .kind = TT_EV_DEVICE },
				 .dev = 253u << 20,
				 .name = "vda" };
	struct tt_loss other = { .rec = { .size = sizeof(other), .kind = TT_EV_LOSS } };

	tt_world_name_early(f.world, &other.rec);
	cr_expect(eq(ptr, (void *)tt_world_device(f.world, 253u << 20), NULL));
	tt_world_name_early(f.world, &rec.rec);
	cr_assert(tt_world_device(f.world, 253u << 20) != NULL);
	cr_expect(eq(str, (char *)tt_world_device(f.world, 253u << 20)->name, "vda"));
	memcpy(rec.name, "vdb", 3);
	tt_world_name_early(f.world, &rec.rec);
	cr_expect(eq(str, (char *)tt_world_device(f.world, 253u << 20)->name, "vda"), "what is known stays");
}

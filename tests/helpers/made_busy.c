/* SPDX-License-Identifier: GPL-2.0-or-later */
/* made_busy - writes a session that nobody recorded, of a busy machine: two CPUs, 24 tasks in six cgroups, two disks, stacks. In the middle third a
 * quota on the host steals 20 ms of cpu1 in every 100 ms; in the same third vdb is slow. In the middle of it all the first rsync moves to a cgroup
 * with the same short name.
 *
 *   made_busy FILE SECONDS [SWITCHES [CPUS]]     about so many switches a second, of two CPUs (default 2,000); with 12 tasks more for each CPU more
 *
 * Waits come out of a small simulation, so that who waits behind whom makes sense. The same arguments make the same file.
 */
#include <stdio.h>
#include <stdlib.h>

#include "collector/base/log.h"
#include "collector/session/session.h"
#define MADE_CPUS_MAX 256
#include "tests/unit/made.h"

enum {
	NR_TASKS_OF_CPU = 12,
	FIRST_TID = 1000,
	NR_USER_STACKS = 96,
	NR_KERNEL_STACKS = 12,
	USER_STACKS = 2000, /* their first id */
	KERNEL_STACKS = 3000,
	NR_FUNCTIONS = 64,
	ROOM_FOR_ONE = 128, /* bytes: the largest record that is put into a batch here */
};
#define MS 1000000ull
#define SECOND_NS (1000 * MS)
#define SAMPLE_NS (SECOND_NS / 99)
#define STEAL_PERIOD_NS (100 * MS)
#define STEAL_GAP_NS (20 * MS)

static const struct {
	const char *comm, *cgroup;
	unsigned share, sleep; /* of running and sleeping, relative */
	bool preempts;
} programs[] = {
	{ "postgres", "/system.slice/postgresql.service", 4, 14, true },
	{ "nginx", "/system.slice/nginx.service", 1, 6, true },
	{ "java", "/kubepods.slice/pod-shop/web", 9, 12, false },
	{ "redis-server", "/kubepods.slice/pod-shop/cache", 2, 9, true },
	{ "rsync", "/user.slice/backup.scope", 20, 40, false },
	{ "kworker/u4:1", "/", 1, 30, true },
};
enum { NR_PROGRAMS = sizeof(programs) / sizeof(programs[0]), MOVED_PROGRAM = 4, CGROUPS = 100, CGROUP_MOVED_TO = CGROUPS + NR_PROGRAMS };

struct task {
	uint32_t tid;
	unsigned program;
	uint64_t runnable_ts_ns; /* 0 = sleeps until wake_ts_ns */
	uint64_t wake_ts_ns, burst_ns;
	bool was_preempted;
	uint32_t waker_tid;
};

struct cpu {
	struct made sched, records;
	struct task tasks[NR_TASKS_OF_CPU];
	struct task *running; /* NULL = idle */
	uint64_t sample_ts_ns, sampled_steal_ns;
};

struct machine {
	struct tt_session_writer *w;
	struct cpu cpus[MADE_CPUS_MAX];
	unsigned nr_cpus;
	struct made disks;
	uint64_t seed, unit_ns, end_ts_ns, nr_events;
};

static struct machine machine;

static void write_batch(void *ctx, const union tb *t)
{
	struct machine *m = ctx;

	m->nr_events += t->b.nr_records;
	if (t->b.nr_records && tt_session_write_batch(m->w, t, t->b.size))
		exit(1);
}

static unsigned nr_tasks(void)
{
	return NR_TASKS_OF_CPU * machine.nr_cpus;
}

static uint64_t below(uint64_t limit)
{
	return limit ? tb_random(&machine.seed) % limit : 0;
}

/* Around mean, many short, few long: at most eight times as long. */
static uint64_t duration(uint64_t mean_ns)
{
	uint64_t sum = below(mean_ns) + below(mean_ns);

	return 1000 + (below(16) ? sum : 4 * sum);
}

static bool is_bad_third(uint64_t ts_ns)
{
	uint64_t third_ns = (machine.end_ts_ns - MADE_START_NS) / 3;

	return ts_ns - MADE_START_NS > third_ns && ts_ns - MADE_START_NS < 2 * third_ns;
}

/* --- one CPU --- */

static uint64_t now_of(const struct cpu *c, unsigned cpu)
{
	return c->sched.cpus[cpu].ts_ns;
}

static void make_room(struct cpu *c, unsigned cpu)
{
	if (c->sched.t.b.size + ROOM_FOR_ONE > TT_BATCH_BYTES_MAX) {
		made_flush(&c->sched);
		made_sched(&c->sched, cpu, 0);
	}
}

static void sample_until(struct cpu *c, unsigned cpu, uint64_t ts_ns)
{
	for (; c->sample_ts_ns <= ts_ns; c->sample_ts_ns += SAMPLE_NS) {
		uint64_t steal_ns = c->sched.cpus[cpu].steal_clock_ns - c->sampled_steal_ns;

		c->sampled_steal_ns += steal_ns;
		if (c->records.t.b.size + ROOM_FOR_ONE > TT_BATCH_BYTES_MAX) {
			made_flush(&c->records);
			made_records(&c->records);
		}
		made_sample(&c->records, c->sample_ts_ns, cpu, c->running ? c->running->tid : 0, SAMPLE_NS,
			    steal_ns < SAMPLE_NS ? steal_ns : SAMPLE_NS,
			    c->running && below(3) ? TT_STACK_NONE : KERNEL_STACKS + below(NR_KERNEL_STACKS),
			    c->running ? USER_STACKS + c->running->program * 16 + below(16) : TT_STACK_NONE);
	}
}

/* How long who is there has the CPU until ts_ns, with what is stolen of it. Returns when it really ends. */
static uint64_t run_until(struct cpu *c, unsigned cpu, uint64_t ts_ns)
{
	uint64_t from_ts_ns = now_of(c, cpu);
	uint64_t gap_ts_ns = from_ts_ns + STEAL_PERIOD_NS - (from_ts_ns + 40 * MS) % STEAL_PERIOD_NS;

	if (!cpu || !is_bad_third(gap_ts_ns) || gap_ts_ns > ts_ns) {
		sample_until(c, cpu, ts_ns);
		return ts_ns;
	}
	sample_until(c, cpu, gap_ts_ns);
	make_room(c, cpu);
	made_mark(&c->sched, (uint32_t)(gap_ts_ns + STEAL_GAP_NS - from_ts_ns), (uint32_t)(STEAL_GAP_NS - below(MS)),
		  TT_SEEN_TICK, KERNEL_STACKS, c->running ? USER_STACKS + c->running->program * 16 : TT_STACK_NONE);
	/* no sample is taken meanwhile; the next one tells what it missed */
	c->sample_ts_ns = now_of(c, cpu) + SAMPLE_NS;
	return c->running ? ts_ns + STEAL_GAP_NS : ts_ns > now_of(c, cpu) ? ts_ns : now_of(c, cpu) + 1000;
}

static uint64_t first_wakeup(const struct cpu *c, bool only_preempting)
{
	uint64_t first_ts_ns = UINT64_MAX;

	for (unsigned i = 0; i < NR_TASKS_OF_CPU; i++) {
		const struct task *t = &c->tasks[i];

		if (!t->runnable_ts_ns && t != c->running && t->wake_ts_ns < first_ts_ns &&
		    (!only_preempting || programs[t->program].preempts))
			first_ts_ns = t->wake_ts_ns;
	}
	return first_ts_ns;
}

static void wake_up(struct cpu *c, uint64_t ts_ns)
{
	for (unsigned i = 0; i < NR_TASKS_OF_CPU; i++) {
		struct task *t = &c->tasks[i];

		if (t->runnable_ts_ns || t == c->running || t->wake_ts_ns > ts_ns)
			continue;
		t->runnable_ts_ns = t->wake_ts_ns;
		t->waker_tid = FIRST_TID + (uint32_t)below(nr_tasks());
		t->was_preempted = false;
	}
}

static struct task *choose_next(struct cpu *c)
{
	struct task *best = NULL;

	for (unsigned i = 0; i < NR_TASKS_OF_CPU; i++) {
		struct task *t = &c->tasks[i];

		if (!t->runnable_ts_ns)
			continue;
		if (!best || programs[t->program].preempts > programs[best->program].preempts ||
		    (programs[t->program].preempts == programs[best->program].preempts &&
		     t->runnable_ts_ns < best->runnable_ts_ns))
			best = t;
	}
	return best;
}

static void switch_to(struct cpu *c, unsigned cpu, uint64_t ts_ns, bool is_preempted)
{
	struct task *prev = c->running, *next;
	struct made_switch sw = { .dts_ns = (uint32_t)(ts_ns - now_of(c, cpu)) };

	if (prev && is_preempted) {
		prev->runnable_ts_ns = ts_ns;
		prev->was_preempted = true;
	} else if (prev) {
		prev->wake_ts_ns = ts_ns + duration(programs[prev->program].sleep * machine.unit_ns * 3);
		prev->burst_ns = 0;
	}
	c->running = NULL;
	wake_up(c, ts_ns);
	next = choose_next(c);
	sw.state = is_preempted ? TT_SW_PREEMPTED : prev ? TT_STATE_SLEEPING : TT_STATE_RUNNING;
	if (next) {
		sw.next_tid = next->tid;
		sw.wait_kind = next->was_preempted ? TT_WAIT_PREEMPTED : TT_WAIT_WAKEUP;
		sw.wait_ns = tt_dur32_pack(ts_ns - next->runnable_ts_ns);
		sw.waker_tid = next->was_preempted ? 0 : next->waker_tid;
		sw.flags = next->was_preempted || below(4) ? 0 : TT_SW_WOKEN_IN_IRQ;
		next->runnable_ts_ns = 0;
		if (!next->burst_ns)
			next->burst_ns = duration(programs[next->program].share * machine.unit_ns / 2);
	}
	sw.stacks[TT_EXT_PREV_KSTACK] = prev ? KERNEL_STACKS + 1 + prev->program : TT_STACK_NONE;
	sw.stacks[TT_EXT_PREV_USTACK] = prev ? USER_STACKS + prev->program * 16 + below(16) : TT_STACK_NONE;
	make_room(c, cpu);
	made_switch(&c->sched, &sw);
	c->running = next;
}

static void run_cpu(struct cpu *c, unsigned cpu, uint64_t until_ts_ns)
{
	made_sched(&c->sched, cpu, now_of(c, cpu) == MADE_START_NS ? TT_BATCH_FIRST : 0);
	made_records(&c->records);
	while (now_of(c, cpu) < until_ts_ns) {
		uint64_t from_ts_ns = now_of(c, cpu), to_ts_ns = first_wakeup(c, c->running != NULL), ran_ns;
		bool is_preempted = c->running && to_ts_ns < from_ts_ns + c->running->burst_ns;

		if (c->running && !is_preempted)
			to_ts_ns = from_ts_ns + c->running->burst_ns;
		if (to_ts_ns <= from_ts_ns)
			to_ts_ns = from_ts_ns + 1000;
		ran_ns = to_ts_ns - from_ts_ns;
		if (is_preempted)
			c->running->burst_ns -= ran_ns < c->running->burst_ns ? ran_ns : c->running->burst_ns - 1;
		switch_to(c, cpu, run_until(c, cpu, to_ts_ns), is_preempted);
	}
	made_flush(&c->sched);
	made_flush(&c->records);
}

/* --- disks --- */

static void add_requests(uint64_t from_ts_ns, uint32_t minor, unsigned nr, uint64_t mean_ns)
{
	struct made *d = &machine.disks;

	for (unsigned i = 0; i < nr; i++) {
		uint64_t ts_ns = from_ts_ns + SECOND_NS / nr * i + 1 + below(SECOND_NS / nr), total_ns = duration(mean_ns);
		struct tt_disk *rec;

		if (d->t.b.size + sizeof(struct tt_disk_with_stacks) > TT_BATCH_BYTES_MAX) {
			made_flush(d);
			made_records(d);
		}
		rec = made_disk(d, ts_ns, 254u << 20 | minor, below(3) ? 0 : 1, FIRST_TID + (uint32_t)below(nr_tasks()), total_ns,
				KERNEL_STACKS + 9 + below(3), USER_STACKS + below(NR_USER_STACKS));
		rec->queue_ns = total_ns / (2 + below(6));
		rec->device_ns = total_ns - rec->queue_ns;
		rec->bytes = 4096ull << below(6);
	}
}

static void run_disks(uint64_t from_ts_ns)
{
	made_records(&machine.disks);
	add_requests(from_ts_ns, 0, 240, 400000);
	add_requests(from_ts_ns, 16, 60, is_bad_third(from_ts_ns) ? 40 * MS : 3 * MS);
	made_flush(&machine.disks);
}

/* --- names --- */

static void write_cgroup(uint64_t id, const char *path)
{
	struct tt_cgroup *rec = tb_record(&machine.disks.t, TT_EV_CGROUP, sizeof(*rec), TT_CPU_NONE, MADE_START_NS);

	rec->id = id;
	snprintf(rec->path, sizeof(rec->path), "%s", path);
}

static void write_move(uint64_t ts_ns)
{
	struct made *m = &machine.disks;
	struct tt_task *rec;

	made_records(m);
	rec = made_task(m, FIRST_TID + MOVED_PROGRAM * machine.nr_cpus, FIRST_TID + MOVED_PROGRAM, programs[MOVED_PROGRAM].comm);
	rec->rec.ts_ns = ts_ns;
	rec->why = TT_TASK_CGROUP;
	rec->cgroup_id = CGROUP_MOVED_TO;
	made_flush(m);
}

static void write_names(void)
{
	struct made *m = &machine.disks;

	made_records(m);
	for (unsigned i = 0; i < NR_PROGRAMS; i++)
		write_cgroup(CGROUPS + i, programs[i].cgroup);
	write_cgroup(CGROUP_MOVED_TO, "/system.slice/backup.scope");
	made_flush(m);
	made_records(m);
	for (unsigned i = 0; i < nr_tasks(); i++) {
		unsigned program = i / machine.nr_cpus % NR_PROGRAMS;

		if (m->t.b.size + ROOM_FOR_ONE > TT_BATCH_BYTES_MAX) {
			made_flush(m);
			made_records(m);
		}
		made_task(m, FIRST_TID + i, FIRST_TID + program, programs[program].comm)->cgroup_id = CGROUPS + program;
	}
	made_flush(m);
	made_records(m);
	made_device(m, 254u << 20, "vda", false);
	made_device(m, 254u << 20 | 16, "vdb", false);
	made_flush(m);
}

static void write_stacks(void)
{
	static const char *const verbs[] = { "read", "write", "parse", "plan", "send", "hash", "sort", "lock" };
	static const char *const nouns[] = { "Row", "Page", "Request", "Query", "Buffer", "Index", "Socket", "Cache" };
	static const char *const calls[] = { "schedule", "futex_wait", "do_nanosleep", "ep_poll", "pipe_read", "sock_recvmsg",
					     "mutex_lock", "page_fault", "vfs_read", "submit_bio", "ext4_writepages", "io_schedule" };
	static char names[NR_FUNCTIONS][32];
	struct made *m = &machine.disks;

	for (unsigned i = 0; i < NR_FUNCTIONS; i++)
		snprintf(names[i], sizeof(names[i]), "%s%s", verbs[i % 8], nouns[i / 8]);
	for (unsigned i = 0; i < NR_KERNEL_STACKS; i++)
		made_stack(m, KERNEL_STACKS + i, 0, 0, 1, (const char *const[]){ calls[i], "__x64_sys_call", "do_syscall_64", NULL });
	for (unsigned i = 0; i < NR_USER_STACKS; i++) {
		const char *stack[20] = { NULL };
		unsigned depth = 3 + i * 7 % 12;

		/* the outer functions are the same for those of one program */
		for (unsigned j = 0; j < depth; j++)
			stack[depth - 1 - j] = j < 3 ? names[(i / 16 * 11 + j * 5) % NR_FUNCTIONS] : names[(i * 13 + j * 29) % NR_FUNCTIONS];
		stack[depth] = "main";
		made_stack(m, USER_STACKS + i, 7 + i / 16, 0, 2, stack);
	}
	made_records(m);
	tb_module(&m->t, 1, TT_MODULE_KERNEL, "[kernel.kallsyms]");
	tb_module(&m->t, 2, 0, "/usr/bin/server");
	made_flush(m);
}

static void write_ends(void)
{
	for (unsigned cpu = 0; cpu < machine.nr_cpus; cpu++) {
		struct made *m = &machine.cpus[cpu].sched;

		made_sched(m, cpu, TT_BATCH_LAST);
		m->t.b.base_ts_ns = m->cpus[cpu].ts_ns;
		if (tt_session_write_batch(machine.w, &m->t, m->t.b.size))
			exit(1);
	}
}

static void begin_cpu(struct cpu *c, unsigned cpu)
{
	made_begin(&c->sched, write_batch, &machine);
	made_begin(&c->records, write_batch, &machine);
	c->sched.cpus[cpu].running_tid = 0;
	c->sampled_steal_ns = c->sched.cpus[cpu].steal_clock_ns;
	c->sample_ts_ns = MADE_START_NS + SAMPLE_NS;
	for (unsigned i = 0; i < NR_TASKS_OF_CPU; i++) {
		struct task *t = &c->tasks[i];

		t->tid = FIRST_TID + i * machine.nr_cpus + cpu;
		t->program = i % NR_PROGRAMS;
		t->wake_ts_ns = MADE_START_NS + below(20 * MS);
	}
}

int main(int argc, char **argv)
{
	uint64_t seconds = argc > 2 ? strtoull(argv[2], NULL, 10) : 0, per_second = argc > 3 ? strtoull(argv[3], NULL, 10) : 2000;
	struct tt_summary summary = { .start_ts_ns = MADE_START_NS, .ended_by = "duration" };
	struct tt_info info = made_info;

	machine.nr_cpus = argc > 4 ? (unsigned)strtoul(argv[4], NULL, 10) : 2;
	if (!seconds || !per_second || machine.nr_cpus < 2 || machine.nr_cpus > MADE_CPUS_MAX) {
		fprintf(stderr, "usage: made_busy FILE SECONDS [SWITCHES [CPUS]]\n");
		return 2;
	}
	snprintf(info.hostname, sizeof(info.hostname), "web-3");
	info.start_ts_ns = MADE_START_NS;
	info.nr_cpus_possible = info.nr_cpus_online = machine.nr_cpus;
	machine.seed = 42;
	machine.unit_ns = SECOND_NS / per_second;
	machine.end_ts_ns = MADE_START_NS + seconds * SECOND_NS;
	if (tt_session_create(argv[1], &info, 0, &machine.w))
		return 1;
	made_begin(&machine.disks, write_batch, &machine);
	write_names();
	for (unsigned cpu = 0; cpu < machine.nr_cpus; cpu++)
		begin_cpu(&machine.cpus[cpu], cpu);
	for (uint64_t ts_ns = MADE_START_NS; ts_ns < machine.end_ts_ns; ts_ns += SECOND_NS) {
		for (unsigned cpu = 0; cpu < machine.nr_cpus; cpu++)
			run_cpu(&machine.cpus[cpu], cpu, ts_ns + SECOND_NS);
		run_disks(ts_ns);
		if (ts_ns == MADE_START_NS + seconds / 2 * SECOND_NS)
			write_move(ts_ns);
		if (tt_session_write_epoch(machine.w, ts_ns + SECOND_NS))
			return 1;
	}
	write_ends();
	write_stacks();
	summary.end_ts_ns = machine.end_ts_ns;
	summary.nr_events = machine.nr_events;
	if (tt_session_write_epoch(machine.w, machine.end_ts_ns + SECOND_NS) || tt_session_write_end(machine.w, &summary))
		return 1;
	tt_session_writer_close(machine.w);
	return 0;
}

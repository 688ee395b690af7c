/* SPDX-License-Identifier: GPL-2.0-or-later */
/* schedstat_probe SECONDS OUT [NR_BUSY NR_SLEEPERS [NR_FIFO NR_DEADLINE [HOLD_SECONDS]]] - busy loops and sleepers on at most
 * two CPUs, real-time tasks (SCHED_FIFO and SCHED_DEADLINE) that take 3 ms of every 20, and what the kernel says each
 * of them waited for a CPU.
 *
 * Tasks are named ttbusyN, ttsleepN, ttfifoN and ttdlN. A task's /proc/PID/schedstat is read twice, never while it is queued
 * (the file leaves out a wait that is still open): before it starts, while it blocks in a pipe, and at its
 * end, while it is a zombie that we have not reaped. So run_delay_ns of the second reading is all the task
 * ever waited, from fork to exit. With HOLD_SECONDS its end is a sleep of that long, which we do not wait for: who
 * records the tasks until we exit finds them alive and idle, and their sums as we read them. OUT gets one JSON object: {"tasks": [{"name", "tid", "start_run_delay_ns",
 * "run_delay_ns", "exec_ns", "nr_timeslices"}]}. */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { NR_TASKS_MAX = 64 };

struct schedstat {
	uint64_t exec_ns, run_delay_ns, nr_timeslices;
};

enum kind { BUSY, SLEEPER, FIFO, DEADLINE, NR_KINDS };

struct task {
	char name[16];
	enum kind kind;
	pid_t pid;
	struct schedstat start, end;
};

static double now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

static int read_schedstat(pid_t pid, struct schedstat *ret_stat)
{
	char path[64];
	FILE *f;
	int nr;

	snprintf(path, sizeof(path), "/proc/%d/schedstat", pid);
	f = fopen(path, "r");
	if (!f)
		return -errno;
	nr = fscanf(f, "%lu %lu %lu", &ret_stat->exec_ns, &ret_stat->run_delay_ns, &ret_stat->nr_timeslices);
	fclose(f);
	return nr == 3 ? 0 : -EIO;
}

/* Two of the CPUs that we may use, so that a big machine gives the same load. */
static void keep_two_cpus(void)
{
	cpu_set_t allowed, two;
	int nr = 0;

	if (sched_getaffinity(0, sizeof(allowed), &allowed))
		return;
	CPU_ZERO(&two);
	for (int cpu = 0; cpu < CPU_SETSIZE && nr < 2; cpu++) {
		if (CPU_ISSET(cpu, &allowed)) {
			CPU_SET(cpu, &two);
			nr++;
		}
	}
	sched_setaffinity(0, sizeof(two), &two);
}

static void spin(double until_s)
{
	while (now_s() < until_s)
		for (volatile int i = 0; i < 10000; i++)
			;
}

static int become_realtime(enum kind kind)
{
	/* struct sched_attr; glibc has no name for it */
	struct {
		uint32_t size, policy;
		uint64_t flags;
		int32_t nice;
		uint32_t priority;
		uint64_t runtime_ns, deadline_ns, period_ns;
	} attr = { .size = sizeof(attr) };

	if (kind == FIFO) {
		attr.policy = SCHED_FIFO;
		attr.priority = 10;
	} else {
		attr.policy = 6; /* SCHED_DEADLINE */
		attr.runtime_ns = 4000000;
		attr.deadline_ns = attr.period_ns = 20000000;
	}
	return syscall(SYS_sched_setattr, 0, &attr, 0) ? -errno : 0;
}

static void task_main(const struct task *task, int go_fd, double seconds, unsigned hold_s)
{
	struct timespec nap = { 0, task->kind == SLEEPER ? 2000000 : 17000000 };
	double until_s;
	char byte;

	if (!hold_s)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (task->kind >= FIFO && become_realtime(task->kind))
		_exit(1);
	prctl(PR_SET_NAME, task->name);
	if (read(go_fd, &byte, 1) != 0) /* end of file is the signal: it reaches all at once */
		_exit(1);
	until_s = now_s() + seconds;
	while (now_s() < until_s) {
		if (task->kind == BUSY) {
			spin(now_s() + 0.001);
			continue;
		}
		nanosleep(&nap, NULL);
		if (task->kind != SLEEPER)
			spin(now_s() + 0.003);
	}
	if (hold_s) {
		prctl(PR_SET_NAME, "held");
		sleep(hold_s);
	}
	_exit(0);
}

/* Blocked in the pipe, or in its sleep at the end: state S under a name that begins so, read between two switches. */
static bool wait_until_blocked(pid_t pid, const char *name)
{
	char path[64], line[256];

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	for (int i = 0; i < 5000; i++) {
		FILE *f = fopen(path, "r");
		const char *state = NULL;

		if (f && fgets(line, sizeof(line), f))
			state = strrchr(line, ')');
		if (f)
			fclose(f);
		/* the name is set just before; a sleep before that would be a page fault in D */
		if (state && state[2] == 'S' && strstr(line, name))
			return true;
		usleep(1000);
	}
	return false;
}

static int write_json(const char *path, const struct task *tasks, int nr)
{
	FILE *f = fopen(path, "w");

	if (!f)
		return -errno;
	fprintf(f, "{\"tasks\": [");
	for (int i = 0; i < nr; i++)
		fprintf(f,
			"%s\n{\"name\": \"%s\", \"tid\": %d, \"start_run_delay_ns\": %lu, \"run_delay_ns\": "
			"%lu, "
			"\"exec_ns\": %lu, \"nr_timeslices\": %lu}",
			i ? "," : "", tasks[i].name, tasks[i].pid, tasks[i].start.run_delay_ns,
			tasks[i].end.run_delay_ns, tasks[i].end.exec_ns, tasks[i].end.nr_timeslices);
	fprintf(f, "\n]}\n");
	return fclose(f) ? -errno : 0;
}

int main(int argc, char **argv)
{
	static const char *const names[NR_KINDS] = { "ttbusy", "ttsleep", "ttfifo", "ttdl" };
	int nr_of[NR_KINDS] = { 6, 4, 0, 0 };
	double seconds = argc > 1 ? atof(argv[1]) : 0;
	unsigned hold_s = argc > 3 + NR_KINDS ? (unsigned)atoi(argv[3 + NR_KINDS]) : 0;
	int nr = 0, go_fds[2], err = 0;
	struct task tasks[NR_TASKS_MAX] = { 0 };

	for (int kind = 0; kind < NR_KINDS; kind++) {
		if (argc > 3 + kind)
			nr_of[kind] = atoi(argv[3 + kind]);
		for (int i = 0; i < nr_of[kind] && nr < NR_TASKS_MAX; i++, nr++) {
			tasks[nr].kind = kind;
			snprintf(tasks[nr].name, sizeof(tasks[nr].name), "%s%d", names[kind], i);
		}
	}
	if (argc < 3 || seconds <= 0 || nr < 1) {
		fprintf(stderr,
			"usage: schedstat_probe SECONDS OUT [NR_BUSY NR_SLEEPERS [NR_FIFO NR_DEADLINE [HOLD_SECONDS]]]\n");
		return 2;
	}
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	keep_two_cpus();
	if (pipe(go_fds)) {
		perror("schedstat_probe: pipe");
		return 1;
	}
	for (int i = 0; i < nr; i++) {
		tasks[i].pid = fork();
		if (tasks[i].pid < 0) {
			perror("schedstat_probe: fork");
			return 1; /* the others see the end of the pipe's writer and then of their parent */
		}
		if (tasks[i].pid == 0) {
			close(go_fds[1]);
			task_main(&tasks[i], go_fds[0], seconds, hold_s);
		}
	}
	for (int i = 0; i < nr && !err; i++)
		err = wait_until_blocked(tasks[i].pid, "(tt") ? read_schedstat(tasks[i].pid, &tasks[i].start)
							      : -ETIMEDOUT;
	close(go_fds[1]);
	if (hold_s)
		usleep((useconds_t)(seconds * 1e6));
	for (int i = 0; i < nr && hold_s && !err; i++)
		err = wait_until_blocked(tasks[i].pid, "(held") ? read_schedstat(tasks[i].pid, &tasks[i].end)
								: -ETIMEDOUT;
	for (int i = 0; i < nr && !hold_s; i++) {
		siginfo_t how;
		int read_err;

		if (waitid(P_PID, tasks[i].pid, &how, WEXITED | WNOWAIT)) /* a zombie, not reaped */
			err = -errno;
		read_err = read_schedstat(tasks[i].pid, &tasks[i].end);
		err = err ? err : read_err;
		waitpid(tasks[i].pid, NULL, 0);
	}
	if (!err)
		err = write_json(argv[2], tasks, nr);
	if (err)
		fprintf(stderr, "schedstat_probe: %s\n", strerror(-err));
	return err ? 1 : 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ring NR_TASKS SECONDS [NR_CGROUPS DIR] - processes that wake each other in a circle, so that every switch is to a task that has
 * slept for a whole round. With DIR, a cgroup v2 directory, task i is put into DIR/(i % NR_CGROUPS). Prints how often one was woken.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct shared {
	_Atomic uint64_t nr_turns;
	_Atomic uint32_t nr_ready, stop;
	_Atomic uint32_t turn[]; /* 1: it is this task's */
};

static void give_turn(struct shared *s, uint32_t i)
{
	atomic_store(&s->turn[i], 1);
	syscall(SYS_futex, &s->turn[i], FUTEX_WAKE, 1, NULL, NULL, 0);
}

static void take_turns(struct shared *s, uint32_t i, uint32_t nr)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	atomic_fetch_add(&s->nr_ready, 1);
	for (;;) {
		while (!atomic_load(&s->turn[i]))
			syscall(SYS_futex, &s->turn[i], FUTEX_WAIT, 0, NULL, NULL, 0);
		atomic_store(&s->turn[i], 0);
		atomic_fetch_add(&s->nr_turns, 1);
		give_turn(s, (i + 1) % nr);
		if (atomic_load(&s->stop))
			_exit(0);
	}
}

static void enter_cgroup(const char *dir, uint32_t nr)
{
	char path[512], pid[16];
	int fd, len;

	snprintf(path, sizeof(path), "%s/%u/cgroup.procs", dir, nr);
	fd = open(path, O_WRONLY);
	len = snprintf(pid, sizeof(pid), "%d", (int)getpid());
	if (fd < 0 || write(fd, pid, (size_t)len) != len) {
		perror(path);
		_exit(1);
	}
	close(fd);
}

int main(int argc, char **argv)
{
	uint32_t nr = argc > 2 ? (uint32_t)atoi(argv[1]) : 0,
		 nr_cgroups = argc > 4 ? (uint32_t)atoi(argv[3]) : 0;
	double seconds = argc > 2 ? atof(argv[2]) : 0;
	size_t size = sizeof(struct shared) + nr * sizeof(uint32_t);
	struct shared *s;
	uint64_t before;

	if (nr < 2 || seconds <= 0) {
		fprintf(stderr, "usage: ring NR_TASKS SECONDS [NR_CGROUPS DIR]\n");
		return 2;
	}
	s = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (s == MAP_FAILED) {
		perror("ring: mmap");
		return 1;
	}
	for (uint32_t i = 0; i < nr; i++) {
		pid_t pid = fork();

		if (pid < 0) {
			fprintf(stderr, "ring: only %u of %u tasks: %s\n", i, nr, strerror(errno));
			kill(0, SIGTERM);
			return 1;
		}
		if (pid == 0) {
			if (nr_cgroups)
				enter_cgroup(argv[4], i % nr_cgroups);
			take_turns(s, i, nr);
		}
	}
	while (atomic_load(&s->nr_ready) < nr)
		usleep(1000);
	give_turn(s, 0);
	if (nr > 2)
		give_turn(s, nr / 2); /* work for two CPUs */
	before = atomic_load(&s->nr_turns);
	usleep((useconds_t)(seconds * 1e6));
	printf("%.0f\n", (double)(atomic_load(&s->nr_turns) - before) / seconds);
	fflush(stdout);
	atomic_store(&s->stop, 1);
	signal(SIGTERM, SIG_IGN);
	kill(0, SIGTERM);
	while (wait(NULL) > 0)
		;
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* spinner N SECONDS [CPU...] - N busy loops for that long; each bound to one of the CPUs in turn when some
 * are named. Ends earlier on SIGTERM or SIGINT, and when its parent dies. */
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

static void spin(double until_s)
{
	while (now_s() < until_s)
		for (volatile int i = 0; i < 100000; i++)
			;
}

static void bind_to(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		perror("spinner: sched_setaffinity");
}

static void forward(int sig)
{
	(void)sig;
	kill(0, SIGTERM); /* our own process group, see main */
	_exit(0);
}

int main(int argc, char **argv)
{
	int nr = argc > 1 ? atoi(argv[1]) : 0;
	double until_s;

	if (argc < 3 || nr < 1 || nr > 1024 || atof(argv[2]) <= 0) {
		fprintf(stderr, "usage: spinner N SECONDS [CPU...]\n");
		return 2;
	}
	until_s = now_s() + atof(argv[2]);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	setpgid(0, 0);
	for (int i = 0; i < nr; i++) {
		pid_t pid = fork();

		if (pid < 0) {
			perror("spinner: fork");
			kill(0, SIGTERM);
			return 1;
		}
		if (pid == 0) {
			prctl(PR_SET_PDEATHSIG, SIGTERM);
			if (argc > 3)
				bind_to(atoi(argv[3 + i % (argc - 3)]));
			spin(until_s);
			_exit(0);
		}
	}
	signal(SIGTERM, forward);
	signal(SIGINT, forward);
	while (wait(NULL) > 0)
		;
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sleeper SECONDS [INTERVAL_US] - sleeps and wakes at an interval (default 1000 us) for that long. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <signal.h>
#include <time.h>

static double now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	double seconds = argc > 1 ? atof(argv[1]) : 0;
	long interval_us = argc > 2 ? atol(argv[2]) : 1000;
	struct timespec interval = { interval_us / 1000000, interval_us % 1000000 * 1000 };
	double until_s = now_s() + seconds;

	if (seconds <= 0 || interval_us < 1) {
		fprintf(stderr, "usage: sleeper SECONDS [INTERVAL_US]\n");
		return 2;
	}
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	while (now_s() < until_s)
		nanosleep(&interval, NULL);
	return 0;
}

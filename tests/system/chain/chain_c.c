/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The C half of chain: what takes the time. System calls are made in place: a function of the C library has no frame of its own, and its
 * caller would be missing from a stack that is walked by frame pointers. */
#include "chain.h"

#include <stddef.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { BLOCK_BYTES = 4096, NR_BLOCKS = 1024 };

static inline __attribute__((always_inline)) long call4(long nr, long a, long b, long c, long d)
{
#ifdef __x86_64__
	register long r10 __asm__("r10") = d;
	long ret;

	__asm__ volatile("syscall" : "=a"(ret) : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10) : "rcx", "r11", "memory");
	return ret;
#else
	return syscall(nr, a, b, c, d);
#endif
}

unsigned long long now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (unsigned long long)now.tv_sec * 1000000000 + (unsigned long long)now.tv_nsec;
}

void chain_c_burn(unsigned long long until_ns)
{
	do
		for (volatile unsigned i = 0; i < 1000000; i++)
			;
	while (now_ns() < until_ns);
}

unsigned long chain_c_read(int fd, void *buf, unsigned long long until_ns)
{
	unsigned long i;

	for (i = 0; now_ns() < until_ns; i++)
		if (call4(SYS_pread64, fd, (long)buf, BLOCK_BYTES, (long)(i * 7919 % NR_BLOCKS * BLOCK_BYTES)) != BLOCK_BYTES)
			_exit(3);
	return i;
}

void chain_c_sleep(unsigned long long until_ns)
{
	struct timespec pause = { .tv_nsec = 1000000 };

	while (now_ns() < until_ns)
		call4(SYS_nanosleep, (long)&pause, 0, 0, 0);
}

__attribute__((noinline)) void chain_c_deep(unsigned nr_more, unsigned long long until_ns)
{
	if (nr_more)
		chain_c_deep(nr_more - 1, until_ns);
	else
		chain_c_burn(until_ns);
	__asm__ volatile(""); /* not the last call, which would be a jump */
}

static unsigned long long sort_until_ns;

static int chain_c_compare(const void *a, const void *b)
{
	chain_c_burn(sort_until_ns);
	return (a < b) - (a > b); /* not the last call */
}

void chain_c_sort(unsigned long long until_ns)
{
	char few[16];

	sort_until_ns = until_ns;
	qsort(few, sizeof(few), 1, chain_c_compare);
	__asm__ volatile("");
}

void chain_c_jit(void (*code)(unsigned long), unsigned long long until_ns)
{
	do
		code(1000000);
	while (now_ns() < until_ns);
}

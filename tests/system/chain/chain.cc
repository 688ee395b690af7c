/* SPDX-License-Identifier: GPL-2.0-or-later */
/* chain MODE SECONDS [FILE] - a program whose call chain is known, for tests of stacks:
 *
 *   main -> chain::Link<int>::outer(double) -> [inlined: chain::inlined_link] -> chain::(anonymous namespace)::middle -> chain_c_MODE
 *
 * Says its pid at first, and at the end its schedstat and how often it read.
 *
 * burn: busy. read: reads FILE by O_DIRECT. sleep: a millisecond at a time. jit: busy in code that was made at run time, which
 * /tmp/perf-PID.map calls "jit loop(int, char*)". deep: busy, 200 calls of itself below chain_c_deep. Built with frame pointers, optimized; chain-nofp is the same without.
 */
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "chain.h"

namespace chain {

struct work {
	const char *mode;
	int fd;
	void *buf;
	void (*code)(unsigned long);
	unsigned long long until_ns;
	unsigned long nr_reads;
};

namespace {

__attribute__((noinline)) void middle(work &w)
{
	if (!strcmp(w.mode, "burn"))
		chain_c_burn(w.until_ns);
	else if (!strcmp(w.mode, "read"))
		w.nr_reads = chain_c_read(w.fd, w.buf, w.until_ns);
	else if (!strcmp(w.mode, "sleep"))
		chain_c_sleep(w.until_ns);
	else if (!strcmp(w.mode, "sort"))
		chain_c_sort(w.until_ns);
	else if (!strcmp(w.mode, "deep"))
		chain_c_deep(200, w.until_ns);
	else
		chain_c_jit(w.code, w.until_ns);
	__asm__ volatile(""); /* not the last call, which would be a jump */
}

} // namespace

static inline __attribute__((always_inline)) void inlined_link(work &w)
{
	middle(w);
	__asm__ volatile("");
}

template <typename T> struct Link {
	__attribute__((noinline)) T outer(work &w, double)
	{
		inlined_link(w);
		return T(w.until_ns & 1);
	}
};

/* A loop of its argument's length, with a frame. NULL: not on this machine. */
static void (*make_code())(unsigned long)
{
#ifdef __x86_64__
	static const unsigned char code[] = {
		0x55,		  /* push %rbp */
		0x48, 0x89, 0xe5, /* mov %rsp,%rbp */
		0x48, 0xff, 0xcf, /* dec %rdi */
		0x75, 0xfb,	  /* jne to it */
		0x5d, 0xc3,	  /* pop %rbp; ret */
	};
	void *place = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char path[64];
	FILE *map;

	if (place == MAP_FAILED)
		return nullptr;
	memcpy(place, code, sizeof(code));
	mprotect(place, 4096, PROT_READ | PROT_EXEC);
	snprintf(path, sizeof(path), "/tmp/perf-%d.map", getpid());
	map = fopen(path, "w");
	if (map) {
		fprintf(map, "%lx %zx jit loop(int, char*)\n", (unsigned long)place, sizeof(code));
		fclose(map);
	}
	return (void (*)(unsigned long))place;
#else
	return nullptr;
#endif
}

} // namespace chain

/* What the kernel says of us, at the end. */
static bool tell_schedstat(unsigned long nr_reads)
{
	unsigned long long run_ns, wait_ns;
	FILE *file = fopen("/proc/self/schedstat", "r");

	if (!file || fscanf(file, "%llu %llu", &run_ns, &wait_ns) != 2)
		return false;
	printf("run_ns=%llu wait_ns=%llu nr_reads=%lu\n", run_ns, wait_ns, nr_reads);
	return true;
}

int main(int argc, char **argv)
{
	chain::work w = {};

	if (argc < 3)
		return 2;
	w.mode = argv[1];
	w.until_ns = now_ns() + (unsigned long long)(atof(argv[2]) * 1e9);
	w.fd = argc > 3 ? open(argv[3], O_RDONLY | O_DIRECT) : -1;
	if (posix_memalign(&w.buf, 4096, 4096) || (argc > 3 && w.fd < 0))
		return 1;
	if (!strcmp(w.mode, "jit") && !(w.code = chain::make_code()))
		return 77;
	printf("%d\n", getpid());
	fflush(stdout);
	chain::Link<int>().outer(w, 1.0);
	return !tell_schedstat(w.nr_reads);
}

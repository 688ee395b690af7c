/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Programs that are run by a cpu-clock event of each CPU. CPUs that come later get theirs when they are first seen online. The kernel
 * takes away the event of a CPU that goes offline, and when it is back at the next look, only the count of those that
 * went tells; so all are made anew. */
#include "collector/source/bpf_private.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "collector/base/log.h"

/* NULL: errno says why. */
static struct bpf_link *attach(const struct tt_bpf_clock *clock, unsigned cpu)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_SW_CPU_CLOCK,
		.freq = 1,
		.sample_freq = clock->rate_hz,
	};
	struct bpf_link *link;
	int fd = (int)syscall(SYS_perf_event_open, &attr, -1, (int)cpu, -1, PERF_FLAG_FD_CLOEXEC);

	if (fd < 0)
		return NULL;
	link = bpf_program__attach_perf_event(clock->prog, fd);
	if (!link)
		close(fd);
	return link; /* owns the descriptor */
}

static void detach(struct tt_bpf_clock *clock, unsigned cpu)
{
	if (!clock->links)
		return;
	bpf_link__destroy(clock->links[cpu]);
	clock->links[cpu] = NULL;
}

int tt_bpf_clocks_attach(struct bpf_source *b)
{
	uint32_t nr_gone = b->skel->bss->tt_nr_gone;

	for (struct tt_bpf_clock *clock = b->clocks; clock < b->clocks + NR_CLOCKS; clock++) {
		unsigned nr_running = 0;
		int err = ENOMEM;

		if (!clock->prog)
			continue;
		if (!clock->links)
			clock->links = calloc(b->nr_cpus, sizeof(*clock->links));
		for (unsigned cpu = 0; clock->links && cpu < b->nr_cpus; cpu++) {
			if (nr_gone != b->nr_gone)
				detach(clock, cpu);
			if (!clock->links[cpu])
				clock->links[cpu] = attach(clock, cpu);
			if (!clock->links[cpu])
				err = errno;
			nr_running += clock->links[cpu] != NULL;
		}
		if (nr_running)
			continue;
		log_error("bpf: no cpu-clock event of %u Hz on any CPU: %s "
			  "(kernel.perf_event_max_sample_rate is the limit)",
			  clock->rate_hz, strerror(err));
		return -ENODEV;
	}
	b->nr_gone = nr_gone;
	return 0;
}

void tt_bpf_clocks_detach_cpu(struct bpf_source *b, unsigned cpu)
{
	for (struct tt_bpf_clock *clock = b->clocks; clock < b->clocks + NR_CLOCKS; clock++)
		detach(clock, cpu);
}

void tt_bpf_clocks_detach(struct bpf_source *b)
{
	for (unsigned cpu = 0; cpu < b->nr_cpus; cpu++)
		tt_bpf_clocks_detach_cpu(b, cpu);
	for (struct tt_bpf_clock *clock = b->clocks; clock < b->clocks + NR_CLOCKS; clock++) {
		free(clock->links);
		clock->links = NULL;
	}
}

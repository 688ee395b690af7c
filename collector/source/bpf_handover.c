/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A steal hook can attach and never fire: distribution kernels inline account_steal_time() into its callers. While a recording
 * runs it is watched until it has seen something. If the kernel counts steal meanwhile and the hook does not, the next rung takes
 * over whose clock can simply be read.
 */
#include "collector/source/bpf_private.h"

#include <stdio.h>
#include <stdlib.h>

#include "collector/base/log.h"
#include "collector/source/proc_file.h"

/* The kernel tells what a tick or two have collected before the recording: so few say nothing. */
enum { NR_TICKS_BELIEVED = 2 };

uint64_t tt_bpf_kernel_steal_ticks(void)
{
	unsigned long long t[8];
	char line[512];

	if (tt_proc_read_small(-1, "/proc/stat", line, sizeof(line)) <= 0 ||
	    sscanf(line, "cpu %llu %llu %llu %llu %llu %llu %llu %llu", &t[0], &t[1], &t[2], &t[3], &t[4],
		   &t[5], &t[6], &t[7]) != 8)
		return 0;
	return t[7];
}

uint64_t tt_bpf_steal_sum_ns(struct bpf_source *b)
{
	struct clocks *cpus = calloc(b->nr_cpus, sizeof(*cpus));
	uint64_t sum_ns = 0;

	if (cpus && !tt_bpf_read_clocks(b, cpus))
		for (unsigned i = 0; i < b->nr_cpus; i++)
			sum_ns += cpus[i].steal_clock_ns;
	free(cpus);
	return sum_ns;
}

void tt_bpf_watch_steal_hook(struct bpf_source *b)
{
	const struct tt_bpf_ladder *ladder = &b->ladders[TT_LADDER_STEAL];

	b->steal_settled = !b->plan.rungs[TT_LADDER_STEAL] || ladder->at + 1 >= ladder->nr;
	b->steal_ticks_begin = tt_bpf_kernel_steal_ticks();
	b->steal_begin_ns = tt_bpf_steal_sum_ns(b);
}

/* The next rung that needs no program of its own and sees what the kernel has counted since boot. Its clock is set then. */
static const struct tt_bpf_rung *find_seeing(struct bpf_source *b)
{
	struct tt_bpf_ladder *ladder = &b->ladders[TT_LADDER_STEAL];

	for (unsigned i = ladder->at + 1; i < ladder->nr; i++) {
		const struct tt_bpf_rung *rung = ladder->rungs[i];

		if (rung->try_attach || rung->absent(&b->host))
			continue;
		rung->set_knobs(b->skel, &b->host);
		if (!tt_bpf_steal_sum_ns(b))
			continue;
		ladder->at = i;
		return rung;
	}
	b->plan.rungs[TT_LADDER_STEAL]->set_knobs(b->skel, &b->host);
	return NULL;
}

int tt_bpf_leave_silent_hook(struct bpf_source *b)
{
	const struct tt_bpf_rung *silent = b->plan.rungs[TT_LADDER_STEAL], *next;
	struct tt_hook_change change = { 0 };
	int err;

	if (b->steal_settled || tt_bpf_kernel_steal_ticks() <= b->steal_ticks_begin + NR_TICKS_BELIEVED)
		return 0;
	b->steal_settled = true;
	if (tt_bpf_steal_sum_ns(b) != b->steal_begin_ns)
		return 0;
	next = find_seeing(b);
	if (!next)
		return 0; /* the end of the recording tells that it was silent */
	log_warn("steal: hook %s is attached but silent while the kernel counts steal: %s takes over",
		 silent->name, next->name);
	b->plan.rungs[TT_LADDER_STEAL] = next;
	tt_bpf_sync_everywhere(b, SYNC_REBASE);
	err = tt_bpf_emit_counters(b);
	if (err)
		return err;
	snprintf(change.probe, sizeof(change.probe), "%s", tt_probe_name(next->probe));
	snprintf(change.from, sizeof(change.from), "%s", silent->name);
	snprintf(change.to, sizeof(change.to), "%s", next->name);
	return tt_bpf_emit_record(b, &change, sizeof(change), TT_EV_HOOK_CHANGE);
}

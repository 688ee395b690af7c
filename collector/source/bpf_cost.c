/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/source/bpf_private.h"

#include <string.h>
#include <unistd.h>

#include "collector/base/log.h"

/* What each program has run so far. Programs are told by their place in the object. */
static void read_run_times(struct bpf_source *b, struct prog_cost *now)
{
	struct bpf_program *prog;
	unsigned i = 0;

	memset(now, 0, MAX_PROGRAMS * sizeof(*now));
	bpf_object__for_each_program(prog, b->skel->obj)
	{
		struct bpf_prog_info info = { 0 };
		uint32_t len = sizeof(info);
		struct prog_cost *cost = &now[i];

		if (i++ == MAX_PROGRAMS)
			break;
		if (bpf_program__fd(prog) < 0 || bpf_obj_get_info_by_fd(bpf_program__fd(prog), &info, &len))
			continue;
		*cost = (struct prog_cost){ info.run_time_ns, info.run_cnt };
	}
}

void tt_bpf_cost_begin(struct bpf_source *b)
{
	read_run_times(b, b->cost_base);
	b->stats_fd = bpf_enable_stats(BPF_STATS_RUN_TIME);
	b->cost_from_ns = tt_now_ns();
}

/* For record -v. */
static void tell_programs(const struct bpf_source *b)
{
	struct bpf_program *prog;
	unsigned i = 0;

	bpf_object__for_each_program(prog, b->skel->obj)
	{
		const struct prog_cost *cost = &b->cost_counted[i];

		if (i++ == MAX_PROGRAMS)
			break;
		if (cost->nr_runs)
			log_verbose("cost: %s: %llu ns a run, counted over %llu runs",
				    bpf_program__name(prog),
				    (unsigned long long)(cost->run_ns / cost->nr_runs),
				    (unsigned long long)cost->nr_runs);
	}
}

/* The kernel counts run time only while asked to, and asking costs: look for a tenth of a second in every
 * ten. */
void tt_bpf_cost_update(struct bpf_source *b, bool last)
{
	uint64_t now_ns = tt_now_ns();
	struct prog_cost now[MAX_PROGRAMS];

	if (b->stats_fd < 0) {
		if (last)
			tell_programs(b);
		if (last || now_ns - b->cost_from_ns < (uint64_t)COST_PERIOD_MS * 1000000)
			return;
		tt_bpf_cost_begin(b);
		return;
	}
	if (!last && now_ns - b->cost_from_ns < (uint64_t)COST_WINDOW_MS * 1000000)
		return;
	close(b->stats_fd);
	b->stats_fd = -1;
	read_run_times(b, now);
	for (unsigned i = 0; i < MAX_PROGRAMS; i++) {
		uint64_t run_ns = now[i].run_ns - b->cost_base[i].run_ns,
			 nr_runs = now[i].nr_runs - b->cost_base[i].nr_runs;

		b->cost_counted[i].run_ns += run_ns;
		b->cost_counted[i].nr_runs += nr_runs;
		b->counted_run_ns += run_ns;
		b->counted_run_cnt += nr_runs;
	}
	b->cost_counted_ns += now_ns - b->cost_from_ns;
	if (last)
		tell_programs(b);
}

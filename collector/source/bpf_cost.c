/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/source/bpf_private.h"

#include <unistd.h>

static void read_run_time(struct bpf_source *b, uint64_t *ret_ns, uint64_t *ret_cnt)
{
	struct bpf_program *prog;

	*ret_ns = *ret_cnt = 0;
	bpf_object__for_each_program(prog, b->skel->obj)
	{
		struct bpf_prog_info info = { 0 };
		uint32_t len = sizeof(info);

		if (bpf_program__fd(prog) < 0 || bpf_obj_get_info_by_fd(bpf_program__fd(prog), &info, &len))
			continue;
		*ret_ns += info.run_time_ns;
		*ret_cnt += info.run_cnt;
	}
}

void tt_bpf_cost_begin(struct bpf_source *b)
{
	read_run_time(b, &b->base_run_ns, &b->base_run_cnt);
	b->stats_fd = bpf_enable_stats(BPF_STATS_RUN_TIME);
	b->cost_from_ns = tt_now_ns();
}

/* The kernel counts run time only while asked to, and asking costs: look for a tenth of a second in every
 * ten. */
void tt_bpf_cost_update(struct bpf_source *b, bool last)
{
	uint64_t now_ns = tt_now_ns(), run_ns, run_cnt;

	if (b->stats_fd < 0) {
		if (last || now_ns - b->cost_from_ns < (uint64_t)COST_PERIOD_MS * 1000000)
			return;
		tt_bpf_cost_begin(b);
		return;
	}
	if (!last && now_ns - b->cost_from_ns < (uint64_t)COST_WINDOW_MS * 1000000)
		return;
	close(b->stats_fd);
	b->stats_fd = -1;
	read_run_time(b, &run_ns, &run_cnt);
	b->counted_run_ns += run_ns - b->base_run_ns;
	b->counted_run_cnt += run_cnt - b->base_run_cnt;
	b->cost_counted_ns += now_ns - b->cost_from_ns;
}

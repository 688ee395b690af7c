/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/aggregate/view.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

enum { NR_TOP_DEFAULT = 10, LONG_BITS = sizeof(long) * CHAR_BIT };

bool tt_view_has_cpu(const struct tt_view *v, unsigned cpu)
{
	if (!v->cpu_mask)
		return true;
	return cpu < v->nr_cpu_bits && (v->cpu_mask[cpu / LONG_BITS] >> (cpu % LONG_BITS) & 1);
}

bool tt_view_has_task_filter(const struct tt_view *v)
{
	return v->pid || v->cgroup;
}

bool tt_view_has_task(const struct tt_view *v, const struct tt_world *w, uint32_t tid)
{
	const struct tt_world_task *task;

	if (!tt_view_has_task_filter(v))
		return true;
	task = tid == TT_TID_UNKNOWN ? NULL : tt_world_task(w, tid);
	if (!task || (v->pid && task->pid != v->pid))
		return false;
	if (v->cgroup) {
		const char *path = tid ? tt_world_cgroup_path(w, task->cgroup_id) : NULL;

		return path && tt_cgroup_is_below(path, v->cgroup);
	}
	return true;
}

bool tt_view_has_device(const struct tt_view *v, const struct tt_world *w, uint32_t dev)
{
	const struct tt_world_device *wanted;

	if (!v->device)
		return true;
	wanted = tt_world_device_by_name(w, v->device);
	return wanted && wanted->dev == dev;
}

unsigned tt_view_nr_top(const struct tt_view *v)
{
	return v->nr_top ? v->nr_top : NR_TOP_DEFAULT;
}

void tt_view_add_by_note(const struct tt_view *v, unsigned not_by, const char *rows, struct tt_report *r, struct tt_section *s)
{
	static const char *const names[] = { [TT_BY_CPU] = "cpu", [TT_BY_TASK] = "task", [TT_BY_CGROUP] = "cgroup", [TT_BY_DEVICE] = "device" };

	if (v->by && not_by >> v->by & 1)
		tt_section_add_note(r, s, "--by %s: %s", names[v->by], rows);
}

void tt_view_add_note(const struct tt_view *v, struct tt_report *r, struct tt_section *s)
{
	if (v->pid)
		tt_section_add_note(r, s,
				    "only process %u is shown; it was recorded together with all others",
				    v->pid);
	if (v->cgroup)
		tt_section_add_note(r, s, "only cgroup %s is shown; it was recorded together with all others",
				    v->cgroup);
	if (v->cpu_mask)
		tt_section_add_note(r, s, "only the CPUs asked for are shown; all were recorded");
}

bool tt_probe_was_recorded(const struct tt_info *info, const char *probe)
{
	for (unsigned i = 0; i < info->nr_probes && i < TT_INFO_NR_PROBES; i++) {
		if (!strcmp(info->probes[i].probe, probe))
			return info->probes[i].rung[0] != '\0';
	}
	return info->nr_probes == 0; /* not told: what is there is shown */
}

double tt_session_s(const struct tt_world *w, uint64_t ts_ns)
{
	return ((double)ts_ns - (double)tt_world_info(w)->start_ts_ns) / 1e9;
}

static uint64_t overlap_ns(uint64_t a_from, uint64_t a_to, uint64_t b_from, uint64_t b_to)
{
	uint64_t from = a_from > b_from ? a_from : b_from, to = a_to < b_to ? a_to : b_to;

	return to > from ? to - from : 0;
}

uint64_t tt_cpu_covered_ns(const struct tt_world_cpu *cpu, const struct tt_interval *interval)
{
	uint64_t covered_ns;

	/* a quiet CPU says nothing for a while: until its window is closed, it is on */
	if (!interval->whole) {
		covered_ns = cpu->online ? overlap_ns(cpu->begin_ts_ns, interval->to_ts_ns,
						      interval->from_ts_ns, interval->to_ts_ns)
					 : 0;
		for (unsigned i = cpu->nr_closed; i && cpu->closed[i - 1].end_ts_ns > interval->from_ts_ns;
		     i--)
			covered_ns += overlap_ns(cpu->closed[i - 1].begin_ts_ns, cpu->closed[i - 1].end_ts_ns,
						 interval->from_ts_ns, interval->to_ts_ns);
		return covered_ns;
	}
	covered_ns = cpu->recorded_ns;
	if (cpu->online && interval->to_ts_ns > cpu->end_ts_ns)
		covered_ns += interval->to_ts_ns - cpu->end_ts_ns;
	return covered_ns;
}

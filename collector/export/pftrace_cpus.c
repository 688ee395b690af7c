/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/export/pftrace_cpus.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "collector/event/decode.h"
#include "collector/export/depth.h"

enum { MODE_KERNEL = 1, MODE_USER = 2 }; /* Profiling.CpuMode */

struct cpu {
	bool has_steal_tracks, has_waiting_track;
	uint64_t stolen_ns, sampled_ns;
	uint64_t last_stolen_ts_ns;
};

struct tt_pftrace_cpus {
	struct tt_pftrace *t;
	const struct tt_world *world;
	struct tt_pftrace_stacks *stacks;
	struct tt_depth *waiting;
	uint64_t nr_cut;
	struct cpu cpus[TT_DECODE_CPUS_MAX];
};

static void tell_track(struct tt_pftrace_cpus *pc, enum tt_pf_track what, enum tt_pf_group group,
		       unsigned cpu, const char *name)
{
	char text[64];
	struct tt_pf_track_options opts = {
		.uuid = tt_pf_uuid(what, cpu),
		.parent = tt_pf_uuid(TT_PF_GROUP, group),
		.name = text,
		.rank = (int32_t)(2 * cpu + (what == TT_PF_STOLEN)),
		.has = what == TT_PF_STOLEN    ? TT_PF_COUNTER_NS
		       : what == TT_PF_WAITING ? TT_PF_COUNTER
					       : TT_PF_SLICES,
	};

	snprintf(text, sizeof(text), "cpu%u %s", cpu, name);
	tt_pftrace_track(pc->t, &opts);
}

static void on_waiting(void *ctx, uint32_t cpu, uint64_t ts_ns, uint64_t nr_waiting)
{
	struct tt_pftrace_cpus *pc = ctx;

	if (!pc->cpus[cpu].has_waiting_track)
		tell_track(pc, TT_PF_WAITING, TT_PF_QUEUES, cpu, "waiting tasks");
	pc->cpus[cpu].has_waiting_track = true;
	tt_pftrace_counter(pc->t, tt_pf_uuid(TT_PF_WAITING, cpu), ts_ns, nr_waiting);
}

int tt_pftrace_cpus_open(struct tt_pftrace *t, const struct tt_world *world, struct tt_pftrace_stacks *stacks,
			 struct tt_pftrace_cpus **ret_pc)
{
	struct tt_pftrace_cpus *pc = calloc(1, sizeof(*pc));

	if (!pc)
		return -ENOMEM;
	pc->t = t;
	pc->world = world;
	pc->stacks = stacks;
	if (tt_depth_open(TT_DECODE_CPUS_MAX, on_waiting, pc, &pc->waiting)) {
		free(pc);
		return -ENOMEM;
	}
	*ret_pc = pc;
	return 0;
}

void tt_pftrace_cpus_close(struct tt_pftrace_cpus *pc)
{
	if (!pc)
		return;
	tt_depth_close(pc->waiting);
	free(pc);
}

/* --- steal --- */

static const char *const seen_by[] = { [TT_SEEN_SWITCH] = "switch",
				       [TT_SEEN_TICK] = "timer interrupt",
				       [TT_SEEN_COMPLETION] = "completion of a request",
				       [TT_SEEN_SYNC] = "end of a batch" };

static uint64_t begin_of_gap(struct tt_pftrace_cpus *pc, struct cpu *c, const struct tt_hit *hit)
{
	uint64_t begin_ts_ns = hit->ts_ns > hit->weight_ns ? hit->ts_ns - hit->weight_ns : 0;

	if (begin_ts_ns < c->last_stolen_ts_ns) {
		pc->nr_cut++;
		begin_ts_ns = c->last_stolen_ts_ns < hit->ts_ns ? c->last_stolen_ts_ns : hit->ts_ns;
	}
	c->last_stolen_ts_ns = hit->ts_ns;
	return begin_ts_ns;
}

void tt_pftrace_cpus_steal(struct tt_pftrace_cpus *pc, const struct tt_hit *hit, const struct tt_ev_steal *ev)
{
	struct cpu *c = &pc->cpus[hit->cpu];
	char name[TT_PFTRACE_COMM_MAX + 32], comm[TT_PFTRACE_COMM_MAX];
	struct tt_pf_event event = {
		.track = tt_pf_uuid(TT_PF_STEAL, hit->cpu),
		.category = TT_PF_CAT_STEAL,
		.name = ev->shed ? "stolen while switches were shed" : name,
		.ts_ns = hit->ts_ns,
	};

	if (!c->has_steal_tracks) {
		tell_track(pc, TT_PF_STEAL, TT_PF_STEALS, hit->cpu, "stolen");
		tell_track(pc, TT_PF_STOLEN, TT_PF_STEALS, hit->cpu, "stolen time");
	}
	c->has_steal_tracks = true;
	tt_pf_add_number(&event, "stolen_ns", hit->weight_ns);
	if (ev->shed) {
		tt_pftrace_instant(pc->t, &event);
	} else {
		snprintf(name, sizeof(name), "stolen from %s",
			 ev->tid ? tt_pftrace_comm(comm, pc->world, ev->tid) : "idle");
		tt_pf_add_number(&event, "tid", ev->tid);
		tt_pf_add_number(&event, "unobserved_ns", ev->since_ns);
		if (ev->seen <= TT_SEEN_SYNC)
			tt_pf_add_text(&event, "seen_by", seen_by[ev->seen]);
		event.callstack = tt_pftrace_callstack(pc->stacks, hit);
		event.weight_ns = hit->weight_ns;
		event.ts_ns = begin_of_gap(pc, c, hit);
		tt_pftrace_slice(pc->t, &event, hit->ts_ns);
	}
	if (!c->stolen_ns)
		tt_pftrace_counter(pc->t, tt_pf_uuid(TT_PF_STOLEN, hit->cpu), event.ts_ns, 0);
	c->stolen_ns += hit->weight_ns;
	tt_pftrace_counter(pc->t, tt_pf_uuid(TT_PF_STOLEN, hit->cpu), hit->ts_ns, c->stolen_ns);
}

/* --- run queue and samples --- */

void tt_pftrace_cpus_waited(struct tt_pftrace_cpus *pc, unsigned cpu, uint64_t begin_ts_ns,
			    uint64_t end_ts_ns)
{
	tt_depth_add(pc->waiting, cpu, begin_ts_ns, end_ts_ns);
}

void tt_pftrace_cpus_sample(struct tt_pftrace_cpus *pc, const struct tt_hit *hit, const struct tt_sample *rec)
{
	Pftrace__PerfSample sample = PFTRACE__PERF_SAMPLE__INIT;
	Pftrace__TracePacket packet = PFTRACE__TRACE_PACKET__INIT;
	struct cpu *c = &pc->cpus[hit->cpu];

	c->sampled_ns += hit->weight_ns;
	sample.has_cpu = sample.has_pid = sample.has_tid = sample.has_cpu_mode = sample.has_timebase_count =
		true;
	sample.cpu = hit->cpu;
	sample.pid = rec->tid ? hit->pid : 0;
	sample.tid = rec->tid;
	sample.cpu_mode = rec->flags & TT_SAMPLE_USER ? MODE_USER : MODE_KERNEL;
	sample.timebase_count = c->sampled_ns;
	sample.callstack_iid = tt_pftrace_callstack(pc->stacks, hit);
	sample.has_callstack_iid = sample.callstack_iid != 0;
	packet.has_timestamp = true;
	packet.timestamp = hit->ts_ns;
	packet.perf_sample = &sample;
	tt_pftrace_put(pc->t, &packet);
}

void tt_pftrace_cpus_finish(struct tt_pftrace_cpus *pc)
{
	tt_depth_finish(pc->waiting);
}

uint64_t tt_pftrace_cpus_nr_cut(const struct tt_pftrace_cpus *pc)
{
	return pc->nr_cut;
}

uint64_t tt_pftrace_cpus_nr_late(const struct tt_pftrace_cpus *pc)
{
	return tt_depth_nr_late(pc->waiting);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>

#include "collector/export/pftrace_disks.h"
#include "collector/export/pftrace_sched.h"
#include "collector/export/pftrace_threads.h"
#include "exporting.h"

/* The trace that was written so far. */
static Pftrace__Trace *read_trace(struct replay *r)
{
	Pftrace__Trace *trace;
	off_t size;

	if (!r->text)
		replay_text(r);
	size = lseek(r->fd, 0, SEEK_END);
	trace = pftrace__trace__unpack(NULL, (size_t)size, (const uint8_t *)r->text);
	cr_assert(trace != NULL);
	return trace;
}

/* Sum of a numeric argument over all events. */
static uint64_t sum_of(const Pftrace__Trace *trace, const char *arg_name)
{
	uint64_t iid = 0, sum = 0;

	for (size_t i = 0; i < trace->n_packet; i++) {
		const Pftrace__InternedData *data = trace->packet[i]->interned_data;
		const Pftrace__TrackEvent *event = trace->packet[i]->track_event;

		for (size_t j = 0; data && j < data->n_debug_annotation_names; j++) {
			if (!strcmp(data->debug_annotation_names[j]->name, arg_name))
				iid = data->debug_annotation_names[j]->iid;
		}
		for (size_t j = 0; event && iid && j < event->n_debug_annotations; j++) {
			if (event->debug_annotations[j]->name_iid == iid)
				sum += event->debug_annotations[j]->uint_value;
		}
	}
	return sum;
}

Test(perfetto, sums_of_arguments_are_those_of_hits)
{
	for (uint64_t seed = 0; seed < 12; seed++) {
		struct replay r = { 0 };
		uint64_t sampled_ns[2] = { 0 };
		Pftrace__Trace *trace;

		export(&r, &tt_exporter_perfetto, TT_CAUSES_ALL, seed);
		trace = read_trace(&r);
		cr_expect(eq(u64, sum_of(trace, "wait_ns"), tt_hits_sum_ns(r.hits, TT_CAUSE_RUNQ)));
		/* waits have the stolen part of them, too */
		cr_expect(ge(u64, sum_of(trace, "stolen_ns"), tt_hits_sum_ns(r.hits, TT_CAUSE_STEAL)));
		for (size_t i = 0; i < trace->n_packet; i++) {
			if (trace->packet[i]->perf_sample)
				sampled_ns[trace->packet[i]->perf_sample->cpu] =
					trace->packet[i]->perf_sample->timebase_count;
		}
		cr_expect(eq(u64, sampled_ns[0] + sampled_ns[1] + sum_of(trace, "cpu_ns"),
			     tt_hits_sum_ns(r.hits, TT_CAUSE_CPU)),
			  "seed %llu", (unsigned long long)seed);
		pftrace__trace__free_unpacked(trace, NULL);
		replay_close(&r);
	}
}

/* --- parts, alone --- */

struct parts {
	struct replay r;
	struct tt_pftrace *t;
	struct tt_pftrace_stacks *stacks;
	const struct tt_world *world;
};

static void open_parts(struct parts *p)
{
	memset(p, 0, sizeof(*p));
	replay_open(&p->r, TT_SECTIONS_NONE, NULL, 0, NULL);
	p->world = tt_pipeline_world(p->r.p);
	cr_assert(eq(int, tt_pftrace_open(&p->r.out, &p->t), 0));
	cr_assert(eq(int, tt_pftrace_stacks_open(p->t, p->r.stacks, &p->stacks), 0));
}

static Pftrace__Trace *close_parts(struct parts *p)
{
	Pftrace__Trace *trace;

	tt_pftrace_stacks_close(p->stacks);
	cr_expect(eq(int, tt_pftrace_error(p->t), 0));
	tt_pftrace_close(p->t);
	trace = read_trace(&p->r);
	replay_close(&p->r);
	return trace;
}

static unsigned nr_tracks(const Pftrace__Trace *trace, uint64_t uuid)
{
	unsigned nr = 0;

	for (size_t i = 0; i < trace->n_packet; i++)
		nr += trace->packet[i]->track_descriptor && trace->packet[i]->track_descriptor->uuid == uuid;
	return nr;
}

Test(pftrace_disks, requests_at_once_have_a_lane_each_up_to_the_bound)
{
	enum { NR = TT_PFTRACE_LANES_MAX + 3 };
	struct parts p;
	struct tt_pftrace_disks *pd;
	struct tt_disk rec = { .total_ns = 1000, .queue_ns = 300, .device_ns = 700, .bytes = 4096 };
	struct tt_hit hit = { .cause = TT_CAUSE_DISK, .dev = 8u << 20, .weight_ns = 1000, .nr = 1 };
	unsigned begins = 0, instants = 0;
	Pftrace__Trace *trace;

	open_parts(&p);
	cr_assert(eq(int, tt_pftrace_disks_open(p.t, p.world, p.stacks, &pd), 0));
	for (unsigned i = 0; i < NR; i++) {
		hit.ts_ns = 100000 + i;
		cr_assert(eq(int, tt_pftrace_disks_request(pd, &hit, &rec), 0));
	}
	cr_expect(eq(u64, tt_pftrace_disks_nr_without_lane(pd), 3));
	hit.ts_ns = 200000; /* all are over */
	cr_assert(eq(int, tt_pftrace_disks_request(pd, &hit, &rec), 0));
	tt_pftrace_disks_finish(pd);
	tt_pftrace_disks_close(pd);
	trace = close_parts(&p);
	for (size_t i = 0; i < trace->n_packet; i++) {
		const Pftrace__TrackEvent *event = trace->packet[i]->track_event;

		begins += event && event->type == 1;
		instants += event && event->type == 3;
	}
	cr_expect(eq(u32, instants, 3), "none is left out");
	cr_expect(eq(u32, begins, 3 * (NR + 1 - 3)), "each with its parts");
	cr_expect(eq(u32, nr_tracks(trace, tt_pf_uuid(TT_PF_LANE, 0)), 1), "a lane is told once");
	pftrace__trace__free_unpacked(trace, NULL);
}

Test(pftrace_disks, beyond_the_bound_of_devices_requests_are_instants)
{
	struct parts p;
	struct tt_pftrace_disks *pd;
	struct tt_disk rec = { .total_ns = 10 };
	struct tt_hit hit = { .cause = TT_CAUSE_DISK, .ts_ns = 1000, .weight_ns = 10, .nr = 1 };
	Pftrace__Trace *trace;

	open_parts(&p);
	cr_assert(eq(int, tt_pftrace_disks_open(p.t, p.world, p.stacks, &pd), 0));
	for (hit.dev = 1; hit.dev <= TT_PFTRACE_DISKS_MAX + 2; hit.dev++)
		cr_assert(eq(int, tt_pftrace_disks_request(pd, &hit, &rec), 0));
	cr_expect(eq(u64, tt_pftrace_disks_nr_without_lane(pd), 2));
	cr_assert(eq(int, tt_pftrace_disks_shed(pd, &hit), 0));
	tt_pftrace_disks_finish(pd);
	tt_pftrace_disks_close(pd);
	trace = close_parts(&p);
	cr_expect(eq(u64, sum_of(trace, "requests"), TT_PFTRACE_DISKS_MAX + 3));
	pftrace__trace__free_unpacked(trace, NULL);
}

Test(pftrace_threads, more_than_the_bound_are_forgotten_and_told_again)
{
	struct parts p;
	struct tt_pftrace_threads *th;
	uint64_t first;
	Pftrace__Trace *trace;

	open_parts(&p);
	cr_assert(eq(int, tt_pftrace_threads_open(p.t, p.world, &th), 0));
	first = tt_pftrace_thread_track(th, 1)->track;
	tt_pftrace_thread_track(th, 1)->last_end_ts_ns = 5;
	cr_expect(eq(u64, tt_pftrace_thread(th, 1)->last_end_ts_ns, 5), "remembered");
	for (uint32_t tid = 2; tid <= TT_PFTRACE_THREADS_MAX + 1; tid++)
		tt_pftrace_thread(th, tid);
	cr_expect(eq(u64, tt_pftrace_thread_track(th, 1)->last_end_ts_ns, 0), "forgotten");
	cr_expect(eq(u64, tt_pftrace_thread_track(th, 1)->track, first), "and the same");
	tt_pftrace_threads_close(th);
	trace = close_parts(&p);
	cr_expect(eq(u32, nr_tracks(trace, first), 2));
	pftrace__trace__free_unpacked(trace, NULL);
}

/* All compact switches of a CPU: "TID@TS " each. */
static void list_switches(const Pftrace__Trace *trace, char *text, size_t size)
{
	size_t len = 0;

	text[0] = '\0';
	for (size_t i = 0; i < trace->n_packet; i++) {
		const Pftrace__FtraceEventBundle *bundle = trace->packet[i]->ftrace_events;
		const Pftrace__FtraceEventBundle__CompactSched *compact =
			bundle ? bundle->compact_sched : NULL;
		uint64_t ts_ns = 0;

		for (size_t j = 0; bundle && j < bundle->n_event; j++)
			len += (size_t)snprintf(text + len, size - len, "first:%d@%llu ",
						bundle->event[j]->sched_switch->next_pid,
						(unsigned long long)bundle->event[j]->timestamp);
		for (size_t j = 0; compact && j < compact->n_switch_timestamp && len < size; j++) {
			ts_ns += compact->switch_timestamp[j];
			len += (size_t)snprintf(text + len, size - len, "%d@%llu ",
						compact->switch_next_pid[j], (unsigned long long)ts_ns);
		}
	}
}

Test(pftrace_sched, what_was_shed_is_a_task_of_its_own)
{
	struct parts p;
	struct tt_pftrace_sched *ps;
	struct tt_ev_window begin = { .ev = { .ts_ns = 100 }, .begins = 1, .tid = 7 },
			    end = { .ev = { .ts_ns = 900 } };
	struct tt_ev_switch sw = { .ev = { .ts_ns = 200 }, .prev_tid = 7, .next_tid = 8 };
	struct tt_loss loss = { .rec = { .ts_ns = 500 }, .since_ts_ns = 300, .count = 4 };
	char text[256];
	Pftrace__Trace *trace;

	open_parts(&p);
	cr_assert(eq(int, tt_pftrace_sched_open(p.t, p.world, &ps), 0));
	cr_assert(eq(int, tt_pftrace_sched_window(ps, &begin), 0));
	cr_assert(eq(int, tt_pftrace_sched_switch(ps, &sw), 0));
	cr_assert(eq(int, tt_pftrace_sched_lost(ps, 0, &loss), 0));
	sw = (struct tt_ev_switch){ .ev = { .ts_ns = 600 }, .prev_tid = 9, .next_tid = 10 };
	cr_assert(eq(int, tt_pftrace_sched_switch(ps, &sw), 0));
	cr_assert(eq(int, tt_pftrace_sched_window(ps, &end), 0));
	tt_pftrace_sched_finish(ps);
	tt_pftrace_sched_close(ps);
	trace = close_parts(&p);
	list_switches(trace, text, sizeof(text));
	cr_expect(eq(str, text, "first:7@100 8@200 1073741824@300 9@500 10@600 1073741824@900 "));
	pftrace__trace__free_unpacked(trace, NULL);
}

/* Of a damaged file. */
Test(pftrace_sched, time_never_goes_back_on_a_cpu)
{
	struct parts p;
	struct tt_pftrace_sched *ps;
	struct tt_ev_switch sw = { .ev = { .ts_ns = 200 }, .next_tid = 1 };
	struct tt_loss loss = { .rec = { .ts_ns = 50 }, .since_ts_ns = 20 };
	char text[256];
	Pftrace__Trace *trace;

	open_parts(&p);
	cr_assert(eq(int, tt_pftrace_sched_open(p.t, p.world, &ps), 0));
	for (unsigned i = 0; i < 2; i++, sw.ev.ts_ns = 100)
		cr_assert(eq(int, tt_pftrace_sched_switch(ps, &sw), 0));
	cr_assert(eq(int, tt_pftrace_sched_lost(ps, 0, &loss), 0));
	cr_assert(eq(int, tt_pftrace_sched_switch(ps, &sw), 0));
	tt_pftrace_sched_finish(ps);
	tt_pftrace_sched_close(ps);
	trace = close_parts(&p);
	list_switches(trace, text, sizeof(text));
	cr_expect(eq(str, text, "first:1@200 1@200 1073741824@200 0@200 1@200 "));
	pftrace__trace__free_unpacked(trace, NULL);
}

/* --- ends of processes --- */

struct life {
	struct replay r;
	struct tt_world *world;
	void *perfetto;
};

static void live_task(struct life *l, uint64_t ts_ns, unsigned why, uint32_t tid, uint32_t pid)
{
	struct tt_task rec = { .rec = { .kind = TT_EV_TASK, .ts_ns = ts_ns },
			       .tid = tid,
			       .pid = pid,
			       .start_ns = tid,
			       .why = (tt_u16)why };
	struct tt_ev_record ev = { { TT_EV_TASK, 0, 0, ts_ns }, &rec.rec };

	tt_world_event(l->world, &ev.ev);
	cr_assert(eq(int, tt_exporter_perfetto.event(l->perfetto, &ev.ev), 0));
}

static void live_exit(struct life *l, uint64_t ts_ns, uint32_t tid, uint32_t pid)
{
	struct tt_ev_switch sw = { .ev = { TT_EV_SWITCH, 0, TT_STATE_DEAD, ts_ns + 10 }, .prev_tid = tid };

	live_task(l, ts_ns, TT_TASK_EXIT, tid, pid);
	tt_world_event(l->world, &sw.ev);
	cr_assert(eq(int, tt_exporter_perfetto.event(l->perfetto, &sw.ev), 0));
}

/* "TID@TS " of each end. */
static void list_ends(const Pftrace__Trace *trace, char *text, size_t size)
{
	size_t len = 0;

	text[0] = '\0';
	for (size_t i = 0; i < trace->n_packet; i++) {
		const Pftrace__FtraceEventBundle *bundle = trace->packet[i]->ftrace_events;

		for (size_t j = 0; bundle && j < bundle->n_event && len < size; j++) {
			if (bundle->event[j]->sched_process_free)
				len += (size_t)snprintf(text + len, size - len, "%d@%llu ",
							bundle->event[j]->sched_process_free->pid,
							(unsigned long long)bundle->event[j]->timestamp);
		}
	}
}

Test(perfetto, a_process_ends_with_its_last_thread)
{
	struct life l = { 0 };
	struct tt_export_context ctx = {
		.file = "made.tt", .info = &made_info, .view = &l.r.view, .causes = TT_CAUSES_ALL
	};
	static const uint64_t nr_lost[TT_LOSS_NR];
	struct tt_export_end end = { .nr_lost = nr_lost };
	char text[256];
	Pftrace__Trace *trace;

	replay_open(&l.r, TT_SECTIONS_NONE, NULL, 0, NULL);
	cr_assert(eq(int, tt_world_open(&made_info, &l.world), 0));
	ctx.world = l.world;
	ctx.stacks = l.r.stacks;
	ctx.out = &l.r.out;
	cr_assert(eq(int, tt_exporter_perfetto.open(&ctx, &l.perfetto), 0));
	live_task(&l, 100, TT_TASK_AT_START, 1, 1);
	live_task(&l, 100, TT_TASK_AT_START, 2, 1);
	live_task(&l, 100, TT_TASK_AT_START, 3, 1);
	live_task(&l, 100, TT_TASK_AT_START, 7, 7);
	live_exit(&l, 200, 2, 1);
	live_exit(&l, 300, 1, 1); /* the first of the process: 3 lives on */
	live_exit(&l, 400, 7, 7);
	live_exit(&l, 500, 3, 1);
	cr_assert(eq(int, tt_exporter_perfetto.finish(l.perfetto, &end), 0));
	tt_exporter_perfetto.close(l.perfetto);
	trace = read_trace(&l.r);
	list_ends(trace, text, sizeof(text));
	cr_expect(eq(str, text, "2@211 7@411 3@511 1@511 "));
	pftrace__trace__free_unpacked(trace, NULL);
	tt_world_close(l.world);
	replay_close(&l.r);
}

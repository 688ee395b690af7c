/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/export/html/events.h"

#include <errno.h>
#include <stdlib.h>

#include "collector/aggregate/request.h"
#include "collector/aggregate/view.h"
#include "collector/export/html/timeline.h"
#include "collector/export/html/worst.h"

struct one_switch {
	uint64_t ts_ns, wait_ns;
	uint32_t party;
	uint16_t cpu;
	uint8_t flags;
};

struct one_gap {
	uint64_t ts_ns, ns;
	uint32_t party;
	uint16_t cpu;
};

struct one_request {
	uint64_t ts_ns, total_ns, queue_ns;
	uint32_t party;
	uint16_t device, group;
};

/* How a CPU's switches begin. */
struct first {
	bool is_told;  /* there was one */
	bool is_known; /* a window began, and had this task on the CPU */
	uint32_t tid;
};

struct tt_page_events {
	const struct tt_world *world;
	const struct tt_view *view;
	struct tt_page_parties *parties;
	struct tt_page_devices *devices;
	/* each as large as it may become: the kernel gives the pages when they are touched */
	struct one_switch *switches;
	struct one_gap *gaps;
	struct one_request *requests;
	uint32_t nr_switches, nr_gaps, nr_requests;
	uint64_t nr;
	struct first first[TT_VIEW_CPUS_MAX];
	struct tt_worst waits, worst_gaps, worst_requests;
};

static void free_all(struct tt_page_events *e)
{
	free(e->switches);
	free(e->gaps);
	free(e->requests);
	e->switches = NULL;
	e->gaps = NULL;
	e->requests = NULL;
}

int tt_page_events_open(const struct tt_world *world, const struct tt_view *view,
			struct tt_page_parties *parties, struct tt_page_devices *devices,
			struct tt_page_events **ret_e)
{
	struct tt_page_events *e = calloc(1, sizeof(*e));

	if (!e)
		return -ENOMEM;
	e->world = world;
	e->view = view;
	e->parties = parties;
	e->devices = devices;
	e->switches = calloc(TT_PAGE_EVENTS_MAX, sizeof(*e->switches));
	e->gaps = calloc(TT_PAGE_EVENTS_MAX, sizeof(*e->gaps));
	e->requests = calloc(TT_PAGE_EVENTS_MAX, sizeof(*e->requests));
	if (!e->switches || !e->gaps || !e->requests) {
		tt_page_events_close(e);
		return -ENOMEM;
	}
	*ret_e = e;
	return 0;
}

void tt_page_events_close(struct tt_page_events *e)
{
	if (!e)
		return;
	free_all(e);
	free(e);
}

/* False: there are too many to keep, now or before. */
static bool keeps_one_more(struct tt_page_events *e)
{
	if (++e->nr > TT_PAGE_EVENTS_MAX)
		free_all(e);
	return e->switches != NULL;
}

static uint32_t party_of(const struct tt_page_events *e, uint32_t tid)
{
	return tid == TT_TID_UNKNOWN ? tt_page_party_of_name(e->parties, "(not known)")
				     : tt_page_party_of_task(e->parties, tid);
}

static bool has_cpu(const struct tt_page_events *e, unsigned cpu)
{
	return cpu < TT_VIEW_CPUS_MAX && tt_view_has_cpu(e->view, cpu);
}

/* What a stretch of a session begins with on a CPU: who leaves it first. */
static void begin_stretch(struct tt_page_events *e, const struct tt_ev_switch *sw)
{
	struct first *first = &e->first[sw->ev.cpu];

	if (!first->is_told && !first->is_known && sw->slice_ns && sw->slice_ns <= sw->ev.ts_ns &&
	    keeps_one_more(e))
		e->switches[e->nr_switches++] = (struct one_switch){
			.ts_ns = sw->ev.ts_ns - sw->slice_ns,
			.party = party_of(e, sw->prev_tid),
			.cpu = sw->ev.cpu,
			.flags = TT_PAGE_SWITCH_BEGINS,
		};
	first->is_told = true;
}

static void on_switch(struct tt_page_events *e, const struct tt_ev_switch *sw)
{
	uint64_t wait_ns = sw->next_tid ? sw->wait_ns : 0;
	struct first *first;
	bool is_seen;
	uint32_t party;

	if (!has_cpu(e, sw->ev.cpu))
		return;
	begin_stretch(e, sw);
	first = &e->first[sw->ev.cpu];
	is_seen = sw->slice_ns || (first->is_known && first->tid == sw->prev_tid);
	first->is_known = false;
	party = party_of(e, sw->next_tid);
	if (wait_ns && tt_view_has_task(e->view, e->world, sw->next_tid))
		tt_worst_add(&e->waits,
			     &(struct tt_worst_one){ wait_ns, sw->ev.ts_ns, party, sw->ev.cpu, 0 });
	if (keeps_one_more(e))
		e->switches[e->nr_switches++] = (struct one_switch){
			.ts_ns = sw->ev.ts_ns,
			.wait_ns = wait_ns,
			.party = party,
			.cpu = sw->ev.cpu,
			.flags = (uint8_t)((sw->wait_kind == TT_WAIT_PREEMPTED ? TT_PAGE_SWITCH_PREEMPTED
									       : 0) |
					   (is_seen ? 0 : TT_PAGE_SWITCH_GAP)),
		};
}

static void on_window(struct tt_page_events *e, const struct tt_ev_window *win)
{
	if (!tt_page_tells_switches(e->world) || !has_cpu(e, win->ev.cpu))
		return;
	if (win->begins)
		e->first[win->ev.cpu] = (struct first){ .is_known = true, .tid = win->tid };
	if (keeps_one_more(e))
		e->switches[e->nr_switches++] = (struct one_switch){
			.ts_ns = win->ev.ts_ns,
			.party = party_of(e, win->tid),
			.cpu = win->ev.cpu,
			.flags = win->begins ? TT_PAGE_SWITCH_BEGINS : TT_PAGE_SWITCH_ENDS,
		};
}

static void on_steal(struct tt_page_events *e, const struct tt_ev_steal *ev)
{
	struct one_gap gap = { .ts_ns = ev->ev.ts_ns, .ns = ev->steal_ns, .cpu = ev->ev.cpu };

	if (!ev->steal_ns || ev->shed || !tt_view_has_cpu(e->view, ev->ev.cpu))
		return;
	gap.party = party_of(e, ev->tid);
	if (tt_view_has_task(e->view, e->world, ev->tid))
		tt_worst_add(&e->worst_gaps,
			     &(struct tt_worst_one){ gap.ns, gap.ts_ns, gap.party, gap.cpu, 0 });
	if (keeps_one_more(e))
		e->gaps[e->nr_gaps++] = gap;
}

static void on_disk(struct tt_page_events *e, const struct tt_disk *rec)
{
	struct one_request r = { .ts_ns = rec->rec.ts_ns,
				 .total_ns = rec->total_ns,
				 .queue_ns = rec->queue_ns };

	if (!(rec->flags & TT_DISK_COUNTED) || rec->flags & TT_DISK_NO_END ||
	    !tt_view_has_device(e->view, e->world, rec->dev))
		return;
	r.device = (uint16_t)tt_page_device_of(e->devices, rec->dev);
	r.group = (uint16_t)tt_request_group(rec);
	r.party = rec->flags & TT_DISK_NO_SUBMITTER ? tt_page_party_of_name(e->parties, "[no_submitter]")
						    : party_of(e, rec->tid);
	if (tt_view_has_task(e->view, e->world,
			     rec->flags & TT_DISK_NO_SUBMITTER ? TT_TID_UNKNOWN : rec->tid))
		tt_worst_add(&e->worst_requests,
			     &(struct tt_worst_one){ r.total_ns, r.ts_ns, r.party, r.device, r.group });
	if (keeps_one_more(e))
		e->requests[e->nr_requests++] = r;
}

void tt_page_events_event(struct tt_page_events *e, const struct tt_event *ev)
{
	switch (ev->kind) {
	case TT_EV_SWITCH:
		on_switch(e, (const struct tt_ev_switch *)ev);
		break;
	case TT_EV_WINDOW:
		on_window(e, (const struct tt_ev_window *)ev);
		break;
	case TT_EV_STEAL:
		on_steal(e, (const struct tt_ev_steal *)ev);
		break;
	case TT_EV_DISK:
		on_disk(e, (const struct tt_disk *)((const struct tt_ev_record *)ev)->rec);
		break;
	}
}

/* --- columns --- */

static uint64_t since(uint64_t ts_ns, uint64_t origin_ts_ns)
{
	return ts_ns > origin_ts_ns ? ts_ns - origin_ts_ns : 0;
}

/* They came by time; order[i]: which is the i-th by CPU, and of each CPU by time. NULL: no memory. */
static uint32_t *order_by_cpu(const struct tt_page_events *e)
{
	uint32_t *order = malloc((e->nr_switches + 1) * sizeof(*order));
	uint32_t *first = calloc(TT_VIEW_CPUS_MAX + 2, sizeof(*first));

	for (uint32_t i = 0; order && first && i < e->nr_switches; i++)
		first[(e->switches[i].cpu < TT_VIEW_CPUS_MAX ? e->switches[i].cpu : TT_VIEW_CPUS_MAX) + 1]++;
	for (unsigned cpu = 0; order && first && cpu < TT_VIEW_CPUS_MAX; cpu++)
		first[cpu + 1] += first[cpu];
	for (uint32_t i = 0; order && first && i < e->nr_switches; i++)
		order[first[e->switches[i].cpu < TT_VIEW_CPUS_MAX ? e->switches[i].cpu
								  : TT_VIEW_CPUS_MAX]++] = i;
	if (!first) {
		free(order);
		order = NULL;
	}
	free(first);
	return order;
}

#define PUT(name, coding, i, nr, value)                                                                      \
	do {                                                                                                 \
		tt_page_pack_column(pack, name, coding);                                                     \
		for (uint32_t i = 0; i < (nr); i++)                                                          \
			tt_page_pack_number(pack, value);                                                    \
	} while (0)

static int put_switches(const struct tt_page_events *e, uint64_t origin_ts_ns, struct tt_page_pack *pack)
{
	uint32_t *order = order_by_cpu(e);
	const struct one_switch *s = e->switches;

	if (!order)
		return -ENOMEM;
	PUT("switch.cpu", TT_PAGE_DELTA, i, e->nr_switches, s[order[i]].cpu);
	PUT("switch.ts", TT_PAGE_DELTA, i, e->nr_switches, since(s[order[i]].ts_ns, origin_ts_ns));
	PUT("switch.party", TT_PAGE_UNSIGNED, i, e->nr_switches, s[order[i]].party);
	PUT("switch.wait", TT_PAGE_UNSIGNED, i, e->nr_switches, s[order[i]].wait_ns);
	PUT("switch.flags", TT_PAGE_UNSIGNED, i, e->nr_switches, s[order[i]].flags);
	free(order);
	return 0;
}

static void put_gaps(const struct tt_page_events *e, uint64_t origin_ts_ns, struct tt_page_pack *pack)
{
	PUT("gap.cpu", TT_PAGE_UNSIGNED, i, e->nr_gaps, e->gaps[i].cpu);
	PUT("gap.ts", TT_PAGE_DELTA, i, e->nr_gaps, since(e->gaps[i].ts_ns, origin_ts_ns));
	PUT("gap.ns", TT_PAGE_UNSIGNED, i, e->nr_gaps, e->gaps[i].ns);
	PUT("gap.party", TT_PAGE_UNSIGNED, i, e->nr_gaps, e->gaps[i].party);
}

static void put_requests(const struct tt_page_events *e, uint64_t origin_ts_ns, struct tt_page_pack *pack)
{
	PUT("request.device", TT_PAGE_UNSIGNED, i, e->nr_requests, e->requests[i].device);
	PUT("request.ts", TT_PAGE_DELTA, i, e->nr_requests, since(e->requests[i].ts_ns, origin_ts_ns));
	PUT("request.ns", TT_PAGE_UNSIGNED, i, e->nr_requests, e->requests[i].total_ns);
	PUT("request.queue", TT_PAGE_UNSIGNED, i, e->nr_requests, e->requests[i].queue_ns);
	PUT("request.group", TT_PAGE_UNSIGNED, i, e->nr_requests, e->requests[i].group);
	PUT("request.party", TT_PAGE_UNSIGNED, i, e->nr_requests, e->requests[i].party);
}

static const struct tt_worst_one *worst_of(const struct tt_page_events *e, uint32_t i, unsigned *ret_what)
{
	const struct tt_worst *all[] = { &e->waits, &e->worst_gaps, &e->worst_requests };

	for (*ret_what = 0; i >= all[*ret_what]->nr; (*ret_what)++)
		i -= all[*ret_what]->nr;
	return &all[*ret_what]->heap[i];
}

static void put_worst(struct tt_page_events *e, uint64_t origin_ts_ns, struct tt_page_pack *pack)
{
	uint32_t nr = e->waits.nr + e->worst_gaps.nr + e->worst_requests.nr;
	unsigned what;

	tt_worst_sort(&e->waits);
	tt_worst_sort(&e->worst_gaps);
	tt_worst_sort(&e->worst_requests);
	PUT("worst.what", TT_PAGE_UNSIGNED, i, nr, (worst_of(e, i, &what), what));
	PUT("worst.ts", TT_PAGE_DELTA, i, nr, since(worst_of(e, i, &what)->ts_ns, origin_ts_ns));
	PUT("worst.ns", TT_PAGE_UNSIGNED, i, nr, worst_of(e, i, &what)->ns);
	PUT("worst.where", TT_PAGE_UNSIGNED, i, nr, worst_of(e, i, &what)->where);
	PUT("worst.party", TT_PAGE_UNSIGNED, i, nr, worst_of(e, i, &what)->party);
	PUT("worst.group", TT_PAGE_UNSIGNED, i, nr, worst_of(e, i, &what)->group);
}

int tt_page_events_put(struct tt_page_events *e, uint64_t origin_ts_ns, struct tt_page_pack *pack)
{
	int err = tt_page_events_are_all(e) ? put_switches(e, origin_ts_ns, pack) : 0;

	if (!err && tt_page_events_are_all(e)) {
		put_gaps(e, origin_ts_ns, pack);
		put_requests(e, origin_ts_ns, pack);
	}
	if (!err)
		put_worst(e, origin_ts_ns, pack);
	return err;
}

uint64_t tt_page_events_nr(const struct tt_page_events *e)
{
	return e->nr;
}

bool tt_page_events_are_all(const struct tt_page_events *e)
{
	return e->switches != NULL;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/export/html/timeline.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "collector/aggregate/request.h"
#include "collector/aggregate/view.h"

enum { NR_CELLS_MAX = 1 << 20 };

enum cpu_row { TASK, IDLE, STOLEN, STOLEN_IDLE, WAITING, NR_CPU_ROWS };
enum device_row { INFLIGHT, REQUESTS, LATENCY, LATENCY_MAX, NR_DEVICE_ROWS };

struct cpu {
	int rows[NR_CPU_ROWS];
	bool is_on;
	uint32_t running_tid;
	uint64_t since_ts_ns; /* that it runs */
};

struct tt_page_timeline {
	const struct tt_world *world;
	const struct tt_view *view;
	struct tt_page_devices *devices;
	struct tt_page_bins *bins;
	struct tt_page_phase *phase;
	struct cpu *cpus[TT_VIEW_CPUS_MAX];
	unsigned nr_cpus;
	int device_rows[TT_PAGE_DEVICES_MAX][NR_DEVICE_ROWS];
	uint32_t nr_devices; /* that have rows */
};

bool tt_page_tells_switches(const struct tt_world *world)
{
	const struct tt_info *info = tt_world_info(world);

	for (unsigned i = 0; i < info->nr_probes; i++) {
		const struct tt_probe_info *probe = &info->probes[i];

		if (probe->rung[0] && (!strcmp(probe->probe, "steal") || !strcmp(probe->probe, "runq")))
			return true;
	}
	return !info->nr_probes;
}

int tt_page_timeline_open(const struct tt_world *world, const struct tt_view *view,
			  struct tt_page_devices *devices, uint64_t origin_ts_ns,
			  struct tt_page_timeline **ret_t)
{
	struct tt_page_timeline *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	t->world = world;
	t->view = view;
	t->devices = devices;
	if (tt_page_bins_open(origin_ts_ns, NR_CELLS_MAX, &t->bins) ||
	    tt_page_phase_open(origin_ts_ns, &t->phase)) {
		tt_page_timeline_close(t);
		return -ENOMEM;
	}
	*ret_t = t;
	return 0;
}

void tt_page_timeline_close(struct tt_page_timeline *t)
{
	if (!t)
		return;
	for (unsigned cpu = 0; cpu < t->nr_cpus; cpu++)
		free(t->cpus[cpu]);
	tt_page_bins_close(t->bins);
	tt_page_phase_close(t->phase);
	free(t);
}

/* NULL: the view leaves it out, or there is no room. */
static struct cpu *get_cpu(struct tt_page_timeline *t, unsigned cpu)
{
	struct cpu *c;

	if (cpu >= TT_VIEW_CPUS_MAX || !tt_view_has_cpu(t->view, cpu))
		return NULL;
	if (t->cpus[cpu])
		return t->cpus[cpu];
	c = calloc(1, sizeof(*c));
	if (!c)
		return NULL;
	for (unsigned row = 0; row < NR_CPU_ROWS; row++)
		c->rows[row] = tt_page_bins_row(t->bins, false);
	t->cpus[cpu] = c;
	if (cpu >= t->nr_cpus)
		t->nr_cpus = cpu + 1;
	return c;
}

/* --- CPUs --- */

static void add_slice(struct tt_page_timeline *t, const struct cpu *c, uint32_t tid, uint64_t from_ts_ns,
		      uint64_t to_ts_ns)
{
	if (tid == TT_TID_UNKNOWN)
		return;
	tt_page_bins_span(t->bins, c->rows[tid ? TASK : IDLE], from_ts_ns, to_ts_ns);
	if (tid)
		tt_page_phase_span(t->phase, TT_PAGE_PHASE_RUNNING, from_ts_ns, to_ts_ns);
}

static void add_wait(struct tt_page_timeline *t, const struct tt_ev_switch *sw)
{
	unsigned queued_cpu = sw->queued_cpu == TT_CPU_NONE ? sw->ev.cpu : sw->queued_cpu;
	uint64_t from_ts_ns = sw->ev.ts_ns > sw->wait_ns ? sw->ev.ts_ns - sw->wait_ns : 0;
	struct cpu *c = get_cpu(t, queued_cpu);

	if (!c || !sw->wait_ns || !sw->next_tid)
		return;
	tt_page_bins_span(t->bins, c->rows[WAITING], from_ts_ns, sw->ev.ts_ns);
	tt_page_phase_span(t->phase, TT_PAGE_PHASE_WAITING, from_ts_ns, sw->ev.ts_ns);
}

static void on_switch(struct tt_page_timeline *t, const struct tt_ev_switch *sw)
{
	struct cpu *c = get_cpu(t, sw->ev.cpu);

	if (c && sw->slice_ns && sw->slice_ns <= sw->ev.ts_ns)
		add_slice(t, c, sw->prev_tid, sw->ev.ts_ns - sw->slice_ns, sw->ev.ts_ns);
	else if (c && c->is_on && c->running_tid == sw->prev_tid && c->since_ts_ns < sw->ev.ts_ns)
		add_slice(t, c, sw->prev_tid, c->since_ts_ns, sw->ev.ts_ns); /* since the window began */
	if (c) {
		c->is_on = true;
		c->running_tid = sw->next_tid;
		c->since_ts_ns = sw->ev.ts_ns;
	}
	add_wait(t, sw);
}

static void on_shed_wait(struct tt_page_timeline *t, const struct tt_ev_shed_wait *ev)
{
	struct cpu *c = get_cpu(t, ev->ev.cpu);

	if (c)
		tt_page_bins_spread(t->bins, c->rows[WAITING], ev->since_ts_ns, ev->ev.ts_ns, ev->wait_ns);
}

static void on_steal(struct tt_page_timeline *t, const struct tt_ev_steal *ev)
{
	uint64_t to_ts_ns = ev->ev.ts_ns;
	struct cpu *c = get_cpu(t, ev->ev.cpu);
	int row;

	if (!c)
		return;
	row = c->rows[ev->tid ? STOLEN : STOLEN_IDLE];
	if (ev->shed) {
		tt_page_bins_spread(t->bins, row, ev->since_ns < to_ts_ns ? to_ts_ns - ev->since_ns : 0,
				    to_ts_ns, ev->steal_ns);
		return;
	}
	if (ev->steal_ns > to_ts_ns)
		return;
	tt_page_bins_span(t->bins, row, to_ts_ns - ev->steal_ns, to_ts_ns);
	tt_page_phase_span(t->phase, TT_PAGE_PHASE_STOLEN, to_ts_ns - ev->steal_ns, to_ts_ns);
}

/* Up to the end of a window there was no other switch. */
static void end_slice(struct tt_page_timeline *t, struct cpu *c, uint64_t to_ts_ns)
{
	if (c->is_on && c->since_ts_ns < to_ts_ns)
		add_slice(t, c, c->running_tid, c->since_ts_ns, to_ts_ns);
	c->is_on = false;
}

static void on_window(struct tt_page_timeline *t, const struct tt_ev_window *win)
{
	struct cpu *c = tt_page_tells_switches(t->world) ? get_cpu(t, win->ev.cpu) : NULL;

	if (!c)
		return;
	if (!win->begins) {
		end_slice(t, c, win->ev.ts_ns);
		return;
	}
	c->is_on = true;
	c->running_tid = win->tid;
	c->since_ts_ns = win->ev.ts_ns;
}

/* Who ran at the end of a stretch of which switches are missing is not known. */
static void on_loss(struct tt_page_timeline *t, const struct tt_loss *rec)
{
	struct cpu *c = rec->rec.cpu < TT_VIEW_CPUS_MAX ? t->cpus[rec->rec.cpu] : NULL;

	if (c && (rec->what == TT_LOSS_SWITCHES || rec->what == TT_LOSS_UNSEEN))
		c->is_on = false;
}

/* --- disks --- */

static void on_disk(struct tt_page_timeline *t, const struct tt_disk *rec)
{
	uint64_t ts_ns = rec->rec.ts_ns;
	uint32_t device;
	int *rows;

	if (!(rec->flags & TT_DISK_COUNTED) || rec->flags & TT_DISK_NO_END ||
	    !tt_view_has_device(t->view, t->world, rec->dev))
		return;
	device = tt_page_device_of(t->devices, rec->dev);
	for (; t->nr_devices <= device; t->nr_devices++)
		for (unsigned row = 0; row < NR_DEVICE_ROWS; row++)
			t->device_rows[t->nr_devices][row] = tt_page_bins_row(t->bins, row == LATENCY_MAX);
	rows = t->device_rows[device];
	tt_page_bins_span(t->bins, rows[INFLIGHT], ts_ns > rec->total_ns ? ts_ns - rec->total_ns : 0, ts_ns);
	tt_page_bins_add(t->bins, rows[REQUESTS], ts_ns, 1);
	tt_page_bins_add(t->bins, rows[LATENCY], ts_ns, rec->total_ns);
	tt_page_bins_add(t->bins, rows[LATENCY_MAX], ts_ns, rec->total_ns);
}

void tt_page_timeline_event(struct tt_page_timeline *t, const struct tt_event *ev)
{
	switch (ev->kind) {
	case TT_EV_SWITCH:
		on_switch(t, (const struct tt_ev_switch *)ev);
		break;
	case TT_EV_SHED_WAIT:
		on_shed_wait(t, (const struct tt_ev_shed_wait *)ev);
		break;
	case TT_EV_STEAL:
		on_steal(t, (const struct tt_ev_steal *)ev);
		break;
	case TT_EV_WINDOW:
		on_window(t, (const struct tt_ev_window *)ev);
		break;
	case TT_EV_LOSS:
		on_loss(t, (const struct tt_loss *)((const struct tt_ev_record *)ev)->rec);
		break;
	case TT_EV_DISK:
		on_disk(t, (const struct tt_disk *)((const struct tt_ev_record *)ev)->rec);
		break;
	}
}

void tt_page_timeline_finish(struct tt_page_timeline *t, uint64_t to_ts_ns)
{
	for (unsigned cpu = 0; tt_page_tells_switches(t->world) && cpu < tt_world_nr_cpus(t->world); cpu++) {
		if (tt_world_cpu(t->world, cpu)->seen)
			get_cpu(t, cpu);
	}
	for (unsigned cpu = 0; cpu < t->nr_cpus; cpu++) {
		if (t->cpus[cpu])
			end_slice(t, t->cpus[cpu], to_ts_ns);
	}
	tt_page_bins_finish(t->bins);
}

static void put_row(const struct tt_page_timeline *t, struct tt_page_pack *pack, int row)
{
	for (uint32_t bin = 0; bin < tt_page_bins_nr(t->bins); bin++)
		tt_page_pack_number(pack, tt_page_bins_get(t->bins, row, bin));
}

void tt_page_timeline_put(const struct tt_page_timeline *t, struct tt_page_pack *pack)
{
	static const char *const cpu_names[] = { "time.task", "time.idle", "time.stolen", "time.stolen_idle",
						 "time.waiting" };
	static const char *const device_names[] = { "time.inflight", "time.requests", "time.latency",
						    "time.latency_max" };

	tt_page_pack_column(pack, "cpu.id", TT_PAGE_UNSIGNED);
	for (unsigned cpu = 0; cpu < t->nr_cpus; cpu++) {
		if (t->cpus[cpu])
			tt_page_pack_number(pack, cpu);
	}
	for (unsigned row = 0; row < NR_CPU_ROWS; row++) {
		tt_page_pack_column(pack, cpu_names[row], TT_PAGE_UNSIGNED);
		for (unsigned cpu = 0; cpu < t->nr_cpus; cpu++) {
			if (t->cpus[cpu])
				put_row(t, pack, t->cpus[cpu]->rows[row]);
		}
	}
	for (unsigned row = 0; row < NR_DEVICE_ROWS; row++) {
		tt_page_pack_column(pack, device_names[row], TT_PAGE_UNSIGNED);
		for (uint32_t device = 0; device < t->nr_devices; device++)
			put_row(t, pack, t->device_rows[device][row]);
	}
	tt_page_phase_put(t->phase, pack);
}

uint64_t tt_page_timeline_width_ns(const struct tt_page_timeline *t)
{
	return tt_page_bins_width_ns(t->bins);
}

uint64_t tt_page_timeline_nr_refused(const struct tt_page_timeline *t)
{
	return tt_page_bins_nr_refused(t->bins);
}

uint32_t tt_page_timeline_nr(const struct tt_page_timeline *t)
{
	return tt_page_bins_nr(t->bins);
}

const struct tt_page_phase *tt_page_timeline_phase(const struct tt_page_timeline *t)
{
	return t->phase;
}

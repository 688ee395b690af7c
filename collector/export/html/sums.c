/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/export/html/sums.h"

#include "collector/aggregate/coarse.h"
#include "collector/aggregate/request.h"
#include "collector/aggregate/view.h"

_Static_assert(TT_VIEW_CPUS_MAX *TT_PAGE_CPU_SUMS < 1 << TT_PAGE_FAMILY_SHIFT, "a place fits its bits");

static void add_cpu(struct tt_page_sums *s, unsigned cpu, enum tt_page_cpu_sum sum, uint64_t ts_ns,
		    uint64_t ns, uint64_t nr)
{
	if (cpu < TT_VIEW_CPUS_MAX && (ns || nr))
		tt_page_cells_add(s->cells, tt_page_row(TT_PAGE_FAMILY_CPU, cpu * TT_PAGE_CPU_SUMS + sum),
				  ts_ns, ns, nr);
}

static void add_device(struct tt_page_sums *s, uint32_t device, unsigned sum, uint64_t ts_ns, uint64_t ns,
		       uint64_t nr)
{
	if (ns || nr)
		tt_page_cells_add(s->cells,
				  tt_page_row(TT_PAGE_FAMILY_DEVICE, device * TT_PAGE_DEVICE_SUMS + sum),
				  ts_ns, ns, nr);
}

static void add_heat(struct tt_page_sums *s, unsigned map, uint64_t ts_ns, uint64_t latency_ns)
{
	uint32_t place = map * TT_COARSE_NR_BUCKETS + tt_coarse_bucket(latency_ns);

	tt_page_cells_add(s->cells, tt_page_row(TT_PAGE_FAMILY_HEAT, place), ts_ns, 0, 1);
}

static void on_steal(struct tt_page_sums *s, const struct tt_ev_steal *ev)
{
	uint64_t ts_ns = ev->ev.ts_ns;

	if (!ev->steal_ns || !tt_view_has_cpu(s->view, ev->ev.cpu))
		return;
	if (ev->shed) {
		if (tt_view_has_task_filter(s->view))
			return;
		add_cpu(s, ev->ev.cpu, TT_PAGE_CPU_STOLEN, ts_ns, ev->steal_ns, 0);
		add_cpu(s, ev->ev.cpu, TT_PAGE_CPU_SHED_STEAL, ts_ns, ev->steal_ns, 0);
		return;
	}
	if (!tt_view_has_task(s->view, s->world, ev->tid))
		return;
	add_cpu(s, ev->ev.cpu, TT_PAGE_CPU_STOLEN, ts_ns, ev->steal_ns, 1);
	add_heat(s, TT_PAGE_HEAT_STEAL, ts_ns, ev->steal_ns);
}

static void on_switch(struct tt_page_sums *s, const struct tt_ev_switch *sw)
{
	unsigned queued_cpu = sw->queued_cpu == TT_CPU_NONE ? sw->ev.cpu : sw->queued_cpu;
	uint64_t ts_ns = sw->ev.ts_ns, from_ts_ns = ts_ns > sw->wait_ns ? ts_ns - sw->wait_ns : 0;

	if (!sw->wait_ns || !sw->next_tid || !tt_view_has_cpu(s->view, sw->ev.cpu) ||
	    !tt_view_has_task(s->view, s->world, sw->next_tid))
		return;
	add_cpu(s, sw->ev.cpu, sw->wait_kind == TT_WAIT_PREEMPTED ? TT_PAGE_CPU_PREEMPTED : TT_PAGE_CPU_WOKEN,
		ts_ns, sw->wait_ns, 1);
	add_cpu(s, sw->ev.cpu, TT_PAGE_CPU_WAIT_STOLEN, ts_ns,
		tt_world_steal_between(s->world, queued_cpu, from_ts_ns, ts_ns, NULL), 0);
	add_heat(s, TT_PAGE_HEAT_RUNQ, ts_ns, sw->wait_ns);
}

static void on_shed_wait(struct tt_page_sums *s, const struct tt_ev_shed_wait *ev)
{
	if (tt_view_has_cpu(s->view, ev->ev.cpu) && !tt_view_has_task_filter(s->view))
		add_cpu(s, ev->ev.cpu, TT_PAGE_CPU_SHED_WAIT, ev->ev.ts_ns, ev->wait_ns, 0);
}

static bool is_shown(const struct tt_page_sums *s, const struct tt_disk *rec)
{
	if (!tt_view_has_device(s->view, s->world, rec->dev))
		return false;
	if (!tt_view_has_task_filter(s->view))
		return true;
	return !(rec->flags & TT_DISK_NO_SUBMITTER) && tt_view_has_task(s->view, s->world, rec->tid);
}

static void add_split(struct tt_page_sums *s, const struct tt_disk *rec, uint32_t device, unsigned group)
{
	unsigned map = TT_PAGE_HEAT_DEVICES + device * TT_PAGE_HEATS;
	uint64_t ts_ns = rec->rec.ts_ns;

	if (rec->flags & TT_DISK_NO_END)
		return;
	add_device(s, device, TT_PAGE_DEVICE_QUEUE, ts_ns, rec->queue_ns, 1);
	add_device(s, device, TT_PAGE_DEVICE_REQUEUE, ts_ns, rec->requeue_ns, 0);
	add_device(s, device, TT_PAGE_DEVICE_DEVICE, ts_ns, rec->device_ns, 0);
	add_device(s, device, TT_PAGE_DEVICE_STOLEN, ts_ns, tt_request_stolen_ns(rec, s->world), 0);
	add_device(s, device, TT_PAGE_DEVICE_FLUSH, ts_ns, rec->flush_ns, 0);
	if (group == TT_DISK_READ || group == TT_DISK_WRITE)
		add_heat(s, map + (group == TT_DISK_READ ? TT_PAGE_HEAT_READ : TT_PAGE_HEAT_WRITE), ts_ns,
			 rec->total_ns);
	if (tt_request_has_queue_time(rec))
		add_heat(s, map + TT_PAGE_HEAT_QUEUE, ts_ns, rec->queue_ns);
	if (tt_request_has_device_time(rec))
		add_heat(s, map + TT_PAGE_HEAT_DEVICE, ts_ns, rec->device_ns);
}

static void on_disk(struct tt_page_sums *s, const struct tt_disk *rec)
{
	unsigned group = tt_request_group(rec);
	uint64_t nr = tt_request_nr_counted(rec), ts_ns = rec->rec.ts_ns;
	uint32_t device;

	if (!is_shown(s, rec))
		return;
	device = tt_page_device_of(s->devices, rec->dev);
	add_device(s, device, TT_PAGE_DEVICE_FAILED, ts_ns, 0, rec->error != 0);
	if (rec->flags & TT_DISK_SECTORS_COUNTED)
		add_device(s, device, TT_PAGE_DEVICE_BYTES + group, ts_ns, rec->bytes, 0);
	if (!(rec->flags & TT_DISK_COUNTED))
		return;
	add_device(s, device, TT_PAGE_DEVICE_TOTAL + group, ts_ns, nr * rec->total_ns, nr);
	if (rec->flags & TT_DISK_NO_END)
		add_device(s, device, TT_PAGE_DEVICE_NO_END + group, ts_ns, 0, nr);
	add_split(s, rec, device, group);
}

static void on_disk_sums(struct tt_page_sums *s, const struct tt_disk_sums *rec)
{
	uint64_t ts_ns = rec->rec.ts_ns;
	uint32_t device;

	if (!rec->nr_shed || rec->group >= TT_DISK_GROUPS || tt_view_has_task_filter(s->view) ||
	    !tt_view_has_device(s->view, s->world, rec->dev))
		return;
	device = tt_page_device_of(s->devices, rec->dev);
	add_device(s, device, TT_PAGE_DEVICE_SHED, ts_ns, 0, rec->nr_shed);
	add_device(s, device, TT_PAGE_DEVICE_TOTAL + rec->group, ts_ns, rec->shed_total_ns, rec->nr_shed);
	add_device(s, device, TT_PAGE_DEVICE_BYTES + rec->group, ts_ns, rec->shed_bytes, 0);
}

static void on_sample(struct tt_page_sums *s, const struct tt_sample *rec)
{
	uint64_t stolen_ns = rec->steal_ns < rec->period_ns ? rec->steal_ns : rec->period_ns;
	enum tt_page_cpu_sum sum = rec->flags & TT_SAMPLE_USER ? TT_PAGE_CPU_USER : TT_PAGE_CPU_KERNEL;
	uint64_t ts_ns = rec->rec.ts_ns;

	if (!tt_view_has_cpu(s->view, rec->rec.cpu))
		return;
	if (rec->tid ? !tt_view_has_task(s->view, s->world, rec->tid) : tt_view_has_task_filter(s->view))
		return;
	add_cpu(s, rec->rec.cpu, rec->tid ? sum : TT_PAGE_CPU_IDLE, ts_ns, rec->period_ns - stolen_ns, 1);
	add_cpu(s, rec->rec.cpu, TT_PAGE_CPU_SAMPLE_STOLEN, ts_ns, stolen_ns, 0);
	add_cpu(s, rec->rec.cpu, TT_PAGE_CPU_UNSAMPLED, ts_ns, rec->unsampled_ns, 0);
}

void tt_page_sums_event(struct tt_page_sums *s, const struct tt_event *ev)
{
	const struct tt_record *rec = ((const struct tt_ev_record *)ev)->rec;

	switch (ev->kind) {
	case TT_EV_STEAL:
		on_steal(s, (const struct tt_ev_steal *)ev);
		break;
	case TT_EV_SWITCH:
		on_switch(s, (const struct tt_ev_switch *)ev);
		break;
	case TT_EV_SHED_WAIT:
		on_shed_wait(s, (const struct tt_ev_shed_wait *)ev);
		break;
	case TT_EV_DISK:
		on_disk(s, (const struct tt_disk *)rec);
		break;
	case TT_EV_DISK_SUMS:
		on_disk_sums(s, (const struct tt_disk_sums *)rec);
		break;
	case TT_EV_SAMPLE:
		on_sample(s, (const struct tt_sample *)rec);
		break;
	}
}

void tt_page_sums_put_buckets(struct tt_page_pack *pack)
{
	tt_page_pack_column(pack, "coarse.upper", TT_PAGE_DELTA);
	for (unsigned bucket = 0; bucket + 1 < TT_COARSE_NR_BUCKETS; bucket++)
		tt_page_pack_number(pack, tt_coarse_upper_ns(bucket));
	tt_page_pack_number(pack, TT_PAGE_NUMBER_MAX); /* open-ended */
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/cmd/pipeline.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "collector/aggregate/findings.h"
#include "collector/base/log.h"
#include "collector/cmd/options.h"
#include "collector/event/order.h"

enum { ORDER_BYTES_MAX = 24 << 20, DEVICES_LISTED_MAX = 32 };

struct stage {
	const struct tt_aggregator *agg;
	void *state;
};

struct tt_pipeline {
	struct tt_decoder *dec;
	struct tt_order *ord;
	struct tt_world *world;
	const struct tt_view *view;
	struct stage stages[TT_SECTIONS_MAX];
	unsigned nr_stages;
	int (*event)(void *ctx, const struct tt_event *ev);
	void *event_ctx;
	int event_err;
	struct tt_stacks *stacks;
	uint64_t from_ts_ns, to_ts_ns;
	uint64_t epoch_ts_ns, last_ts_ns;
	uint64_t begin_ts_ns, end_ts_ns; /* of the CPUs' windows; 0 = not told */
	uint64_t nr_events, nr_lost[TT_LOSS_NR];
	uint64_t sums_since_ts_ns; /* struct tt_disk_sums are of the time since: the epoch before */
	uint64_t nr_cut;	   /* stretches that the interval cuts: what they hold is split by time */
	bool counters_only; /* the source has no single events */
	/* what the view's filters could have meant */
	bool pid_seen, cgroup_seen;
	char devices[DEVICES_LISTED_MAX][TT_DISK_NAME_LEN + 1];
	unsigned nr_devices;
};

static void note_device(struct tt_pipeline *p, const struct tt_device *dev)
{
	char name[TT_DISK_NAME_LEN + 1];

	if (dev->is_partition || p->nr_devices == DEVICES_LISTED_MAX)
		return;
	snprintf(name, sizeof(name), "%.*s", TT_DISK_NAME_LEN, dev->name);
	for (unsigned i = 0; i < p->nr_devices; i++) {
		if (!strcmp(p->devices[i], name))
			return;
	}
	strcpy(p->devices[p->nr_devices++], name);
}

static const struct tt_record *record_of(const struct tt_event *ev)
{
	return ((const struct tt_ev_record *)ev)->rec;
}

static void note_names(struct tt_pipeline *p, const struct tt_event *ev)
{
	char path[TT_CGROUP_PATH_LEN + 1];

	switch (ev->kind) {
	case TT_EV_TASK:
		p->pid_seen |= ((const struct tt_task *)record_of(ev))->pid == p->view->pid;
		return;
	case TT_EV_TASK_COUNTERS:
		p->pid_seen |= ((const struct tt_task_counters *)record_of(ev))->pid == p->view->pid;
		return;
	case TT_EV_CGROUP:
		if (!p->view->cgroup || p->cgroup_seen)
			return;
		snprintf(path, sizeof(path), "%.*s", TT_CGROUP_PATH_LEN,
			 ((const struct tt_cgroup *)record_of(ev))->path);
		p->cgroup_seen = tt_cgroup_is_below(path, p->view->cgroup);
		return;
	case TT_EV_DEVICE:
		note_device(p, (const struct tt_device *)record_of(ev));
		return;
	default:
		return;
	}
}

/* Counts what is in the file: steal that a switch saw is part of the switch; windows and epochs are nobody's
 * record. */
static void count_event(struct tt_pipeline *p, const struct tt_event *ev)
{
	const struct tt_ev_steal *steal = (const struct tt_ev_steal *)ev;
	const struct tt_loss *loss;

	if (ev->kind == TT_EV_LOSS) {
		loss = (const struct tt_loss *)record_of(ev);
		if (loss->what < TT_LOSS_NR)
			p->nr_lost[loss->what] += loss->count;
		return;
	}
	if (ev->kind == TT_EV_STEAL && (steal->seen == TT_SEEN_SWITCH || steal->shed))
		return;
	p->nr_events++;
}

static void note_window(struct tt_pipeline *p, const struct tt_ev_window *win)
{
	if (win->begins && (!p->begin_ts_ns || win->ev.ts_ns < p->begin_ts_ns))
		p->begin_ts_ns = win->ev.ts_ns;
	if (!win->begins && win->ev.ts_ns > p->end_ts_ns)
		p->end_ts_ns = win->ev.ts_ns;
}

/* What an event says of a stretch, it says of no moment in it. */
struct stretch {
	uint64_t since_ts_ns, ts_ns;
};

static bool stretch_of(const struct tt_pipeline *p, const struct tt_event *ev, struct stretch *ret)
{
	const struct tt_ev_steal *steal = (const struct tt_ev_steal *)ev;

	ret->ts_ns = ev->ts_ns;
	if (ev->kind == TT_EV_LOSS)
		ret->since_ts_ns = ((const struct tt_loss *)record_of(ev))->since_ts_ns;
	else if (ev->kind == TT_EV_SHED_WAIT)
		ret->since_ts_ns = ((const struct tt_ev_shed_wait *)ev)->since_ts_ns;
	else if (ev->kind == TT_EV_DISK_SUMS)
		ret->since_ts_ns = p->sums_since_ts_ns ? p->sums_since_ts_ns : p->begin_ts_ns;
	else if (ev->kind == TT_EV_STEAL && steal->shed)
		ret->since_ts_ns = steal->since_ns < ev->ts_ns ? ev->ts_ns - steal->since_ns : 0;
	else
		return false;
	return ret->since_ts_ns < ret->ts_ns;
}

/* Something of it is left, so that it is seen that there was something. */
static void scale(uint64_t *amount, double share)
{
	uint64_t part = (uint64_t)((double)*amount * share);

	*amount = part || !*amount ? part : 1;
}

static void give_to_stages(struct tt_pipeline *p, const struct tt_event *ev)
{
	for (unsigned i = 0; i < p->nr_stages; i++)
		p->stages[i].agg->event(p->stages[i].state, ev);
	if (p->event && !p->event_err)
		p->event_err = p->event(p->event_ctx, ev);
}

static void take_within(struct tt_pipeline *p, const struct tt_event *ev)
{
	if (ev->kind != TT_EV_EPOCH && ev->kind != TT_EV_WINDOW && ev->kind != TT_EV_SHED_WAIT)
		count_event(p, ev);
	give_to_stages(p, ev);
}

/* The part of a stretch that lies in the interval: what it holds is taken to be spread evenly. */
static void take_part(struct tt_pipeline *p, const struct tt_event *ev, double share)
{
	struct tt_ev_record rec_ev = *(const struct tt_ev_record *)ev;
	struct tt_ev_shed_wait wait;
	struct tt_ev_steal steal;
	struct tt_disk_sums sums;
	struct tt_loss loss;

	p->nr_cut++;
	switch (ev->kind) {
	case TT_EV_LOSS:
		loss = *(const struct tt_loss *)record_of(ev);
		scale(&loss.count, share);
		rec_ev.rec = &loss.rec;
		take_within(p, &rec_ev.ev);
		return;
	case TT_EV_DISK_SUMS:
		sums = *(const struct tt_disk_sums *)record_of(ev);
		for (tt_u64 *amount = &sums.nr_merges; amount <= &sums.shed_device_ns; amount++)
			scale(amount, share);
		sums.flags = TT_DISK_SUMS_PART;
		rec_ev.rec = &sums.rec;
		take_within(p, &rec_ev.ev);
		return;
	case TT_EV_SHED_WAIT:
		wait = *(const struct tt_ev_shed_wait *)ev;
		scale(&wait.wait_ns, share);
		take_within(p, &wait.ev);
		return;
	default:
		steal = *(const struct tt_ev_steal *)ev;
		scale(&steal.steal_ns, share);
		take_within(p, &steal.ev);
	}
}

static void take_event(void *ctx, const struct tt_event *ev)
{
	struct tt_pipeline *p = ctx;
	struct stretch s;
	uint64_t from_ts_ns, to_ts_ns;

	tt_world_event(p->world, ev);
	if (p->stacks)
		tt_stacks_event(p->stacks, ev);
	note_names(p, ev);
	if (ev->kind != TT_EV_EPOCH && ev->ts_ns > p->last_ts_ns)
		p->last_ts_ns = ev->ts_ns;
	if (ev->kind == TT_EV_WINDOW)
		note_window(p, (const struct tt_ev_window *)ev);
	if (stretch_of(p, ev, &s) && (s.since_ts_ns < p->from_ts_ns || s.ts_ns > p->to_ts_ns)) {
		from_ts_ns = s.since_ts_ns > p->from_ts_ns ? s.since_ts_ns : p->from_ts_ns;
		to_ts_ns = s.ts_ns < p->to_ts_ns ? s.ts_ns : p->to_ts_ns;
		if (from_ts_ns < to_ts_ns)
			take_part(p, ev, (double)(to_ts_ns - from_ts_ns) / (double)(s.ts_ns - s.since_ts_ns));
	} else if (ev->ts_ns > p->from_ts_ns && ev->ts_ns <= p->to_ts_ns) {
		take_within(p, ev);
	}
	if (ev->kind == TT_EV_EPOCH)
		p->sums_since_ts_ns = ev->ts_ns;
}

/* An epoch's batches are all here before its first event is: so tasks have names and cgroups from their first event on. */
static void name_early(struct tt_pipeline *p, const struct tt_batch *batch)
{
	const unsigned char *at = (const unsigned char *)(batch + 1);

	for (unsigned i = 0; i < batch->nr_records; i++) {
		const struct tt_record *rec = (const struct tt_record *)at;

		tt_world_name_early(p->world, rec);
		at += rec->size;
	}
}

static int take_batch(void *ctx, const void *batch, size_t len)
{
	struct tt_pipeline *p = ctx;
	int err = tt_order_push(p->ord, batch, len);

	if (!err && ((const struct tt_batch *)batch)->stream == TT_STREAM_RECORDS)
		name_early(p, batch);
	if (!err || err == -EBADMSG)
		err = p->event_err;
	return err;
}

static int take_epoch(void *ctx, uint64_t until_ts_ns)
{
	struct tt_pipeline *p = ctx;
	int err;

	if (until_ts_ns > p->epoch_ts_ns)
		p->epoch_ts_ns = until_ts_ns;
	err = tt_order_epoch(p->ord, until_ts_ns);
	return err ? err : p->event_err;
}

struct tt_sink tt_pipeline_sink(struct tt_pipeline *p)
{
	return (struct tt_sink){ .ctx = p, .batch = take_batch, .epoch = take_epoch };
}

static int open_stages(struct tt_pipeline *p, const struct tt_pipeline_options *opts)
{
	struct tt_agg_options agg_opts = {
		.world = p->world,
		.view = p->view,
		.counters_only = p->counters_only,
	};

	for (unsigned i = 0; tt_aggregators[i] && p->nr_stages < TT_SECTIONS_MAX; i++) {
		struct stage *stage = &p->stages[p->nr_stages];
		int err;

		if (opts->sections ? !(opts->sections >> i & 1) : tt_aggregators[i]->on_request)
			continue;
		err = tt_aggregators[i]->open(&agg_opts, &stage->state);
		if (err)
			return err;
		stage->agg = tt_aggregators[i];
		p->nr_stages++;
	}
	return 0;
}

int tt_pipeline_open(const struct tt_pipeline_options *opts, struct tt_pipeline **ret_p)
{
	struct tt_pipeline *p = calloc(1, sizeof(*p));
	int err = p ? 0 : -ENOMEM;

	if (!err) {
		p->view = opts->view;
		p->counters_only = !strcmp(opts->info->source, "procfs");
		p->from_ts_ns = opts->from_ts_ns;
		p->to_ts_ns = opts->to_ts_ns ? opts->to_ts_ns : UINT64_MAX;
		p->event = opts->event;
		p->event_ctx = opts->event_ctx;
		p->stacks = opts->stacks;
		err = tt_decoder_open(&p->dec);
	}
	if (!err)
		err = tt_order_open(p->dec, ORDER_BYTES_MAX, take_event, p, &p->ord);
	if (!err)
		err = tt_world_open(opts->info, &p->world);
	if (!err)
		err = open_stages(p, opts);
	if (err) {
		log_error("cannot prepare the analysis: %s", strerror(-err));
		tt_pipeline_close(p);
		return err;
	}
	*ret_p = p;
	return 0;
}

void tt_pipeline_close(struct tt_pipeline *p)
{
	if (!p)
		return;
	for (unsigned i = 0; i < p->nr_stages; i++)
		p->stages[i].agg->close(p->stages[i].state);
	tt_world_close(p->world);
	tt_order_close(p->ord);
	tt_decoder_close(p->dec);
	free(p);
}

const struct tt_world *tt_pipeline_world(const struct tt_pipeline *p)
{
	return p->world;
}

int tt_pipeline_event_error(const struct tt_pipeline *p)
{
	return p->event_err;
}

uint64_t tt_pipeline_epoch_ts_ns(const struct tt_pipeline *p)
{
	return p->epoch_ts_ns;
}

uint64_t tt_pipeline_last_ts_ns(const struct tt_pipeline *p)
{
	return p->last_ts_ns;
}

bool tt_pipeline_window(const struct tt_pipeline *p, uint64_t *ret_begin_ts_ns, uint64_t *ret_end_ts_ns)
{
	bool open = false;

	if (!p->begin_ts_ns)
		return false;
	/* a CPU that goes offline ends its own window, not the recording */
	for (unsigned cpu = 0; cpu < tt_world_nr_cpus(p->world); cpu++)
		open |= tt_world_cpu(p->world, cpu)->online;
	*ret_begin_ts_ns = p->begin_ts_ns;
	*ret_end_ts_ns = !open && p->end_ts_ns > p->begin_ts_ns ? p->end_ts_ns : UINT64_MAX;
	return true;
}

uint64_t tt_pipeline_nr_events(const struct tt_pipeline *p)
{
	return p->nr_events;
}

const struct tt_info *tt_pipeline_info(const struct tt_pipeline *p)
{
	return tt_world_info(p->world);
}

const uint64_t *tt_pipeline_nr_lost(const struct tt_pipeline *p)
{
	return p->nr_lost;
}

const struct tt_decode_stats *tt_pipeline_decode_stats(const struct tt_pipeline *p)
{
	return tt_decoder_stats(p->dec);
}

int tt_pipeline_report(struct tt_pipeline *p, const struct tt_interval *interval, struct tt_report *report)
{
	int err = 0;

	for (unsigned i = 0; i < p->nr_stages && !err; i++)
		err = p->stages[i].agg->finish(p->stages[i].state, interval, report);
	if (!err)
		tt_findings_finish(report, p->nr_lost, p->nr_cut != 0, p->counters_only, interval);
	if (!err && report->failed)
		err = -ENOMEM;
	if (err)
		log_error("cannot make the report: %s", strerror(-err));
	return err;
}

void tt_pipeline_reset(struct tt_pipeline *p)
{
	for (unsigned i = 0; i < p->nr_stages; i++)
		p->stages[i].agg->reset(p->stages[i].state);
	memset(p->nr_lost, 0, sizeof(p->nr_lost));
	p->nr_events = p->nr_cut = 0;
}

static int check_device(const struct tt_pipeline *p)
{
	char list[DEVICES_LISTED_MAX * (TT_DISK_NAME_LEN + 2)] = "";
	size_t used = 0;

	if (tt_world_device_by_name(p->world, p->view->device))
		return 0;
	for (unsigned i = 0; i < p->nr_devices; i++)
		used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%s", i ? ", " : "",
					 p->devices[i]);
	if (p->nr_devices)
		log_error("--device: '%s' is not in this session, which has %s", p->view->device, list);
	else
		log_error("--device: '%s' is not in this session, which has no disks at all",
			  p->view->device);
	return -ENOENT;
}

static int check_cpus(const struct tt_pipeline *p)
{
	unsigned nr_cpus = tt_world_nr_cpus(p->world), bits = 8 * sizeof(long);

	for (unsigned cpu = 0; cpu < nr_cpus && cpu < p->view->nr_cpu_bits; cpu++) {
		if (p->view->cpu_mask[cpu / bits] >> (cpu % bits) & 1)
			return 0;
	}
	if (!nr_cpus)
		return 0; /* an empty session; the report says so */
	log_error("--cpu: none of these CPUs is in this session, which has 0 to %u", nr_cpus - 1);
	return -ENOENT;
}

int tt_pipeline_check_view(const struct tt_pipeline *p)
{
	const struct tt_view *view = p->view;

	if (view->pid && !p->pid_seen) {
		log_error("-p: process %" PRIu32 " does not appear in this session", view->pid);
		return -ENOENT;
	}
	if (view->cgroup && !p->cgroup_seen) {
		log_error("--cgroup: '%s' does not appear in this session", view->cgroup);
		return -ENOENT;
	}
	if (view->cpu_mask && check_cpus(p))
		return -ENOENT;
	return view->device ? check_device(p) : 0;
}

uint64_t tt_section_bit(const char *option, const char *name)
{
	const char *names[TT_SECTIONS_MAX + 1] = { NULL };

	for (unsigned i = 0; tt_aggregators[i] && i < TT_SECTIONS_MAX; i++)
		names[i] = tt_aggregators[i]->name;
	return 1ull << tt_option_choice(option, name, names);
}

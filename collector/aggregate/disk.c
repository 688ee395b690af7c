/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Disks: the columns of iostat -x, and what averages hide: percentiles, where the time went, exact busy time.
 *
 * Requests count when they complete, as in /proc/diskstats, and only those that /proc/diskstats counts.
 * Totals include requests whose record was shed. docs/metrics.md.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collector/aggregate/busy.h"
#include "collector/aggregate/coarse.h"
#include "collector/aggregate/findings.h"
#include "collector/aggregate/request.h"
#include "collector/aggregate/view.h"
#include "collector/aggregate/who.h"

enum {
	NR_DISKS_MAX = 512,
	NR_HISTOGRAM_DISKS = 8,
	SECTOR_BYTES = 512,
	NR_TAIL_BITS = 44, /* requests by the power of two of their total time; the last is open-ended */
	NR_DIRECTIONS = 3, /* reads, writes, discards: what can queue */
};

struct counters {
	bool known;
	struct tt_disk_counters rec;
};

struct group_sum { /* one of TT_DISK_GROUPS */
	uint64_t nr, nr_merges, bytes, total_ns;
	uint64_t nr_shed, shed_bytes, shed_total_ns;
	uint64_t nr_no_end; /* of nr: without times, so no part of await */
	/* for the check: recorded before the first reading of the kernel's counters, and after the last */
	uint64_t nr_before, bytes_before, nr_after, bytes_after;
};

struct disk {
	uint32_t dev;
	struct group_sum groups[TT_DISK_GROUPS];
	struct tt_hist total[TT_DISK_GROUPS], queue, device;
	struct tt_disk_split split; /* recorded requests of all groups */
	struct tt_disk_split tail[NR_DIRECTIONS][NR_TAIL_BITS];
	struct tt_busy busy;
	uint64_t nr_requests;	  /* recorded, whatever their kind */
	uint64_t nr_split_errors; /* of split.nr: parts that are not its total */
	uint64_t nr_uncounted, nr_failed, nr_shed, shed_queue_ns, shed_device_ns;
	struct counters first, last;
};

struct submitter {
	uint64_t nr[2], bytes[2]; /* reads, all else */
	uint64_t total_ns, max_ns;
	struct tt_coarse total;
};

struct disks {
	const struct tt_world *world;
	const struct tt_view *view;
	bool counters_only;
	struct tt_index by_dev;
	struct disk *disks[NR_DISKS_MAX];
	unsigned nr_disks;
	uint64_t nr_beyond; /* requests of devices that found no room */
	bool has_part_sums; /* the interval cuts a stretch that was summed up */
	struct tt_who who;  /* open when rows are by task or cgroup */
	struct submitter *submitters;
	uint64_t last_to_ts_ns;
	/* readings of the kernel's counters: what this interval begins with, the newest, the one before it */
	uint64_t base_ts_ns, reading_ts_ns, before_ts_ns;
};

/* Columns */

static const struct tt_column device_columns[] = {
	{ "device", "device", TT_UNIT_TEXT, false, 0 },
	{ "r_per_s", "r/s", TT_UNIT_NUMBER, false, 0 },
	{ "r_kb_per_s", "rkB/s", TT_UNIT_NUMBER, false, 0 },
	{ "r_merges_per_s", "rrqm/s", TT_UNIT_NUMBER, false, 0 },
	{ "r_merges_pct", "%rrqm", TT_UNIT_PCT, false, 0 },
	{ "r_await_ms", "r_await", TT_UNIT_MS, false, 0 },
	{ "r_areq_kb", "rareq-sz", TT_UNIT_NUMBER, false, 0 },
	{ "w_per_s", "w/s", TT_UNIT_NUMBER, false, 0 },
	{ "w_kb_per_s", "wkB/s", TT_UNIT_NUMBER, false, 0 },
	{ "w_merges_per_s", "wrqm/s", TT_UNIT_NUMBER, false, 0 },
	{ "w_merges_pct", "%wrqm", TT_UNIT_PCT, false, 0 },
	{ "w_await_ms", "w_await", TT_UNIT_MS, false, 0 },
	{ "w_areq_kb", "wareq-sz", TT_UNIT_NUMBER, false, 0 },
	{ "d_per_s", "d/s", TT_UNIT_NUMBER, false, 0 },
	{ "d_kb_per_s", "dkB/s", TT_UNIT_NUMBER, false, 0 },
	{ "d_merges_per_s", "drqm/s", TT_UNIT_NUMBER, false, 0 },
	{ "d_merges_pct", "%drqm", TT_UNIT_PCT, false, 0 },
	{ "d_await_ms", "d_await", TT_UNIT_MS, false, 0 },
	{ "d_areq_kb", "dareq-sz", TT_UNIT_NUMBER, false, 0 },
	{ "f_per_s", "f/s", TT_UNIT_NUMBER, false, 0 },
	{ "f_await_ms", "f_await", TT_UNIT_MS, false, 0 },
	{ "aqu_sz", "aqu-sz", TT_UNIT_NUMBER, false, 0 },
	{ "util_pct", "%util", TT_UNIT_PCT, false, 0 },
	{ "busy_pct", "busy%", TT_UNIT_PCT, false, 0 },
	{ "reads", "reads", TT_UNIT_COUNT, true, 0 },
	{ "writes", "writes", TT_UNIT_COUNT, true, 0 },
	{ "discards", "discards", TT_UNIT_COUNT, true, 0 },
	{ "flushes", "flushes", TT_UNIT_COUNT, true, 0 },
	{ "read_bytes", "read", TT_UNIT_BYTES, true, 0 },
	{ "written_bytes", "written", TT_UNIT_BYTES, true, 0 },
	{ "discarded_bytes", "discarded", TT_UNIT_BYTES, true, 0 },
	{ "busy_ns", "busy", TT_UNIT_NS, true, 0 },
	{ "shed_requests", "shed", TT_UNIT_COUNT, true, 0 },
	{ "failed_requests", "failed", TT_UNIT_COUNT, true, 0 },
};
enum {
	DEV_NAME,
	DEV_GROUPS, /* six columns for each of reads, writes, discards: */
	DEV_FLUSHES = DEV_GROUPS + 6 * NR_DIRECTIONS,
	DEV_F_AWAIT,
	DEV_AQU,
	DEV_UTIL,
	DEV_BUSY,
	DEV_NR_IOS,
	DEV_BYTES = DEV_NR_IOS + TT_DISK_GROUPS,
	DEV_BUSY_NS = DEV_BYTES + NR_DIRECTIONS,
	DEV_SHED,
	DEV_FAILED,
	NR_DEV_COLUMNS
};
enum { PER_S, KB_PER_S, MERGES_PER_S, MERGES_PCT, AWAIT, AREQ_KB, NR_GROUP_COLUMNS };
_Static_assert(sizeof(device_columns) / sizeof(device_columns[0]) == NR_DEV_COLUMNS,
	       "a column without a name");

static const struct tt_column classic_columns[] = {
	{ "device", "Device:", TT_UNIT_TEXT, false, 0 },
	{ "r_merges_per_s", "rrqm/s", TT_UNIT_NUMBER, false, 0 },
	{ "w_merges_per_s", "wrqm/s", TT_UNIT_NUMBER, false, 0 },
	{ "r_per_s", "r/s", TT_UNIT_NUMBER, false, 0 },
	{ "w_per_s", "w/s", TT_UNIT_NUMBER, false, 0 },
	{ "r_kb_per_s", "rkB/s", TT_UNIT_NUMBER, false, 0 },
	{ "w_kb_per_s", "wkB/s", TT_UNIT_NUMBER, false, 0 },
	{ "avgrq_sectors", "avgrq-sz", TT_UNIT_NUMBER, false, 0 },
	{ "avgqu_sz", "avgqu-sz", TT_UNIT_NUMBER, false, 0 },
	{ "await_ms", "await", TT_UNIT_MS, false, 0 },
	{ "r_await_ms", "r_await", TT_UNIT_MS, false, 0 },
	{ "w_await_ms", "w_await", TT_UNIT_MS, false, 0 },
	{ "svctm_ms", "svctm", TT_UNIT_MS, false, 0 },
	{ "util_pct", "%util", TT_UNIT_PCT, false, 0 },
};
enum { NR_CLASSIC_COLUMNS = sizeof(classic_columns) / sizeof(classic_columns[0]) };

static const struct tt_column latency_columns[] = {
	{ "device", "latency", TT_UNIT_TEXT, false, 0 },
	{ "r_p50_ns", "r_p50", TT_UNIT_NS, false, 0 },
	{ "r_p99_ns", "r_p99", TT_UNIT_NS, false, 0 },
	{ "r_max_ns", "r_max", TT_UNIT_NS, false, 0 },
	{ "w_p50_ns", "w_p50", TT_UNIT_NS, false, 0 },
	{ "w_p99_ns", "w_p99", TT_UNIT_NS, false, 0 },
	{ "w_max_ns", "w_max", TT_UNIT_NS, false, 0 },
	{ "d_p50_ns", "d_p50", TT_UNIT_NS, true, 0 },
	{ "d_p99_ns", "d_p99", TT_UNIT_NS, true, 0 },
	{ "d_max_ns", "d_max", TT_UNIT_NS, true, 0 },
	{ "f_p50_ns", "f_p50", TT_UNIT_NS, true, 0 },
	{ "f_p99_ns", "f_p99", TT_UNIT_NS, true, 0 },
	{ "f_max_ns", "f_max", TT_UNIT_NS, true, 0 },
	{ "queue_p50_ns", "queue_p50", TT_UNIT_NS, false, 0 },
	{ "queue_p99_ns", "queue_p99", TT_UNIT_NS, false, 0 },
	{ "queue_max_ns", "queue_max", TT_UNIT_NS, false, 0 },
	{ "device_p50_ns", "device_p50", TT_UNIT_NS, false, 0 },
	{ "device_p99_ns", "device_p99", TT_UNIT_NS, false, 0 },
	{ "device_max_ns", "device_max", TT_UNIT_NS, false, 0 },
	{ "svctm_ns", "svctm", TT_UNIT_NS, false, 0 },
};
enum {
	LAT_NAME,
	LAT_GROUPS, /* p50 p99 max of each group */
	LAT_QUEUE = LAT_GROUPS + 3 * TT_DISK_GROUPS,
	LAT_DEVICE = LAT_QUEUE + 3,
	LAT_SVCTM = LAT_DEVICE + 3,
	NR_LAT_COLUMNS
};
_Static_assert(sizeof(latency_columns) / sizeof(latency_columns[0]) == NR_LAT_COLUMNS,
	       "a column without a name");

static const struct tt_column split_columns[] = {
	{ "device", "time went", TT_UNIT_TEXT, false, 0 },
	{ "queue_pct", "queue%", TT_UNIT_PCT, false, 1 },
	{ "requeue_pct", "requeue%", TT_UNIT_PCT, false, 1 },
	{ "device_pct", "device%", TT_UNIT_PCT, false, 1 },
	{ "stolen_pct", "stolen%", TT_UNIT_PCT, false, 1 },
	{ "flush_pct", "flush%", TT_UNIT_PCT, false, 1 },
	{ "total_ns", "total", TT_UNIT_NS, false, 0 },
	{ "queue_ns", "queue", TT_UNIT_NS, true, 0 },
	{ "requeue_ns", "requeue", TT_UNIT_NS, true, 0 },
	{ "device_net_ns", "device net", TT_UNIT_NS, true, 0 },
	{ "stolen_ns", "stolen", TT_UNIT_NS, true, 0 },
	{ "flush_ns", "flush", TT_UNIT_NS, true, 0 },
	{ "requests", "requests", TT_UNIT_COUNT, true, 0 },
	{ "split_errors", "split errors", TT_UNIT_COUNT, true, 0 },
	{ "shed_total_ns", "shed total", TT_UNIT_NS, true, 0 },
	{ "shed_queue_ns", "shed queue", TT_UNIT_NS, true, 0 },
	{ "shed_device_ns", "shed device", TT_UNIT_NS, true, 0 },
};
enum { NR_SPLIT_PARTS = 5, SPLIT_NR = 2 + 2 * NR_SPLIT_PARTS, SPLIT_ERRORS, SPLIT_SHED, NR_SPLIT_COLUMNS = SPLIT_SHED + 3 };
_Static_assert(sizeof(split_columns) / sizeof(split_columns[0]) == NR_SPLIT_COLUMNS,
	       "a column without a name");

static const struct tt_column submitter_columns[] = {
	{ "submitter", "submitter", TT_UNIT_TEXT, false, 0 },
	{ "reads", "reads", TT_UNIT_COUNT, false, 0 },
	{ "writes", "writes", TT_UNIT_COUNT, false, 0 },
	{ "read_bytes", "read", TT_UNIT_BYTES, false, 0 },
	{ "written_bytes", "written", TT_UNIT_BYTES, false, 0 },
	{ "mean_ns", "mean", TT_UNIT_NS, false, 0 },
	{ "p99_ns", "p99", TT_UNIT_NS, false, 0 },
	{ "max_ns", "max", TT_UNIT_NS, false, 0 },
	{ "total_ns", "total", TT_UNIT_NS, false, 0 },
	{ "tid", "tid", TT_UNIT_COUNT, true, 0 },
	{ "pid", "pid", TT_UNIT_COUNT, true, 0 },
	{ "cgroup_path", "path", TT_UNIT_TEXT, true, 0 },
};
enum { NR_SUBMITTER_COLUMNS = sizeof(submitter_columns) / sizeof(submitter_columns[0]) };

/* Life */

static bool is_by_submitter(const struct disks *ds)
{
	return ds->view->by == TT_BY_TASK || ds->view->by == TT_BY_CGROUP;
}

static void disk_close(void *state)
{
	struct disks *ds = state;

	if (!ds)
		return;
	for (unsigned i = 0; i < ds->nr_disks; i++)
		free(ds->disks[i]);
	tt_index_close(&ds->by_dev);
	tt_who_close(&ds->who);
	free(ds->submitters);
	free(ds);
}

static int disk_open(const struct tt_agg_options *opts, void **ret_state)
{
	struct disks *ds = calloc(1, sizeof(*ds));

	if (!ds)
		return -ENOMEM;
	ds->world = opts->world;
	ds->view = opts->view;
	ds->counters_only = opts->counters_only;
	if (tt_index_open(&ds->by_dev, NR_DISKS_MAX))
		goto fail;
	if (is_by_submitter(ds)) {
		ds->submitters = calloc(TT_WHO_MAX, sizeof(*ds->submitters));
		if (!ds->submitters || tt_who_open(&ds->who, opts))
			goto fail;
	}
	*ret_state = ds;
	return 0;
fail:
	disk_close(ds);
	return -ENOMEM;
}

static struct disk *get_disk(struct disks *ds, uint32_t dev)
{
	uint32_t slot = tt_index_find(&ds->by_dev, dev);
	struct disk *d;

	if (slot != TT_INDEX_NONE)
		return ds->disks[slot];
	d = ds->nr_disks < NR_DISKS_MAX ? calloc(1, sizeof(*d)) : NULL;
	if (!d)
		return NULL;
	d->dev = dev;
	tt_busy_restart(&d->busy,
			ds->last_to_ts_ns ? ds->last_to_ts_ns : tt_world_info(ds->world)->start_ts_ns);
	tt_index_put(&ds->by_dev, dev, ds->nr_disks);
	ds->disks[ds->nr_disks++] = d;
	return d;
}

/* Rows of submitters */

static uint64_t submitter_weight(void *ctx, uint32_t slot)
{
	return ((struct disks *)ctx)->submitters[slot].total_ns;
}

static void submitter_fold(void *ctx, uint32_t into, uint32_t from)
{
	struct submitter *a = &((struct disks *)ctx)->submitters[into];
	struct submitter *b = &((struct disks *)ctx)->submitters[from];

	for (unsigned i = 0; i < 2; i++) {
		a->nr[i] += b->nr[i];
		a->bytes[i] += b->bytes[i];
	}
	a->total_ns += b->total_ns;
	if (b->max_ns > a->max_ns)
		a->max_ns = b->max_ns;
	tt_coarse_merge(&a->total, &b->total);
	memset(b, 0, sizeof(*b));
}

static void submitter_move(void *ctx, uint32_t to, uint32_t from)
{
	struct disks *ds = ctx;

	ds->submitters[to] = ds->submitters[from];
	memset(&ds->submitters[from], 0, sizeof(ds->submitters[from]));
}

static struct tt_who_owner owner_of(struct disks *ds)
{
	return (struct tt_who_owner){ ds, submitter_weight, submitter_fold, submitter_move };
}

/* Events */

static void add_split(struct tt_disk_split *s, const struct tt_disk *rec, uint64_t stolen_ns)
{
	s->nr++;
	s->total_ns += rec->total_ns;
	s->queue_ns += rec->queue_ns;
	s->requeue_ns += rec->requeue_ns;
	s->device_ns += rec->device_ns;
	s->flush_ns += rec->flush_ns;
	s->stolen_ns += stolen_ns;
}

static void merge_split(struct tt_disk_split *into, const struct tt_disk_split *from)
{
	into->nr += from->nr;
	into->total_ns += from->total_ns;
	into->queue_ns += from->queue_ns;
	into->requeue_ns += from->requeue_ns;
	into->device_ns += from->device_ns;
	into->flush_ns += from->flush_ns;
	into->stolen_ns += from->stolen_ns;
}

static unsigned tail_bit(uint64_t total_ns)
{
	unsigned bit = total_ns ? 63 - (unsigned)__builtin_clzll(total_ns) : 0;

	return bit < NR_TAIL_BITS ? bit : NR_TAIL_BITS - 1;
}

/* What is done to a device that lies on others (dm, md, ...) is done to them, and counts there: it would be there twice. It
 * counts when its rows are all that is wanted. */
static bool has_submitter(const struct disks *ds, const struct tt_disk *rec)
{
	const struct tt_world_device *wd = tt_world_device(ds->world, rec->dev);

	if (ds->view->device)
		return tt_view_has_device(ds->view, ds->world, rec->dev);
	return !wd || !wd->is_stacked;
}

static void count_submitter(struct disks *ds, const struct tt_disk *rec, unsigned group)
{
	struct tt_who_owner owner = owner_of(ds);
	uint32_t slot;
	struct submitter *sub;
	unsigned column = group != TT_DISK_READ;

	tt_who_make_room(&ds->who, &owner);
	slot = tt_who_find(&ds->who, rec->flags & TT_DISK_NO_SUBMITTER ? TT_TID_UNKNOWN : rec->tid);
	if (slot == TT_WHO_HIDDEN)
		return;
	sub = &ds->submitters[slot];
	sub->nr[column]++;
	sub->bytes[column] += rec->bytes;
	sub->total_ns += rec->total_ns;
	if (rec->total_ns > sub->max_ns)
		sub->max_ns = rec->total_ns;
	tt_coarse_add(&sub->total, rec->total_ns);
}

static bool is_shown(const struct disks *ds, const struct tt_disk *rec)
{
	if (!tt_view_has_task_filter(ds->view))
		return true;
	return !(rec->flags & TT_DISK_NO_SUBMITTER) && tt_view_has_task(ds->view, ds->world, rec->tid);
}

/* Each part by itself, too: a part that went below 0 would still add up, modulo 2^64. */
static bool parts_are_total(const struct tt_disk *rec)
{
	return rec->queue_ns <= rec->total_ns && rec->requeue_ns <= rec->total_ns &&
	       rec->device_ns <= rec->total_ns && rec->flush_ns <= rec->total_ns &&
	       rec->queue_ns + rec->requeue_ns + rec->device_ns + rec->flush_ns == rec->total_ns;
}

static void count_latency(struct disks *ds, struct disk *d, const struct tt_disk *rec, unsigned group)
{
	uint64_t stolen_ns = tt_request_stolen_ns(rec, ds->world);

	if (rec->flags & TT_DISK_NO_END)
		return;
	tt_hist_add(&d->total[group], rec->total_ns);
	d->nr_split_errors += !parts_are_total(rec);
	add_split(&d->split, rec, stolen_ns);
	if (group != TT_DISK_FLUSHES)
		add_split(&d->tail[group][tail_bit(rec->total_ns)], rec, stolen_ns);
	if (tt_request_has_queue_time(rec))
		tt_hist_add(&d->queue, rec->queue_ns);
	if (tt_request_has_device_time(rec))
		tt_hist_add(&d->device, rec->device_ns);
}

static void on_disk(struct disks *ds, const struct tt_disk *rec)
{
	struct disk *d = get_disk(ds, rec->dev);
	unsigned group = tt_request_group(rec);
	uint64_t nr = tt_request_nr_counted(rec);

	if (!d) {
		ds->nr_beyond++;
		return;
	}
	if (!is_shown(ds, rec))
		return;
	d->nr_requests++;
	d->nr_failed += rec->error != 0;
	tt_busy_add(&d->busy, rec->rec.ts_ns > rec->total_ns ? rec->rec.ts_ns - rec->total_ns : 0,
		    rec->rec.ts_ns);
	if (rec->flags & TT_DISK_SECTORS_COUNTED) {
		d->groups[group].bytes += rec->bytes;
		d->groups[group].bytes_after += rec->bytes;
	}
	if (!(rec->flags & TT_DISK_COUNTED)) {
		d->nr_uncounted++;
		return;
	}
	d->groups[group].nr += nr;
	d->groups[group].nr_after += nr;
	d->groups[group].nr_no_end += (rec->flags & TT_DISK_NO_END) != 0;
	d->groups[group].total_ns += nr * rec->total_ns; /* the pieces are on their way together */
	count_latency(ds, d, rec, group);
	if (ds->submitters && has_submitter(ds, rec))
		count_submitter(ds, rec, group);
}

static void on_sums(struct disks *ds, const struct tt_disk_sums *rec)
{
	struct disk *d = rec->group < TT_DISK_GROUPS ? get_disk(ds, rec->dev) : NULL;
	struct group_sum *g;

	if (!d || tt_view_has_task_filter(ds->view)) /* they do not say whose */
		return;
	g = &d->groups[rec->group];
	ds->has_part_sums |= rec->flags & TT_DISK_SUMS_PART;
	g->nr_merges += rec->nr_merges;
	g->nr_shed += rec->nr_shed;
	g->shed_bytes += rec->shed_bytes;
	g->shed_total_ns += rec->shed_total_ns;
	d->nr_shed += rec->nr_shed;
	d->shed_queue_ns += rec->shed_queue_ns;
	d->shed_device_ns += rec->shed_device_ns;
}

static uint64_t all_ios(const struct tt_disk_counters *c)
{
	return c->ios[0] + c->ios[1] + c->ios[2] + c->ios[3];
}

/* The same number, another device: unplugged and plugged again (the rule of iostat). */
static bool is_replugged(const struct tt_disk_counters *before, const struct tt_disk_counters *now)
{
	if (all_ios(now) >= all_ios(before))
		return false;
	for (unsigned i = 0; i < NR_DIRECTIONS; i++) {
		if (before->sectors[i] && now->sectors[i] >= before->sectors[i])
			return false;
	}
	return true;
}

/* The reading before this one did not have the disk, an earlier one had. */
static bool was_absent(const struct disks *ds, const struct disk *d)
{
	return d->last.rec.rec.ts_ns < ds->before_ts_ns;
}

static void count_from_0(struct counters *c, uint64_t ts_ns)
{
	*c = (struct counters){ .known = true };
	c->rec.rec.ts_ns = ts_ns;
}

static void on_counters(struct disks *ds, const struct tt_disk_counters *rec)
{
	const struct tt_world_device *wd = tt_world_device(ds->world, rec->dev);
	struct disk *d = wd && wd->is_partition ? NULL : get_disk(ds, rec->dev);
	bool came;

	if (rec->rec.ts_ns != ds->reading_ts_ns) {
		ds->before_ts_ns = ds->reading_ts_ns;
		ds->reading_ts_ns = rec->rec.ts_ns;
		if (!ds->base_ts_ns)
			ds->base_ts_ns = rec->rec.ts_ns;
	}
	if (!d)
		return;
	/* An earlier reading did not have it: it was plugged in since and has counted from 0. */
	came = !d->last.known && ds->before_ts_ns;
	if (came || (d->last.known && (is_replugged(&d->last.rec, rec) || was_absent(ds, d))))
		count_from_0(&d->first, ds->base_ts_ns);
	else if (!d->first.known)
		d->first = (struct counters){ .known = true, .rec = *rec };
	for (unsigned g = 0; g < TT_DISK_GROUPS; g++) {
		struct group_sum *sum = &d->groups[g];

		if (!d->last.known && !came) {
			sum->nr_before = sum->nr_after;
			sum->bytes_before = sum->bytes_after;
		}
		sum->nr_after = sum->bytes_after = 0;
	}
	d->last.known = true;
	d->last.rec = *rec;
}

static void disk_event(void *state, const struct tt_event *ev)
{
	struct disks *ds = state;
	const struct tt_record *rec = ((const struct tt_ev_record *)ev)->rec;

	switch (ev->kind) {
	case TT_EV_DISK:
		on_disk(ds, (const struct tt_disk *)rec);
		break;
	case TT_EV_DISK_SUMS:
		on_sums(ds, (const struct tt_disk_sums *)rec);
		break;
	case TT_EV_DISK_COUNTERS:
		on_counters(ds, (const struct tt_disk_counters *)rec);
		break;
	case TT_EV_TASK:
		if (ds->submitters)
			tt_who_event(&ds->who, ev);
		break;
	}
}

/* The report */

static bool has_counters(const struct disk *d)
{
	return d->last.known && d->last.rec.rec.ts_ns > d->first.rec.rec.ts_ns;
}

/* 64-bit fields never go back on a healthy kernel; if one does, nothing is known about its growth. */
static uint64_t delta64(uint64_t from, uint64_t to)
{
	return to > from ? to - from : 0;
}

/* What the columns are computed from, whichever way it was measured. */
struct disk_numbers {
	uint64_t nr[TT_DISK_GROUPS], merges[TT_DISK_GROUPS], bytes[TT_DISK_GROUPS];
	double total_ms[TT_DISK_GROUPS]; /* time of requests, summed */
	double in_queue_ms;		 /* of all groups: what aqu-sz is made of */
	double util_pct, dur_s;
	bool util_known;
};

static double counters_dur_s(const struct disk *d)
{
	return (double)(d->last.rec.rec.ts_ns - d->first.rec.rec.ts_ns) / 1e9;
}

/* io_ticks are 32-bit milliseconds and wrap: subtract in that width. */
static double counters_util_pct(const struct disk *d)
{
	return tt_ratio((uint32_t)(d->last.rec.io_ticks_ms - d->first.rec.io_ticks_ms), counters_dur_s(d)) /
	       10;
}

static void numbers_from_counters(const struct disk *d, struct disk_numbers *n)
{
	const struct tt_disk_counters *a = &d->first.rec, *b = &d->last.rec;

	*n = (struct disk_numbers){ .util_known = has_counters(d) };
	if (!n->util_known)
		return;
	n->dur_s = counters_dur_s(d);
	for (unsigned i = 0; i < TT_DISK_GROUPS; i++) {
		n->nr[i] = delta64(a->ios[i], b->ios[i]);
		n->merges[i] = delta64(a->merges[i], b->merges[i]);
		n->bytes[i] = delta64(a->sectors[i], b->sectors[i]) * SECTOR_BYTES;
		n->total_ms[i] = (uint32_t)(b->ticks_ms[i] - a->ticks_ms[i]);
	}
	n->in_queue_ms = (uint32_t)(b->time_in_queue_ms - a->time_in_queue_ms);
	n->util_pct = counters_util_pct(d);
}

static uint64_t busy_ns(const struct disk *d, const struct tt_interval *interval)
{
	uint64_t busy = tt_busy_ns(&d->busy), dur_ns = interval->to_ts_ns - interval->from_ts_ns;

	return busy < dur_ns ? busy : dur_ns;
}

static void numbers_from_events(const struct disk *d, const struct tt_interval *interval,
				struct disk_numbers *n)
{
	*n = (struct disk_numbers){ 0 };
	n->dur_s = (double)(interval->to_ts_ns - interval->from_ts_ns) / 1e9;
	for (unsigned i = 0; i < TT_DISK_GROUPS; i++) {
		const struct group_sum *g = &d->groups[i];

		n->nr[i] = g->nr + g->nr_shed;
		n->merges[i] = g->nr_merges;
		n->bytes[i] = g->bytes + g->shed_bytes;
		n->total_ms[i] = (double)(g->total_ns + g->shed_total_ns) / 1e6;
		n->in_queue_ms += n->total_ms[i];
		/* those whose end was not seen waited as long as the others, for all that is known */
		if (g->nr_no_end && g->nr > g->nr_no_end)
			n->total_ms[i] *= (double)n->nr[i] / (double)(n->nr[i] - g->nr_no_end);
	}
	n->util_known = has_counters(d) || !d->nr_shed;
	n->util_pct = has_counters(d) ? counters_util_pct(d)
				      : 100 * tt_ratio((double)busy_ns(d, interval) / 1e9, n->dur_s);
}

static void get_numbers(const struct disks *ds, const struct disk *d, const struct tt_interval *interval,
			struct disk_numbers *n)
{
	if (ds->counters_only)
		numbers_from_counters(d, n);
	else
		numbers_from_events(d, interval, n);
}

static const char *disk_name(const struct disks *ds, const struct disk *d, char *buf, size_t size)
{
	const struct tt_world_device *wd = tt_world_device(ds->world, d->dev);

	if (wd && wd->name[0])
		return wd->name;
	snprintf(buf, size, "%u:%u", d->dev >> 20, d->dev & 0xfffff);
	return buf;
}

/* Devices without I/O are left out, as by iostat -z, unless named. */
static bool has_row(const struct disks *ds, const struct disk *d, const struct disk_numbers *n)
{
	if (ds->view->device)
		return tt_view_has_device(ds->view, ds->world, d->dev);
	return n->nr[0] || n->nr[1] || n->nr[2] || n->nr[3] || d->nr_requests;
}

static void fill_group(struct tt_table *t, unsigned column, const struct disk_numbers *n, unsigned group)
{
	double nr = (double)n->nr[group], merges = (double)n->merges[group],
	       kb = (double)n->bytes[group] / 1024;

	tt_row_f64(t, column + PER_S, tt_ratio(nr, n->dur_s));
	tt_row_f64(t, column + KB_PER_S, tt_ratio(kb, n->dur_s));
	tt_row_f64(t, column + MERGES_PER_S, tt_ratio(merges, n->dur_s));
	tt_row_f64(t, column + MERGES_PCT, 100 * tt_ratio(merges, merges + nr));
	tt_row_f64(t, column + AWAIT, tt_ratio(n->total_ms[group], nr));
	tt_row_f64(t, column + AREQ_KB, tt_ratio(kb, nr));
}

static void add_device_row(const struct disks *ds, const struct disk *d, const struct disk_numbers *n,
			   const struct tt_interval *interval, struct tt_report *r, struct tt_table *t)
{
	char buf[32];

	tt_table_add_row(r, t);
	tt_row_text(r, t, DEV_NAME, disk_name(ds, d, buf, sizeof(buf)));
	for (unsigned i = 0; i < NR_DIRECTIONS; i++)
		fill_group(t, DEV_GROUPS + i * NR_GROUP_COLUMNS, n, i);
	tt_row_f64(t, DEV_FLUSHES, tt_ratio((double)n->nr[TT_DISK_FLUSHES], n->dur_s));
	tt_row_f64(t, DEV_F_AWAIT, tt_ratio(n->total_ms[TT_DISK_FLUSHES], (double)n->nr[TT_DISK_FLUSHES]));
	tt_row_f64(t, DEV_AQU, tt_ratio(n->in_queue_ms / 1e3, n->dur_s));
	if (n->util_known)
		tt_row_f64(t, DEV_UTIL, n->util_pct);
	for (unsigned i = 0; i < TT_DISK_GROUPS; i++)
		tt_row_u64(t, DEV_NR_IOS + i, n->nr[i]);
	for (unsigned i = 0; i < NR_DIRECTIONS; i++)
		tt_row_u64(t, DEV_BYTES + i, n->bytes[i]);
	if (ds->counters_only)
		return;
	if (!d->nr_shed) { /* a union with holes is no busy time */
		tt_row_f64(t, DEV_BUSY, 100 * tt_ratio((double)busy_ns(d, interval) / 1e9, n->dur_s));
		tt_row_u64(t, DEV_BUSY_NS, busy_ns(d, interval));
	}
	tt_row_u64(t, DEV_SHED, d->nr_shed);
	tt_row_u64(t, DEV_FAILED, d->nr_failed);
}

/* iostat of sysstat up to 11.5.6. Discards and flushes did not exist for it. */
static void add_classic_row(const struct disks *ds, const struct disk *d, const struct disk_numbers *n,
			    struct tt_report *r, struct tt_table *t)
{
	double nr = (double)(n->nr[TT_DISK_READ] + n->nr[TT_DISK_WRITE]);
	double sectors = (double)(n->bytes[TT_DISK_READ] + n->bytes[TT_DISK_WRITE]) / SECTOR_BYTES;
	double total_ms = n->total_ms[TT_DISK_READ] + n->total_ms[TT_DISK_WRITE];
	unsigned column = 0;
	char buf[32];

	tt_table_add_row(r, t);
	tt_row_text(r, t, column++, disk_name(ds, d, buf, sizeof(buf)));
	for (unsigned i = 0; i < 2; i++)
		tt_row_f64(t, column++, tt_ratio((double)n->merges[i], n->dur_s));
	for (unsigned i = 0; i < 2; i++)
		tt_row_f64(t, column++, tt_ratio((double)n->nr[i], n->dur_s));
	for (unsigned i = 0; i < 2; i++)
		tt_row_f64(t, column++, tt_ratio((double)n->bytes[i] / 1024, n->dur_s));
	tt_row_f64(t, column++, tt_ratio(sectors, nr));
	tt_row_f64(t, column++, tt_ratio(n->in_queue_ms / 1e3, n->dur_s));
	tt_row_f64(t, column++, tt_ratio(total_ms, nr));
	for (unsigned i = 0; i < 2; i++)
		tt_row_f64(t, column++, tt_ratio(n->total_ms[i], (double)n->nr[i]));
	if (!n->util_known)
		return;
	/* svctm = %util / (requests a second) */
	tt_row_f64(t, column++, tt_ratio(n->util_pct * 10 * n->dur_s, nr));
	tt_row_f64(t, column++, n->util_pct);
}

static void fill_percentiles(struct tt_table *t, unsigned column, const struct tt_hist *h)
{
	if (!h->nr_total)
		return;
	tt_row_u64(t, column, tt_hist_percentile_ns(h, 50));
	tt_row_u64(t, column + 1, tt_hist_percentile_ns(h, 99));
	tt_row_u64(t, column + 2, h->max_ns);
}

static void add_latency_row(const struct disks *ds, const struct disk *d, const struct tt_interval *interval,
			    struct tt_report *r, struct tt_table *t)
{
	char buf[32];

	tt_table_add_row(r, t);
	tt_row_text(r, t, LAT_NAME, disk_name(ds, d, buf, sizeof(buf)));
	for (unsigned i = 0; i < TT_DISK_GROUPS; i++)
		fill_percentiles(t, LAT_GROUPS + 3 * i, &d->total[i]);
	fill_percentiles(t, LAT_QUEUE, &d->queue);
	fill_percentiles(t, LAT_DEVICE, &d->device);
	if (d->nr_requests && !d->nr_shed)
		tt_row_u64(t, LAT_SVCTM, busy_ns(d, interval) / d->nr_requests);
}

static void add_split_row(const struct disks *ds, const struct disk *d, struct tt_report *r,
			  struct tt_table *t)
{
	const struct tt_disk_split *s = &d->split;
	const uint64_t parts_ns[NR_SPLIT_PARTS] = { s->queue_ns, s->requeue_ns, s->device_ns - s->stolen_ns,
						    s->stolen_ns, s->flush_ns };
	uint64_t shed_total_ns = 0;
	char buf[32];

	tt_table_add_row(r, t);
	tt_row_text(r, t, 0, disk_name(ds, d, buf, sizeof(buf)));
	for (unsigned i = 0; i < NR_SPLIT_PARTS; i++) {
		tt_row_f64(t, 1 + i, 100 * tt_ratio((double)parts_ns[i], (double)s->total_ns));
		tt_row_u64(t, 2 + NR_SPLIT_PARTS + i, parts_ns[i]);
	}
	tt_row_u64(t, 1 + NR_SPLIT_PARTS, s->total_ns);
	tt_row_u64(t, SPLIT_NR, s->nr);
	tt_row_u64(t, SPLIT_ERRORS, d->nr_split_errors);
	for (unsigned i = 0; i < TT_DISK_GROUPS; i++)
		shed_total_ns += d->groups[i].shed_total_ns;
	tt_row_u64(t, SPLIT_SHED, shed_total_ns);
	tt_row_u64(t, SPLIT_SHED + 1, d->shed_queue_ns);
	tt_row_u64(t, SPLIT_SHED + 2, d->shed_device_ns);
}

static int compare_disks(const void *a, const void *b)
{
	uint32_t x = (*(struct disk *const *)a)->dev, y = (*(struct disk *const *)b)->dev;

	return x < y ? -1 : x > y;
}

static void add_tables(struct disks *ds, struct disk *const *shown, unsigned nr_shown,
		       const struct tt_interval *interval, struct tt_report *r, struct tt_section *s)
{
	struct tt_table *t =
		ds->view->classic
			? tt_section_add_table(r, s, "devices", NULL, classic_columns, NR_CLASSIC_COLUMNS)
			: tt_section_add_table(r, s, "devices", NULL, device_columns, NR_DEV_COLUMNS);
	struct disk_numbers n;

	for (unsigned i = 0; t && i < nr_shown; i++) {
		get_numbers(ds, shown[i], interval, &n);
		if (ds->view->classic)
			add_classic_row(ds, shown[i], &n, r, t);
		else
			add_device_row(ds, shown[i], &n, interval, r, t);
	}
	if (ds->counters_only || !nr_shown)
		return;
	t = tt_section_add_table(r, s, "latency", NULL, latency_columns, NR_LAT_COLUMNS);
	for (unsigned i = 0; t && i < nr_shown; i++)
		add_latency_row(ds, shown[i], interval, r, t);
	t = tt_section_add_table(r, s, "split", NULL, split_columns, NR_SPLIT_COLUMNS);
	for (unsigned i = 0; t && i < nr_shown; i++)
		add_split_row(ds, shown[i], r, t);
}

static void add_submitter_row(struct tt_report *r, struct tt_table *t, const char *name,
			      const struct submitter *sub)
{
	uint64_t nr = sub->nr[0] + sub->nr[1];
	unsigned column = 0;

	tt_table_add_row(r, t);
	tt_row_text(r, t, column++, name);
	tt_row_u64(t, column++, sub->nr[0]);
	tt_row_u64(t, column++, sub->nr[1]);
	tt_row_u64(t, column++, sub->bytes[0]);
	tt_row_u64(t, column++, sub->bytes[1]);
	tt_row_u64(t, column++, nr ? sub->total_ns / nr : 0);
	tt_row_u64(t, column++, tt_coarse_percentile_ns(&sub->total, 99, sub->max_ns));
	tt_row_u64(t, column++, sub->max_ns);
	tt_row_u64(t, column++, sub->total_ns);
}

static void add_submitters(struct disks *ds, struct tt_report *r, struct tt_section *s)
{
	struct tt_who_owner owner = owner_of(ds);
	char name[TT_WHO_NAME_MAX];
	struct submitter others = ds->submitters[TT_WHO_OTHERS];
	struct tt_table *t;
	unsigned nr;
	const uint32_t *slots = tt_who_rank(&ds->who, &owner, &nr);

	t = tt_section_add_table(r, s, "submitters", ds->who.by_cgroup ? "by cgroup" : "by task",
				 submitter_columns, NR_SUBMITTER_COLUMNS);
	for (unsigned i = 0; t && i < nr; i++) {
		const struct submitter *sub = &ds->submitters[slots[i]];

		if (i >= tt_view_nr_top(ds->view)) {
			others.nr[0] += sub->nr[0];
			others.nr[1] += sub->nr[1];
			others.bytes[0] += sub->bytes[0];
			others.bytes[1] += sub->bytes[1];
			others.total_ns += sub->total_ns;
			others.max_ns = sub->max_ns > others.max_ns ? sub->max_ns : others.max_ns;
			tt_coarse_merge(&others.total, &sub->total);
			t->nr_rows_left_out++;
			continue;
		}
		add_submitter_row(r, t, tt_who_name(&ds->who, slots[i], name, sizeof(name)), sub);
		if (!ds->who.by_cgroup && ds->who.slots[slots[i]].tid != TT_TID_UNKNOWN) {
			tt_row_u64(t, NR_SUBMITTER_COLUMNS - 3, ds->who.slots[slots[i]].tid);
			tt_row_u64(t, NR_SUBMITTER_COLUMNS - 2, ds->who.slots[slots[i]].pid);
		}
		if (tt_who_cgroup_path(&ds->who, slots[i]))
			tt_row_text(r, t, NR_SUBMITTER_COLUMNS - 1, tt_who_cgroup_path(&ds->who, slots[i]));
	}
	if (t && others.nr[0] + others.nr[1])
		add_submitter_row(r, t, "(others)", &others);
}

static void add_histogram(struct tt_report *r, struct tt_section *s, const char *disk, const char *key,
			  const char *title, const struct tt_hist *h, bool partial)
{
	char name[96], full_title[128];

	if (!h->nr_total)
		return;
	snprintf(name, sizeof(name), "%s %s", disk, key);
	snprintf(full_title, sizeof(full_title), "%s %s", disk, title);
	tt_section_add_histogram(r, s, name, full_title, h, partial);
}

static void add_histograms(const struct disks *ds, struct disk *const *shown, unsigned nr_shown,
			   struct tt_report *r, struct tt_section *s)
{
	static const char *const keys[] = { "read total", "write total", "discard total", "flush total" };
	static const char *const titles[] = { "reads: start to completion", "writes: start to completion",
					      "discards: start to completion",
					      "flushes: start to completion" };
	char buf[32];

	for (unsigned i = 0; i < nr_shown && i < NR_HISTOGRAM_DISKS; i++) {
		const struct disk *d = shown[i];
		const char *name = disk_name(ds, d, buf, sizeof(buf));

		for (unsigned g = 0; g < TT_DISK_GROUPS; g++)
			add_histogram(r, s, name, keys[g], titles[g], &d->total[g],
				      d->groups[g].nr_shed != 0);
		add_histogram(r, s, name, "queue", "queue: start to issue", &d->queue, d->nr_shed != 0);
		add_histogram(r, s, name, "device", "device: issue to completion", &d->device,
			      d->nr_shed != 0);
	}
}

static uint64_t absolute_difference(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

/* Against /proc/diskstats: requests of all four groups, and sectors. Exact on a device that is idle at both
 * ends; else a few requests may complete between the reading of the file and the first or last event. */
static void add_check(const struct disks *ds, struct tt_report *r)
{
	uint64_t ours = 0, kernel = 0, diff = 0, ours_sectors = 0, kernel_sectors = 0, sector_diff = 0,
		 slack = 0, nr_unexplained = 0;
	unsigned nr_disks = 0;
	char count[32];

	for (unsigned i = 0; i < ds->nr_disks; i++) {
		const struct disk *d = ds->disks[i];
		uint64_t diff_before = diff, in_flight;
		struct disk_numbers k, n;

		if (!has_counters(d))
			continue;
		nr_disks++;
		numbers_from_counters(d, &k);
		numbers_from_events(d, &(struct tt_interval){ 0, 1, true }, &n);
		for (unsigned g = 0; g < TT_DISK_GROUPS; g++) {
			n.nr[g] -= d->groups[g].nr_before + d->groups[g].nr_after;
			n.bytes[g] -= d->groups[g].bytes_before + d->groups[g].bytes_after;
			ours += n.nr[g];
			kernel += k.nr[g];
			diff += absolute_difference(n.nr[g], k.nr[g]);
			ours_sectors += n.bytes[g] / SECTOR_BYTES;
			kernel_sectors += k.bytes[g] / SECTOR_BYTES;
			sector_diff += absolute_difference(n.bytes[g], k.bytes[g]) / SECTOR_BYTES;
		}
		in_flight = 2 + d->first.rec.in_flight + d->last.rec.in_flight;
		slack += in_flight;
		if (diff - diff_before > in_flight)
			nr_unexplained += diff - diff_before - in_flight;
	}
	tt_format_count(count, sizeof(count), kernel);
	if (!nr_disks)
		tt_report_add_check(r, "disk", true, false, 0, 0, "requests",
				    "disk not compared: /proc/diskstats was not read at both ends");
	else if (kernel > slack && !ours)
		tt_report_add_check(
			r, "disk", false, true, 0, (double)kernel, "requests",
			"disk probe attached but silent: /proc/diskstats counted %s requests, the probe "
			"saw none",
			count);
	else if (!diff && !sector_diff)
		tt_report_add_check(r, "disk", true, true, (double)ours, (double)kernel, "requests",
				    "disk exact to /proc/diskstats (%s requests)", count);
	else
		tt_report_add_check(r, "disk", !nr_unexplained, true, (double)ours, (double)kernel,
				    "requests",
				    "disk %+lld requests, %+lld sectors to /proc/diskstats (%s requests%s)",
				    (long long)(ours - kernel), (long long)(ours_sectors - kernel_sectors),
				    count,
				    !nr_unexplained ? "; as many may have been in flight at the ends"
						    : "; more than were in flight at the ends");
}

static const struct tt_hist *worst_hist(const struct disk *d, unsigned *ret_group)
{
	unsigned worst = TT_DISK_READ;

	for (unsigned g = 1; g < NR_DIRECTIONS; g++) {
		if (d->total[g].sum_ns > d->total[worst].sum_ns)
			worst = g;
	}
	*ret_group = worst;
	return &d->total[worst];
}

/* One finding for the device and direction whose requests took most time in all. */
static void add_finding(const struct disks *ds, struct disk *const *shown, unsigned nr_shown,
			const struct tt_interval *interval, struct tt_report *r)
{
	static const char *const whats[] = { "reads", "writes", "discards" };
	struct tt_disk_facts f = { .dur_ns = interval->to_ts_ns - interval->from_ts_ns };
	const struct disk *worst = NULL;
	uint64_t worst_ns = 0;
	unsigned group, bit;
	char buf[32];

	for (unsigned i = 0; i < nr_shown; i++) {
		const struct tt_hist *h = worst_hist(shown[i], &group);

		if (h->sum_ns > worst_ns) {
			worst_ns = h->sum_ns;
			worst = shown[i];
		}
	}
	if (!worst)
		return;
	f.p99_ns = tt_hist_percentile_ns(worst_hist(worst, &group), 99);
	f.max_ns = worst->total[group].max_ns;
	f.device = disk_name(ds, worst, buf, sizeof(buf));
	f.what = whats[group];
	for (bit = 0; bit < NR_TAIL_BITS; bit++) {
		merge_split(&f.all, &worst->tail[group][bit]);
		if (bit >= tail_bit(f.p99_ns))
			merge_split(&f.slowest, &worst->tail[group][bit]);
	}
	tt_findings_disk(r, &f);
}

static void add_notes(const struct disks *ds, struct disk *const *shown, unsigned nr_shown,
		      struct tt_report *r, struct tt_section *s)
{
	uint64_t nr_shed = 0, nr_uncounted = 0, nr_no_end = 0;
	struct tt_view of_tasks = *ds->view;
	char count[32];

	of_tasks.cpu_mask = NULL;
	tt_view_add_note(&of_tasks, r, s);
	tt_view_add_by_note(ds->view, 1 << TT_BY_CPU, "requests belong to no CPU; rows are devices", r, s);
	if (ds->counters_only)
		tt_view_add_by_note(ds->view, 1 << TT_BY_TASK | 1 << TT_BY_CGROUP, "who submitted needs single events; rows are devices", r, s);
	if (ds->view->cpu_mask)
		tt_section_add_note(r, s, "requests belong to no CPU: --cpu leaves them as they are");
	for (unsigned i = 0; i < nr_shown; i++) {
		nr_shed += shown[i]->nr_shed;
		nr_uncounted += shown[i]->nr_uncounted;
		for (unsigned g = 0; g < TT_DISK_GROUPS; g++)
			nr_no_end += shown[i]->groups[g].nr_no_end;
	}
	if (!nr_shown)
		tt_section_add_note(r, s,
				    ds->view->device ? "no such device in this recording" : "no disk I/O");
	if (ds->counters_only && nr_shown)
		tt_section_add_note(
			r, s, "from /proc/diskstats: percentiles, queue and device time need single events");
	if (nr_shed)
		tt_section_add_note(
			r, s,
			"percentiles and the split are partial: %s requests were shed; rates, sizes and awaits hold them, busy%% and "
			"svctm need every request",
			tt_format_count(count, sizeof(count), nr_shed));
	if (ds->has_part_sums)
		tt_section_add_note(r, s,
				    "merges and shed requests are summed up about once a second: where the interval cuts a second, they are split "
				    "by time");
	if (nr_uncounted)
		tt_section_add_note(
			r, s,
			"%s requests that /proc/diskstats does not count (passthrough, flushes of "
			"md, or queue/iostats is 0) are in busy%% only",
			tt_format_count(count, sizeof(count), nr_uncounted));
	if (nr_no_end)
		tt_section_add_note(r, s, "%s requests have no time: their end was not seen; await is of the others",
				    tt_format_count(count, sizeof(count), nr_no_end));
	if (ds->nr_beyond)
		tt_section_add_note(r, s, "%s requests of further devices are not shown (at most %d devices)",
				    tt_format_count(count, sizeof(count), ds->nr_beyond), NR_DISKS_MAX);
}

static int disk_finish(void *state, const struct tt_interval *interval, struct tt_report *r)
{
	struct disks *ds = state;
	struct tt_section *s = tt_report_add_section(r, "disk", "DISK");
	struct disk *shown[NR_DISKS_MAX];
	unsigned nr_shown = 0;
	struct disk_numbers n;

	if (!s)
		return -ENOMEM;
	ds->last_to_ts_ns = interval->to_ts_ns;
	if (!tt_probe_was_recorded(tt_world_info(ds->world), "disk")) {
		tt_section_add_note(r, s, "not recorded: the disk probe was off");
		return r->failed ? -ENOMEM : 0;
	}
	for (unsigned i = 0; i < ds->nr_disks; i++) {
		get_numbers(ds, ds->disks[i], interval, &n);
		if (has_row(ds, ds->disks[i], &n))
			shown[nr_shown++] = ds->disks[i];
	}
	qsort(shown, nr_shown, sizeof(struct disk *), compare_disks);
	add_tables(ds, shown, nr_shown, interval, r, s);
	if (ds->submitters && !ds->counters_only)
		add_submitters(ds, r, s);
	add_histograms(ds, shown, nr_shown, r, s);
	add_notes(ds, shown, nr_shown, r, s);
	if (interval->whole && !ds->counters_only && !tt_view_has_task_filter(ds->view))
		add_check(ds, r);
	add_finding(ds, shown, nr_shown, interval, r);
	return r->failed ? -ENOMEM : 0;
}

static void disk_reset(void *state)
{
	struct disks *ds = state;

	for (unsigned i = 0; i < ds->nr_disks; i++) {
		struct disk *d = ds->disks[i];
		struct counters last = d->last;
		uint32_t dev = d->dev;

		memset(d, 0, sizeof(*d));
		d->dev = dev;
		d->first = d->last = last;
		tt_busy_restart(&d->busy, ds->last_to_ts_ns);
	}
	ds->nr_beyond = 0;
	ds->has_part_sums = false;
	ds->base_ts_ns = ds->reading_ts_ns;
	if (!ds->submitters)
		return;
	memset(ds->submitters, 0, ds->who.nr * sizeof(*ds->submitters));
	tt_who_reset(&ds->who);
}

const struct tt_aggregator tt_aggregator_disk = {
	.name = "disk",
	.title = "DISK",
	.help = "iostat -x with percentiles, queue and device time",
	.open = disk_open,
	.event = disk_event,
	.finish = disk_finish,
	.reset = disk_reset,
	.close = disk_close,
};

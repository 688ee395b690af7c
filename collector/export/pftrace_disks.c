/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/export/pftrace_disks.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collector/aggregate/index.h"
#include "collector/export/depth.h"

struct lane {
	bool is_told;
	uint64_t last_end_ts_ns;
};

struct disk {
	char name[TT_DISK_NAME_LEN + 1]; /* raw */
	struct lane lanes[TT_PFTRACE_LANES_MAX];
};

struct tt_pftrace_disks {
	struct tt_pftrace *t;
	const struct tt_world *world;
	struct tt_pftrace_stacks *stacks;
	struct tt_index index; /* slots by dev */
	struct disk *disks[TT_PFTRACE_DISKS_MAX];
	struct tt_depth *in_flight;
	uint64_t nr_without_lane;
};

static void on_in_flight(void *ctx, uint32_t slot, uint64_t ts_ns, uint64_t nr)
{
	tt_pftrace_counter(((struct tt_pftrace_disks *)ctx)->t, tt_pf_uuid(TT_PF_IN_FLIGHT, slot), ts_ns, nr);
}

int tt_pftrace_disks_open(struct tt_pftrace *t, const struct tt_world *world,
			  struct tt_pftrace_stacks *stacks, struct tt_pftrace_disks **ret_pd)
{
	struct tt_pftrace_disks *pd = calloc(1, sizeof(*pd));

	if (!pd)
		return -ENOMEM;
	pd->t = t;
	pd->world = world;
	pd->stacks = stacks;
	if (tt_index_open(&pd->index, TT_PFTRACE_DISKS_MAX) ||
	    tt_depth_open(TT_PFTRACE_DISKS_MAX, on_in_flight, pd, &pd->in_flight)) {
		tt_pftrace_disks_close(pd);
		return -ENOMEM;
	}
	*ret_pd = pd;
	return 0;
}

void tt_pftrace_disks_close(struct tt_pftrace_disks *pd)
{
	if (!pd)
		return;
	for (unsigned slot = 0; slot < TT_PFTRACE_DISKS_MAX; slot++)
		free(pd->disks[slot]);
	tt_depth_close(pd->in_flight);
	tt_index_close(&pd->index);
	free(pd);
}

/* --- tracks --- */

static void tell_disk(struct tt_pftrace_disks *pd, uint32_t slot)
{
	char name[TT_DISK_NAME_LEN + 32];
	struct tt_pf_track_options disk = {
		.uuid = tt_pf_uuid(TT_PF_DISK, slot),
		.parent = tt_pf_uuid(TT_PF_GROUP, TT_PF_DISKS),
		.name = pd->disks[slot]->name,
		.rank = (int32_t)slot,
	};
	struct tt_pf_track_options in_flight = {
		.uuid = tt_pf_uuid(TT_PF_IN_FLIGHT, slot),
		.parent = disk.uuid,
		.name = name,
		.has = TT_PF_COUNTER,
	};

	snprintf(name, sizeof(name), "%s requests under way", pd->disks[slot]->name);
	tt_pftrace_track(pd->t, &disk);
	tt_pftrace_track(pd->t, &in_flight);
}

static struct disk *new_disk(const struct tt_world *world, uint32_t dev)
{
	const struct tt_world_device *device = tt_world_device(world, dev);
	struct disk *disk = calloc(1, sizeof(*disk));

	if (!disk)
		return NULL;
	if (device && device->name[0])
		memcpy(disk->name, device->name, sizeof(disk->name));
	else
		snprintf(disk->name, sizeof(disk->name), "%u:%u", dev >> 20, dev & 0xfffff);
	return disk;
}

/* TT_PFTRACE_DISKS_MAX: no room for one more. */
static int find_slot(struct tt_pftrace_disks *pd, uint32_t dev, uint32_t *ret_slot)
{
	uint32_t slot = tt_index_find(&pd->index, dev);

	if (slot == TT_INDEX_NONE) {
		slot = pd->index.nr;
		if (slot < TT_PFTRACE_DISKS_MAX) {
			pd->disks[slot] = new_disk(pd->world, dev);
			if (!pd->disks[slot])
				return -ENOMEM;
			tt_index_put(&pd->index, dev, slot);
			tell_disk(pd, slot);
		}
	}
	*ret_slot = slot;
	return 0;
}

/* The first one that is free from begin_ts_ns on; 0 = none is. */
static uint64_t take_lane(struct tt_pftrace_disks *pd, uint32_t slot, uint64_t begin_ts_ns,
			  uint64_t end_ts_ns)
{
	struct disk *disk = pd->disks[slot];
	struct tt_pf_track_options opts = { .parent = tt_pf_uuid(TT_PF_DISK, slot) };
	char name[TT_DISK_NAME_LEN + 32];
	unsigned i = 0;

	while (i < TT_PFTRACE_LANES_MAX && disk->lanes[i].last_end_ts_ns > begin_ts_ns)
		i++;
	if (i == TT_PFTRACE_LANES_MAX)
		return 0;
	opts.uuid = tt_pf_uuid(TT_PF_LANE, (uint64_t)slot << 16 | i);
	if (!disk->lanes[i].is_told) {
		snprintf(name, sizeof(name), "%s requests", disk->name);
		opts.name = name;
		opts.rank = (int32_t)i + 1;
		tt_pftrace_track(pd->t, &opts);
	}
	disk->lanes[i] = (struct lane){ true, end_ts_ns };
	return opts.uuid;
}

/* --- requests --- */

static void add_if(struct tt_pf_event *event, const char *name, uint64_t number)
{
	if (number)
		tt_pf_add_number(event, name, number);
}

static void add_args(const struct tt_pftrace_disks *pd, struct tt_pf_event *event, const struct tt_hit *hit,
		     const struct tt_disk *rec, char comm[TT_PFTRACE_COMM_MAX])
{
	tt_pf_add_number(event, "sector", rec->sector);
	tt_pf_add_number(event, "bytes", rec->bytes);
	if (rec->flags & TT_DISK_NO_SUBMITTER) {
		tt_pf_add_text(event, "submitter", "[no_submitter]");
	} else {
		tt_pf_add_text(event, "submitter", tt_pftrace_comm(comm, pd->world, rec->tid));
		tt_pf_add_number(event, "submitter_tid", rec->tid);
	}
	/* counts as so many in /proc/diskstats */
	tt_pf_add_number(event, "requests", hit->nr);
	tt_pf_add_number(event, "total_ns", rec->total_ns);
	tt_pf_add_number(event, "queue_ns", rec->queue_ns);
	tt_pf_add_number(event, "device_ns", rec->device_ns);
	add_if(event, "requeue_ns", rec->requeue_ns);
	add_if(event, "flush_ns", rec->flush_ns);
	add_if(event, "error", rec->error);
	add_if(event, "end_not_seen", rec->flags & TT_DISK_NO_END ? 1 : 0);
	add_if(event, "start_not_seen", rec->flags & TT_DISK_NO_START ? 1 : 0);
	add_if(event, "completions", rec->nr_completions > 1 ? rec->nr_completions : 0);
}

static void put_part(struct tt_pftrace_disks *pd, uint64_t track, const char *name, uint64_t begin_ts_ns,
		     uint64_t dur_ns)
{
	struct tt_pf_event part = {
		.track = track, .category = TT_PF_CAT_DISK, .name = name, .ts_ns = begin_ts_ns
	};

	if (dur_ns)
		tt_pftrace_slice(pd->t, &part, begin_ts_ns + dur_ns);
}

static void put_slice(struct tt_pftrace_disks *pd, const struct tt_pf_event *event, const struct tt_disk *rec,
		      uint64_t end_ts_ns)
{
	uint64_t total_ns = end_ts_ns - event->ts_ns;

	tt_pftrace_begin_slice(pd->t, event);
	if (!rec->requeue_ns && !rec->flush_ns && rec->queue_ns <= total_ns &&
	    rec->device_ns <= total_ns - rec->queue_ns) {
		put_part(pd, event->track, "queue", event->ts_ns, rec->queue_ns);
		put_part(pd, event->track, "device", event->ts_ns + rec->queue_ns, rec->device_ns);
	}
	tt_pftrace_end_slice(pd->t, event->track, end_ts_ns);
}

int tt_pftrace_disks_request(struct tt_pftrace_disks *pd, const struct tt_hit *hit, const struct tt_disk *rec)
{
	char comm[TT_PFTRACE_COMM_MAX];
	struct tt_pf_event event = {
		.category = TT_PF_CAT_DISK,
		.name = tt_disk_group_name(hit->group),
		.ts_ns = hit->ts_ns > rec->total_ns ? hit->ts_ns - rec->total_ns : 0,
		.callstack = tt_pftrace_callstack(pd->stacks, hit),
		.weight_ns = hit->weight_ns,
	};
	uint32_t slot;
	int err = find_slot(pd, hit->dev, &slot);

	if (err)
		return err;
	add_args(pd, &event, hit, rec, comm);
	if (slot < TT_PFTRACE_DISKS_MAX) {
		tt_depth_add(pd->in_flight, slot, event.ts_ns, hit->ts_ns);
		event.track = take_lane(pd, slot, event.ts_ns, hit->ts_ns);
	}
	if (event.track) {
		put_slice(pd, &event, rec, hit->ts_ns);
		return 0;
	}
	pd->nr_without_lane++;
	event.ts_ns = hit->ts_ns;
	event.track = slot < TT_PFTRACE_DISKS_MAX ? tt_pf_uuid(TT_PF_DISK, slot)
						  : tt_pf_uuid(TT_PF_GROUP, TT_PF_DISKS);
	tt_pftrace_instant(pd->t, &event);
	return 0;
}

int tt_pftrace_disks_shed(struct tt_pftrace_disks *pd, const struct tt_hit *hit)
{
	char name[64];
	struct tt_pf_event event = { .category = TT_PF_CAT_LOSS, .name = name, .ts_ns = hit->ts_ns };
	uint32_t slot;
	int err = find_slot(pd, hit->dev, &slot);

	if (err)
		return err;
	event.track = slot < TT_PFTRACE_DISKS_MAX ? tt_pf_uuid(TT_PF_DISK, slot)
						  : tt_pf_uuid(TT_PF_GROUP, TT_PF_DISKS);
	snprintf(name, sizeof(name), "%s requests shed", tt_disk_group_name(hit->group));
	tt_pf_add_number(&event, "requests", hit->nr);
	tt_pf_add_number(&event, "total_ns", hit->weight_ns);
	tt_pftrace_instant(pd->t, &event);
	return 0;
}

void tt_pftrace_disks_finish(struct tt_pftrace_disks *pd)
{
	tt_depth_finish(pd->in_flight);
}

uint64_t tt_pftrace_disks_nr_without_lane(const struct tt_pftrace_disks *pd)
{
	return pd->nr_without_lane;
}

uint64_t tt_pftrace_disks_nr_late(const struct tt_pftrace_disks *pd)
{
	return tt_depth_nr_late(pd->in_flight);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sums - what the report's tables add up, by slots of time: so that the page can tell it of any selection.
 *
 * Rows of cells.h. The same events count as in the aggregators steal, disk, runq and cpu, with the same filters, so over the whole time the sums
 * are the report's. Latencies are in the buckets of coarse.h: percentiles of a selection are at most 25 % high, never low.
 */
#pragma once

#include "collector/aggregate/aggregator.h"
#include "collector/export/html/cells.h"
#include "collector/export/html/devices.h"

/* TT_PAGE_FAMILY_CPU: place = CPU * TT_PAGE_CPU_SUMS + one of them (ns, count) */
enum tt_page_cpu_sum {
	TT_PAGE_CPU_STOLEN,	/* shed steal included; gaps */
	TT_PAGE_CPU_SHED_STEAL, /* of it */
	TT_PAGE_CPU_WOKEN,	/* waits after a wakeup, of new tasks and of unknown kind */
	TT_PAGE_CPU_PREEMPTED,
	TT_PAGE_CPU_WAIT_STOLEN, /* of the waits */
	TT_PAGE_CPU_SHED_WAIT,
	TT_PAGE_CPU_USER, /* samples */
	TT_PAGE_CPU_KERNEL,
	TT_PAGE_CPU_IDLE,
	TT_PAGE_CPU_SAMPLE_STOLEN,
	TT_PAGE_CPU_UNSAMPLED,
	TT_PAGE_CPU_SUMS,
};
/* TT_PAGE_FAMILY_DEVICE: place = device * TT_PAGE_DEVICE_SUMS + one of them */
enum tt_page_device_sum {
	TT_PAGE_DEVICE_TOTAL, /* + TT_DISK_READ ...: time, and requests; shed ones too */
	TT_PAGE_DEVICE_BYTES =
		TT_PAGE_DEVICE_TOTAL + TT_DISK_GROUPS, /* + the same: bytes, in the place of ns */
	TT_PAGE_DEVICE_QUEUE = TT_PAGE_DEVICE_BYTES + TT_DISK_GROUPS, /* of recorded requests */
	TT_PAGE_DEVICE_REQUEUE,
	TT_PAGE_DEVICE_DEVICE, /* what was stolen of it included */
	TT_PAGE_DEVICE_STOLEN,
	TT_PAGE_DEVICE_FLUSH,
	TT_PAGE_DEVICE_SHED, /* count of all groups */
	TT_PAGE_DEVICE_FAILED,
	TT_PAGE_DEVICE_NO_END, /* + TT_DISK_READ ...: of the requests, those whose end was not seen */
	TT_PAGE_DEVICE_SUMS = TT_PAGE_DEVICE_NO_END + TT_DISK_GROUPS,
};
/* TT_PAGE_FAMILY_HEAT: place = map * TT_COARSE_NR_BUCKETS + bucket (count). Map 0: run-queue waits, 1: steal gaps, then for each device: */
enum tt_page_heat {
	TT_PAGE_HEAT_READ,
	TT_PAGE_HEAT_WRITE,
	TT_PAGE_HEAT_QUEUE,
	TT_PAGE_HEAT_DEVICE,
	TT_PAGE_HEATS
};
enum { TT_PAGE_HEAT_RUNQ, TT_PAGE_HEAT_STEAL, TT_PAGE_HEAT_DEVICES };

struct tt_page_sums {
	const struct tt_world *world;
	const struct tt_view *view;
	struct tt_page_cells *cells;
	struct tt_page_devices *devices;
};

void tt_page_sums_event(struct tt_page_sums *s, const struct tt_event *ev);
/* Column "coarse.upper": ns, of each bucket. */
void tt_page_sums_put_buckets(struct tt_page_pack *pack);

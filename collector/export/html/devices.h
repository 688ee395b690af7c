/* SPDX-License-Identifier: GPL-2.0-or-later */
/* devices - the disks that the page tells apart: TT_PAGE_DEVICES_MAX of them, the rest is "(other disks)", number 0. */
#pragma once

#include "collector/aggregate/world.h"
#include "collector/export/html/pack.h"

enum { TT_PAGE_DEVICES_MAX = 33, TT_PAGE_DEVICE_OTHERS = 0 };

struct tt_page_devices {
	const struct tt_world *world;
	uint32_t devs[TT_PAGE_DEVICES_MAX];
	uint32_t nr;	    /* "(other disks)" included */
	uint64_t nr_merged; /* times that one was asked for that found no room */
};

/* Adds it when it is new. */
uint32_t tt_page_device_of(struct tt_page_devices *d, uint32_t dev);
/* Column "device.name". */
void tt_page_devices_put(const struct tt_page_devices *d, struct tt_page_pack *pack);

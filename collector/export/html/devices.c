/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/export/html/devices.h"

#include <stdio.h>

uint32_t tt_page_device_of(struct tt_page_devices *d, uint32_t dev)
{
	if (!d->nr)
		d->nr = 1;
	for (uint32_t i = 1; i < d->nr; i++) {
		if (d->devs[i] == dev)
			return i;
	}
	if (d->nr == TT_PAGE_DEVICES_MAX) {
		d->nr_merged++;
		return TT_PAGE_DEVICE_OTHERS;
	}
	d->devs[d->nr] = dev;
	return d->nr++;
}

void tt_page_devices_put(const struct tt_page_devices *d, struct tt_page_pack *pack)
{
	char raw[TT_DISK_NAME_LEN + 1];

	tt_page_pack_column(pack, "device.name", TT_PAGE_TEXTS);
	for (uint32_t i = 0; i < d->nr; i++) {
		const struct tt_world_device *device = i ? tt_world_device(d->world, d->devs[i]) : NULL;

		if (!i)
			snprintf(raw, sizeof(raw), "(other disks)");
		else if (device && device->name[0])
			snprintf(raw, sizeof(raw), "%s", device->name);
		else
			snprintf(raw, sizeof(raw), "%u:%u", d->devs[i] >> 20, d->devs[i] & 0xfffff);
		tt_page_pack_raw(pack, raw);
	}
}

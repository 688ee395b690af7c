/* SPDX-License-Identifier: GPL-2.0-or-later */
/* request - what a disk record counts as in /proc/diskstats, and so in every sum of ours. */
#pragma once

#include <stdint.h>

#include "collector/aggregate/world.h"

/* TT_DISK_READ .. TT_DISK_FLUSHES. As op_stat_group() of the kernel: discards, else the low bit is the direction. Flushes that are not
 * the flush machinery's own are counted that way, too. */
unsigned tt_request_group(const struct tt_disk *rec);
/* As how many requests a counted one (TT_DISK_COUNTED) counts: a bio once for each piece it was split into. */
uint64_t tt_request_nr_counted(const struct tt_disk *rec);
/* The part of the device's time during which the CPU that completed the request was stolen: the answer may have been there already. */
uint64_t tt_request_stolen_ns(const struct tt_disk *rec, const struct tt_world *world);
/* Whether its time in the queue, and on the device, is one that is told: flushes and what was never issued have none. */
bool tt_request_has_queue_time(const struct tt_disk *rec);
bool tt_request_has_device_time(const struct tt_disk *rec);

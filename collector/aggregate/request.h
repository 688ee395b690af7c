/* SPDX-License-Identifier: GPL-2.0-or-later */
/* request - what a disk record counts as in /proc/diskstats, and so in every sum of ours. */
#pragma once

#include <stdint.h>

#include "bpf/event.h"

/* TT_DISK_READ .. TT_DISK_FLUSHES. As op_stat_group() of the kernel: discards, else the low bit is the direction. Flushes that are not
 * the flush machinery's own are counted that way, too. */
unsigned tt_request_group(const struct tt_disk *rec);
/* As how many requests a counted one (TT_DISK_COUNTED) counts: a bio once for each piece it was split into. */
uint64_t tt_request_nr_counted(const struct tt_disk *rec);

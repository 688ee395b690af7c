/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pftrace_disks - requests of a Perfetto trace: slices on tracks of their device, and a counter of those under way.
 *
 * Requests overlap and slices of a track must not, so a device has lanes: as many as it ever had requests under way. Within a request
 * are slices of its queue and device time, but for those that were requeued or flush, whose parts do not follow each other; arguments tell them.
 *
 * Bounds: TT_PFTRACE_DISKS_MAX devices, TT_PFTRACE_LANES_MAX lanes of each; a request beyond them is an instant with the same arguments, and
 * is counted.
 */
#pragma once

#include "collector/export/pftrace_stacks.h"
#include "collector/export/pftrace_threads.h"

enum { TT_PFTRACE_DISKS_MAX = 1024, TT_PFTRACE_LANES_MAX = 512 };

struct tt_pftrace_disks;

/* All outlive it. -ENOMEM. */
int tt_pftrace_disks_open(struct tt_pftrace *t, const struct tt_world *world,
			  struct tt_pftrace_stacks *stacks, struct tt_pftrace_disks **ret_pd);
void tt_pftrace_disks_close(struct tt_pftrace_disks *pd);
/* hit: of disk, and the record that told it. -ENOMEM. */
int tt_pftrace_disks_request(struct tt_pftrace_disks *pd, const struct tt_hit *hit,
			     const struct tt_disk *rec);
/* hit: requests that were shed, known by their sums. -ENOMEM. */
int tt_pftrace_disks_shed(struct tt_pftrace_disks *pd, const struct tt_hit *hit);
void tt_pftrace_disks_finish(struct tt_pftrace_disks *pd);
uint64_t tt_pftrace_disks_nr_without_lane(const struct tt_pftrace_disks *pd);
uint64_t tt_pftrace_disks_nr_late(const struct tt_pftrace_disks *pd); /* requests, see depth.h */

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/aggregate/request.h"

enum { OP_DISCARD = 3, OP_SECURE_ERASE = 5 }; /* enum req_op, include/linux/blk_types.h */

unsigned tt_request_group(const struct tt_disk *rec)
{
	unsigned op = rec->cmd_flags & 0xff;

	if (rec->flags & TT_DISK_FLUSH)
		return TT_DISK_FLUSHES;
	if (op == OP_DISCARD || op == OP_SECURE_ERASE)
		return TT_DISK_DISCARD;
	return op & 1 ? TT_DISK_WRITE : TT_DISK_READ;
}

uint64_t tt_request_nr_counted(const struct tt_disk *rec)
{
	return rec->flags & TT_DISK_BIO && rec->nr_completions ? rec->nr_completions : 1;
}

uint64_t tt_request_stolen_ns(const struct tt_disk *rec, const struct tt_world *world)
{
	uint64_t to_ts_ns = rec->rec.ts_ns - rec->flush_ns, stolen_ns;

	if (rec->flush_ns > rec->rec.ts_ns || rec->device_ns > to_ts_ns)
		return 0;
	stolen_ns = tt_world_steal_between(world, rec->rec.cpu, to_ts_ns - rec->device_ns, to_ts_ns, NULL);
	return stolen_ns < rec->device_ns ? stolen_ns : rec->device_ns;
}

bool tt_request_has_queue_time(const struct tt_disk *rec)
{
	/* a flush never queues: it would only dilute it. An empty preflush is in the flush sequence from start to end, and never does
	 * either */
	return tt_request_group(rec) != TT_DISK_FLUSHES &&
	       !(rec->flags & (TT_DISK_NO_START | TT_DISK_NO_END)) &&
	       (rec->queue_ns || !(rec->flags & TT_DISK_NO_ISSUE));
}

bool tt_request_has_device_time(const struct tt_disk *rec)
{
	return tt_request_group(rec) != TT_DISK_FLUSHES &&
	       !(rec->flags & (TT_DISK_NO_ISSUE | TT_DISK_NO_END));
}

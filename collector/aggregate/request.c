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

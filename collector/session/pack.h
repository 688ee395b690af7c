/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pack - batches to the columns of a SCHED or RECORDS block, and back, bit by bit the same.
 *
 * A block stands alone: what is predicted from batch to batch of a CPU (clocks, counts, who runs) starts at 0
 * in each block. docs/session-format.md has the layout of both payloads. Pure: neither logs nor exits.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "bpf/event.h"
#include "collector/session/column.h"

struct tt_packer;

int tt_packer_open(struct tt_packer **ret_p); /* -ENOMEM */
void tt_packer_close(struct tt_packer *p);

/* Packs batches of one stream, which lie in data one behind the other and were checked (tt_batch_check).
 * Takes as many as the bounds of a block allow, at least one; their bytes are *ret_taken. Appends the payload
 * to out. 0 or -ENOMEM. */
int tt_pack(struct tt_packer *p, enum tt_stream stream, const void *data, size_t size, struct tt_bytes *out,
	    size_t *ret_taken);

struct tt_unpacker;

int tt_unpacker_open(struct tt_unpacker **ret_u); /* -ENOMEM */
void tt_unpacker_close(struct tt_unpacker *u);
/* Begins with a payload, which stays until the last batch is out. 0, -EBADMSG, -ENOMEM. */
int tt_unpack_start(struct tt_unpacker *u, enum tt_stream stream, const void *payload, size_t size);
/* The next batch: borrowed, aligned to 8, never longer than TT_BATCH_BYTES_MAX, its content not checked. 0 =
 * given, 1 = no more, -EBADMSG = the payload is not what it should be. */
int tt_unpack_next(struct tt_unpacker *u, const struct tt_batch **ret_batch);

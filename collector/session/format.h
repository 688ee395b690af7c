/* SPDX-License-Identifier: GPL-2.0-or-later */
/* format - the bytes of a session file, version 1, as docs/session-format.md explains them. Everything is
 * little-endian.
 *
 * The bounds are part of the format: a writer keeps them, a reader refuses what exceeds them before it
 * allocates.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <xxhash.h>

#define TT_FILE_MAGIC  "TIMETHIEF\n\x1a" /* 12 bytes with its NUL */
#define TT_BLOCK_MAGIC 0x4b425454u	 /* "TTBK" */

enum {
	TT_FILE_VERSION = 1,
	TT_FILE_BYTE_ORDER = 0x0102, /* stored as 02 01: the records' words are little-endian */
};

struct tt_file_header {
	char magic[12];
	uint16_t version;
	uint16_t byte_order;
	uint64_t check; /* xxh64 of the 16 bytes before */
};

enum tt_block_type {
	TT_BLOCK_INFO = 1,    /* JSON, always block 0 */
	TT_BLOCK_SCHED = 2,   /* batches of TT_STREAM_SCHED */
	TT_BLOCK_RECORDS = 3, /* batches of TT_STREAM_RECORDS */
	TT_BLOCK_EPOCH = 4,   /* struct tt_block_epoch: what came since the one before is whole */
	TT_BLOCK_END = 5,     /* JSON, always the last */
};

enum { TT_BLOCK_ZSTD = 1 }; /* flags: the payload is one zstd frame that declares its content size */

struct tt_block_header {
	uint32_t magic;
	uint16_t type, flags;
	uint32_t number;      /* 0 for the first block of the file, then one more each */
	uint32_t packed_size; /* bytes of payload that follow */
	uint32_t raw_size;    /* after decompression; packed_size when not compressed */
	uint32_t head_check;  /* low half of the xxh64 of the 20 bytes before */
	uint64_t check;	      /* xxh64 of the payload, seeded with the xxh64 of the 24 bytes before */
};

struct tt_block_epoch {
	uint64_t until_ts_ns;
	uint32_t nr_blocks, nr_batches; /* SCHED and RECORDS since the epoch before */
};

enum {
	TT_BLOCK_BYTES_MAX = 16 << 20, /* of any payload, raw and packed */
	TT_JSON_BYTES_MAX = 64 << 10,  /* of INFO and END: parsed JSON takes many times its text */
	TT_EPOCH_BYTES_MAX = 24 << 20, /* blocks of one epoch, headers included, as they are in the file */
	TT_PACK_BATCHES_MAX = 1 << 16, /* in one block */
	TT_PACK_ROWS_MAX = 1 << 18,    /* records in one block; of SCHED also ext words */
	TT_PACK_COLUMNS_MAX = 1 << 14, /* of one RECORDS block */
};

_Static_assert(sizeof(struct tt_file_header) == 24 && sizeof(struct tt_block_header) == 32 &&
		       sizeof(struct tt_block_epoch) == 16,
	       "file layout changed");
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
	       "session files are written and read as they lie in memory");

static inline uint64_t tt_block_check(const struct tt_block_header *head, const void *payload)
{
	return XXH64(payload, head->packed_size, XXH64(head, offsetof(struct tt_block_header, check), 0));
}

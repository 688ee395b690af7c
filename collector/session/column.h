/* SPDX-License-Identifier: GPL-2.0-or-later */
/* column - n numbers in few bytes that zstd packs well.
 *
 * Stored as u8 coding, u8 width and then, by coding:
 *   CONST   width bytes: all n have this value (n = 0 is CONST of width 0)
 *   PLANES  width planes of n bytes, lowest byte first: bytes that behave alike lie together
 *   DICT    u32 count, width planes of count bytes: the values in order of first use; then n indices,
 *           in one plane when count <= 256, else in two
 *   DELTA   u64 first value; then PLANES of zigzag differences to the number before (the first is 0)
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum tt_coding { TT_CODING_CONST = 0, TT_CODING_PLANES = 1, TT_CODING_DICT = 2, TT_CODING_DELTA = 3 };

static inline uint64_t tt_zigzag(uint64_t difference)
{
	return difference << 1 ^ (uint64_t)((int64_t)difference >> 63);
}

static inline uint64_t tt_unzigzag(uint64_t zigzag)
{
	return zigzag >> 1 ^ -(zigzag & 1);
}

/* Growing bytes. Zero it to begin, free data at the end. failed stays set once memory ran out. */
struct tt_bytes {
	uint8_t *data;
	size_t size, max;
	bool failed;
};

void *tt_bytes_add(struct tt_bytes *b, size_t nr_more); /* uninitialised; NULL = failed */
void tt_bytes_append(struct tt_bytes *b, const void *data, size_t size);

/* Writes columns; keeps the table that dictionaries are made with. */
struct tt_column_writer;
int tt_column_writer_open(struct tt_column_writer **ret_cw); /* -ENOMEM */
void tt_column_writer_close(struct tt_column_writer *cw);
/* dict: try TT_CODING_DICT; used when the values are few. Failure shows in out->failed. */
void tt_column_write32(struct tt_column_writer *cw, const uint32_t *values, size_t n, bool dict,
		       struct tt_bytes *out);
/* Tries all codings on the first values and takes the one that seems smallest. */
void tt_column_write64(struct tt_column_writer *cw, const uint64_t *values, size_t n, struct tt_bytes *out);

/* Reads one column, from front to back. Fields are column.c's. */
struct tt_column {
	uint8_t coding, width, index_width;
	uint32_t n, pos, nr_dict;
	const uint8_t *data, *dict;
	uint64_t last;
};

/* Takes the column of n values at *at, moves *at behind it. 0 or -EBADMSG: not a column or it ends behind
 * end. */
int tt_column_open(struct tt_column *col, size_t n, const uint8_t **at, const uint8_t *end);
/* The next nr values. 0 or -EBADMSG: fewer are left, an index is not in its dictionary, or a value exceeds 32
 * bits. */
int tt_column_read32(struct tt_column *col, uint32_t *ret_values, size_t nr);
int tt_column_read64(struct tt_column *col, uint64_t *ret_values, size_t nr);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* unpack - for tests: the columns in a page, read back as collector/export/html/FORMAT.md says. */
#pragma once

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

struct unpacked {
	unsigned char *bytes;
	size_t len;
	json_t *index;
};

static inline unsigned base64_bits(char c)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = strchr(digits, c);

	cr_assert(c && at != NULL, "'%c' is no base64", c);
	return (unsigned)(at - digits);
}

static inline size_t unpack_base64(const char *text, size_t len, unsigned char *ret)
{
	size_t nr = 0;

	cr_assert(eq(sz, len % 4, 0));
	for (size_t i = 0; i < len; i += 4) {
		unsigned nr_pad = i + 4 == len ? (text[i + 2] == '=') + (text[i + 3] == '=') : 0;
		unsigned bits = base64_bits(text[i]) << 18 | base64_bits(text[i + 1]) << 12 |
				(nr_pad < 2 ? base64_bits(text[i + 2]) << 6 : 0) | (nr_pad < 1 ? base64_bits(text[i + 3]) : 0);

		for (unsigned byte = 0; byte < 3 - nr_pad; byte++)
			ret[nr++] = (unsigned char)(bits >> (16 - 8 * byte));
	}
	return nr;
}

static inline void unpack(const char *text, size_t len, struct unpacked *u)
{
	unsigned char *packed = malloc(len + 1);
	z_stream z = { .next_in = packed };
	uint32_t index_len;
	size_t room = 64 << 20;

	u->bytes = malloc(room);
	z.avail_in = (uInt)unpack_base64(text, len, packed);
	z.next_out = u->bytes;
	z.avail_out = (uInt)room;
	cr_assert(eq(int, inflateInit(&z), Z_OK));
	cr_assert(eq(int, inflate(&z, Z_FINISH), Z_STREAM_END));
	cr_assert(eq(u32, z.avail_in, 0));
	u->len = z.total_out;
	inflateEnd(&z);
	free(packed);
	cr_assert(gt(sz, u->len, 4));
	memcpy(&index_len, u->bytes + u->len - 4, 4); /* of a little-endian machine, as those of the tests are */
	cr_assert(le(sz, index_len, u->len - 4));
	u->index = json_loadb((char *)u->bytes + u->len - 4 - index_len, index_len, JSON_REJECT_DUPLICATES, NULL);
	cr_assert(u->index != NULL);
}

static inline void unpack_free(struct unpacked *u)
{
	free(u->bytes);
	json_decref(u->index);
}

static inline uint64_t index_number(const struct unpacked *u, const char *column, size_t i)
{
	return (uint64_t)json_integer_value(json_array_get(json_object_get(u->index, column), i));
}

static inline size_t column_count(const struct unpacked *u, const char *column)
{
	return index_number(u, column, 3);
}

/* The caller's to free. */
static inline uint64_t *column_numbers(const struct unpacked *u, const char *column)
{
	size_t nr = column_count(u, column), at = index_number(u, column, 1), end = at + index_number(u, column, 2);
	uint64_t *numbers = calloc(nr + 1, sizeof(*numbers)), last = 0;

	cr_assert(json_object_get(u->index, column) != NULL, "no column %s", column);
	for (size_t i = 0; i < nr; i++) {
		uint64_t value = 0;
		unsigned shift = 0;

		do {
			cr_assert(lt(sz, at, end), "%s ends early", column);
			value |= (uint64_t)(u->bytes[at] & 127) << shift;
			shift += 7;
		} while (u->bytes[at++] & 128);
		if (index_number(u, column, 0) == 1)
			value = last += (value >> 1) ^ -(value & 1);
		numbers[i] = value;
	}
	cr_assert(eq(sz, at, end), "%s goes on", column);
	return numbers;
}

/* The i-th text; borrowed from u. */
static inline const char *column_text(const struct unpacked *u, const char *column, size_t i)
{
	const char *at = (const char *)u->bytes + index_number(u, column, 1);

	cr_assert(lt(sz, i, column_count(u, column)), "%s", column);
	while (i--)
		at += strlen(at) + 1;
	return at;
}

static inline uint64_t column_sum(const struct unpacked *u, const char *column)
{
	uint64_t *numbers = column_numbers(u, column), sum = 0;

	for (size_t i = 0; i < column_count(u, column); i++)
		sum += numbers[i];
	free(numbers);
	return sum;
}

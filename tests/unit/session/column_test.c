/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/session/column.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/batches.h"

static struct tt_column_writer *cw;

static void setup(void)
{
	cr_assert(eq(int, tt_column_writer_open(&cw), 0));
}

static void teardown(void)
{
	tt_column_writer_close(cw);
}

TestSuite(column, .init = setup, .fini = teardown);

/* Writes, reads back in strips, compares; returns the bytes that it took. */
static size_t round_trip64(const uint64_t *values, size_t n, uint8_t *ret_coding)
{
	struct tt_bytes out = { 0 };
	struct tt_column col;
	const uint8_t *at;
	uint64_t back[100];
	size_t size;

	tt_column_write64(cw, values, n, &out);
	at = out.data;
	cr_assert(eq(int, tt_column_open(&col, n, &at, out.data + out.size), 0));
	cr_expect(eq(ptr, (void *)at, out.data + out.size));
	*ret_coding = col.coding;
	for (size_t i = 0; i < n;) {
		size_t nr = n - i < 100 ? n - i : 100;

		cr_assert(eq(int, tt_column_read64(&col, back, nr), 0));
		cr_assert(eq(int, memcmp(back, values + i, nr * 8), 0), "values %zu..", i);
		i += nr;
	}
	cr_expect(eq(int, tt_column_read64(&col, back, 1), -EBADMSG), "no more than were written");
	size = out.size;
	free(out.data);
	return size;
}

Test(column, one_value_costs_no_room_per_row)
{
	uint64_t values[5000];
	uint8_t coding;

	for (size_t i = 0; i < 5000; i++)
		values[i] = 0x1234;
	cr_expect(eq(sz, round_trip64(values, 5000, &coding), 4));
	cr_expect(eq(u8, coding, TT_CODING_CONST));
	cr_expect(eq(sz, round_trip64(values, 0, &coding), 2));
}

Test(column, slowly_growing_values_become_differences)
{
	uint64_t values[5000], seed = 1;
	uint8_t coding;

	for (size_t i = 0; i < 5000; i++)
		values[i] = (i ? values[i - 1] : 1ull << 60) + tb_random(&seed) % 100;
	cr_expect(lt(sz, round_trip64(values, 5000, &coding), 5000 * 8));
	cr_expect(eq(u8, coding, TT_CODING_DELTA));
}

Test(column, few_wide_values_become_a_dictionary)
{
	uint64_t values[5000], seed = 1, few[300];
	uint8_t coding;

	for (size_t i = 0; i < 300; i++)
		few[i] = tb_random(&seed);
	for (size_t i = 0; i < 5000; i++)
		values[i] = few[tb_random(&seed) % 7];
	round_trip64(values, 5000, &coding);
	cr_expect(eq(u8, coding, TT_CODING_DICT));
	for (size_t i = 0; i < 5000; i++)
		values[i] = few[tb_random(&seed) % 300];
	round_trip64(values, 5000, &coding);
	cr_expect(eq(u8, coding, TT_CODING_DICT), "two bytes of index");
}

Test(column, anything_comes_back_as_it_was)
{
	uint64_t values[3000], seed = 42;
	uint8_t coding;

	for (unsigned round = 0; round < 200; round++) {
		size_t n = tb_random(&seed) % 3000;
		unsigned shift = (unsigned)(tb_random(&seed) % 64), walk = (unsigned)(tb_random(&seed) % 2);

		for (size_t i = 0; i < n; i++)
			values[i] = (tb_random(&seed) >> shift) + (walk && i ? values[i - 1] : 0);
		round_trip64(values, n, &coding);
	}
}

Test(column, narrow_columns_come_back_too)
{
	uint32_t values[3000], back[3000];
	uint64_t seed = 43;

	for (unsigned round = 0; round < 200; round++) {
		size_t n = tb_random(&seed) % 3000;
		unsigned shift = 32 + (unsigned)(tb_random(&seed) % 32);
		struct tt_bytes out = { 0 };
		struct tt_column col;
		const uint8_t *at;

		for (size_t i = 0; i < n; i++)
			values[i] = (uint32_t)(tb_random(&seed) >> shift);
		tt_column_write32(cw, values, n, round % 2, &out);
		at = out.data;
		cr_assert(eq(int, tt_column_open(&col, n, &at, out.data + out.size), 0));
		cr_assert(eq(int, tt_column_read32(&col, back, n), 0));
		cr_assert(eq(int, memcmp(values, back, n * 4), 0));
		free(out.data);
	}
}

Test(column, columns_that_lie_are_refused)
{
	static const struct {
		const char *what;
		uint8_t bytes[16];
		size_t size;
		int open_err;
	} bad[] = {
		{ "nothing", { 0 }, 0, -EBADMSG },
		{ "half a head", { 0 }, 1, -EBADMSG },
		{ "coding", { 4, 1, 1, 1 }, 4, -EBADMSG },
		{ "width", { 1, 9, 1, 1 }, 16, -EBADMSG },
		{ "too short for its planes", { 1, 4, 1, 1, 1 }, 9, -EBADMSG },
		{ "too short for its value", { 0, 3, 1, 1 }, 4, -EBADMSG },
		{ "a dictionary of nothing", { 2, 1, 0, 0, 0, 0, 0, 0 }, 8, -EBADMSG },
		{ "a dictionary of 4 billion", { 2, 0, 255, 255, 255, 255, 0, 0 }, 8, -EBADMSG },
		{ "a dictionary longer than the block", { 2, 8, 9, 0, 0, 0, 0, 0 }, 16, -EBADMSG },
		{ "an index behind its dictionary", { 2, 1, 1, 0, 0, 0, 77, 0, 1 }, 9, 0 },
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const uint8_t *at = bad[i].bytes;
		struct tt_column col;
		uint64_t values[2];
		uint32_t narrow[2];

		cr_expect(eq(int, tt_column_open(&col, 2, &at, bad[i].bytes + bad[i].size), bad[i].open_err),
			  "%s", bad[i].what);
		if (bad[i].open_err)
			continue;
		cr_expect(eq(int, tt_column_read64(&col, values, 2), -EBADMSG), "%s", bad[i].what);
		cr_expect(eq(int, tt_column_read32(&col, narrow, 2), -EBADMSG), "%s", bad[i].what);
	}
}

Test(column, a_value_above_32_bits_is_no_narrow_value)
{
	static const uint8_t bytes[] = { 0, 5, 0, 0, 0, 0, 1 };
	const uint8_t *at = bytes;
	struct tt_column col;
	uint32_t value;

	cr_assert(eq(int, tt_column_open(&col, 1, &at, bytes + sizeof(bytes)), 0));
	cr_expect(eq(int, tt_column_read32(&col, &value, 1), -EBADMSG));
}

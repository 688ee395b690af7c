/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/base/slice.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

static struct tt_slice slice(const char *text)
{
	return (struct tt_slice){ text, strlen(text) };
}

Test(slice, a_hexadecimal_number_ends_where_its_digits_end)
{
	struct tt_slice s = slice("7fFF-x");
	uint64_t value;

	cr_assert(tt_slice_take_hex(&s, &value));
	cr_expect(eq(u64, value, 0x7fff));
	cr_expect(tt_slice_is(s, "-x"));
	cr_expect(not(tt_slice_take_hex(&s, &value)));
	cr_expect(tt_slice_take_byte(&s, '-'));
	cr_expect(not(tt_slice_take_byte(&s, '-')));
}

Test(slice, a_number_that_is_too_long_is_none)
{
	struct tt_slice fits = slice("ffffffffffffffff"), beyond = slice("10000000000000000"),
			empty = slice("");
	uint64_t value;

	cr_assert(tt_slice_take_hex(&fits, &value));
	cr_expect(eq(u64, value, UINT64_MAX));
	cr_expect(not(tt_slice_take_hex(&beyond, &value)));
	cr_expect(not(tt_slice_take_hex(&empty, &value)));
}

Test(slice, lines_and_words_end_with_the_text)
{
	const char text[] = "one  two\n\nlast", *pos = text;
	struct tt_slice line, word;

	cr_assert(tt_slice_next_line(&pos, text + strlen(text), &line));
	cr_assert(tt_slice_take_word(&line, &word) && tt_slice_take_word(&line, &word));
	cr_expect(tt_slice_is(word, "two"));
	cr_expect(not(tt_slice_take_word(&line, &word)));
	cr_assert(tt_slice_next_line(&pos, text + strlen(text), &line));
	cr_expect(eq(sz, line.len, 0));
	cr_assert(tt_slice_next_line(&pos, text + strlen(text), &line));
	cr_expect(tt_slice_is(line, "last"));
	cr_expect(not(tt_slice_next_line(&pos, text + strlen(text), &line)));
}

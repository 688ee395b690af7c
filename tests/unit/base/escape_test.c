/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/base/escape.h"

#include <criterion/criterion.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static void expect_escaped(const char *raw, const char *expected)
{
	char safe[256];

	cr_expect_str_eq(tt_escape(safe, sizeof(safe), raw, strlen(raw)), expected, "got %s", safe);
}

Test(escape, printable_utf8_passes)
{
	expect_escaped("postgres: writer", "postgres: writer");
	expect_escaped("каша-Ω-日本", "каша-Ω-日本");
	expect_escaped("e\xcc\x81", "e\xcc\x81"); /* a combining accent is text */
}

Test(escape, what_moves_a_terminal_becomes_hex)
{
	expect_escaped("a\033[31mb", "a\\x1b[31mb");
	expect_escaped("a\nb\tc\r\x7f", "a\\x0ab\\x09c\\x0d\\x7f");
	expect_escaped("\xc2\x9b", "\\xc2\\x9b"); /* C1: CSI in one character */
	expect_escaped("back\\slash", "back\\\\slash");
}

Test(escape, what_hides_or_turns_text_becomes_hex)
{
	expect_escaped("a\xe2\x80\xae"
		       "b",
		       "a\\xe2\\x80\\xaeb");		   /* right-to-left override */
	expect_escaped("\xe2\x80\x8b", "\\xe2\\x80\\x8b"); /* zero width space */
	expect_escaped("\xef\xbb\xbf", "\\xef\\xbb\\xbf"); /* byte order mark */
	expect_escaped("\xe2\x80\xa8", "\\xe2\\x80\\xa8"); /* line separator */
}

Test(escape, invalid_utf8_becomes_hex_byte_by_byte)
{
	expect_escaped("\xff\xfe", "\\xff\\xfe");
	expect_escaped("\xc0\xaf", "\\xc0\\xaf"); /* overlong slash */
	expect_escaped("\xe0\x80\xaf", "\\xe0\\x80\\xaf");
	expect_escaped("\xed\xa0\x80", "\\xed\\xa0\\x80");	    /* surrogate */
	expect_escaped("\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"); /* beyond U+10FFFF */
	expect_escaped("x\xe6\x97", "x\\xe6\\x97");		    /* cut */
}

Test(escape, len_and_nul_both_end_the_name)
{
	char safe[64];

	cr_expect_str_eq(tt_escape(safe, sizeof(safe), "abcdef", 3), "abc");
	cr_expect_str_eq(tt_escape(safe, sizeof(safe), "ab\0cd", 5), "ab");
}

Test(escape, a_small_buffer_cuts_at_a_whole_character)
{
	char safe[8];

	cr_expect_str_eq(tt_escape(safe, 4, "日本", 6), "日");
	cr_expect_str_eq(tt_escape(safe, 6, "日本", 6), "日");
	cr_expect_str_eq(tt_escape(safe, 4, "\033", 1), "", "half an escape is worse than none");
	cr_expect_str_eq(tt_escape(safe, 1, "a", 1), "");
}

/* Every byte string, at every buffer size: terminated, no control byte, and 4 * len + 1 always fits. */
Test(escape, random_bytes_never_get_through)
{
	char raw[24], safe[4 * sizeof(raw) + 1];

	srand(7);
	for (unsigned i = 0; i < 100000; i++) {
		size_t len = (size_t)rand() % sizeof(raw), size = 1 + (size_t)rand() % sizeof(safe);

		for (size_t j = 0; j < len; j++)
			raw[j] = (char)rand();
		tt_escape(safe, size, raw, len);
		cr_assert_lt(strlen(safe), size);
		for (const char *s = safe; *s; s++)
			cr_assert((unsigned char)*s >= 0x20 && *s != 0x7f);
		cr_assert_leq(tt_text_width(safe), strlen(safe));
	}
}

Test(escape, width_counts_columns)
{
	cr_expect_eq(tt_text_width("abc"), 3);
	cr_expect_eq(tt_text_width("日本"), 4);
	cr_expect_eq(tt_text_width("e\xcc\x81"), 1);
	cr_expect_eq(tt_text_width("█▏"), 2);
	cr_expect_eq(tt_text_width(""), 0);
}

Test(escape, fit_never_splits_a_wide_character)
{
	size_t bytes;

	cr_expect_eq(tt_text_fit("a日b", 2, &bytes), 1);
	cr_expect_eq(bytes, 1);
	cr_expect_eq(tt_text_fit("a日b", 3, &bytes), 3);
	cr_expect_eq(bytes, 4);
	cr_expect_eq(tt_text_fit("a日b", SIZE_MAX, &bytes), 4);
	cr_expect_eq(bytes, 5);
}

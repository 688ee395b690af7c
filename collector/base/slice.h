/* SPDX-License-Identifier: GPL-2.0-or-later */
/* slice - a piece of a text, and what is taken from its front.
 *
 * The text is a buffer of any bytes with an end, not a string: nothing is read behind the end, nothing is copied.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Not NUL-terminated. */
struct tt_slice {
	const char *text;
	size_t len;
};

bool tt_slice_is(struct tt_slice s, const char *text);
/* Whether item is one of the comma-separated words of list. */
bool tt_slice_has_item(struct tt_slice list, const char *item);

/* Decimal digits and nothing else. */
bool tt_slice_u64(struct tt_slice s, uint64_t *ret);

/* The line at *pos without its newline; *pos moves behind it. False: the text has ended. */
bool tt_slice_next_line(const char **pos, const char *end, struct tt_slice *ret);
/* The first word of s; words are separated by blanks and tabs. */
bool tt_slice_take_word(struct tt_slice *s, struct tt_slice *ret);
/* The hexadecimal digits that s begins with, at least one; no sign, no 0x. False: there are none, or too many for 64 bits. */
bool tt_slice_take_hex(struct tt_slice *s, uint64_t *ret);
/* The byte that s begins with, if it is this one. */
bool tt_slice_take_byte(struct tt_slice *s, char byte);

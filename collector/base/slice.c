/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/base/slice.h"

#include <string.h>

bool tt_slice_is(struct tt_slice s, const char *text)
{
	return s.len == strlen(text) && !memcmp(s.text, text, s.len);
}

bool tt_slice_has_item(struct tt_slice list, const char *item)
{
	while (list.len) {
		const char *comma = memchr(list.text, ',', list.len);
		size_t len = comma ? (size_t)(comma - list.text) : list.len;

		if (tt_slice_is((struct tt_slice){ list.text, len }, item))
			return true;
		if (!comma)
			break;
		list.text += len + 1;
		list.len -= len + 1;
	}
	return false;
}

bool tt_slice_next_line(const char **pos, const char *end, struct tt_slice *ret)
{
	const char *newline;

	if (*pos >= end)
		return false;
	newline = memchr(*pos, '\n', (size_t)(end - *pos));
	ret->text = *pos;
	ret->len = (size_t)((newline ? newline : end) - *pos);
	*pos = newline ? newline + 1 : end;
	return true;
}

bool tt_slice_take_word(struct tt_slice *s, struct tt_slice *ret)
{
	while (s->len && (*s->text == ' ' || *s->text == '\t')) {
		s->text++;
		s->len--;
	}
	ret->text = s->text;
	while (s->len && *s->text != ' ' && *s->text != '\t') {
		s->text++;
		s->len--;
	}
	ret->len = (size_t)(s->text - ret->text);
	return ret->len > 0;
}

bool tt_slice_u64(struct tt_slice s, uint64_t *ret)
{
	uint64_t value = 0;

	if (!s.len)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		unsigned digit = (unsigned char)s.text[i] - (unsigned)'0';

		if (digit > 9 || __builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, digit, &value))
			return false;
	}
	*ret = value;
	return true;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool tt_slice_take_hex(struct tt_slice *s, uint64_t *ret)
{
	uint64_t value = 0;
	size_t n = 0;

	for (; n < s->len && hex_digit(s->text[n]) >= 0; n++) {
		if (value >> 60)
			return false;
		value = value << 4 | (uint64_t)hex_digit(s->text[n]);
	}
	if (!n)
		return false;
	s->text += n;
	s->len -= n;
	*ret = value;
	return true;
}

bool tt_slice_take_byte(struct tt_slice *s, char byte)
{
	if (!s->len || *s->text != byte)
		return false;
	s->text++;
	s->len--;
	return true;
}

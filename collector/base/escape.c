/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/base/escape.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct range {
	uint32_t first, last;
};

/* Change what a terminal shows around them, or show nothing at all: never printed as they are. */
static const struct range deceptive[] = {
	{ 0x0000, 0x001f },   { 0x007f, 0x009f },   { 0x00ad, 0x00ad }, /* soft hyphen */
	{ 0x061c, 0x061c },   { 0x115f, 0x1160 },			/* Hangul fillers: blank */
	{ 0x180b, 0x180f },   { 0x200b, 0x200f },			/* zero width, direction marks */
	{ 0x2028, 0x202e }, /* line separators, bidirectional overrides */
	{ 0x2060, 0x206f },   { 0x3164, 0x3164 },   { 0xfe00, 0xfe0f },
	{ 0xfeff, 0xfeff },   { 0xffa0, 0xffa0 },   { 0xfff0, 0xfffb },
	{ 0x1bca0, 0x1bca3 }, { 0x1d173, 0x1d17a }, { 0xe0000, 0xe0fff }, /* tags, more variation selectors */
};

/* Combining marks: drawn over the character before them. */
static const struct range combining[] = {
	{ 0x0300, 0x036f }, { 0x0483, 0x0489 }, { 0x0591, 0x05bd }, { 0x05bf, 0x05bf }, { 0x05c1, 0x05c2 },
	{ 0x05c4, 0x05c5 }, { 0x05c7, 0x05c7 }, { 0x0610, 0x061a }, { 0x064b, 0x065f }, { 0x0670, 0x0670 },
	{ 0x06d6, 0x06dc }, { 0x06df, 0x06e4 }, { 0x06e7, 0x06e8 }, { 0x06ea, 0x06ed }, { 0x0711, 0x0711 },
	{ 0x0730, 0x074a }, { 0x07a6, 0x07b0 }, { 0x0900, 0x0902 }, { 0x093a, 0x093a }, { 0x093c, 0x093c },
	{ 0x0941, 0x0948 }, { 0x094d, 0x094d }, { 0x0e31, 0x0e31 }, { 0x0e34, 0x0e3a }, { 0x0e47, 0x0e4e },
	{ 0x1ab0, 0x1aff }, { 0x1dc0, 0x1dff }, { 0x20d0, 0x20f0 }, { 0x302a, 0x302d }, { 0x3099, 0x309a },
	{ 0xfe20, 0xfe2f },
};

/* East Asian wide and emoji: two columns. */
static const struct range wide[] = {
	{ 0x1100, 0x115e },   { 0x231a, 0x231b },   { 0x2329, 0x232a },	  { 0x23e9, 0x23ec },
	{ 0x23f0, 0x23f0 },   { 0x23f3, 0x23f3 },   { 0x25fd, 0x25fe },	  { 0x2614, 0x2615 },
	{ 0x2648, 0x2653 },   { 0x267f, 0x267f },   { 0x2693, 0x2693 },	  { 0x26a1, 0x26a1 },
	{ 0x26aa, 0x26ab },   { 0x26bd, 0x26be },   { 0x26c4, 0x26c5 },	  { 0x26ce, 0x26ce },
	{ 0x26d4, 0x26d4 },   { 0x26ea, 0x26ea },   { 0x26f2, 0x26f3 },	  { 0x26f5, 0x26f5 },
	{ 0x26fa, 0x26fa },   { 0x26fd, 0x26fd },   { 0x2705, 0x2705 },	  { 0x270a, 0x270b },
	{ 0x2728, 0x2728 },   { 0x274c, 0x274c },   { 0x274e, 0x274e },	  { 0x2753, 0x2755 },
	{ 0x2757, 0x2757 },   { 0x2795, 0x2797 },   { 0x27b0, 0x27b0 },	  { 0x27bf, 0x27bf },
	{ 0x2b1b, 0x2b1c },   { 0x2b50, 0x2b50 },   { 0x2b55, 0x2b55 },	  { 0x2e80, 0x3029 },
	{ 0x302e, 0x303e },   { 0x3041, 0x3098 },   { 0x309b, 0x4dbf },	  { 0x4e00, 0xa4c6 },
	{ 0xa960, 0xa97c },   { 0xac00, 0xd7a3 },   { 0xf900, 0xfaff },	  { 0xfe10, 0xfe19 },
	{ 0xfe30, 0xfe6b },   { 0xff01, 0xff60 },   { 0xffe0, 0xffe6 },	  { 0x16fe0, 0x18cd5 },
	{ 0x1aff0, 0x1b2fb }, { 0x1f004, 0x1f004 }, { 0x1f0cf, 0x1f0cf }, { 0x1f18e, 0x1f18e },
	{ 0x1f191, 0x1f19a }, { 0x1f200, 0x1f320 }, { 0x1f32d, 0x1f335 }, { 0x1f337, 0x1f37c },
	{ 0x1f37e, 0x1f393 }, { 0x1f3a0, 0x1f3ca }, { 0x1f3cf, 0x1f3d3 }, { 0x1f3e0, 0x1f3f0 },
	{ 0x1f3f4, 0x1f3f4 }, { 0x1f3f8, 0x1f43e }, { 0x1f440, 0x1f440 }, { 0x1f442, 0x1f4fc },
	{ 0x1f4ff, 0x1f53d }, { 0x1f54b, 0x1f54e }, { 0x1f550, 0x1f567 }, { 0x1f57a, 0x1f57a },
	{ 0x1f595, 0x1f596 }, { 0x1f5a4, 0x1f5a4 }, { 0x1f5fb, 0x1f64f }, { 0x1f680, 0x1f6c5 },
	{ 0x1f6cc, 0x1f6cc }, { 0x1f6d0, 0x1f6d2 }, { 0x1f6d5, 0x1f6df }, { 0x1f6eb, 0x1f6ec },
	{ 0x1f6f4, 0x1f6fc }, { 0x1f7e0, 0x1f7f0 }, { 0x1f90c, 0x1f93a }, { 0x1f93c, 0x1f945 },
	{ 0x1f947, 0x1f9ff }, { 0x1fa70, 0x1faff }, { 0x20000, 0x3fffd },
};

#define NR_OF(array) (sizeof(array) / sizeof((array)[0]))

static bool in_ranges(uint32_t c, const struct range *ranges, size_t nr)
{
	size_t low = 0, high = nr;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (c > ranges[mid].last)
			low = mid + 1;
		else if (c < ranges[mid].first)
			high = mid;
		else
			return true;
	}
	return false;
}

/* Bytes of the character at s, 0 when it is not valid UTF-8 (overlong, surrogate, cut, beyond U+10FFFF). */
static unsigned parse_utf8(const unsigned char *s, size_t len, uint32_t *ret_c)
{
	static const uint32_t smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };
	unsigned nr;
	uint32_t c;

	if (s[0] < 0x80) {
		*ret_c = s[0];
		return 1;
	}
	if (s[0] >= 0xc2 && s[0] < 0xe0)
		nr = 2;
	else if (s[0] >= 0xe0 && s[0] < 0xf0)
		nr = 3;
	else if (s[0] >= 0xf0 && s[0] < 0xf5)
		nr = 4;
	else
		return 0;
	if (nr > len)
		return 0;
	c = s[0] & (0x7fu >> nr);
	for (unsigned i = 1; i < nr; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	if (c < smallest[nr] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*ret_c = c;
	return nr;
}

static unsigned hex_of(const unsigned char *s, unsigned nr, char *out)
{
	static const char digits[] = "0123456789abcdef";

	for (unsigned i = 0; i < nr; i++) {
		out[4 * i] = '\\';
		out[4 * i + 1] = 'x';
		out[4 * i + 2] = digits[s[i] >> 4];
		out[4 * i + 3] = digits[s[i] & 15];
	}
	return 4 * nr;
}

char *tt_escape(char *dst, size_t dst_size, const char *src, size_t len)
{
	const unsigned char *s = (const unsigned char *)src;
	size_t used = 0;

	if (!dst_size)
		return dst;
	len = strnlen(src, len);
	while (len) {
		char piece[4 * 4];
		unsigned taken, nr_out;
		uint32_t c;

		taken = parse_utf8(s, len, &c);
		if (!taken || in_ranges(c, deceptive, NR_OF(deceptive))) {
			taken = taken ? taken : 1;
			nr_out = hex_of(s, taken, piece);
		} else if (c == '\\') {
			memcpy(piece, "\\\\", 2);
			nr_out = 2;
		} else {
			memcpy(piece, s, taken);
			nr_out = taken;
		}
		if (used + nr_out >= dst_size)
			break;
		memcpy(dst + used, piece, nr_out);
		used += nr_out;
		s += taken;
		len -= taken;
	}
	dst[used] = '\0';
	return dst;
}

static unsigned width_of(uint32_t c)
{
	if (in_ranges(c, combining, NR_OF(combining)) || in_ranges(c, deceptive, NR_OF(deceptive)))
		return 0;
	return in_ranges(c, wide, NR_OF(wide)) ? 2 : 1;
}

size_t tt_text_width(const char *utf8)
{
	return tt_text_fit(utf8, SIZE_MAX, NULL);
}

size_t tt_text_fit(const char *utf8, size_t max_width, size_t *ret_bytes)
{
	const unsigned char *s = (const unsigned char *)utf8;
	size_t len = strlen(utf8), width = 0, done = 0;

	while (done < len) {
		unsigned taken, columns = 1;
		uint32_t c;

		taken = parse_utf8(s + done, len - done, &c);
		if (taken)
			columns = width_of(c);
		if (columns > max_width - width)
			break;
		width += columns;
		done += taken ? taken : 1;
	}
	if (ret_bytes)
		*ret_bytes = done;
	return width;
}

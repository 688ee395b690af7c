/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/base/units.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { FRACTION_DIGITS_MAX = 18, BITS_PER_LONG = 8 * sizeof(unsigned long) };

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

struct decimal {
	uint64_t whole;
	uint64_t fraction, fraction_scale; /* fraction / fraction_scale, below 1 */
	bool too_large;
};

/* Reads "12" or "12.5". NULL when it is neither, else where it ends. */
static const char *parse_decimal(const char *text, struct decimal *ret_d)
{
	struct decimal d = { .fraction_scale = 1 };
	int nr = 0;

	if (!is_digit(*text))
		return NULL;
	for (; is_digit(*text); text++) {
		if (__builtin_mul_overflow(d.whole, 10, &d.whole) ||
		    __builtin_add_overflow(d.whole, (uint64_t)(*text - '0'), &d.whole))
			d.too_large = true;
	}
	if (*text == '.') {
		text++;
		if (!is_digit(*text))
			return NULL;
		for (; is_digit(*text); text++) {
			if (nr++ >= FRACTION_DIGITS_MAX)
				continue; /* far below any unit */
			d.fraction = d.fraction * 10 + (uint64_t)(*text - '0');
			d.fraction_scale *= 10;
		}
	}
	*ret_d = d;
	return text;
}

static int scale_decimal(const struct decimal *d, uint64_t unit, uint64_t *ret_value)
{
	unsigned __int128 value = (unsigned __int128)d->whole * unit;

	value += (unsigned __int128)d->fraction * unit / d->fraction_scale;
	if (d->too_large || value > UINT64_MAX)
		return -ERANGE;
	*ret_value = (uint64_t)value;
	return 0;
}

int tt_parse_duration_ns(const char *text, uint64_t *ret_ns)
{
	static const struct {
		const char *name;
		uint64_t ns;
	} units[] = { { "", 1000000000ull },	{ "ns", 1 },
		      { "us", 1000ull },	{ "ms", 1000000ull },
		      { "s", 1000000000ull },	{ "m", 60000000000ull },
		      { "h", 3600000000000ull } };
	struct decimal d;
	const char *unit = parse_decimal(text, &d);

	if (!unit)
		return -EINVAL;
	for (unsigned i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (!strcmp(unit, units[i].name))
			return scale_decimal(&d, units[i].ns, ret_ns);
	}
	return -EINVAL;
}

int tt_parse_size_bytes(const char *text, uint64_t *ret_bytes)
{
	static const char prefixes[] = "kmgt";
	struct decimal d;
	const char *unit = parse_decimal(text, &d);
	unsigned shift = 0;

	if (!unit)
		return -EINVAL;
	if (*unit) {
		const char *prefix = strchr(prefixes, *unit | 0x20); /* either case */

		if (prefix && *prefix) {
			shift = 10 * (unsigned)(prefix - prefixes + 1);
			unit++;
			if (unit[0] == 'i' && unit[1])
				unit++;
		}
		if (*unit == 'b' || *unit == 'B')
			unit++;
	}
	if (*unit)
		return -EINVAL;
	return scale_decimal(&d, 1ull << shift, ret_bytes);
}

/* Digits up to where they end. */
static int parse_digits(const char **text, uint32_t *ret_value)
{
	uint64_t value = 0;
	bool too_large = false;

	if (!is_digit(**text))
		return -EINVAL;
	for (; is_digit(**text); (*text)++) {
		value = value * 10 + (uint64_t)(**text - '0');
		if (value > UINT32_MAX) {
			too_large = true;
			value = UINT32_MAX;
		}
	}
	if (too_large)
		return -ERANGE;
	*ret_value = (uint32_t)value;
	return 0;
}

int tt_parse_u32(const char *text, uint32_t *ret_value)
{
	uint32_t value = 0;
	int err = parse_digits(&text, &value);

	if (err == -EINVAL || *text)
		return -EINVAL;
	if (err)
		return err;
	*ret_value = value;
	return 0;
}

static int walk_cpu_list(const char *text, unsigned long *mask, unsigned nr_bits)
{
	for (;;) {
		uint32_t first = 0, last;
		int err = parse_digits(&text, &first);

		if (err)
			return err;
		last = first;
		if (*text == '-') {
			text++;
			err = parse_digits(&text, &last);
			if (err)
				return err;
		}
		if (last < first)
			return -EINVAL;
		if (last >= nr_bits)
			return -ERANGE;
		for (uint32_t cpu = first; mask && cpu <= last; cpu++)
			mask[cpu / BITS_PER_LONG] |= 1ul << (cpu % BITS_PER_LONG);
		if (!*text)
			return 0;
		if (*text++ != ',')
			return -EINVAL;
	}
}

int tt_parse_cpu_list(const char *text, unsigned long *mask, unsigned nr_bits)
{
	int err = walk_cpu_list(text, NULL, nr_bits); /* nothing is written unless all of it is good */

	return err ? err : walk_cpu_list(text, mask, nr_bits);
}

/* value / scale with three significant digits. False when that rounds up to 1000. */
static bool format_three_digits(char *buf, size_t size, uint64_t value, uint64_t scale, const char *unit)
{
	static const unsigned divisor[] = { 100, 10, 1 };

	for (unsigned decimals = 2;; decimals--) {
		uint64_t factor = divisor[2 - decimals]; /* 10^decimals */
		unsigned __int128 wide = (unsigned __int128)value * factor;
		uint64_t rounded = (uint64_t)((wide + scale / 2) / scale);

		if (rounded >= 1000 && decimals)
			continue;
		if (rounded >= 1000)
			return false;
		if (decimals)
			snprintf(buf, size, "%" PRIu64 ".%0*" PRIu64 "%s", rounded / factor, (int)decimals,
				 rounded % factor, unit);
		else
			snprintf(buf, size, "%" PRIu64 "%s", rounded, unit);
		return true;
	}
}

char *tt_format_duration(char *buf, size_t size, uint64_t ns)
{
	const uint64_t s = 1000000000ull, day = 86400;

	if (ns < 1000)
		snprintf(buf, size, "%" PRIu64 "ns", ns);
	else if (ns < 1000000 && format_three_digits(buf, size, ns, 1000, "us"))
		;
	else if (ns < s && format_three_digits(buf, size, ns, 1000000, "ms"))
		;
	else if (ns < 1000 * s && format_three_digits(buf, size, ns, s, "s"))
		;
	else if (ns / s < 1000000)
		snprintf(buf, size, "%" PRIu64 "s", ns / s);
	else
		snprintf(buf, size, "%" PRIu64 "d", ns / s / day);
	return buf;
}

char *tt_format_bytes(char *buf, size_t size, uint64_t bytes)
{
	static const char prefixes[] = "kMGTPE";
	uint64_t scale = 1024;

	if (bytes < 1024) {
		snprintf(buf, size, "%" PRIu64, bytes);
		return buf;
	}
	for (const char *p = prefixes;; p++, scale *= 1024) {
		uint64_t tenths = (uint64_t)(((unsigned __int128)bytes * 10 + scale / 2) / scale);

		if (tenths >= 10235 && p[1]) /* would round to 1024 */
			continue;
		if (tenths < 1000)
			snprintf(buf, size, "%" PRIu64 ".%" PRIu64 "%c", tenths / 10, tenths % 10, *p);
		else
			snprintf(buf, size, "%" PRIu64 "%c", (tenths + 5) / 10, *p);
		return buf;
	}
}

char *tt_format_count(char *buf, size_t size, uint64_t count)
{
	char digits[24];
	int len = snprintf(digits, sizeof(digits), "%" PRIu64, count);
	size_t used = 0;

	for (int i = 0; i < len && used + 2 < size; i++) {
		if (i && (len - i) % 3 == 0)
			buf[used++] = ',';
		buf[used++] = digits[i];
	}
	if (size)
		buf[used] = '\0';
	return buf;
}

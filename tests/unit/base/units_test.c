/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/base/units.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void expect_duration(const char *text, uint64_t expected_ns)
{
	uint64_t ns = 1;

	cr_expect_eq(tt_parse_duration_ns(text, &ns), 0, "%s", text);
	cr_expect_eq(ns, expected_ns, "%s is %llu ns", text, (unsigned long long)ns);
}

static void expect_no_duration(const char *text, int err)
{
	uint64_t ns = 77;

	cr_expect_eq(tt_parse_duration_ns(text, &ns), err, "%s", text);
	cr_expect_eq(ns, 77, "'%s' wrote although it failed", text);
}

Test(units, durations_take_every_unit_and_a_fraction)
{
	expect_duration("10", 10000000000ull);
	expect_duration("412ns", 412);
	expect_duration("1.5us", 1500);
	expect_duration("500ms", 500000000ull);
	expect_duration("0.1s", 100000000ull);
	expect_duration("2m", 120000000000ull);
	expect_duration("1h", 3600000000000ull);
	expect_duration("0.0000000019", 1); /* below a nanosecond is cut */
	expect_duration("18446744073709551615ns", UINT64_MAX);
}

Test(units, what_is_no_duration_is_refused)
{
	static const char *const bad[] = { "",	   "-1",   "+1", " 1", "1 ",  "1 s", "s",    ".5",  "1.",
					   "1..2", "1.5.", "1d", "1S", "0x1", "1e3", "1sec", "nan", "inf" };

	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		expect_no_duration(bad[i], -EINVAL);
	expect_no_duration("18446744073709551616ns", -ERANGE);
	expect_no_duration("99999999999999999999999999h", -ERANGE);
	expect_no_duration("5124096h", -ERANGE);
	expect_no_duration("99999999999999999999999999x", -EINVAL);
}

Test(units, sizes_are_powers_of_1024)
{
	static const struct {
		const char *text;
		uint64_t bytes;
	} good[] = { { "0", 0 },
		     { "512", 512 },
		     { "512b", 512 },
		     { "4k", 4096 },
		     { "4K", 4096 },
		     { "4KiB", 4096 },
		     { "4kB", 4096 },
		     { "1.5m", 1572864 },
		     { "1g", 1073741824 },
		     { "2T", 1ull << 41 },
		     { "16777215t", 16777215ull << 40 } };
	static const char *const bad[] = { "", "k", "-1k", "1p", "1kk", "1ki", "1bb", "1 k", "1kib2" };
	uint64_t bytes;

	for (unsigned i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		cr_expect_eq(tt_parse_size_bytes(good[i].text, &bytes), 0, "%s", good[i].text);
		cr_expect_eq(bytes, good[i].bytes, "%s", good[i].text);
	}
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_expect_eq(tt_parse_size_bytes(bad[i], &bytes), -EINVAL, "%s", bad[i]);
	cr_expect_eq(tt_parse_size_bytes("16777216t", &bytes), -ERANGE);
}

Test(units, u32_is_digits_and_nothing_else)
{
	uint32_t value = 5;

	cr_expect_eq(tt_parse_u32("4294967295", &value), 0);
	cr_expect_eq(value, UINT32_MAX);
	cr_expect_eq(tt_parse_u32("4294967296", &value), -ERANGE);
	cr_expect_eq(tt_parse_u32("42949672960000000000000", &value), -ERANGE);
	cr_expect_eq(tt_parse_u32("", &value), -EINVAL);
	cr_expect_eq(tt_parse_u32("-1", &value), -EINVAL);
	cr_expect_eq(tt_parse_u32("1x", &value), -EINVAL);
	cr_expect_eq(value, UINT32_MAX, "a failure writes nothing");
}

Test(units, cpu_lists_set_their_bits_or_none)
{
	unsigned long mask[2] = { 0, 0 };
	static const char *const bad[] = { "", ",", "1,", ",1", "3-1", "1-", "-1", "1--2", "a", "1;2" };

	cr_expect_eq(tt_parse_cpu_list("0-3,7,64", mask, 128), 0);
	cr_expect_eq(mask[0], 0x8fUL);
	cr_expect_eq(mask[1], 1UL);
	memset(mask, 0, sizeof(mask));
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_expect_eq(tt_parse_cpu_list(bad[i], mask, 128), -EINVAL, "%s", bad[i]);
	cr_expect_eq(tt_parse_cpu_list("1,128", mask, 128), -ERANGE);
	cr_expect_eq(tt_parse_cpu_list("0-4294967295", mask, 128), -ERANGE);
	cr_expect_eq(tt_parse_cpu_list("99999999999", mask, 128), -ERANGE);
	cr_expect_eq(mask[0] | mask[1], 0UL, "a failure sets no bit");
}

static void expect_format(uint64_t ns, const char *expected)
{
	char buf[16];

	cr_expect_str_eq(tt_format_duration(buf, sizeof(buf), ns), expected, "%llu ns is %s",
			 (unsigned long long)ns, buf);
}

Test(units, durations_have_three_digits_and_carry_into_the_next_unit)
{
	expect_format(0, "0ns");
	expect_format(999, "999ns");
	expect_format(1000, "1.00us");
	expect_format(1524, "1.52us");
	expect_format(9995, "10.0us"); /* 9.995 rounds up and drops a decimal */
	expect_format(99949, "99.9us");
	expect_format(99950, "100us");
	expect_format(999499, "999us");
	expect_format(999500, "1.00ms"); /* would be 1000us */
	expect_format(19800000, "19.8ms");
	expect_format(999999999, "1.00s");
	expect_format(2310000000ull, "2.31s");
	expect_format(999499999999ull, "999s");
	expect_format(1234567000000000ull, "14d");
	expect_format(999999ull * 1000000000, "999999s");
	expect_format(UINT64_MAX, "213503d");
}

Test(units, a_duration_is_never_longer_than_7_bytes)
{
	char buf[32];

	srand(1);
	for (unsigned i = 0; i < 200000; i++) {
		uint64_t ns =
			((uint64_t)rand() << 33 ^ (uint64_t)rand() << 11 ^ (uint64_t)rand()) >> (rand() % 64);

		cr_assert_leq(strlen(tt_format_duration(buf, sizeof(buf), ns)), 7, "%s", buf);
	}
}

Test(units, bytes_have_binary_prefixes)
{
	char buf[16];

	cr_expect_str_eq(tt_format_bytes(buf, sizeof(buf), 0), "0");
	cr_expect_str_eq(tt_format_bytes(buf, sizeof(buf), 1023), "1023");
	cr_expect_str_eq(tt_format_bytes(buf, sizeof(buf), 4096), "4.0k");
	cr_expect_str_eq(tt_format_bytes(buf, sizeof(buf), 1572864), "1.5M");
	cr_expect_str_eq(tt_format_bytes(buf, sizeof(buf), 512ull << 20), "512M");
	cr_expect_str_eq(tt_format_bytes(buf, sizeof(buf), (1ull << 20) - 1), "1.0M", "not 1024k");
	cr_expect_str_eq(tt_format_bytes(buf, sizeof(buf), UINT64_MAX), "16.0E");
}

Test(units, counts_are_grouped_by_thousands_whatever_the_locale)
{
	char buf[32];

	cr_expect_str_eq(tt_format_count(buf, sizeof(buf), 0), "0");
	cr_expect_str_eq(tt_format_count(buf, sizeof(buf), 999), "999");
	cr_expect_str_eq(tt_format_count(buf, sizeof(buf), 1000), "1,000");
	cr_expect_str_eq(tt_format_count(buf, sizeof(buf), 1204331), "1,204,331");
	cr_expect_str_eq(tt_format_count(buf, sizeof(buf), UINT64_MAX), "18,446,744,073,709,551,615");
}

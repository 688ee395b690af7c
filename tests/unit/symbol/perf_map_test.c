/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/symbol/perf_map.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct tt_perf_map *map;

static void load(const char *text)
{
	cr_assert(eq(int, tt_perf_map_open(text, strlen(text), &map), 0));
}

static void teardown(void)
{
	tt_perf_map_close(map);
}

TestSuite(perf_map, .fini = teardown);

/* "name+offset", "-" = none. */
static const char *at(uint64_t address)
{
	static char found[128];
	struct tt_slice name;
	uint64_t start;

	if (!tt_perf_map_find(map, address, &name, &start))
		return "-";
	snprintf(found, sizeof(found), "%.*s+%llx", (int)name.len, name.text,
		 (unsigned long long)(address - start));
	return found;
}

Test(perf_map, an_entry_covers_its_size)
{
	load("7f00 100 LazyCompile:~main /app/x.js:1\n0x8200 0x10 void [App] Foo::Bar(int)[Tier1]\n");
	cr_expect(eq(str, (char *)at(0x7eff), "-"));
	cr_expect(eq(str, (char *)at(0x7f00), "LazyCompile:~main /app/x.js:1+0"));
	cr_expect(eq(str, (char *)at(0x7fff), "LazyCompile:~main /app/x.js:1+ff"));
	cr_expect(eq(str, (char *)at(0x8000), "-"));
	cr_expect(eq(str, (char *)at(0x820f), "void [App] Foo::Bar(int)[Tier1]+f"), "some write 0x");
	cr_expect(eq(str, (char *)at(0x8210), "-"));
}

Test(perf_map, the_last_entry_wins_where_it_is)
{
	load("1000 1000 old\n1400 100 new\n1480 10 newest\n1800 4000 long\n1000 1 first byte\n");
	cr_expect(eq(str, (char *)at(0x1000), "first byte+0"));
	cr_expect(eq(str, (char *)at(0x13ff), "old+3ff"));
	cr_expect(eq(str, (char *)at(0x1400), "new+0"));
	cr_expect(eq(str, (char *)at(0x1480), "newest+0"));
	cr_expect(eq(str, (char *)at(0x1490), "new+90"), "what it covers beside stays its");
	cr_expect(eq(str, (char *)at(0x1500), "old+500"));
	cr_expect(eq(str, (char *)at(0x1fff), "long+7ff"));
	cr_expect(eq(str, (char *)at(0x57ff), "long+3fff"));
}

Test(perf_map, hostile_lines_are_skipped)
{
	load("\n\n-5 10 negative\nffffffffffffffff 10 beyond\n1000 0 empty\n1000 10\n1000 10 "
	     "\n10000000000000000 1 wide\n"
	     "1000  10 two blanks\n0x 10 no digits\n2000 10 \xff\x01\x1b[31m raw\nffffffffffffff00 ff "
	     "last\n3000 10 unfinished");
	cr_expect(eq(u32, tt_perf_map_nr(map), 2));
	cr_expect(eq(str, (char *)at(0x2000), "\xff\x01\x1b[31m raw+0"));
	cr_expect(eq(str, (char *)at(0xfffffffffffffffe), "last+fe"));
	cr_expect(eq(str, (char *)at(0x3000), "-"), "still being written");
}

Test(perf_map, nothing_in_it)
{
	load("");
	cr_expect(eq(str, (char *)at(0), "-"));
	cr_expect(eq(u32, tt_perf_map_nr(map), 0));
}

/* Every entry covers all that came before but for a byte: the worst that appending can do. */
Test(perf_map, many_that_overlap_take_no_time, .timeout = 20)
{
	enum { NR = 200000 };
	char *text = malloc((size_t)NR * 40), *end = text;

	for (unsigned i = 0; i < NR; i++)
		end += sprintf(end, "%x %x f%u\n", 0x100000 + NR - i, NR + 2 * i, i);
	cr_assert(eq(int, tt_perf_map_open(text, (size_t)(end - text), &map), 0));
	cr_expect(eq(str, (char *)at(0x100000 + NR), "f199999+30d3f"));
	free(text);
}

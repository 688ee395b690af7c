/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/symbol/demangle.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char out[TT_NAME_BYTES_MAX + 1];
static bool is_cut;

static char *plain(const char *name)
{
	memset(out, 0, sizeof(out));
	cr_assert(tt_demangle(name, out, &is_cut) <= TT_NAME_BYTES_MAX);
	return out;
}

Test(demangle, every_language_as_its_programmers_write_it)
{
	cr_expect(eq(str, plain("_ZN3foo3barEi"), "foo::bar"), "C++");
	cr_expect(eq(str, plain("_ZNSt6vectorIiSaIiEE9push_backERKi"),
		     "std::vector<int, std::allocator<int> >::push_back"));
	cr_expect(eq(str, plain("_ZN4core3fmt5Write9write_str17h0123456789abcdefE"),
		     "core::fmt::Write::write_str"),
		  "Rust, legacy");
	cr_expect(eq(str, plain("_RNvCs1234_7mycrate3foo"), "mycrate::foo"), "Rust, v0");
	cr_expect(eq(str, plain("_D3std5stdio4File5closeMFZv"), "std.stdio.File.close()"), "D");
	cr_expect(eq(str, plain("main"), "main"));
	cr_expect(eq(str, plain("_start"), "_start"));
	cr_expect(eq(str, plain("foo.cold"), "foo.cold"));
	cr_expect(eq(str, plain(""), ""));
	cr_expect(not(is_cut));
}

Test(demangle, a_version_is_no_part_of_the_name)
{
	cr_expect(eq(str, plain("memcpy@@GLIBC_2.14"), "memcpy"));
	cr_expect(eq(str, plain("_ZN3foo3barEi@VERS_1"), "foo::bar"));
	cr_expect(eq(str, plain("@strange"), "@strange"));
}

Test(demangle, a_long_name_is_cut_between_characters)
{
	char name[2 * TT_NAME_BYTES_MAX];

	memset(name, 'x', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	cr_expect(eq(sz, strlen(plain(name)), TT_NAME_BYTES_MAX));
	cr_expect(is_cut);
	memcpy(name + TT_NAME_BYTES_MAX - 1, "\xe2\x82\xac", 3); /* a euro sign across the bound */
	cr_expect(eq(sz, strlen(plain(name)), TT_NAME_BYTES_MAX - 1));
	memset(name + 900, 0x80, 200); /* no UTF-8 at all */
	cr_expect(eq(sz, strlen(plain(name)), TT_NAME_BYTES_MAX));
	name[TT_NAME_BYTES_MAX] = '\0';
	plain(name);
	cr_expect(not(is_cut), "just fits");
}

/* f<a<int, int>, ...>, in which each type is made of the one before, twice: the last of them would be 2^34 "int" long. */
Test(demangle, a_name_that_explodes_is_cut, .timeout = 10)
{
	static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	char name[2048] = "_Z1fI1aIiiE";

	for (unsigned i = 1; i < 35; i++)
		sprintf(name + strlen(name), "S0_IS%c_S%c_E", digits[i], digits[i]);
	strcat(name, "Evv");
	plain(name);
	cr_expect(is_cut);
	cr_expect(eq(int, memcmp(out, "f<a<int, int>, a<a<int, int>, a<int, int> >, ", 45), 0));
}

Test(demangle, a_name_of_any_length_costs_no_stack)
{
	size_t len = 8 << 20;
	char *name = malloc(len + 1);

	memset(name, 'P', len);
	memcpy(name, "_Z1f", 4);
	name[len] = '\0';
	tt_demangle(name, out, &is_cut);
	cr_expect(is_cut);
	name[16000] = '\0';
	tt_demangle(name, out, &is_cut);
	free(name);
}

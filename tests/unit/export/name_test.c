/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/export/name.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "tests/unit/batches.h"

static char buf[TT_NAME_FRAME_MAX];

static char *function(const char *symbol)
{
	struct tt_frame_info f = { .symbol = symbol, .module = "/usr/bin/x" };

	return tt_name_function(buf, sizeof(buf), &f, TT_NAME_TEXT);
}

static char *plain(const char *symbol)
{
	struct tt_frame_info f = { .symbol = symbol };

	return tt_name_function(buf, sizeof(buf), &f, TT_NAME_PLAIN);
}

Test(name, parameters_go)
{
	cr_expect(eq(str, plain("f(int, char const*)"), "f"));
	cr_expect(eq(str, plain("ns::C<void (int)>::f(void (*)(int)) const"), "ns::C<void (int)>::f"));
	cr_expect(eq(str, plain("f(int) const volatile &&"), "f"));
	cr_expect(eq(str, plain("f(int) [clone .isra.0]"), "f"));
	cr_expect(eq(str, plain("operator()"), "operator()"));
	cr_expect(eq(str, plain("A::operator()() const"), "A::operator()"));
	cr_expect(eq(str, plain("A::operator()(int)"), "A::operator()"));
	cr_expect(eq(str, plain("(anonymous namespace)::f(int)"), "(anonymous namespace)::f"));
	cr_expect(eq(str, plain("ns::(anonymous namespace)"), "ns::(anonymous namespace)"));
	cr_expect(eq(str, plain("f()::{lambda(int)#1}::operator()(int) const"),
		     "f()::{lambda(int)#1}::operator()"));
	cr_expect(eq(str, plain("main.(*T)"), "main.(*T)"));
	cr_expect(eq(str, plain("()"), "()"));
	cr_expect(eq(str, plain("a)b)"), "a)b)"), "never opened");
	cr_expect(eq(str, plain("LazyCompile:foo (x.js)"), "LazyCompile:foo (x.js)"));
}

Test(name, what_readers_cut_at_is_replaced)
{
	cr_expect(eq(str, function("(anonymous namespace)::f(int)"), "{anonymous namespace}::f"));
	cr_expect(eq(str, function("A::operator()(int)"), "A::operator{}"));
	cr_expect(eq(str, function("std::function<void (int)>::operator()(int) const"),
		     "std::function<void {int}>::operator{}"));
	cr_expect(eq(str, function("operator+(A, B)"), "operator plus"));
	cr_expect(eq(str, function("operator++(A)"), "operator plusplus"));
	cr_expect(eq(str, function("operator+=(A)"), "operator plus="));
	cr_expect(eq(str, function("dyn A + B"), "dyn A plus B"));
	cr_expect(eq(str, function("a+b"), "a plus b"));
	cr_expect(eq(str, function("P::operator->() const"), "P::operator=>"));
	cr_expect(eq(str, function("operator-=(A)"), "operator-="));
	cr_expect(eq(str, function("operator\"\" _ms"), "operator _ms"));
	cr_expect(eq(str, function("net/http.(*conn).serve"), "net/http.(*conn).serve"),
		  "every reader knows Go's");
	cr_expect(eq(str, function("main.(*T).f.func(x).(y).z"), "main.(*T).f.func{x}.(y).z"));
	cr_expect(eq(str, function("a;b\nc"), "a:b\\x0ac"));
	cr_expect(eq(str, function(" a "), "_a_"));
	cr_expect(eq(str, function("js:foo 12"), "js:foo_12"));
	cr_expect(eq(str, function("js:foo 12."), "js:foo_12."));
	cr_expect(eq(str, function("12"), "12"));
	cr_expect(eq(str, function("\""), "[x]"));
	cr_expect(eq(str, function("\xff(\xe2\x80\xae"), "\\xff{\\xe2\\x80\\xae"));
}

Test(name, without_a_symbol_it_is_the_file)
{
	struct tt_frame_info f = { .module = "/usr/lib/libc.so.6" };

	cr_expect(eq(str, tt_name_function(buf, sizeof(buf), &f, TT_NAME_TEXT), "[libc.so.6]"));
	f.symbol = "";
	cr_expect(eq(str, tt_name_function(buf, sizeof(buf), &f, TT_NAME_TEXT), "[libc.so.6]"));
	f.module = "[kernel.kallsyms]";
	cr_expect(eq(str, tt_name_function(buf, sizeof(buf), &f, TT_NAME_PLAIN), "[kernel.kallsyms]"));
	f.module = "/a b/(c)/";
	cr_expect(eq(str, tt_name_function(buf, sizeof(buf), &f, TT_NAME_TEXT), "[/a b/{c}/]"));
	f.module = NULL;
	cr_expect(eq(str, tt_name_function(buf, sizeof(buf), &f, TT_NAME_TEXT), "[unknown]"));
}

Test(name, files_are_one_word)
{
	struct tt_frame_info f = { .symbol = "f", .module = "/my app (v2)/x\xc2\xa0y\n" };

	cr_expect(eq(str, tt_name_file(buf, sizeof(buf), &f, TT_NAME_TEXT), "/my_app__v2_/x__y\\x0a"));
	f.is_inlined = true;
	cr_expect(eq(str, tt_name_file(buf, sizeof(buf), &f, TT_NAME_TEXT), "inlined"));
	f.is_made = true;
	cr_expect(eq(str, tt_name_file(buf, sizeof(buf), &f, TT_NAME_TEXT), "timethief"));
	f = (struct tt_frame_info){ .symbol = "f" };
	cr_expect(eq(str, tt_name_file(buf, sizeof(buf), &f, TT_NAME_TEXT), "[unknown]"));
}

static char *task(const char *comm)
{
	return tt_name_task(buf, sizeof(buf), comm, 42, TT_NAME_TEXT);
}

Test(name, tasks)
{
	cr_expect(eq(str, task("postgres"), "postgres"));
	cr_expect(eq(str, task("kworker/0:1"), "kworker/0:1"));
	cr_expect(eq(str, task("a b"), "a b"));
	cr_expect(eq(str, task(""), ":42"));
	cr_expect(eq(str, task("a"), "a_"));
	cr_expect(eq(str, task("\xc3\xa9"), "\xc3\xa9_"), "one character");
	cr_expect(eq(str, task("1234"), "_1234"));
	cr_expect(eq(str, task("a 12 b 3/4 5.6:"), "a _12 b _3/4 _5.6:"));
	cr_expect(eq(str, task("12a 1"), "12a _1"));
	cr_expect(eq(str, task("#x"), "_#x"));
	cr_expect(eq(str, task(" x "), "_x_"));
	cr_expect(eq(str, task("   "), "_ _"));
	cr_expect(eq(str, task("a;b\t\xff"), "a:b\\x09\\xff"));
	cr_expect(eq(str,
		     task("x\xc2\xa0"
			  "12 y"),
		     "x_12 y"));
	cr_expect(eq(str, tt_name_task(buf, sizeof(buf), "a;1 2", 42, TT_NAME_PLAIN), "a;1 2"));
}

Test(name, any_bytes_fit)
{
	uint64_t seed = 5;

	for (unsigned n = 0; n < 20000; n++) {
		char comm[TT_COMM_LEN + 1] = "", *name;

		for (unsigned i = 0; i < TT_COMM_LEN; i++)
			comm[i] = tb_random(&seed) % 3 ? (char)(tb_random(&seed) >> 17)
						       : " 1/.;(+\xe2"[tb_random(&seed) % 8];
		name = task(comm);
		cr_assert(lt(sz, strlen(name), TT_NAME_TASK_MAX - 1));
		cr_assert(not(strpbrk(name, ";\n\t\x7f") != NULL));
		cr_assert(name[0] != ' ' && name[0] != '#');
		function(comm);
		cr_assert(buf[0] != '\0');
		cr_assert(not(strpbrk(buf, ";+\n\"'") != NULL));
		cr_assert(buf[0] != '(' && buf[0] != ' ');
	}
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/symbol/dwarf_scopes.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <fcntl.h>

#include "collector/symbol/elf_file.h"
#include "tests/unit/symbol/build.h"

/* The address of a label in the innermost function is where all three are; before is inlined there, too, elsewhere. */
static const char source[] =
	"namespace ns {\n"							      /* 1 */
	"static inline __attribute__((always_inline)) int innermost(int x)\n"	      /* 2 */
	"{\n"									      /* 3 */
	"	asm volatile(\".globl here_%=\\nhere_%=: nop\" : \"+r\"(x));\n"	      /* 4 */
	"	return x;\n"							      /* 5 */
	"}\n"									      /* 6 */
	"struct c { static inline __attribute__((always_inline)) int middle(int x)\n" /* 7 */
	"{\n"									      /* 8 */
	"	{ int y = x + 1; return innermost(y); }\n"			      /* 9 */
	"} };\n"								      /* 10 */
	"static inline __attribute__((always_inline)) int before(int x)\n"	      /* 11 */
	"{\n"									      /* 12 */
	"	asm volatile(\"nop\" : \"+r\"(x)); return x;\n"			      /* 13 */
	"}\n"									      /* 14 */
	"__attribute__((noinline)) int outside(int x)\n"			      /* 15 */
	"{\n"									      /* 16 */
	"	x = before(x);\n"						      /* 17 */
	"	return c::middle(x) + 2;\n"					      /* 18 */
	"}\n"									      /* 19 */
	"}\n"									      /* 20 */
	"int main(int argc, char **) { return ns::outside(argc); }\n";		      /* 21 */

static struct tt_elf_file file;
static struct tt_dwarf *dwarf;
static struct tt_dwarf_frame frames[TT_DWARF_DEPTH_MAX];

static uint64_t build(const char *compiler, const char *options)
{
	char command[256], line[64] = "", path[128];
	FILE *pipe;

	need_tool(compiler);
	write_file("a.cc", source);
	if (run_in_dir("%s -g -O2 %s -o a a.cc 2>err", compiler, options))
		skip_test("%s %s cannot", compiler, options);
	snprintf(command, sizeof(command), "nm %s/a | awk '$3 ~ /^here_/ { print $1 }'", dir);
	pipe = popen(command, "r");
	cr_assert(pipe && fgets(line, sizeof(line), pipe));
	pclose(pipe);
	snprintf(path, sizeof(path), "%s/a", dir);
	cr_assert(eq(int, tt_elf_file_open(open(path, O_RDONLY), &file), 0));
	cr_assert(eq(int, tt_dwarf_open(file.elf, &dwarf), 0));
	cr_assert(eq(int, tt_dwarf_index(dwarf), 0));
	return strtoull(line, NULL, 16);
}

static void setup(void)
{
	make_dir();
}

static void teardown(void)
{
	tt_dwarf_close(dwarf);
	tt_elf_file_close(&file);
	remove_dir();
}

TestSuite(dwarf_scopes, .init = setup, .fini = teardown, .timeout = 60);

static bool ends_with(const char *text, const char *end)
{
	size_t len = text ? strlen(text) : 0;

	return len >= strlen(end) && !strcmp(text + len - strlen(end), end);
}

static void see_three(uint64_t here)
{
	cr_assert(eq(uint, tt_dwarf_find(dwarf, here, frames), 3));
	cr_expect(strstr(frames[0].name, "innermost") != NULL, "%s", frames[0].name);
	cr_expect(strstr(frames[1].name, "middle") != NULL, "%s", frames[1].name);
	cr_expect(strstr(frames[2].name, "outside") != NULL, "%s", frames[2].name);
	cr_expect(eq(u32, frames[0].line, 4));
	cr_expect(eq(u32, frames[1].line, 9), "where the innermost is called");
	cr_expect(eq(u32, frames[2].line, 18));
	for (unsigned i = 0; i < 3; i++)
		cr_expect(ends_with(frames[i].file, "a.cc"), "%s", frames[i].file);
}

Test(dwarf_scopes, functions_inlined_into_each_other)
{
	see_three(build("g++", ""));
}

Test(dwarf_scopes, dwarf_of_version_4_and_compressed)
{
	see_three(build("g++", "-gdwarf-4 -gz"));
}

Test(dwarf_scopes, a_compiler_that_writes_no_aranges)
{
	see_three(build("clang++", ""));
}

Test(dwarf_scopes, beside_it_there_is_nothing)
{
	uint64_t here = build("g++", "");

	cr_expect(eq(uint, tt_dwarf_find(dwarf, 0, frames), 0));
	cr_expect(eq(uint, tt_dwarf_find(dwarf, UINT64_MAX, frames), 0));
	see_three(here);
	cr_assert(eq(uint, tt_dwarf_find(dwarf, nm_address("a", "main"), frames), 1));
	cr_expect(eq(str, (char *)frames[0].name, "main"));
	cr_expect(eq(u32, frames[0].line, 21));
}

Test(dwarf_scopes, a_file_without_dwarf_says_so)
{
	struct tt_dwarf *none = NULL;
	struct tt_elf_file stripped;
	char path[128];

	build("g++", "");
	cr_assert(run_in_dir("strip a -o b") == 0);
	snprintf(path, sizeof(path), "%s/b", dir);
	cr_assert(eq(int, tt_elf_file_open(open(path, O_RDONLY), &stripped), 0));
	if (tt_dwarf_open(stripped.elf, &none) == 0) {
		cr_expect(eq(int, tt_dwarf_index(none), 0));
		cr_expect(eq(uint, tt_dwarf_find(none, 0x1000, frames), 0));
		tt_dwarf_close(none);
	}
	tt_elf_file_close(&stripped);
}

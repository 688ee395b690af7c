/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/symbol/elf_symbols.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "tests/unit/symbol/build.h"

static const char source[] =
	"asm(\".text\\n\"\n"
	"    \".p2align 6\\n\"\n"
	/* code within code, and labels in it that nobody gave a size */
	"    \".globl outer\\n.type outer, @function\\nouter: .skip 16\\n\"\n"
	"    \".type inner, @function\\ninner: .skip 16\\n.size inner, 16\\n\"\n"
	"    \"label_in_outer: .skip 16\\n.size outer, 48\\n\"\n"
	/* a gap that belongs to nobody, then one without a size up to the next one */
	"    \".skip 16, 0xcc\\n\"\n"
	"    \"loose_label: .skip 16\\n\"\n"
	"    \"next_label: .skip 16\\n\"\n"
	/* several names for one address */
	"    \".weak weak_name\\n.type weak_name, @function\\n\"\n"
	"    \".globl __under_name\\n.type __under_name, @function\\n\"\n"
	"    \".globl name\\n.type name, @function\\n\"\n"
	"    \".globl long_name\\n.type long_name, @function\\n\"\n"
	"    \".type a_local_and_very_long_name, @function\\n\"\n"
	"    \"weak_name: __under_name: name: long_name: a_local_and_very_long_name: .skip 16\\n\"\n"
	"    \".size weak_name, 16\\n.size __under_name, 16\\n.size name, 16\\n.size long_name, 16\\n\"\n"
	"    \".size a_local_and_very_long_name, 16\\n\"\n"
	/* names that are mangled */
	"    \".globl _RNvCs1234_7mycrate3foo\\n.type _RNvCs1234_7mycrate3foo, @function\\n\"\n"
	"    \"_RNvCs1234_7mycrate3foo: .skip 16\\n.size _RNvCs1234_7mycrate3foo, 16\\n\"\n"
	"    \"last_label: .skip 16\\n\");\n"
	"#include <stdio.h>\n"
	"int data = 1;\n"
	"static int one(int x) { return x + 1; }\n"
	"static int (*choose(void))(int) { return one; }\n"
	"int chosen(int x) __attribute__((ifunc(\"choose\")));\n"
	"int main(int argc, char **argv) { puts(argv[0]); return chosen(argc); }\n";

static struct tt_elf_file file;
static struct tt_elf_symbols *symbols;
static int fd = -1;

static void load(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	cr_assert(ge(int, fd, 0), "%s", path);
	cr_assert(eq(int, tt_elf_file_open(fd, &file), 0));
	cr_assert(eq(int, tt_elf_symbols_open(&file, &symbols), 0));
	tt_elf_symbols_add(symbols, &file);
	tt_elf_symbols_add_plt(symbols);
	cr_assert(eq(int, tt_elf_symbols_sort(symbols), 0));
}

static void unload(void)
{
	tt_elf_symbols_close(symbols);
	tt_elf_file_close(&file);
	close(fd);
}

static void setup(void)
{
	need_tool("cc");
	need_tool("nm");
	make_dir();
	write_file("a.c", source);
	cr_assert(run_in_dir("cc -g -O1 -o pie -fPIE -pie a.c && cc -g -O1 -o fixed -fno-pie -no-pie a.c") ==
		  0);
	load("pie");
}

static void teardown(void)
{
	unload();
	remove_dir();
}

TestSuite(elf_symbols, .init = setup, .fini = teardown);

/* "name+offset", "-" = none. */
static const char *at(uint64_t address)
{
	static char found[128];
	struct tt_elf_symbol symbol;

	if (!tt_elf_symbols_find(symbols, address, &symbol))
		return "-";
	snprintf(found, sizeof(found), "%s%s+%llx", symbol.name, symbol.is_plt ? "@plt" : "",
		 (unsigned long long)(address - symbol.start));
	return found;
}

static void see_main(const char *name)
{
	uint64_t address = nm_address(name, "main"), offset = 0, back;
	char command[256];
	FILE *pipe;

	cr_expect(eq(str, (char *)at(address + 3), "main+3"), "%s", name);
	/* where .text is in the file, as readelf says, so that the offset is not from our own reading */
	snprintf(command, sizeof(command),
		 "readelf -SW %s/%s | awk '$2 == \".text\" || $3 == \".text\" { sub(/.*\\.text/, \"\"); "
		 "print $2, $3 }'",
		 dir, name);
	pipe = popen(command, "r");
	unsigned long long text_address, text_offset;
	cr_assert(eq(int, fscanf(pipe, "%llx %llx", &text_address, &text_offset), 2));
	pclose(pipe);
	offset = address - text_address + text_offset;
	cr_assert(tt_elf_file_address(&file, offset, &back));
	cr_expect(eq(u64, back, address), "%s", name);
}

Test(elf_symbols, position_independent_or_not)
{
	see_main("pie");
	unload();
	load("fixed");
	see_main("fixed");
	cr_expect(gt(u64, nm_address("fixed", "main"), 0x400000));
	cr_expect(not(tt_elf_file_address(&file, UINT64_MAX, &(uint64_t){ 0 })));
}

Test(elf_symbols, code_within_code)
{
	uint64_t outer = nm_address("pie", "outer");

	cr_expect(eq(str, (char *)at(outer + 15), "outer+f"));
	cr_expect(eq(str, (char *)at(outer + 16), "inner+0"));
	cr_expect(eq(str, (char *)at(outer + 31), "inner+f"));
	cr_expect(eq(str, (char *)at(outer + 32), "outer+20"), "a label in a function is none");
	cr_expect(eq(str, (char *)at(outer + 47), "outer+2f"));
	cr_expect(eq(str, (char *)at(outer + 48), "-"), "what is between belongs to nobody");
}

Test(elf_symbols, one_without_a_size_goes_up_to_the_next)
{
	uint64_t loose = nm_address("pie", "loose_label"), last = nm_address("pie", "last_label");

	cr_expect(eq(str, (char *)at(loose + 15), "loose_label+f"));
	cr_expect(eq(str, (char *)at(loose + 16), "next_label+0"));
	cr_expect(eq(str, (char *)at(last), "last_label+0"));
}

Test(elf_symbols, of_several_names_the_one_that_perf_takes)
{
	cr_expect(eq(str, (char *)at(nm_address("pie", "name") + 1), "long_name+1"));
}

Test(elf_symbols, mangled_names_are_as_in_the_file)
{
	cr_expect(eq(str, (char *)at(nm_address("pie", "_RNvCs1234_7mycrate3foo")),
		     "_RNvCs1234_7mycrate3foo+0"));
}

Test(elf_symbols, data_are_no_code_and_an_ifunc_is_its_resolver)
{
	cr_expect(eq(str, (char *)at(nm_address("pie", "data")), "-"));
	cr_expect(eq(str, (char *)at(nm_address("pie", "one")), "one+0"));
	cr_expect(eq(int, strstr(at(nm_address("pie", "chosen")), "cho") != NULL, 1), "choose, or chosen");
}

#ifdef __x86_64__
Test(elf_symbols, a_stub_is_called_after_where_it_goes)
{
	char command[256], line[256] = "";
	FILE *pipe;

	snprintf(command, sizeof(command),
		 "objdump -d %s/pie | sed -n 's/^\\([0-9a-f]*\\) <puts@plt>:/\\1/p'", dir);
	pipe = popen(command, "r");
	cr_assert(pipe && fgets(line, sizeof(line), pipe));
	pclose(pipe);
	cr_expect(eq(str, (char *)at(strtoull(line, NULL, 16) + 2), "puts@plt+2"));
}
#endif

Test(elf_symbols, its_build_id)
{
	char command[256], line[128] = "", id[64];
	FILE *pipe;

	snprintf(command, sizeof(command), "readelf -n %s/pie | sed -n 's/.*Build ID: //p'", dir);
	pipe = popen(command, "r");
	if (!pipe || !fgets(line, sizeof(line), pipe))
		line[0] = '\0';
	pclose(pipe);
	if (!line[0])
		skip_test("this linker writes no build id");
	for (unsigned i = 0; i < file.build_id.len; i++)
		sprintf(id + 2 * i, "%02x", file.build_id.bytes[i]);
	line[strcspn(line, "\n")] = '\0';
	cr_expect(eq(str, id, line));
}

Test(elf_symbols, what_is_no_elf_file_is_told)
{
	struct tt_elf_file other;
	int other_fd;
	char path[128];

	write_file("text", "#!/bin/sh\n");
	snprintf(path, sizeof(path), "%s/text", dir);
	other_fd = open(path, O_RDONLY);
	cr_expect(eq(int, tt_elf_file_open(other_fd, &other), -ENOEXEC));
	close(other_fd);
}

Test(elf_symbols, debug_files_are_known_by_build_id_or_checksum)
{
	struct tt_elf_file debug;
	char name[TT_DEBUG_NAME_MAX], path[128];
	uint32_t crc;
	int debug_fd;

	need_tool("objcopy");
	cr_assert(
		run_in_dir("cc -g -Wl,--build-id=none -o a a.c && objcopy --only-keep-debug a a.debug && "
			   "strip a && "
			   "objcopy --add-gnu-debuglink=a.debug a && cp a.debug b.debug && echo >>b.debug") ==
		0);
	unload();
	load("a");
	cr_assert(tt_elf_file_debug_link(&file, name, &crc));
	cr_expect(eq(str, name, "a.debug"));
	cr_expect(eq(int, file.build_id.len, 0));
	for (unsigned i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "%s/%c.debug", dir, "ab"[i]);
		debug_fd = open(path, O_RDONLY);
		cr_assert(eq(int, tt_elf_file_open(debug_fd, &debug), 0));
		cr_expect(eq(int, tt_elf_file_belongs(&file, &debug, debug_fd), i == 0));
		tt_elf_file_close(&debug);
		close(debug_fd);
	}
}

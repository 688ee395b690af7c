/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files of this machine, beside what binutils say of them. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <fcntl.h>
#include <unistd.h>

#include "collector/symbol/dwarf_scopes.h"
#include "collector/symbol/elf_symbols.h"
#include "tests/unit/symbol/build.h"

enum { NR_NM_MAX = 200000, NR_ASKED = 400 };

struct nm_symbol {
	uint64_t start, size;
	char type, name[256];
};

static struct nm_symbol *nm;
static unsigned nr_nm;
static struct tt_elf_file file;
static struct tt_elf_symbols *symbols;

TestSuite(real_files, .timeout = 110);

static bool is_code(char type)
{
	return type == 't' || type == 'T' || type == 'w' || type == 'W' || type == 'i';
}

/* Only symbols with a size have four words. */
static void run_nm(const char *options, const char *path)
{
	char command[4200], line[4096];
	FILE *pipe;

	snprintf(command, sizeof(command), "nm %s -S --defined-only '%s' 2>/dev/null", options, path);
	pipe = popen(command, "r");
	cr_assert(pipe != NULL);
	while (nr_nm < NR_NM_MAX && fgets(line, sizeof(line), pipe)) {
		struct nm_symbol *s = &nm[nr_nm];
		unsigned long long start, size;

		if (sscanf(line, "%llx %llx %c %255s", &start, &size, &s->type, s->name) != 4 ||
		    !is_code(s->type) || !size)
			continue;
		s->name[1 + strcspn(s->name + 1, "@")] = '\0';
		s->start = start;
		s->size = size;
		nr_nm++;
	}
	pclose(pipe);
}

static bool nm_says(const char *name, uint64_t address, uint64_t start)
{
	char plain[256];

	snprintf(plain, sizeof(plain), "%.*s", 1 + (int)strcspn(name + 1, "@"), name);
	for (unsigned i = 0; i < nr_nm; i++)
		if (nm[i].start == start && address < start + nm[i].size && !strcmp(nm[i].name, plain))
			return true;
	return false;
}

/* Addresses in functions all over the file. */
static void compare_with_nm(const char *path)
{
	unsigned nr_asked = 0, step;
	int fd = open(path, O_RDONLY);

	if (fd < 0)
		return;
	nr_nm = 0;
	run_nm("-D", path);
	run_nm("", path);
	cr_assert(eq(int, tt_elf_file_open(fd, &file), 0));
	cr_assert(eq(int, tt_elf_symbols_open(&file, &symbols), 0));
	tt_elf_symbols_add(symbols, &file);
	tt_elf_symbols_add_plt(symbols);
	cr_assert(eq(int, tt_elf_symbols_sort(symbols), 0));
	step = nr_nm / NR_ASKED + 1;
	for (unsigned i = 0; i < nr_nm; i += step) {
		uint64_t address = nm[i].start + (i & 1 ? nm[i].size - 1 : nm[i].size / 2);
		struct tt_elf_symbol found;

		if (!tt_elf_file_code(&file, nm[i].start)) /* nm calls weak data w, too */
			continue;
		cr_assert(tt_elf_symbols_find(symbols, address, &found), "%s: %s, %llx", path, nm[i].name,
			  (unsigned long long)address);
		cr_expect(nm_says(found.name, address, found.start), "%s: %s at %llx, which nm calls %s",
			  path, found.name, (unsigned long long)address, nm[i].name);
		nr_asked++;
	}
	fprintf(stderr, "%s: %u of %u addresses as nm says\n", path, nr_asked, nr_asked);
	tt_elf_symbols_close(symbols);
	tt_elf_file_close(&file);
	close(fd);
}

Test(real_files, functions_are_where_nm_says)
{
	static const char *const commands[] = { "python3", "perl", "bash", "nm", "gdb" };
	char line[4096], path[4096], last[4096] = "";
	FILE *maps = fopen("/proc/self/maps", "r");

	need_tool("nm");
	nm = malloc(NR_NM_MAX * sizeof(*nm));
	cr_assert(nm != NULL && maps != NULL);
	while (fgets(line, sizeof(line), maps)) { /* our own libraries: libc, libstdc++, libcriterion, ... */
		if (sscanf(line, "%*s r-xp %*s %*s %*s %4095s", path) != 1 || path[0] != '/' ||
		    !strcmp(path, last))
			continue;
		strcpy(last, path);
		compare_with_nm(path);
	}
	fclose(maps);
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		char command[128];
		FILE *pipe;

		snprintf(command, sizeof(command), "readlink -f \"$(command -v %s)\"", commands[i]);
		pipe = popen(command, "r");
		if (pipe && fgets(path, sizeof(path), pipe)) {
			path[strcspn(path, "\n")] = '\0';
			if (!access(path, R_OK) && strstr(path, "/bin/"))
				compare_with_nm(path);
		}
		if (pipe)
			pclose(pipe);
	}
	free(nm);
}

/* This test itself has line numbers: each function and what was inlined there, as addr2line says. */
Test(real_files, lines_are_where_addr2line_says)
{
	char self[4096], command[16384], line[4096];
	struct tt_dwarf_frame frames[TT_DWARF_DEPTH_MAX];
	unsigned nr_same = 0, nr_asked = 0;
	struct tt_dwarf *dwarf;
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
	FILE *pipe;
	int fd;

	need_tool("addr2line");
	cr_assert(gt(long, len, 0));
	self[len] = '\0';
	fd = open(self, O_RDONLY);
	cr_assert(eq(int, tt_elf_file_open(fd, &file), 0));
	if (tt_dwarf_open(file.elf, &dwarf))
		skip_test("built without -g");
	cr_assert(eq(int, tt_dwarf_index(dwarf), 0));
	/* every 97th byte of our code, of a few KiB from tt_dwarf_find on */
	snprintf(command, sizeof(command),
		 "a=$((0x$(nm '%s' | awk '$3 == \"tt_dwarf_find\" { print $1 }'))); for i in $(seq 0 97 "
		 "20000); do printf '%%x\\n' $((a + i)); done | "
		 "addr2line -a -e '%s'",
		 self, self);
	pipe = popen(command, "r");
	cr_assert(pipe != NULL);
	while (fgets(line, sizeof(line), pipe)) {
		uint64_t address = strtoull(line, NULL, 16);
		const char *colon;
		unsigned nr;

		if (!fgets(line, sizeof(line), pipe))
			break;
		colon = strrchr(line, ':');
		if (!colon || line[0] == '?' || atoi(colon + 1) <= 0)
			continue;
		nr = tt_dwarf_find(dwarf, address, frames);
		nr_asked++;
		nr_same += nr && frames[0].line == (unsigned)atoi(colon + 1);
	}
	pclose(pipe);
	fprintf(stderr, "%u of %u lines as addr2line says\n", nr_same, nr_asked);
	cr_expect(gt(uint, nr_asked, 100));
	cr_expect(ge(uint, nr_same * 100, nr_asked * 98),
		  "they differ where a line table has two rows for an address");
	tt_dwarf_close(dwarf);
	tt_elf_file_close(&file);
	close(fd);
}

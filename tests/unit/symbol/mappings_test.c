/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/symbol/mappings.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <string.h>

static struct tt_dsos dsos;
static struct tt_mappings mappings;

static void setup(void)
{
	cr_assert(eq(int, tt_dsos_open(&dsos), 0));
	tt_mappings_open(&mappings, &dsos);
}

static void teardown(void)
{
	tt_mappings_close(&mappings);
	for (uint32_t nr = 0; nr < dsos.nr; nr++)
		cr_expect(eq(int, dsos.entries[nr].nr_refs > 0, nr == dsos.anon || nr == dsos.vdso), "%u: %s",
			  nr, dsos.entries[nr].path);
	tt_dsos_close(&dsos);
}

TestSuite(mappings, .init = setup, .fini = teardown);

static uint32_t dso_of(const char *path)
{
	return tt_dsos_get(&dsos, &(struct tt_map_event){ .path = { path, strlen(path) } });
}

static void map(uint32_t pid, uint64_t start, uint64_t end, uint64_t offset, const char *path)
{
	tt_mappings_map(&mappings, pid, &(struct tt_mapping){ start, end, offset, dso_of(path), 0 });
}

/* "path+offset", "-" = nothing. */
static const char *at(uint32_t pid, uint64_t address)
{
	static char text[4][64];
	static unsigned turn;
	struct tt_mapping found;

	if (!tt_mappings_find(&mappings, pid, address, &found))
		return "-";
	turn = (turn + 1) % 4;
	snprintf(text[turn], sizeof(text[turn]), "%s+%llx", dsos.entries[found.dso].path,
		 (unsigned long long)(address - found.start + found.offset));
	return text[turn];
}

Test(mappings, a_new_mapping_overrides_what_it_covers)
{
	map(7, 0x1000, 0x9000, 0, "/a");
	map(7, 0x3000, 0x4000, 0x100, "/b");
	cr_expect(eq(str, (char *)at(7, 0x2fff), "/a+1fff"));
	cr_expect(eq(str, (char *)at(7, 0x3000), "/b+100"));
	cr_expect(eq(str, (char *)at(7, 0x4000), "/a+3000"), "behind the hole its offset goes on");
	map(7, 0x800, 0x3800, 0, "/c");
	cr_expect(eq(str, (char *)at(7, 0x37ff), "/c+2fff"));
	cr_expect(eq(str, (char *)at(7, 0x3800), "/b+900"), "only the end is left");
	map(7, 0x3900, 0x8000, 0, "/d");
	cr_expect(eq(str, (char *)at(7, 0x38ff), "/b+9ff"));
	cr_expect(eq(str, (char *)at(7, 0x8000), "/a+7000"));
	map(7, 0, 0x10000, 0, "/e");
	cr_expect(eq(str, (char *)at(7, 0x8000), "/e+8000"));
	cr_expect(eq(u32, mappings.nr_mappings, 1));
	cr_expect(eq(str, (char *)at(7, 0x10000), "-"));
	cr_expect(eq(str, (char *)at(8, 0x1000), "-"), "another process");
}

Test(mappings, pieces_of_one_mapping_become_one)
{
	map(7, 0x1000, 0x2000, 0x5000, "/a");
	map(7, 0x2000, 0x3000, 0x6000, "/a");
	cr_expect(eq(u32, mappings.nr_mappings, 1));
	map(7, 0x3000, 0x4000, 0x8000, "/a");
	cr_expect(eq(u32, mappings.nr_mappings, 2), "not a continuation");
	map(7, 0x10000, 0x11000, 0, "");
	map(7, 0x11000, 0x12000, 0, "//anon");
	cr_expect(eq(u32, mappings.nr_mappings, 3), "memory of a JIT has no offsets");
}

Test(mappings, a_child_shares_until_one_of_the_two_changes)
{
	map(7, 0x1000, 0x2000, 0, "/a");
	map(7, 0x5000, 0x6000, 0, "/b");
	for (uint32_t pid = 100; pid < 5100; pid++)
		tt_mappings_fork(&mappings, 7, pid);
	cr_expect(eq(u32, mappings.nr_mappings, 2), "one table for all");
	map(200, 0x1000, 0x1800, 0, "/c");
	cr_expect(eq(str, (char *)at(200, 0x1000), "/c+0"));
	cr_expect(eq(str, (char *)at(7, 0x1000), "/a+0"));
	cr_expect(eq(str, (char *)at(201, 0x1000), "/a+0"));
	tt_mappings_exec(&mappings, 7);
	cr_expect(eq(str, (char *)at(7, 0x1000), "-"));
	cr_expect(eq(str, (char *)at(201, 0x1000), "/a+0"), "the parent's exec is not the child's");
	cr_expect(eq(u32, tt_mappings_process(&mappings, 201)->parent_pid, 7));
	for (uint32_t pid = 100; pid < 5100; pid++)
		tt_mappings_forget(&mappings, pid);
	cr_expect(eq(u32, mappings.nr_mappings, 0));
	cr_expect(eq(u32, mappings.nr, 1));
}

Test(mappings, a_number_that_is_used_again_is_another_process)
{
	map(7, 0x1000, 0x2000, 0, "/a");
	map(9, 0x1000, 0x2000, 0, "/b");
	tt_mappings_process(&mappings, 9)->has_exited = true;
	tt_mappings_fork(&mappings, 7, 9);
	cr_expect(eq(str, (char *)at(9, 0x1000), "/a+0"));
	cr_expect(not(tt_mappings_process(&mappings, 9)->has_exited));
	tt_mappings_fork(&mappings, 55, 9);
	cr_expect(eq(str, (char *)at(9, 0x1000), "-"), "nothing is known of that parent");
}

Test(mappings, what_is_beyond_a_bound_is_counted)
{
	for (uint64_t i = 0; i < TT_MAPPINGS_PER_PROCESS_MAX + 10; i++)
		map(7, 0x10000 * i, 0x10000 * i + 0x1000, 0, "/a");
	cr_expect(eq(u64, mappings.nr_beyond, 11),
		  "one is kept free: a mapping in the middle of another makes two");
	cr_expect(eq(str, (char *)at(7, 0x10000), "/a+0"));
	for (uint32_t pid = 1; pid <= TT_PROCESSES_MAX + 3; pid++)
		tt_mappings_get_process(&mappings, pid);
	cr_expect(eq(u32, mappings.nr, TT_PROCESSES_MAX));
	cr_expect(eq(u64, mappings.nr_beyond, 14));
}

Test(mappings, all_mappings_together_have_a_bound)
{
	for (uint32_t pid = 1; pid <= 40; pid++)
		for (uint64_t i = 0; i < 4000; i++)
			map(pid, 0x10000 * i, 0x10000 * i + 0x1000, 0, "/a");
	cr_expect(le(u32, mappings.nr_mappings, TT_MAPPINGS_MAX));
	cr_expect(ge(u64, mappings.nr_beyond, 40 * 4000 - TT_MAPPINGS_MAX));
}

Test(mappings, files_are_told_apart_by_more_than_their_path)
{
	struct tt_map_event event = { .path = { "/a (deleted)", 12 }, .ino = 5 };
	uint32_t first = tt_dsos_get(&dsos, &event), second;

	cr_expect(eq(str, dsos.entries[first].path, "/a"));
	event.path.len = 2;
	second = tt_dsos_get(&dsos, &event);
	cr_expect(eq(u32, first, second), "deleted or not, the same file");
	tt_dsos_unref(&dsos, second);
	event.ino = 6;
	second = tt_dsos_get(&dsos, &event);
	cr_expect(ne(u32, first, second));
	tt_dsos_unref(&dsos, first);
	tt_dsos_unref(&dsos, second);
}

Test(mappings, memory_without_a_file_is_one)
{
	static const char *const anon[] = {
		"", "//anon", "[heap]", "[stack:12]", "[anon:v8]", "/dev/zero (deleted)", "anon_inode:x"
	};
	static const char *const pseudo[] = { "[uprobes]", "[vsyscall]", "//toolong", "no/slash" };

	for (size_t i = 0; i < sizeof(anon) / sizeof(anon[0]); i++) {
		cr_expect(eq(u32, dso_of(anon[i]), dsos.anon), "%s", anon[i]);
		tt_dsos_unref(&dsos, dsos.anon);
	}
	cr_expect(eq(u32, dso_of("[vdso]"), dsos.vdso));
	tt_dsos_unref(&dsos, dsos.vdso);
	for (size_t i = 0; i < sizeof(pseudo) / sizeof(pseudo[0]); i++) {
		uint32_t nr = dso_of(pseudo[i]);

		cr_expect(eq(int, dsos.entries[nr].kind, TT_DSO_PSEUDO), "%s", pseudo[i]);
		tt_dsos_unref(&dsos, nr);
	}
	map(7, 0x1000, 0x2000, 0, "/memfd:jit (deleted)");
	cr_expect(eq(str, (char *)at(7, 0x1000), "/memfd:jit+0"));
	cr_expect(dsos.entries[mappings.processes[0].maps ? 2 : 0].is_memfd);
}

Test(mappings, the_table_of_files_has_a_bound)
{
	struct tt_map_event event = { .path = { "/a", 2 } };
	uint32_t nr = 0, last = 0;

	for (event.ino = 1; event.ino < TT_DSO_MAX + 10; event.ino++) {
		nr = tt_dsos_get(&dsos, &event);
		if (nr != TT_DSO_NONE)
			last = nr;
	}
	cr_expect(eq(u32, nr, TT_DSO_NONE));
	cr_expect(gt(u64, dsos.nr_beyond, 0));
	tt_dsos_unref(&dsos, last);
	cr_expect(eq(u32, tt_dsos_get(&dsos, &event), last), "what is free is used again");
	for (nr = 2; nr < TT_DSO_MAX; nr++)
		tt_dsos_unref(&dsos, nr);
}

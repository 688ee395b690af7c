/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From stacks to records, on a machine that is a directory. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/sysmacros.h>

#include "collector/symbol/addresses.h"
#include "collector/symbol/copies.h"
#include "tests/unit/symbol/build.h"
#include "tests/unit/symbol/stacks.h"

enum { PID = 4711, OTHER_PID = 4712 };

static const char source[] =
	"#include <stdio.h>\n"
	"static __attribute__((noinline)) int hidden(int x) { asm volatile(\"\"); return x + 1; }\n"
	"int shown(int x) { return hidden(x) * 2; }\n"
	"int main(int argc, char **argv) { (void)argv; return shown(argc); }\n";

static const char kallsyms[] =
	"ffffffff81000000 T _stext\nffffffff81000100 T first\nffffffff81000200 t second\n"
	"ffffffffc0001000 t in_module\t[nf_tables]\nffffffffc0100000 t bpf_prog_12_x\t[bpf]\n";

static uint64_t hidden, shown; /* where they are when the file is mapped at 0x500000 */

static void write_maps(uint32_t pid, const char *more)
{
	char path[128], text[1024];
	struct stat st;

	snprintf(path, sizeof(path), "%s/bin/a", dir);
	cr_assert(eq(int, stat(path, &st), 0));
	snprintf(text, sizeof(text),
		 "00500000-00600000 r-xp 00000000 %02x:%02x %lu /bin/a\n"
		 "00700000-00800000 rw-p 00000000 00:00 0 [heap]\n"
		 "00900000-00a00000 r-xp 00002000 00:00 77 /lib/gone.so (deleted)\n"
		 "00b00000-00c00000 r-xp 00000000 00:00 0 \n"
		 "%s",
		 major(st.st_dev), minor(st.st_dev), st.st_ino, more);
	snprintf(path, sizeof(path), "proc/%u/maps", pid);
	write_file(path, text);
}

static void add_process(uint32_t pid)
{
	char path[128], text[256];

	cr_assert(run_in_dir("mkdir -p proc/%u/ns proc/%u/task/%u && ln -s %s proc/%u/root", pid, pid, pid,
			     dir, pid) == 0);
	snprintf(path, sizeof(path), "proc/%u/stat", pid);
	snprintf(text, sizeof(text), "%u (a) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 9 0 0\n", pid);
	write_file(path, text);
	snprintf(path, sizeof(path), "proc/%u/status", pid);
	snprintf(text, sizeof(text), "Name:\ta\nUid:\t%u\t%u\t%u\t%u\nNSpid:\t%u\t7\n", getuid(), getuid(),
		 getuid(), getuid(), pid);
	write_file(path, text);
	write_maps(pid, "");
}

static void setup(void)
{
	need_tool("cc");
	make_dir();
	cr_assert(run_in_dir("mkdir -p bin proc tmp") == 0);
	write_file("a.c", source);
	cr_assert(run_in_dir("cc -g -O1 -no-pie -o bin/a a.c") == 0);
	hidden = nm_address("bin/a", "hidden") + 0x100000;
	shown = nm_address("bin/a", "shown") + 0x100000;
	write_file("proc/kallsyms", kallsyms);
	add_process(PID);
}

static void teardown(void)
{
	close_symbols();
	remove_dir();
}

TestSuite(symbols, .init = setup, .fini = teardown, .timeout = 60);

Test(symbols, a_stack_of_everything)
{
	const uint64_t kernel[] = { 0xffffffff81000105, 0xffffffff81000200, 0xffffffffc0001004,
				    0xffffffffc0100008, 0xffffffff80000000 };
	const uint64_t user[] = { hidden, shown + 2, 0x900010, 0xb00020, 0x1234 };

	open_symbols(dir, false);
	cr_expect(note_stack(10, 0, 0, kernel, 5));
	cr_expect(note_stack(11, 99, PID, user, 5));
	end_epoch();
	finish_symbols();

	cr_expect(eq(str, (char *)name_of(0, kernel[0]), "first"));
	cr_expect(eq(u64, frame_of(0, kernel[0], 0)->offset, 5));
	cr_expect(eq(str, (char *)name_of(0, kernel[1]), "first"),
		  "a call that returns to where the next function begins");
	cr_expect(eq(u64, frame_of(0, kernel[1], 0)->offset, 0x100));
	cr_expect(eq(str, (char *)name_of(0, kernel[2]), "in_module"));
	cr_expect(eq(str, (char *)module_of(0, kernel[2])->path, "[nf_tables]"));
	cr_expect(eq(str, (char *)module_of(0, kernel[3])->path, "[bpf]"));
	cr_expect(eq(str, (char *)name_of(0, kernel[4]), ""));
	cr_expect(eq(str, (char *)module_of(0, kernel[4])->path, "[kernel.kallsyms]"));
	cr_expect(eq(u64, frame_of(0, kernel[4], 0)->offset, kernel[4]));

	cr_expect(eq(str, (char *)name_of(99, user[0]), "hidden"));
	cr_expect(eq(str, (char *)name_of(99, user[1]), "shown"));
	cr_expect(eq(str, (char *)module_of(99, user[1])->path, "/bin/a"));
	cr_expect(eq(u16, module_of(99, user[2])->flags, TT_MODULE_DELETED));
	cr_expect(eq(str, (char *)module_of(99, user[2])->path, "/lib/gone.so"));
	cr_expect(eq(u64, frame_of(99, user[2], 0)->offset, 0x2010), "in the file");
	cr_expect(eq(u16, module_of(99, user[3])->flags, TT_MODULE_JIT | TT_MODULE_NO_SYMBOLS));
	cr_expect(eq(str, (char *)module_of(99, user[3])->path, "//anon"));
	cr_expect(eq(u32, frame_of(99, user[4], 0)->module, 0), "nobody knows");
}

Test(symbols, a_call_at_the_end_of_a_function_is_its_own)
{
	uint64_t ips[2];

	open_symbols(dir, false);
	ips[0] = hidden;
	note_one(10, 1, PID, hidden); /* a leaf, at its first instruction */
	ips[1] = hidden;
	ips[0] = shown;
	note_stack(11, 2, PID, ips, 2); /* in another space it is where somebody returns to */
	end_epoch();
	finish_symbols();
	cr_expect(eq(str, (char *)name_of(1, hidden), "hidden"));
	cr_expect(ne(str, (char *)name_of(2, hidden), "hidden"));
	cr_expect(gt(u64, frame_of(2, hidden, 0)->offset, 0));
}

Test(symbols, stacks_that_came_before_need_not_be_written)
{
	struct {
		struct tt_batch batch;
		struct tt_stack stack;
		struct tt_task task;
	} b = { .batch = { .size = sizeof(b),
			   .stream = TT_STREAM_RECORDS,
			   .version = TT_WIRE_VERSION,
			   .nr_records = 2 },
		.stack = { .rec = { .size = sizeof(struct tt_stack), .kind = TT_EV_STACK }, .id = 10 },
		.task = { .rec = { .size = sizeof(struct tt_task), .kind = TT_EV_TASK } } };
	struct tt_batch sched = { .size = sizeof(sched),
				  .stream = TT_STREAM_SCHED,
				  .version = TT_WIRE_VERSION };

	open_symbols(dir, false);
	cr_expect(note_one(10, 1, PID, hidden));
	cr_expect(not(note_one(10, 1, PID, hidden)));
	cr_expect(note_one(11, 1, PID, hidden));
	cr_expect(tt_symbols_note_batch(symbols, &b.batch) == &b.batch, "a task is in it, too");
	cr_expect(tt_symbols_note_batch(symbols, &sched) == &sched);
	b.batch.size -= sizeof(b.stack) + sizeof(b.task);
	b.batch.nr_records = 0;
	cr_expect(tt_symbols_note_batch(symbols, &b.batch) == &b.batch, "states of CPUs are told by empty batches");
}

Test(symbols, the_same_file_in_many_processes_is_one_module)
{
	struct tt_symbols_stats stats;

	add_process(OTHER_PID);
	open_symbols(dir, false);
	note_one(10, 1, PID, hidden);
	note_one(11, 2, OTHER_PID, hidden);
	note_one(12, 2, OTHER_PID, hidden + 1);
	end_epoch();
	finish_symbols();
	cr_expect(eq(u32, frame_of(1, hidden, 0)->module, frame_of(2, hidden, 0)->module));
	cr_expect(eq(u32, frame_of(1, hidden, 0)->symbol, frame_of(2, hidden + 1, 0)->symbol),
		  "a name is told once");
	tt_symbols_read_stats(symbols, &stats);
	cr_expect(eq(u64, stats.nr_addresses, 3));
	cr_expect(eq(u64, stats.nr_resolved, 3));
	cr_expect(eq(u64, stats.nr_modules, 1));
	cr_expect(eq(u64, stats.nr_symbols, 1));
}

Test(symbols, records_come_in_the_same_order_whenever_stacks_came)
{
	const uint64_t ips[] = { shown + 1, hidden + 2, 0x900010, hidden, 0xb00001, 0x55, 0x77 };
	struct tt_frame frames[2][16];

	for (unsigned round = 0; round < 2; round++) {
		open_symbols(dir, false);
		for (unsigned i = 0; i < 7; i++) {
			note_one(20 + i, 1, PID, ips[round ? 6 - i : i]);
			note_one(40 + i, 0, 0, 0xffffffff81000000 + (round ? 6 - i : i));
			if (round)
				end_epoch();
		}
		end_epoch();
		finish_symbols();
		cr_assert(eq(uint, kept.nr_frames, 14));
		for (unsigned i = 0; i < 14; i++) {
			kept.frames[i].rec.ts_ns = 0;
			frames[round][i] = kept.frames[i];
		}
		close_symbols();
	}
	cr_expect(eq(int, memcmp(frames[0], frames[1], 14 * sizeof(frames[0][0])), 0));
}

Test(symbols, what_was_inlined_comes_first)
{
	static const char inlined[] =
		"static inline __attribute__((always_inline)) int within(int x)\n"
		"{\n	asm volatile(\".globl here\\nhere: nop\" : \"+r\"(x));\n	return x;\n}\n"
		"__attribute__((noinline)) int around(int x) { return within(x) + 1; }\n"
		"int main(int argc, char **argv) { (void)argv; return around(argc); }\n";
	uint64_t here;

	write_file("b.c", inlined);
	cr_assert(run_in_dir("cc -g -O1 -no-pie -o bin/a b.c") == 0);
	write_maps(PID, "");
	here = nm_address("bin/a", "here") + 0x100000;
	open_symbols(dir, true);
	note_one(10, 1, PID, here);
	end_epoch();
	finish_symbols();
	cr_expect(eq(str, (char *)name_of(1, here), "within"));
	cr_expect(eq(u16, frame_of(1, here, 0)->flags, TT_FRAME_INLINED));
	cr_expect(eq(u32, frame_of(1, here, 0)->line, 3));
	cr_assert(frame_of(1, here, 1) != NULL);
	cr_expect(eq(str, kept.names[frame_of(1, here, 1)->symbol], "around"));
	cr_expect(eq(u16, frame_of(1, here, 1)->flags, 0));
	cr_expect(eq(u32, frame_of(1, here, 1)->line, 6));
	cr_expect(strstr(kept.names[frame_of(1, here, 1)->file], "b.c") != NULL);
	cr_expect(frame_of(1, here, 2) == NULL);
}

Test(symbols, a_jit_by_the_pid_that_it_has_in_its_own_namespace)
{
	open_symbols(dir, false);
	note_one(10, 1, PID, 0xb00010);
	end_epoch();
	write_file("tmp/perf-7.map", "b00000 20 compiled\n"); /* is there later */
	end_epoch();
	note_one(11, 2, PID, 0xb00011); /* after an exec it is another one's */
	end_epoch();
	finish_symbols();
	cr_expect(eq(str, (char *)name_of(1, 0xb00010), "compiled"));
	cr_expect(eq(str, (char *)module_of(1, 0xb00010)->path, "/tmp/perf-7.map"));
	cr_expect(eq(u16, module_of(1, 0xb00010)->flags, TT_MODULE_JIT));
}

Test(symbols, a_table_that_somebody_else_put_there_is_not_read)
{
	if (geteuid() != 0)
		skip_test("needs root, to make a file of another user");
	write_file("secret", "b00000 20 stolen\n");
	cr_assert(run_in_dir("ln -s ../secret tmp/perf-7.map") == 0);
	open_symbols(dir, false);
	note_one(10, 1, PID, 0xb00010);
	end_epoch();
	cr_assert(run_in_dir("rm tmp/perf-7.map && cp secret tmp/perf-7.map && chown 1234 tmp/perf-7.map") ==
		  0);
	end_epoch();
	finish_symbols();
	cr_expect(eq(str, (char *)name_of(1, 0xb00010), ""));
}

Test(symbols, code_in_memory_with_a_name)
{
	write_maps(PID, "00d00000-00e00000 r-xp 00001000 00:01 5 /memfd:jit (deleted)\n");
	write_file("tmp/perf-7.map", "d00000 20 doubly mapped\n");
	open_symbols(dir, false);
	note_one(10, 1, PID, 0xd00010);
	end_epoch();
	finish_symbols();
	cr_expect(eq(str, (char *)name_of(1, 0xd00010), "doubly mapped"));
}

Test(symbols, what_is_mapped_later_is_seen)
{
	open_symbols(dir, false);
	note_one(10, 1, PID, 0xf00000 + hidden - 0x500000);
	end_epoch();
	cr_assert(run_in_dir("cp bin/a bin/b && sed 's/00500000-00600000/00f00000-01000000/; "
			     "s,/bin/a,/bin/b,' proc/%u/maps >m; "
			     "i=$(stat -c %%i bin/b); sed -i \"1s/[0-9]* .bin.b/$i \\/bin\\/b/\" m; mv m "
			     "proc/%u/maps",
			     PID, PID) == 0);
	note_one(11, 1, PID, 0xf00000 + hidden - 0x500000 + 1);
	end_epoch();
	finish_symbols();
	cr_expect(eq(u32, frame_of(1, 0xf00000 + hidden - 0x500000, 0)->module, 0), "not when it was asked");
	cr_expect(eq(str, (char *)name_of(1, 0xf00000 + hidden - 0x500000 + 1), "hidden"));
}

Test(symbols, a_file_of_another_inode_is_another_file)
{
	open_symbols(dir, false);
	note_one(10, 1, PID, hidden);
	cr_assert(run_in_dir("cp bin/a bin/b && mv bin/b bin/a") == 0);
	end_epoch();
	finish_symbols();
	cr_expect(eq(str, (char *)name_of(1, hidden), ""));
	cr_expect(eq(u16, module_of(1, hidden)->flags, TT_MODULE_REPLACED));
	cr_expect(eq(u64, frame_of(1, hidden, 0)->offset, hidden - 0x500000), "in the file");
}

static bool stop(void *ctx, bool unwinds, uint64_t nr_done, uint64_t nr_all)
{
	(void)ctx;
	(void)unwinds;
	cr_assert(le(u64, nr_done, nr_all));
	return true;
}

Test(symbols, who_does_not_want_to_wait_gets_the_rest_without_names)
{
	open_symbols(dir, false);
	note_one(10, 1, PID, hidden);
	note_one(11, 0, 0, 0xffffffff81000105);
	end_epoch();
	cr_assert(eq(int, tt_symbols_finish(symbols, &keep_sink, stop, NULL), 0));
	cr_expect(eq(str, (char *)name_of(1, hidden), ""));
	cr_expect(eq(str, (char *)module_of(1, hidden)->path, "/bin/a"));
	cr_expect(eq(uint, kept.nr_frames, 2));
}

static int refuse(void *ctx, const void *batch, size_t len)
{
	(void)ctx;
	(void)batch;
	(void)len;
	return -EFBIG;
}

Test(symbols, an_error_of_the_sink_ends_it)
{
	const struct tt_sink sink = { NULL, refuse, keep_epoch };

	open_symbols(dir, false);
	note_one(10, 1, PID, hidden);
	end_epoch();
	cr_expect(eq(int, tt_symbols_finish(symbols, &sink, NULL, NULL), -EFBIG));
}

Test(symbols, nothing_was_noted)
{
	open_symbols(dir, false);
	finish_symbols();
	cr_expect(eq(uint, kept.nr_frames, 0));
	close_symbols();
	tt_symbols_close(NULL);
}

Test(symbols, addresses_beyond_the_bound_are_counted)
{
	uint64_t ips[TT_STACK_DEPTH_MAX];
	struct tt_symbols_stats stats;
	uint64_t next = 0x10000;

	open_symbols(dir, false);
	for (uint64_t id = 10; next < 0x10000 + TT_ADDRESSES_MAX + 1000; id++) {
		for (unsigned i = 0; i < TT_STACK_DEPTH_MAX; i++)
			ips[i] = next++;
		note_stack(id, 0, 0, ips, TT_STACK_DEPTH_MAX);
	}
	tt_symbols_read_stats(symbols, &stats);
	cr_expect(eq(u64, stats.nr_addresses, TT_ADDRESSES_MAX));
	cr_expect(eq(u64, stats.nr_addresses_beyond, next - 0x10000 - TT_ADDRESSES_MAX));
}

Test(symbols, stacks_beyond_the_bound_are_written_each_time)
{
	struct tt_symbols_stats stats;

	open_symbols(dir, false);
	for (uint64_t id = 1; id <= TT_SYMBOLS_STACKS_MAX; id++)
		note_one(id * 1000003, 0, 0, 0xffffffff81000100);
	cr_expect(not(note_one(5 * 1000003, 0, 0, 0xffffffff81000100)));
	cr_expect(note_one(7, 0, 0, 0xffffffff81000100));
	cr_expect(note_one(7, 0, 0, 0xffffffff81000100));
	tt_symbols_read_stats(symbols, &stats);
	cr_expect(eq(u64, stats.nr_stacks_beyond, 2));
}

#ifdef __x86_64__
/* As programs that are not position-independent are mapped: where their file says. */
static void map_where_linked(void)
{
	char path[128], text[256];
	struct stat st;

	snprintf(path, sizeof(path), "%s/bin/a", dir);
	cr_assert(eq(int, stat(path, &st), 0));
	snprintf(text, sizeof(text),
		 "00401000-00402000 r-xp 00001000 %02x:%02x %lu /bin/a\n00b00000-00c00000 r-xp 00000000 00:00 0 \n", major(st.st_dev),
		 minor(st.st_dev), st.st_ino);
	snprintf(path, sizeof(path), "proc/%u/maps", PID);
	write_file(path, text);
	hidden -= 0x100000;
	shown -= 0x100000;
}

Test(symbols, a_copy_becomes_a_stack)
{
	uint64_t words[1]; /* where hidden returns to; what shown returns to is 0: it is the outermost */
	struct tt_symbols_stats stats;
	const struct tt_batch *batch;

	map_where_linked();
	words[0] = shown + 5;
	open_symbols(dir, false);
	batch = note_copy(50, PID, hidden, words, 1);
	cr_assert(batch != NULL);
	cr_assert(eq(int, tt_batch_check(batch, batch->size), 0));
	cr_expect(eq(u64, ((const struct tt_stack_alias *)(batch + 1))->id, 50));
	cr_expect(eq(u64, ((const struct tt_stack_alias *)(batch + 1))->same_as, 1050), "as long as it is not unwound");
	note_copy(51, PID, hidden, words, 1);
	end_epoch();
	finish_symbols();
	tt_symbols_read_stats(symbols, &stats);
	cr_expect(eq(u64, stats.nr_copies, 2));
	cr_expect(eq(u64, stats.nr_whole, 2));
	cr_expect(eq(u64, stats.nr_lost[TT_LOSS_COPIES], 0));
	cr_assert(eq(u32, kept.nr_stacks, 1), "one for both");
	cr_expect(eq(u32, kept.stack.nr, 2));
	cr_expect(eq(u16, kept.stack.flags, TT_STACK_USER | TT_STACK_DWARF));
	cr_expect(eq(u64, kept.ips[0], hidden));
	cr_expect(eq(u64, kept.ips[1], shown + 5));
	cr_expect(eq(u64, alias_of(50), kept.stack.id));
	cr_expect(eq(u64, alias_of(51), kept.stack.id));
	cr_expect(eq(str, (char *)name_of(99, hidden), "hidden"));
	cr_expect(eq(str, (char *)name_of(99, shown + 5), "shown"));
}

Test(symbols, where_frame_pointers_know_more_they_are_taken)
{
	uint64_t words[1];
	struct tt_symbols_stats stats;

	map_where_linked();
	words[0] = shown + 5;
	open_symbols(dir, false);
	note_copy(50, PID, 0xb00020, words, 1);	  /* code of nobody */
	note_copy(51, 1234567, hidden, words, 1); /* a process that is not there */
	end_epoch();
	note_copy(52, PID, hidden, words, 1); /* after the last epoch */
	finish_symbols();
	tt_symbols_read_stats(symbols, &stats);
	cr_expect(eq(u64, alias_of(50), 0), "nothing better is told");
	cr_expect(eq(u64, alias_of(51), 0));
	cr_expect(eq(u64, alias_of(52), kept.stack.id));
	cr_expect(eq(u64, stats.nr_astray, 1));
	cr_expect(eq(u64, stats.nr_not_unwound, 1));
	cr_expect(eq(u64, stats.nr_lost[TT_LOSS_COPIES], 1));
}

Test(symbols, copies_that_nobody_asks_for_at_the_end)
{
	uint64_t words[1];

	map_where_linked();
	words[0] = shown + 5;
	open_symbols(dir, false);
	note_copy(50, PID, hidden, words, 1);
	end_epoch(); /* close_symbols is all that comes */
}

Test(symbols, copies_without_room_are_counted)
{
	struct tt_symbols_stats stats;
	uint64_t words[1];

	map_where_linked();
	words[0] = shown + 5;
	open_symbols(dir, false);
	for (unsigned i = 0; i <= TT_COPIES_MAX; i++)
		cr_assert(note_copy(5000 + i, PID, hidden, words, 1) != NULL);
	tt_symbols_read_stats(symbols, &stats);
	cr_expect(eq(u64, stats.nr_lost[TT_LOSS_COPIES], 1));
	cr_expect(eq(u64, stats.nr_not_unwound, 1));
}
#endif

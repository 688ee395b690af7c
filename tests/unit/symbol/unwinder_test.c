/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/symbol/unwinder.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>

#include "tests/unit/symbol/own_stack.h"

#ifdef __x86_64__
static struct own_stack own;
static uint64_t ips[TT_STACK_DEPTH_MAX];
static void *returns[3];
static enum tt_unwound how;

/* The stack of a recursion: returns has where each goes back to. */
static __attribute__((noinline)) void outer(unsigned nr_more)
{
	returns[nr_more] = __builtin_return_address(0);
	if (nr_more)
		outer(nr_more - 1);
	else
		own_stack_take(&own);
	__asm__ volatile(""); /* not the last call */
}

static void setup(void)
{
	own.nr_maps = 0;
	own_stack_maps(&own);
	outer(2);
}

TestSuite(unwinder, .init = setup);

static unsigned walk(tt_unwind_file_fn file, size_t nr_bytes)
{
	struct tt_unwinder *u;
	unsigned nr;

	cr_assert(eq(int, tt_unwinder_open(own.maps, own.nr_maps, file, &own, &u), 0));
	nr = tt_unwinder_walk(u, own.regs, own.bytes, nr_bytes, ips, &how);
	tt_unwinder_close(u);
	return nr;
}

Test(unwinder, callers_are_those_that_are_returned_to)
{
	unsigned nr = walk(own_stack_file, own.nr_bytes);

	cr_assert(gt(u32, nr, 4));
	cr_expect(eq(u64, ips[0], own.regs[16]));
	for (unsigned i = 0; i < 3; i++)
		cr_expect(eq(u64, ips[i + 2], (uint64_t)returns[i]), "%u", i);
	cr_expect(ne(int, how, TT_UNWOUND_LOST), "through the test's framework and the C library");
}

Test(unwinder, a_copy_that_ends_early_is_cut)
{
	unsigned nr = walk(own_stack_file, 512);

	cr_expect(eq(int, how, TT_UNWOUND_CUT));
	cr_expect(le(u32, nr, 8));
	cr_expect(eq(u64, ips[0], own.regs[16]));
	cr_expect(eq(u32, walk(own_stack_file, 0), 1), "nothing at all");
	cr_expect(eq(int, how, TT_UNWOUND_CUT));
}

static int no_file(void *ctx, uint32_t nth)
{
	(void)ctx;
	(void)nth;
	return -ENOENT;
}

static int some_file(void *ctx, uint32_t nth)
{
	(void)ctx;
	return open(nth % 2 ? "/proc/self/maps" : "/etc/passwd", O_RDONLY | O_CLOEXEC);
}

Test(unwinder, without_files_there_is_no_way)
{
	cr_expect(eq(u32, walk(no_file, own.nr_bytes), 1));
	cr_expect(eq(int, how, TT_UNWOUND_LOST));
	cr_expect(eq(u32, walk(some_file, own.nr_bytes), 1), "what is no program");
	cr_expect(eq(int, how, TT_UNWOUND_LOST));
}

Test(unwinder, nothing_is_mapped)
{
	own.nr_maps = 0;
	cr_expect(eq(u32, walk(own_stack_file, own.nr_bytes), 1));
	cr_expect(eq(u64, ips[0], own.regs[16]));
	cr_expect(eq(int, how, TT_UNWOUND_LOST));
}

Test(unwinder, code_that_is_in_no_file_is_not_the_end)
{
	uint64_t ip = own.regs[16], frame = own.regs[4];
	struct tt_unwinder *u;

	own.regs[16] = 0x1000;
	own.regs[4] = 0;
	cr_assert(eq(int, tt_unwinder_open(own.maps, own.nr_maps, own_stack_file, &own, &u), 0));
	cr_expect(eq(u32, tt_unwinder_walk(u, own.regs, own.bytes, own.nr_bytes, ips, &how), 1));
	own.regs[16] = ip;
	own.regs[4] = frame;
	cr_expect(gt(u32, tt_unwinder_walk(u, own.regs, own.bytes, own.nr_bytes, ips, &how), 2));
	tt_unwinder_close(u);
}

Test(unwinder, code_that_is_in_no_file)
{
	own.regs[16] = 0x1000;
	own.regs[4] = 0; /* no frame pointer either */
	cr_expect(eq(u32, walk(own_stack_file, own.nr_bytes), 1));
	cr_expect(eq(int, how, TT_UNWOUND_LOST));
}
#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/aggregate/stacks.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "collector/event/decode.h"
#include "tests/unit/stack_records.h"

static struct tt_stacks *stacks;
static struct tt_decoder *dec;
static union tb t;
static struct tt_frame_info frames[300];

static void setup(void)
{
	cr_assert(eq(int, tt_stacks_open(&stacks), 0));
	cr_assert(eq(int, tt_decoder_open(&dec), 0));
	tb_begin(&t, TT_STREAM_RECORDS, TT_CPU_NONE, 1);
}

static void teardown(void)
{
	tt_stacks_close(stacks);
	tt_decoder_close(dec);
}

TestSuite(stacks, .init = setup, .fini = teardown);

static void on_event(void *ctx, const struct tt_event *ev)
{
	tt_stacks_event(ctx, ev);
}

/* What was added since the last call. */
static void feed(void)
{
	cr_assert(eq(int, tt_decode(dec, &t, t.b.size, on_event, stacks), 0));
	tb_begin(&t, TT_STREAM_RECORDS, TT_CPU_NONE, 1);
}

Test(stacks, frames_have_their_names_whatever_came_first)
{
	static const uint64_t kernel[] = { 0xffff10, 0xffff20, 0xffff30 }, user[] = { 0x10, 0x20 };
	bool cut;

	tb_frame(&t, 0, 0xffff10, 1, 1);
	tb_frame(&t, 77, 0x10, 2, 3)->line = 12;
	feed();
	tb_stack(&t, 1000, 0, 0, kernel, 3);
	tb_stack(&t, 1001, 77, TT_STACK_CUT, user, 2);
	feed();
	tb_symbol(&t, 3, "main");
	tb_symbol(&t, 1, "schedule");
	tb_module(&t, 2, 0, "/usr/bin/x");
	tb_module(&t, 1, TT_MODULE_KERNEL, "[kernel.kallsyms]");
	tb_frame(&t, 0, 0xffff20, 1, 0);
	feed();

	cr_assert(eq(u32, tt_stacks_frames(stacks, 1000, frames, 300, &cut), 3));
	cr_expect(not(cut));
	cr_expect(eq(u64, frames[0].ip, 0xffff10));
	cr_expect(eq(u64, frames[0].offset, 0x10));
	cr_expect(eq(str, (char *)frames[0].symbol, "schedule"));
	cr_expect(eq(str, (char *)frames[0].module, "[kernel.kallsyms]"));
	cr_expect(frames[0].is_kernel);
	cr_expect(eq(ptr, (void *)frames[1].symbol, NULL), "a module without a symbol");
	cr_expect(eq(str, (char *)frames[1].module, "[kernel.kallsyms]"));
	cr_expect(eq(ptr, (void *)frames[2].module, NULL), "nothing but an address");
	cr_expect(frames[2].is_kernel, "its stack says so");
	cr_assert(eq(u32, tt_stacks_frames(stacks, 1001, frames, 300, &cut), 2));
	cr_expect(cut);
	cr_expect(eq(str, (char *)frames[0].symbol, "main"));
	cr_expect(eq(u32, frames[0].line, 12));
	cr_expect(not(frames[0].is_kernel));
	cr_expect(eq(ptr, (void *)frames[1].symbol, NULL), "0x20 of another space has no name");
	cr_expect(eq(u64, tt_stacks_nr(stacks), 2));
	cr_expect(eq(u64, tt_stacks_nr_forgotten(stacks), 0));
}

Test(stacks, modules_have_their_build_ids)
{
	struct tt_module *rec = (struct tt_module *)(t.data + t.b.size);
	struct tt_module_info m;

	tb_module(&t, 3, TT_MODULE_DELETED, "/usr/bin/x");
	rec->build_id_len = 20;
	memset(rec->build_id, 0xab, 20);
	tb_frame(&t, 77, 0x10, 3, 0);
	tb_stack(&t, 1000, 77, 0, &(uint64_t){ 0x10 }, 1);
	feed();
	cr_assert(eq(u32, tt_stacks_frames(stacks, 1000, frames, 300, NULL), 1));
	cr_expect(eq(u32, frames[0].module_id, 3));
	cr_assert(tt_stacks_module(stacks, 3, &m));
	cr_expect(eq(str, (char *)m.path, "/usr/bin/x"));
	cr_expect(eq(u32, m.flags, TT_MODULE_DELETED));
	cr_expect(eq(u32, m.build_id_len, 20));
	cr_expect(eq(u32, m.build_id[19], 0xab));
	cr_expect(not(tt_stacks_module(stacks, 0, &m)));
	cr_expect(not(tt_stacks_module(stacks, 4, &m)));
	cr_expect(not(tt_stacks_module(stacks, UINT32_MAX, &m)));
}

Test(stacks, an_address_of_two_processes_is_two)
{
	static const uint64_t ip[] = { 0x10 };

	tb_stack(&t, 1000, 7, 0, ip, 1);
	tb_stack(&t, 1001, 8, 0, ip, 1);
	tb_symbol(&t, 1, "one");
	tb_symbol(&t, 2, "two");
	tb_frame(&t, 7, 0x10, 0, 1);
	tb_frame(&t, 8, 0x10, 0, 2);
	feed();
	tt_stacks_frames(stacks, 1000, frames, 300, NULL);
	cr_expect(eq(str, (char *)frames[0].symbol, "one"));
	tt_stacks_frames(stacks, 1001, frames, 300, NULL);
	cr_expect(eq(str, (char *)frames[0].symbol, "two"));
}

Test(stacks, inlined_functions_come_before_the_one_they_are_in)
{
	static const uint64_t ips[] = { 0x10, 0x20 };

	tb_stack(&t, 1000, 7, 0, ips, 2);
	tb_symbol(&t, 1, "innermost");
	tb_symbol(&t, 2, "inner");
	tb_symbol(&t, 3, "outer");
	for (unsigned told = 0; told < 2; told++) { /* the second time is no news */
		tb_frame(&t, 7, 0x10, 0, 1)->flags = TT_FRAME_INLINED;
		tb_frame(&t, 7, 0x10, 0, 2)->flags = TT_FRAME_INLINED;
		tb_frame(&t, 7, 0x10, 0, 3);
	}
	feed();
	cr_assert(eq(u32, tt_stacks_frames(stacks, 1000, frames, 300, NULL), 4));
	cr_expect(eq(str, (char *)frames[0].symbol, "innermost"));
	cr_expect(frames[0].is_inlined);
	cr_expect(frames[1].is_inlined);
	cr_expect(eq(str, (char *)frames[2].symbol, "outer"));
	cr_expect(not(frames[2].is_inlined));
	cr_expect(eq(u64, frames[3].ip, 0x20));
}

Test(stacks, stacks_of_0_and_127_frames)
{
	uint64_t ips[TT_STACK_DEPTH_MAX];
	bool cut;

	for (unsigned i = 0; i < TT_STACK_DEPTH_MAX; i++)
		ips[i] = 0x1000 + i;
	tb_stack(&t, 5, 0, 0, ips, 0);
	tb_stack(&t, 6, 0, 0, ips, TT_STACK_DEPTH_MAX);
	feed();
	cr_expect(tt_stacks_has(stacks, 5));
	cr_expect(eq(u32, tt_stacks_frames(stacks, 5, frames, 300, &cut), 0));
	cr_expect(not(cut));
	cr_expect(eq(u32, tt_stacks_frames(stacks, 6, frames, 300, &cut), TT_STACK_DEPTH_MAX));
	cr_expect(not(cut));
	cr_expect(eq(u64, frames[126].ip, 0x1000 + 126));
	cr_expect(eq(u32, tt_stacks_frames(stacks, 6, frames, 10, &cut), 10));
	cr_expect(cut, "deeper than was asked for");
}

Test(stacks, ids_that_stand_for_nothing)
{
	static const uint64_t ips[] = { 1 };

	tb_stack(&t, TT_STACK_NONE, 0, 0, ips, 1);
	tb_stack(&t, TT_STACK_MISSED, 0, 0, ips, 1);
	feed();
	cr_expect(not(tt_stacks_has(stacks, TT_STACK_NONE)));
	cr_expect(not(tt_stacks_has(stacks, TT_STACK_MISSED)));
	cr_expect(not(tt_stacks_has(stacks, 4711)));
	cr_expect(eq(u32, tt_stacks_frames(stacks, TT_STACK_MISSED, frames, 300, NULL), 0));
	cr_expect(eq(u32, tt_stacks_frames(stacks, 4711, frames, 300, NULL), 0));
}

Test(stacks, at_its_bounds_it_counts)
{
	uint64_t ips[TT_STACK_DEPTH_MAX], nr_told = 0;

	for (unsigned i = 0; i < TT_STACK_DEPTH_MAX; i++)
		ips[i] = i;
	for (uint64_t id = 2; id < 2 + TT_STACKS_IPS_MAX / TT_STACK_DEPTH_MAX + 10; id++, nr_told++) {
		tb_stack(&t, id, 0, 0, ips, TT_STACK_DEPTH_MAX);
		feed();
	}
	cr_expect(eq(u64, tt_stacks_nr(stacks), TT_STACKS_IPS_MAX / TT_STACK_DEPTH_MAX));
	cr_expect(eq(u64, tt_stacks_nr(stacks) + tt_stacks_nr_forgotten(stacks), nr_told));
	tb_symbol(&t, TT_STACKS_SYMBOLS_MAX, "far");
	tb_module(&t, UINT32_MAX, 0, "far");
	feed();
	cr_expect(eq(u64, tt_stacks_nr(stacks) + tt_stacks_nr_forgotten(stacks), nr_told + 2));
	cr_expect(eq(u32, tt_stacks_frames(stacks, 2, frames, 300, NULL), TT_STACK_DEPTH_MAX),
		  "what was there stays");
}

Test(stacks, two_ids_of_one_stack)
{
	static const uint64_t ips[] = { 0x10, 0x20 };
	bool cut;

	tb_stack(&t, 1000, 77, TT_STACK_DWARF | TT_STACK_LOST_WAY, ips, 2);
	tb_alias(&t, 2000, 999); /* until something better is known */
	tb_alias(&t, 2000, 1000);
	tb_alias(&t, 2001, 1000);
	feed();
	cr_expect(tt_stacks_has(stacks, 2001));
	cr_expect(eq(u64, tt_stacks_canonical(stacks, 2000), 1000));
	cr_expect(eq(u64, tt_stacks_canonical(stacks, 1000), 1000));
	cr_expect(eq(u64, tt_stacks_canonical(stacks, 3000), 3000));
	cr_assert(eq(u32, tt_stacks_frames(stacks, 2001, frames, 300, &cut), 2));
	cr_expect(eq(u64, frames[1].ip, 0x20));
	cr_expect(cut, "there is more that could not be followed");
	cr_expect(eq(u64, tt_stacks_nr(stacks), 1));
	cr_expect(eq(u64, tt_stacks_nr_forgotten(stacks), 0));
}

Test(stacks, an_alias_of_nothing)
{
	static const uint64_t ips[] = { 0x10 };

	tb_alias(&t, 1999, 1000);	    /* before its stack */
	tb_stack(&t, 1000, 77, 0, ips, 1);
	tb_alias(&t, 2000, 1001);	    /* never told */
	tb_alias(&t, 2001, TT_STACK_MISSED); /* none was to be had */
	tb_alias(&t, 2002, 1000);
	tb_alias(&t, 2003, 2002); /* of an alias: no recording has it */
	tb_alias(&t, TT_STACK_NONE, 1000);
	feed();
	cr_expect(tt_stacks_has(stacks, 1999));
	cr_expect(not(tt_stacks_has(stacks, 2000)));
	cr_expect(not(tt_stacks_has(stacks, 2001)));
	cr_expect(not(tt_stacks_has(stacks, 2003)));
	cr_expect(not(tt_stacks_has(stacks, TT_STACK_NONE)));
	cr_expect(eq(u64, tt_stacks_canonical(stacks, 2001), TT_STACK_MISSED));
	cr_expect(eq(u64, tt_stacks_canonical(stacks, TT_STACK_NONE), TT_STACK_NONE));
	cr_expect(eq(u64, tt_stacks_nr_forgotten(stacks), 0));
}

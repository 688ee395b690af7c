/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who the page tells apart, and what happens when there are too many. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>

#include "collector/export/html/pairs.h"

#define START_NS 1000000000ull

struct scene {
	struct tt_info info;
	struct tt_view view;
	struct tt_world *world;
	struct tt_page_parties *parties;
};

static void open_scene(struct scene *s)
{
	s->info.user_hz = 100;
	cr_assert(eq(int, tt_world_open(&s->info, &s->world), 0));
	cr_assert(eq(int, tt_page_parties_open(s->world, &s->parties), 0));
}

static void close_scene(struct scene *s)
{
	tt_page_parties_close(s->parties);
	tt_world_close(s->world);
}

static void tell(struct scene *s, struct tt_task rec)
{
	struct tt_ev_record ev = { { TT_EV_TASK, TT_CPU_NONE, 0, START_NS }, &rec.rec };

	rec.rec = (struct tt_record){
		.size = sizeof(rec), .kind = TT_EV_TASK, .cpu = TT_CPU_NONE, .ts_ns = START_NS
	};
	tt_world_event(s->world, &ev.ev);
	tt_page_parties_event(s->parties, &ev.ev);
}

/* A task appears, or is told of again, under a name: "a" or "b". */
static void tell_task(struct scene *s, uint32_t tid, uint64_t start_ns, char name, uint64_t cgroup_id)
{
	tell(s, (struct tt_task){ .start_ns = start_ns,
				  .tid = tid,
				  .pid = tid,
				  .cgroup_id = cgroup_id,
				  .why = TT_TASK_FORK,
				  .comm = { name } });
}

static void add_task(struct scene *s, uint32_t tid, uint64_t start_ns, char name)
{
	tell_task(s, tid, start_ns, name, 0);
}

Test(page_parties, a_task_stays_the_same_and_a_used_tid_is_another)
{
	struct scene s = { 0 };
	uint32_t first;

	open_scene(&s);
	add_task(&s, 7, 100, 'a');
	first = tt_page_party_of_task(s.parties, 7);
	cr_expect(eq(u32, tt_page_party_of_task(s.parties, 7), first));
	cr_expect(ne(u32, tt_page_party_of_task(s.parties, 8), first));
	add_task(&s, 7, 200, 'b');
	cr_expect(ne(u32, tt_page_party_of_task(s.parties, 7), first));
	cr_expect(eq(u32, tt_page_party_of_task(s.parties, 0), tt_page_party_of_name(s.parties, "idle")));
	cr_expect(eq(u64, tt_page_parties_nr_folded(s.parties), 0));
	close_scene(&s);
}

Test(page_parties, too_many_tasks_share_by_name)
{
	struct scene s = { 0 };
	uint32_t a = 0, b = 0;

	open_scene(&s);
	for (uint32_t tid = 1; tid <= TT_PAGE_TASKS_MAX + 10; tid++) {
		add_task(&s, tid, tid, tid % 2 ? 'a' : 'b');
		*(tid % 2 ? &a : &b) = tt_page_party_of_task(s.parties, tid);
	}
	cr_expect(eq(u64, tt_page_parties_nr_folded(s.parties), 10));
	cr_expect(ne(u32, a, b));
	cr_expect(eq(u32, tt_page_shared_party(s.parties, a), a), "is all of them already");
	cr_expect(eq(u32, tt_page_shared_party(s.parties, tt_page_party_of_task(s.parties, 1)), a));
	cr_expect(eq(u32, tt_page_shared_party(s.parties, TT_PAGE_PARTY_OTHERS), TT_PAGE_PARTY_OTHERS));
	cr_expect(ne(u32, tt_page_party_of_name(s.parties, "a"), a), "a word of ours is no task");
	close_scene(&s);
}

Test(page_parties, those_that_share_are_in_one_cgroup)
{
	struct scene s = { 0 };
	uint32_t in_31, in_32, moved;

	open_scene(&s);
	for (uint32_t tid = 1; tid <= TT_PAGE_TASKS_MAX; tid++) {
		tell_task(&s, tid, tid, 'a', tid % 2 ? 31 : 32);
		tt_page_party_of_task(s.parties, tid);
	}
	tell_task(&s, 20001, 1, 'a', 31);
	tell_task(&s, 20002, 1, 'a', 32);
	in_31 = tt_page_party_of_task(s.parties, 20001);
	in_32 = tt_page_party_of_task(s.parties, 20002);
	cr_expect(ne(u32, in_31, in_32));
	cr_expect(eq(u32, tt_page_shared_party(s.parties, tt_page_party_of_task(s.parties, 1)), in_31));
	cr_expect(eq(u32, tt_page_shared_party(s.parties, tt_page_party_of_task(s.parties, 2)), in_32));
	tell_task(&s, 20001, 1, 'a', 32);
	moved = tt_page_party_of_task(s.parties, 20001);
	cr_expect(eq(u32, moved, in_32), "it shares with those of where it moved to");
	close_scene(&s);
}

Test(page_parties, a_task_is_another_party_in_each_cgroup)
{
	struct scene s = { 0 };
	uint32_t before, in_a, in_b;

	open_scene(&s);
	add_task(&s, 7, 100, 'a');
	before = tt_page_party_of_task(s.parties, 7);
	tell_task(&s, 7, 100, 'a', 31);
	in_a = tt_page_party_of_task(s.parties, 7);
	cr_expect(ne(u32, in_a, before), "the report counts as not known what was before, too");
	tell_task(&s, 7, 100, 'a', 32);
	in_b = tt_page_party_of_task(s.parties, 7);
	cr_expect(ne(u32, in_b, in_a));
	tell_task(&s, 7, 100, 'b', 31);
	cr_expect(eq(u32, tt_page_party_of_task(s.parties, 7), in_a), "back where it was");
	tell_task(&s, 7, 200, 'a', 32);
	cr_expect(gt(u32, tt_page_party_of_task(s.parties, 7), in_b), "another task with its tid");
	cr_expect(eq(u64, tt_page_parties_nr_moves_merged(s.parties), 0));
	for (uint32_t tid = 100; tid < TT_PAGE_TASKS_MAX + 100; tid++)
		tt_page_party_of_task(s.parties, tid);
	in_a = tt_page_party_of_task(s.parties, 7);
	tell_task(&s, 7, 200, 'a', 33);
	cr_expect(eq(u32, tt_page_party_of_task(s.parties, 7), in_a), "there is no room");
	cr_expect(eq(u64, tt_page_parties_nr_moves_merged(s.parties), 1));
	close_scene(&s);
}

Test(page_parties, the_threads_of_a_process_move_with_it)
{
	struct scene s = { 0 };
	uint32_t thread, other;

	open_scene(&s);
	for (uint32_t tid = 1; tid <= 3; tid++)
		tell(&s, (struct tt_task){ .start_ns = 1,
					   .tid = tid,
					   .pid = tid == 3 ? 3 : 1,
					   .cgroup_id = 31,
					   .why = TT_TASK_FORK });
	thread = tt_page_party_of_task(s.parties, 2);
	other = tt_page_party_of_task(s.parties, 3);
	tell(&s, (struct tt_task){ .start_ns = 1,
				   .tid = 1,
				   .pid = 1,
				   .cgroup_id = 32,
				   .why = TT_TASK_CGROUP,
				   .flags = TT_TASK_WHOLE_PROCESS });
	cr_expect(ne(u32, tt_page_party_of_task(s.parties, 2), thread));
	cr_expect(eq(u32, tt_page_party_of_task(s.parties, 3), other));
	close_scene(&s);
}

Test(page_parties, a_task_stays_the_same_however_many_come_and_go)
{
	struct scene s = { 0 };
	uint32_t first, moved, nr_tids = 5 * TT_PAGE_PARTIES_MAX;

	open_scene(&s);
	tell_task(&s, 1, 100, 'a', 31);
	tell_task(&s, 2, 100, 'a', 31);
	first = tt_page_party_of_task(s.parties, 1);
	tt_page_party_of_task(s.parties, 2);
	tell_task(&s, 2, 100, 'a', 32);
	moved = tt_page_party_of_task(s.parties, 2);
	for (uint32_t tid = 3; tid < nr_tids; tid++)
		tt_page_party_of_task(s.parties, tid);
	cr_expect(eq(u32, tt_page_party_of_task(s.parties, 1), first));
	cr_expect(eq(u32, tt_page_party_of_task(s.parties, 2), moved));
	cr_expect(ge(u64, tt_page_parties_nr_folded(s.parties), nr_tids - 3 - TT_PAGE_TASKS_MAX));
	close_scene(&s);
}

Test(page_parties, too_many_names_are_others)
{
	struct scene s = { 0 };
	char name[16];
	uint32_t last = 1;

	open_scene(&s);
	for (unsigned i = 0; i < TT_PAGE_PARTIES_MAX; i++) {
		snprintf(name, sizeof(name), "%u", i);
		last = tt_page_party_of_name(s.parties, name);
		cr_assert(lt(u32, last, TT_PAGE_PARTIES_MAX));
	}
	cr_expect(eq(u32, last, TT_PAGE_PARTY_OTHERS));
	close_scene(&s);
}

/* Each of 200 tasks wakes each: more pairs than there is room for. What is charged is all there. */
Test(page_pairs, too_many_pairs_are_those_of_names)
{
	enum { NR = 200 };
	struct tt_page_cells *cells = NULL;
	struct tt_page_pairs *pairs = NULL;
	struct scene s = { 0 };
	uint64_t wait_ns = 0;

	open_scene(&s);
	cr_assert(eq(int, tt_page_cells_open(START_NS, 1 << 17, &cells), 0));
	cr_assert(eq(int, tt_page_pairs_open(s.world, &s.view, s.parties, cells, &pairs), 0));
	for (uint32_t tid = 1; tid <= NR; tid++)
		add_task(&s, tid, tid, tid % 2 ? 'a' : 'b');
	for (uint32_t i = 0; i < NR * NR; i++) {
		struct tt_ev_switch sw = { .ev = { TT_EV_SWITCH, 0, 0, START_NS + 1000 + i },
					   .next_tid = 1 + i / NR,
					   .waker_tid = 1 + i % NR,
					   .wait_ns = 10,
					   .wait_kind = TT_WAIT_WAKEUP };

		tt_world_event(s.world, &sw.ev);
		tt_page_pairs_event(pairs, &sw.ev);
	}
	tt_page_cells_finish(cells);
	for (uint32_t i = 0; i < tt_page_cells_nr(cells); i++)
		wait_ns += tt_page_cells_get(cells, i)->ns;
	cr_expect(eq(u64, wait_ns, 2ull * NR * NR * 10), "as a waker's, and as an occupant's");
	cr_expect(gt(u64, tt_page_pairs_nr_merged(pairs), NR * NR - TT_PAGE_TASK_PAIRS_MAX - NR));
	cr_expect(lt(u32, tt_page_pairs_nr(pairs), TT_PAGE_TASK_PAIRS_MAX + 10), "two names, not (others)");
	tt_page_pairs_close(pairs);
	tt_page_cells_close(cells);
	close_scene(&s);
}

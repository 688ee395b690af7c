/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/event/stat_line.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#define S 1000000000ull

enum { USER, SYSTEM = 2, IDLE = 3 };

static struct tt_stat_line line;
static uint64_t grown[TT_STAT_NR];

TestSuite(stat_line);

static bool follow(uint64_t ts_ns, uint64_t user, uint64_t idle, uint64_t steal, bool was_away)
{
	struct tt_cpu_counters now = { .rec.ts_ns = ts_ns };

	now.ticks[USER] = user;
	now.ticks[IDLE] = idle;
	now.ticks[TT_STAT_STEAL] = steal;
	return tt_stat_line_follow(&line, &now, 100, was_away, grown);
}

Test(stat_line, the_first_line_is_where_it_begins)
{
	cr_expect(not(follow(5 * S, 1000, 2000, 360000, false)));
	cr_expect(eq(u64, grown[USER], 0));
	cr_expect(eq(u64, grown[TT_STAT_STEAL], 0));
	cr_expect(not(follow(6 * S, 1060, 2030, 360010, false)));
	cr_expect(eq(u64, grown[USER], 60));
	cr_expect(eq(u64, grown[IDLE], 30));
	cr_expect(eq(u64, grown[TT_STAT_STEAL], 10));
}

Test(stat_line, steal_that_leaps_counts_for_what_the_others_leave_of_the_time)
{
	follow(5 * S, 1000, 2000, 10, false);
	cr_expect(follow(6 * S, 1060, 2030, 360010, false));
	cr_expect(eq(u64, grown[TT_STAT_STEAL], 10));
	cr_expect(not(follow(7 * S, 1120, 2060, 360020, false)), "from there on it goes on");
	cr_expect(eq(u64, grown[TT_STAT_STEAL], 10));
	cr_expect(follow(8 * S, 1200, 2090, 720000, false));
	cr_expect(eq(u64, grown[TT_STAT_STEAL], 0), "they leave nothing");
}

Test(stat_line, steal_that_goes_back_counts_nothing_and_goes_on_from_there)
{
	follow(5 * S, 1000, 2000, 500, false);
	cr_expect(follow(6 * S, 1060, 2030, 450, false));
	cr_expect(eq(u64, grown[TT_STAT_STEAL], 0));
	cr_expect(not(follow(7 * S, 1120, 2060, 470, false)));
	cr_expect(eq(u64, grown[TT_STAT_STEAL], 20));
}

Test(stat_line, a_second_more_than_the_time_is_no_jump)
{
	follow(5 * S, 1000, 2000, 0, false);
	cr_expect(not(follow(6 * S, 1000, 2001, 200, false)));
	cr_expect(eq(u64, grown[TT_STAT_STEAL], 200));
	cr_expect(follow(7 * S, 1000, 2001, 401, false));
	cr_expect(eq(u64, grown[TT_STAT_STEAL], 100));
}

Test(stat_line, a_cpu_that_stood_still_is_charged_for_all_of_it)
{
	follow(5 * S, 1000, 2000, 0, false);
	follow(6 * S, 1100, 2000, 0, false);
	for (unsigned i = 7; i < 15; i++)
		follow(i * S, 1100, 2000, 0, false);
	cr_expect(not(follow(15 * S, 1110, 2000, 890, false)));
	cr_expect(eq(u64, grown[TT_STAT_STEAL], 890));
}

Test(stat_line, a_cpu_that_came_back_is_no_jump)
{
	follow(5 * S, 1000, 2000, 500, false);
	cr_expect(not(follow(25 * S, 1010, 20, 510, true)), "its idle time began anew");
	cr_expect(eq(u64, grown[USER], 10));
	cr_expect(eq(u64, grown[IDLE], 0));
	cr_expect(eq(u64, grown[TT_STAT_STEAL], 10));
	cr_expect(not(follow(30 * S, 3, 10, 1, true)), "everything did");
	cr_expect(eq(u64, grown[TT_STAT_STEAL], 0));
	cr_expect(not(follow(31 * S, 1, 2, 0, false)), "and it was back before anybody looked");
	cr_expect(eq(u64, grown[TT_STAT_STEAL], 0));
	cr_expect(follow(41 * S, 1, 2, UINT64_MAX, true), "an old kernel's underflow");
	cr_expect(eq(u64, grown[TT_STAT_STEAL], 1000));
}

Test(stat_line, hostile_numbers_do_no_harm)
{
	struct tt_cpu_counters now = { .rec.ts_ns = S };

	tt_stat_line_follow(&line, &now, 0, false, grown);
	memset(now.ticks, 0xff, sizeof(now.ticks));
	now.rec.ts_ns = UINT64_MAX;
	tt_stat_line_follow(&line, &now, UINT32_MAX, false, grown);
	cr_expect(eq(u64, grown[TT_STAT_STEAL], 0));
	now.rec.ts_ns = 1;
	memset(now.ticks, 0, sizeof(now.ticks));
	tt_stat_line_follow(&line, &now, 1, true, grown);
	cr_expect(eq(u64, grown[TT_STAT_STEAL], 0));
}

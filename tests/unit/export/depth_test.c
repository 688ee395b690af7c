/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/export/depth.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <string.h>

static char seen[256];
static uint64_t nr_seen, last_ts_ns, max_depth;

static void note(void *ctx, uint32_t key, uint64_t ts_ns, uint64_t depth)
{
	size_t len = strlen(seen);

	(void)ctx;
	cr_expect(ge(u64, ts_ns, last_ts_ns), "in time order");
	last_ts_ns = ts_ns;
	max_depth = depth > max_depth ? depth : max_depth;
	nr_seen++;
	snprintf(seen + len, sizeof(seen) - len, "%u@%llu=%llu ", key, (unsigned long long)ts_ns,
		 (unsigned long long)depth);
}

static struct tt_depth *open(uint32_t nr_keys)
{
	struct tt_depth *d;

	cr_assert(eq(int, tt_depth_open(nr_keys, note, NULL, &d), 0));
	return d;
}

Test(depth, spans_told_at_their_ends_are_counted_in_time_order)
{
	struct tt_depth *d = open(2);

	tt_depth_add(d, 0, 10, 20);
	tt_depth_add(d, 1, 5, 25);
	tt_depth_add(d, 0, 1, 30);
	tt_depth_finish(d);
	cr_expect(eq(str, seen, "0@1=1 1@5=1 0@10=2 0@20=1 1@25=0 0@30=0 "));
	cr_expect(eq(u64, tt_depth_nr_late(d), 0));
	tt_depth_close(d);
}

Test(depth, one_after_the_other_is_never_two)
{
	struct tt_depth *d = open(1);

	tt_depth_add(d, 0, 10, 20);
	tt_depth_add(d, 0, 20, 30);
	tt_depth_add(d, 0, 20, 20); /* of no time */
	tt_depth_finish(d);
	cr_expect(eq(u64, max_depth, 1));
	cr_expect(eq(u64, nr_seen, 4));
	tt_depth_close(d);
}

Test(depth, beyond_the_bound_a_span_that_began_before_what_was_given_is_counted)
{
	struct tt_depth *d = open(1);
	uint64_t nr = TT_DEPTH_EDGES_MAX; /* spans: twice as many edges */

	for (uint64_t i = 0; i < nr; i++)
		tt_depth_add(d, 0, 10 * i + 10, 10 * i + 15);
	cr_expect(gt(u64, nr_seen, 0), "given early");
	tt_depth_add(d, 0, 5, 10 * nr); /* since the beginning */
	tt_depth_add(d, 0, 5, 9);	/* all of it is late */
	tt_depth_finish(d);
	cr_expect(eq(u64, tt_depth_nr_late(d), 2));
	cr_expect(eq(u64, nr_seen, 2 * nr + 2));
	cr_expect(eq(u64, max_depth, 2));
	tt_depth_close(d);
	tt_depth_close(NULL);
}

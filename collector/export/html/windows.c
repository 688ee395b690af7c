/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/export/html/windows.h"

struct cursor {
	const struct tt_world *world;
	const struct tt_interval *interval;
	unsigned cpu, i; /* of its windows: the next one */
	struct tt_world_window window;
};

/* The i-th window of a CPU; the last one may still be open. False: there are no more. */
static bool get_window(struct cursor *c)
{
	const struct tt_world_cpu *cpu = tt_world_cpu(c->world, c->cpu);

	if (!cpu->seen || c->i >= cpu->nr_closed + cpu->online)
		return false;
	c->window = c->i < cpu->nr_closed
			    ? cpu->closed[c->i]
			    : (struct tt_world_window){ cpu->begin_ts_ns, c->interval->to_ts_ns };
	c->i++;
	if (c->window.begin_ts_ns < c->interval->from_ts_ns)
		c->window.begin_ts_ns = c->interval->from_ts_ns;
	if (!c->interval->whole && c->window.end_ts_ns > c->interval->to_ts_ns)
		c->window.end_ts_ns = c->interval->to_ts_ns;
	return true;
}

static bool next_window(struct cursor *c)
{
	for (; c->cpu < tt_world_nr_cpus(c->world); c->cpu++, c->i = 0) {
		while (get_window(c)) {
			if (c->window.begin_ts_ns < c->window.end_ts_ns)
				return true;
		}
	}
	return false;
}

static uint64_t since(uint64_t ts_ns, uint64_t origin_ts_ns)
{
	return ts_ns > origin_ts_ns ? ts_ns - origin_ts_ns : 0;
}

void tt_page_windows_put(const struct tt_world *world, const struct tt_interval *interval,
			 uint64_t origin_ts_ns, struct tt_page_pack *pack)
{
	tt_page_pack_column(pack, "window.cpu", TT_PAGE_DELTA);
	for (struct cursor c = { .world = world, .interval = interval }; next_window(&c);)
		tt_page_pack_number(pack, c.cpu);
	tt_page_pack_column(pack, "window.begin", TT_PAGE_DELTA);
	for (struct cursor c = { .world = world, .interval = interval }; next_window(&c);)
		tt_page_pack_number(pack, since(c.window.begin_ts_ns, origin_ts_ns));
	tt_page_pack_column(pack, "window.end", TT_PAGE_DELTA);
	for (struct cursor c = { .world = world, .interval = interval }; next_window(&c);)
		tt_page_pack_number(pack, since(c.window.end_ts_ns, origin_ts_ns));
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/event/stat_line.h"

#include <string.h>

#define SLACK_NS 1000000000ull /* as bpf/probe.bpf.h has */

static uint64_t ns_to_ticks(uint64_t ns, uint32_t user_hz)
{
	return (uint64_t)((double)ns * (user_hz ? user_hz : 100) / 1e9);
}

/* What the other columns leave of the time. Those behind steal are parts of user and nice. */
static uint64_t believable_ticks(const uint64_t *grown, uint64_t elapsed_ns, uint32_t user_hz)
{
	uint64_t left_ticks = ns_to_ticks(elapsed_ns, user_hz);

	for (unsigned i = 0; i < TT_STAT_STEAL; i++)
		left_ticks -= grown[i] < left_ticks ? grown[i] : left_ticks;
	return grown[TT_STAT_STEAL] < left_ticks ? grown[TT_STAT_STEAL] : left_ticks;
}

bool tt_stat_line_follow(struct tt_stat_line *line, const struct tt_cpu_counters *now, uint32_t user_hz,
			 bool was_away, uint64_t ret_grown[TT_STAT_NR])
{
	uint64_t ts_ns = now->rec.ts_ns, elapsed_ns;
	bool is_first = !line->ts_ns, moved = false, others_back = false, jumped = false;

	for (unsigned i = 0; i < TT_STAT_NR; i++) {
		bool back = now->ticks[i] < line->ticks[i];

		ret_grown[i] = is_first || back ? 0 : now->ticks[i] - line->ticks[i];
		moved |= now->ticks[i] != line->ticks[i];
		others_back |= back && i != TT_STAT_STEAL;
	}
	elapsed_ns = ts_ns > line->moved_ts_ns ? ts_ns - line->moved_ts_ns : 0;
	if (is_first)
		moved = true;
	else if (now->ticks[TT_STAT_STEAL] < line->ticks[TT_STAT_STEAL])
		jumped = !was_away && !others_back;
	else
		jumped = ret_grown[TT_STAT_STEAL] > ns_to_ticks(elapsed_ns, user_hz) + ns_to_ticks(SLACK_NS, user_hz);
	if (jumped)
		ret_grown[TT_STAT_STEAL] = believable_ticks(ret_grown, elapsed_ns, user_hz);
	line->ts_ns = ts_ns;
	memcpy(line->ticks, now->ticks, sizeof(line->ticks));
	if (moved)
		line->moved_ts_ns = ts_ns;
	return jumped;
}

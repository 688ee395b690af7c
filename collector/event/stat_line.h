/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stat_line - one CPU's line of /proc/stat after the other: by how much each column grew, as far as that can be.
 *
 * A column that went back has grown by 0. Steal jumps when it goes back, or grows by more than the time in which it can have been
 * stolen, and a second: a hypervisor may report in one piece what it collected. That time begins where the line last moved,
 * because a CPU that is stolen for long stands still and is charged afterwards. A jump counts for what the other columns leave of it.
 *
 * A line that was missing in between, or of which other columns went back too, is that of a CPU that went and came: some kernels
 * begin its counters anew, and then steal that went back is no jump.
 *
 * Plain value: zero it to initialise. Never fails.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "bpf/event.h"

struct tt_stat_line {
	uint64_t ts_ns;	      /* of the last line; 0 = none yet */
	uint64_t moved_ts_ns; /* of the last line that differed from the one before */
	uint64_t ticks[TT_STAT_NR];
};

/* Growth since the line before, 0 for the first; true = steal jumped. was_away: the CPU had no line at the last look. */
bool tt_stat_line_follow(struct tt_stat_line *line, const struct tt_cpu_counters *now, uint32_t user_hz,
			 bool was_away, uint64_t ret_grown[TT_STAT_NR]);

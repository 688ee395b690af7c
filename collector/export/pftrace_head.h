/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pftrace_head - what a Perfetto trace begins with: clocks, the machine, the groups of tracks, what was recorded and how.
 *
 * Perfetto takes the times of a trace for CLOCK_BOOTTIME, and so they are called here. They are CLOCK_MONOTONIC: less by what the machine
 * was suspended.
 */
#pragma once

#include "collector/export/pftrace.h"
#include "collector/session/info.h"

void tt_pftrace_head(struct tt_pftrace *t, const struct tt_info *info, uint64_t from_ts_ns);

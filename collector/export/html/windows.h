/* SPDX-License-Identifier: GPL-2.0-or-later */
/* windows - when each CPU was recorded: columns "window.cpu" "window.begin" "window.end" (ns since origin). */
#pragma once

#include "collector/aggregate/aggregator.h"
#include "collector/export/html/pack.h"

void tt_page_windows_put(const struct tt_world *world, const struct tt_interval *interval,
			 uint64_t origin_ts_ns, struct tt_page_pack *pack);

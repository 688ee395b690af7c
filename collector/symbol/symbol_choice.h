/* SPDX-License-Identifier: GPL-2.0-or-later */
/* symbol_choice - which of several names for one address to show.
 *
 * In this order: one with a size, one that is no relic (a version that nothing is linked with any more, "cfree@GLIBC_2.2.5"), not a weak one,
 * a global one, few leading underscores, the longest. But for the relics that is what perf does (tools/perf/util/symbol.c,
 * choose_best_symbol), so that both tell the same names.
 */
#pragma once

#include "collector/base/slice.h"

struct tt_symbol_choice {
	struct tt_slice name;
	bool has_size, is_relic, is_weak, is_global;
};

/* Below 0: a is the better name. A total order. */
int tt_symbol_compare(const struct tt_symbol_choice *a, const struct tt_symbol_choice *b);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pftrace_stacks - stacks of hits as call stacks of a Perfetto trace, each told once, with its functions and files.
 *
 * Bounds: TT_PFTRACE_STACKS_MAX stacks, as many functions; beyond them a hit has no call stack, and is counted.
 */
#pragma once

#include "collector/export/hit.h"
#include "collector/export/pftrace.h"

enum { TT_PFTRACE_STACKS_MAX = 1 << 18 };

struct tt_pftrace_stacks;

/* t and stacks outlive it; stacks are complete. -ENOMEM. */
int tt_pftrace_stacks_open(struct tt_pftrace *t, const struct tt_stacks *stacks,
			   struct tt_pftrace_stacks **ret_ps);
void tt_pftrace_stacks_close(struct tt_pftrace_stacks *ps);
/* Its iid; 0 = it has no stack, or that found no room. Frames that a hit has on top, or in place of a stack, are left out. */
uint64_t tt_pftrace_callstack(struct tt_pftrace_stacks *ps, const struct tt_hit *hit);
uint64_t tt_pftrace_stacks_nr_merged(const struct tt_pftrace_stacks *ps); /* hits */

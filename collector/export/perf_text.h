/* SPDX-License-Identifier: GPL-2.0-or-later */
/* perf_text - hits as `perf script` prints samples with call chains, in the subset that all of its readers take.
 *
 *   comm pid/tid [cpu] sec.usec: weight_ns timethief-steal:
 *   <TAB>      ffffffff810b1234 function ([kernel.kallsyms])
 *   <empty line>
 *
 * One cause an output: readers keep the first event type only. Times never go back (speedscope refuses that): an event that came late
 * has the time of the one before it. docs/exports.md.
 */
#pragma once

#include "collector/export/hit.h"
#include "collector/export/out.h"

struct tt_perf_text;

/* out and stacks outlive it. -ENOMEM. */
int tt_perf_text_open(struct tt_out *out, const struct tt_stacks *stacks, enum tt_cause cause,
		      bool with_wakers, struct tt_perf_text **ret_pt);
void tt_perf_text_close(struct tt_perf_text *pt);
/* The record nr times, each with this weight. 0 or -ENOMEM. */
int tt_perf_text_put(struct tt_perf_text *pt, const struct tt_hit *hit, uint64_t weight_ns, uint64_t nr);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fold - hits summed up by task and stack, before anybody knows what the stacks are.
 *
 * Equal are hits of the same cause and top frame, the same stack ids, the same name of a task, and what TT_FOLD_BY_* says. Bound:
 * TT_FOLD_MAX of them and TT_FOLD_NAME_BYTES_MAX of names; beyond it a hit goes to "(others)" of its cause, and is counted. Sums stay exact.
 */
#pragma once

#include "collector/export/hit.h"

enum { TT_FOLD_MAX = 1 << 18, TT_FOLD_NAME_BYTES_MAX = 4 << 20 };

struct tt_fold;

/* by: bits of TT_FOLD_BY_*: what else is told apart. A folded hit has no tid and pid, cgroup or CPU but by these. -ENOMEM. */
enum { TT_FOLD_BY_NAME = 0, TT_FOLD_BY_TASK = 1, TT_FOLD_BY_CGROUP = 2, TT_FOLD_BY_CPU = 4 };
int tt_fold_open(unsigned by, struct tt_fold **ret_f);
void tt_fold_close(struct tt_fold *f);
/* Which folded hit it went to: a number of tt_fold_get. */
uint32_t tt_fold_add(struct tt_fold *f, const struct tt_hit *hit);

uint32_t tt_fold_nr(const struct tt_fold *f);
/* The i-th in order of first appearance, as a hit that has all the weight and is all of their nr; names are valid as long as f. ret_nr (may
 * be NULL): of how many hits. It has no time and no waker. */
void tt_fold_get(const struct tt_fold *f, uint32_t i, struct tt_hit *ret_hit, uint64_t *ret_nr);
uint64_t tt_fold_nr_merged(const struct tt_fold *f);

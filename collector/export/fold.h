/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fold - hits summed up by task and stack, before anybody knows what the stacks are.
 *
 * Equal are hits of the same cause and top frame, the same task and the same stack ids; where it is asked for, of the same CPU and
 * cgroup, too. Bound: TT_FOLD_MAX of them and TT_FOLD_NAME_BYTES_MAX of names; beyond it a hit goes to "(others)" of its cause, and is
 * counted. Sums stay exact.
 */
#pragma once

#include "collector/export/hit.h"

enum { TT_FOLD_MAX = 1 << 18, TT_FOLD_NAME_BYTES_MAX = 4 << 20 };

struct tt_fold;

/* by_label: tasks, CPUs and cgroups are told apart; else only tasks' names are, and a folded hit has no tid, pid, CPU or cgroup. -ENOMEM. */
int tt_fold_open(bool by_label, struct tt_fold **ret_f);
void tt_fold_close(struct tt_fold *f);
void tt_fold_add(struct tt_fold *f, const struct tt_hit *hit);

uint32_t tt_fold_nr(const struct tt_fold *f);
/* The i-th in order of first appearance, as a hit that has all the weight and is all of their nr; names are valid as long as f. ret_nr (may
 * be NULL): of how many hits. It has no time and no waker. */
void tt_fold_get(const struct tt_fold *f, uint32_t i, struct tt_hit *ret_hit, uint64_t *ret_nr);
uint64_t tt_fold_nr_merged(const struct tt_fold *f);

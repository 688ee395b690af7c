/* SPDX-License-Identifier: GPL-2.0-or-later */
/* profile - stacks with their tasks, as columns: a tree of functions, and entries (cause, task's name, cgroup, stack) that end in it.
 *
 * At most TT_PAGE_ENTRIES_MAX entries of each cause, the heaviest; the others are one entry of the cause without a stack, "(others)".
 * Nodes that no entry leads to are left out.
 */
#pragma once

#include "collector/export/fold.h"
#include "collector/export/html/cgroups.h"
#include "collector/export/tree.h"

enum { TT_PAGE_ENTRIES_MAX = 16384 };

struct tt_page_profile {
	const struct tt_fold *fold;
	struct tt_tree *tree; /* owned */
	uint32_t *order;      /* owned: folded hits in the order of entries */
	uint32_t nr;	      /* of them; the entries "(others)" follow, one for each cause */
	uint32_t *places;     /* owned: by folded hit, which entry it is */
	uint64_t others_ns[TT_CAUSE_NR];
	uint64_t nr_merged; /* hits in "(others)", or with less than all of their stack */
};

/* fold and stacks as they are at the end of a session. -ENOMEM. */
int tt_page_profile_make(const struct tt_fold *fold, const struct tt_stacks *stacks,
			 struct tt_page_profile *p);
void tt_page_profile_close(struct tt_page_profile *p);

/* Columns PREFIX + "node.parent" (place of an earlier node + 1, 0 = none) "node.name" (place in "name") "node.kind" (enum tt_frame_kind)
 * "name" "entry.cause" "entry.task" "entry.node" (place + 1) "entry.ns"; with cgroups also "entry.cgroup". The prefix is "base." or nothing. -ENOMEM. */
int tt_page_profile_put(const struct tt_page_profile *p, bool is_base, struct tt_page_cgroups *cgroups,
			struct tt_page_pack *pack);

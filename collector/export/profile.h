/* SPDX-License-Identifier: GPL-2.0-or-later */
/* profile - what exporters share that fold hits and write a tree of names at the end. */
#pragma once

#include "collector/export/exporter.h"
#include "collector/export/tree.h"

struct tt_profile {
	struct tt_export_context ctx;
	struct tt_fold *fold;
};

int tt_profile_open(const struct tt_export_context *ctx, void **ret_state);
int tt_profile_hit(void *state, const struct tt_hit *hit);
void tt_profile_close(void *state);
/* Makes the tree; counts in end. To be closed. */
int tt_profile_tree(struct tt_profile *p, const struct tt_tree_options *opts, struct tt_export_end *end,
		    struct tt_tree **ret_t);

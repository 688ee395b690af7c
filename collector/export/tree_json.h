/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tree_json - a tree as nested JSON, written as it is walked. */
#pragma once

#include "collector/export/out.h"
#include "collector/export/tree.h"

struct tt_tree_json {
	const char *value;   /* key of a leaf's ns */
	const char *self;    /* name of the child that has what a node with children spent itself */
	bool inner_has_zero; /* nodes with children have a value too: 0 */
};

/* {"name":name,...,"children":[...]}: the root is called name. */
void tt_tree_put_json(struct tt_out *out, const struct tt_tree *t, const char *name,
		      const struct tt_tree_json *how);

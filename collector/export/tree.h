/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tree - stacks merged by the names of their functions, from the root on: what flame graphs and sunbursts show.
 *
 * Made at the end, from folded hits. Bound: TT_TREE_NODES_MAX nodes, TT_TREE_NAMES_MAX names of TT_TREE_NAME_BYTES_MAX; a stack that
 * finds no room ends where it came to, with all its weight, and is counted.
 */
#pragma once

#include "collector/export/fold.h"
#include "collector/export/name.h"

enum {
	TT_TREE_NODES_MAX = 1 << 20,
	TT_TREE_NAMES_MAX = 1 << 18,
	TT_TREE_NAME_BYTES_MAX = 32 << 20,
	TT_TREE_ROOT = 0,	  /* its name is nobody's */
	TT_TREE_END = UINT32_MAX, /* no such node */
};

enum tt_frame_kind { TT_FRAME_KERNEL, TT_FRAME_PROGRAM, TT_FRAME_INLINE, TT_FRAME_MADE, TT_FRAME_TASK };

struct tt_tree_node {
	uint32_t name; /* tt_tree_name, tt_tree_text */
	enum tt_frame_kind kind; /* of the first that is there of this name */
	uint32_t parent, first_child, next_sibling;
	uint64_t self_ns;  /* of stacks that end here */
	uint64_t total_ns; /* and of all below */
};

struct tt_tree_options {
	enum tt_name_style style;
	bool with_tasks; /* the root's children are tasks, in folded stacks' manner: blanks are _ */
	bool with_files; /* functions as d3js_trace names them: without blanks, with "(FILE)" unless it is the kernel */
};

struct tt_tree;

/* Children come sorted by name. -ENOMEM. */
int tt_tree_make(const struct tt_fold *f, const struct tt_stacks *stacks, const struct tt_tree_options *opts,
		 struct tt_tree **ret_t);
void tt_tree_close(struct tt_tree *t);
const struct tt_tree_node *tt_tree_node(const struct tt_tree *t, uint32_t node);
const char *tt_tree_name(const struct tt_tree *t, uint32_t node);
uint32_t tt_tree_nr(const struct tt_tree *t); /* nodes, the root included; a parent's number is below its children's */
uint32_t tt_tree_nr_texts(const struct tt_tree *t);
const char *tt_tree_text(const struct tt_tree *t, uint32_t name);
/* The node where the i-th folded hit ends. */
uint32_t tt_tree_leaf(const struct tt_tree *t, uint32_t i);
uint64_t tt_tree_nr_cut(const struct tt_tree *t); /* hits */

/* Every node but the root, parents before their children, children in order: entered, what is below it, left. depth of the root's children
 * is 1. */
struct tt_tree_walker {
	void (*enter)(void *ctx, const struct tt_tree *t, uint32_t node, unsigned depth);
	void (*leave)(void *ctx, const struct tt_tree *t, uint32_t node, unsigned depth); /* may be NULL */
};
void tt_tree_walk(const struct tt_tree *t, const struct tt_tree_walker *walker, void *ctx);

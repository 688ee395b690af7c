/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/export/tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "collector/aggregate/index.h"
#include "collector/export/frames.h"
#include "collector/export/intern.h"

struct tt_tree {
	struct tt_tree_options opts;
	struct tt_tree_node *nodes;
	uint32_t nr;
	uint32_t *cells; /* node, at most half of them used; 0 = free: the root is never looked for */
	struct tt_intern *names;
	struct tt_index by_frame; /* numbers of names, by tt_frame_key */
	uint64_t nr_cut;
	uint32_t *leaves; /* by folded hit */
	struct tt_frame_info frames[TT_FRAMES_MAX];
};

enum { NR_CELLS = 2 * TT_TREE_NODES_MAX };

static int open_tree(struct tt_tree **ret_t)
{
	struct tt_tree *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	t->nodes = calloc(TT_TREE_NODES_MAX, sizeof(*t->nodes));
	t->cells = calloc(NR_CELLS, sizeof(*t->cells));
	if (!t->nodes || !t->cells || tt_intern_open(TT_TREE_NAMES_MAX, TT_TREE_NAME_BYTES_MAX, &t->names) ||
	    tt_index_open(&t->by_frame, TT_TREE_NAMES_MAX)) {
		tt_tree_close(t);
		return -ENOMEM;
	}
	t->nodes[TT_TREE_ROOT] = (struct tt_tree_node){ .parent = TT_TREE_END,
							.first_child = TT_TREE_END,
							.next_sibling = TT_TREE_END };
	t->nr = 1;
	*ret_t = t;
	return 0;
}

void tt_tree_close(struct tt_tree *t)
{
	if (!t)
		return;
	free(t->nodes);
	free(t->cells);
	free(t->leaves);
	tt_intern_close(t->names);
	tt_index_close(&t->by_frame);
	free(t);
}

/* The child of this name; TT_TREE_END = no room. */
static uint32_t get_child(struct tt_tree *t, uint32_t parent, uint32_t id, enum tt_frame_kind kind)
{
	uint64_t i = ((uint64_t)parent << 32 | id) * 0x9e3779b97f4a7c15ull >> 43;

	_Static_assert(NR_CELLS == 1 << 21, "as many bits as are left");
	if (id == TT_INTERN_NONE)
		return TT_TREE_END;
	while (t->cells[i] && (t->nodes[t->cells[i]].parent != parent || t->nodes[t->cells[i]].name != id))
		i = (i + 1) % NR_CELLS;
	if (t->cells[i])
		return t->cells[i];
	if (t->nr == TT_TREE_NODES_MAX)
		return TT_TREE_END;
	t->nodes[t->nr] = (struct tt_tree_node){ .name = id,
						 .kind = kind,
						 .parent = parent,
						 .first_child = TT_TREE_END,
						 .next_sibling = t->nodes[parent].first_child };
	t->nodes[parent].first_child = t->nr;
	t->cells[i] = t->nr;
	return t->nr++;
}

static void remove_blanks(char *s)
{
	char *to = s;

	for (; *s; s++) {
		if (*s != ' ')
			*to++ = *s;
	}
	*to = '\0';
}

static char *frame_name(const struct tt_tree *t, char *name, size_t size, const struct tt_frame_info *f)
{
	char file[TT_NAME_FRAME_MAX];
	size_t len;

	tt_name_function(name, size, f, t->opts.style);
	if (!t->opts.with_files)
		return name;
	remove_blanks(name);
	tt_name_file(file, sizeof(file), f, TT_NAME_TEXT);
	if (f->is_made || !strcmp(file, "[kernel.kallsyms]") || !strcmp(file, "[unknown]"))
		return name;
	len = strlen(name);
	if (len + strlen(file) + 3 <= size) {
		name[len++] = '(';
		len = (size_t)(stpcpy(name + len, file) - name);
		strcpy(name + len, ")");
	}
	return name;
}

static enum tt_frame_kind kind_of(const struct tt_frame_info *f)
{
	if (f->is_made)
		return TT_FRAME_MADE;
	if (f->is_inlined)
		return TT_FRAME_INLINE;
	return f->is_kernel ? TT_FRAME_KERNEL : TT_FRAME_PROGRAM;
}

static uint32_t frame_id(struct tt_tree *t, const struct tt_frame_info *f)
{
	char name[2 * TT_NAME_FRAME_MAX];
	uint64_t key = tt_frame_key(f);
	uint32_t id = key ? tt_index_find(&t->by_frame, key) : TT_INDEX_NONE;

	if (id != TT_INDEX_NONE)
		return id;
	id = tt_intern_get(t->names, frame_name(t, name, sizeof(name), f));
	if (key && id != TT_INTERN_NONE)
		tt_index_put(&t->by_frame, key, id);
	return id;
}

static char *task_name(const struct tt_tree *t, char *name, size_t size, const struct tt_hit *hit)
{
	tt_name_task(name, size, hit->comm, hit->tid, t->opts.style);
	for (char *c = name; t->opts.style == TT_NAME_TEXT && *c; c++) {
		if (*c == ' ')
			*c = '_';
	}
	return name;
}

/* The node where it ends. */
static uint32_t add_hit(struct tt_tree *t, const struct tt_hit *hit, uint64_t nr_hits,
		    const struct tt_stacks *stacks)
{
	unsigned nr = tt_frames_of_hit(hit, stacks, NULL, t->frames);
	uint32_t node = TT_TREE_ROOT, child = TT_TREE_ROOT;
	char name[TT_NAME_TASK_MAX];

	if (t->opts.with_tasks)
		child = get_child(t, node, tt_intern_get(t->names, task_name(t, name, sizeof(name), hit)),
				  TT_FRAME_TASK);
	while (child != TT_TREE_END && nr) {
		const struct tt_frame_info *f = &t->frames[--nr];

		node = child;
		child = get_child(t, node, frame_id(t, f), kind_of(f));
	}
	if (child == TT_TREE_END)
		t->nr_cut += nr_hits;
	else
		node = child;
	t->nodes[node].self_ns += hit->weight_ns;
	return node;
}

/* A child is always made after its parent. */
static void sum_up(struct tt_tree *t)
{
	for (uint32_t i = t->nr; i--;) {
		t->nodes[i].total_ns += t->nodes[i].self_ns;
		if (i != TT_TREE_ROOT)
			t->nodes[t->nodes[i].parent].total_ns += t->nodes[i].total_ns;
	}
}

static int by_parent_and_name(const void *a, const void *b, void *ctx)
{
	const struct tt_tree *t = ctx;
	const struct tt_tree_node *x = &t->nodes[*(const uint32_t *)a], *y = &t->nodes[*(const uint32_t *)b];

	if (x->parent != y->parent)
		return x->parent < y->parent ? -1 : 1;
	return strcmp(tt_intern_text(t->names, x->name), tt_intern_text(t->names, y->name));
}

static int sort_children(struct tt_tree *t)
{
	uint32_t *order = malloc(t->nr * sizeof(*order));

	if (!order)
		return -ENOMEM;
	for (uint32_t i = 1; i < t->nr; i++)
		order[i - 1] = i;
	qsort_r(order, t->nr - 1, sizeof(*order), by_parent_and_name, t);
	for (uint32_t i = 0; i < t->nr; i++)
		t->nodes[i].first_child = TT_TREE_END;
	for (uint32_t i = t->nr - 1; i--;) {
		struct tt_tree_node *node = &t->nodes[order[i]];

		node->next_sibling = t->nodes[node->parent].first_child;
		t->nodes[node->parent].first_child = order[i];
	}
	free(order);
	return 0;
}

int tt_tree_make(const struct tt_fold *f, const struct tt_stacks *stacks, const struct tt_tree_options *opts,
		 struct tt_tree **ret_t)
{
	struct tt_tree *t;
	int err = open_tree(&t);

	if (err)
		return err;
	t->opts = *opts;
	t->leaves = calloc(tt_fold_nr(f) + 1, sizeof(*t->leaves));
	if (!t->leaves) {
		tt_tree_close(t);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < tt_fold_nr(f); i++) {
		struct tt_hit hit;
		uint64_t nr;

		tt_fold_get(f, i, &hit, &nr);
		t->leaves[i] = add_hit(t, &hit, nr, stacks);
	}
	sum_up(t);
	err = sort_children(t);
	if (err) {
		tt_tree_close(t);
		return err;
	}
	*ret_t = t;
	return 0;
}

const struct tt_tree_node *tt_tree_node(const struct tt_tree *t, uint32_t node)
{
	return &t->nodes[node];
}

const char *tt_tree_name(const struct tt_tree *t, uint32_t node)
{
	return tt_intern_text(t->names, t->nodes[node].name);
}

uint32_t tt_tree_nr(const struct tt_tree *t)
{
	return t->nr;
}

uint32_t tt_tree_nr_texts(const struct tt_tree *t)
{
	return tt_intern_nr(t->names);
}

const char *tt_tree_text(const struct tt_tree *t, uint32_t name)
{
	return tt_intern_text(t->names, name);
}

uint32_t tt_tree_leaf(const struct tt_tree *t, uint32_t i)
{
	return t->leaves[i];
}

uint64_t tt_tree_nr_cut(const struct tt_tree *t)
{
	return t->nr_cut;
}

/* Without recursion: a stack is as deep as a file says. */
void tt_tree_walk(const struct tt_tree *t, const struct tt_tree_walker *walker, void *ctx)
{
	uint32_t node = t->nodes[TT_TREE_ROOT].first_child;
	unsigned depth = 1;

	while (node != TT_TREE_END) {
		walker->enter(ctx, t, node, depth);
		if (t->nodes[node].first_child != TT_TREE_END) {
			node = t->nodes[node].first_child;
			depth++;
			continue;
		}
		for (;;) {
			if (walker->leave)
				walker->leave(ctx, t, node, depth);
			if (t->nodes[node].next_sibling != TT_TREE_END)
				break;
			node = t->nodes[node].parent;
			depth--;
			if (node == TT_TREE_ROOT)
				return;
		}
		node = t->nodes[node].next_sibling;
	}
}

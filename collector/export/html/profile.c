/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/export/html/profile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "collector/export/name.h"

struct ranked {
	uint64_t weight_ns;
	uint32_t i;
	enum tt_cause cause;
};

static int by_cause_and_weight(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;

	if (x->cause != y->cause)
		return x->cause < y->cause ? -1 : 1;
	if (x->weight_ns != y->weight_ns)
		return x->weight_ns > y->weight_ns ? -1 : 1;
	return x->i < y->i ? -1 : x->i > y->i;
}

static void choose(struct tt_page_profile *p, const struct ranked *ranked, uint32_t nr)
{
	uint32_t nr_of_cause[TT_CAUSE_NR] = { 0 };

	for (uint32_t i = 0; i < nr; i++) {
		if (nr_of_cause[ranked[i].cause]++ >= TT_PAGE_ENTRIES_MAX)
			continue;
		p->places[ranked[i].i] = p->nr;
		p->order[p->nr++] = ranked[i].i;
	}
	memset(nr_of_cause, 0, sizeof(nr_of_cause));
	for (uint32_t i = 0; i < nr; i++) {
		struct tt_hit hit;
		uint64_t nr_hits;

		if (nr_of_cause[ranked[i].cause]++ < TT_PAGE_ENTRIES_MAX)
			continue;
		tt_fold_get(p->fold, ranked[i].i, &hit, &nr_hits);
		p->places[ranked[i].i] = p->nr + ranked[i].cause;
		p->others_ns[ranked[i].cause] += ranked[i].weight_ns;
		p->nr_merged += nr_hits;
	}
}

int tt_page_profile_make(const struct tt_fold *fold, const struct tt_stacks *stacks,
			 struct tt_page_profile *p)
{
	struct tt_tree_options opts = { .style = TT_NAME_PLAIN };
	uint32_t nr = tt_fold_nr(fold);
	struct ranked *ranked = calloc(nr + 1, sizeof(*ranked));
	int err;

	*p = (struct tt_page_profile){ .fold = fold };
	p->order = calloc(nr + 1, sizeof(*p->order));
	p->places = calloc(nr + 1, sizeof(*p->places));
	err = ranked && p->order && p->places ? tt_tree_make(fold, stacks, &opts, &p->tree) : -ENOMEM;
	for (uint32_t i = 0; !err && i < nr; i++) {
		struct tt_hit hit;

		tt_fold_get(fold, i, &hit, NULL);
		ranked[i] = (struct ranked){ hit.weight_ns, i, hit.cause };
	}
	if (!err) {
		qsort(ranked, nr, sizeof(*ranked), by_cause_and_weight);
		p->nr_merged = tt_fold_nr_merged(fold) + tt_tree_nr_cut(p->tree);
		choose(p, ranked, nr);
	}
	free(ranked);
	if (err)
		tt_page_profile_close(p);
	return err;
}

void tt_page_profile_close(struct tt_page_profile *p)
{
	tt_tree_close(p->tree);
	free(p->order);
	free(p->places);
	*p = (struct tt_page_profile){ 0 };
}

/* --- columns --- */

/* New numbers of nodes and names, plus 1; 0 = nothing leads there. */
struct numbering {
	uint32_t *nodes, *names;
	uint32_t nr_nodes, nr_names;
};

static int number_nodes(const struct tt_page_profile *p, struct numbering *n)
{
	uint32_t nr = tt_tree_nr(p->tree);

	n->nodes = calloc(nr, sizeof(*n->nodes));
	n->names = calloc(tt_tree_nr_texts(p->tree) + 1, sizeof(*n->names));
	if (!n->nodes || !n->names)
		return -ENOMEM;
	for (uint32_t i = 0; i < p->nr; i++)
		n->nodes[tt_tree_leaf(p->tree, p->order[i])] = 1;
	/* children come after their parents */
	for (uint32_t node = nr; --node;) {
		if (n->nodes[node])
			n->nodes[tt_tree_node(p->tree, node)->parent] = 1;
	}
	n->nodes[TT_TREE_ROOT] = 0;
	for (uint32_t node = 1; node < nr; node++) {
		uint32_t name = tt_tree_node(p->tree, node)->name;

		if (!n->nodes[node])
			continue;
		n->nodes[node] = ++n->nr_nodes;
		if (!n->names[name])
			n->names[name] = ++n->nr_names;
	}
	return 0;
}

static void put_names(const struct tt_page_profile *p, const struct numbering *n, const char *column,
		      struct tt_page_pack *pack)
{
	uint32_t nr = 0;

	tt_page_pack_column(pack, column, TT_PAGE_TEXTS);
	/* numbered in the order in which nodes name them */
	for (uint32_t node = 1; node < tt_tree_nr(p->tree); node++) {
		const char *text = tt_tree_text(p->tree, tt_tree_node(p->tree, node)->name);

		if (!n->nodes[node] || n->names[tt_tree_node(p->tree, node)->name] != nr + 1)
			continue;
		tt_page_pack_text(pack, text, strlen(text));
		nr++;
	}
}

enum what { NODE_PARENT, NODE_NAME, NODE_KIND };

static void put_nodes(const struct tt_page_profile *p, const struct numbering *n, const char *column,
		      enum what what, struct tt_page_pack *pack)
{
	tt_page_pack_column(pack, column, what == NODE_PARENT ? TT_PAGE_DELTA : TT_PAGE_UNSIGNED);
	for (uint32_t i = 1; i < tt_tree_nr(p->tree); i++) {
		const struct tt_tree_node *node = tt_tree_node(p->tree, i);

		if (!n->nodes[i])
			continue;
		if (what == NODE_PARENT)
			tt_page_pack_number(pack, n->nodes[node->parent]);
		else
			tt_page_pack_number(pack, what == NODE_NAME ? n->names[node->name] - 1 : node->kind);
	}
}

static struct tt_hit entry_of(const struct tt_page_profile *p, uint32_t i)
{
	struct tt_hit hit;

	if (i < p->nr) {
		tt_fold_get(p->fold, p->order[i], &hit, NULL);
		return hit;
	}
	return (struct tt_hit){ .cause = (enum tt_cause)(i - p->nr),
				.comm = "(others)",
				.weight_ns = p->others_ns[i - p->nr] };
}

static void put_tasks(const struct tt_page_profile *p, const char *column, struct tt_page_pack *pack)
{
	char name[TT_NAME_TASK_MAX];

	tt_page_pack_column(pack, column, TT_PAGE_TEXTS);
	for (uint32_t i = 0; i < p->nr + TT_CAUSE_NR; i++) {
		struct tt_hit hit = entry_of(p, i);

		tt_name_task(name, sizeof(name), hit.comm, hit.tid, TT_NAME_PLAIN);
		tt_page_pack_text(pack, name, strlen(name));
	}
}

static void put_entries(const struct tt_page_profile *p, const struct numbering *n, bool is_base,
			struct tt_page_cgroups *cgroups, struct tt_page_pack *pack)
{
	tt_page_pack_column(pack, is_base ? "base.entry.cause" : "entry.cause", TT_PAGE_UNSIGNED);
	for (uint32_t i = 0; i < p->nr + TT_CAUSE_NR; i++)
		tt_page_pack_number(pack, entry_of(p, i).cause);
	put_tasks(p, is_base ? "base.entry.task" : "entry.task", pack);
	tt_page_pack_column(pack, is_base ? "base.entry.node" : "entry.node", TT_PAGE_DELTA);
	for (uint32_t i = 0; i < p->nr + TT_CAUSE_NR; i++)
		tt_page_pack_number(pack, i < p->nr ? n->nodes[tt_tree_leaf(p->tree, p->order[i])] : 0);
	tt_page_pack_column(pack, is_base ? "base.entry.ns" : "entry.ns", TT_PAGE_UNSIGNED);
	for (uint32_t i = 0; i < p->nr + TT_CAUSE_NR; i++)
		tt_page_pack_number(pack, entry_of(p, i).weight_ns);
	if (!cgroups)
		return;
	tt_page_pack_column(pack, "entry.cgroup", TT_PAGE_UNSIGNED);
	for (uint32_t i = 0; i < p->nr + TT_CAUSE_NR; i++)
		tt_page_pack_number(pack, tt_page_cgroups_get(cgroups, entry_of(p, i).cgroup_id));
}

int tt_page_profile_put(const struct tt_page_profile *p, bool is_base, struct tt_page_cgroups *cgroups,
			struct tt_page_pack *pack)
{
	struct numbering n = { 0 };
	int err = number_nodes(p, &n);

	if (!err) {
		put_names(p, &n, is_base ? "base.name" : "name", pack);
		put_nodes(p, &n, is_base ? "base.node.parent" : "node.parent", NODE_PARENT, pack);
		put_nodes(p, &n, is_base ? "base.node.name" : "node.name", NODE_NAME, pack);
		put_nodes(p, &n, is_base ? "base.node.kind" : "node.kind", NODE_KIND, pack);
		put_entries(p, &n, is_base, cgroups, pack);
	}
	free(n.nodes);
	free(n.names);
	return err;
}

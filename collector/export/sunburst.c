/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sunburst - nested {"name", "value", "children"}: the JSON that d3.hierarchy and d3-flame-graph read.
 *
 * The two disagree about "value": d3.hierarchy(...).sum(d => d.value) adds a node's own to its children's; d3-flame-graph takes it as
 * the sum. So only leaves have one, ns; a node with children has 0, and time that it spent itself is a child of its own, "[self]". d3-flame-graph
 * sums up nodes of 0, with selfValue(true) and without. */
#include "collector/export/profile.h"

static void put_node(struct tt_out *out, const char *name, uint64_t value)
{
	tt_out_text(out, "{\"name\":");
	tt_out_json(out, name);
	tt_out_text(out, ",\"value\":");
	tt_out_u64(out, value);
}

static void enter_node(void *ctx, const struct tt_tree *t, uint32_t node, unsigned depth)
{
	const struct tt_tree_node *n = tt_tree_node(t, node), *parent = tt_tree_node(t, n->parent);
	struct tt_out *out = ctx;

	(void)depth;
	if (parent->first_child != node || parent->self_ns)
		tt_out_text(out, ",\n");
	if (n->first_child == TT_TREE_END) {
		put_node(out, tt_tree_name(t, node), n->self_ns);
		return;
	}
	put_node(out, tt_tree_name(t, node), 0);
	tt_out_text(out, ",\"children\":[");
	if (!n->self_ns)
		return;
	put_node(out, "[self]", n->self_ns);
	tt_out_char(out, '}');
}

static void leave_node(void *ctx, const struct tt_tree *t, uint32_t node, unsigned depth)
{
	(void)depth;
	if (tt_tree_node(t, node)->first_child != TT_TREE_END)
		tt_out_char(ctx, ']');
	tt_out_char(ctx, '}');
}

static int sunburst_finish(void *state, struct tt_export_end *end)
{
	static const struct tt_tree_walker walker = { enter_node, leave_node };
	struct tt_tree_options opts = { .style = TT_NAME_PLAIN, .with_tasks = true };
	struct tt_profile *p = state;
	struct tt_tree *t;
	int err = tt_profile_tree(p, &opts, end, &t);

	if (err)
		return err;
	put_node(p->ctx.out, "all", 0);
	tt_out_text(p->ctx.out, ",\"children\":[");
	tt_tree_walk(t, &walker, p->ctx.out);
	tt_out_text(p->ctx.out, "]}\n");
	tt_tree_close(t);
	return 0;
}

const struct tt_exporter tt_exporter_sunburst = {
	.name = "sunburst",
	.help = "nested JSON, for d3-hierarchy and d3-flame-graph",
	.open = tt_profile_open,
	.hit = tt_profile_hit,
	.finish = sunburst_finish,
	.close = tt_profile_close,
};

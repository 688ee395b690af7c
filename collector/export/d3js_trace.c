/* SPDX-License-Identifier: GPL-2.0-or-later */
/* d3js_trace - trace_json.js, which the page of the d3js_trace project loads: "var trace_json = " and a tree.
 *
 * As that project's converter makes it from perf script's text: no tasks, functions without blanks, with "(FILE)" behind those of programs and
 * modules; a stack that goes on in others is one more child without a name. Other than there: valid JSON, a stack has its size (ns), not
 * one more, and stacks that differ by their addresses alone are added up. */
#include "collector/export/profile.h"

static void put_leaf(struct tt_out *out, const char *name, uint64_t size)
{
	tt_out_text(out, "{\"name\": ");
	tt_out_json(out, name);
	tt_out_text(out, ", \"size\": ");
	tt_out_u64(out, size);
	tt_out_char(out, '}');
}

static void enter_node(void *ctx, const struct tt_tree *t, uint32_t node, unsigned depth)
{
	const struct tt_tree_node *n = tt_tree_node(t, node), *parent = tt_tree_node(t, n->parent);
	struct tt_out *out = ctx;

	(void)depth;
	if (parent->first_child != node || parent->self_ns)
		tt_out_text(out, ",\n");
	if (n->first_child == TT_TREE_END) {
		put_leaf(out, tt_tree_name(t, node), n->self_ns);
		return;
	}
	tt_out_text(out, "{\"name\": ");
	tt_out_json(out, tt_tree_name(t, node));
	tt_out_text(out, ", \"children\": [");
	if (n->self_ns)
		put_leaf(out, "", n->self_ns);
}

static void leave_node(void *ctx, const struct tt_tree *t, uint32_t node, unsigned depth)
{
	(void)depth;
	if (tt_tree_node(t, node)->first_child != TT_TREE_END)
		tt_out_text(ctx, "]}");
}

static int d3js_trace_finish(void *state, struct tt_export_end *end)
{
	static const struct tt_tree_walker walker = { enter_node, leave_node };
	struct tt_tree_options opts = { .style = TT_NAME_PLAIN, .with_files = true };
	struct tt_profile *p = state;
	struct tt_tree *t;
	int err = tt_profile_tree(p, &opts, end, &t);

	if (err)
		return err;
	tt_out_text(p->ctx.out, "var trace_json = {\"name\": \"All\", \"children\": [");
	tt_tree_walk(t, &walker, p->ctx.out);
	tt_out_text(p->ctx.out, "]}\n");
	tt_tree_close(t);
	return 0;
}

const struct tt_exporter tt_exporter_d3js_trace = {
	.name = "d3js_trace",
	.help = "trace_json.js of the d3js_trace page",
	.open = tt_profile_open,
	.hit = tt_profile_hit,
	.finish = d3js_trace_finish,
	.close = tt_profile_close,
};

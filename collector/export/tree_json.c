/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/export/tree_json.h"

struct writer {
	struct tt_out *out;
	const struct tt_tree_json *how;
};

static void put_value(const struct writer *w, uint64_t value)
{
	tt_out_text(w->out, ",\"");
	tt_out_text(w->out, w->how->value);
	tt_out_text(w->out, "\":");
	tt_out_u64(w->out, value);
}

static void put_name(const struct writer *w, const char *name)
{
	tt_out_text(w->out, "{\"name\":");
	tt_out_json(w->out, name);
}

static void begin_inner(const struct writer *w, const char *name, uint64_t self_ns)
{
	put_name(w, name);
	if (w->how->inner_has_zero)
		put_value(w, 0);
	tt_out_text(w->out, ",\"children\":[");
	if (!self_ns)
		return;
	put_name(w, w->how->self);
	put_value(w, self_ns);
	tt_out_char(w->out, '}');
}

static void enter_node(void *ctx, const struct tt_tree *t, uint32_t node, unsigned depth)
{
	const struct tt_tree_node *n = tt_tree_node(t, node), *parent = tt_tree_node(t, n->parent);
	const struct writer *w = ctx;

	(void)depth;
	if (parent->first_child != node || parent->self_ns)
		tt_out_text(w->out, ",\n");
	if (n->first_child != TT_TREE_END) {
		begin_inner(w, tt_tree_name(t, node), n->self_ns);
		return;
	}
	put_name(w, tt_tree_name(t, node));
	put_value(w, n->self_ns);
	tt_out_char(w->out, '}');
}

static void leave_node(void *ctx, const struct tt_tree *t, uint32_t node, unsigned depth)
{
	(void)depth;
	if (tt_tree_node(t, node)->first_child != TT_TREE_END)
		tt_out_text(((const struct writer *)ctx)->out, "]}");
}

void tt_tree_put_json(struct tt_out *out, const struct tt_tree *t, const char *name,
		      const struct tt_tree_json *how)
{
	static const struct tt_tree_walker walker = { enter_node, leave_node };
	struct writer w = { out, how };

	begin_inner(&w, name, tt_tree_node(t, TT_TREE_ROOT)->self_ns);
	tt_tree_walk(t, &walker, &w);
	tt_out_text(out, "]}");
}

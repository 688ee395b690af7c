/* SPDX-License-Identifier: GPL-2.0-or-later */
/* folded - one line a stack, "task;root;...;leaf NS": what flamegraph.pl, inferno-flamegraph, speedscope and Perfetto read.
 *
 * The lines are those of `timethief script -e CAUSE | stackcollapse-perf.pl`, but for idle CPU time, which that calls swapper. Sorted, so
 * that the same session is the same file. */
#include <stddef.h>

#include "collector/export/frames.h"
#include "collector/export/profile.h"

struct writer {
	struct tt_out *out;
	uint32_t path[TT_FRAMES_MAX + 2]; /* by depth */
};

static void enter_node(void *ctx, const struct tt_tree *t, uint32_t node, unsigned depth)
{
	uint64_t self_ns = tt_tree_node(t, node)->self_ns;
	struct writer *w = ctx;

	w->path[depth - 1] = node;
	if (!self_ns)
		return;
	for (unsigned i = 0; i < depth; i++) {
		tt_out_text(w->out, tt_tree_name(t, w->path[i]));
		tt_out_char(w->out, i + 1 < depth ? ';' : ' ');
	}
	tt_out_u64(w->out, self_ns);
	tt_out_char(w->out, '\n');
}

static int folded_finish(void *state, struct tt_export_end *end)
{
	static const struct tt_tree_walker walker = { enter_node, NULL };
	struct tt_tree_options opts = { .style = TT_NAME_TEXT, .with_tasks = true };
	struct tt_profile *p = state;
	struct writer w = { .out = p->ctx.out };
	struct tt_tree *t;
	int err = tt_profile_tree(p, &opts, end, &t);

	if (err)
		return err;
	tt_tree_walk(t, &walker, &w);
	tt_tree_close(t);
	return 0;
}

const struct tt_exporter tt_exporter_folded = {
	.name = "folded",
	.help = "one line a stack, for flamegraph.pl, inferno, speedscope",
	.open = tt_profile_open,
	.hit = tt_profile_hit,
	.finish = folded_finish,
	.close = tt_profile_close,
};

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sunburst - nested {"name", "value", "children"}: the JSON that d3.hierarchy and d3-flame-graph read.
 *
 * The two disagree about "value": d3.hierarchy(...).sum(d => d.value) adds a node's own to its children's; d3-flame-graph takes it as
 * the sum. So only leaves have one, ns; a node with children has 0, and time that it spent itself is a child of its own, "[self]". d3-flame-graph
 * sums up nodes of 0, with selfValue(true) and without. */
#include "collector/export/profile.h"
#include "collector/export/tree_json.h"

static int sunburst_finish(void *state, struct tt_export_end *end)
{
	static const struct tt_tree_json how = { .value = "value", .self = "[self]", .inner_has_zero = true };
	struct tt_tree_options opts = { .style = TT_NAME_PLAIN, .with_tasks = true };
	struct tt_profile *p = state;
	struct tt_tree *t;
	int err = tt_profile_tree(p, &opts, end, &t);

	if (err)
		return err;
	tt_tree_put_json(p->ctx.out, t, "all", &how);
	tt_out_char(p->ctx.out, '\n');
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

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* d3js_trace - trace_json.js, which the page of the d3js_trace project loads: "var trace_json = " and a tree.
 *
 * As that project's converter makes it from perf script's text: no tasks, functions without blanks, with "(FILE)" behind those of programs and
 * modules; a stack that goes on in others is one more child without a name. Other than there: valid JSON, a stack has its size (ns), not
 * one more, and stacks that differ by their addresses alone are added up. */
#include "collector/export/profile.h"
#include "collector/export/tree_json.h"

static int d3js_trace_finish(void *state, struct tt_export_end *end)
{
	static const struct tt_tree_json how = { .value = "size", .self = "" };
	struct tt_tree_options opts = { .style = TT_NAME_PLAIN, .with_files = true };
	struct tt_profile *p = state;
	struct tt_tree *t;
	int err = tt_profile_tree(p, &opts, end, &t);

	if (err)
		return err;
	tt_out_text(p->ctx.out, "var trace_json = ");
	tt_tree_put_json(p->ctx.out, t, "All", &how);
	tt_out_char(p->ctx.out, '\n');
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

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/export/exporter.h"

#include <jansson.h>

#include "collector/export/fold.h"
#include "collector/export/tree.h"
#include "exporting.h"

Test(exporter, folded)
{
	struct replay r = { 0 };

	expect_golden("export/export-folded.txt", export(&r, &tt_exporter_folded, TT_CAUSES_ALL, 0));
	replay_close(&r);
}

Test(exporter, folded_of_one_cause)
{
	struct replay r = { 0 };

	expect_golden("export/export-folded-steal.txt",
		      export(&r, &tt_exporter_folded, 1u << TT_CAUSE_STEAL, 0));
	replay_close(&r);
}

Test(exporter, sunburst)
{
	struct replay r = { 0 };

	expect_golden("export/export-sunburst.json", export(&r, &tt_exporter_sunburst, TT_CAUSES_ALL, 0));
	replay_close(&r);
}

Test(exporter, d3js_trace)
{
	struct replay r = { 0 };

	expect_golden("export/export-d3js_trace.js", export(&r, &tt_exporter_d3js_trace, TT_CAUSES_ALL, 0));
	replay_close(&r);
}

/* Each line is "frames NS": the sum of NS. */
static uint64_t sum_of_lines(char *text)
{
	uint64_t sum_ns = 0;

	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		sum_ns += strtoull(strrchr(line, ' ') + 1, NULL, 10);
	return sum_ns;
}

/* Of the leaves; a node with children has no time of its own. */
static uint64_t sum_of_json(const json_t *node, const char *key)
{
	const json_t *children = json_object_get(node, "children"), *value = json_object_get(node, key);
	uint64_t sum_ns = 0;
	size_t i;
	json_t *child;

	cr_assert(json_string_value(json_object_get(node, "name")) != NULL);
	if (!children)
		return (uint64_t)json_integer_value(value);
	cr_expect(eq(u64, (uint64_t)json_integer_value(value), 0));
	json_array_foreach((json_t *)children, i, child) sum_ns += sum_of_json(child, key);
	return sum_ns;
}

static void expect_json_sum(const char *text, const char *key, uint64_t sum_ns)
{
	json_error_t error;
	json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, &error);

	cr_assert(root != NULL, "line %d: %s", error.line, error.text);
	cr_expect(eq(u64, sum_of_json(root, key), sum_ns));
	json_decref(root);
}

Test(exporter, weights_are_all_there)
{
	static const char prefix[] = "var trace_json = ";

	for (uint64_t seed = 0; seed < 4; seed++) {
		struct replay r = { 0 };

		cr_expect(eq(u64, sum_of_lines(export(&r, &tt_exporter_folded, TT_CAUSES_ALL, seed)),
			     sum_of_hits(&r)));
		replay_close(&r);
		r = (struct replay){ 0 };
		export(&r, &tt_exporter_sunburst, TT_CAUSES_ALL, seed);
		expect_json_sum(r.text, "value", sum_of_hits(&r));
		replay_close(&r);
		r = (struct replay){ 0 };
		export(&r, &tt_exporter_d3js_trace, TT_CAUSES_ALL, seed);
		cr_assert(eq(int, strncmp(r.text, prefix, strlen(prefix)), 0));
		expect_json_sum(r.text + strlen(prefix), "size", sum_of_hits(&r));
		replay_close(&r);
	}
}

Test(exporter, nothing_is_a_tree_without_children)
{
	struct replay r = { 0 };

	cr_expect(eq(str, export(&r, &tt_exporter_sunburst, 0, 0),
		     "{\"name\":\"all\",\"value\":0,\"children\":[]}\n"));
	replay_close(&r);
}

/* --- bounds --- */

static uint64_t sum_of_tree(const struct tt_tree *t)
{
	return tt_tree_node(t, TT_TREE_ROOT)->total_ns;
}

Test(exporter, more_stacks_than_it_holds_are_others)
{
	struct tt_tree_options opts = { .style = TT_NAME_PLAIN, .with_tasks = true };
	struct tt_hit hit = { .cause = TT_CAUSE_STEAL, .comm = "x", .weight_ns = 3, .top = "[stolen]" }, last;
	struct tt_stacks *stacks;
	struct tt_tree *t;
	struct tt_fold *f;
	uint64_t nr;

	cr_assert(eq(int, tt_stacks_open(&stacks), 0));
	cr_assert(eq(int, tt_fold_open(TT_FOLD_BY_TASK, &f), 0));
	for (uint32_t tid = 1; tid <= TT_FOLD_MAX + 10; tid++) {
		hit.tid = tid;
		tt_fold_add(f, &hit);
		tt_fold_add(f, &hit);
	}
	cr_expect(eq(u32, tt_fold_nr(f), TT_FOLD_MAX + 1));
	cr_expect(eq(u64, tt_fold_nr_merged(f), 20));
	tt_fold_get(f, TT_FOLD_MAX, &last, &nr);
	cr_expect(eq(str, (char *)last.comm, "(others)"));
	cr_expect(eq(u64, last.weight_ns, 60));
	cr_expect(eq(u64, nr, 20));
	cr_assert(eq(int, tt_tree_make(f, stacks, &opts, &t), 0));
	cr_expect(eq(u64, sum_of_tree(t), 6ull * (TT_FOLD_MAX + 10)));
	tt_tree_close(t);
	tt_fold_close(f);
	tt_stacks_close(stacks);
}

Test(exporter, more_functions_than_it_holds_end_the_stack)
{
	struct tt_tree_options opts = { .style = TT_NAME_PLAIN, .with_tasks = true };
	struct tt_hit hit = { .cause = TT_CAUSE_DISK, .weight_ns = 3 };
	char comm[TT_COMM_LEN + 1], top[32];
	struct tt_stacks *stacks;
	struct tt_tree *t;
	struct tt_fold *f;

	cr_assert(eq(int, tt_stacks_open(&stacks), 0));
	cr_assert(eq(int, tt_fold_open(TT_FOLD_BY_NAME, &f), 0));
	hit.comm = comm;
	hit.top = top;
	for (unsigned i = 0; i < 400000; i++) { /* three nodes each, while names have room */
		snprintf(comm, sizeof(comm), "%u", i % 40000);
		snprintf(top, sizeof(top), "[%u]", i % 10);
		hit.kstack = 2 + i;
		tt_fold_add(f, &hit);
	}
	cr_assert(eq(int, tt_tree_make(f, stacks, &opts, &t), 0));
	cr_expect(eq(u64, sum_of_tree(t), 3ull * 400000));
	tt_tree_close(t);
	tt_fold_close(f);
	tt_stacks_close(stacks);
}

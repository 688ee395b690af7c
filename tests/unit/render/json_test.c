/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sample.h"

#include <jansson.h>

static char *render(const struct sample *s, bool pretty)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	cr_assert_not_null(out);
	cr_assert_eq(tt_render_json(out, &s->report, &s->head, pretty), 0);
	fclose(out);
	return text;
}

static json_t *parse(const char *text)
{
	json_error_t error;
	json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, &error);

	cr_assert_not_null(root, "line %d: %s", error.line, error.text);
	return root;
}

static json_t *row_of(const json_t *root, const char *section, const char *table, size_t row)
{
	json_t *tables =
		json_object_get(json_object_get(json_object_get(root, "sections"), section), "tables");
	json_t *object = json_array_get(json_object_get(tables, table), row);

	cr_assert_not_null(object, "%s.%s[%zu]", section, table, row);
	return object;
}

Test(json, pretty)
{
	struct sample s;
	char *text;

	sample_open(&s);
	text = render(&s, true);
	expect_golden("render/report.json.txt", text);
	free(text);
	sample_close(&s);
}

Test(json, compact_is_one_line)
{
	struct sample s;
	char *text;

	sample_open(&s);
	text = render(&s, false);
	cr_expect_eq(strchr(text, '\n'), text + strlen(text) - 1);
	json_decref(parse(text));
	free(text);
	sample_close(&s);
}

Test(json, cells_keep_their_type)
{
	struct sample s;
	json_t *root, *row;
	char *text;

	sample_open(&s);
	text = render(&s, false);
	root = parse(text);
	cr_expect_eq(json_integer_value(json_object_get(root, "timethief_json")), 1);
	row = row_of(root, "steal", "cpus", 0);
	cr_expect_eq(json_integer_value(json_object_get(row, "stolen_ns")), 1875000000);
	cr_expect_eq(json_real_value(json_object_get(row, "steal_pct")), 9.375);
	cr_expect_eq(json_integer_value(json_object_get(row, "seen_tick")), 7, "hidden in text, not here");
	cr_expect(json_is_null(json_object_get(row, "never")));
	row = row_of(root, "runq", "waiters", 1);
	cr_expect(json_is_null(json_object_get(row, "stolen_pct")), "NaN is null");
	cr_expect_eq(json_integer_value(json_object_get(
			     json_object_get(json_object_get(json_object_get(root, "sections"), "runq"),
					     "rows_left_out"),
			     "waiters")),
		     1234);
	json_decref(root);
	free(text);
	sample_close(&s);
}

Test(json, names_are_escaped_as_in_text)
{
	struct sample s;
	json_t *root, *row;
	char *text;

	sample_open(&s);
	text = render(&s, false);
	root = parse(text);
	row = row_of(root, "runq", "waiters", 0);
	cr_expect_str_eq(json_string_value(json_object_get(row, "task")), "evil\\x1b[2J\\x0aname");
	row = row_of(root, "runq", "waiters", 2);
	cr_expect_str_eq(json_string_value(json_object_get(row, "task")), "back\\\\slash \\xff");
	json_decref(root);
	free(text);
	sample_close(&s);
}

Test(json, histograms_are_whole)
{
	const json_t *histograms, *h, *buckets;
	struct sample s;
	json_int_t nr = 0;
	json_t *root;
	char *text;

	sample_open(&s);
	text = render(&s, false);
	root = parse(text);
	histograms =
		json_object_get(json_object_get(json_object_get(root, "sections"), "steal"), "histograms");
	h = json_array_get(histograms, 0);
	buckets = json_object_get(h, "buckets_ns");
	for (size_t i = 0; i < json_array_size(buckets); i++) {
		const json_t *b = json_array_get(buckets, i);

		cr_expect_leq(json_integer_value(json_array_get(b, 0)),
			      json_integer_value(json_array_get(b, 1)));
		nr += json_integer_value(json_array_get(b, 2));
	}
	cr_expect_eq(nr, 412);
	cr_expect_eq(json_integer_value(json_object_get(h, "count")), 412);
	json_decref(root);
	free(text);
	sample_close(&s);
}

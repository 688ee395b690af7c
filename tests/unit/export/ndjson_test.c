/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/export/ndjson_line.h"

#include <jansson.h>

#include "collector/base/escape.h"
#include "exporting.h"

static json_t *load(const char *text)
{
	json_error_t error;
	json_t *root = json_loads(text, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);

	cr_assert(root != NULL, "%d: %s: %.200s", error.position, error.text, text);
	return root;
}

static json_t *get(const json_t *object, const char *key)
{
	json_t *value = json_object_get(object, key);

	cr_assert(value != NULL, "no %s", key);
	return value;
}

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(get(object, key));

	cr_assert(text != NULL, "%s is no text", key);
	return text;
}

/* A number, or a string of digits when it is large. */
static uint64_t number_of(const json_t *object, const char *key)
{
	const json_t *value = get(object, key);
	const char *digits = json_string_value(value);

	if (!digits)
		return (uint64_t)json_integer_value(value);
	cr_expect(gt(u64, strtoull(digits, NULL, 10), TT_ND_NUMBER_MAX));
	return strtoull(digits, NULL, 10);
}

static bool is(const json_t *line, const char *type)
{
	return !strcmp(text_of(line, "type"), type);
}

/* Each line of what was written, as an object. */
static json_t *lines_of(char *text)
{
	json_t *lines = json_array();

	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		cr_assert(eq(int, json_array_append_new(lines, load(line)), 0));
	return lines;
}

/* --- the whole --- */

Test(ndjson, is_as_in_the_golden_file)
{
	struct replay r = { 0 };

	expect_golden("export/export-ndjson.ndjson", export(&r, &tt_exporter_ndjson, TT_CAUSES_ALL, 0));
	replay_close(&r);
}

static void add_sums(const json_t *line, uint64_t sums[TT_CAUSE_NR])
{
	if (is(line, "steal"))
		sums[TT_CAUSE_STEAL] += number_of(line, "steal_ns");
	if (is(line, "sched-switch") && number_of(line, "next_tid"))
		sums[TT_CAUSE_RUNQ] += number_of(line, "wait_ns");
	if (is(line, "shed-wait"))
		sums[TT_CAUSE_RUNQ] += number_of(line, "wait_ns");
	if (is(line, "disk"))
		sums[TT_CAUSE_DISK] += number_of(line, "total_ns") * number_of(line, "nr_counted");
	if (is(line, "disk-sums"))
		sums[TT_CAUSE_DISK] += number_of(line, "shed_total_ns");
}

static void expect_sums(struct replay *r, unsigned causes, uint64_t seed)
{
	json_t *lines = lines_of(export(r, &tt_exporter_ndjson, causes, seed)), *line;
	uint64_t sums[TT_CAUSE_NR] = { 0 };
	size_t i;

	json_array_foreach(lines, i, line) add_sums(line, sums);
	for (unsigned cause = 0; cause < TT_CAUSE_CPU; cause++)
		cr_expect(eq(u64, sums[cause], tt_hits_sum_ns(r->hits, (enum tt_cause)cause)));
	line = json_array_get(lines, 0);
	cr_expect(is(line, "session"));
	line = json_array_get(lines, json_array_size(lines) - 1);
	cr_expect(is(line, "end"));
	cr_expect(eq(u64, number_of(line, "nr_lines"), json_array_size(lines) - 1));
	json_decref(lines);
	replay_close(r);
}

Test(ndjson, sums_are_those_of_hits)
{
	static const unsigned long second_cpu[TT_CPU_BITS / (8 * sizeof(long))] = { 2 };

	for (uint64_t seed = 0; seed < 6; seed++) {
		struct replay all = { 0 },
			      cpu = { .view = { .cpu_mask = second_cpu, .nr_cpu_bits = TT_CPU_BITS } },
			      device = { .view = { .device = "vda" } };

		expect_sums(&all, TT_CAUSES_ALL, seed);
		expect_sums(&cpu, TT_CAUSES_ALL, seed);
		expect_sums(&device, TT_CAUSES_ALL, seed);
	}
	for (unsigned cause = 0; cause < TT_CAUSE_NR; cause++)
		expect_sums(&(struct replay){ 0 }, 1u << cause, 1);
}

/* A switch has two sides; all else is one task's. */
Test(ndjson, a_task_has_its_own_lines)
{
	struct replay r = { .view = { .pid = 105 } };
	json_t *lines = lines_of(export(&r, &tt_exporter_ndjson, TT_CAUSES_ALL, 3)), *line;
	uint64_t wait_ns = 0, nr_switches = 0;
	size_t i;

	json_array_foreach(lines, i, line)
	{
		cr_expect(not(is(line, "shed-wait") || is(line, "disk-sums")), "of nobody");
		if (is(line, "steal") || is(line, "disk") || is(line, "cpu-sample"))
			cr_expect(eq(u64, number_of(line, "tid"), 105));
		if (!is(line, "sched-switch"))
			continue;
		nr_switches++;
		cr_expect(number_of(line, "prev_tid") == 105 || number_of(line, "next_tid") == 105);
		wait_ns += number_of(line, "next_tid") == 105 ? number_of(line, "wait_ns") : 0;
	}
	cr_expect(gt(u64, nr_switches, 0));
	cr_expect(eq(u64, wait_ns, tt_hits_sum_ns(r.hits, TT_CAUSE_RUNQ)));
	json_decref(lines);
	replay_close(&r);
}

/* --- what refers to what --- */

static void expect_told(json_t *told, const json_t *line, const char *key)
{
	const char *id = json_string_value(json_object_get(line, key));

	if (id && strcmp(id, "missed") != 0)
		cr_expect(json_object_get(told, id) != NULL, "%s %s was not told before", key, id);
}

static void expect_modules_told(json_t *told, const json_t *stack)
{
	json_t *frame;
	size_t i;

	json_array_foreach(get(stack, "frames"), i, frame)
	{
		const char *path = json_string_value(get(frame, "module"));

		cr_expect(path == NULL || json_object_get(told, path) != NULL,
			  "module %s was not told before", path);
	}
}

Test(ndjson, stacks_and_modules_are_told_before_they_are_used)
{
	static const char *const keys[] = { "kstack",	   "ustack",	   "prev_kstack",
					    "prev_ustack", "waker_kstack", "waker_ustack" };

	for (uint64_t seed = 0; seed < 4; seed++) {
		struct replay r = { 0 };
		json_t *lines = lines_of(export(&r, &tt_exporter_ndjson, TT_CAUSES_ALL, seed)), *line;
		json_t *told = json_object();
		size_t i;

		json_array_foreach(lines, i, line)
		{
			for (unsigned k = 0; k < sizeof(keys) / sizeof(keys[0]); k++)
				expect_told(told, line, keys[k]);
			if (is(line, "module"))
				json_object_set_new(told, text_of(line, "path"), json_true());
			if (!is(line, "stack"))
				continue;
			expect_modules_told(told, line);
			cr_expect(json_object_get(told, text_of(line, "id")) == NULL, "told twice");
			json_object_set_new(told, text_of(line, "id"), json_true());
		}
		json_decref(told);
		json_decref(lines);
		replay_close(&r);
	}
}

Test(ndjson, what_the_rest_says)
{
	struct replay r = { 0 };
	json_t *lines = lines_of(export(&r, &tt_exporter_ndjson, TT_CAUSES_ALL, 0)), *line;
	size_t i;

	json_array_foreach(lines, i, line)
	{
		if (is(line, "module") && !strcmp(text_of(line, "path"), "/srv/my app (v2)/server"))
			cr_expect(eq(str, (char *)text_of(line, "build_id"),
				     "a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5"));
		if (is(line, "loss"))
			cr_expect(eq(str, (char *)text_of(line, "what"), "switches"));
		if (is(line, "task") && number_of(line, "tid") == 104)
			cr_expect(eq(str, (char *)text_of(line, "comm"),
				     "\\xff\\x01\\x0a;(x)\\x09#\\xc3(\\\\ \"1"));
		if (is(line, "end"))
			cr_expect(eq(u64, number_of(get(line, "lost"), "switches"), 3));
	}
	json_decref(lines);
	replay_close(&r);
}

/* --- the schema --- */

static json_t *schema_of_line(const json_t *schema, const char *type)
{
	json_t *line;
	size_t i;

	json_array_foreach(get(schema, "oneOf"), i, line)
	{
		if (!strcmp(text_of(get(get(line, "properties"), "type"), "const"), type))
			return line;
	}
	cr_assert(false, "the schema has no %s", type);
	return NULL;
}

static void expect_keys(const json_t *schema, const json_t *line)
{
	json_t *properties = get(schema_of_line(schema, text_of(line, "type")), "properties"), *value;
	const char *key;

	cr_expect(eq(sz, json_object_size(properties), json_object_size(line)));
	json_object_foreach((json_t *)line, key, value)
		cr_expect(json_object_get(properties, key) != NULL, "%s", key);
}

Test(ndjson, lines_have_what_the_schema_says)
{
	struct replay r = { 0 }, schema = { .fd = memfd_create("schema", 0) };
	json_t *lines = lines_of(export(&r, &tt_exporter_ndjson, TT_CAUSES_ALL, 0)), *line, *root;
	size_t i;

	cr_assert(eq(int, tt_out_open_fd(schema.fd, &schema.out), 0));
	cr_assert(eq(int, tt_exporter_ndjson.schema(&schema.out), 0));
	root = load(replay_text(&schema));
	json_array_foreach(lines, i, line) expect_keys(root, line);
	json_decref(root);
	json_decref(lines);
	replay_close(&schema);
	replay_close(&r);
}

/* But for what the lines "stack" and "module" tell. */
Test(ndjson_kinds, every_kind_has_a_line)
{
#define TT_KIND(id, NAME, ...)                                                                               \
	cr_expect(tt_nd_kind_of(id) != NULL || id == TT_EV_STACK || id == TT_EV_MODULE ||                    \
			  id == TT_EV_SYMBOL || id == TT_EV_FRAME || id == TT_EV_STACK_ALIAS ||              \
			  id == TT_EV_USER_COPY,                                                             \
		  #NAME);
#include "bpf/kinds.def"
#undef TT_KIND
	cr_expect(eq(ptr, (void *)tt_nd_kind_of(0), NULL), "lines that are no event's");
	cr_expect(eq(ptr, (void *)tt_nd_kind_of(TT_EV_STACK), NULL));
}

/* --- values --- */

static char *u64_text(uint64_t value)
{
	static char text[TT_ND_NUMBER_BYTES_MAX + 1];

	*tt_nd_u64(text, value) = '\0';
	return text;
}

Test(ndjson_line, numbers_that_a_double_cannot_hold_are_strings)
{
	cr_expect(eq(str, u64_text(0), "0"));
	cr_expect(eq(str, u64_text(9007199254740991), "9007199254740991"));
	cr_expect(eq(str, u64_text(9007199254740992), "\"9007199254740992\""));
	cr_expect(eq(str, u64_text(UINT64_MAX), "\"18446744073709551615\""));
}

Test(ndjson_line, hex_has_no_zeros_in_front)
{
	static const struct {
		uint64_t value;
		char *text;
	} all[] = { { 0, "\"0x0\"" },
		    { 0xf, "\"0xf\"" },
		    { 0x10, "\"0x10\"" },
		    { UINT64_MAX, "\"0xffffffffffffffff\"" } };
	char text[TT_ND_NUMBER_BYTES_MAX + 1];

	for (unsigned i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		*tt_nd_hex(text, all[i].value) = '\0';
		cr_expect(eq(str, text, all[i].text));
	}
}

Test(ndjson_line, any_bytes_are_json)
{
	static char raw[TT_BATCH_BYTES_MAX], json[5 * sizeof(raw) + 3], safe[4 * sizeof(raw) + 1];
	uint64_t seed = 1;

	for (unsigned round = 0; round < 300; round++) {
		size_t len = round ? tb_random(&seed) % sizeof(raw) : sizeof(raw);
		json_t *value;

		for (size_t i = 0; i < len; i++) /* round 0: the longest there is */
			raw[i] = (char)(round ? (round % 2 ? 1 + tb_random(&seed) % 255
							   : ' ' + tb_random(&seed) % 95)
					      : 0xff);
		*tt_nd_text(json, raw, len) = '\0';
		value = load(json);
		cr_expect(eq(str, (char *)json_string_value(value), tt_escape(safe, sizeof(safe), raw, len)));
		json_decref(value);
	}
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/export/exporter.h"

#include <jansson.h>

#include "exporting.h"

static const char *const titles[TT_CAUSE_NR] = { "steal: stolen by the hypervisor", "runq: waited for a CPU",
						 "disk: requests", "cpu: ran" };

static json_t *load(const char *text)
{
	json_error_t error;
	json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, &error);

	cr_assert(root != NULL, "line %d: %s", error.line, error.text);
	return root;
}

static json_t *get(json_t *object, const char *key)
{
	json_t *value = json_object_get(object, key);

	cr_assert(value != NULL, "no %s", key);
	return value;
}

static const char *text_of(json_t *object, const char *key)
{
	const char *text = json_string_value(get(object, key));

	cr_assert(text != NULL, "%s is no text", key);
	return text;
}

/* The frames of a sample, root first, are in the list. */
static void expect_stack(json_t *sample, size_t nr_frames)
{
	size_t i;
	json_t *frame;

	cr_expect(gt(sz, json_array_size(sample), 0), "not even a task");
	json_array_foreach(sample, i, frame)
	{
		cr_assert(eq(int, json_typeof(frame), JSON_INTEGER));
		cr_expect(lt(u64, (uint64_t)json_integer_value(frame), nr_frames));
	}
}

static uint64_t expect_profile(json_t *profile, size_t nr_frames)
{
	json_t *samples = get(profile, "samples"), *weights = get(profile, "weights"), *value;
	uint64_t sum_ns = 0;
	size_t i;

	cr_expect(eq(str, (char *)text_of(profile, "type"), "sampled"));
	cr_expect(eq(str, (char *)text_of(profile, "unit"), "nanoseconds"));
	cr_expect(eq(sz, json_array_size(samples), json_array_size(weights)));
	json_array_foreach(samples, i, value) expect_stack(value, nr_frames);
	json_array_foreach(weights, i, value) sum_ns += (uint64_t)json_integer_value(value);
	cr_expect(eq(u64, (uint64_t)json_integer_value(get(profile, "endValue")), sum_ns));
	return sum_ns;
}

static void expect_sums(const struct replay *r, json_t *root)
{
	size_t nr_frames = json_array_size(get(get(root, "shared"), "frames")), nth = 0;
	json_t *profiles = get(root, "profiles");

	for (unsigned cause = 0; cause < TT_CAUSE_NR; cause++) {
		json_t *profile = json_array_get(profiles, nth);

		if (!tt_hits_nr(r->hits, (enum tt_cause)cause))
			continue;
		cr_assert(profile != NULL);
		cr_expect(eq(str, (char *)text_of(profile, "name"), (char *)titles[cause]));
		cr_expect(eq(u64, expect_profile(profile, nr_frames),
			     tt_hits_sum_ns(r->hits, (enum tt_cause)cause)));
		nth++;
	}
	cr_expect(eq(sz, json_array_size(profiles), nth), "profiles that are no cause's");
}

Test(speedscope, is_as_in_the_golden_file)
{
	struct replay r = { 0 };

	expect_golden("export/export-speedscope.json", export(&r, &tt_exporter_speedscope, TT_CAUSES_ALL, 0));
	replay_close(&r);
}

Test(speedscope, a_profile_of_each_cause_has_all_of_its_time)
{
	for (uint64_t seed = 0; seed < 8; seed++) {
		struct replay r = { 0 };
		json_t *root = load(export(&r, &tt_exporter_speedscope, TT_CAUSES_ALL, seed));

		expect_sums(&r, root);
		json_decref(root);
		replay_close(&r);
	}
}

Test(speedscope, only_the_causes_that_were_asked_for)
{
	struct replay r = { 0 };
	json_t *root = load(export(&r, &tt_exporter_speedscope, 1u << TT_CAUSE_DISK, 0));

	cr_expect(eq(sz, json_array_size(get(root, "profiles")), 1));
	expect_sums(&r, root);
	json_decref(root);
	replay_close(&r);
}

Test(speedscope, each_frame_is_listed_once)
{
	struct replay r = { 0 };
	json_t *root = load(export(&r, &tt_exporter_speedscope, TT_CAUSES_ALL, 0)),
	       *frames = get(get(root, "shared"), "frames"), *frame, *other;
	size_t i, k;

	json_array_foreach(frames, i, frame)
	{
		for (k = i + 1; (other = json_array_get(frames, k)); k++)
			cr_expect(not(json_equal(frame, other)), "%s twice", text_of(frame, "name"));
	}
	json_decref(root);
	replay_close(&r);
}

/* speedscope does not open a file without profiles. */
Test(speedscope, nothing_is_one_empty_profile)
{
	struct replay r = { .view = { .pid = 4194304 } };
	json_t *root = load(export(&r, &tt_exporter_speedscope, 1u << TT_CAUSE_RUNQ | 1u << TT_CAUSE_CPU, 0)),
	       *profiles = get(root, "profiles"), *profile = json_array_get(profiles, 0);

	cr_expect(eq(sz, json_array_size(profiles), 1));
	cr_assert(profile != NULL);
	cr_expect(eq(str, (char *)text_of(profile, "name"), (char *)titles[TT_CAUSE_RUNQ]));
	cr_expect(eq(u64, expect_profile(profile, 1), 0));
	json_decref(root);
	replay_close(&r);
}

/* There is no other place for it. */
Test(speedscope, loss_is_in_the_name)
{
	struct replay r = { 0 };
	json_t *root = load(export(&r, &tt_exporter_speedscope, TT_CAUSES_ALL, 0));

	cr_expect(eq(str, (char *)text_of(root, "name"), "made.tt - lost: 3 switches shed"));
	json_decref(root);
	replay_close(&r);
}

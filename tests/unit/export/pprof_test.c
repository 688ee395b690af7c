/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/export/pprof_writer.h"

#include <jansson.h>
#include <zlib.h>

#include "exporting.h"

enum { BYTES_MAX = 4 << 20 };

/* Of what was written; to be freed by pprof__profile__free_unpacked. */
static Pprof__Profile *unpack(const struct replay *r)
{
	static uint8_t bytes[BYTES_MAX];
	z_stream z = { .next_in = (unsigned char *)r->text,
		       .avail_in = (unsigned)r->size,
		       .next_out = bytes,
		       .avail_out = sizeof(bytes) };
	Pprof__Profile *profile;

	cr_assert(eq(int, inflateInit2(&z, 15 + 16), Z_OK));
	cr_assert(eq(int, inflate(&z, Z_FINISH), Z_STREAM_END));
	cr_expect(eq(u32, z.avail_in, 0), "nothing behind the end");
	profile = pprof__profile__unpack(NULL, z.total_out, bytes);
	inflateEnd(&z);
	cr_assert(profile != NULL);
	return profile;
}

static const char *text(const Pprof__Profile *p, int64_t id)
{
	cr_assert(id >= 0 && (uint64_t)id < p->n_string_table, "no text %ld", (long)id);
	return p->string_table[id];
}

static void expect_strings(const Pprof__Profile *p)
{
	cr_assert(gt(sz, p->n_string_table, 0));
	cr_expect(eq(str, p->string_table[0], ""));
	for (size_t i = 0; i < p->n_string_table; i++) {
		json_t *valid = json_string(p->string_table[i]);

		cr_expect(valid != NULL, "text %zu is not UTF-8", i);
		json_decref(valid);
	}
}

/* Ids are numbers from 1 on in order, so that a reference is right when it is not larger than their number. */
static void expect_places(const Pprof__Profile *p)
{
	for (size_t i = 0; i < p->n_function; i++) {
		cr_expect(eq(u64, p->function[i]->id, i + 1));
		cr_expect(text(p, p->function[i]->name)[0] != '\0');
		text(p, p->function[i]->filename);
	}
	for (size_t i = 0; i < p->n_location; i++) {
		const Pprof__Location *location = p->location[i];
		bool has_mapping = !location->mapping_id;

		cr_expect(eq(u64, location->id, i + 1));
		cr_expect(gt(sz, location->n_line, 0));
		for (size_t k = 0; k < location->n_line; k++)
			cr_expect(location->line[k]->function_id - 1 < p->n_function);
		for (size_t k = 0; k < p->n_mapping; k++)
			has_mapping |= p->mapping[k]->id == location->mapping_id;
		cr_expect(has_mapping);
	}
}

static const Pprof__Label *label(const Pprof__Profile *p, const Pprof__Sample *sample, const char *key)
{
	for (size_t i = 0; i < sample->n_label; i++) {
		if (!strcmp(text(p, sample->label[i]->key), key))
			return sample->label[i];
	}
	return NULL;
}

/* A sample is of one cause: two values, the others are 0. */
static void expect_sample(const Pprof__Profile *p, const Pprof__Sample *sample)
{
	unsigned nr_causes = 0;

	cr_assert(eq(sz, sample->n_value, p->n_sample_type));
	cr_expect(gt(sz, sample->n_location_id, 0));
	for (size_t i = 0; i < sample->n_location_id; i++)
		cr_expect(sample->location_id[i] - 1 < p->n_location);
	for (size_t i = 0; i < sample->n_value; i += 2)
		nr_causes += sample->value[i] || sample->value[i + 1];
	cr_expect(eq(u32, nr_causes, 1));
	cr_expect(label(p, sample, "task") != NULL);
	cr_expect(eq(int, !label(p, sample, "pid"), !label(p, sample, "tid")));
}

static uint64_t sum_of(const Pprof__Profile *p, const char *type, const char *unit)
{
	uint64_t sum = 0;
	size_t i = 0;

	while (i < p->n_sample_type && strcmp(text(p, p->sample_type[i]->type), type) != 0)
		i++;
	cr_assert(lt(sz, i, p->n_sample_type), "no sample type %s", type);
	cr_expect(eq(str, (char *)text(p, p->sample_type[i]->unit), (char *)unit));
	for (size_t k = 0; k < p->n_sample; k++)
		sum += (uint64_t)p->sample[k]->value[i];
	return sum;
}

static void expect_valid(const Pprof__Profile *p)
{
	expect_strings(p);
	expect_places(p);
	for (size_t i = 0; i < p->n_sample; i++)
		expect_sample(p, p->sample[i]);
	cr_expect(eq(u32, ((const ProtobufCMessage *)p)->n_unknown_fields, 0));
}

Test(pprof, has_all_of_the_time_of_each_cause)
{
	for (uint64_t seed = 0; seed < 8; seed++) {
		struct replay r = { 0 };
		Pprof__Profile *p;

		export(&r, &tt_exporter_pprof, TT_CAUSES_ALL, seed);
		p = unpack(&r);
		expect_valid(p);
		cr_expect(eq(sz, p->n_sample_type, 2 * TT_CAUSE_NR));
		cr_expect(
			eq(u64, sum_of(p, "stolen", "nanoseconds"), tt_hits_sum_ns(r.hits, TT_CAUSE_STEAL)));
		cr_expect(eq(u64, sum_of(p, "runq", "nanoseconds"), tt_hits_sum_ns(r.hits, TT_CAUSE_RUNQ)));
		cr_expect(eq(u64, sum_of(p, "disk", "nanoseconds"), tt_hits_sum_ns(r.hits, TT_CAUSE_DISK)));
		cr_expect(eq(u64, sum_of(p, "cpu", "nanoseconds"), tt_hits_sum_ns(r.hits, TT_CAUSE_CPU)));
		pprof__profile__free_unpacked(p, NULL);
		replay_close(&r);
	}
}

Test(pprof, counts_what_it_sums_up)
{
	struct replay r = { 0 };
	Pprof__Profile *p;

	export(&r, &tt_exporter_pprof, TT_CAUSES_ALL, 0);
	p = unpack(&r);
	cr_expect(eq(u64, sum_of(p, "gaps", "count"), 10));
	cr_expect(eq(u64, sum_of(p, "waits", "count"), 14), "those that were shed are not counted");
	cr_expect(eq(u64, sum_of(p, "requests", "count"), 10),
		  "as /proc/diskstats does, with those that were shed");
	cr_expect(eq(u64, sum_of(p, "samples", "count"), 5));
	pprof__profile__free_unpacked(p, NULL);
	replay_close(&r);
}

Test(pprof, says_where_and_when_and_what_is_missing)
{
	struct replay r = { 0 };
	Pprof__Profile *p;

	export(&r, &tt_exporter_pprof, TT_CAUSES_ALL, 0);
	p = unpack(&r);
	cr_assert(eq(sz, p->n_comment, 2));
	cr_expect(eq(str, (char *)text(p, p->comment[0]),
		     "timethief 0.1.0, host made, Linux 6.18.44, hypervisor KVM, from "
		     "2026-11-21T20:14:09.000+00:00"));
	cr_expect(eq(str, (char *)text(p, p->comment[1]), "lost: 3 switches shed"));
	cr_expect(eq(i64, p->time_nanos, made_info.realtime_offset_ns + (int64_t)MADE_START_NS));
	cr_expect(eq(i64, p->duration_nanos, 3710000));
	cr_expect(eq(str, (char *)text(p, p->default_sample_type), "stolen"));
	pprof__profile__free_unpacked(p, NULL);
	replay_close(&r);
}

static const Pprof__Mapping *mapping(const Pprof__Profile *p, const char *filename)
{
	for (size_t i = 0; i < p->n_mapping; i++) {
		if (!strcmp(text(p, p->mapping[i]->filename), filename))
			return p->mapping[i];
	}
	return NULL;
}

Test(pprof, files_have_build_ids)
{
	struct replay r = { 0 };
	const Pprof__Mapping *binary;
	Pprof__Profile *p;

	export(&r, &tt_exporter_pprof, TT_CAUSES_ALL, 0);
	p = unpack(&r);
	cr_expect(eq(str, (char *)text(p, p->mapping[0]->filename), "made.tt"),
		  "it is shown as the profile's file");
	binary = mapping(p, "/srv/my app (v2)/server");
	cr_assert(binary != NULL);
	cr_expect(eq(str, (char *)text(p, binary->build_id), "a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5"));
	cr_expect(mapping(p, "[ext4]") != NULL);
	pprof__profile__free_unpacked(p, NULL);
	replay_close(&r);
}

Test(pprof, inlined_functions_are_lines_of_one_location)
{
	unsigned nr_seen = 0;
	struct replay r = { 0 };
	Pprof__Profile *p;

	export(&r, &tt_exporter_pprof, TT_CAUSES_ALL, 0);
	p = unpack(&r);
	for (size_t i = 0; i < p->n_location; i++) {
		const Pprof__Location *location = p->location[i];

		if (location->address != 0xa00000)
			continue;
		nr_seen++;
		cr_assert(eq(sz, location->n_line, 2));
		cr_expect(eq(str, (char *)text(p, p->function[location->line[0]->function_id - 1]->name),
			     "inline_leaf"));
		cr_expect(eq(str, (char *)text(p, p->function[location->line[1]->function_id - 1]->name),
			     "caller"));
	}
	cr_expect(eq(u32, nr_seen, 1));
	pprof__profile__free_unpacked(p, NULL);
	replay_close(&r);
}

Test(pprof, labels_say_whose_and_where)
{
	bool seen = false;
	struct replay r = { 0 };
	Pprof__Profile *p;

	export(&r, &tt_exporter_pprof, 1u << TT_CAUSE_DISK, 0);
	p = unpack(&r);
	cr_expect(eq(sz, p->n_sample_type, 2));
	for (size_t i = 0; i < p->n_sample; i++) {
		const Pprof__Sample *sample = p->sample[i];

		if (sample->value[1] != 90000)
			continue;
		seen = true;
		cr_expect(eq(str, (char *)text(p, label(p, sample, "device")->str), "evil ;(x) +1"));
		cr_expect(eq(str, (char *)text(p, label(p, sample, "operation")->str), "write"));
		cr_expect(eq(str, (char *)text(p, label(p, sample, "task")->str), "\\xff\\x01\\x0a;(x)\\x09#\\xc3(\\\\ \"1"));
		cr_expect(eq(i64, label(p, sample, "tid")->num, 104));
		cr_expect(eq(str, (char *)text(p, label(p, sample, "cpu")->str), "1"));
	}
	cr_expect(seen);
	pprof__profile__free_unpacked(p, NULL);
	replay_close(&r);
}

Test(pprof, nothing_is_a_profile_without_samples)
{
	struct replay r = { .view = { .pid = 4194304 } };
	Pprof__Profile *p;

	export(&r, &tt_exporter_pprof, TT_CAUSES_ALL, 0);
	p = unpack(&r);
	expect_valid(p);
	cr_expect(eq(sz, p->n_sample, 0));
	cr_expect(eq(i64, p->default_sample_type, 0));
	pprof__profile__free_unpacked(p, NULL);
	replay_close(&r);
}

/* --- bounds --- */

static struct tt_out out;
static struct tt_stacks *stacks;
static struct tt_pprof_writer *writer;

static void open_writer(void)
{
	cr_assert(eq(int, tt_out_open_fd(memfd_create("out", 0), &out), 0));
	cr_assert(eq(int, tt_stacks_open(&stacks), 0));
	cr_assert(eq(int, tt_pprof_open(&out, stacks, &writer), 0));
}

static void close_writer(void)
{
	cr_expect(eq(int, tt_pprof_finish(writer), 0));
	tt_pprof_close(writer);
	tt_stacks_close(stacks);
	close(out.fd);
	tt_out_close(&out);
}

Test(pprof_writer, texts_without_room_are_others, .init = open_writer, .fini = close_writer)
{
	char name[16];
	int64_t others = tt_pprof_string(writer, "[others]"), id = 0;

	for (unsigned i = 0; i < TT_PPROF_STRINGS_MAX - 2; i++) { /* "" and "[others]" are there */
		snprintf(name, sizeof(name), "%u", i);
		id = tt_pprof_string(writer, name);
	}
	cr_expect(eq(i64, id, TT_PPROF_STRINGS_MAX - 1));
	cr_expect(not(tt_pprof_is_cut(writer)));
	cr_expect(eq(i64, tt_pprof_string(writer, "one more"), others));
	cr_expect(tt_pprof_is_cut(writer));
	cr_expect(not(tt_pprof_is_cut(writer)), "told once");
	cr_expect(eq(i64, tt_pprof_string(writer, name), id), "what is there is found");
}

Test(pprof_writer, places_without_room_are_others, .init = open_writer, .fini = close_writer)
{
	struct tt_frame_info f = { .symbol = "f", .module = "/usr/bin/x" };
	struct tt_frame_info others = { .symbol = "[others]", .is_made = true };
	uint64_t id = 0;

	for (f.ip = 1; f.ip < TT_PPROF_PLACES_MAX; f.ip++)
		id = tt_pprof_location(writer, &f, 1);
	cr_expect(eq(u64, id, TT_PPROF_PLACES_MAX));
	cr_expect(not(tt_pprof_is_cut(writer)));
	cr_expect(eq(u64, tt_pprof_location(writer, &f, 1), tt_pprof_location(writer, &others, 1)));
	cr_expect(tt_pprof_is_cut(writer));
}

Test(pprof_writer, too_many_inlined_functions_keep_the_outermost, .init = open_writer, .fini = close_writer)
{
	struct tt_frame_info frames[100];

	for (unsigned i = 0; i < 100; i++)
		frames[i] = (struct tt_frame_info){ .ip = 5,
						    .symbol = i < 99 ? "inlined" : "outermost",
						    .is_inlined = i < 99 };
	tt_pprof_location(writer, frames, 100);
	cr_expect(tt_pprof_is_cut(writer));
	cr_expect(lt(i64, tt_pprof_string(writer, "outermost"), 4), "it was written before");
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/export/pprof_writer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "collector/aggregate/index.h"
#include "collector/base/escape.h"
#include "collector/export/gzip.h"
#include "collector/export/intern.h"
#include "collector/export/name.h"
#include "collector/export/proto_packer.h"

enum {
	INLINED_MAX = 64,		      /* functions at one address */
	FILE_MAPPING = TT_STACKS_MODULES_MAX, /* an id that no module has */
	OTHERS_LOCATION = 1,		      /* "[others]", there instead of those without room */
};

struct tt_pprof_writer {
	const struct tt_stacks *stacks;
	struct tt_gzip *gz;
	struct tt_proto_packer packer;
	struct tt_intern *strings;
	uint32_t nr_strings; /* written */
	int64_t no_room;     /* the text "[others]", there instead of one without room */
	struct tt_index functions, locations;
	bool *has_mapping; /* by module id */
	bool is_cut;
	int err;
};

int tt_pprof_open(struct tt_out *out, const struct tt_stacks *stacks, struct tt_pprof_writer **ret_w)
{
	struct tt_pprof_writer *w = calloc(1, sizeof(*w));

	if (!w)
		return -ENOMEM;
	w->stacks = stacks;
	w->has_mapping = calloc(TT_STACKS_MODULES_MAX, sizeof(*w->has_mapping));
	if (!w->has_mapping || tt_gzip_open(out, &w->gz) ||
	    tt_intern_open(TT_PPROF_STRINGS_MAX, TT_PPROF_STRING_BYTES_MAX, &w->strings) ||
	    tt_index_open(&w->functions, TT_PPROF_PLACES_MAX) ||
	    tt_index_open(&w->locations, TT_PPROF_PLACES_MAX)) {
		tt_pprof_close(w);
		return -ENOMEM;
	}
	tt_pprof_string(w, ""); /* is number 0 */
	w->no_room = tt_pprof_string(w, "[others]");
	tt_pprof_location(w, &(struct tt_frame_info){ .symbol = "[others]", .is_made = true }, 1);
	*ret_w = w;
	return 0;
}

void tt_pprof_close(struct tt_pprof_writer *w)
{
	if (!w)
		return;
	tt_gzip_close(w->gz);
	tt_proto_packer_close(&w->packer);
	tt_intern_close(w->strings);
	tt_index_close(&w->functions);
	tt_index_close(&w->locations);
	free(w->has_mapping);
	free(w);
}

void tt_pprof_put(struct tt_pprof_writer *w, const Pprof__Profile *piece)
{
	size_t len;
	const uint8_t *bytes = tt_proto_packer_pack(&w->packer, &piece->base, &len);

	if (bytes)
		tt_gzip_bytes(w->gz, bytes, len);
	else
		w->err = -ENOMEM;
}

int tt_pprof_finish(struct tt_pprof_writer *w)
{
	tt_gzip_finish(w->gz);
	return w->err;
}

int64_t tt_pprof_string(struct tt_pprof_writer *w, const char *utf8)
{
	uint32_t id = tt_intern_get(w->strings, utf8);
	Pprof__Profile piece = PPROF__PROFILE__INIT;

	if (id == TT_INTERN_NONE) {
		w->is_cut = true;
		return w->no_room;
	}
	if (id < w->nr_strings)
		return id;
	w->nr_strings++;
	piece.n_string_table = 1;
	piece.string_table = (char **)&utf8;
	tt_pprof_put(w, &piece);
	return id;
}

static void put_mapping(struct tt_pprof_writer *w, uint64_t id, const char *filename, const char *build_id)
{
	Pprof__Mapping mapping = PPROF__MAPPING__INIT, *mappings[] = { &mapping };
	Pprof__Profile piece = PPROF__PROFILE__INIT;

	mapping.id = id;
	mapping.filename = tt_pprof_string(w, filename);
	mapping.build_id = tt_pprof_string(w, build_id);
	/* there is nothing to be looked up any more */
	mapping.has_functions = mapping.has_filenames = true;
	mapping.has_line_numbers = mapping.has_inline_frames = true;
	piece.n_mapping = 1;
	piece.mapping = mappings;
	tt_pprof_put(w, &piece);
}

void tt_pprof_put_file(struct tt_pprof_writer *w, const char *utf8)
{
	put_mapping(w, FILE_MAPPING, utf8, "");
}

static uint64_t mapping_of(struct tt_pprof_writer *w, const struct tt_frame_info *f)
{
	char name[TT_NAME_FRAME_MAX], build_id[TT_BUILD_ID_TEXT_MAX];
	struct tt_module_info module;

	if (!tt_stacks_module(w->stacks, f->module_id, &module))
		return 0;
	if (w->has_mapping[f->module_id])
		return f->module_id;
	w->has_mapping[f->module_id] = true;
	put_mapping(w, f->module_id, tt_escape(name, sizeof(name), module.path, strlen(module.path)),
		    tt_build_id_text(build_id, &module));
	return f->module_id;
}

/* Of name and filename; 0 = no room. */
static uint64_t put_function(struct tt_pprof_writer *w, Pprof__Function *function)
{
	uint64_t key = (uint64_t)function->name << 32 | (uint32_t)function->filename;
	uint32_t id = tt_index_find(&w->functions, key);
	Pprof__Profile piece = PPROF__PROFILE__INIT;

	if (id != TT_INDEX_NONE)
		return id + 1;
	id = w->functions.nr;
	if (!tt_index_put(&w->functions, key, id))
		return 0;
	/* no system_name: one that is the same is taken for mangled, and "Vec<T>" becomes "Vec" */
	function->id = id + 1;
	piece.n_function = 1;
	piece.function = &function;
	tt_pprof_put(w, &piece);
	return function->id;
}

static uint64_t function_of(struct tt_pprof_writer *w, const struct tt_frame_info *f)
{
	Pprof__Function function = PPROF__FUNCTION__INIT;
	char name[TT_NAME_FRAME_MAX];

	function.name = tt_pprof_string(w, tt_name_function(name, sizeof(name), f, TT_NAME_PLAIN));
	if (f->file)
		function.filename =
			tt_pprof_string(w, tt_escape(name, sizeof(name), f->file, strlen(f->file)));
	return put_function(w, &function);
}

static uint64_t location_key(const struct tt_frame_info *f)
{
	uint64_t key[3] = { f->ip, (uintptr_t)f->symbol, f->module_id };

	return f->is_made ? XXH64(f->symbol, strlen(f->symbol), 0) : XXH64(key, sizeof(key), 0);
}

/* Its nr functions into lines, at most INLINED_MAX; the last is the one that the others are inlined into. How many; 0 = no room. */
static unsigned put_lines(struct tt_pprof_writer *w, const struct tt_frame_info *frames, unsigned nr,
			  Pprof__Line lines[INLINED_MAX])
{
	unsigned nr_lines = nr < INLINED_MAX ? nr : INLINED_MAX;

	w->is_cut |= nr > nr_lines;
	for (unsigned i = 0; i < nr_lines; i++) {
		const struct tt_frame_info *f = i + 1 < nr_lines ? &frames[i] : &frames[nr - 1];

		pprof__line__init(&lines[i]);
		lines[i].function_id = function_of(w, f);
		lines[i].line = f->line;
		if (!lines[i].function_id)
			return 0;
	}
	return nr_lines;
}

/* 0 = no room. */
static uint64_t new_location(struct tt_pprof_writer *w, uint64_t key, const struct tt_frame_info *frames,
			     unsigned nr)
{
	Pprof__Location location = PPROF__LOCATION__INIT, *locations[] = { &location };
	Pprof__Line lines[INLINED_MAX], *lines_at[INLINED_MAX];
	Pprof__Profile piece = PPROF__PROFILE__INIT;

	location.n_line = put_lines(w, frames, nr, lines);
	if (!location.n_line || !tt_index_put(&w->locations, key, w->locations.nr))
		return 0;
	for (unsigned i = 0; i < location.n_line; i++)
		lines_at[i] = &lines[i];
	location.id = w->locations.nr;
	location.line = lines_at;
	location.mapping_id = mapping_of(w, &frames[nr - 1]);
	location.address = frames->ip;
	piece.n_location = 1;
	piece.location = locations;
	tt_pprof_put(w, &piece);
	return location.id;
}

uint64_t tt_pprof_location(struct tt_pprof_writer *w, const struct tt_frame_info *frames, unsigned nr)
{
	uint64_t key = location_key(frames), location;
	uint32_t id = tt_index_find(&w->locations, key);

	if (id != TT_INDEX_NONE)
		return id + 1;
	location = new_location(w, key, frames, nr);
	w->is_cut |= !location;
	return location ? location : OTHERS_LOCATION;
}

bool tt_pprof_is_cut(struct tt_pprof_writer *w)
{
	bool is_cut = w->is_cut;

	w->is_cut = false;
	return is_cut;
}

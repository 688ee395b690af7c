/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/export/pftrace_stacks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "collector/aggregate/index.h"
#include "collector/base/escape.h"
#include "collector/export/frames.h"
#include "collector/export/intern.h"
#include "collector/export/name.h"

enum {
	NAME_BYTES_MAX = 32 << 20,
	/* ids that no module has: of frames that are no code, and of code that is nowhere */
	MADE_MAPPING = TT_STACKS_MODULES_MAX,
	UNKNOWN_MAPPING,
	MAPPINGS_MAX,
	KIND_NATIVE = 1,
	KIND_KERNEL = 2,
	KIND_JIT = 4,
};

/* Texts that are told once each, under their numbers + 1. */
struct texts {
	struct tt_intern *table;
	uint32_t nr_told;
};

struct tt_pftrace_stacks {
	struct tt_pftrace *t;
	const struct tt_stacks *stacks;
	struct texts functions, files;
	struct tt_index frames, callstacks;
	bool *told_mappings; /* by id */
	uint64_t nr_merged;
	struct tt_frame_info infos[TT_FRAMES_MAX];
	uint64_t iids[TT_FRAMES_MAX];
};

int tt_pftrace_stacks_open(struct tt_pftrace *t, const struct tt_stacks *stacks,
			   struct tt_pftrace_stacks **ret_ps)
{
	struct tt_pftrace_stacks *ps = calloc(1, sizeof(*ps));

	if (!ps)
		return -ENOMEM;
	ps->t = t;
	ps->stacks = stacks;
	ps->told_mappings = calloc(MAPPINGS_MAX, sizeof(*ps->told_mappings));
	if (!ps->told_mappings ||
	    tt_intern_open(TT_PFTRACE_STACKS_MAX, NAME_BYTES_MAX, &ps->functions.table) ||
	    tt_intern_open(TT_PFTRACE_STACKS_MAX, NAME_BYTES_MAX, &ps->files.table) ||
	    tt_index_open(&ps->frames, TT_PFTRACE_STACKS_MAX) ||
	    tt_index_open(&ps->callstacks, TT_PFTRACE_STACKS_MAX)) {
		tt_pftrace_stacks_close(ps);
		return -ENOMEM;
	}
	*ret_ps = ps;
	return 0;
}

void tt_pftrace_stacks_close(struct tt_pftrace_stacks *ps)
{
	if (!ps)
		return;
	tt_intern_close(ps->functions.table);
	tt_intern_close(ps->files.table);
	tt_index_close(&ps->frames);
	tt_index_close(&ps->callstacks);
	free(ps->told_mappings);
	free(ps);
}

static void put(struct tt_pftrace_stacks *ps, Pftrace__InternedData *data)
{
	Pftrace__TracePacket packet = PFTRACE__TRACE_PACKET__INIT;

	packet.interned_data = data;
	tt_pftrace_put(ps->t, &packet);
}

static void fill_string(Pftrace__InternedString *string, uint64_t iid, const void *bytes, size_t len)
{
	pftrace__interned_string__init(string);
	string->has_iid = string->has_str = true;
	string->iid = iid;
	string->str = (ProtobufCBinaryData){ len, (uint8_t *)bytes };
}

/* 0 = no room. */
static uint64_t tell_text(struct tt_pftrace_stacks *ps, struct texts *texts, const char *text)
{
	Pftrace__InternedData data = PFTRACE__INTERNED_DATA__INIT;
	Pftrace__InternedString string, *strings[] = { &string };
	uint32_t id = tt_intern_get(texts->table, text);

	if (id == TT_INTERN_NONE)
		return 0;
	if (id < texts->nr_told)
		return id + 1;
	texts->nr_told++;
	fill_string(&string, id + 1, text, strlen(text));
	if (texts == &ps->functions) {
		data.n_function_names = 1;
		data.function_names = strings;
	} else {
		data.n_source_paths = 1;
		data.source_paths = strings;
	}
	put(ps, &data);
	return id + 1;
}

static uint64_t mapping_of(struct tt_pftrace_stacks *ps, const struct tt_frame_info *f)
{
	Pftrace__InternedData data = PFTRACE__INTERNED_DATA__INIT;
	Pftrace__InternedString path, build_id, *paths[] = { &path }, *build_ids[] = { &build_id };
	Pftrace__Mapping mapping = PFTRACE__MAPPING__INIT, *mappings[] = { &mapping };
	struct tt_module_info module = { .path = f->is_made ? "timethief" : "unknown" };
	uint32_t id = f->is_made ? MADE_MAPPING : UNKNOWN_MAPPING;
	char name[TT_NAME_FRAME_MAX];

	if (!f->is_made && tt_stacks_module(ps->stacks, f->module_id, &module))
		id = f->module_id;
	mapping.iid = id + 1;
	if (ps->told_mappings[id])
		return mapping.iid;
	ps->told_mappings[id] = true;
	tt_escape(name, sizeof(name), module.path, strlen(module.path));
	fill_string(&path, mapping.iid, name, strlen(name));
	fill_string(&build_id, mapping.iid, module.build_id, module.build_id_len);
	data.n_mapping_paths = data.n_build_ids = data.n_mappings = 1;
	data.mapping_paths = paths;
	data.build_ids = build_ids;
	data.mappings = mappings;
	mapping.has_iid = mapping.has_build_id = true;
	mapping.build_id = mapping.iid;
	mapping.n_path_string_ids = 1;
	mapping.path_string_ids = &mapping.iid;
	put(ps, &data);
	return mapping.iid;
}

/* 0 = it is no code, or not known. */
static uint32_t kind_of(const struct tt_pftrace_stacks *ps, const struct tt_frame_info *f)
{
	struct tt_module_info module;

	if (f->is_made)
		return 0;
	if (f->is_kernel)
		return KIND_KERNEL;
	if (!tt_stacks_module(ps->stacks, f->module_id, &module))
		return 0;
	return module.flags & TT_MODULE_JIT ? KIND_JIT : KIND_NATIVE;
}

static uint64_t frame_key(const struct tt_frame_info *f)
{
	uint64_t key[4] = { f->ip, (uintptr_t)f->symbol, f->module_id, f->is_inlined };

	return f->is_made ? XXH64(f->symbol, strlen(f->symbol), 0) : XXH64(key, sizeof(key), 0);
}

/* 0 = no room. */
static uint64_t frame_of(struct tt_pftrace_stacks *ps, const struct tt_frame_info *f)
{
	Pftrace__Frame frame = PFTRACE__FRAME__INIT, *frames[] = { &frame };
	Pftrace__InternedData data = PFTRACE__INTERNED_DATA__INIT;
	char text[TT_NAME_FRAME_MAX];
	uint64_t key = frame_key(f);
	uint32_t id = tt_index_find(&ps->frames, key);

	if (id != TT_INDEX_NONE)
		return id + 1;
	id = ps->frames.nr;
	frame.function_name_id =
		tell_text(ps, &ps->functions, tt_name_function(text, sizeof(text), f, TT_NAME_PLAIN));
	if (!frame.function_name_id || !tt_index_put(&ps->frames, key, id))
		return 0;
	frame.mapping_id = mapping_of(ps, f);
	frame.has_iid = frame.has_function_name_id = frame.has_mapping_id = frame.has_rel_pc = true;
	frame.iid = id + 1;
	frame.rel_pc = f->ip;
	if (f->file)
		frame.source_path_iid =
			tell_text(ps, &ps->files, tt_escape(text, sizeof(text), f->file, strlen(f->file)));
	frame.has_source_path_iid = frame.source_path_iid != 0;
	frame.has_line_number = f->file && f->line;
	frame.line_number = f->line;
	frame.kind = kind_of(ps, f);
	frame.has_kind = frame.kind != 0;
	data.n_frames = 1;
	data.frames = frames;
	put(ps, &data);
	return frame.iid;
}

/* 0 = no room. */
static uint64_t new_callstack(struct tt_pftrace_stacks *ps, const struct tt_hit *hit, uint64_t key)
{
	Pftrace__Callstack callstack = PFTRACE__CALLSTACK__INIT, *callstacks[] = { &callstack };
	Pftrace__InternedData data = PFTRACE__INTERNED_DATA__INIT;
	unsigned nr = tt_frames_of_hit(hit, ps->stacks, NULL, ps->infos);
	uint32_t id = ps->callstacks.nr;

	for (unsigned i = 0; i < nr; i++) { /* from the root on */
		ps->iids[i] = frame_of(ps, &ps->infos[nr - 1 - i]);
		if (!ps->iids[i])
			return 0;
	}
	if (!tt_index_put(&ps->callstacks, key, id))
		return 0;
	callstack.has_iid = true;
	callstack.iid = id + 1;
	callstack.n_frame_ids = nr;
	callstack.frame_ids = ps->iids;
	data.n_callstacks = 1;
	data.callstacks = callstacks;
	put(ps, &data);
	return callstack.iid;
}

uint64_t tt_pftrace_callstack(struct tt_pftrace_stacks *ps, const struct tt_hit *hit)
{
	struct tt_hit bare = { .kstack = hit->kstack, .ustack = hit->ustack, .trim = hit->trim };
	uint64_t parts[3] = { hit->kstack, hit->ustack, hit->trim };
	uint64_t key = XXH64(parts, sizeof(parts), 0), iid;
	uint32_t id;

	if (hit->instead || (hit->kstack == TT_STACK_NONE && hit->ustack == TT_STACK_NONE))
		return 0;
	id = tt_index_find(&ps->callstacks, key);
	if (id != TT_INDEX_NONE)
		return id + 1;
	iid = new_callstack(ps, &bare, key);
	ps->nr_merged += !iid;
	return iid;
}

uint64_t tt_pftrace_stacks_nr_merged(const struct tt_pftrace_stacks *ps)
{
	return ps->nr_merged;
}

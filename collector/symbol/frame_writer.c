/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/symbol/frame_writer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <xxhash.h>

enum { NR_AT_FIRST = 1024, EPOCH_BYTES = 1 << 20, PATH_BYTES_MAX = 4096 };

void tt_frame_writer_open(struct tt_frame_writer *w, const struct tt_sink *sink)
{
	memset(w, 0, sizeof(*w));
	w->sink = sink;
	w->ts_ns = tt_now_ns();
	tt_record_batch_init(&w->batch, sink);
	tt_slots_init(&w->slots);
}

void tt_frame_writer_close(struct tt_frame_writer *w)
{
	free(w->hashes);
	w->hashes = NULL;
	tt_slots_free(&w->slots);
}

static int end_epoch(struct tt_frame_writer *w)
{
	int err = tt_record_batch_flush(&w->batch);
	uint64_t now_ns = tt_now_ns();

	if (!err)
		err = w->sink->epoch(w->sink->ctx, w->ts_ns);
	w->epoch_bytes = 0;
	w->ts_ns = now_ns > w->ts_ns ? now_ns : w->ts_ns + 1; /* an epoch is over for good */
	return err;
}

static int add(struct tt_frame_writer *w, struct tt_record *rec, size_t size, uint16_t kind)
{
	int err = tt_record_batch_add(&w->batch, rec, (uint16_t)size, kind, TT_CPU_NONE, w->ts_ns);

	w->epoch_bytes += size;
	return err || w->epoch_bytes < EPOCH_BYTES ? err : end_epoch(w);
}

static size_t padded(size_t len)
{
	return (len + 7) & ~(size_t)7;
}

/* --- names --- */

static int grow(struct tt_frame_writer *w)
{
	uint32_t room = w->room ? 2 * w->room : NR_AT_FIRST;
	uint64_t *hashes;

	if (w->nr_symbols < w->room)
		return 0;
	hashes = realloc(w->hashes, room * sizeof(*hashes));
	if (!hashes)
		return -ENOMEM;
	w->hashes = hashes;
	w->room = room;
	return 0;
}

static int tell_symbol(struct tt_frame_writer *w, uint32_t id, struct tt_slice name)
{
	struct {
		struct tt_symbol symbol;
		char name[TT_NAME_BYTES_MAX + 8];
	} rec;

	memset(&rec.symbol, 0, sizeof(rec.symbol));
	rec.symbol.id = id;
	rec.symbol.name_len = (uint32_t)name.len;
	memcpy(rec.name, name.text, name.len);
	memset(rec.name + name.len, 0, padded(name.len) - name.len);
	return add(w, &rec.symbol.rec, sizeof(rec.symbol) + padded(name.len), TT_EV_SYMBOL);
}

/* 0 for no name. */
static int symbol_id(struct tt_frame_writer *w, struct tt_slice name, uint32_t *ret_id)
{
	uint64_t hash;
	uint32_t probe = 0, i;
	int err;

	*ret_id = 0;
	if (!name.len)
		return 0;
	name.len = tt_name_fit(name.text, name.len);
	hash = XXH3_64bits_withSeed(name.text, name.len, w->slots.seed);
	while ((i = tt_slots_next(&w->slots, (uint32_t)hash, &probe)) != TT_SLOTS_NONE) {
		if (w->hashes[i] == hash) {
			*ret_id = i + 1;
			return 0;
		}
	}
	err = grow(w);
	if (!err)
		err = tt_slots_add(&w->slots, (uint32_t)hash, w->nr_symbols);
	if (err)
		return err;
	w->hashes[w->nr_symbols] = hash;
	*ret_id = ++w->nr_symbols;
	return tell_symbol(w, *ret_id, name);
}

/* --- records --- */

uint32_t tt_frame_writer_new_module(struct tt_frame_writer *w)
{
	return ++w->nr_modules;
}

int tt_frame_writer_module(struct tt_frame_writer *w, uint32_t id, uint16_t flags, struct tt_slice path,
			   const struct tt_build_id *build_id)
{
	struct {
		struct tt_module module;
		char path[PATH_BYTES_MAX];
	} rec;
	size_t len = path.len < sizeof(rec.path) ? path.len : sizeof(rec.path);

	w->nr_names_cut += len < path.len;
	memset(&rec.module, 0, sizeof(rec.module));
	rec.module.id = id;
	rec.module.flags = flags;
	if (build_id) {
		rec.module.build_id_len = build_id->len;
		memcpy(rec.module.build_id, build_id->bytes, build_id->len);
	}
	rec.module.path_len = (uint32_t)len;
	memcpy(rec.path, path.text, len);
	memset(rec.path + len, 0, padded(len) - len);
	return add(w, &rec.module.rec, sizeof(rec.module) + padded(len), TT_EV_MODULE);
}

static int add_frame(struct tt_frame_writer *w, struct tt_frame *frame, const struct tt_answer_frame *from)
{
	int err = symbol_id(w, from->name, &frame->symbol);

	if (!err)
		err = symbol_id(w, from->file, &frame->file);
	frame->line = from->line;
	w->nr_names_cut += from->is_cut;
	return err ? err : add(w, &frame->rec, sizeof(*frame), TT_EV_FRAME);
}

int tt_frame_writer_frames(struct tt_frame_writer *w, uint64_t space, uint64_t ip, uint32_t module,
			   uint64_t offset, const struct tt_answer *answer)
{
	const struct tt_answer_frame unknown = { .line = 0 };
	unsigned nr = answer ? answer->nr_frames : 0;
	int err = 0;

	for (unsigned i = 0; !err && i < (nr ? nr : 1); i++) {
		const struct tt_answer_frame *from = nr ? &answer->frames[i] : &unknown;
		struct tt_frame frame = {
			.space = space,
			.ip = ip,
			.offset = from->name.len ? from->offset : offset,
			.module = module,
			.flags = i + 1 < nr ? TT_FRAME_INLINED : 0,
		};

		err = add_frame(w, &frame, from);
	}
	return err;
}

int tt_frame_writer_stack(struct tt_frame_writer *w, const struct tt_stack *stack, const uint64_t *ips)
{
	struct {
		struct tt_stack stack;
		uint64_t ips[TT_STACK_DEPTH_MAX];
	} rec;

	rec.stack = *stack;
	memcpy(rec.ips, ips, stack->nr * sizeof(*ips));
	return add(w, &rec.stack.rec, sizeof(rec.stack) + stack->nr * sizeof(*ips), TT_EV_STACK);
}

int tt_frame_writer_alias(struct tt_frame_writer *w, uint64_t id, uint64_t same_as)
{
	struct tt_stack_alias alias = { .id = id, .same_as = same_as };

	return add(w, &alias.rec, sizeof(alias), TT_EV_STACK_ALIAS);
}

int tt_frame_writer_loss(struct tt_frame_writer *w, uint32_t what, uint64_t count, uint64_t since_ts_ns)
{
	struct tt_loss loss = { .since_ts_ns = since_ts_ns, .count = count, .what = what };

	return count ? add(w, &loss.rec, sizeof(loss), TT_EV_LOSS) : 0;
}

int tt_frame_writer_finish(struct tt_frame_writer *w)
{
	return end_epoch(w);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stacks - gives stacks to symbols and keeps what it makes of them. */
#pragma once

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "collector/event/decode.h"
#include "collector/source/record_batch.h"
#include "collector/symbol/symbols.h"

enum { NR_FRAMES_MAX = 8192, NR_NAMES_MAX = 8192, NR_MODULES_MAX = 512, NR_ALIASES_MAX = 16 };

static struct tt_symbols *symbols;

struct kept_module {
	uint16_t flags;
	uint8_t build_id_len;
	char path[4097];
};

static struct {
	unsigned nr_frames, nr_epochs;
	struct tt_frame frames[NR_FRAMES_MAX];
	char *names[NR_NAMES_MAX]; /* by id */
	struct kept_module *modules[NR_MODULES_MAX];
	uint64_t nr_lost[TT_LOSS_NR];
	unsigned nr_stacks, nr_aliases; /* of what was unwound */
	struct tt_stack stack;		/* the last one */
	uint64_t ips[TT_STACK_DEPTH_MAX];
	struct tt_stack_alias aliases[NR_ALIASES_MAX];
	uint64_t last_ts_ns, epoch_ts_ns;
} kept;

static inline void keep_record(const struct tt_record *rec)
{
	if (rec->kind == TT_EV_FRAME) {
		cr_assert_lt(kept.nr_frames, NR_FRAMES_MAX);
		memcpy(&kept.frames[kept.nr_frames++], rec, sizeof(struct tt_frame));
	} else if (rec->kind == TT_EV_SYMBOL) {
		const struct tt_symbol *symbol = (const void *)rec;

		cr_assert(symbol->id && symbol->id < NR_NAMES_MAX && !kept.names[symbol->id], "told once");
		kept.names[symbol->id] = strndup((const char *)(symbol + 1), symbol->name_len);
	} else if (rec->kind == TT_EV_MODULE) {
		const struct tt_module *module = (const void *)rec;
		struct kept_module *copy = calloc(1, sizeof(*copy));

		cr_assert(module->id && module->id < NR_MODULES_MAX && !kept.modules[module->id],
			  "told once");
		copy->flags = module->flags;
		copy->build_id_len = module->build_id_len;
		memcpy(copy->path, module + 1, module->path_len);
		kept.modules[module->id] = copy;
	} else if (rec->kind == TT_EV_STACK) {
		memcpy(&kept.stack, rec, sizeof(kept.stack));
		memcpy(kept.ips, (const struct tt_stack *)rec + 1, kept.stack.nr * sizeof(kept.ips[0]));
		kept.nr_stacks++;
	} else if (rec->kind == TT_EV_STACK_ALIAS) {
		cr_assert_lt(kept.nr_aliases, NR_ALIASES_MAX);
		memcpy(&kept.aliases[kept.nr_aliases++], rec, sizeof(kept.aliases[0]));
	} else {
		const struct tt_loss *loss = (const void *)rec;

		cr_assert_eq(rec->kind, TT_EV_LOSS);
		kept.nr_lost[loss->what] += loss->count;
	}
}

static inline uint64_t alias_of(uint64_t id)
{
	for (unsigned i = 0; i < kept.nr_aliases; i++)
		if (kept.aliases[i].id == id)
			return kept.aliases[i].same_as;
	return 0;
}

static inline int keep_batch(void *ctx, const void *batch, size_t len)
{
	const char *at = batch, *end = at + len;

	(void)ctx;
	cr_assert_eq(tt_batch_check(batch, len), 0);
	for (at += sizeof(struct tt_batch); at < end;) {
		const struct tt_record *rec = (const void *)at;

		cr_assert(rec->ts_ns >= kept.last_ts_ns && rec->ts_ns > kept.epoch_ts_ns,
			  "an epoch is over for good");
		kept.last_ts_ns = rec->ts_ns;
		keep_record(rec);
		at += rec->size;
	}
	return 0;
}

static inline int keep_epoch(void *ctx, uint64_t until_ts_ns)
{
	(void)ctx;
	cr_assert(until_ts_ns >= kept.last_ts_ns);
	kept.epoch_ts_ns = until_ts_ns;
	kept.nr_epochs++;
	return 0;
}

static const struct tt_sink keep_sink = { NULL, keep_batch, keep_epoch };

static inline void forget_kept(void)
{
	for (unsigned i = 0; i < NR_NAMES_MAX; i++)
		free(kept.names[i]);
	for (unsigned i = 0; i < NR_MODULES_MAX; i++)
		free(kept.modules[i]);
	memset(&kept, 0, sizeof(kept));
}

static inline void open_symbols(const char *root, bool inlines)
{
	const struct tt_symbols_options opts = { .root = root, .inlines = inlines, .copies = root };

	cr_assert_eq(tt_symbols_open(&opts, &symbols), 0);
	tt_symbols_start(symbols);
}

/* A stack that is taken now. */
static inline bool note_stack(uint64_t id, uint64_t space, uint32_t pid, const uint64_t *ips, unsigned nr)
{
	struct {
		struct tt_batch batch;
		struct tt_stack stack;
		uint64_t ips[TT_STACK_DEPTH_MAX];
	} b;

	memset(&b, 0, sizeof(b));
	b.stack.rec.size = (uint16_t)(sizeof(b.stack) + nr * sizeof(*ips));
	b.stack.rec.kind = TT_EV_STACK;
	b.stack.rec.ts_ns = tt_now_ns();
	b.stack.id = id;
	b.stack.space = space;
	b.stack.pid = pid;
	b.stack.nr = (uint16_t)nr;
	b.stack.flags = space ? TT_STACK_USER : 0;
	memcpy(b.ips, ips, nr * sizeof(*ips));
	b.batch.size = (uint32_t)sizeof(b.batch) + b.stack.rec.size;
	b.batch.stream = TT_STREAM_RECORDS;
	b.batch.version = TT_WIRE_VERSION;
	b.batch.nr_records = 1;
	b.batch.base_ts_ns = b.stack.rec.ts_ns;
	cr_assert_eq(tt_batch_check(&b, b.batch.size), 0);
	return tt_symbols_note_batch(symbols, &b.batch);
}

/* Of regs only what unwinding starts with. */
static inline const struct tt_batch *note_copy(uint64_t id, uint32_t pid, uint64_t ip, const uint64_t *words, unsigned nr)
{
	static struct {
		struct tt_batch batch;
		struct tt_user_copy copy;
		uint64_t words[TT_COPY_CHUNK_BYTES / 8];
	} b;

	memset(&b, 0, sizeof(b));
	b.copy.rec.size = sizeof(b.copy) + sizeof(b.words);
	b.copy.rec.kind = TT_EV_USER_COPY;
	b.copy.rec.ts_ns = tt_now_ns();
	b.copy.id = id;
	b.copy.by_frame_pointers = id + 1000;
	b.copy.space = 99;
	b.copy.pid = pid;
	b.copy.nr_bytes = sizeof(b.words);
	b.copy.regs[16] = ip;
	b.copy.regs[19] = 0x7ffc0000;
	memcpy(b.words, words, nr * sizeof(*words));
	b.batch.size = sizeof(b);
	b.batch.stream = TT_STREAM_RECORDS;
	b.batch.version = TT_WIRE_VERSION;
	b.batch.nr_records = 1;
	b.batch.base_ts_ns = b.copy.rec.ts_ns;
	cr_assert_eq(tt_batch_check(&b, b.batch.size), 0);
	return tt_symbols_note_batch(symbols, &b.batch);
}

static inline bool note_one(uint64_t id, uint64_t space, uint32_t pid, uint64_t ip)
{
	return note_stack(id, space, pid, &ip, 1);
}

static inline void end_epoch(void)
{
	tt_symbols_epoch(symbols, tt_now_ns());
}

static inline void finish_symbols(void)
{
	cr_assert_eq(tt_symbols_finish(symbols, &keep_sink, NULL, NULL), 0);
	cr_assert(kept.nr_epochs > 0);
}

static inline void close_symbols(void)
{
	tt_symbols_close(symbols);
	symbols = NULL;
	forget_kept();
}

/* The nth frame of an address; NULL = there are fewer. */
static inline const struct tt_frame *frame_of(uint64_t space, uint64_t ip, unsigned nth)
{
	for (unsigned i = 0; i < kept.nr_frames; i++)
		if (kept.frames[i].space == space && kept.frames[i].ip == ip && !nth--)
			return &kept.frames[i];
	return NULL;
}

/* "" = it has none. */
static inline const char *name_of(uint64_t space, uint64_t ip)
{
	const struct tt_frame *frame = frame_of(space, ip, 0);

	cr_assert(frame != NULL, "no frame for %llx", (unsigned long long)ip);
	return frame->symbol ? kept.names[frame->symbol] : "";
}

static inline const struct kept_module *module_of(uint64_t space, uint64_t ip)
{
	const struct tt_frame *frame = frame_of(space, ip, 0);

	cr_assert(frame != NULL && frame->module, "no module for %llx", (unsigned long long)ip);
	return kept.modules[frame->module];
}

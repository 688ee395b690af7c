/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz_stacks.c - batches of any bytes to the table of stacks, and every stack asked for and trimmed. */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "collector/aggregate/stacks.h"
#include "collector/aggregate/trim.h"
#include "collector/event/decode.h"

enum { NR_FRAMES = 300, NR_IDS = 64 };

struct target {
	struct tt_stacks *stacks;
	uint64_t ids[NR_IDS];
	unsigned nr_ids;
};

static void on_event(void *ctx, const struct tt_event *ev)
{
	struct target *tg = ctx;

	tt_stacks_event(tg->stacks, ev);
	if (ev->kind == TT_EV_STACK)
		tg->ids[tg->nr_ids++ % NR_IDS] =
			((const struct tt_stack *)((const struct tt_ev_record *)ev)->rec)->id;
}

static size_t length_of(const char *name)
{
	return name ? strlen(name) : 0;
}

static void ask(const struct target *tg, uint64_t id)
{
	static volatile size_t sum;
	struct tt_frame_info frames[NR_FRAMES];
	unsigned nr = tt_stacks_frames(tg->stacks, id, frames, 1 + id % NR_FRAMES, NULL);

	for (unsigned i = 0; i < nr; i++)
		sum += length_of(frames[i].symbol) + length_of(frames[i].module) + length_of(frames[i].file);
	if (tt_trim_frames(frames, nr, (enum tt_trim)(id % 3)) > nr)
		__builtin_trap();
}

/* The table is opened once: touching its pages anew each time would be most of the work. What it holds stays bounded. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct target tg;
	static struct tt_decoder *dec;
	_Alignas(8) unsigned char batch[TT_BATCH_BYTES_MAX];

	if (size > sizeof(batch) || (!tg.stacks && tt_stacks_open(&tg.stacks)) ||
	    (!dec && tt_decoder_open(&dec)))
		return 0;
	memcpy(batch, data, size);
	tg.nr_ids = 0;
	if (tt_decode(dec, batch, size, on_event, &tg))
		return 0;
	for (unsigned i = 0; i < tg.nr_ids && i < NR_IDS; i++)
		ask(&tg, tg.ids[i]);
	return 0;
}

#ifdef TT_FUZZ_STANDALONE
#include "tests/unit/stack_records.h"

static size_t tt_fuzz_seed(unsigned nth, uint8_t *data, size_t max)
{
	uint64_t ips[TT_STACK_DEPTH_MAX];
	union tb t;

	if (nth || max < sizeof(t))
		return 0;
	for (unsigned i = 0; i < TT_STACK_DEPTH_MAX; i++)
		ips[i] = 0x1000 + i % 20;
	tb_begin(&t, TT_STREAM_RECORDS, TT_CPU_NONE, 1);
	tb_stack(&t, 10, 0, 0, ips, 12);
	tb_stack(&t, 11, 5, TT_STACK_CUT, ips, TT_STACK_DEPTH_MAX);
	tb_stack(&t, 12, 5, 0, ips, 0);
	tb_module(&t, 1, TT_MODULE_KERNEL, "[kernel.kallsyms]");
	tb_module(&t, 2, 0, "/usr/bin/\xff x");
	tb_symbol(&t, 1, "bpf_trace_run4");
	tb_symbol(&t, 2, "asm_common_interrupt");
	tb_symbol(&t, 3, "a;(b)");
	for (unsigned i = 0; i < 20; i++) {
		tb_frame(&t, 0, 0x1000 + i, 1, 1 + i % 3);
		tb_frame(&t, 5, 0x1000 + i, 2, i % 4)->flags = TT_FRAME_INLINED;
		tb_frame(&t, 5, 0x1000 + i, 2, 3);
	}
	memcpy(data, &t, t.b.size);
	return t.b.size;
}

/* The header stays one, or nothing gets through. */
static void tt_fuzz_repair(uint8_t *data, size_t size)
{
	struct tt_batch b;

	if (size < sizeof(b))
		return;
	memcpy(&b, data, sizeof(b));
	b.size = (uint32_t)size;
	b.cpu = TT_CPU_NONE;
	b.stream = TT_STREAM_RECORDS;
	b.version = TT_WIRE_VERSION;
	b.base_ts_ns = 1;
	b.nr_records = 0;
	for (size_t at = sizeof(b); at + sizeof(struct tt_record) <= size; b.nr_records++) {
		struct tt_record rec;

		memcpy(&rec, data + at, sizeof(rec));
		if (rec.size < sizeof(rec))
			break;
		at += rec.size;
	}
	memcpy(data, &b, sizeof(b));
}
#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz_export.c - batches of any bytes to every exporter that takes events alone. The input is batches one behind the other; where size makes no sense the rest is one
 * batch. What is written goes nowhere: a sanitizer judges how it came about. */
#include "tests/fuzz/fuzz.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "collector/event/decode.h"
#include "collector/export/exporter.h"

enum {
	EXPORTERS_MAX = 32,
	/* Then all begins anew: opening all those tables takes a thousand times as long as an input. */
	INPUTS_MAX = 2000,
};

static const struct tt_info info = { .hostname = "fuzz\xff\n", .hypervisor = "KVM", .steal_reported = true };
static const struct tt_view view;
static const uint64_t nr_lost[TT_LOSS_NR] = { [TT_LOSS_SWITCHES] = 3 };

struct target {
	struct tt_decoder *dec;
	struct tt_world *world;
	struct tt_stacks *stacks;
	struct tt_hits *hits;
	struct tt_out out;
	const struct tt_exporter *exporters[EXPORTERS_MAX]; /* NULL at the end */
	void *states[EXPORTERS_MAX];
	uint64_t last_ts_ns;
	unsigned nr_inputs;
	bool is_open;
};

/* As the order of events does: time does not go back. */
static void set_time(struct target *tg, struct tt_event *ev)
{
	if (ev->ts_ns < tg->last_ts_ns)
		ev->ts_ns = tg->last_ts_ns;
	else if (ev->ts_ns - tg->last_ts_ns > 1000000000)
		ev->ts_ns = tg->last_ts_ns + 1000000000;
	tg->last_ts_ns = ev->ts_ns;
}

static void on_event(void *ctx, const struct tt_event *decoded)
{
	struct target *tg = ctx;

	set_time(tg, (struct tt_event *)decoded); /* the decoder's own */
	tt_world_event(tg->world, decoded);
	tt_stacks_event(tg->stacks, decoded);
	for (unsigned i = 0; tg->exporters[i]; i++) {
		if (tg->exporters[i]->event)
			tg->exporters[i]->event(tg->states[i], decoded);
	}
	tt_hits_event(tg->hits, decoded);
}

static void on_hit(void *ctx, const struct tt_hit *hit)
{
	struct target *tg = ctx;

	for (unsigned i = 0; tg->exporters[i]; i++) {
		if (tg->exporters[i]->hit)
			tg->exporters[i]->hit(tg->states[i], hit);
	}
}

static void must(bool is_good)
{
	if (!is_good)
		abort();
}

static void open_target(struct target *tg)
{
	struct tt_hits_options hits_opts = {
		.view = &view, .causes = TT_CAUSES_ALL, .with_empty = true, .fn = on_hit, .ctx = tg
	};
	struct tt_export_context ctx = {
		.file = "fuzz.tt", .info = &info, .view = &view, .out = &tg->out, .causes = TT_CAUSES_ALL
	};

	*tg = (struct target){ .is_open = true };
	must(!tt_decoder_open(&tg->dec) && !tt_world_open(&info, &tg->world) && !tt_stacks_open(&tg->stacks));
	hits_opts.world = ctx.world = tg->world;
	ctx.stacks = tg->stacks;
	must(!tt_hits_open(&hits_opts, &tg->hits) &&
	     !tt_out_open_fd(open("/dev/null", O_WRONLY | O_CLOEXEC), &tg->out));
	for (unsigned i = 0, nr = 0; tt_exporters[i]; i++) {
		if (tt_exporters[i]->needs_report) /* fuzz_page has those */
			continue;
		must(nr + 1 < EXPORTERS_MAX && !tt_exporters[i]->open(&ctx, &tg->states[nr]));
		tg->exporters[nr++] = tt_exporters[i];
	}
}

static void close_target(struct target *tg)
{
	struct tt_export_end end = { .interval = { 1, tg->last_ts_ns, true }, .nr_lost = nr_lost };
	int fd = tg->out.fd;

	tt_hits_finish(tg->hits, tg->last_ts_ns);
	for (unsigned i = 0; tg->exporters[i]; i++) {
		tg->exporters[i]->finish(tg->states[i], &end);
		tg->exporters[i]->close(tg->states[i]);
	}
	tt_out_finish(&tg->out);
	tt_out_close(&tg->out);
	close(fd);
	tt_hits_close(tg->hits);
	tt_stacks_close(tg->stacks);
	tt_world_close(tg->world);
	tt_decoder_close(tg->dec);
	tg->is_open = false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_Alignas(8) uint8_t batch[TT_BATCH_BYTES_MAX];
	static struct target tg;
	static bool was_first;

	if (!tg.is_open)
		open_target(&tg);
	while (size) {
		uint32_t len = 0;

		memcpy(&len, data, size < 4 ? size : 4);
		if (!len || len > size || len > sizeof(batch))
			len = (uint32_t)(size < sizeof(batch) ? size : sizeof(batch));
		memcpy(batch, data, len);
		tt_decode(tg.dec, batch, len, on_event, &tg);
		data += len;
		size -= len;
	}
	if (!was_first || ++tg.nr_inputs >= INPUTS_MAX)
		close_target(&tg);
	was_first = true;
	return 0;
}

#ifdef TT_FUZZ_STANDALONE
#include "tests/unit/made.h"

struct seed {
	uint8_t *data;
	size_t size, max;
};

static void add_batch(void *ctx, const union tb *t)
{
	struct seed *s = ctx;

	if (t->b.size > s->max - s->size)
		return;
	memcpy(s->data + s->size, t, t->b.size);
	s->size += t->b.size;
}

static size_t tt_fuzz_seed(unsigned nth, uint8_t *data, size_t max)
{
	struct seed s = { data, 0, max };

	if (!nth)
		made_session(add_batch, &s);
	return s.size;
}

static void tt_fuzz_repair(uint8_t *data, size_t size)
{
	(void)data;
	(void)size;
}
#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz_page.c - batches of any bytes through pipeline, hits and the exporter html, up to the page. The input is batches one behind the
 * other; where size makes no sense the rest is one batch. */
#include "tests/fuzz/fuzz.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "collector/base/log.h"
#include "collector/cmd/pipeline.h"
#include "collector/export/html/page.h"
#include "tests/unit/made.h"

enum { NR_INPUTS = 2500 };

/* What is in a page is no matter of the template. */
bool tt_page_template(struct tt_page_part *ret_head, struct tt_page_part *ret_tail)
{
	*ret_head = *ret_tail = (struct tt_page_part){ "", 0 };
	return true;
}

struct target {
	struct tt_view view;
	struct tt_stacks *stacks;
	struct tt_pipeline *p;
	struct tt_sink sink;
	struct tt_hits *hits;
	struct tt_out out;
	int null_fd;
	void *state;
};

static void take_hit(void *ctx, const struct tt_hit *hit)
{
	tt_exporter_html.hit(((struct target *)ctx)->state, hit);
}

static int take_event(void *ctx, const struct tt_event *ev)
{
	struct target *tg = ctx;

	if (tt_exporter_html.event(tg->state, ev))
		__builtin_trap();
	tt_hits_event(tg->hits, ev);
	return 0;
}

static void open_target(struct target *tg)
{
	struct tt_pipeline_options opts = { .info = &made_info,
					    .view = &tg->view,
					    .sections = TT_SECTIONS_NONE,
					    .event = take_event,
					    .event_ctx = tg };
	struct tt_export_context ctx = {
		.file = "fuzz", .info = &made_info, .view = &tg->view, .causes = TT_CAUSES_ALL
	};
	struct tt_hits_options hits_opts = {
		.view = &tg->view, .causes = TT_CAUSES_ALL, .fn = take_hit, .ctx = tg
	};

	tt_log_set_level(TT_LOG_QUIET);
	tg->null_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (tt_out_open_fd(tg->null_fd, &tg->out) || tt_stacks_open(&tg->stacks))
		exit(1);
	opts.stacks = tg->stacks;
	if (tt_pipeline_open(&opts, &tg->p))
		exit(1);
	hits_opts.world = ctx.world = tt_pipeline_world(tg->p);
	ctx.stacks = tg->stacks;
	ctx.out = &tg->out;
	if (tt_hits_open(&hits_opts, &tg->hits) || tt_exporter_html.open(&ctx, &tg->state))
		exit(1);
	tg->sink = tt_pipeline_sink(tg->p);
}

static void finish_target(struct target *tg)
{
	static const uint64_t nr_lost[TT_LOSS_NR];
	struct tt_report_head head = { .info = &made_info, .nr_lost = nr_lost };
	struct tt_report report;
	struct tt_export_end end = { .nr_lost = tt_pipeline_nr_lost(tg->p),
				     .report = &report,
				     .head = &head };

	tt_report_init(&report);
	tg->sink.epoch(tg->sink.ctx, UINT64_MAX);
	end.interval = (struct tt_interval){ MADE_START_NS, tt_pipeline_last_ts_ns(tg->p), true };
	tt_hits_finish(tg->hits, end.interval.to_ts_ns);
	if (tt_exporter_html.finish(tg->state, &end))
		__builtin_trap();
	tt_report_free(&report);
	tt_exporter_html.close(tg->state);
	tt_hits_close(tg->hits);
	tt_pipeline_close(tg->p);
	tt_stacks_close(tg->stacks);
	tt_out_close(&tg->out);
	close(tg->null_fd);
	memset(tg, 0, sizeof(*tg));
}

static void push(struct target *tg, const uint8_t *data, size_t size)
{
	_Alignas(8) uint8_t batch[TT_BATCH_BYTES_MAX];

	while (size) {
		uint32_t len = 0;

		memcpy(&len, data, size < 4 ? size : 4);
		if (!len || len > size || len > sizeof(batch))
			len = (uint32_t)(size < sizeof(batch) ? size : sizeof(batch));
		memcpy(batch, data, len);
		tg->sink.batch(tg->sink.ctx, batch, len);
		data += len;
		size -= len;
	}
	tg->sink.epoch(tg->sink.ctx, tt_pipeline_last_ts_ns(tg->p) + 1);
}

/* A page takes many inputs: making one takes longer than an input. It is made of the same ones each time. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct target tg;
	static unsigned nr_inputs;

	if (!tg.p)
		open_target(&tg);
	push(&tg, data, size);
	if (++nr_inputs % NR_INPUTS == 0)
		finish_target(&tg);
	return 0;
}

#ifdef TT_FUZZ_STANDALONE
struct seed {
	uint8_t *data;
	size_t size, max;
};

static void append_batch(void *ctx, const union tb *t)
{
	struct seed *seed = ctx;

	if (seed->size + t->b.size > seed->max)
		return;
	memcpy(seed->data + seed->size, t, t->b.size);
	seed->size += t->b.size;
}

static size_t tt_fuzz_seed(unsigned nth, uint8_t *data, size_t max)
{
	struct seed seed = { data, 0, max };

	if (nth == 0)
		made_session(append_batch, &seed);
	return seed.size;
}

static void tt_fuzz_repair(uint8_t *data, size_t size)
{
	(void)data;
	(void)size;
}
#endif

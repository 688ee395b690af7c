/* SPDX-License-Identifier: GPL-2.0-or-later */
/* replay - for tests: a made session through the pipeline, as the commands run it. */
#pragma once

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "collector/base/log.h"
#include "collector/cmd/options.h"
#include "collector/cmd/pipeline.h"
#include "collector/event/decode.h"
#include "collector/export/hit.h"
#include "collector/export/out.h"
#include "tests/unit/golden.h"
#include "tests/unit/made.h"

struct replay {
	struct tt_view view;
	bool with_empty; /* hits */
	struct tt_stacks *stacks;
	struct tt_pipeline *p;
	struct tt_sink sink;
	struct tt_hits *hits;
	struct tt_interval interval;
	struct tt_report report;
	struct tt_out out;
	int fd; /* where out goes */
	char *text;
	size_t size; /* of text */
};

/* Names come before events, as in the first of two passes. */
static inline void replay_name(void *ctx, const struct tt_event *ev)
{
	tt_stacks_event(ctx, ev);
}

static inline void replay_names(void *ctx, const union tb *t)
{
	struct tt_decoder *dec;

	if (t->b.stream != TT_STREAM_RECORDS)
		return;
	cr_assert(eq(int, tt_decoder_open(&dec), 0));
	cr_assert(eq(int, tt_decode(dec, t, t->b.size, replay_name, ctx), 0));
	tt_decoder_close(dec);
}

static inline void replay_batch(void *ctx, const union tb *t)
{
	struct replay *r = ctx;

	cr_assert(eq(int, r->sink.batch(r->sink.ctx, t, t->b.size), 0));
}

static inline int replay_hits(void *ctx, const struct tt_event *ev)
{
	tt_hits_event(((struct replay *)ctx)->hits, ev);
	return 0;
}

/* Set r->view and r->with_empty before. event NULL = hits are made and go to fn. */
static inline void replay_open(struct replay *r, uint64_t sections, int (*event)(void *ctx, const struct tt_event *ev), unsigned causes,
			       tt_hit_fn fn)
{
	struct tt_pipeline_options opts = {
		.info = &made_info,
		.view = &r->view,
		.sections = sections,
		.event = event ? event : replay_hits,
		.event_ctx = r,
	};
	struct tt_hits_options hits_opts = { .view = &r->view, .causes = causes, .with_empty = r->with_empty, .fn = fn, .ctx = r };

	tt_log_set_level(TT_LOG_QUIET);
	cr_assert(eq(int, tt_stacks_open(&r->stacks), 0));
	cr_assert(eq(int, tt_pipeline_open(&opts, &r->p), 0));
	hits_opts.world = tt_pipeline_world(r->p);
	cr_assert(eq(int, tt_hits_open(&hits_opts, &r->hits), 0));
	r->sink = tt_pipeline_sink(r->p);
	r->fd = memfd_create("out", 0);
	cr_assert(eq(int, tt_out_open_fd(r->fd, &r->out), 0));
}

/* seed 0 = the session with everything */
static inline void replay_run(struct replay *r, uint64_t seed)
{
	if (seed) {
		made_random(seed, replay_names, r->stacks);
		made_random(seed, replay_batch, r);
	} else {
		made_session(replay_names, r->stacks);
		made_session(replay_batch, r);
	}
	cr_assert(eq(int, r->sink.epoch(r->sink.ctx, UINT64_MAX), 0));
	r->interval = (struct tt_interval){ MADE_START_NS, tt_pipeline_last_ts_ns(r->p), true };
	tt_hits_finish(r->hits, r->interval.to_ts_ns);
}

/* What was written so far, as one string; of bytes that are no text, r->size tells how many. */
static inline char *replay_text(struct replay *r)
{
	off_t size;

	cr_assert(eq(int, tt_out_finish(&r->out), 0));
	size = lseek(r->fd, 0, SEEK_END);
	r->text = calloc(1, (size_t)size + 1);
	cr_assert(r->text != NULL);
	cr_assert(eq(sz, (size_t)pread(r->fd, r->text, (size_t)size, 0), (size_t)size));
	r->size = (size_t)size;
	return r->text;
}

static inline void replay_close(struct replay *r)
{
	tt_hits_close(r->hits);
	tt_pipeline_close(r->p);
	tt_stacks_close(r->stacks);
	tt_out_close(&r->out);
	close(r->fd);
	free(r->text);
}

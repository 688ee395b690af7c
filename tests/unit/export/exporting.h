/* SPDX-License-Identifier: GPL-2.0-or-later */
/* exporting - for tests: what an exporter makes of a made session. */
#pragma once

#include "collector/export/exporter.h"
#include "replay.h"

static const struct tt_exporter *exporter;
static void *state;

static int take_event(void *ctx, const struct tt_event *ev)
{
	struct replay *r = ctx;

	if (exporter->event)
		cr_assert(eq(int, exporter->event(state, ev), 0));
	tt_hits_event(r->hits, ev);
	return 0;
}

static void take_hit(void *ctx, const struct tt_hit *hit)
{
	(void)ctx;
	if (exporter->hit)
		cr_assert(eq(int, exporter->hit(state, hit), 0));
}

/* What the exporter writes; borrowed until replay_close. Set r->view before. */
static inline char *export(struct replay *r, const struct tt_exporter *which, unsigned causes, uint64_t seed)
{
	struct tt_export_context ctx = {
		.file = "made.tt", .info = &made_info, .view = &r->view, .causes = causes
	};
	struct tt_export_end end = { 0 };

	exporter = which;
	r->with_empty = which->needs_empty_hits;
	replay_open(r, TT_SECTIONS_NONE, take_event, causes, take_hit);
	ctx.world = tt_pipeline_world(r->p);
	ctx.stacks = r->stacks;
	ctx.out = &r->out;
	cr_assert(eq(int, exporter->open(&ctx, &state), 0));
	replay_run(r, seed);
	end.interval = r->interval;
	end.nr_lost = tt_pipeline_nr_lost(r->p);
	cr_assert(eq(int, exporter->finish(state, &end), 0));
	cr_expect(eq(u64, end.nr_merged, 0));
	exporter->close(state);
	exporter->close(NULL);
	return replay_text(r);
}

static inline uint64_t sum_of_hits(const struct replay *r)
{
	uint64_t sum_ns = 0;

	for (unsigned cause = 0; cause < TT_CAUSE_NR; cause++)
		sum_ns += tt_hits_sum_ns(r->hits, (enum tt_cause)cause);
	return sum_ns;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/cmd/baseline.h"

#include <errno.h>
#include <string.h>

#include "collector/base/log.h"
#include "collector/export/html/baseline.h"

struct reading {
	const struct tt_export_job *job;
	struct tt_export_baseline *baseline;
	const struct tt_info *info;
	const struct tt_stacks *stacks;
	struct tt_hits *hits;
};

static void take_hit(void *ctx, const struct tt_hit *hit)
{
	tt_baseline_hit(((struct reading *)ctx)->baseline, hit);
}

static int open_hits(void *ctx, const struct tt_replay_scene *scene)
{
	struct reading *r = ctx;
	struct tt_hits_options opts = {
		.world = scene->world, .view = scene->view, .causes = r->job->causes, .stacks = scene->stacks,
					.fn = take_hit, .ctx = r
	};
	int err;

	r->info = scene->info;
	r->stacks = scene->stacks;
	err = tt_baseline_open(r->job->baseline, &r->baseline);
	if (!err)
		err = tt_hits_open(&opts, &r->hits);
	if (err)
		log_error("cannot prepare the baseline: %s", strerror(-err));
	return err;
}

static int take_event(void *ctx, const struct tt_event *ev)
{
	tt_hits_event(((struct reading *)ctx)->hits, ev);
	return 0;
}

static int finish(void *ctx, const struct tt_replay_end *end)
{
	struct reading *r = ctx;
	int err;

	tt_hits_finish(r->hits, end->interval.to_ts_ns);
	err = tt_baseline_finish(r->baseline, r->info, r->stacks, &end->interval, end->nr_lost);
	if (err)
		log_error("cannot prepare the baseline: %s", strerror(-err));
	return err;
}

int tt_baseline_read(const struct tt_export_job *job, struct tt_export_baseline **ret_b)
{
	static const struct tt_range_options all;
	struct reading r = { .job = job };
	struct tt_replay_job replay = {
		.file = job->baseline,
		.common = job->common,
		.range = &all,
		.done = "compared with",
		.writes_to_stdout = !strcmp(job->output, "-"),
		.needs_stacks = true,
		.ctx = &r,
		.open = open_hits,
		.event = take_event,
		.finish = finish,
	};
	int err = tt_replay_run(&replay);

	tt_hits_close(r.hits);
	if (err)
		tt_baseline_close(r.baseline);
	else
		*ret_b = r.baseline;
	return err;
}

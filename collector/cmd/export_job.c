/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/cmd/export_job.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "collector/base/log.h"
#include "collector/base/units.h"
#include "collector/cmd/baseline.h"
#include "collector/export/html/baseline.h"

struct export
{
	const struct tt_export_job *job;
	struct tt_out out;
	struct tt_hits *hits;
	struct tt_export_baseline *baseline; /* NULL = none */
	void *state;
	int err; /* what a callback could not return */
};

static void take_hit(void *ctx, const struct tt_hit *hit)
{
	struct export *ex = ctx;

	if (!ex->err && ex->job->exporter->hit)
		ex->err = ex->job->exporter->hit(ex->state, hit);
}

static int take_event(void *ctx, const struct tt_event *ev)
{
	struct export *ex = ctx;

	if (ex->job->exporter->event)
		ex->err = ex->job->exporter->event(ex->state, ev);
	if (!ex->err)
		tt_hits_event(ex->hits, ev);
	return ex->err ? ex->err : tt_out_error(&ex->out);
}

static int open_export(void *ctx, const struct tt_replay_scene *scene)
{
	struct export *ex = ctx;
	struct tt_hits_options hits_opts = {
		.world = scene->world,
		.view = scene->view,
		.causes = ex->job->causes,
		.from_ts_ns = scene->from_ts_ns,
		.stacks = scene->stacks,
		.with_empty = ex->job->exporter->needs_empty_hits,
		.fn = take_hit,
		.ctx = ex,
	};
	struct tt_export_context export_ctx = {
		.file = ex->job->file,
		.info = scene->info,
		.world = scene->world,
		.view = scene->view,
		.stacks = scene->stacks,
		.out = &ex->out,
		.causes = ex->job->causes,
		.from_ts_ns = scene->from_ts_ns,
		.baseline = ex->baseline,
	};
	int err;

	/* not before the session is known to be one: what is at OUT gives way to it */
	err = tt_out_open(ex->job->output, ex->job->exporter->is_binary, &ex->out);
	if (err)
		return err;
	err = tt_hits_open(&hits_opts, &ex->hits);
	if (!err)
		err = ex->job->exporter->open(&export_ctx, &ex->state);
	if (err)
		log_error("cannot prepare the export: %s", strerror(-err));
	return err;
}

/* What who looks at the picture should know. */
static void tell_end(const struct export *ex, const struct tt_export_end *end)
{
	const char *stacked = end->stacked_device, *file = ex->job->file;
	uint64_t nr_hits = 0;

	for (unsigned cause = 0; cause < TT_CAUSE_NR; cause++) {
		nr_hits += tt_hits_nr(ex->hits, (enum tt_cause)cause);
		if (ex->job->causes != TT_CAUSES_ALL && ex->job->causes >> cause & 1 &&
		    !tt_hits_nr(ex->hits, (enum tt_cause)cause))
			log_warn("%s: there is %s in what was asked for", file,
				 tt_cause_lack((enum tt_cause)cause));
	}
	if (ex->job->causes == TT_CAUSES_ALL && !nr_hits && ex->job->exporter->takes_counters)
		log_info("%s: there are no single events in what was asked for", file);
	else if (ex->job->causes == TT_CAUSES_ALL && !nr_hits)
		log_warn("%s: there is nothing in what was asked for", file);
	if (stacked && !ex->job->common->device)
		log_info("%s lies on other disks: its I/O is there twice; --device chooses one", stacked);
	if (end->nr_merged)
		log_warn("%s: %llu hits found no room for all of their stack; their time is there", file,
			 (unsigned long long)end->nr_merged);
}

static const char *lack_of(const struct tt_session_end *session)
{
	if (session->has_summary && !session->damaged)
		return NULL;
	return session->reason[0] ? session->reason : "it has no end: the recorder was killed";
}

static int finish_export(void *ctx, const struct tt_replay_end *replay_end)
{
	struct export *ex = ctx;
	struct tt_export_end end = { .interval = replay_end->interval,
				     .nr_lost = replay_end->nr_lost,
				     .lack = lack_of(replay_end->session),
				     .report = replay_end->report,
				     .head = replay_end->head,
				     .stacked_device = tt_hits_stacked_device(ex->hits) };
	int err;

	tt_hits_finish(ex->hits, end.interval.to_ts_ns);
	if (!ex->err)
		ex->err = ex->job->exporter->finish(ex->state, &end);
	if (ex->err && ex->err != -EPIPE)
		log_error("cannot make the export: %s", strerror(-ex->err));
	err = ex->err ? ex->err : tt_out_finish(&ex->out);
	if (!err)
		tell_end(ex, &end);
	return err;
}

static int export_session(const struct tt_export_job *export_job, struct tt_export_baseline *baseline)
{
	const struct tt_exporter *exporter = export_job->exporter;
	struct export ex = { .job = export_job, .baseline = baseline };
	struct tt_replay_job job = {
		.file = export_job->file,
		.common = export_job->common,
		.range = export_job->range,
		.view = export_job->view,
		.done = "exported",
		.sections = exporter->needs_report ? TT_SECTIONS_EVERY : 0,
		.takes_counters = exporter->takes_counters,
		.writes_to_stdout = !strcmp(export_job->output, "-"),
		.needs_stacks = true,
		.needs_names_first = exporter->needs_names_first,
		.ctx = &ex,
		.open = open_export,
		.event = take_event,
		.finish = finish_export,
	};
	int err = tt_replay_run(&job);

	exporter->close(ex.state);
	tt_hits_close(ex.hits);
	tt_out_close(&ex.out);
	return err;
}

int tt_export_run(const struct tt_export_job *job)
{
	const char *lack = job->exporter->lack ? job->exporter->lack() : NULL;
	struct tt_export_baseline *baseline = NULL;
	int err = 0;

	if (lack) {
		log_error("-f %s: %s", job->exporter->name, lack);
		return -ENOTSUP;
	}
	if (job->baseline)
		err = tt_baseline_read(job, &baseline);
	if (!err)
		err = export_session(job, baseline);
	tt_baseline_close(baseline);
	return err;
}

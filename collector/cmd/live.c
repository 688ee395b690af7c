/* SPDX-License-Identifier: GPL-2.0-or-later */
/* timethief live: the numbers of report at every interval, like iostat and mpstat. */
#include "collector/cmd/cmd.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "collector/base/log.h"
#include "collector/base/privileges.h"
#include "collector/base/units.h"
#include "collector/cmd/choose.h"
#include "collector/cmd/pipeline.h"
#include "collector/cmd/view_options.h"

enum { NOTES_REMEMBERED = 64, NR_TOP_LIVE = 5 };

#define INTERVAL_NS_MIN	    (100ull * 1000 * 1000)
#define INTERVAL_NS_MAX	    (24ull * 3600 * 1000000000)
#define INTERVAL_NS_DEFAULT 1000000000ull
/* An interval ends with the first epoch that comes this close to its due time: sources keep their own time.
 */
#define EPOCH_SLACK(interval_ns) ((interval_ns) / 8)

struct live_options {
	struct tt_common_options common;
	struct tt_view_options view;
	uint64_t sections;
	uint64_t interval_ns;  /* 0 = not given */
	uint32_t nr_intervals; /* 0 = without end */
	bool all_tables;       /* --by or --top: who, too */
};

static volatile sig_atomic_t interrupted;

static void on_signal(int nr)
{
	(void)nr;
	interrupted = 1;
}

static bool is_section(const char *name)
{
	for (unsigned i = 0; tt_aggregators[i]; i++) {
		if (!strcmp(tt_aggregators[i]->name, name))
			return true;
	}
	return false;
}

static bool is_asked_for(const struct live_options *opts, const char *section)
{
	return opts->sections & tt_section_bit("live", section);
}

static void parse_word(struct live_options *opts, const char *arg)
{
	bool number = arg[0] >= '0' && arg[0] <= '9';

	if (!opts->interval_ns && (!number || is_section(arg))) {
		opts->sections |= tt_section_bit("live", arg);
	} else if (!opts->interval_ns) {
		opts->interval_ns = tt_option_duration_ns("INTERVAL", arg, INTERVAL_NS_MIN, INTERVAL_NS_MAX);
	} else if (!opts->nr_intervals) {
		if (tt_parse_u32(arg, &opts->nr_intervals) || !opts->nr_intervals)
			tt_usage_error("COUNT: '%s' is no number of intervals; write one from 1 to %u", arg,
				       UINT32_MAX);
	} else {
		tt_usage_error("live: '%s' is one word too many", arg);
	}
}

static error_t parse_live(int key, char *arg, struct argp_state *state)
{
	struct live_options *opts = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		tt_argp_share(state, 3, &opts->common);
		state->child_inputs[3] = &opts->view;
		return 0;
	case ARGP_KEY_ARG:
		parse_word(opts, arg);
		return 0;
	case ARGP_KEY_END:
		if (is_asked_for(opts, "cpu")) {
			tt_require_bpf(&opts->common, "cpu");
			opts->common.probes |= TT_PROBE_CPU;
		}
		if (!opts->interval_ns)
			opts->interval_ns = INTERVAL_NS_DEFAULT;
		opts->all_tables = opts->view.by || opts->view.nr_top;
		if (!opts->view.nr_top)
			opts->view.nr_top = NR_TOP_LIVE;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_child live_children[] = {
	{ &tt_argp_source, 0, "Where from:", 2 },
	{ &tt_argp_filter, 0, "Look only at:", 3 },
	{ &tt_argp_talk, 0, "Other:", 4 },
	{ &tt_argp_view, 0, "What to show:", 1 },
	{ 0 },
};

static const struct argp live_argp = {
	.parser = parse_live,
	.args_doc = "[SECTION...] [INTERVAL [COUNT]]",
	.doc = "The numbers of timethief report, every INTERVAL.\v"
	       "SECTION is steal, disk, runq, cpu or chord (default: all but the last two). INTERVAL takes a unit, such as 500ms (default "
	       "1 s, at "
	       "least 100ms); after COUNT intervals it ends. With --json every interval is one object on one "
	       "line.",
	.children = live_children,
};

struct live {
	const struct live_options *opts;
	struct tt_info info;
	struct tt_view_filters filters;
	struct tt_source *src;
	struct tt_pipeline *pipeline;
	uint64_t from_ts_ns; /* of the running interval */
	uint64_t due_ts_ns;
	uint64_t nr_printed;
	bool print_failed;		  /* and has said so */
	uint64_t notes[NOTES_REMEMBERED]; /* hashes of those printed already */
	unsigned nr_notes;
};

/* The source is opened before the pipeline, which must know what kind of source it is. */
static int pass_batch(void *ctx, const void *batch, size_t len)
{
	struct tt_sink sink = tt_pipeline_sink(((struct live *)ctx)->pipeline);

	return sink.batch(sink.ctx, batch, len);
}

static uint64_t hash_text(const char *text)
{
	uint64_t hash = 14695981039346656037ull; /* FNV-1a */

	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * 1099511628211ull;
	return hash;
}

static bool was_said(struct live *live, const char *text)
{
	uint64_t hash = hash_text(text);

	for (unsigned i = 0; i < live->nr_notes; i++) {
		if (live->notes[i] == hash)
			return true;
	}
	if (live->nr_notes < NOTES_REMEMBERED)
		live->notes[live->nr_notes++] = hash;
	return false;
}

/* A note that holds for the whole run is read once; one that stands for a table ("no disk I/O") every time.
 */
static void drop_said_notes(struct live *live, struct tt_report *report)
{
	for (unsigned i = 0; i < report->nr_sections; i++) {
		struct tt_section *s = &report->sections[i];
		unsigned nr_kept = 0;

		if (!s->nr_tables || !s->tables[0].nr_rows)
			continue;
		for (unsigned n = 0; n < s->nr_notes; n++) {
			if (was_said(live, s->notes[n].text)) {
				free(s->notes[n].text);
				continue;
			}
			s->notes[nr_kept++] = s->notes[n];
		}
		s->nr_notes = nr_kept;
	}
}

static int print_interval(struct live *live, uint64_t to_ts_ns)
{
	struct tt_interval interval = { .from_ts_ns = live->from_ts_ns, .to_ts_ns = to_ts_ns };
	struct tt_report_head head = {
		.info = tt_pipeline_info(live->pipeline),
		.from_ts_ns = live->from_ts_ns,
		.to_ts_ns = to_ts_ns,
		.nr_events = tt_pipeline_nr_events(live->pipeline),
		.nr_lost = tt_pipeline_nr_lost(live->pipeline),
		.only = live->filters.only[0] ? live->filters.only : NULL,
	};
	struct tt_render_options render = { .interval_lines = true, .all_tables = live->opts->all_tables };
	struct tt_report report;
	int err;

	tt_report_init(&report);
	err = tt_pipeline_report(live->pipeline, &interval, &report);
	if (!err && live->opts->view.json) {
		err = tt_finish_stdout(tt_render_json(stdout, &report, &head, false));
	} else if (!err) {
		drop_said_notes(live, &report);
		tt_render_options_fill(&render); /* anew: the terminal may have another size now */
		err = tt_finish_stdout(tt_render_text(stdout, &report, &head, &render));
	}
	tt_report_free(&report);
	return err;
}

static bool is_done(const struct live *live)
{
	return interrupted || (live->opts->nr_intervals && live->nr_printed >= live->opts->nr_intervals);
}

static int pass_epoch(void *ctx, uint64_t until_ts_ns)
{
	struct live *live = ctx;
	struct tt_sink sink = tt_pipeline_sink(live->pipeline);
	uint64_t interval_ns = live->opts->interval_ns;
	int err = sink.epoch(sink.ctx, until_ts_ns);

	if (err || is_done(live))
		return err;
	if (!live->from_ts_ns) { /* the snapshot at the start */
		live->from_ts_ns = until_ts_ns;
		live->due_ts_ns = until_ts_ns + interval_ns;
		tt_pipeline_reset(live->pipeline);
	}
	if (until_ts_ns + EPOCH_SLACK(interval_ns) < live->due_ts_ns)
		return 0;
	err = print_interval(live, until_ts_ns);
	live->print_failed = err != 0;
	tt_pipeline_reset(live->pipeline);
	live->nr_printed++;
	live->from_ts_ns = until_ts_ns;
	do
		live->due_ts_ns +=
			interval_ns; /* from due time to due time: no drift; a late one is not made up for */
	while (live->due_ts_ns <= until_ts_ns);
	return err;
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static int run_intervals(struct live *live)
{
	enum { POLL_MS = 100 };
	int err;

	err = live->src->ops->start(live->src);
	tt_privileges_drop(0);
	while (!err && !is_done(live)) {
		err = live->src->ops->poll(live->src, POLL_MS);
		if (err == -EINTR)
			err = 0;
	}
	if (err >= 0 || err == -EPIPE || interrupted)
		return 0;
	if (!live->print_failed)
		log_error("%s: cannot go on: %s", live->info.source, strerror(-err));
	return err;
}

static void catch_signals(void)
{
	struct sigaction old, sa = { .sa_handler = on_signal }; /* without SA_RESTART: poll returns at once */

	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	if (!sigaction(SIGHUP, NULL, &old) && old.sa_handler != SIG_IGN) /* nohup */
		sigaction(SIGHUP, &sa, NULL);
}

static int live_open(struct live *live, const struct tt_sink *sink)
{
	const struct live_options *opts = live->opts;
	struct tt_pipeline_options pipeline_opts = {
		.info = &live->info,
		.view = &live->filters.view,
		.sections = opts->sections,
	};
	struct tt_source_options source_opts;
	uint32_t device;
	int err = tt_common_check_host(&opts->common, &device);

	if (err)
		return err;
	tt_info_fill_host(&live->info, "");
	snprintf(live->info.tool_version, sizeof(live->info.tool_version), "%s", TT_VERSION);
	tt_view_fill(&live->filters, &opts->view, &opts->common, NULL);
	tt_source_options_fill(&source_opts, &opts->common, device);
	source_opts.interval_ns = opts->interval_ns;
	live->info.start_ts_ns = now_ns(); /* what the report counts from */
	err = tt_choose_source(opts->common.source, &source_opts, &live->info, sink, &live->src);
	return err ? err : tt_pipeline_open(&pipeline_opts, &live->pipeline);
}

static int run_live(int argc, char **argv)
{
	struct live_options opts = { .common = TT_COMMON_OPTIONS_INIT };
	static struct live live; /* large */
	struct tt_sink sink = { .ctx = &live, .batch = pass_batch, .epoch = pass_epoch };
	int err;

	if (tt_argp_parse(&live_argp, 0, argc, argv, &opts))
		return TT_EXIT_USAGE;
	live.opts = &opts;
	err = live_open(&live, &sink);
	if (!err) {
		catch_signals();
		err = run_intervals(&live);
	}
	if (live.src)
		live.src->ops->close(live.src);
	tt_pipeline_close(live.pipeline);
	return err ? TT_EXIT_FAILED : TT_EXIT_OK;
}

const struct tt_command tt_command_live = {
	.name = "live",
	.help = "the same numbers every interval, like iostat and mpstat",
	.run = run_live,
};

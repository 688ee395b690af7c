/* SPDX-License-Identifier: GPL-2.0-or-later */
/* timethief report: a session file to tables. */
#include "collector/cmd/cmd.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "collector/base/log.h"
#include "collector/cmd/export_job.h"
#include "collector/cmd/pipeline.h"
#include "collector/cmd/replay.h"
#include "collector/cmd/view_options.h"
#include "collector/session/session.h"

enum { KEY_SECTION = 0x3000, KEY_HTML };

struct report_options {
	struct tt_common_options common;
	struct tt_view_options view;
	const char *file; /* NULL = the default */
	const char *html; /* where the page goes; NULL = no page */
	struct tt_range_options range;
	uint64_t sections;
};

static error_t parse_report(int key, char *arg, struct argp_state *state)
{
	struct report_options *opts = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		tt_argp_share(state, 2, &opts->common);
		state->child_inputs[2] = &opts->view;
		state->child_inputs[3] = &opts->range;
		return 0;
	case KEY_SECTION:
		opts->sections |= tt_section_bit("--section", arg);
		return 0;
	case KEY_HTML:
		if (!arg[0])
			tt_usage_error("--html: the file name is empty");
		opts->html = arg;
		return 0;
	case ARGP_KEY_END:
		if (opts->html && opts->view.json)
			tt_usage_error("--html and --json: one of them");
		if (opts->html && opts->sections)
			tt_usage_error("--html: the page has all sections; leave --section out");
		return 0;
	case ARGP_KEY_ARG:
		if (opts->file)
			tt_usage_error("report: '%s' is one file too many", arg);
		opts->file = arg;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option report_options[] = {
	{ "section", KEY_SECTION, "NAME", 0, "only this section: steal, disk, runq, cpu, or chord (who delays whom), which is shown only when it is named; repeatable", 0 },
	{ "html", KEY_HTML, "OUT", 0, "write a page to look at instead, as export -f html does; an existing one becomes OUT.old", 0 },
	{ 0 },
};

static const struct argp_child report_children[] = {
	{ &tt_argp_filter, 0, "Look only at:", 2 },
	{ &tt_argp_talk, 0, "Other:", 3 },
	{ &tt_argp_view, 0, NULL, 1 },
	{ &tt_argp_range, 0, NULL, 1 },
	{ 0 },
};

static const struct argp report_argp = {
	.options = report_options,
	.parser = parse_report,
	.args_doc = "[FILE]",
	.doc = "Who stole the time: findings first, then steal, disks and run queue.\v"
	       "FILE is a session of timethief record (default timethief.tt, - for standard input).",
	.children = report_children,
};

static int print_report(const struct report_options *opts, const struct tt_session_reader *reader,
			struct tt_pipeline *p, const struct tt_interval *interval, const char *only)
{
	struct tt_render_options render = { .file = opts->file };
	struct tt_report_head head;
	uint64_t nr_lost[TT_LOSS_NR];
	struct tt_report report;
	int err;

	tt_replay_losses(reader, p, interval, nr_lost);
	tt_replay_head(reader, p, &opts->range, interval, opts->file, only, nr_lost, &head);
	tt_report_init(&report);
	err = tt_pipeline_report(p, interval, &report);
	if (!err) {
		tt_render_options_fill(&render);
		err = opts->view.json ? tt_render_json(stdout, &report, &head, true)
				      : tt_render_text(stdout, &report, &head, &render);
		err = tt_finish_stdout(err);
	}
	tt_report_free(&report);
	return err == -EPIPE ? 0 : err;
}

static int report_session(const struct report_options *opts, struct tt_session_reader *reader)
{
	const struct tt_info *info = tt_session_info(reader);
	struct tt_view_filters filters;
	struct tt_pipeline_options pipeline_opts = {
		.info = info,
		.view = &filters.view,
		.sections = opts->sections,
		.from_ts_ns = tt_range_from_ts_ns(&opts->range, info),
		.to_ts_ns = tt_range_to_ts_ns(&opts->range, info),
	};
	struct tt_interval interval;
	struct tt_pipeline *p = NULL;
	struct tt_sink sink;
	int err;

	tt_view_fill(&filters, &opts->view, &opts->common, info);
	err = tt_pipeline_open(&pipeline_opts, &p);
	if (!err) {
		sink = tt_pipeline_sink(p);
		err = tt_replay_read(reader, &sink, opts->file, false);
		if (err)
			log_error("%s: cannot read it: %s", opts->file, strerror(-err));
	}
	if (!err)
		err = tt_replay_check_end(reader, p, opts->file, "reported");
	if (!err)
		err = tt_replay_interval(&opts->range, reader, p, &interval);
	if (!err)
		err = tt_pipeline_check_view(p);
	if (!err)
		err = print_report(opts, reader, p, &interval, filters.only);
	tt_pipeline_close(p);
	return err;
}

static int write_page(const struct report_options *opts)
{
	struct tt_export_job job = {
		.common = &opts->common,
		.range = &opts->range,
		.view = &opts->view,
		.exporter = &tt_exporter_html,
		.file = opts->file,
		.output = opts->html,
		.causes = TT_CAUSES_ALL,
	};
	int err;

	signal(SIGPIPE, SIG_IGN);
	err = tt_export_run(&job);
	return err == -EPIPE ? 0 : err;
}

static int report_text(const struct report_options *opts)
{
	struct tt_session_reader *reader = NULL;
	int err = tt_session_open(opts->file, &reader);

	if (!err)
		err = report_session(opts, reader);
	tt_session_close(reader);
	return err;
}

static int run_report(int argc, char **argv)
{
	struct report_options opts = { .common = TT_COMMON_OPTIONS_INIT };
	int err;

	if (tt_argp_parse(&report_argp, 0, argc, argv, &opts))
		return TT_EXIT_USAGE;
	if (!opts.file)
		opts.file = "timethief.tt";
	err = opts.html ? write_page(&opts) : report_text(&opts);
	return err ? TT_EXIT_FAILED : TT_EXIT_OK;
}

const struct tt_command tt_command_report = {
	.name = "report",
	.help = "findings, then steal, disks and run queue of a session",
	.run = run_report,
};

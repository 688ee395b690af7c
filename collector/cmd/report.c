/* SPDX-License-Identifier: GPL-2.0-or-later */
/* timethief report: a session file to tables. */
#include "collector/cmd/cmd.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "collector/base/log.h"
#include "collector/base/units.h"
#include "collector/cmd/pipeline.h"
#include "collector/cmd/view_options.h"
#include "collector/session/session.h"

enum { KEY_SECTION = 0x3000, KEY_FROM, KEY_TO, PROGRESS_INTERVAL_MS = 200 };

#define RELATIVE_NS_MAX (1000ull * 86400 * 1000000000)

struct report_options {
	struct tt_common_options common;
	struct tt_view_options view;
	const char *file; /* NULL = the default */
	uint64_t sections;
	uint64_t from_ns, to_ns; /* since the start of the session; to 0 = its end */
	const char *from_text, *to_text;
};

static error_t parse_report(int key, char *arg, struct argp_state *state)
{
	struct report_options *opts = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		tt_argp_share(state, 2, &opts->common);
		state->child_inputs[2] = &opts->view;
		return 0;
	case KEY_SECTION:
		opts->sections |= tt_section_bit("--section", arg);
		return 0;
	case KEY_FROM:
		opts->from_ns = tt_option_duration_ns("--from", arg, 0, RELATIVE_NS_MAX);
		opts->from_text = arg;
		return 0;
	case KEY_TO:
		opts->to_ns = tt_option_duration_ns("--to", arg, 1, RELATIVE_NS_MAX);
		opts->to_text = arg;
		return 0;
	case ARGP_KEY_ARG:
		if (opts->file)
			tt_usage_error("report: '%s' is one file too many", arg);
		opts->file = arg;
		return 0;
	case ARGP_KEY_END:
		if (opts->to_ns && opts->from_ns >= opts->to_ns)
			tt_usage_error("--from %s is not before --to %s", opts->from_text, opts->to_text);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option report_options[] = {
	{ "section", KEY_SECTION, "NAME", 0, "only this section: steal, disk, runq or cpu; repeatable", 0 },
	{ "from", KEY_FROM, "SEC", 0, "leave out what comes before, since the start of the session", 0 },
	{ "to", KEY_TO, "SEC", 0, "leave out what comes after", 0 },
	{ 0 },
};

static const struct argp_child report_children[] = {
	{ &tt_argp_filter, 0, "Look only at:", 2 },
	{ &tt_argp_talk, 0, "Other:", 3 },
	{ &tt_argp_view, 0, NULL, 1 },
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

/* --- progress --- */

struct progress {
	uint64_t file_bytes; /* 0 = unknown, as of a pipe */
	struct timespec last;
};

static void progress_open(struct progress *pr, const char *file)
{
	struct stat st;

	memset(pr, 0, sizeof(*pr));
	if (strcmp(file, "-") != 0 && !stat(file, &st) && S_ISREG(st.st_mode))
		pr->file_bytes = (uint64_t)st.st_size;
	clock_gettime(CLOCK_MONOTONIC, &pr->last);
}

static void progress_show(struct progress *pr, uint64_t done_bytes)
{
	char done[16], all[16];
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if ((now.tv_sec - pr->last.tv_sec) * 1000 + (now.tv_nsec - pr->last.tv_nsec) / 1000000 <
	    PROGRESS_INTERVAL_MS)
		return;
	pr->last = now;
	tt_format_bytes(done, sizeof(done), done_bytes);
	if (pr->file_bytes)
		log_status("reading: %s of %s", done, tt_format_bytes(all, sizeof(all), pr->file_bytes));
	else
		log_status("reading: %s", done);
}

/* --- reading --- */

static int read_session(struct tt_session_reader *reader, struct tt_pipeline *p, const char *file)
{
	struct tt_sink sink = tt_pipeline_sink(p);
	struct progress progress;
	int err;

	progress_open(&progress, file);
	do {
		err = tt_session_read_epoch(reader, &sink);
		progress_show(&progress, tt_session_reader_bytes(reader));
	} while (!err);
	log_status("%s", "");
	if (err < 0)
		log_error("%s: cannot read it: %s", file, strerror(-err));
	return err < 0 ? err : 0;
}

/* What is said on stderr about a file that is not whole; -EBADMSG when nothing in it is. */
static int check_end(const struct tt_session_end *end, const struct tt_pipeline *p, const char *file)
{
	if (end->has_summary && !end->damaged)
		return 0;
	if (!tt_pipeline_epoch_ts_ns(p)) {
		log_error("%s: nothing in it is whole: %s (at byte %llu)", file,
			  end->reason[0] ? end->reason : "it ends after the header",
			  (unsigned long long)end->offset);
		return -EBADMSG;
	}
	log_warn("%s: %s: %s (at byte %llu); what is whole is reported", file,
		 end->damaged ? "damaged" : "cut short",
		 end->reason[0] ? end->reason : "the recording has no end", (unsigned long long)end->offset);
	return 0;
}

static uint64_t end_of(const struct tt_session_reader *reader, const struct tt_pipeline *p)
{
	const struct tt_session_end *end = tt_session_get_end(reader);
	uint64_t start_ts_ns = tt_session_info(reader)->start_ts_ns;
	uint64_t end_ts_ns = end->has_summary ? end->summary.end_ts_ns : tt_pipeline_epoch_ts_ns(p);

	return end_ts_ns > start_ts_ns ? end_ts_ns : start_ts_ns;
}

static int find_interval(const struct report_options *opts, const struct tt_session_reader *reader,
			 const struct tt_pipeline *p, struct tt_interval *interval)
{
	const struct tt_session_end *end = tt_session_get_end(reader);
	uint64_t start_ts_ns = tt_session_info(reader)->start_ts_ns, end_ts_ns = end_of(reader, p);
	uint64_t begin_ts_ns, last_ts_ns;
	char length[16];

	interval->from_ts_ns = start_ts_ns + opts->from_ns;
	/* attaching the programs takes its time, and nothing is recorded in it: rates must not be divided by it */
	if (tt_pipeline_window(p, &begin_ts_ns, &last_ts_ns)) {
		if (begin_ts_ns > interval->from_ts_ns && begin_ts_ns < end_ts_ns)
			interval->from_ts_ns = begin_ts_ns;
		if (last_ts_ns > interval->from_ts_ns && last_ts_ns < end_ts_ns)
			end_ts_ns = last_ts_ns;
	}
	interval->to_ts_ns = end_ts_ns;
	if (opts->to_ns && start_ts_ns + opts->to_ns < end_ts_ns)
		interval->to_ts_ns = start_ts_ns + opts->to_ns;
	interval->whole =
		!opts->from_ns && interval->to_ts_ns == end_ts_ns && end->has_summary && !end->damaged;
	if (opts->from_ns && interval->from_ts_ns >= end_ts_ns) {
		log_error("--from %s is beyond the end of the session, which is %s long", opts->from_text,
			  tt_format_duration(length, sizeof(length), end_ts_ns - start_ts_ns));
		return -ERANGE;
	}
	return 0;
}

/* Of the whole session, the recorder's own counts hold more than the file: what was lost after the last
 * record. */
static void merge_losses(uint64_t *nr_lost, const struct tt_session_end *end)
{
	for (unsigned what = 0; what < TT_LOSS_NR; what++) {
		if (end->summary.nr_lost[what] > nr_lost[what])
			nr_lost[what] = end->summary.nr_lost[what];
	}
}

static int print_report(const struct report_options *opts, const struct tt_session_reader *reader,
			struct tt_pipeline *p, const struct tt_interval *interval, const char *only)
{
	struct tt_report_head head = {
		.info = tt_pipeline_info(p),
		.end = tt_session_get_end(reader),
		.from_ts_ns = interval->from_ts_ns,
		.to_ts_ns = interval->to_ts_ns,
		.nr_events = tt_pipeline_nr_events(p),
		.file = opts->file,
		.partial = opts->from_ns || opts->to_ns,
		.only = only[0] ? only : NULL,
	};
	struct tt_render_options render = { .file = opts->file };
	uint64_t nr_lost[TT_LOSS_NR];
	struct tt_report report;
	int err;

	memcpy(nr_lost, tt_pipeline_nr_lost(p), sizeof(nr_lost));
	if (interval->whole) {
		merge_losses(nr_lost, head.end);
		head.nr_events = head.end->summary.nr_events;
	}
	head.nr_lost = nr_lost;
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
		.from_ts_ns = opts->from_ns ? info->start_ts_ns + opts->from_ns : 0,
		.to_ts_ns = opts->to_ns ? info->start_ts_ns + opts->to_ns : 0,
	};
	struct tt_interval interval;
	struct tt_pipeline *p = NULL;
	int err;

	tt_view_fill(&filters, &opts->view, &opts->common, info);
	err = tt_pipeline_open(&pipeline_opts, &p);
	if (!err)
		err = read_session(reader, p, opts->file);
	if (!err)
		err = check_end(tt_session_get_end(reader), p, opts->file);
	if (!err)
		err = find_interval(opts, reader, p, &interval);
	if (!err)
		err = tt_pipeline_check_view(p);
	if (!err)
		err = print_report(opts, reader, p, &interval, filters.only);
	tt_pipeline_close(p);
	return err;
}

static int run_report(int argc, char **argv)
{
	struct report_options opts = { .common = TT_COMMON_OPTIONS_INIT };
	struct tt_session_reader *reader = NULL;
	int err;

	if (tt_argp_parse(&report_argp, 0, argc, argv, &opts))
		return TT_EXIT_USAGE;
	if (!opts.file)
		opts.file = "timethief.tt";
	err = tt_session_open(opts.file, &reader);
	if (!err)
		err = report_session(&opts, reader);
	tt_session_close(reader);
	return err ? TT_EXIT_FAILED : TT_EXIT_OK;
}

const struct tt_command tt_command_report = {
	.name = "report",
	.help = "findings, then steal, disks and run queue of a session",
	.run = run_report,
};

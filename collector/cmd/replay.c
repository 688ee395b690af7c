/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/cmd/replay.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "collector/base/log.h"
#include "collector/base/units.h"
#include "collector/event/decode.h"
#include "collector/render/words.h"

enum { KEY_FROM = 0x4000, KEY_TO, PROGRESS_INTERVAL_MS = 200 };

#define RELATIVE_NS_MAX (1000ull * 86400 * 1000000000)

/* --- the part that is asked for --- */

static error_t parse_range(int key, char *arg, struct argp_state *state)
{
	struct tt_range_options *range = state->input;

	switch (key) {
	case KEY_FROM:
		range->from_ns = tt_option_duration_ns("--from", arg, 0, RELATIVE_NS_MAX);
		range->from_text = arg;
		return 0;
	case KEY_TO:
		range->to_ns = tt_option_duration_ns("--to", arg, 1, RELATIVE_NS_MAX);
		range->to_text = arg;
		return 0;
	case ARGP_KEY_END:
		if (range->to_ns && range->from_ns >= range->to_ns)
			tt_usage_error("--from %s is not before --to %s", range->from_text, range->to_text);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option range_options[] = {
	{ "from", KEY_FROM, "SEC", 0, "leave out what comes before, since the start of the session", 0 },
	{ "to", KEY_TO, "SEC", 0, "leave out what comes after", 0 },
	{ 0 },
};

const struct argp tt_argp_range = { .options = range_options, .parser = parse_range };

uint64_t tt_range_from_ts_ns(const struct tt_range_options *range, const struct tt_info *info)
{
	return range->from_ns ? info->start_ts_ns + range->from_ns : 0;
}

uint64_t tt_range_to_ts_ns(const struct tt_range_options *range, const struct tt_info *info)
{
	return range->to_ns ? info->start_ts_ns + range->to_ns : 0;
}

/* --- progress --- */

struct progress {
	const char *verb;
	uint64_t file_bytes; /* 0 = unknown, as of a pipe */
	struct timespec last;
	bool hidden;
};

static void progress_open(struct progress *pr, const char *verb, const char *file)
{
	struct stat st;

	memset(pr, 0, sizeof(*pr));
	pr->verb = verb;
	if (strcmp(file, "-") != 0 && !stat(file, &st) && S_ISREG(st.st_mode))
		pr->file_bytes = (uint64_t)st.st_size;
	clock_gettime(CLOCK_MONOTONIC, &pr->last);
}

static void progress_show(void *ctx, uint64_t done_bytes)
{
	struct progress *pr = ctx;
	char done[16], all[16];
	struct timespec now;

	if (pr->hidden)
		return;
	clock_gettime(CLOCK_MONOTONIC, &now);
	if ((now.tv_sec - pr->last.tv_sec) * 1000 + (now.tv_nsec - pr->last.tv_nsec) / 1000000 <
	    PROGRESS_INTERVAL_MS)
		return;
	pr->last = now;
	tt_format_bytes(done, sizeof(done), done_bytes);
	if (pr->file_bytes)
		log_status("%s: %s of %s", pr->verb, done, tt_format_bytes(all, sizeof(all), pr->file_bytes));
	else
		log_status("%s: %s", pr->verb, done);
}

/* --- reading --- */

int tt_replay_read(struct tt_session_reader *reader, const struct tt_sink *sink, const char *file, bool quiet)
{
	struct progress progress;
	int err;

	progress_open(&progress, "reading", file);
	progress.hidden = quiet;
	do {
		err = tt_session_read_epoch(reader, sink);
		progress_show(&progress, tt_session_reader_bytes(reader));
	} while (!err);
	log_status("%s", "");
	return err < 0 ? err : 0;
}

/* With progress while a pipe is copied. */
static int open_twice(const char *file, struct tt_session_reader **ret_reader)
{
	struct progress progress;
	int err;

	progress_open(&progress, "waiting for all of it", file);
	err = tt_session_open_twice(file, progress_show, &progress, ret_reader);
	log_status("%s", "");
	return err;
}

struct names {
	struct tt_decoder *dec;
	struct tt_stacks *stacks;
};

static void take_name(void *ctx, const struct tt_event *ev)
{
	tt_stacks_event(((struct names *)ctx)->stacks, ev);
}

/* Order is no matter: names are looked for when all of them are there. */
static int take_names(void *ctx, const void *batch, size_t len)
{
	struct names *names = ctx;
	int err = ((const struct tt_batch *)batch)->stream == TT_STREAM_RECORDS
			  ? tt_decode(names->dec, batch, len, take_name, names)
			  : 0;

	return err == -EBADMSG ? 0 : err;
}

static int pass_epoch(void *ctx, uint64_t until_ts_ns)
{
	(void)ctx;
	(void)until_ts_ns;
	return 0;
}

/* What all stacks and names of the session are; then back to its beginning. */
static int read_names(struct tt_session_reader *reader, const char *file, struct tt_stacks *stacks)
{
	struct names names = { .stacks = stacks };
	struct tt_sink sink = { .ctx = &names, .batch = take_names, .epoch = pass_epoch };
	int err = tt_decoder_open(&names.dec);

	if (err) {
		log_error("%s: no memory to read names", file);
		return err;
	}
	tt_session_skip_sched(reader);
	err = tt_replay_read(reader, &sink, file, false);
	if (!err)
		err = tt_session_rewind(reader);
	if (err)
		log_error("%s: cannot read its names: %s", file, strerror(-err));
	tt_decoder_close(names.dec);
	return err;
}

static int check_events(const struct tt_session_reader *reader, const struct tt_replay_job *job)
{
	if (strcmp(tt_session_info(reader)->source, "procfs"))
		return 0;
	log_error("%s holds counters of /proc only, no single events: nothing can be %s; record as root for events",
		  job->file, job->done);
	return -ENODATA;
}

int tt_replay_check_end(const struct tt_session_reader *reader, const struct tt_pipeline *p, const char *file,
			const char *done)
{
	const struct tt_session_end *end = tt_session_get_end(reader);

	if (end->has_summary && !end->damaged)
		return 0;
	if (!tt_pipeline_epoch_ts_ns(p)) {
		log_error("%s: nothing in it is whole: %s (at byte %llu)", file,
			  end->reason[0] ? end->reason : "it ends after the header",
			  (unsigned long long)end->offset);
		return -EBADMSG;
	}
	log_warn("%s: %s: %s (at byte %llu); what is whole is %s", file,
		 end->damaged ? "damaged" : "cut short",
		 end->reason[0] ? end->reason : "the recording has no end", (unsigned long long)end->offset,
		 done);
	return 0;
}

static uint64_t end_of(const struct tt_session_reader *reader, const struct tt_pipeline *p)
{
	const struct tt_session_end *end = tt_session_get_end(reader);
	uint64_t start_ts_ns = tt_session_info(reader)->start_ts_ns;
	uint64_t end_ts_ns = end->has_summary ? end->summary.end_ts_ns : tt_pipeline_epoch_ts_ns(p);

	return end_ts_ns > start_ts_ns ? end_ts_ns : start_ts_ns;
}

int tt_replay_interval(const struct tt_range_options *range, const struct tt_session_reader *reader,
		       const struct tt_pipeline *p, struct tt_interval *interval)
{
	const struct tt_session_end *end = tt_session_get_end(reader);
	uint64_t start_ts_ns = tt_session_info(reader)->start_ts_ns, end_ts_ns = end_of(reader, p);
	uint64_t begin_ts_ns, last_ts_ns;
	char length[16];

	interval->from_ts_ns = start_ts_ns + range->from_ns;
	/* attaching the programs takes its time, and nothing is recorded in it: rates must not be divided by it */
	if (tt_pipeline_window(p, &begin_ts_ns, &last_ts_ns)) {
		if (begin_ts_ns > interval->from_ts_ns && begin_ts_ns < end_ts_ns)
			interval->from_ts_ns = begin_ts_ns;
		if (last_ts_ns > interval->from_ts_ns && last_ts_ns < end_ts_ns)
			end_ts_ns = last_ts_ns;
	}
	interval->to_ts_ns = end_ts_ns;
	if (range->to_ns && start_ts_ns + range->to_ns < end_ts_ns)
		interval->to_ts_ns = start_ts_ns + range->to_ns;
	interval->whole =
		!range->from_ns && interval->to_ts_ns == end_ts_ns && end->has_summary && !end->damaged;
	if (range->from_ns && interval->from_ts_ns >= end_ts_ns) {
		log_error("--from %s is beyond the end of the session, which is %s long", range->from_text,
			  tt_format_duration(length, sizeof(length), end_ts_ns - start_ts_ns));
		return -ERANGE;
	}
	return 0;
}

void tt_replay_losses(const struct tt_session_reader *reader, const struct tt_pipeline *p,
		      const struct tt_interval *interval, uint64_t nr_lost[TT_LOSS_NR])
{
	const struct tt_session_end *end = tt_session_get_end(reader);

	memcpy(nr_lost, tt_pipeline_nr_lost(p), TT_LOSS_NR * sizeof(nr_lost[0]));
	for (unsigned what = 0; interval->whole && what < TT_LOSS_NR; what++) {
		if (end->summary.nr_lost[what] > nr_lost[what])
			nr_lost[what] = end->summary.nr_lost[what];
	}
}

void tt_replay_head(const struct tt_session_reader *reader, const struct tt_pipeline *p,
		    const struct tt_range_options *range, const struct tt_interval *interval, const char *file,
		    const char *only, const uint64_t *nr_lost, struct tt_report_head *head)
{
	*head = (struct tt_report_head){
		.info = tt_pipeline_info(p),
		.end = tt_session_get_end(reader),
		.from_ts_ns = interval->from_ts_ns,
		.to_ts_ns = interval->to_ts_ns,
		.nr_events = tt_pipeline_nr_events(p),
		.nr_lost = nr_lost,
		.file = file,
		.partial = range->from_ns || range->to_ns,
		.only = only[0] ? only : NULL,
	};
	if (interval->whole)
		head->nr_events = head->end->summary.nr_events;
}

static void tell_losses(const char *file, const uint64_t nr_lost[TT_LOSS_NR])
{
	char details[TT_LOSS_LIST_MAX];

	tt_loss_list(details, sizeof(details), nr_lost);
	if (tt_loss_shed(nr_lost))
		log_warn("%s: lost: %s; what is missing is not in the output", file, details);
	else if (details[0])
		log_info("%s: lost: %s", file, details);
}

static int read_events(const struct tt_replay_job *job, struct tt_session_reader *reader,
		       struct tt_pipeline *p)
{
	struct tt_sink sink = tt_pipeline_sink(p);
	bool is_same_terminal = job->writes_to_stdout && isatty(STDOUT_FILENO);
	int err = tt_replay_read(reader, &sink, job->file, is_same_terminal);

	if (err && err == tt_pipeline_event_error(p) && err != -EPIPE)
		log_error("cannot write what is in %s: %s", job->file, strerror(-err));
	else if (err && err != -EPIPE)
		log_error("%s: cannot read it: %s", job->file, strerror(-err));
	return err;
}

/* With the report, when the job wants one. */
static int finish_job(const struct tt_replay_job *job, const struct tt_session_reader *reader, struct tt_pipeline *p,
		      const char *only, struct tt_replay_end *end)
{
	struct tt_report_head head;
	struct tt_report report;
	int err = 0;

	if (!job->sections)
		return job->finish(job->ctx, end);
	tt_report_init(&report);
	tt_replay_head(reader, p, job->range, &end->interval, job->file, only, end->nr_lost, &head);
	err = tt_pipeline_report(p, &end->interval, &report);
	end->report = &report;
	end->head = &head;
	if (!err)
		err = job->finish(job->ctx, end);
	tt_report_free(&report);
	return err;
}

/* By those, stacks can be told from each other only by whom has read all of it. */
static bool has_aliases(const struct tt_info *info)
{
	return !strcmp(info->unwind, "dwarf");
}

static bool reads_names_first(const struct tt_replay_job *job, const struct tt_session_reader *reader)
{
	return job->needs_names_first || (job->needs_stacks && has_aliases(tt_session_info(reader)));
}

static int run_job(const struct tt_replay_job *job, struct tt_session_reader *reader,
		   struct tt_stacks *stacks)
{
	const struct tt_info *info = tt_session_info(reader);
	struct tt_view_filters filters;
	struct tt_view_options view_opts = { 0 };
	struct tt_pipeline_options pipeline_opts = {
		.info = info,
		.view = &filters.view,
		.sections = job->sections ? job->sections : TT_SECTIONS_NONE,
		.from_ts_ns = tt_range_from_ts_ns(job->range, info),
		.to_ts_ns = tt_range_to_ts_ns(job->range, info),
		.event = job->event,
		.event_ctx = job->ctx,
		.stacks = reads_names_first(job, reader) ? NULL : stacks,
	};
	struct tt_replay_scene scene = { info, NULL, &filters.view, stacks, pipeline_opts.from_ts_ns };
	struct tt_replay_end end = { 0 };
	struct tt_pipeline *p = NULL;
	int err;

	tt_view_fill(&filters, job->view ? job->view : &view_opts, job->common, info);
	err = tt_pipeline_open(&pipeline_opts, &p);
	if (err)
		return err;
	scene.world = tt_pipeline_world(p);
	err = job->open(job->ctx, &scene);
	if (!err)
		err = read_events(job, reader, p);
	if (!err)
		err = tt_replay_check_end(reader, p, job->file, job->done);
	if (!err)
		err = tt_replay_interval(job->range, reader, p, &end.interval);
	if (!err)
		err = tt_pipeline_check_view(p);
	if (!err) {
		end.session = tt_session_get_end(reader);
		tt_replay_losses(reader, p, &end.interval, end.nr_lost);
		err = finish_job(job, reader, p, filters.only, &end);
	}
	if (!err)
		tell_losses(job->file, end.nr_lost);
	if (!err && stacks && tt_stacks_nr_forgotten(stacks))
		log_warn("%s: %llu stacks and names found no room", job->file,
			 (unsigned long long)tt_stacks_nr_forgotten(stacks));
	tt_pipeline_close(p);
	return err;
}

int tt_replay_run(const struct tt_replay_job *job)
{
	struct tt_session_reader *reader = NULL;
	struct tt_stacks *stacks = NULL;
	bool needs_stacks = job->needs_stacks || job->needs_names_first;
	int err = needs_stacks ? open_twice(job->file, &reader) : tt_session_open(job->file, &reader);

	if (!err && !job->takes_counters)
		err = check_events(reader, job);
	if (!err && needs_stacks) {
		err = tt_stacks_open(&stacks);
		if (err)
			log_error("no memory for stacks");
	}
	if (!err && reads_names_first(job, reader))
		err = read_names(reader, job->file, stacks);
	if (!err)
		err = run_job(job, reader, stacks);
	tt_stacks_close(stacks);
	tt_session_close(reader);
	return err;
}

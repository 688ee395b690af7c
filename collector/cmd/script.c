/* SPDX-License-Identifier: GPL-2.0-or-later */
/* timethief script: events of a session as text, the way perf script prints them. */
#include "collector/cmd/cmd.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "collector/base/log.h"
#include "collector/base/units.h"
#include "collector/cmd/replay.h"
#include "collector/cmd/view_options.h"
#include "collector/export/perf_sched.h"
#include "collector/export/perf_text.h"
#include "collector/export/repeat.h"

enum { KEY_REPEAT_WEIGHT = 0x5000, KEY_WAKERS, KEY_STACKS };
enum { EVENT_SCHED, EVENT_CAUSES }; /* the others are EVENT_CAUSES + enum tt_cause */

#define UNIT_NS_DEFAULT 1000000ull
#define UNIT_NS_MAX	(3600ull * 1000000000)

static const char *const event_names[] = { "sched", "steal", "runq", "disk", "cpu", NULL };

struct script_options {
	struct tt_common_options common;
	struct tt_range_options range;
	const char *file; /* NULL = the default */
	unsigned event;
	uint64_t unit_ns; /* 0 = each once, with its weight */
	bool with_wakers, with_stacks;
};

static void check_options(const struct script_options *opts)
{
	bool is_sched = opts->event == EVENT_SCHED;

	if (opts->unit_ns && is_sched)
		tt_usage_error("--repeat-weight: switches have no weight; name another event with -e");
	if (opts->with_wakers && opts->event != EVENT_CAUSES + TT_CAUSE_RUNQ)
		tt_usage_error("--wakers: only waits have a waker; add -e runq");
	if (opts->with_stacks && !is_sched)
		tt_usage_error("--stacks: is for -e sched; %s has them anyway", event_names[opts->event]);
}

static error_t parse_script(int key, char *arg, struct argp_state *state)
{
	struct script_options *opts = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		tt_argp_share(state, 2, &opts->common);
		state->child_inputs[2] = &opts->range;
		return 0;
	case 'e':
		opts->event = tt_option_choice("-e", arg, event_names);
		return 0;
	case KEY_REPEAT_WEIGHT:
		opts->unit_ns = arg ? tt_option_duration_ns("--repeat-weight", arg, 1, UNIT_NS_MAX) : UNIT_NS_DEFAULT;
		return 0;
	case KEY_WAKERS:
		opts->with_wakers = true;
		return 0;
	case KEY_STACKS:
		opts->with_stacks = true;
		return 0;
	case ARGP_KEY_ARG:
		if (opts->file)
			tt_usage_error("script: '%s' is one file too many", arg);
		opts->file = arg;
		return 0;
	case ARGP_KEY_END:
		check_options(opts);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option script_options[] = {
	{ "event", 'e', "EVENT", 0,
	  "sched (default): every switch; steal, runq, disk or cpu: time lost or spent, with where it hit and its ns as the period", 0 },
	{ "repeat-weight", KEY_REPEAT_WEIGHT, "UNIT", OPTION_ARG_OPTIONAL,
	  "for readers that count records: one record for each UNIT of time (default 1ms)", 0 },
	{ "wakers", KEY_WAKERS, NULL, 0, "runq: who woke it, and where, on top of its stack", 0 },
	{ "stacks", KEY_STACKS, NULL, 0, "sched: the stack of who left under each switch", 0 },
	{ 0 },
};

static const struct argp_child script_children[] = {
	{ &tt_argp_filter, 0, "Look only at:", 2 },
	{ &tt_argp_talk, 0, "Other:", 3 },
	{ &tt_argp_range, 0, NULL, 1 },
	{ 0 },
};

static const struct argp script_argp = {
	.options = script_options,
	.parser = parse_script,
	.args_doc = "[FILE]",
	.doc = "Events as perf script prints them, for flame graphs, speedscope, Firefox Profiler and others.\v"
	       "FILE is a session of timethief record (default timethief.tt, - for standard input).",
	.children = script_children,
};

struct script {
	const struct script_options *opts;
	struct tt_out out;
	struct tt_stacks *stacks; /* NULL = not needed */
	struct tt_perf_sched *sched;
	struct tt_hits *hits;
	struct tt_perf_text *text;
	struct tt_repeat *repeat;
	int err; /* what a callback could not return */
};

/* --- events to text --- */

static int put_repeated(void *ctx, const struct tt_hit *hit, uint64_t nr)
{
	struct script *s = ctx;

	return tt_perf_text_put(s->text, hit, s->opts->unit_ns, nr);
}

static void take_hit(void *ctx, const struct tt_hit *hit)
{
	struct script *s = ctx;

	if (s->err)
		return;
	s->err = s->repeat ? tt_repeat_add(s->repeat, hit) : tt_perf_text_put(s->text, hit, hit->weight_ns, 1);
}

static int take_event(void *ctx, const struct tt_event *ev)
{
	struct script *s = ctx;

	if (s->sched) {
		s->err = tt_perf_sched_event(s->sched, ev);
		return s->err ? s->err : tt_out_error(&s->out);
	}
	tt_hits_event(s->hits, ev);
	return s->err ? s->err : tt_out_error(&s->out);
}

static int open_text(struct script *s, const struct tt_world *world, const struct tt_view *view, const struct tt_info *info)
{
	enum tt_cause cause = (enum tt_cause)(s->opts->event - EVENT_CAUSES);
	struct tt_hits_options hits_opts = {
		.world = world,
		.view = view,
		.causes = 1u << cause,
		.from_ts_ns = tt_range_from_ts_ns(&s->opts->range, info),
		.fn = take_hit,
		.ctx = s,
	};
	int err;

	if (s->opts->event == EVENT_SCHED)
		return tt_perf_sched_open(&s->out, world, view, s->stacks, &s->sched);
	err = tt_hits_open(&hits_opts, &s->hits);
	if (!err)
		err = tt_perf_text_open(&s->out, s->stacks, cause, s->opts->with_wakers, &s->text);
	if (!err && s->opts->unit_ns)
		err = tt_repeat_open(s->opts->unit_ns, put_repeated, s, &s->repeat);
	return err;
}

static void close_text(struct script *s)
{
	tt_perf_sched_close(s->sched);
	tt_repeat_close(s->repeat);
	tt_perf_text_close(s->text);
	tt_hits_close(s->hits);
}

/* --- the end --- */

static int finish_text(struct script *s, const struct tt_interval *interval)
{
	if (!s->hits)
		return 0;
	tt_hits_finish(s->hits, interval->to_ts_ns);
	if (!s->err && s->repeat)
		s->err = tt_repeat_finish(s->repeat);
	return s->err;
}

static void tell_repeated(const struct script *s, enum tt_cause cause)
{
	char nr[32], unit[16], hits[32], sum[16];

	log_info("%s records of %s for %s of %s in all", tt_format_count(nr, sizeof(nr), tt_repeat_nr(s->repeat)),
		 tt_format_duration(unit, sizeof(unit), s->opts->unit_ns), tt_format_count(hits, sizeof(hits), tt_hits_nr(s->hits, cause)),
		 tt_format_duration(sum, sizeof(sum), tt_hits_sum_ns(s->hits, cause)));
}

static void tell_end(const struct script *s, const char *file)
{
	static const char *const nothing[] = { "no steal", "no wait in the run queue", "no counted disk request", "no CPU sample (record --stacks takes them)" };
	enum tt_cause cause = (enum tt_cause)(s->opts->event - EVENT_CAUSES);

	if (s->sched && !tt_perf_sched_nr(s->sched))
		log_warn("%s: there is no switch in what was asked for", file);
	if (s->hits && !tt_hits_nr(s->hits, cause))
		log_warn("%s: there is %s in what was asked for", file, nothing[cause]);
	else if (s->repeat)
		tell_repeated(s, cause);
	if (s->stacks && tt_stacks_nr_forgotten(s->stacks))
		log_warn("%s: %llu stacks and names found no room", file, (unsigned long long)tt_stacks_nr_forgotten(s->stacks));
}

static int read_events(struct script *s, struct tt_session_reader *reader, const char *file)
{
	const struct tt_info *info = tt_session_info(reader);
	struct tt_view_filters filters;
	struct tt_view_options view_opts = { 0 };
	struct tt_pipeline_options pipeline_opts = {
		.info = info,
		.view = &filters.view,
		.sections = TT_SECTIONS_NONE,
		.from_ts_ns = tt_range_from_ts_ns(&s->opts->range, info),
		.to_ts_ns = tt_range_to_ts_ns(&s->opts->range, info),
		.event = take_event,
		.event_ctx = s,
	};
	uint64_t nr_lost[TT_LOSS_NR];
	struct tt_interval interval;
	struct tt_pipeline *p = NULL;
	struct tt_sink sink;
	int err;

	tt_view_fill(&filters, &view_opts, &s->opts->common, info);
	err = tt_pipeline_open(&pipeline_opts, &p);
	if (err)
		return err;
	err = open_text(s, tt_pipeline_world(p), &filters.view, info);
	if (err)
		log_error("no memory to write text");
	sink = tt_pipeline_sink(p);
	if (!err)
		err = tt_replay_read(reader, &sink, file, true);
	if (!err)
		err = tt_replay_check_end(reader, p, file, "printed");
	if (!err)
		err = tt_replay_interval(&s->opts->range, reader, p, &interval);
	if (!err)
		err = tt_pipeline_check_view(p);
	if (!err)
		err = finish_text(s, &interval);
	if (!err)
		err = tt_out_finish(&s->out);
	if (!err) {
		tell_end(s, file);
		tt_replay_losses(reader, p, &interval, nr_lost);
		tt_replay_tell_losses(file, nr_lost);
	}
	close_text(s);
	tt_pipeline_close(p);
	return err;
}

static int script_session(const struct script_options *opts)
{
	bool needs_names = opts->event != EVENT_SCHED || opts->with_stacks;
	struct script s = { .opts = opts };
	struct tt_session_reader *reader = NULL;
	int err = tt_out_open("-", false, &s.out);

	if (err)
		return err;
	err = needs_names ? tt_replay_open_twice(opts->file, &reader) : tt_session_open(opts->file, &reader);
	if (!err)
		err = tt_replay_check_events(reader, opts->file);
	if (!err && needs_names) {
		err = tt_stacks_open(&s.stacks);
		if (err)
			log_error("no memory for stacks");
		else
			err = tt_replay_read_names(reader, opts->file, s.stacks);
	}
	if (!err)
		err = read_events(&s, reader, opts->file);
	tt_stacks_close(s.stacks);
	tt_session_close(reader);
	tt_out_close(&s.out);
	return err;
}

static int run_script(int argc, char **argv)
{
	struct script_options opts = { .common = TT_COMMON_OPTIONS_INIT };
	int err;

	if (tt_argp_parse(&script_argp, 0, argc, argv, &opts))
		return TT_EXIT_USAGE;
	if (!opts.file)
		opts.file = "timethief.tt";
	signal(SIGPIPE, SIG_IGN); /* a reader that has seen enough is no failure */
	err = script_session(&opts);
	return err && err != -EPIPE ? TT_EXIT_FAILED : TT_EXIT_OK;
}

const struct tt_command tt_command_script = {
	.name = "script",
	.help = "events of a session as text, as perf script prints them",
	.run = run_script,
};

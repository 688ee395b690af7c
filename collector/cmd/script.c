/* SPDX-License-Identifier: GPL-2.0-or-later */
/* timethief script: events of a session as text, the way perf script prints them. */
#include "collector/cmd/cmd.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "collector/base/log.h"
#include "collector/base/units.h"
#include "collector/cmd/replay.h"
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
		opts->unit_ns =
			arg ? tt_option_duration_ns("--repeat-weight", arg, 1, UNIT_NS_MAX) : UNIT_NS_DEFAULT;
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
	  "sched (default): every switch; steal, runq, disk or cpu: time lost or spent, with where it hit "
	  "and its ns as the period",
	  0 },
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
	.doc = "Events as perf script prints them, for flame graphs, speedscope, Firefox Profiler and "
	       "others.\v"
	       "FILE is a session of timethief record (default timethief.tt, - for standard input).",
	.children = script_children,
};

struct script {
	const struct script_options *opts;
	enum tt_cause cause; /* but for sched */
	struct tt_out out;
	struct tt_perf_sched *sched;
	struct tt_hits *hits;
	struct tt_perf_text *text;
	struct tt_repeat *repeat;
	int err; /* what a callback could not return */
};

static int put_repeated(void *ctx, const struct tt_hit *hit, uint64_t nr)
{
	struct script *s = ctx;

	return tt_perf_text_put(s->text, hit, s->opts->unit_ns, nr);
}

static void take_hit(void *ctx, const struct tt_hit *hit)
{
	struct script *s = ctx;

	if (!s->err)
		s->err = s->repeat ? tt_repeat_add(s->repeat, hit)
				   : tt_perf_text_put(s->text, hit, hit->weight_ns, 1);
}

static int take_event(void *ctx, const struct tt_event *ev)
{
	struct script *s = ctx;

	if (ev->kind == TT_EV_EPOCH) /* who reads a recording in progress sees each epoch at once */
		tt_out_flush(&s->out);
	else if (s->sched)
		s->err = tt_perf_sched_event(s->sched, ev);
	else
		tt_hits_event(s->hits, ev);
	return s->err ? s->err : tt_out_error(&s->out);
}

static int open_hits(struct script *s, const struct tt_replay_scene *scene)
{
	struct tt_hits_options hits_opts = {
		.world = scene->world,
		.view = scene->view,
		.causes = 1u << s->cause,
		.from_ts_ns = scene->from_ts_ns,
		.stacks = scene->stacks,
		.fn = take_hit,
		.ctx = s,
	};
	int err = tt_hits_open(&hits_opts, &s->hits);

	if (!err)
		err = tt_perf_text_open(&s->out, scene->stacks, s->cause, s->opts->with_wakers, &s->text);
	if (!err && s->opts->unit_ns)
		err = tt_repeat_open(s->opts->unit_ns, put_repeated, s, &s->repeat);
	return err;
}

static int open_text(void *ctx, const struct tt_replay_scene *scene)
{
	struct script *s = ctx;
	int err;

	if (s->opts->event == EVENT_SCHED)
		err = tt_perf_sched_open(&s->out, scene->world, scene->view, scene->stacks, &s->sched);
	else
		err = open_hits(s, scene);
	if (err)
		log_error("no memory to write text");
	return err;
}

static void close_text(struct script *s)
{
	tt_perf_sched_close(s->sched);
	tt_repeat_close(s->repeat);
	tt_perf_text_close(s->text);
	tt_hits_close(s->hits);
	tt_out_close(&s->out);
}

static void tell_repeated(const struct script *s)
{
	char nr[32], unit[16], hits[32], sum[16];

	log_info("%s records of %s for %s of %s in all",
		 tt_format_count(nr, sizeof(nr), tt_repeat_nr(s->repeat)),
		 tt_format_duration(unit, sizeof(unit), s->opts->unit_ns),
		 tt_format_count(hits, sizeof(hits), tt_hits_nr(s->hits, s->cause)),
		 tt_format_duration(sum, sizeof(sum), tt_hits_sum_ns(s->hits, s->cause)));
}

static int finish_text(void *ctx, const struct tt_replay_end *end)
{
	struct script *s = ctx;
	int err;

	if (s->hits)
		tt_hits_finish(s->hits, end->interval.to_ts_ns);
	if (!s->err && s->repeat)
		s->err = tt_repeat_finish(s->repeat);
	err = tt_out_finish(&s->out);
	if (s->err && s->err != -EPIPE)
		log_error("cannot write the text: %s", strerror(-s->err));
	err = s->err ? s->err : err;
	if (err)
		return err;
	if (s->sched && !tt_perf_sched_nr(s->sched))
		log_warn("%s: there is no switch in what was asked for", s->opts->file);
	else if (s->hits && !tt_hits_nr(s->hits, s->cause))
		log_warn("%s: there is %s in what was asked for", s->opts->file, tt_cause_lack(s->cause));
	else if (s->repeat)
		tell_repeated(s);
	return 0;
}

static int script_session(const struct script_options *opts)
{
	struct script s = { .opts = opts, .cause = (enum tt_cause)(opts->event - EVENT_CAUSES) };
	struct tt_replay_job job = {
		.file = opts->file,
		.common = &opts->common,
		.range = &opts->range,
		.done = "printed",
		.writes_to_stdout = true,
		.needs_names_first = opts->event != EVENT_SCHED || opts->with_stacks,
		.ctx = &s,
		.open = open_text,
		.event = take_event,
		.finish = finish_text,
	};
	int err = tt_out_open("-", false, &s.out);

	if (!err)
		err = tt_replay_run(&job);
	close_text(&s);
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

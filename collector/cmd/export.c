/* SPDX-License-Identifier: GPL-2.0-or-later */
/* timethief export: a session in the format of another tool. */
#include "collector/cmd/cmd.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "collector/base/log.h"
#include "collector/base/units.h"
#include "collector/cmd/replay.h"
#include "collector/export/exporter.h"

enum { KEY_SCHEMA = 0x6000, FORMATS_MAX = 16 };

static const char *const event_names[] = { "steal", "runq", "disk", "cpu", NULL }; /* enum tt_cause */

struct export_options {
	struct tt_common_options common;
	struct tt_range_options range;
	const char *file;   /* NULL = the default */
	const char *output; /* "-" = stdout */
	const struct tt_exporter *exporter;
	unsigned causes;
	bool schema;
};

static const struct tt_exporter *find_exporter(const char *name)
{
	const char *names[FORMATS_MAX + 1] = { NULL };

	for (unsigned i = 0; tt_exporters[i] && i < FORMATS_MAX; i++)
		names[i] = tt_exporters[i]->name;
	return tt_exporters[tt_option_choice("-f", name, names)];
}

static error_t parse_export(int key, char *arg, struct argp_state *state)
{
	struct export_options *opts = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		tt_argp_share(state, 2, &opts->common);
		state->child_inputs[2] = &opts->range;
		return 0;
	case 'f':
		opts->exporter = find_exporter(arg);
		return 0;
	case 'e':
		opts->causes |= 1u << tt_option_choice("-e", arg, event_names);
		return 0;
	case 'o':
		if (!arg[0])
			tt_usage_error("-o: the file name is empty");
		opts->output = arg;
		return 0;
	case KEY_SCHEMA:
		opts->schema = true;
		return 0;
	case ARGP_KEY_ARG:
		if (opts->file)
			tt_usage_error("export: '%s' is one file too many", arg);
		opts->file = arg;
		return 0;
	case ARGP_KEY_END:
		if (!opts->exporter)
			tt_usage_error("export: which format? -f folded, for instance; timethief export "
				       "--help lists them");
		if (opts->schema && !opts->exporter->schema)
			tt_usage_error("--schema: %s has none of its own; ndjson has", opts->exporter->name);
		if (opts->schema && opts->file)
			tt_usage_error("--schema needs no session: leave out %s", opts->file);
		if (!opts->causes)
			opts->causes = TT_CAUSES_ALL;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* The list of formats is the registry's. */
static char *filter_help(int key, const char *text, void *input)
{
	char *help = NULL;
	size_t size = 0;
	FILE *out;

	(void)input;
	if (key != ARGP_KEY_HELP_POST_DOC)
		return (char *)text;
	out = open_memstream(&help, &size);
	if (!out)
		return (char *)text;
	fputs("Formats:\n", out);
	for (unsigned i = 0; tt_exporters[i]; i++)
		fprintf(out, "  %-12s %s\n", tt_exporters[i]->name, tt_exporters[i]->help);
	fprintf(out, "\n%s", text);
	fclose(out);
	return help;
}

static const struct argp_option export_options[] = {
	{ "format", 'f', "FORMAT", 0, "one of those below", 0 },
	{ "event", 'e', "EVENT", 0,
	  "only time that was lost to steal, runq (waiting for a CPU) or disk, or cpu: spent; repeatable "
	  "(default: all)",
	  0 },
	{ "output", 'o', "OUT", 0,
	  "write to this file (default: standard output); an existing one becomes OUT.old", 0 },
	{ "schema", KEY_SCHEMA, NULL, 0,
	  "instead of a session, the JSON Schema of the format's lines (ndjson)", 0 },
	{ 0 },
};

static const struct argp_child export_children[] = {
	{ &tt_argp_filter, 0, "Look only at:", 2 },
	{ &tt_argp_talk, 0, "Other:", 3 },
	{ &tt_argp_range, 0, NULL, 1 },
	{ 0 },
};

static const struct argp export_argp = {
	.options = export_options,
	.parser = parse_export,
	.args_doc = "-f FORMAT [FILE]",
	.doc = "A session in the format of another tool.\v"
	       "FILE is a session of timethief record (default timethief.tt, - for standard input). "
	       "docs/exports.md tells what each format holds "
	       "and how it is used.",
	.children = export_children,
	.help_filter = filter_help,
};

struct export
{
	const struct export_options *opts;
	struct tt_out out;
	struct tt_hits *hits;
	void *state;
	int err; /* what a callback could not return */
};

static void take_hit(void *ctx, const struct tt_hit *hit)
{
	struct export *ex = ctx;

	if (!ex->err && ex->opts->exporter->hit)
		ex->err = ex->opts->exporter->hit(ex->state, hit);
}

static int take_event(void *ctx, const struct tt_event *ev)
{
	struct export *ex = ctx;

	if (ex->opts->exporter->event)
		ex->err = ex->opts->exporter->event(ex->state, ev);
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
		.causes = ex->opts->causes,
		.from_ts_ns = scene->from_ts_ns,
		.stacks = scene->stacks,
		.with_empty = ex->opts->exporter->needs_empty_hits,
		.fn = take_hit,
		.ctx = ex,
	};
	struct tt_export_context export_ctx = {
		.file = ex->opts->file,
		.info = scene->info,
		.world = scene->world,
		.view = scene->view,
		.stacks = scene->stacks,
		.out = &ex->out,
		.causes = ex->opts->causes,
	};
	int err;

	/* not before the session is known to be one: what is at OUT gives way to it */
	err = tt_out_open(ex->opts->output, ex->opts->exporter->is_binary, &ex->out);
	if (err)
		return err;
	err = tt_hits_open(&hits_opts, &ex->hits);
	if (!err)
		err = ex->opts->exporter->open(&export_ctx, &ex->state);
	if (err)
		log_error("cannot prepare the export: %s", strerror(-err));
	return err;
}

/* What who looks at the picture should know. */
static void tell_end(const struct export *ex, const struct tt_export_end *end)
{
	const char *stacked = tt_hits_stacked_device(ex->hits), *file = ex->opts->file;
	uint64_t nr_hits = 0;

	for (unsigned cause = 0; cause < TT_CAUSE_NR; cause++) {
		nr_hits += tt_hits_nr(ex->hits, (enum tt_cause)cause);
		if (ex->opts->causes != TT_CAUSES_ALL && ex->opts->causes >> cause & 1 &&
		    !tt_hits_nr(ex->hits, (enum tt_cause)cause))
			log_warn("%s: there is %s in what was asked for", file,
				 tt_cause_lack((enum tt_cause)cause));
	}
	if (ex->opts->causes == TT_CAUSES_ALL && !nr_hits && !ex->opts->exporter->takes_counters)
		log_warn("%s: there is nothing in what was asked for", file);
	if (stacked && !ex->opts->common.device)
		log_info("%s lies on other disks: its I/O is there twice; --device chooses one", stacked);
	if (end->nr_merged)
		log_warn("%s: %llu hits found no room for all of their stack; their time is there", file,
			 (unsigned long long)end->nr_merged);
}

static int finish_export(void *ctx, const struct tt_replay_end *replay_end)
{
	struct export *ex = ctx;
	struct tt_export_end end = { .interval = replay_end->interval, .nr_lost = replay_end->nr_lost };
	int err;

	tt_hits_finish(ex->hits, end.interval.to_ts_ns);
	if (!ex->err)
		ex->err = ex->opts->exporter->finish(ex->state, &end);
	if (ex->err && ex->err != -EPIPE)
		log_error("cannot make the export: %s", strerror(-ex->err));
	err = ex->err ? ex->err : tt_out_finish(&ex->out);
	if (!err)
		tell_end(ex, &end);
	return err;
}

static int export_session(const struct export_options *opts)
{
	struct export ex = { .opts = opts };
	struct tt_replay_job job = {
		.file = opts->file,
		.common = &opts->common,
		.range = &opts->range,
		.done = "exported",
		.writes_to_stdout = !strcmp(opts->output, "-"),
		.needs_stacks = true,
		.needs_names_first = opts->exporter->needs_names_first,
		.takes_counters = opts->exporter->takes_counters,
		.ctx = &ex,
		.open = open_export,
		.event = take_event,
		.finish = finish_export,
	};
	int err = tt_replay_run(&job);

	opts->exporter->close(ex.state);
	tt_hits_close(ex.hits);
	tt_out_close(&ex.out);
	return err;
}

static int export_schema(const struct export_options *opts)
{
	struct tt_out out;
	int err = tt_out_open(opts->output, false, &out);

	if (err)
		return err;
	err = opts->exporter->schema(&out);
	if (err)
		log_error("cannot make the schema: %s", strerror(-err));
	else
		err = tt_out_finish(&out);
	tt_out_close(&out);
	return err;
}

static int run_export(int argc, char **argv)
{
	struct export_options opts = { .common = TT_COMMON_OPTIONS_INIT, .output = "-" };
	int err;

	if (tt_argp_parse(&export_argp, 0, argc, argv, &opts))
		return TT_EXIT_USAGE;
	if (!opts.file)
		opts.file = "timethief.tt";
	signal(SIGPIPE, SIG_IGN); /* a reader that has seen enough is no failure */
	err = opts.schema ? export_schema(&opts) : export_session(&opts);
	return err && err != -EPIPE ? TT_EXIT_FAILED : TT_EXIT_OK;
}

const struct tt_command tt_command_export = {
	.name = "export",
	.help = "a session in the format of another tool",
	.run = run_export,
};

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* timethief export: a session in the format of another tool. */
#include "collector/cmd/cmd.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "collector/base/log.h"
#include "collector/cmd/export_job.h"

enum { KEY_SCHEMA = 0x6000, KEY_BASELINE, FORMATS_MAX = 16 };

static const char *const event_names[] = { "steal", "runq", "disk", "cpu", NULL }; /* enum tt_cause */

struct export_options {
	struct tt_common_options common;
	struct tt_range_options range;
	const char *file;   /* NULL = the default */
	const char *output; /* "-" = stdout */
	const char *baseline;
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
	case KEY_BASELINE:
		opts->baseline = arg;
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
		if (opts->baseline && !opts->exporter->takes_baseline)
			tt_usage_error("--baseline: %s compares nothing; html does", opts->exporter->name);
		if (opts->baseline && opts->file && !strcmp(opts->baseline, "-") && !strcmp(opts->file, "-"))
			tt_usage_error("--baseline: standard input cannot be both sessions");
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
		fprintf(out, "  %-12s %s%s\n", tt_exporters[i]->name, tt_exporters[i]->help,
			tt_exporters[i]->lack && tt_exporters[i]->lack() ? " (not in this build)" : "");
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
	{ "baseline", KEY_BASELINE, "FILE", 0, "a session to compare with, all of it (html)", 0 },
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
	struct tt_export_job job = { .common = &opts.common, .range = &opts.range };
	int err;

	if (tt_argp_parse(&export_argp, 0, argc, argv, &opts))
		return TT_EXIT_USAGE;
	job.exporter = opts.exporter;
	job.file = opts.file ? opts.file : "timethief.tt";
	job.output = opts.output;
	job.baseline = opts.baseline;
	job.causes = opts.causes;
	signal(SIGPIPE, SIG_IGN); /* a reader that has seen enough is no failure */
	err = opts.schema ? export_schema(&opts) : tt_export_run(&job);
	return err && err != -EPIPE ? TT_EXIT_FAILED : TT_EXIT_OK;
}

const struct tt_command tt_command_export = {
	.name = "export",
	.help = "a session in the format of another tool",
	.run = run_export,
};

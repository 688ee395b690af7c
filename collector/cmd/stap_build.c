/* SPDX-License-Identifier: GPL-2.0-or-later */
/* timethief stap-build: makes the kernel module of the SystemTap source, for this machine or for another that has no compiler or
 * headers. record --stap-module takes it. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "collector/base/log.h"
#include "collector/base/units.h"
#include "collector/cmd/cmd.h"
#include "collector/cmd/options.h"
#include "collector/source/record_batch.h"
#include "collector/source/stap_child.h"
#include "collector/source/stap_tool.h"

struct build_options {
	struct tt_common_options common; /* first: argp children write to it */
	const char *release, *file, *symbols;
	char release_path[PATH_MAX], symbols_path[PATH_MAX]; /* SystemTap runs in another folder */
};

static volatile sig_atomic_t got_signal;

static void on_signal(int sig)
{
	got_signal = sig;
}

static bool was_stopped(void)
{
	return got_signal != 0;
}

static void catch_signals(void)
{
	struct sigaction old, sa = { .sa_handler = on_signal };

	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	if (!sigaction(SIGHUP, NULL, &old) && old.sa_handler != SIG_IGN) /* nohup */
		sigaction(SIGHUP, &sa, NULL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
}

static int copy_bytes(int from, int to)
{
	char bytes[65536];
	ssize_t n;

	while ((n = read(from, bytes, sizeof(bytes))) > 0)
		for (ssize_t at = 0; at < n;) {
			ssize_t written = write(to, bytes + at, (size_t)(n - at));

			if (written < 0)
				return -errno;
			at += written;
		}
	return n < 0 ? -errno : 0;
}

/* Whole or not at all: beside the target first, then renamed. */
static int install_module(const char *from, const char *file)
{
	char beside[PATH_MAX];
	int in, out, err;

	if (snprintf(beside, sizeof(beside), "%s.XXXXXX", file) >= (int)sizeof(beside))
		return -ENAMETOOLONG;
	in = open(from, O_RDONLY | O_CLOEXEC);
	if (in < 0)
		return -errno;
	out = mkostemp(beside, O_CLOEXEC); /* a name that nobody can have taken before, in /tmp for example */
	err = out < 0 ? -errno : copy_bytes(in, out);
	close(in);
	if (!err && fchmod(out, 0644))
		err = -errno;
	if (out >= 0 && close(out) && !err)
		err = -errno;
	if (!err && rename(beside, file))
		err = -errno;
	if (err && out >= 0)
		unlink(beside);
	return err;
}

static void tell_result(const struct build_options *opts, uint64_t begin_ns)
{
	struct stat st = { 0 };
	char size[16];

	stat(opts->file, &st);
	log_info("%s: module for %s, %sB, made in %.0f s; there: timethief record --stap-module %s",
		 opts->file, opts->release, tt_format_bytes(size, sizeof(size), (uint64_t)st.st_size),
		 (double)(tt_now_ns() - begin_ns) / 1e9, opts->file);
}

static int build(const struct build_options *opts)
{
	char work_dir[PATH_MAX - 64], module[PATH_MAX], why[TT_STAP_WHY_MAX];
	uint64_t begin_ns = tt_now_ns();
	struct tt_stap_tool tool;
	struct tt_stap_build how = { .release = opts->release,
				     .symbols = opts->symbols,
				     .work_dir = work_dir,
				     .stopped = was_stopped,
				     .tool = &tool };
	int err;

	tt_stap_tool_find(&tool);
	err = tt_stap_make_work_dir(work_dir, sizeof(work_dir));
	if (err) {
		log_error("stap-build: cannot make a folder %s: %s; set TMPDIR", work_dir, strerror(-err));
		return err;
	}
	err = tt_stap_build(&how, why, sizeof(why));
	if (err) {
		char *circle = strstr(why, ", or record with --stap-module"); /* that is what this is for */

		if (circle)
			*circle = '\0';
		log_error("stap-build: %s", why);
	} else {
		snprintf(module, sizeof(module), "%s/" TT_STAP_MODULE_NAME ".ko", work_dir);
		err = install_module(module, opts->file);
		if (err)
			log_error("stap-build: %s: %s", opts->file, strerror(-err));
	}
	tt_stap_remove_tree(work_dir);
	if (!err)
		tell_result(opts, begin_ns);
	return err;
}

enum { OPT_SYMBOLS = 0x300 };

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct build_options *opts = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		tt_argp_share(state, 1, &opts->common);
		return 0;
	case 'r':
		if (!arg[0])
			tt_usage_error("--release: '' is no kernel; write what uname -r says there, such as "
				       "6.1.0-56-amd64");
		opts->release = arg;
		return 0;
	case 'o':
		if (!arg[0])
			tt_usage_error("--output: the file name is empty");
		opts->file = arg;
		return 0;
	case OPT_SYMBOLS:
		opts->symbols = arg;
		return 0;
	case ARGP_KEY_ARG:
		tt_usage_error("stap-build takes no arguments, not '%s'", arg);
	case ARGP_KEY_END:
		if (!opts->release)
			tt_usage_error("stap-build: -r RELEASE is missing; write what uname -r says on the "
				       "machine that is meant");
		if (!opts->file)
			tt_usage_error("stap-build: -o FILE is missing, where the module is written to");
		if (opts->symbols && (access(opts->symbols, R_OK) || !realpath(opts->symbols, opts->symbols_path)))
			tt_usage_error("--symbols: %s: %s", opts->symbols, strerror(errno));
		if (opts->symbols)
			opts->symbols = opts->symbols_path;
		if (strchr(opts->release, '/') && realpath(opts->release, opts->release_path))
			opts->release = opts->release_path;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static int run_stap_build(int argc, char **argv)
{
	static const struct argp_option options[] = {
		{ "release", 'r', "RELEASE", 0,
		  "Kernel that the module is for, as uname -r says there; or its build folder, with a slash",
		  0 },
		{ "output", 'o', "FILE", 0, "Where the module is written to", 0 },
		{ "symbols", OPT_SYMBOLS, "FILE", 0,
		  "A copy of /proc/kallsyms of that machine, as its root reads it: hooks by symbol "
		  "(blk_account_io_done) need it "
		  "where System.map is not complete, as on Debian",
		  0 },
		{ 0 }
	};
	static const struct argp_child children[] = { { &tt_argp_talk, 0, "Other:", 2 }, { 0 } };
	static const struct argp argp = {
		.options = options,
		.parser = parse_option,
		.doc = "Make the kernel module of the SystemTap source, for record --stap-module on a "
		       "machine without compiler or "
		       "headers.\v"
		       "Needs SystemTap 1.8 or later, gcc, make and the headers of that kernel "
		       "(linux-headers-RELEASE). The first "
		       "time takes minutes, later ones seconds. Where SystemTap's runtime does not compile "
		       "with these headers, a "
		       "changed copy of it is used.",
		.children = children,
	};
	struct build_options opts = { .common = TT_COMMON_OPTIONS_INIT };

	if (tt_argp_parse(&argp, 0, argc, argv, &opts))
		return TT_EXIT_USAGE;
	catch_signals();
	return build(&opts) ? TT_EXIT_FAILED : TT_EXIT_OK;
}

const struct tt_command tt_command_stap_build = {
	.name = "stap-build",
	.help = "make the kernel module of the SystemTap source",
	.run = run_stap_build,
};

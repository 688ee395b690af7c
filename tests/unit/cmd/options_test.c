/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/cmd/options.h"

#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "collector/cmd/cmd.h"
#include "collector/source/source.h"

static error_t parse_test(int key, char *arg, struct argp_state *state)
{
	(void)arg;
	if (key != ARGP_KEY_INIT)
		return ARGP_ERR_UNKNOWN;
	tt_argp_share(state, 3, state->input);
	return 0;
}

static const struct argp_child children[] = {
	{ &tt_argp_source, 0, NULL, 0 }, { &tt_argp_filter, 0, NULL, 0 }, { &tt_argp_talk, 0, NULL, 0 }, { 0 }
};
static const struct argp test_argp = { .parser = parse_test, .children = children };

static int parse(struct tt_common_options *common, const char *words)
{
	static char text[512]; /* options point into it */
	char *argv[32] = { "timethief test" };
	int argc = 1;

	*common = (struct tt_common_options)TT_COMMON_OPTIONS_INIT;
	snprintf(text, sizeof(text), "%s", words);
	for (char *word = strtok(text, " "); word; word = strtok(NULL, " "))
		argv[argc++] = word;
	return tt_argp_parse(&test_argp, 0, argc, argv, common);
}

Test(options, nothing_asked_for_is_everything)
{
	struct tt_common_options common;

	cr_assert_eq(parse(&common, ""), 0);
	cr_expect_eq(common.probes, TT_PROBE_DEFAULT);
	cr_expect_str_eq(common.source, "auto");
	cr_expect_not(common.has_cpu_mask);
	cr_expect_eq(common.pid, 0);
}

Test(options, all_of_them)
{
	struct tt_common_options common;

	cr_assert_eq(
		parse(&common,
		      "--source procfs --probe disk --probe steal --hook disk=block_io_done -p 12 --cpu 1,65"
		      " --cgroup /sys/fs/cgroup/system.slice --device vda --ring-size 64k -v"),
		0);
	cr_expect_eq(common.probes, TT_PROBE_DISK | TT_PROBE_STEAL);
	cr_expect_str_eq(common.source, "procfs");
	cr_expect_eq(common.nr_hooks, 1);
	cr_expect_str_eq(common.hooks[0], "disk=block_io_done");
	cr_expect_eq(common.pid, 12);
	cr_expect_eq(common.cpu_mask[0], 2UL);
	cr_expect_eq(common.cpu_mask[1], 2UL);
	cr_expect_str_eq(common.cgroup, "/system.slice");
	cr_expect_str_eq(common.device, "vda");
	cr_expect_eq(common.ring_bytes, 65536);
	cr_expect(common.verbose);
}

static void expect_usage_error(const char *words, const char *line)
{
	struct tt_common_options common;

	cr_redirect_stderr();
	if (parse(&common, words) != TT_EXIT_USAGE)
		_exit(99);
	fflush(stderr);
	cr_assert_stderr_eq_str(line);
	_exit(TT_EXIT_USAGE);
}

Test(options, an_unknown_option_is_one_line, .exit_code = 2)
{
	expect_usage_error("--cpus 1", "timethief test: unrecognized option '--cpus'\n");
}

Test(options, a_missing_value_is_one_line, .exit_code = 2)
{
	expect_usage_error("--source", "timethief test: option '--source' requires an argument\n");
}

/* A bad value ends the program with status 2. */
#define REFUSED(name, words)                                                                                 \
	Test(options, name, .exit_code = 2)                                                                  \
	{                                                                                                    \
		struct tt_common_options common;                                                             \
                                                                                                             \
		cr_redirect_stderr();                                                                        \
		parse(&common, words);                                                                       \
	}

REFUSED(source_that_does_not_exist, "--source perf")
REFUSED(probe_that_does_not_exist, "--probe net")
REFUSED(hook_without_probe, "--hook clock")
REFUSED(hook_without_hook, "--hook steal=")
REFUSED(hook_of_an_unknown_probe, "--hook net=clock")
REFUSED(pid_zero, "-p 0")
REFUSED(pid_negative, "-p -1")
REFUSED(pid_too_large, "-p 4294967296")
REFUSED(cpu_list_reversed, "--cpu 3-1")
REFUSED(cpu_beyond_all, "--cpu 8192")
REFUSED(ring_too_small, "--ring-size 1k")
REFUSED(ring_overflow, "--ring-size 99999999999999999999g")
REFUSED(ring_of_no_unit, "--ring-size 1x")

Test(options, the_nearest_name_is_near)
{
	static const char *const names[] = { "record", "report", "live", "doctor", NULL };

	cr_expect_str_eq(tt_nearest_name("recrod", names), "record");
	cr_expect_str_eq(tt_nearest_name("reprt", names), "report");
	cr_expect_str_eq(tt_nearest_name("doc", names), "doctor", "a beginning is near enough");
	cr_expect_null(tt_nearest_name("flamegraph", names));
	cr_expect_null(tt_nearest_name("", names));
	cr_expect_null(tt_nearest_name("a-name-that-is-much-longer-than-any-of-ours", names));
}

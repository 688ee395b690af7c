/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/base/log.h"

#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <stdio.h>

TestSuite(log, .init = cr_redirect_stderr);

Test(log, a_message_is_one_escaped_line)
{
	log_error("cannot open '%s'\n", "a\nb\033[2J");
	fflush(stderr);
	cr_assert_stderr_eq_str("timethief: cannot open 'a\\x0ab\\x1b[2J'\n");
}

Test(log, quiet_keeps_errors_and_warnings)
{
	tt_log_set_level(TT_LOG_QUIET);
	log_info("info");
	log_verbose("verbose");
	log_warn("warn");
	log_error("error");
	fflush(stderr);
	cr_assert_stderr_eq_str("timethief: warn\ntimethief: error\n");
}

Test(log, verbose_is_said_only_when_asked_for)
{
	log_verbose("no");
	log_info("info");
	tt_log_set_level(TT_LOG_VERBOSE);
	log_verbose("yes");
	fflush(stderr);
	cr_assert_stderr_eq_str("timethief: info\ntimethief: yes\n");
}

Test(log, a_status_is_for_terminals)
{
	log_status("12 %% done");
	log_error("x");
	fflush(stderr);
	cr_assert_stderr_eq_str("timethief: x\n");
}

Test(log, the_first_held_message_is_kept_and_nothing_is_shown)
{
	char held[32] = "old";

	tt_log_hold(held, sizeof(held));
	cr_expect_str_eq(held, "");
	log_error("first %d", 1);
	log_error("second");
	tt_log_hold(NULL, 0);
	log_error("shown");
	fflush(stderr);
	cr_expect_str_eq(held, "first 1");
	cr_assert_stderr_eq_str("timethief: shown\n");
}

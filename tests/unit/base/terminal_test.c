/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/base/terminal.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <unistd.h>

Test(terminal, columns_counts_when_it_is_sane)
{
	int fds[2];

	cr_assert_eq(pipe(fds), 0);
	setenv("COLUMNS", "132", 1);
	cr_expect_eq(tt_terminal_width(fds[1]), 132);
	setenv("COLUMNS", "-5", 1);
	cr_expect_eq(tt_terminal_width(fds[1]), 80, "a pipe is 80 columns wide");
	setenv("COLUMNS", "1", 1);
	cr_expect_eq(tt_terminal_width(fds[1]), 80);
	unsetenv("COLUMNS");
	cr_expect_eq(tt_terminal_width(fds[1]), 80);
}

Test(terminal, a_pipe_has_no_colour)
{
	int fds[2];

	cr_assert_eq(pipe(fds), 0);
	setenv("TERM", "xterm", 1);
	unsetenv("NO_COLOR");
	cr_expect_not(tt_terminal_has_colour(fds[1]));
}

Test(terminal, the_first_locale_variable_that_is_set_decides)
{
	unsetenv("LC_ALL");
	unsetenv("LC_CTYPE");
	setenv("LANG", "de_DE.UTF-8", 1);
	cr_expect(tt_terminal_is_utf8());
	setenv("LC_ALL", "C", 1);
	cr_expect_not(tt_terminal_is_utf8());
	setenv("LC_ALL", "C.utf8", 1);
	cr_expect(tt_terminal_is_utf8());
	setenv("LC_ALL", "", 1);
	cr_expect(tt_terminal_is_utf8(), "empty counts as unset");
}

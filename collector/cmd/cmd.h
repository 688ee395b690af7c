/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd - what the user types. One file and one line in commands.def per subcommand; argp into a struct on its stack.
 * Exit status: 0 done, 1 failed, 2 used wrongly. */
#pragma once

enum { TT_EXIT_OK = 0, TT_EXIT_FAILED = 1, TT_EXIT_USAGE = 2 };

struct tt_command {
	const char *name, *help;
	int (*run)(int argc, char **argv); /* argv[0] is "timethief NAME" */
};

#define TT_COMMAND(name) extern const struct tt_command tt_command_##name;
#include "collector/cmd/commands.def"
#undef TT_COMMAND

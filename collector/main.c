/* SPDX-License-Identifier: GPL-2.0-or-later */
/* main - finds the subcommand, nothing else. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "collector/base/log.h"
#include "collector/cmd/cmd.h"
#include "collector/cmd/options.h"

enum { NR_COMMANDS_MAX = 32, TITLE_BYTES_MAX = 64 };

static const struct tt_command *const commands[] = {
#define TT_COMMAND(name) &tt_command_##name,
#include "collector/cmd/commands.def"
#undef TT_COMMAND
};
enum { NR_COMMANDS = sizeof(commands) / sizeof(commands[0]) };
_Static_assert((int)NR_COMMANDS < (int)NR_COMMANDS_MAX, "names[] below is full");

static void put_usage(FILE *out)
{
	fputs("Usage: timethief COMMAND [OPTION...]\n", out);
	fputs("Who stole the time of a slow VM: steal, disks, or the queue for a CPU.\n\n", out);
	for (unsigned i = 0; i < NR_COMMANDS; i++)
		fprintf(out, "  %-10s %s\n", commands[i]->name, commands[i]->help);
	fputs("\ntimethief COMMAND --help tells more; so does timethief(1).\n", out);
}

static int refuse_unknown(const char *name)
{
	const char *names[NR_COMMANDS_MAX] = { NULL }, *nearest;

	for (unsigned i = 0; i < NR_COMMANDS; i++)
		names[i] = commands[i]->name;
	nearest = tt_nearest_name(name, names);
	if (name[0] == '-')
		log_error("there is no option '%s' here; timethief --help lists the commands", name);
	else if (nearest)
		log_error("there is no command '%s'; did you mean '%s'?", name, nearest);
	else
		log_error("there is no command '%s'; timethief --help lists them", name);
	return TT_EXIT_USAGE;
}

/* Help that does not reach its reader has failed. */
static int finish_output(void)
{
	if (!fflush(stdout) || errno == EPIPE)
		return TT_EXIT_OK;
	log_error("cannot write to the standard output: %s", strerror(errno));
	return TT_EXIT_FAILED;
}

static int run_command(const struct tt_command *command, int argc, char **argv)
{
	char title[TITLE_BYTES_MAX];

	snprintf(title, sizeof(title), "timethief %s", command->name);
	argv[0] = title; /* what argp and getopt call us */
	return command->run(argc, argv);
}

/* With one of them closed, a session file or a BPF map could get its number, and messages would go there. */
static void hold_standard_fds(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDONLY); /* writing to it fails, as it should */
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

int main(int argc, char **argv)
{
	hold_standard_fds();
	if (argc < 2) {
		put_usage(stderr);
		return TT_EXIT_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-?") || !strcmp(argv[1], "help")) {
		put_usage(stdout);
		return finish_output();
	}
	argp_program_version = "timethief " TT_VERSION;
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
		puts(argp_program_version);
		return finish_output();
	}
	for (unsigned i = 0; i < NR_COMMANDS; i++) {
		if (!strcmp(argv[1], commands[i]->name))
			return run_command(commands[i], argc - 1, argv + 1);
	}
	return refuse_unknown(argv[1]);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* build - for tests that look at real ELF files: makes them in a directory of the test, with the compiler that is there. */
#pragma once

#include <criterion/criterion.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[32]; /* removed by remove_dir */

static inline void make_dir(void)
{
	strcpy(dir, "/tmp/tt-symbol-XXXXXX");
	cr_assert(mkdtemp(dir) != NULL);
	cr_assert(chmod(dir, 0755) == 0); /* debug files are taken from where everybody may read */
}

static inline void remove_dir(void)
{
	char command[64];

	snprintf(command, sizeof(command), "rm -rf %s", dir);
	cr_expect(system(command) == 0);
}

/* The .fini of a test that is skipped is not run. */
#define skip_test(...)                                                                                       \
	do {                                                                                                 \
		if (dir[0])                                                                                  \
			remove_dir();                                                                        \
		cr_skip_test(__VA_ARGS__);                                                                   \
	} while (0)

/* Runs a shell command in dir. The exit status. */
__attribute__((format(printf, 1, 2))) static inline int run_in_dir(const char *fmt, ...)
{
	char command[4096];
	int len = snprintf(command, sizeof(command), "cd %s && ", dir);
	va_list args;

	va_start(args, fmt);
	vsnprintf(command + len, sizeof(command) - (size_t)len, fmt, args);
	va_end(args);
	return system(command);
}

static inline void write_file(const char *name, const char *text)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	cr_assert(f != NULL, "%s", path);
	fputs(text, f);
	cr_assert(fclose(f) == 0);
}

static inline void need_tool(const char *tool)
{
	char command[128];

	snprintf(command, sizeof(command), "command -v %s >/dev/null 2>&1", tool);
	if (system(command))
		skip_test("%s is not installed", tool);
}

/* What nm says of a symbol of a file; 0 = it does not. */
static inline unsigned long nm_address(const char *file, const char *symbol)
{
	char command[256], line[64] = "";
	FILE *pipe;

	snprintf(command, sizeof(command), "nm %s/%s | awk '$3 == \"%s\" { print $1 }'", dir, file, symbol);
	pipe = popen(command, "r");
	cr_assert(pipe != NULL);
	if (!fgets(line, sizeof(line), pipe))
		line[0] = '\0';
	pclose(pipe);
	return strtoul(line, NULL, 16);
}

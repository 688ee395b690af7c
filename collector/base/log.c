/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/base/log.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "collector/base/escape.h"
#include "collector/base/terminal.h"

enum { MESSAGE_BYTES_MAX = 2048 };

static enum tt_log_level log_level = TT_LOG_NORMAL;
static bool status_shown; /* a line of log_status stands on the terminal */

void tt_log_set_level(enum tt_log_level level)
{
	log_level = level;
}

enum tt_log_level tt_log_get_level(void)
{
	return log_level;
}

static char *held; /* where errors go instead of stderr */
static size_t held_size;

void tt_log_hold(char *buf, size_t size)
{
	held = buf;
	held_size = size;
	if (buf)
		buf[0] = '\0';
}

static void erase_status(void)
{
	if (status_shown)
		fputs("\r\033[K", stderr);
	status_shown = false;
}

static void format_message(char *safe, size_t size, const char *fmt, va_list args)
{
	char raw[MESSAGE_BYTES_MAX];
	size_t len;

	if (vsnprintf(raw, sizeof(raw), fmt, args) < 0)
		raw[0] = '\0';
	len = strlen(raw);
	while (len && raw[len - 1] == '\n')
		raw[--len] = '\0';
	tt_escape(safe, size, raw, len);
}

static void say(const char *fmt, va_list args)
{
	char safe[4 * MESSAGE_BYTES_MAX + 1];

	format_message(safe, sizeof(safe), fmt, args);
	erase_status();
	fprintf(stderr, "timethief: %s\n", safe);
}

#define SAY_AT_LEVEL(level)                                                                                  \
	do {                                                                                                 \
		va_list args;                                                                                \
                                                                                                             \
		if (log_level < (level))                                                                     \
			return;                                                                              \
		va_start(args, fmt);                                                                         \
		say(fmt, args);                                                                              \
		va_end(args);                                                                                \
	} while (0)

void log_error(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	if (!held)
		say(fmt, args);
	else if (!held[0])
		vsnprintf(held, held_size, fmt, args);
	va_end(args);
}

void log_warn(const char *fmt, ...)
{
	SAY_AT_LEVEL(TT_LOG_QUIET);
}

void log_info(const char *fmt, ...)
{
	SAY_AT_LEVEL(TT_LOG_NORMAL);
}

void log_verbose(const char *fmt, ...)
{
	SAY_AT_LEVEL(TT_LOG_VERBOSE);
}

void log_status(const char *fmt, ...)
{
	char safe[4 * MESSAGE_BYTES_MAX + 1];
	size_t bytes;
	va_list args;

	if (log_level < TT_LOG_NORMAL || !isatty(STDERR_FILENO))
		return;
	va_start(args, fmt);
	format_message(safe, sizeof(safe), fmt, args);
	va_end(args);
	erase_status();
	if (safe[0]) {
		tt_text_fit(safe, tt_terminal_width(STDERR_FILENO) - 1,
			    &bytes); /* a wrapped line cannot be erased */
		fprintf(stderr, "%.*s", (int)bytes, safe);
		status_shown = true;
	}
	fflush(stderr);
}

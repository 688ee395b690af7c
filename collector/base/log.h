/* SPDX-License-Identifier: GPL-2.0-or-later */
/* log - what the tool says to the person on stderr. stdout is data and never goes through here.
 *
 * Every message is one line, "timethief: " in front; bytes that are not printable UTF-8 are escaped
 * (escape.h), so names from files and the kernel can be passed as they are. Level is process-wide, set once
 * in main.
 */
#pragma once

#include <stdarg.h>
#include <stddef.h>

enum tt_log_level { TT_LOG_QUIET = 0, TT_LOG_NORMAL = 1, TT_LOG_VERBOSE = 2 };

void tt_log_set_level(enum tt_log_level level);
enum tt_log_level tt_log_get_level(void);

void log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2))); /* always */
void log_warn(const char *fmt, ...)
	__attribute__((format(printf, 1, 2))); /* always: the result is affected */
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));    /* not with -q */
void log_verbose(const char *fmt, ...) __attribute__((format(printf, 1, 2))); /* with -v */

/* Progress: one line that the next message or status replaces; "" erases it. Only on a terminal and not with
 * -q. Ends without a newline, so erase it before anything else writes to the terminal. */
void log_status(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Until tt_log_hold(NULL, 0), errors are not shown: the first one goes to buf (not escaped), the rest
 * nowhere. For trying something whose failure is only the reason to try something else. */
void tt_log_hold(char *buf, size_t size);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* terminal - what the thing behind a file descriptor can show. */
#pragma once

#include <stdbool.h>

/* Columns: COLUMNS when it is set to a sane number (20 to 10000), else the terminal's own, else 80. Asked
 * anew on every call, so it follows a resize. */
unsigned tt_terminal_width(int fd);
/* A terminal, TERM is not "dumb", and NO_COLOR is unset or empty (no-color.org). */
bool tt_terminal_has_colour(int fd);
/* The user's locale says UTF-8 (LC_ALL, LC_CTYPE, LANG, in this order; needs no setlocale). */
bool tt_terminal_is_utf8(void);

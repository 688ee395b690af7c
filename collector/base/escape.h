/* SPDX-License-Identifier: GPL-2.0-or-later */
/* escape - names from hostile places made safe to print.
 *
 * Task names, cgroup paths and file names hold any bytes. Printable UTF-8 passes; control characters (C0, DEL, C1),
 * invalid UTF-8, bidirectional overrides and zero-width characters become \xNN of their bytes; a backslash becomes
 * \\. The result is valid UTF-8 with no byte below 0x20.
 */
#pragma once

#include <stddef.h>

/* Escapes at most len bytes of src (stops at NUL) into dst, always NUL-terminated, cut at a whole character when it
 * does not fit. Returns dst. dst_size 4 * len + 1 always fits. */
char *tt_escape(char *dst, size_t dst_size, const char *src, size_t len);

/* Columns that a terminal shows valid UTF-8 text in (wcwidth sums; needs no locale). */
size_t tt_text_width(const char *utf8);

/* The longest head of utf8 that fits into max_width columns: returns its columns, its bytes in *ret_bytes (may be NULL). */
size_t tt_text_fit(const char *utf8, size_t max_width, size_t *ret_bytes);

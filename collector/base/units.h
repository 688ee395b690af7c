/* SPDX-License-Identifier: GPL-2.0-or-later */
/* units - text with units to numbers and back.
 *
 * Parsing accepts a decimal number with an optional fraction and a unit, nothing else: no sign, no blanks, no overflow.
 * Durations: ns us ms s m h (no unit = s). Sizes: k m g t, powers of 1024, upper case and a trailing b/B/iB allowed
 * (no unit = bytes). Both return 0 or -EINVAL (not of this form) or -ERANGE (too large), and write on success only.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

int tt_parse_duration_ns(const char *text, uint64_t *ret_ns);
int tt_parse_size_bytes(const char *text, uint64_t *ret_bytes);
int tt_parse_u32(const char *text, uint32_t *ret_value);
/* "0-3,7": sets bits in mask (nr_bits of them). -EINVAL bad form, -ERANGE beyond nr_bits. */
int tt_parse_cpu_list(const char *text, unsigned long *mask, unsigned nr_bits);

/* "412ns" "1.52us" "19.8ms" "2.31s": three significant digits, never longer than 7 bytes. ASCII. Returns buf. */
char *tt_format_duration(char *buf, size_t size, uint64_t ns);
/* "512" "4.0k" "1.5M": powers of 1024. */
char *tt_format_bytes(char *buf, size_t size, uint64_t bytes);
/* "1,204,331", whatever the locale. 27 bytes always fit. */
char *tt_format_count(char *buf, size_t size, uint64_t count);

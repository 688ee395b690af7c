/* SPDX-License-Identifier: GPL-2.0-or-later */
/* info_json - struct tt_info and struct tt_summary as the JSON of the INFO and END blocks.
 *
 * Writing never fails for the content: bytes that are not UTF-8 become U+FFFD, numbers above 2^63 - 1 become
 * that. Reading takes what it knows and ignores the rest; what is missing or of another type stays 0 or "".
 */
#pragma once

#include <stddef.h>

#include "collector/session/info.h"

/* *ret_text is the caller's to free, not NUL-terminated. 0 or -ENOMEM. */
int tt_info_to_json(const struct tt_info *info, char **ret_text, size_t *ret_len);
int tt_summary_to_json(const struct tt_summary *summary, char **ret_text, size_t *ret_len);
/* 0, or -EBADMSG: not a JSON object. */
int tt_info_from_json(const char *text, size_t len, struct tt_info *ret_info);
int tt_summary_from_json(const char *text, size_t len, struct tt_summary *ret_summary);

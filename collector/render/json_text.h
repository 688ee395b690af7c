/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <jansson.h>

/* Any bytes as a JSON string, escaped as in the text output, so that a name reads the same in both and is safe on a
 * terminal. NULL is null. NULL: no memory. */
json_t *tt_json_text(const char *raw);

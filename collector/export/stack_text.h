/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stack_text - the lines that `perf script` prints for the frames of a hit.
 *
 * One line a frame, leaf first: TAB, address in hex right-aligned in 16, blank, function, blank, (file). No offset behind the function: every
 * reader strips it or, d3js_trace, makes another node of each; flamescope cuts at the first +, a name's own included.
 *
 * The same few stacks come again and again: their text is kept, at most 8 MiB of it, and made anew when that is full; so are names, 16 MiB.
 */
#pragma once

#include <stddef.h>

#include "collector/export/frames.h"

struct tt_stack_text;

/* stacks must be complete and outlive it. -ENOMEM. */
int tt_stack_text_open(const struct tt_stacks *stacks, bool with_wakers, struct tt_stack_text **ret_st);
void tt_stack_text_close(struct tt_stack_text *st);
/* *ret_len bytes, valid until the next call; NULL = no memory. */
const char *tt_stack_text_get(struct tt_stack_text *st, const struct tt_hit *hit, size_t *ret_len);

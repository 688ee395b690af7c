/* SPDX-License-Identifier: GPL-2.0-or-later */
/* repeat - a hit of weight w as w / unit records of the same weight, for tools that count records and ignore weights.
 *
 * What is left over is carried to the next hit of the same task and stack, so short hits count in the end, each stack right to
 * within one unit; what is left at the very end goes to the stacks with the most of it, so the total is right to within half a unit.
 * Bound: 16384 tasks and stacks; those beyond share one remainder, and are counted.
 */
#pragma once

#include "collector/export/hit.h"

struct tt_repeat;

/* The hit nr times; an error ends it. */
typedef int (*tt_repeat_fn)(void *ctx, const struct tt_hit *hit, uint64_t nr);

int tt_repeat_open(uint64_t unit_ns, tt_repeat_fn fn, void *ctx, struct tt_repeat **ret_r); /* -ENOMEM */
void tt_repeat_close(struct tt_repeat *r);
int tt_repeat_add(struct tt_repeat *r, const struct tt_hit *hit);
int tt_repeat_finish(struct tt_repeat *r);
uint64_t tt_repeat_nr(const struct tt_repeat *r); /* records made */

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* frames - the stack of a hit, made into one list that every output shows.
 *
 * Leaf first: the hit's top frame, the kernel's half (trimmed, see trim.h), the user's half. Where a half cannot be shown there is a frame
 * that says so instead, so no time goes where it does not belong:
 *
 *   [stack_missed]  it could not be taken
 *   [stack_lost]    it was taken, and what its id stands for was lost
 *   [stack_cut]     at the root of a half: it goes on, deeper than could be taken
 *   [no_stack]      instead of both: not asked for, or the task has none
 *   [shed] [new_task] [not_seen] [not_sampled]  instead of both: what the hit says (hit.h). not_seen: where it waited is not
 *                   known, because it left the CPU before recording began or while switches were shed
 *
 * With wakers, above it all as in offwaketime: --, the waker's stack upside down, the waker's name, or [interrupt].
 */
#pragma once

#include "collector/export/hit.h"

enum { TT_FRAMES_MAX = 1280 }; /* more is cut at the root: four halves with every second function inlined */

/* Frames of the same name and file have the same key, so that what is made of them is made once: 0 for those that are not in the table of
 * stacks, whose names may be elsewhere tomorrow. */
uint64_t tt_frame_key(const struct tt_frame_info *f);

/* How many. Names of wakers are written to waker_name (TT_COMM_LEN + 1 bytes; NULL = without wakers), and valid as long as that. */
unsigned tt_frames_of_hit(const struct tt_hit *hit, const struct tt_stacks *stacks, char *waker_name,
			  struct tt_frame_info frames[TT_FRAMES_MAX]);

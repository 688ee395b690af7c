/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pprof_writer - a profile.proto, piece by piece, gzipped: each piece is a message of its own, and protobuf merges what follows upon each
 * other. Texts, functions, mappings and locations are written when they are first asked for, and have numbers in that order.
 *
 * Bounds: TT_PPROF_STRINGS_MAX texts of TT_PPROF_STRING_BYTES_MAX, TT_PPROF_PLACES_MAX functions and locations. What finds no room is
 * "[others]", and is told (tt_pprof_is_cut). Texts must be valid UTF-8.
 */
#pragma once

#include "collector/aggregate/stacks.h"
#include "collector/export/out.h"
#include "collector/export/proto/pprof.pb-c.h"

enum { TT_PPROF_STRINGS_MAX = 1 << 19, TT_PPROF_STRING_BYTES_MAX = 48 << 20, TT_PPROF_PLACES_MAX = 1 << 19 };

struct tt_pprof_writer;

/* out and stacks outlive it. -ENOMEM. */
int tt_pprof_open(struct tt_out *out, const struct tt_stacks *stacks, struct tt_pprof_writer **ret_w);
void tt_pprof_close(struct tt_pprof_writer *w);
void tt_pprof_put(struct tt_pprof_writer *w, const Pprof__Profile *piece);
int tt_pprof_finish(struct tt_pprof_writer *w); /* 0 or -ENOMEM */

/* The number of a text. */
int64_t tt_pprof_string(struct tt_pprof_writer *w, const char *utf8);
/* The profile is shown to be of the first file. */
void tt_pprof_put_file(struct tt_pprof_writer *w, const char *utf8);
/* Of the nr functions at one address, the innermost first. */
uint64_t tt_pprof_location(struct tt_pprof_writer *w, const struct tt_frame_info *frames, unsigned nr);
/* Whether something found no room since this was asked last. */
bool tt_pprof_is_cut(struct tt_pprof_writer *w);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ndjson_line - one struct as one JSON object on a line, by the description of its fields. */
#pragma once

#include "collector/aggregate/world.h"
#include "collector/export/ndjson_kinds.h"
#include "collector/export/out.h"

/* The largest number that a double, and so JavaScript and jq, hold with all below it. */
#define TT_ND_NUMBER_MAX 9007199254740991ull

/* Everything but TT_ND_FRAMES, before which it stops: the line is not ended then. ev NULL = no event. */
void tt_nd_put_line(struct tt_out *out, const struct tt_world *world, const struct tt_nd_kind *kind,
		    const struct tt_event *ev, const void *fields_of);
enum { TT_ND_NUMBER_BYTES_MAX = 24 };
/* These have that much room. Return behind the last byte. */
char *tt_nd_u64(char *to, uint64_t value);
char *tt_nd_hex(char *to, uint64_t value);
/* JSON of any bytes, up to NUL or len (at most TT_BATCH_BYTES_MAX); to has 5 * len + 2 bytes of room. Returns behind the last. */
char *tt_nd_text(char *to, const char *raw, size_t len);

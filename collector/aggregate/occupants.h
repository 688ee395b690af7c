/* SPDX-License-Identifier: GPL-2.0-or-later */
/* occupants - who had a CPU lately: its last slices, for a look back over a wait.
 *
 * One for each CPU. Holds the newest nr_max slices (a power of two); what lies before them is not known. Pure.
 */
#pragma once

#include "collector/event/event.h"

struct tt_slice {
	uint64_t from_ts_ns, to_ts_ns;
	uint32_t tid;
};

struct tt_occupants {
	struct tt_slice *slices; /* ring */
	uint64_t nr;		 /* ever added */
	unsigned nr_max;
};

int tt_occupants_open(struct tt_occupants *o, unsigned nr_max); /* -ENOMEM */
void tt_occupants_close(struct tt_occupants *o);
/* Who left, if it is known how long it was there. */
void tt_occupants_switch(struct tt_occupants *o, const struct tt_ev_switch *sw);

/* tid had the CPU in (from, to], a part of what was asked for. */
typedef void (*tt_occupant_fn)(void *ctx, uint32_t tid, uint64_t from_ts_ns, uint64_t to_ts_ns);
/* Who had the CPU in (from, to], newest first. running_tid has it since the last slice; TT_TID_UNKNOWN = nobody knows. *ret_known_ns is how
 * long of it is known. Returns how many slices were looked at. */
unsigned tt_occupants_between(const struct tt_occupants *o, uint64_t from_ts_ns, uint64_t to_ts_ns,
			      uint32_t running_tid, tt_occupant_fn fn, void *ctx, uint64_t *ret_known_ns);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* id_set - which ids came before. At most max of them, 16 bytes each; ids are hashes already, and never 0. */
#pragma once

#include <stdint.h>

struct tt_id_set {
	uint64_t *cells; /* 0 = free; at most half of them are used. NULL = none yet */
	uint32_t mask, nr, max;
};

enum tt_id_seen { TT_ID_NEW, TT_ID_KNOWN, TT_ID_NO_ROOM };

void tt_id_set_init(struct tt_id_set *set, uint32_t max);
void tt_id_set_free(struct tt_id_set *set);
enum tt_id_seen tt_id_set_add(struct tt_id_set *set, uint64_t id);

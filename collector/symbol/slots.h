/* SPDX-License-Identifier: GPL-2.0-or-later */
/* slots - which entries of an array may have this key: an index that grows with the array.
 *
 * The entries lie in an array of the owner, who compares keys. 8 bytes a cell, at most three quarters of them used: 11 to 21 bytes an
 * entry. Keys come from processes that may be hostile, so hashes depend on a random number of this process.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define TT_SLOTS_NONE UINT32_MAX

struct tt_slots_cell {
	uint32_t hash, entry_plus_1; /* 0 = free */
};

struct tt_slots {
	struct tt_slots_cell *cells; /* NULL = none yet */
	uint32_t mask, nr;
	uint64_t seed;
};

void tt_slots_init(struct tt_slots *s);
void tt_slots_free(struct tt_slots *s);
uint32_t tt_slots_hash(const struct tt_slots *s, const void *key, size_t len);
/* The caller sees to it that it is not there yet. -ENOMEM. */
int tt_slots_add(struct tt_slots *s, uint32_t hash, uint32_t entry);
void tt_slots_remove(struct tt_slots *s, uint32_t hash, uint32_t entry); /* no matter if it is not there */
/* The entries whose key may have this hash, one a call: *probe is 0 for the first. TT_SLOTS_NONE = no more. */
uint32_t tt_slots_next(const struct tt_slots *s, uint32_t hash, uint32_t *probe);

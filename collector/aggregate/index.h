/* SPDX-License-Identifier: GPL-2.0-or-later */
/* index - where the entry with this key is: u64 key to slot number, of a fixed size.
 *
 * The entries themselves lie in an array of the owner. Open addressing, at most half full, so a look-up is
 * one or two cache lines whatever the keys; keys come from files, so they are mixed first. Memory is 32 bytes
 * an entry, touched as it fills.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define TT_INDEX_NONE UINT32_MAX

struct tt_index_cell {
	uint64_t key;
	uint32_t slot_plus_1; /* 0 = free */
};

struct tt_index {
	struct tt_index_cell *cells;
	uint64_t mask;
	unsigned nr, max;
};

int tt_index_open(struct tt_index *ix, unsigned max); /* -ENOMEM */
void tt_index_close(struct tt_index *ix);
uint32_t tt_index_find(const struct tt_index *ix, uint64_t key); /* TT_INDEX_NONE = not there */
/* Adds or changes. false: full, nothing changed. */
bool tt_index_put(struct tt_index *ix, uint64_t key, uint32_t slot);
void tt_index_remove(struct tt_index *ix, uint64_t key);
void tt_index_clear(struct tt_index *ix);

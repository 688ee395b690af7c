/* SPDX-License-Identifier: GPL-2.0-or-later */
/* addresses - every address that a recorded stack has, once for each address space it is of.
 *
 * At most TT_ADDRESSES_MAX, 8 MiB and 4 MiB of index when all are used; more are counted. An address of user space waits, from when
 * its stack came until it is known what was mapped there at that time; the kernel's does not.
 *
 * Callers on a stack are addresses that calls return to: the call is just before, and may be the last instruction of its function
 * or of its mapping. So what is looked up for them is the byte before. The same address can also be the first of a stack (an interrupt hit
 * just there), rarely; then the two may be different functions, and there is only one answer to give: that of the caller, because
 * callers are seen far more often.
 */
#pragma once

#include <stdbool.h>

#include "collector/symbol/slots.h"

enum { TT_ADDRESSES_MAX = 262144 };

enum {
	TT_ADDRESS_WAITS = 1,
	TT_ADDRESS_IS_RETURN = 2,
	TT_ADDRESS_KERNEL = 4,
	TT_ADDRESS_IN_WORK = 8,
	TT_ADDRESS_ANSWERED = 16, /* answer is right */
};

struct tt_address {
	uint64_t space, ip; /* as in struct tt_stack */
	union {
		uint64_t seen_ts_ns; /* WAITS */
		uint64_t offset;     /* of ip: in the file, or in the address space when there is none */
	};
	union {
		uint32_t pid; /* WAITS */
		uint32_t dso; /* TT_DSO_NONE = nobody knows */
	};
	uint32_t flags : 8, answer : 24; /* answer: where it is, in units of the owner */
};

struct tt_addresses {
	struct tt_address *entries;
	uint32_t nr, room;
	uint64_t nr_beyond;
	struct tt_slots slots;
};

void tt_addresses_open(struct tt_addresses *a);
void tt_addresses_close(struct tt_addresses *a);
/* Gives back the memory that only noting needs; nothing may be noted any more. */
void tt_addresses_seal(struct tt_addresses *a);

/* The number of the entry, TT_SLOTS_NONE when there is no room (counted); *ret_is_new: it was added, and waits to be filled by
 * the caller. */
uint32_t tt_addresses_note(struct tt_addresses *a, uint64_t space, uint64_t ip, bool is_return,
			   bool *ret_is_new);
/* What is to be looked up: ip, or the byte before. */
static inline uint64_t tt_address_back(const struct tt_address *address)
{
	return address->flags & TT_ADDRESS_IS_RETURN && address->ip ? 1 : 0;
}

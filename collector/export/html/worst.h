/* SPDX-License-Identifier: GPL-2.0-or-later */
/* worst - the longest of many, as they come. Plain value: zero it to initialise. */
#pragma once

#include <stdint.h>

enum { TT_WORST_MAX = 256 };

struct tt_worst_one {
	uint64_t ns, ts_ns;
	uint32_t party;
	uint16_t where; /* CPU or device */
	uint16_t group;
};

struct tt_worst {
	unsigned nr;
	struct tt_worst_one heap[TT_WORST_MAX]; /* the shortest first */
};

void tt_worst_add(struct tt_worst *w, const struct tt_worst_one *one);
/* Longest first, ties by time; nothing is added after that. */
void tt_worst_sort(struct tt_worst *w);

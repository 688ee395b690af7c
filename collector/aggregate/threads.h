/* SPDX-License-Identifier: GPL-2.0-or-later */
/* threads - which of some slots are of one process: a list by pid, for an array of the owner's. */
#pragma once

#include "collector/aggregate/index.h"

struct tt_threads_node {
	uint32_t pid; /* 0 = in no list */
	uint32_t before, after;
};

struct tt_threads {
	struct tt_index first_by_pid;
	struct tt_threads_node *nodes; /* by slot */
};

int tt_threads_open(struct tt_threads *t, unsigned nr_slots); /* -ENOMEM */
void tt_threads_close(struct tt_threads *t);
/* The slot is of this process from now on; 0 = of none. */
void tt_threads_set(struct tt_threads *t, uint32_t slot, uint32_t pid);
/* TT_INDEX_NONE = no more. */
uint32_t tt_threads_first(const struct tt_threads *t, uint32_t pid);
uint32_t tt_threads_after(const struct tt_threads *t, uint32_t slot);

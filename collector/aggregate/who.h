/* SPDX-License-Identifier: GPL-2.0-or-later */
/* who - the rows of a table about tasks or cgroups: from the tid of an event to the number of its row.
 *
 * Slot 0 is "(others)": it takes whoever comes when all slots are used. A slot is one task (not one tid: a
 * reused tid gets a new one) or one cgroup. The owner keeps what it counts in an array of its own with the
 * same numbers, and must hand every TT_EV_TASK to tt_who_event.
 */
#pragma once

#include "collector/aggregate/aggregator.h"
#include "collector/aggregate/index.h"

enum {
	TT_WHO_OTHERS = 0,
	TT_WHO_MAX = 16384, /* slots, "(others)" included */
	TT_WHO_NAME_MAX = 64,
};
#define TT_WHO_HIDDEN UINT32_MAX /* the view leaves this task out */

struct tt_who_slot {
	uint64_t serial;    /* of the task; 0 = the world never heard of it */
	uint64_t cgroup_id; /* by cgroup */
	uint32_t tid, pid;
	uint16_t flags; /* TT_TASK_* */
	bool exited;
	char comm[TT_COMM_LEN + 1];
};

struct tt_who {
	const struct tt_world *world;
	const struct tt_view *view;
	bool by_cgroup;
	unsigned nr;	    /* slots in use */
	uint64_t nr_folded; /* tasks that went into "(others)" */
	unsigned nr_until_retry;
	uint64_t *scratch;
	struct tt_who_slot *slots;
	struct tt_index by_tid; /* only tasks that are alive, or were last to have their tid */
	struct tt_index by_cgroup_id;
};

int tt_who_open(struct tt_who *who, const struct tt_agg_options *opts); /* -ENOMEM */
void tt_who_close(struct tt_who *who);
void tt_who_reset(struct tt_who *who);			/* forgets all slots */
uint32_t tt_who_find(struct tt_who *who, uint32_t tid); /* a slot, or TT_WHO_HIDDEN */
void tt_who_event(struct tt_who *who, const struct tt_event *ev);

/* What the owner does when slots change their numbers. */
struct tt_who_owner {
	void *ctx;
	uint64_t (*weight)(void *ctx, uint32_t slot);	       /* how much it matters */
	void (*fold)(void *ctx, uint32_t into, uint32_t from); /* add from to into ("(others)") */
	void (*move)(void *ctx, uint32_t to, uint32_t from);   /* from has the number to from now on */
};

/* By task, when all slots are used: folds the lighter half of the exited tasks into "(others)". Tasks that
 * live keep their exact sums. To be called before tt_who_find of an event, never while a slot number is held.
 */
void tt_who_make_room(struct tt_who *who, const struct tt_who_owner *owner);

/* The slots with a weight, heaviest first, ties by tid; without "(others)". *ret_nr of them; borrowed until
 * the next call of this or tt_who_make_room. */
const uint32_t *tt_who_rank(struct tt_who *who, const struct tt_who_owner *owner, unsigned *ret_nr);

/* "postgres 1234", "idle", "docker/3fa1b2c4d5e6", "(others)". Returns buf. */
char *tt_who_name(const struct tt_who *who, uint32_t slot, char *buf, size_t size);
/* By cgroup, its whole path, for --cgroup; NULL where there is none or it is not known. */
const char *tt_who_cgroup_path(const struct tt_who *who, uint32_t slot);

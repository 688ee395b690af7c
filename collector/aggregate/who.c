/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/aggregate/who.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collector/aggregate/view.h"

enum { NR_TIDS_MAX = 4 * TT_WHO_MAX }; /* by cgroup there are more tids than slots */

/* hidden tasks are remembered as well, by slot numbers that no slot has; from SLOT_AWAY on with the slot that they had before they moved to
 * where the view does not look: they may come back */
enum { SLOT_HIDDEN = TT_WHO_MAX, SLOT_AWAY };

int tt_who_open(struct tt_who *who, const struct tt_agg_options *opts)
{
	*who = (struct tt_who){
		.world = opts->world,
		.view = opts->view,
		.by_cgroup = opts->view->by == TT_BY_CGROUP,
		.nr = 1,
	};
	who->slots = calloc(TT_WHO_MAX, sizeof(*who->slots));
	who->scratch = calloc(TT_WHO_MAX, sizeof(*who->scratch));
	if (!who->slots || !who->scratch || tt_index_open(&who->by_tid, NR_TIDS_MAX) ||
	    (who->by_cgroup && tt_index_open(&who->by_cgroup_id, TT_WHO_MAX))) {
		tt_who_close(who);
		return -ENOMEM;
	}
	return 0;
}

void tt_who_close(struct tt_who *who)
{
	tt_index_close(&who->by_tid);
	tt_index_close(&who->by_cgroup_id);
	free(who->slots);
	free(who->scratch);
	*who = (struct tt_who){ 0 };
}

void tt_who_reset(struct tt_who *who)
{
	tt_index_clear(&who->by_tid);
	if (who->by_cgroup)
		tt_index_clear(&who->by_cgroup_id);
	memset(who->slots, 0, who->nr * sizeof(*who->slots));
	who->nr = 1;
	who->nr_folded = 0;
}

static bool is_full(const struct tt_who *who)
{
	return who->nr == TT_WHO_MAX;
}

static void describe(struct tt_who_slot *s, const struct tt_world_task *task)
{
	s->serial = task->serial;
	s->pid = task->pid;
	s->flags = task->flags;
	s->exited = task->exited;
	memcpy(s->comm, task->comm, sizeof(s->comm));
}

static uint32_t new_task_slot(struct tt_who *who, uint32_t tid, const struct tt_world_task *task)
{
	struct tt_who_slot *s;

	if (is_full(who))
		return TT_WHO_OTHERS;
	s = &who->slots[who->nr];
	*s = (struct tt_who_slot){ .tid = tid };
	if (task)
		describe(s, task);
	return who->nr++;
}

static uint32_t cgroup_slot(struct tt_who *who, const struct tt_world_task *task)
{
	/* kernel threads and idle are in the root cgroup or in none: one row for those without */
	uint64_t id = task ? task->cgroup_id : 0;
	uint32_t slot = tt_index_find(&who->by_cgroup_id, id);

	if (slot != TT_INDEX_NONE)
		return slot;
	if (is_full(who))
		return TT_WHO_OTHERS;
	slot = who->nr++;
	who->slots[slot] = (struct tt_who_slot){ .cgroup_id = id };
	tt_index_put(&who->by_cgroup_id, id, slot);
	return slot;
}

/* Remembers where to count this tid. By task the index always has room for the slots; what is merely a short
 * cut (cgroups, hidden tasks) is forgotten when it gets too much. */
static void remember(struct tt_who *who, uint32_t tid, uint32_t slot)
{
	if (who->by_cgroup) {
		if (!tt_index_put(&who->by_tid, tid, slot))
			tt_index_clear(&who->by_tid);
	} else if (slot != SLOT_HIDDEN || who->by_tid.nr < NR_TIDS_MAX - TT_WHO_MAX) {
		tt_index_put(&who->by_tid, tid, slot);
	}
}

uint32_t tt_who_find(struct tt_who *who, uint32_t tid)
{
	uint32_t slot = tt_index_find(&who->by_tid, tid);
	const struct tt_world_task *task;

	if (slot != TT_INDEX_NONE)
		return slot >= SLOT_HIDDEN ? TT_WHO_HIDDEN : slot;
	task = tid == TT_TID_UNKNOWN ? NULL : tt_world_task(who->world, tid);
	if (!tt_view_has_task(who->view, who->world, tid))
		slot = SLOT_HIDDEN;
	else if (who->by_cgroup)
		slot = cgroup_slot(who, task);
	else
		slot = new_task_slot(who, tid, task);
	if (slot == TT_WHO_OTHERS) /* not remembered: there may be room later */
		return slot;
	remember(who, tid, slot);
	return slot == SLOT_HIDDEN ? TT_WHO_HIDDEN : slot;
}

static void task_changed(struct tt_who *who, uint32_t tid)
{
	uint32_t slot = tt_index_find(&who->by_tid, tid), own;
	const struct tt_world_task *task = tt_world_task(who->world, tid);

	if (slot == TT_INDEX_NONE || !task || !tid)
		return;
	if (who->by_cgroup || slot == SLOT_HIDDEN) {
		tt_index_remove(&who->by_tid, tid); /* it may have moved: ask again */
		return;
	}
	own = slot >= SLOT_AWAY ? slot - SLOT_AWAY : slot;
	if (who->slots[own].serial && who->slots[own].serial != task->serial) {
		tt_index_remove(&who->by_tid, tid); /* the tid has a new owner */
		return;
	}
	describe(&who->slots[own], task);
	tt_index_put(&who->by_tid, tid, tt_view_has_task(who->view, who->world, tid) ? own : SLOT_AWAY + own);
}

void tt_who_event(struct tt_who *who, const struct tt_event *ev)
{
	const struct tt_task *rec;
	const struct tt_world_task *thread = NULL;

	if (ev->kind != TT_EV_TASK)
		return;
	rec = (const struct tt_task *)((const struct tt_ev_record *)ev)->rec;
	task_changed(who, rec->tid);
	while (tt_world_moves_process(rec) && (thread = tt_world_next_thread(who->world, rec->pid, thread)))
		task_changed(who, thread->tid);
}

static bool is_gone(const struct tt_who *who, uint32_t slot)
{
	return who->slots[slot].exited || tt_index_find(&who->by_tid, who->slots[slot].tid) != slot;
}

static int compare_u64(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* The median weight of those that are gone; *ret_nr_gone of them. */
static uint64_t median_gone_weight(const struct tt_who *who, const struct tt_who_owner *owner,
				   unsigned *ret_nr_gone)
{
	unsigned nr_gone = 0;

	for (uint32_t slot = 1; slot < who->nr; slot++) {
		if (is_gone(who, slot))
			who->scratch[nr_gone++] = owner->weight(owner->ctx, slot);
	}
	*ret_nr_gone = nr_gone;
	if (!nr_gone)
		return 0;
	qsort(who->scratch, nr_gone, sizeof(*who->scratch), compare_u64);
	return who->scratch[nr_gone / 2];
}

/* Drops the gone ones up to this weight, closes up the others. */
static void compact(struct tt_who *who, const struct tt_who_owner *owner, uint64_t weight_max)
{
	unsigned nr = 1;

	for (uint32_t from = 1; from < who->nr; from++) {
		struct tt_who_slot *s = &who->slots[from];
		uint32_t mapped = tt_index_find(&who->by_tid, s->tid);
		bool is_away = mapped == SLOT_AWAY + from, is_mapped = mapped == from || is_away;

		if (is_gone(who, from) && owner->weight(owner->ctx, from) <= weight_max) {
			if (is_mapped)
				tt_index_remove(&who->by_tid, s->tid);
			owner->fold(owner->ctx, TT_WHO_OTHERS, from);
			continue;
		}
		if (nr != from) {
			who->slots[nr] = *s;
			if (is_mapped)
				tt_index_put(&who->by_tid, s->tid, is_away ? SLOT_AWAY + nr : nr);
			owner->move(owner->ctx, nr, from);
		}
		nr++;
	}
	who->nr_folded += who->nr - nr;
	who->nr = nr;
}

void tt_who_make_room(struct tt_who *who, const struct tt_who_owner *owner)
{
	unsigned nr_gone;
	uint64_t weight_max;

	if (who->nr < TT_WHO_MAX || who->by_cgroup)
		return;
	/* when nearly all live there is nothing to gain: look again after as many events as there are slots
	 */
	if (who->nr_until_retry) {
		who->nr_until_retry--;
		return;
	}
	weight_max = median_gone_weight(who, owner, &nr_gone);
	if (nr_gone >= TT_WHO_MAX / 16)
		compact(who, owner, weight_max);
	else
		who->nr_until_retry = TT_WHO_MAX;
}

struct rank_ctx {
	const struct tt_who *who;
	const struct tt_who_owner *owner;
};

static int compare_rank(const void *a, const void *b, void *ctx)
{
	const struct rank_ctx *rank = ctx;
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	uint64_t weight_x = rank->owner->weight(rank->owner->ctx, x);
	uint64_t weight_y = rank->owner->weight(rank->owner->ctx, y);
	const struct tt_who_slot *who_x = &rank->who->slots[x], *who_y = &rank->who->slots[y];

	if (weight_x != weight_y)
		return weight_x > weight_y ? -1 : 1;
	if (who_x->tid != who_y->tid)
		return who_x->tid < who_y->tid ? -1 : 1;
	return x < y ? -1 : x > y;
}

const uint32_t *tt_who_rank(struct tt_who *who, const struct tt_who_owner *owner, unsigned *ret_nr)
{
	struct rank_ctx ctx = { who, owner };
	uint32_t *slots = (uint32_t *)who->scratch;
	unsigned nr = 0;

	for (uint32_t slot = 1; slot < who->nr; slot++) {
		if (owner->weight(owner->ctx, slot))
			slots[nr++] = slot;
	}
	qsort_r(slots, nr, sizeof(*slots), compare_rank, &ctx);
	*ret_nr = nr;
	return slots;
}

static char *format_task(char *buf, size_t size, const char *comm, uint32_t tid, unsigned flags)
{
	const char *mark = flags & TT_TASK_OURS ? " (timethief)" : "";

	if (!tid)
		snprintf(buf, size, "idle");
	else if (tid == TT_TID_UNKNOWN)
		snprintf(buf, size, "(unknown)");
	else
		snprintf(buf, size, "%s %u%s", comm[0] ? comm : "tid", tid, mark);
	return buf;
}

char *tt_who_name(const struct tt_who *who, uint32_t slot, char *buf, size_t size)
{
	const struct tt_who_slot *s = &who->slots[slot];

	if (slot == TT_WHO_OTHERS) {
		snprintf(buf, size, "(others)");
	} else if (!who->by_cgroup) {
		format_task(buf, size, s->comm, s->tid, s->flags);
	} else if (s->cgroup_id) {
		tt_world_cgroup_name(who->world, s->cgroup_id, buf, size);
	} else {
		snprintf(buf, size, "(idle or unknown)");
	}
	return buf;
}

const char *tt_who_cgroup_path(const struct tt_who *who, uint32_t slot)
{
	if (!who->by_cgroup || slot == TT_WHO_OTHERS || !who->slots[slot].cgroup_id)
		return NULL;
	return tt_world_cgroup_path(who->world, who->slots[slot].cgroup_id);
}

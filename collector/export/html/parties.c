/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/export/html/parties.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "collector/aggregate/index.h"

enum {
	NAME_LEN = 23,
	NR_TIDS_MAX = 4 * TT_PAGE_PARTIES_MAX,
};
#define NO_TASK UINT64_MAX /* instead of a cgroup: a word of ours */

struct party {
	uint64_t serial, cgroup_id; /* serial 0: not one task */
	uint32_t tid, pid;
	uint32_t first;	       /* of the parties of the same task; itself when it is no task */
	uint32_t next;	       /* of the same task, in another cgroup; 0 = no more */
	uint32_t current;      /* of a first one: that of the cgroup where the task is, or was last */
	uint16_t flags;	       /* TT_TASK_* */
	bool is_task, is_name; /* else tasks of one name in one cgroup */
	bool is_gone;	       /* of a first one: the tid has a new owner */
	char name[NAME_LEN + 1];
};

struct tt_page_parties {
	const struct tt_world *world;
	struct party *parties;
	uint32_t nr, nr_tasks;
	struct tt_index by_tid;	 /* tasks with a party, and short cuts to shared ones */
	struct tt_index by_name; /* hash of the name and of the cgroup, or that it is no task */
	uint64_t nr_folded;	 /* tasks that have no party of their own */
	uint64_t nr_moves_merged;
};

int tt_page_parties_open(const struct tt_world *world, struct tt_page_parties **ret_p)
{
	struct tt_page_parties *p = calloc(1, sizeof(*p));

	if (!p)
		return -ENOMEM;
	p->world = world;
	p->parties = calloc(TT_PAGE_PARTIES_MAX, sizeof(*p->parties));
	if (!p->parties || tt_index_open(&p->by_tid, NR_TIDS_MAX) ||
	    tt_index_open(&p->by_name, TT_PAGE_PARTIES_MAX)) {
		tt_page_parties_close(p);
		return -ENOMEM;
	}
	p->parties[p->nr++] = (struct party){ .is_name = true, .name = "(others)" };
	*ret_p = p;
	return 0;
}

void tt_page_parties_close(struct tt_page_parties *p)
{
	if (!p)
		return;
	tt_index_close(&p->by_tid);
	tt_index_close(&p->by_name);
	free(p->parties);
	free(p);
}

/* All parties of a task. */
static void describe(struct tt_page_parties *p, uint32_t first, const struct tt_world_task *task)
{
	uint32_t i = first;

	do {
		struct party *party = &p->parties[i];

		party->serial = task->serial;
		party->pid = task->pid;
		party->flags = task->flags;
		memcpy(party->name, task->comm, sizeof(task->comm));
		i = party->next;
	} while (i);
}

static uint32_t named_party(struct tt_page_parties *p, const char *name, uint64_t cgroup_id)
{
	uint64_t key = XXH64(name, strlen(name), cgroup_id);
	uint32_t i = tt_index_find(&p->by_name, key);

	if (i != TT_INDEX_NONE)
		return i;
	if (p->nr == TT_PAGE_PARTIES_MAX)
		return TT_PAGE_PARTY_OTHERS;
	i = p->nr++;
	p->parties[i] = (struct party){ .first = i, .current = i };
	if (cgroup_id == NO_TASK)
		p->parties[i].is_name = true;
	else
		p->parties[i].cgroup_id = cgroup_id;
	strncpy(p->parties[i].name, name, NAME_LEN);
	tt_index_put(&p->by_name, key, i);
	return i;
}

uint32_t tt_page_party_of_name(struct tt_page_parties *p, const char *name)
{
	return named_party(p, name, NO_TASK);
}

uint32_t tt_page_shared_party(struct tt_page_parties *p, uint32_t party)
{
	const struct party *own = &p->parties[party];

	return own->is_task ? named_party(p, own->name, own->cgroup_id) : party;
}

static bool has_room_for_task(const struct tt_page_parties *p)
{
	return p->nr_tasks < TT_PAGE_TASKS_MAX && p->nr < TT_PAGE_PARTIES_MAX;
}

static uint32_t new_task_party(struct tt_page_parties *p, uint32_t tid, uint64_t cgroup_id)
{
	uint32_t i = p->nr++;

	p->nr_tasks++;
	p->parties[i] = (struct party){
		.is_task = true, .tid = tid, .cgroup_id = cgroup_id, .first = i, .current = i
	};
	return i;
}

/* When there is no room for one more tid: forgets those of shared parties, which are found by their names again. */
static void forget_short_cuts(struct tt_page_parties *p)
{
	tt_index_clear(&p->by_tid);
	for (uint32_t i = 0; i < p->nr; i++) {
		const struct party *party = &p->parties[i];

		if (party->is_task && party->first == i && !party->is_gone)
			tt_index_put(&p->by_tid, party->tid, party->current);
	}
}

uint32_t tt_page_party_of_task(struct tt_page_parties *p, uint32_t tid)
{
	uint32_t i = tt_index_find(&p->by_tid, tid);
	const struct tt_world_task *task;

	if (i != TT_INDEX_NONE)
		return i;
	if (!tid)
		return named_party(p, "idle", NO_TASK);
	task = tt_world_task(p->world, tid);
	if (has_room_for_task(p)) {
		i = new_task_party(p, tid, task ? task->cgroup_id : 0);
		if (task)
			describe(p, i, task);
	} else {
		p->nr_folded++;
		i = named_party(p, task ? task->comm : "", task ? task->cgroup_id : 0);
	}
	if (!tt_index_put(&p->by_tid, tid, i)) {
		forget_short_cuts(p);
		tt_index_put(&p->by_tid, tid, i);
	}
	return i;
}

/* From now on the task is in this cgroup; what was before stays with the one where it was, or with none as long as that was not known. */
static void move(struct tt_page_parties *p, uint32_t first, uint64_t cgroup_id)
{
	uint32_t tid = p->parties[first].tid, i = first;

	while (p->parties[i].cgroup_id != cgroup_id && p->parties[i].next)
		i = p->parties[i].next;
	if (p->parties[i].cgroup_id != cgroup_id) {
		if (!has_room_for_task(p)) {
			p->nr_moves_merged++;
			return;
		}
		p->parties[i].next = new_task_party(p, tid, cgroup_id);
		i = p->parties[i].next;
		p->parties[i].first = first;
	}
	p->parties[first].current = i;
	tt_index_put(&p->by_tid, tid, i);
}

static void task_changed(struct tt_page_parties *p, uint32_t tid)
{
	uint32_t i = tt_index_find(&p->by_tid, tid), first;
	const struct tt_world_task *task = tt_world_task(p->world, tid);

	if (i == TT_INDEX_NONE || !task || !tid)
		return;
	first = p->parties[i].first;
	if (!p->parties[i].is_task || (p->parties[i].serial && p->parties[i].serial != task->serial)) {
		p->parties[first].is_gone = true;
		tt_index_remove(&p->by_tid, tid);
		return;
	}
	if (task->cgroup_id && task->cgroup_id != p->parties[i].cgroup_id)
		move(p, first, task->cgroup_id);
	describe(p, first, task);
}

void tt_page_parties_event(struct tt_page_parties *p, const struct tt_event *ev)
{
	const struct tt_world_task *thread = NULL;
	const struct tt_task *rec;

	if (ev->kind != TT_EV_TASK)
		return;
	rec = (const struct tt_task *)((const struct tt_ev_record *)ev)->rec;
	task_changed(p, rec->tid);
	while (tt_world_moves_process(rec) && (thread = tt_world_next_thread(p->world, rec->pid, thread)))
		task_changed(p, thread->tid);
}

void tt_page_parties_put(const struct tt_page_parties *p, struct tt_page_cgroups *cgroups,
			 struct tt_page_pack *pack)
{
	enum { IS_TASK = 1, IS_NAME = 2, IS_OURS = 4, IS_KERNEL = 8 };

	tt_page_pack_column(pack, "party.name", TT_PAGE_TEXTS);
	for (uint32_t i = 0; i < p->nr; i++)
		tt_page_pack_raw(pack, p->parties[i].name);
	tt_page_pack_column(pack, "party.flags", TT_PAGE_UNSIGNED);
	for (uint32_t i = 0; i < p->nr; i++) {
		const struct party *party = &p->parties[i];

		tt_page_pack_number(pack, (party->is_task ? IS_TASK : 0) | (party->is_name ? IS_NAME : 0) |
						  (party->flags & TT_TASK_OURS ? IS_OURS : 0) |
						  (party->flags & TT_TASK_KTHREAD ? IS_KERNEL : 0));
	}
	tt_page_pack_column(pack, "party.tid", TT_PAGE_DELTA);
	for (uint32_t i = 0; i < p->nr; i++)
		tt_page_pack_number(pack, p->parties[i].tid);
	tt_page_pack_column(pack, "party.pid", TT_PAGE_DELTA);
	for (uint32_t i = 0; i < p->nr; i++)
		tt_page_pack_number(pack, p->parties[i].pid);
	tt_page_pack_column(pack, "party.task", TT_PAGE_DELTA);
	for (uint32_t i = 0; i < p->nr; i++)
		tt_page_pack_number(pack, p->parties[p->parties[i].first].current);
	tt_page_pack_column(pack, "party.cgroup", TT_PAGE_UNSIGNED);
	for (uint32_t i = 0; i < p->nr; i++)
		tt_page_pack_number(pack, tt_page_cgroups_get(cgroups, p->parties[i].cgroup_id));
}

uint64_t tt_page_parties_nr_folded(const struct tt_page_parties *p)
{
	return p->nr_folded;
}

uint64_t tt_page_parties_nr_moves_merged(const struct tt_page_parties *p)
{
	return p->nr_moves_merged;
}

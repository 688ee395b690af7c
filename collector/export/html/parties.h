/* SPDX-License-Identifier: GPL-2.0-or-later */
/* parties - who the page tells apart: tasks, and those that are none ("(stolen)", "[shed]", "idle").
 *
 * A party is a number below TT_PAGE_PARTIES_MAX. A task that moves to another cgroup is another party from then on, so that sums by cgroup are
 * right; "party.task" brings its parties together. Tasks that come when TT_PAGE_TASKS_MAX parties are tasks share a party with all others of
 * the same name in the same cgroup; when there are too many of those, that is "(others)", number 0.
 */
#pragma once

#include "collector/aggregate/world.h"
#include "collector/export/html/cgroups.h"

enum { TT_PAGE_TASKS_MAX = 12288, TT_PAGE_PARTIES_MAX = 16384, TT_PAGE_PARTY_OTHERS = 0 };

struct tt_page_parties;

int tt_page_parties_open(const struct tt_world *world, struct tt_page_parties **ret_p); /* -ENOMEM */
void tt_page_parties_close(struct tt_page_parties *p);
/* Every event, after the world: names change, and tids are used again. */
void tt_page_parties_event(struct tt_page_parties *p, const struct tt_event *ev);

/* Not for TT_TID_UNKNOWN. 0 is idle. */
uint32_t tt_page_party_of_task(struct tt_page_parties *p, uint32_t tid);
uint32_t tt_page_party_of_name(struct tt_page_parties *p, const char *name);

/* What a task shares with others when it has no party of its own: that of all tasks of its name in its cgroup. Others stay what they are. */
uint32_t tt_page_shared_party(struct tt_page_parties *p, uint32_t party);

/* Columns "party.*"; a party's cgroup is what tt_page_cgroups_get tells. */
void tt_page_parties_put(const struct tt_page_parties *p, struct tt_page_cgroups *cgroups,
			 struct tt_page_pack *pack);
/* Tasks that found no party of their own. An upper bound: when more tids than four for each party are about, those that are looked up again
 * count again. */
uint64_t tt_page_parties_nr_folded(const struct tt_page_parties *p);
/* Moves to another cgroup that found no room: the task stays in the one before. */
uint64_t tt_page_parties_nr_moves_merged(const struct tt_page_parties *p);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pairs - who delays whom (delays.h), by slots of time: rows TT_PAGE_FAMILY_PAIR of cells.h.
 *
 * The same matrices as the section chord. When TT_PAGE_TASK_PAIRS_MAX are there, new ones are of all tasks of a
 * name in a cgroup to all of another; beyond TT_PAGE_PAIRS_MAX, of "(others)" to "(others)".
 */
#pragma once

#include "collector/aggregate/delays.h"
#include "collector/export/html/cells.h"
#include "collector/export/html/parties.h"

enum { TT_PAGE_TASK_PAIRS_MAX = 24576, TT_PAGE_PAIRS_MAX = 32768 };

struct tt_page_pairs;

/* parties and cells are shared with others. -ENOMEM */
int tt_page_pairs_open(const struct tt_world *world, const struct tt_view *view,
		       struct tt_page_parties *parties, struct tt_page_cells *cells,
		       struct tt_page_pairs **ret_p);
void tt_page_pairs_close(struct tt_page_pairs *p);
void tt_page_pairs_event(struct tt_page_pairs *p, const struct tt_event *ev);
/* Columns "pair.relation" (enum tt_relation), "pair.from", "pair.to" (parties). */
void tt_page_pairs_put(const struct tt_page_pairs *p, struct tt_page_pack *pack);
uint32_t tt_page_pairs_nr(const struct tt_page_pairs *p);
/* Delays that were charged to all tasks of a name in a cgroup, or to others. */
uint64_t tt_page_pairs_nr_merged(const struct tt_page_pairs *p);

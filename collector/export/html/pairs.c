/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/export/html/pairs.h"

#include <errno.h>
#include <stdlib.h>

#include "collector/aggregate/index.h"

struct pair {
	uint32_t from, to;
	enum tt_relation relation;
};

struct tt_page_pairs {
	struct tt_page_parties *parties;
	struct tt_page_cells *cells;
	struct tt_delays *delays;
	struct pair *pairs;
	uint32_t nr;
	struct tt_index by_key;
	uint64_t nr_merged;
};

enum { PARTY_BITS = 20 };
_Static_assert(TT_PAGE_PARTIES_MAX <= 1 << PARTY_BITS, "a party fits its bits");

static void take_delay(void *ctx, const struct tt_delay *delay);

int tt_page_pairs_open(const struct tt_world *world, const struct tt_view *view,
		       struct tt_page_parties *parties, struct tt_page_cells *cells,
		       struct tt_page_pairs **ret_p)
{
	struct tt_page_pairs *p = calloc(1, sizeof(*p));
	struct tt_delays_options opts = { world, view, take_delay, p };

	if (!p)
		return -ENOMEM;
	p->parties = parties;
	p->cells = cells;
	p->pairs = calloc(TT_PAGE_PAIRS_MAX + TT_RELATION_NR, sizeof(*p->pairs));
	if (!p->pairs || tt_index_open(&p->by_key, TT_PAGE_PAIRS_MAX + TT_RELATION_NR) ||
	    tt_delays_open(&opts, &p->delays)) {
		tt_page_pairs_close(p);
		return -ENOMEM;
	}
	*ret_p = p;
	return 0;
}

void tt_page_pairs_close(struct tt_page_pairs *p)
{
	if (!p)
		return;
	tt_delays_close(p->delays);
	tt_index_close(&p->by_key);
	free(p->pairs);
	free(p);
}

static uint64_t key_of(const struct pair *pair)
{
	return (uint64_t)pair->relation << 2 * PARTY_BITS | (uint64_t)pair->from << PARTY_BITS | pair->to;
}

static uint32_t place_of(struct tt_page_pairs *p, struct pair pair)
{
	uint32_t i = tt_index_find(&p->by_key, key_of(&pair));

	p->nr_merged += i == TT_INDEX_NONE && p->nr >= TT_PAGE_TASK_PAIRS_MAX;
	if (i == TT_INDEX_NONE && p->nr >= TT_PAGE_TASK_PAIRS_MAX) {
		pair.from = tt_page_shared_party(p->parties, pair.from);
		pair.to = tt_page_shared_party(p->parties, pair.to);
		i = tt_index_find(&p->by_key, key_of(&pair));
	}
	if (i == TT_INDEX_NONE && p->nr >= TT_PAGE_PAIRS_MAX) {
		pair.from = pair.to = TT_PAGE_PARTY_OTHERS;
		i = tt_index_find(&p->by_key, key_of(&pair));
	}
	if (i == TT_INDEX_NONE) {
		i = p->nr++;
		p->pairs[i] = pair;
		tt_index_put(&p->by_key, key_of(&pair), i);
	}
	return i;
}

static void take_delay(void *ctx, const struct tt_delay *delay)
{
	struct tt_page_pairs *p = ctx;
	struct pair pair = { .relation = delay->relation };

	pair.from = delay->by == TT_DELAY_TASK
			    ? tt_page_party_of_task(p->parties, delay->from_tid)
			    : tt_page_party_of_name(p->parties, tt_delay_by_name(delay->by));
	pair.to = tt_page_party_of_task(p->parties, delay->to_tid);
	tt_page_cells_add(p->cells, tt_page_row(TT_PAGE_FAMILY_PAIR, place_of(p, pair)), delay->ts_ns,
			  delay->wait_ns, 1);
}

void tt_page_pairs_event(struct tt_page_pairs *p, const struct tt_event *ev)
{
	tt_delays_event(p->delays, ev);
}

void tt_page_pairs_put(const struct tt_page_pairs *p, struct tt_page_pack *pack)
{
	tt_page_pack_column(pack, "pair.relation", TT_PAGE_UNSIGNED);
	for (uint32_t i = 0; i < p->nr; i++)
		tt_page_pack_number(pack, p->pairs[i].relation);
	tt_page_pack_column(pack, "pair.from", TT_PAGE_UNSIGNED);
	for (uint32_t i = 0; i < p->nr; i++)
		tt_page_pack_number(pack, p->pairs[i].from);
	tt_page_pack_column(pack, "pair.to", TT_PAGE_UNSIGNED);
	for (uint32_t i = 0; i < p->nr; i++)
		tt_page_pack_number(pack, p->pairs[i].to);
}

uint32_t tt_page_pairs_nr(const struct tt_page_pairs *p)
{
	return p->nr;
}

uint64_t tt_page_pairs_nr_merged(const struct tt_page_pairs *p)
{
	return p->nr_merged;
}

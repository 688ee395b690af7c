/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Chord: the matrix of who delays whom, by task or cgroup: who had the CPU that somebody waited for, who took it away, who woke
 * whom, weighted by the time waited (delays.h). Only the cells with something in them, heaviest first. docs/metrics.md.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "collector/aggregate/delays.h"
#include "collector/aggregate/view.h"
#include "collector/aggregate/who.h"

enum {
	NR_PAIRS = 1 << 16, /* cells; what comes beyond is one cell of its relation */
	/* parties that are no row of who */
	PARTY_BY = TT_WHO_MAX, /* + enum tt_delay_by */
	PARTY_BITS = 15,
};
_Static_assert(PARTY_BY + TT_DELAY_BY_NR <= 1 << PARTY_BITS, "a party fits its bits");

struct pair {
	uint64_t key, wait_ns, nr;
};

struct chord {
	struct tt_view of_anybody; /* who delays may be anybody, whoever is looked at */
	struct tt_view view;
	const struct tt_world *world;
	bool counters_only;
	struct tt_who who;
	struct tt_delays *delays;
	struct tt_index by_key;
	struct pair *pairs;
	uint32_t nr;
	uint64_t nr_merged;  /* charges that found no cell */
	uint64_t *weight_ns; /* by slot of who */
	uint32_t *new_slots; /* by slot of who, while slots change their numbers */
	bool has_new_slots;
};

#define COLUMNS(from, to)                                                                                    \
	{ "from", from, TT_UNIT_TEXT, false, 0 }, { "to", to, TT_UNIT_TEXT, false, 0 },                      \
		{ "wait_ns", "waited", TT_UNIT_NS, false, 0 },                                               \
		{ "share_pct", "share%", TT_UNIT_PCT, false, 1 },                                            \
		{ "waits", "waits", TT_UNIT_COUNT, false, 0 },                                               \
		{ "from_tid", "from tid", TT_UNIT_COUNT, true, 0 },                                          \
		{ "from_pid", "from pid", TT_UNIT_COUNT, true, 0 },                                          \
		{ "to_tid", "to tid", TT_UNIT_COUNT, true, 0 },                                              \
		{ "to_pid", "to pid", TT_UNIT_COUNT, true, 0 },                                              \
		{ "from_cgroup_path", "from path", TT_UNIT_TEXT, true, 0 },                                  \
		{ "to_cgroup_path", "to path", TT_UNIT_TEXT, true, 0 },
enum { FROM, TO, WAIT, SHARE, WAITS, FROM_TID, FROM_PID, TO_TID, TO_PID, FROM_PATH, TO_PATH, NR_COLUMNS };
static const struct tt_column columns[TT_RELATION_NR][NR_COLUMNS] = {
	{ COLUMNS("had the CPU", "waiter") },
	{ COLUMNS("preempter", "victim") },
	{ COLUMNS("waker", "woken") },
};

/* Life */

static void chord_close(void *state)
{
	struct chord *c = state;

	if (!c)
		return;
	tt_delays_close(c->delays);
	tt_who_close(&c->who);
	tt_index_close(&c->by_key);
	free(c->pairs);
	free(c->weight_ns);
	free(c->new_slots);
	free(c);
}

static void take_delay(void *ctx, const struct tt_delay *delay);

static int chord_open(const struct tt_agg_options *opts, void **ret_state)
{
	struct chord *c = calloc(1, sizeof(*c));
	struct tt_agg_options who_opts = *opts;
	struct tt_delays_options delays_opts = { opts->world, opts->view, take_delay, c };

	if (!c)
		return -ENOMEM;
	c->world = opts->world;
	c->view = c->of_anybody = *opts->view;
	c->of_anybody.pid = 0;
	c->of_anybody.cgroup = NULL;
	c->counters_only = opts->counters_only;
	who_opts.view = &c->of_anybody;
	delays_opts.view = &c->view;
	/* one cell more for each relation: there always is room for what found none */
	c->pairs = calloc(NR_PAIRS + TT_RELATION_NR, sizeof(*c->pairs));
	c->weight_ns = calloc(TT_WHO_MAX, sizeof(*c->weight_ns));
	c->new_slots = calloc(TT_WHO_MAX, sizeof(*c->new_slots));
	if (!c->pairs || !c->weight_ns || !c->new_slots || tt_who_open(&c->who, &who_opts) ||
	    tt_index_open(&c->by_key, NR_PAIRS + TT_RELATION_NR) ||
	    tt_delays_open(&delays_opts, &c->delays)) {
		chord_close(c);
		return -ENOMEM;
	}
	*ret_state = c;
	return 0;
}

/* Cells */

static uint64_t key_of(enum tt_relation relation, uint32_t from, uint32_t to)
{
	return (uint64_t)relation << 2 * PARTY_BITS | (uint64_t)from << PARTY_BITS | to;
}

static enum tt_relation relation_of(uint64_t key)
{
	return (enum tt_relation)(key >> 2 * PARTY_BITS);
}

static uint32_t from_of(uint64_t key)
{
	return key >> PARTY_BITS & ((1 << PARTY_BITS) - 1);
}

static uint32_t to_of(uint64_t key)
{
	return key & ((1 << PARTY_BITS) - 1);
}

static void add_to_cell(struct chord *c, uint64_t key, uint64_t wait_ns, uint64_t nr)
{
	uint32_t i = tt_index_find(&c->by_key, key);

	if (i == TT_INDEX_NONE && c->nr >= NR_PAIRS) {
		key = key_of(relation_of(key), TT_WHO_OTHERS, TT_WHO_OTHERS);
		c->nr_merged += nr;
		i = tt_index_find(&c->by_key, key);
	}
	if (i == TT_INDEX_NONE) {
		i = c->nr++;
		c->pairs[i] = (struct pair){ .key = key };
		tt_index_put(&c->by_key, key, i);
	}
	c->pairs[i].wait_ns += wait_ns;
	c->pairs[i].nr += nr;
}

/* Rows of who */

static uint64_t party_weight(void *ctx, uint32_t slot)
{
	return ((struct chord *)ctx)->weight_ns[slot];
}

static void begin_new_slots(struct chord *c)
{
	for (uint32_t slot = 0; slot < TT_WHO_MAX && !c->has_new_slots; slot++)
		c->new_slots[slot] = slot;
	c->has_new_slots = true;
}

static void party_fold(void *ctx, uint32_t into, uint32_t from)
{
	struct chord *c = ctx;

	begin_new_slots(c);
	c->new_slots[from] = into;
	c->weight_ns[into] += c->weight_ns[from];
	c->weight_ns[from] = 0;
}

static void party_move(void *ctx, uint32_t to, uint32_t from)
{
	struct chord *c = ctx;

	begin_new_slots(c);
	c->new_slots[from] = to;
	c->weight_ns[to] = c->weight_ns[from];
	c->weight_ns[from] = 0;
}

static uint32_t new_party(const struct chord *c, uint32_t party)
{
	return party < TT_WHO_MAX ? c->new_slots[party] : party;
}

static void make_room(struct chord *c)
{
	struct tt_who_owner owner = { c, party_weight, party_fold, party_move };
	uint32_t nr = c->nr;

	c->has_new_slots = false;
	tt_who_make_room(&c->who, &owner);
	if (!c->has_new_slots)
		return;
	tt_index_clear(&c->by_key);
	c->nr = 0;
	/* what is written lies at or before what is read */
	for (uint32_t i = 0; i < nr; i++) {
		struct pair p = c->pairs[i];

		add_to_cell(c,
			    key_of(relation_of(p.key), new_party(c, from_of(p.key)),
				   new_party(c, to_of(p.key))),
			    p.wait_ns, p.nr);
	}
}

static void take_delay(void *ctx, const struct tt_delay *delay)
{
	struct chord *c = ctx;
	uint32_t from, to;

	make_room(c);
	from = delay->by == TT_DELAY_TASK ? tt_who_find(&c->who, delay->from_tid)
					  : PARTY_BY + (uint32_t)delay->by;
	to = tt_who_find(&c->who, delay->to_tid);
	if (from < TT_WHO_MAX)
		c->weight_ns[from] += delay->wait_ns;
	if (to < TT_WHO_MAX)
		c->weight_ns[to] += delay->wait_ns;
	add_to_cell(c, key_of(delay->relation, from, to), delay->wait_ns, 1);
}

static void chord_event(void *state, const struct tt_event *ev)
{
	struct chord *c = state;

	if (ev->kind == TT_EV_TASK)
		tt_who_event(&c->who, ev);
	tt_delays_event(c->delays, ev);
}

/* The report */

static int compare_pairs(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;

	if (x->wait_ns != y->wait_ns)
		return x->wait_ns > y->wait_ns ? -1 : 1;
	return x->key < y->key ? -1 : x->key > y->key;
}

static void fill_party(const struct chord *c, struct tt_report *r, struct tt_table *t, uint32_t party,
		       unsigned name_column, unsigned tid_column, unsigned path_column)
{
	char name[TT_WHO_NAME_MAX];
	const struct tt_who_slot *slot;

	if (party >= PARTY_BY) {
		tt_row_text(r, t, name_column, tt_delay_by_name((enum tt_delay_by)(party - PARTY_BY)));
		return;
	}
	slot = &c->who.slots[party];
	tt_row_text(r, t, name_column, tt_who_name(&c->who, party, name, sizeof(name)));
	if (!c->who.by_cgroup && party != TT_WHO_OTHERS) {
		tt_row_u64(t, tid_column, slot->tid);
		tt_row_u64(t, tid_column + 1, slot->pid);
	}
	if (tt_who_cgroup_path(&c->who, party))
		tt_row_text(r, t, path_column, tt_who_cgroup_path(&c->who, party));
}

static void fill_numbers(struct tt_table *t, uint64_t wait_ns, uint64_t nr, uint64_t all_ns)
{
	tt_row_u64(t, WAIT, wait_ns);
	tt_row_f64(t, SHARE, 100 * tt_ratio((double)wait_ns, (double)all_ns));
	tt_row_u64(t, WAITS, nr);
}

static void add_table(struct chord *c, enum tt_relation relation, const struct pair *pairs,
		      struct tt_report *r, struct tt_section *s)
{
	static const char *const titles[] = { "who had the CPU, and who waited for it",
					      "who took the CPU, and from whom", "who woke whom" };
	struct tt_table *t = NULL;
	struct pair others = { 0 };
	uint64_t all_ns = 0;

	for (uint32_t i = 0; i < c->nr; i++) {
		if (relation_of(pairs[i].key) == relation)
			all_ns += pairs[i].wait_ns;
	}
	if (all_ns)
		t = tt_section_add_table(r, s, tt_relation_name(relation), titles[relation],
					 columns[relation], NR_COLUMNS);
	for (uint32_t i = 0; t && i < c->nr; i++) {
		const struct pair *p = &pairs[i];

		if (relation_of(p->key) != relation)
			continue;
		if (t->nr_rows >= tt_view_nr_top(&c->view)) {
			others.wait_ns += p->wait_ns;
			others.nr += p->nr;
			t->nr_rows_left_out++;
			continue;
		}
		tt_table_add_row(r, t);
		fill_party(c, r, t, from_of(p->key), FROM, FROM_TID, FROM_PATH);
		fill_party(c, r, t, to_of(p->key), TO, TO_TID, TO_PATH);
		fill_numbers(t, p->wait_ns, p->nr, all_ns);
	}
	if (!t || !others.nr)
		return;
	tt_table_add_row(r, t);
	tt_row_text(r, t, FROM, "(others)");
	tt_row_text(r, t, TO, "(others)");
	fill_numbers(t, others.wait_ns, others.nr, all_ns);
}

static void add_notes(const struct chord *c, struct tt_report *r, struct tt_section *s)
{
	const struct tt_delays_stats *stats = tt_delays_stats(c->delays);

	tt_view_add_note(&c->view, r, s);
	tt_view_add_by_note(&c->view, 1 << TT_BY_CPU | 1 << TT_BY_DEVICE, "rows are tasks", r, s);
	if (!stats->nr_waits)
		tt_section_add_note(r, s, "nobody waited for a CPU");
	if (stats->unknown_ns)
		tt_section_add_note(r, s,
				    "of %.1f %% of the time waited it is not known who had the CPU: that was "
				    "not seen, or too much went on to look at all of it",
				    100 * tt_ratio((double)stats->unknown_ns, (double)stats->wait_ns));
	if (stats->shed_wait_ns)
		tt_section_add_note(
			r, s, "%.1f ms of waits were shed: nothing is known of them, they are in no row",
			(double)stats->shed_wait_ns / 1e6);
	if (stats->nr_beyond)
		tt_section_add_note(r, s, "%llu waits of CPUs from %d on are left out",
				    (unsigned long long)stats->nr_beyond, TT_VIEW_CPUS_MAX);
	if (c->nr_merged)
		tt_section_add_note(r, s, "%llu waits found no row of their own: they are in (others)",
				    (unsigned long long)c->nr_merged);
	if (c->who.nr_folded)
		tt_section_add_note(r, s, "%llu exited tasks are summed up in (others)",
				    (unsigned long long)c->who.nr_folded);
}

static int chord_finish(void *state, const struct tt_interval *interval, struct tt_report *r)
{
	struct chord *c = state;
	struct tt_section *s = tt_report_add_section(r, "chord", "HAD THE CPU");
	struct pair *pairs = malloc((c->nr + 1) * sizeof(*pairs));

	(void)interval;
	if (!s || !pairs) {
		free(pairs);
		return -ENOMEM;
	}
	if (!tt_probe_was_recorded(tt_world_info(c->world), "runq")) {
		tt_section_add_note(r, s, "not recorded: the runq probe was off");
		goto out;
	}
	if (c->counters_only) {
		tt_section_add_note(r, s, "needs single events, and /proc has only counters");
		goto out;
	}
	memcpy(pairs, c->pairs, c->nr * sizeof(*pairs));
	qsort(pairs, c->nr, sizeof(*pairs), compare_pairs);
	for (unsigned relation = 0; relation < TT_RELATION_NR; relation++)
		add_table(c, (enum tt_relation)relation, pairs, r, s);
	add_notes(c, r, s);
out:
	free(pairs);
	return r->failed ? -ENOMEM : 0;
}

static void chord_reset(void *state)
{
	struct chord *c = state;

	memset(c->weight_ns, 0, TT_WHO_MAX * sizeof(*c->weight_ns));
	tt_index_clear(&c->by_key);
	c->nr = 0;
	c->nr_merged = 0;
	tt_who_reset(&c->who);
	tt_delays_reset(c->delays);
}

const struct tt_aggregator tt_aggregator_chord = {
	.name = "chord",
	.title = "HAD THE CPU",
	.help = "who had the CPU that others waited for, who took it from whom, who woke whom",
	.on_request = true,
	.open = chord_open,
	.event = chord_event,
	.finish = chord_finish,
	.reset = chord_reset,
	.close = chord_close,
};

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/symbol/mappings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(sizeof(struct tt_process) == 24 && sizeof(struct tt_mapping) == 32,
	       "mappings.h tells the memory");

enum { NR_PROCESSES_AT_FIRST = 256, NR_MAPS_AT_FIRST = 8 };

/* Shared by processes that forked and have mapped nothing since, and by who holds it. Each mapping has a reference to its dso. */
struct tt_map_table {
	uint32_t nr_refs, nr, room;
	struct tt_mapping maps[]; /* by address; they do not overlap */
};

void tt_mappings_open(struct tt_mappings *m, struct tt_dsos *dsos)
{
	*m = (struct tt_mappings){ .dsos = dsos };
	tt_slots_init(&m->slots);
}

/* --- tables --- */

static void release(struct tt_mappings *m, struct tt_map_table *t)
{
	if (!t || --t->nr_refs)
		return;
	for (uint32_t i = 0; i < t->nr; i++)
		tt_dsos_unref(m->dsos, t->maps[i].dso);
	m->nr_mappings -= t->nr;
	free(t);
}

/* A table with the same mappings that is this process' alone and has room for nr_more. NULL: there is no room, counted. */
static struct tt_map_table *own_table(struct tt_mappings *m, struct tt_process *p, uint32_t nr_more)
{
	struct tt_map_table *old = p->maps, *t;
	uint32_t nr = old ? old->nr : 0, room = NR_MAPS_AT_FIRST;
	uint32_t nr_new = nr_more + (old && old->nr_refs > 1 ? nr : 0);

	if (nr + nr_more > TT_MAPPINGS_PER_PROCESS_MAX || m->nr_mappings + nr_new > TT_MAPPINGS_MAX) {
		m->nr_beyond++;
		return NULL;
	}
	if (old && old->nr_refs == 1 && old->room >= nr + nr_more)
		return old;
	while (room < nr + nr_more)
		room *= 2;
	if (old && old->nr_refs == 1) {
		t = realloc(old, sizeof(*t) + room * sizeof(t->maps[0]));
	} else {
		t = malloc(sizeof(*t) + room * sizeof(t->maps[0]));
		if (t) {
			*t = (struct tt_map_table){ .nr_refs = 1, .nr = nr };
			for (uint32_t i = 0; i < nr; i++) {
				t->maps[i] = old->maps[i];
				tt_dsos_ref(m->dsos, t->maps[i].dso);
			}
			m->nr_mappings += nr;
			release(m, old);
		}
	}
	if (!t) {
		m->nr_beyond++;
		return NULL;
	}
	t->room = room;
	p->maps = t;
	return t;
}

/* The first mapping that ends behind address. */
static uint32_t first_behind(const struct tt_map_table *t, uint64_t address)
{
	uint32_t low = 0, high = t->nr;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (t->maps[middle].end <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void insert_at(struct tt_mappings *m, struct tt_map_table *t, uint32_t at,
		      const struct tt_mapping *map)
{
	memmove(&t->maps[at + 1], &t->maps[at], (t->nr - at) * sizeof(t->maps[0]));
	t->maps[at] = *map;
	t->nr++;
	m->nr_mappings++;
}

/* Makes [start, end) free; where it would go is returned. There is room for one more. */
static uint32_t clear_range(struct tt_mappings *m, struct tt_map_table *t, uint64_t start, uint64_t end)
{
	uint32_t at = first_behind(t, start), last = at;

	if (at < t->nr && t->maps[at].start < start) {
		struct tt_mapping rest = t->maps[at];

		t->maps[at].end = start;
		at++;
		if (rest.end > end) { /* a hole in one mapping */
			rest.offset += end - rest.start;
			rest.start = end;
			tt_dsos_ref(m->dsos, rest.dso);
			insert_at(m, t, at, &rest);
			return at;
		}
		last = at;
	}
	while (last < t->nr && t->maps[last].end <= end)
		tt_dsos_unref(m->dsos, t->maps[last++].dso);
	memmove(&t->maps[at], &t->maps[last], (t->nr - last) * sizeof(t->maps[0]));
	t->nr -= last - at;
	m->nr_mappings -= last - at;
	if (at < t->nr && t->maps[at].start < end) {
		t->maps[at].offset += end - t->maps[at].start;
		t->maps[at].start = end;
	}
	return at;
}

/* Whether b is the continuation of a, as pieces of a JIT's memory often are. */
static bool continues(const struct tt_mappings *m, const struct tt_mapping *a, const struct tt_mapping *b)
{
	return a->dso == b->dso && a->end == b->start &&
	       (a->dso == m->dsos->anon || a->offset + (a->end - a->start) == b->offset);
}

/* --- processes --- */

static uint32_t hash_of(const struct tt_mappings *m, uint32_t pid)
{
	return tt_slots_hash(&m->slots, &pid, sizeof(pid));
}

static uint32_t find_process(const struct tt_mappings *m, uint32_t pid)
{
	uint32_t probe = 0, hash = hash_of(m, pid), i;

	while ((i = tt_slots_next(&m->slots, hash, &probe)) != TT_SLOTS_NONE)
		if (m->processes[i].pid == pid)
			break;
	return i;
}

struct tt_process *tt_mappings_process(const struct tt_mappings *m, uint32_t pid)
{
	uint32_t i = find_process(m, pid);

	return i == TT_SLOTS_NONE ? NULL : &m->processes[i];
}

static int grow(struct tt_mappings *m)
{
	uint32_t room = m->room ? 2 * m->room : NR_PROCESSES_AT_FIRST;
	struct tt_process *processes;

	if (m->nr < m->room)
		return 0;
	if (m->nr == TT_PROCESSES_MAX)
		return -ENOSPC;
	processes = realloc(m->processes, room * sizeof(*processes));
	if (!processes)
		return -ENOMEM;
	m->processes = processes;
	m->room = room;
	return 0;
}

struct tt_process *tt_mappings_get_process(struct tt_mappings *m, uint32_t pid)
{
	uint32_t i = find_process(m, pid);

	if (i != TT_SLOTS_NONE)
		return &m->processes[i];
	if (grow(m) || tt_slots_add(&m->slots, hash_of(m, pid), m->nr)) {
		m->nr_beyond++;
		return NULL;
	}
	m->processes[m->nr] = (struct tt_process){ .pid = pid };
	return &m->processes[m->nr++];
}

void tt_mappings_forget(struct tt_mappings *m, uint32_t pid)
{
	uint32_t i = find_process(m, pid), last = m->nr - 1;

	if (i == TT_SLOTS_NONE)
		return;
	release(m, m->processes[i].maps);
	tt_slots_remove(&m->slots, hash_of(m, pid), i);
	if (i != last) {
		uint32_t hash = hash_of(m, m->processes[last].pid);

		tt_slots_remove(&m->slots, hash, last);
		m->processes[i] = m->processes[last];
		tt_slots_add(&m->slots, hash, i); /* there is room: one was just removed */
	}
	m->nr--;
}

void tt_mappings_close(struct tt_mappings *m)
{
	for (uint32_t i = 0; i < m->nr; i++)
		release(m, m->processes[i].maps);
	free(m->processes);
	tt_slots_free(&m->slots);
	m->processes = NULL;
	m->nr = m->room = 0;
}

/* --- events --- */

void tt_mappings_map(struct tt_mappings *m, uint32_t pid, const struct tt_mapping *map)
{
	struct tt_process *p = tt_mappings_get_process(m, pid);
	struct tt_map_table *t = p ? own_table(m, p, 2) : NULL;
	uint32_t at;

	if (!t || map->end <= map->start) {
		tt_dsos_unref(m->dsos, map->dso);
		return;
	}
	at = clear_range(m, t, map->start, map->end);
	if (at && continues(m, &t->maps[at - 1], map)) {
		t->maps[at - 1].end = map->end;
		tt_dsos_unref(m->dsos, map->dso);
	} else {
		insert_at(m, t, at, map);
	}
}

void tt_mappings_fork(struct tt_mappings *m, uint32_t parent_pid, uint32_t pid)
{
	struct tt_process *p = tt_mappings_get_process(m, pid), *parent = tt_mappings_process(m, parent_pid);

	if (!p || p == parent)
		return;
	release(m, p->maps); /* of one that had this number before */
	*p = (struct tt_process){ .pid = pid, .parent_pid = parent_pid };
	if (!parent)
		return;
	p->as_of = parent->as_of;
	p->maps = parent->maps;
	if (p->maps)
		p->maps->nr_refs++;
}

void tt_mappings_exec(struct tt_mappings *m, uint32_t pid)
{
	struct tt_process *p = tt_mappings_get_process(m, pid);

	if (!p)
		return;
	release(m, p->maps);
	p->maps = NULL;
	p->has_exited = p->has_threads = false; /* the first thread exits when another one calls exec */
}

bool tt_map_table_find(const struct tt_map_table *t, uint64_t address, struct tt_mapping *ret)
{
	uint32_t i = first_behind(t, address);

	if (i == t->nr || t->maps[i].start > address)
		return false;
	*ret = t->maps[i];
	return true;
}

bool tt_map_table_nth(const struct tt_map_table *t, uint32_t n, struct tt_mapping *ret)
{
	if (n >= t->nr)
		return false;
	*ret = t->maps[n];
	return true;
}

bool tt_mappings_find(const struct tt_mappings *m, uint32_t pid, uint64_t address, struct tt_mapping *ret)
{
	const struct tt_process *p = tt_mappings_process(m, pid);

	return p && p->maps && tt_map_table_find(p->maps, address, ret);
}

bool tt_mappings_nth(const struct tt_process *process, uint32_t n, struct tt_mapping *ret)
{
	return process->maps && tt_map_table_nth(process->maps, n, ret);
}

uint32_t tt_map_table_hash(const struct tt_map_table *t, const struct tt_slots *slots)
{
	return tt_slots_hash(slots, t->maps, t->nr * sizeof(t->maps[0]));
}

bool tt_map_tables_are_equal(const struct tt_map_table *a, const struct tt_map_table *b)
{
	return a == b || (a->nr == b->nr && !memcmp(a->maps, b->maps, a->nr * sizeof(a->maps[0])));
}

struct tt_map_table *tt_mappings_hold(struct tt_mappings *m, uint32_t pid)
{
	const struct tt_process *p = tt_mappings_process(m, pid);

	if (!p || !p->maps)
		return NULL;
	p->maps->nr_refs++;
	return p->maps;
}

void tt_mappings_let_go(struct tt_mappings *m, struct tt_map_table *table)
{
	release(m, table);
}

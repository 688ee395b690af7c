/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/export/fold.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "collector/export/intern.h"

struct entry {
	uint64_t serial, cgroup_id, kstack, ustack;
	uint64_t weight_ns, nr, nr_hits;
	uint32_t tid, pid, dev;
	uint32_t comm, top, instead; /* ids of names; top and instead + 1, 0 = NULL */
	uint16_t cpu;
	uint8_t cause, trim, group;
};

struct tt_fold {
	unsigned by;
	struct entry *entries;
	uint32_t nr;
	uint32_t *cells; /* slot + 1, at most half of them used */
	struct tt_intern *names;
	uint64_t nr_merged;
	uint32_t others[TT_CAUSE_NR]; /* slot + 1 */
};

enum { NR_CELLS = 2 * TT_FOLD_MAX, NAMES_MAX = 1 << 16 };

int tt_fold_open(unsigned by, struct tt_fold **ret_f)
{
	struct tt_fold *f = calloc(1, sizeof(*f));

	if (!f)
		return -ENOMEM;
	f->by = by;
	/* as large as it may become, and one for each cause's others: the kernel gives the pages when they are touched */
	f->entries = calloc(TT_FOLD_MAX + TT_CAUSE_NR, sizeof(*f->entries));
	f->cells = calloc(NR_CELLS, sizeof(*f->cells));
	if (!f->entries || !f->cells || tt_intern_open(NAMES_MAX, TT_FOLD_NAME_BYTES_MAX, &f->names)) {
		tt_fold_close(f);
		return -ENOMEM;
	}
	*ret_f = f;
	return 0;
}

void tt_fold_close(struct tt_fold *f)
{
	if (!f)
		return;
	free(f->entries);
	free(f->cells);
	tt_intern_close(f->names);
	free(f);
}

/* False: a name found no room. */
static bool make_entry(struct tt_fold *f, const struct tt_hit *hit, struct entry *e)
{
	uint32_t top = hit->top ? tt_intern_get(f->names, hit->top) : 0,
		 instead = hit->instead ? tt_intern_get(f->names, hit->instead) : 0;

	memset(e, 0, sizeof(*e));
	e->comm = tt_intern_get(f->names, !hit->tid ? "idle" : hit->comm);
	if (e->comm == TT_INTERN_NONE || top == TT_INTERN_NONE || instead == TT_INTERN_NONE)
		return false;
	e->top = hit->top ? top + 1 : 0;
	e->instead = hit->instead ? instead + 1 : 0;
	e->kstack = hit->kstack;
	e->ustack = hit->ustack;
	e->cause = (uint8_t)hit->cause;
	e->trim = (uint8_t)hit->trim;
	e->dev = hit->dev;
	e->group = hit->group;
	e->cpu = f->by & TT_FOLD_BY_CPU ? hit->cpu : TT_CPU_NONE;
	/* without a name, the number is the name */
	if (f->by & TT_FOLD_BY_TASK || !hit->comm[0])
		e->tid = hit->tid;
	if (f->by & TT_FOLD_BY_TASK) {
		e->serial = hit->serial;
		e->pid = hit->pid;
	}
	if (f->by & TT_FOLD_BY_CGROUP)
		e->cgroup_id = hit->cgroup_id;
	return true;
}

static bool is_same(const struct entry *a, const struct entry *b)
{
	return a->kstack == b->kstack && a->ustack == b->ustack && a->comm == b->comm && a->top == b->top &&
	       a->instead == b->instead && a->cause == b->cause && a->trim == b->trim && a->tid == b->tid &&
	       a->pid == b->pid && a->serial == b->serial && a->cgroup_id == b->cgroup_id &&
	       a->cpu == b->cpu && a->dev == b->dev && a->group == b->group;
}

static uint64_t hash_of(const struct entry *e)
{
	uint64_t key[8] = { e->kstack,
			    e->ustack,
			    e->serial,
			    e->cgroup_id,
			    (uint64_t)e->dev << 32 | (uint32_t)e->group << 16 | e->cpu,
			    (uint64_t)e->comm << 32 | e->top,
			    (uint64_t)e->instead << 32 | e->tid,
			    (uint64_t)e->cause << 8 | e->trim };

	return XXH64(key, sizeof(key), 0);
}

/* NULL: no room. */
static struct entry *find_or_add(struct tt_fold *f, const struct entry *wanted)
{
	uint64_t i = hash_of(wanted) % NR_CELLS;

	while (f->cells[i] && !is_same(&f->entries[f->cells[i] - 1], wanted))
		i = (i + 1) % NR_CELLS;
	if (!f->cells[i]) {
		if (f->nr >= TT_FOLD_MAX)
			return NULL;
		f->entries[f->nr++] = *wanted;
		f->cells[i] = f->nr;
	}
	return &f->entries[f->cells[i] - 1];
}

/* There always is room: the table has that many more. */
static struct entry *get_others(struct tt_fold *f, enum tt_cause cause)
{
	if (!f->others[cause]) {
		f->entries[f->nr] =
			(struct entry){ .cause = (uint8_t)cause, .comm = TT_INTERN_NONE, .cpu = TT_CPU_NONE };
		f->others[cause] = ++f->nr;
	}
	f->nr_merged++;
	return &f->entries[f->others[cause] - 1];
}

uint32_t tt_fold_add(struct tt_fold *f, const struct tt_hit *hit)
{
	struct entry wanted, *e = make_entry(f, hit, &wanted) ? find_or_add(f, &wanted) : NULL;

	if (!e)
		e = get_others(f, hit->cause);
	if (__builtin_add_overflow(e->weight_ns, hit->weight_ns, &e->weight_ns))
		e->weight_ns = UINT64_MAX;
	e->nr += hit->nr;
	e->nr_hits++;
	return (uint32_t)(e - f->entries);
}

uint32_t tt_fold_nr(const struct tt_fold *f)
{
	return f->nr;
}

static void get_others_hit(const struct entry *e, struct tt_hit *ret_hit)
{
	static const char *const tops[] = { "[stolen]", "[runq]", "[io]", NULL };

	*ret_hit = (struct tt_hit){
		.cause = (enum tt_cause)e->cause,
		.weight_ns = e->weight_ns,
		.nr = e->nr,
		.cpu = TT_CPU_NONE,
		.tid = TT_TID_UNKNOWN,
		.comm = "(others)",
		.top = tops[e->cause],
		.instead = "[others]",
	};
}

void tt_fold_get(const struct tt_fold *f, uint32_t i, struct tt_hit *ret_hit, uint64_t *ret_nr)
{
	const struct entry *e = &f->entries[i];

	if (ret_nr)
		*ret_nr = e->nr_hits;
	if (e->comm == TT_INTERN_NONE) {
		get_others_hit(e, ret_hit);
		return;
	}
	*ret_hit = (struct tt_hit){
		.cause = (enum tt_cause)e->cause,
		.cpu = e->cpu,
		.weight_ns = e->weight_ns,
		.nr = e->nr,
		.dev = e->dev,
		.group = e->group,
		.tid = e->tid,
		.pid = e->pid,
		.serial = e->serial,
		.cgroup_id = e->cgroup_id,
		.comm = tt_intern_text(f->names, e->comm),
		.top = e->top ? tt_intern_text(f->names, e->top - 1) : NULL,
		.instead = e->instead ? tt_intern_text(f->names, e->instead - 1) : NULL,
		.kstack = e->kstack,
		.ustack = e->ustack,
		.trim = (enum tt_trim)e->trim,
	};
}

uint64_t tt_fold_nr_merged(const struct tt_fold *f)
{
	return f->nr_merged;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The order in which everything is told: that of modules and offsets in them, whenever their stacks came.
 *
 * Files of one path that turn out to be one file (some processes had it mapped before the recording, some since) are one module. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "collector/symbol/symbols_private.h"

enum { SAME_PATH_MAX = 64 /* files of one path that are compared with each other */ };

/* What comparing needs. */
struct sorting {
	const struct tt_address *addresses;
	const uint32_t *ranks;
};

static int compare_addresses(const void *a, const void *b, void *ctx)
{
	const struct sorting *sorting = ctx;
	const struct tt_address *x = &sorting->addresses[*(const uint32_t *)a],
				*y = &sorting->addresses[*(const uint32_t *)b];
	enum tt_address_class class_x = tt_address_class(x), class_y = tt_address_class(y);

	if (class_x != class_y)
		return class_x < class_y ? -1 : 1;
	if (class_x == TT_CLASS_FILE && sorting->ranks[x->dso] != sorting->ranks[y->dso])
		return sorting->ranks[x->dso] < sorting->ranks[y->dso] ? -1 : 1;
	return tt_lookup_compare(x, y);
}

static int compare_u64(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

/* By path; then by what tells files apart, in an order that does not depend on when they came. */
static int compare_dsos(const void *a, const void *b, void *ctx)
{
	const struct tt_dso *entries = ctx;
	const struct tt_dso *x = &entries[*(const uint32_t *)a], *y = &entries[*(const uint32_t *)b];
	int diff = x->kind != y->kind ? (x->kind < y->kind ? -1 : 1) : strcmp(x->path, y->path);

	if (!diff)
		diff = compare_u64(x->pid, y->pid);
	if (!diff)
		diff = compare_u64(x->space, y->space);
	if (!diff)
		diff = compare_u64(x->file_id.ino, y->file_id.ino);
	if (!diff)
		diff = compare_u64(x->ino, y->ino);
	return diff ? diff : compare_u64(x->generation, y->generation);
}

static bool is_same_file(const struct tt_dso *a, const struct tt_dso *b)
{
	if (a->kind != TT_DSO_FILE || b->kind != TT_DSO_FILE || a->mount_ns != b->mount_ns ||
	    strcmp(a->path, b->path) != 0)
		return false;
	return a->was_seen && b->was_seen && a->file_id.dev == b->file_id.dev &&
	       a->file_id.ino == b->file_id.ino && a->file_id.size == b->file_id.size &&
	       a->file_id.mtime_ns == b->file_id.mtime_ns;
}

static int compare_ranks(const void *a, const void *b, void *ctx)
{
	const uint32_t *ranks = ctx;
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	if (ranks[x] != ranks[y])
		return ranks[x] < ranks[y] ? -1 : 1;
	return x < y ? -1 : x > y;
}

/* Used ones by path; then each gets a rank, the same for those that are one file; then by rank. */
static int sort_dsos(struct tt_symbols_order *o, const struct tt_symbols *s)
{
	struct tt_dso *dsos = s->dsos.entries;
	uint32_t i;

	o->ranks = calloc(s->dsos.nr + 1, sizeof(*o->ranks));
	o->dsos = malloc((s->dsos.nr + 1) * sizeof(*o->dsos));
	if (!o->ranks || !o->dsos)
		return -ENOMEM;
	for (i = 0; i < s->addresses.nr; i++)
		if (tt_address_class(&s->addresses.entries[i]) == TT_CLASS_FILE)
			o->ranks[s->addresses.entries[i].dso] = 1;
	for (i = 0; i < s->dsos.nr; i++)
		if (o->ranks[i])
			o->dsos[o->nr_dsos++] = i;
	if (o->nr_dsos)
		qsort_r(o->dsos, o->nr_dsos, sizeof(*o->dsos), compare_dsos, dsos);
	for (i = 0; i < o->nr_dsos; i++) {
		uint32_t rank = i;

		for (uint32_t back = 1; back <= i && back <= SAME_PATH_MAX; back++)
			if (is_same_file(&dsos[o->dsos[i]], &dsos[o->dsos[i - back]]))
				rank = o->ranks[o->dsos[i - back]];
		o->ranks[o->dsos[i]] = rank;
	}
	if (o->nr_dsos)
		qsort_r(o->dsos, o->nr_dsos, sizeof(*o->dsos), compare_ranks, o->ranks);
	return 0;
}

static int sort_addresses(struct tt_symbols_order *o, const struct tt_symbols *s)
{
	struct sorting sorting = { s->addresses.entries, o->ranks };
	uint32_t nr = s->addresses.nr;

	o->numbers = malloc((nr + 1) * sizeof(*o->numbers));
	if (!o->numbers)
		return -ENOMEM;
	for (uint32_t i = 0; i < nr; i++)
		o->numbers[i] = i;
	if (nr)
		qsort_r(o->numbers, nr, sizeof(*o->numbers), compare_addresses, &sorting);
	return 0;
}

int tt_symbols_order_make(struct tt_symbols_order *o, const struct tt_symbols *s)
{
	int err = sort_dsos(o, s);

	return err ? err : sort_addresses(o, s);
}

void tt_symbols_order_free(struct tt_symbols_order *o)
{
	free(o->numbers);
	free(o->ranks);
	free(o->dsos);
	*o = (struct tt_symbols_order){ .nr_dsos = 0 };
}

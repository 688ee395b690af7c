/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/export/depth.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

struct edge {
	uint64_t ts_ns;
	uint32_t key;
	bool begins;
};

struct tt_depth {
	tt_depth_fn fn;
	void *ctx;
	struct edge *heap; /* the earliest is first, children of i are at 2i + 1 and 2i + 2 */
	uint32_t nr;
	uint64_t *depths; /* by key */
	uint64_t given_ts_ns, nr_late;
};

int tt_depth_open(uint32_t nr_keys, tt_depth_fn fn, void *ctx, struct tt_depth **ret_d)
{
	struct tt_depth *d = calloc(1, sizeof(*d));

	if (!d)
		return -ENOMEM;
	d->fn = fn;
	d->ctx = ctx;
	d->heap = calloc(TT_DEPTH_EDGES_MAX, sizeof(*d->heap));
	d->depths = calloc(nr_keys, sizeof(*d->depths));
	if (!d->heap || !d->depths) {
		tt_depth_close(d);
		return -ENOMEM;
	}
	*ret_d = d;
	return 0;
}

void tt_depth_close(struct tt_depth *d)
{
	if (!d)
		return;
	free(d->heap);
	free(d->depths);
	free(d);
}

/* At the same time ends come first: one request after the other is never two. */
static bool is_before(const struct edge *a, const struct edge *b)
{
	return a->ts_ns != b->ts_ns ? a->ts_ns < b->ts_ns : a->begins < b->begins;
}

static void push(struct tt_depth *d, struct edge edge)
{
	uint32_t i = d->nr++;

	while (i && is_before(&edge, &d->heap[(i - 1) / 2])) {
		d->heap[i] = d->heap[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	d->heap[i] = edge;
}

static struct edge pop(struct tt_depth *d)
{
	struct edge first = d->heap[0], last = d->heap[--d->nr];
	uint32_t i = 0, child;

	while ((child = 2 * i + 1) < d->nr) {
		if (child + 1 < d->nr && is_before(&d->heap[child + 1], &d->heap[child]))
			child++;
		if (!is_before(&d->heap[child], &last))
			break;
		d->heap[i] = d->heap[child];
		i = child;
	}
	d->heap[i] = last;
	return first;
}

static void give_first(struct tt_depth *d)
{
	struct edge edge = pop(d);

	if (edge.begins)
		d->depths[edge.key]++;
	else
		d->depths[edge.key]--;
	d->given_ts_ns = edge.ts_ns;
	d->fn(d->ctx, edge.key, edge.ts_ns, d->depths[edge.key]);
}

void tt_depth_add(struct tt_depth *d, uint32_t key, uint64_t begin_ts_ns, uint64_t end_ts_ns)
{
	while (d->nr > TT_DEPTH_EDGES_MAX - 2)
		give_first(d);
	if (begin_ts_ns < d->given_ts_ns) {
		d->nr_late++;
		begin_ts_ns = d->given_ts_ns;
	}
	if (end_ts_ns <= begin_ts_ns) /* of no time, or all of it is late: nobody could see it */
		return;
	push(d, (struct edge){ begin_ts_ns, key, true });
	push(d, (struct edge){ end_ts_ns, key, false });
}

void tt_depth_finish(struct tt_depth *d)
{
	while (d->nr)
		give_first(d);
}

uint64_t tt_depth_nr_late(const struct tt_depth *d)
{
	return d->nr_late;
}

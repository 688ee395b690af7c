/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/export/html/worst.h"

#include <stdlib.h>

static void put_at(struct tt_worst *w, unsigned i, const struct tt_worst_one *one)
{
	/* towards the root while it is shorter than its parent */
	for (; i && one->ns < w->heap[(i - 1) / 2].ns; i = (i - 1) / 2)
		w->heap[i] = w->heap[(i - 1) / 2];
	w->heap[i] = *one;
}

static void replace_shortest(struct tt_worst *w, const struct tt_worst_one *one)
{
	unsigned i = 0, child;

	while ((child = 2 * i + 1) < w->nr) {
		if (child + 1 < w->nr && w->heap[child + 1].ns < w->heap[child].ns)
			child++;
		if (w->heap[child].ns >= one->ns)
			break;
		w->heap[i] = w->heap[child];
		i = child;
	}
	w->heap[i] = *one;
}

void tt_worst_add(struct tt_worst *w, const struct tt_worst_one *one)
{
	if (w->nr < TT_WORST_MAX)
		put_at(w, w->nr++, one);
	else if (one->ns > w->heap[0].ns)
		replace_shortest(w, one);
}

static int longest_first(const void *a, const void *b)
{
	const struct tt_worst_one *x = a, *y = b;

	if (x->ns != y->ns)
		return x->ns > y->ns ? -1 : 1;
	return x->ts_ns < y->ts_ns ? -1 : x->ts_ns > y->ts_ns;
}

void tt_worst_sort(struct tt_worst *w)
{
	qsort(w->heap, w->nr, sizeof(w->heap[0]), longest_first);
}

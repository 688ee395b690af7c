/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/export/repeat.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "collector/aggregate/index.h"

enum { NR_KEPT_MAX = 16384, TOP_MAX = 168 };

/* The last hit of a task and stack, with the names that it borrowed. */
struct kept {
	struct tt_hit hit;
	uint64_t left_ns;
	char comm[TT_COMM_LEN + 1], waker_comm[TT_COMM_LEN + 1], top[TOP_MAX];
};

struct tt_repeat {
	uint64_t unit_ns, shared_left_ns, nr;
	tt_repeat_fn fn;
	void *ctx;
	struct tt_index by_key;
	struct kept *kept;
	uint32_t nr_kept;
};

int tt_repeat_open(uint64_t unit_ns, tt_repeat_fn fn, void *ctx, struct tt_repeat **ret_r)
{
	struct tt_repeat *r = calloc(1, sizeof(*r));

	if (!r)
		return -ENOMEM;
	*r = (struct tt_repeat){ .unit_ns = unit_ns, .fn = fn, .ctx = ctx };
	r->kept = calloc(NR_KEPT_MAX, sizeof(*r->kept));
	if (!r->kept || tt_index_open(&r->by_key, NR_KEPT_MAX)) {
		tt_repeat_close(r);
		return -ENOMEM;
	}
	*ret_r = r;
	return 0;
}

void tt_repeat_close(struct tt_repeat *r)
{
	if (!r)
		return;
	tt_index_close(&r->by_key);
	free(r->kept);
	free(r);
}

/* Two stacks of the same key would share a remainder: no more than that. */
static uint64_t key_of(const struct tt_hit *hit)
{
	uint64_t key[5] = { hit->tid, hit->serial, hit->kstack, hit->ustack, hit->trim };
	const char *top = hit->top ? hit->top : "", *instead = hit->instead ? hit->instead : "";

	return XXH64(key, sizeof(key), XXH64(top, strlen(top), XXH64(instead, strlen(instead), 0)));
}

static void keep_hit(struct kept *k, const struct tt_hit *hit)
{
	k->hit = *hit;
	strncpy(k->comm, hit->comm, TT_COMM_LEN);
	k->hit.comm = k->comm;
	if (hit->top) {
		strncpy(k->top, hit->top, TOP_MAX - 1);
		k->hit.top = k->top;
	}
	if (hit->has_waker) {
		strncpy(k->waker_comm, hit->waker_comm, TT_COMM_LEN);
		k->hit.waker_comm = k->waker_comm;
	}
}

/* Where the remainder of this hit's task and stack is. */
static uint64_t *left_of(struct tt_repeat *r, const struct tt_hit *hit)
{
	uint64_t key = key_of(hit);
	uint32_t slot = tt_index_find(&r->by_key, key);

	if (slot == TT_INDEX_NONE) {
		if (r->nr_kept == NR_KEPT_MAX)
			return &r->shared_left_ns;
		slot = r->nr_kept++;
		tt_index_put(&r->by_key, key, slot);
	}
	keep_hit(&r->kept[slot], hit);
	return &r->kept[slot].left_ns;
}

static int give(struct tt_repeat *r, const struct tt_hit *hit, uint64_t nr)
{
	r->nr += nr;
	return nr ? r->fn(r->ctx, hit, nr) : 0;
}

int tt_repeat_add(struct tt_repeat *r, const struct tt_hit *hit)
{
	uint64_t *left_ns = left_of(r, hit), nr = hit->weight_ns / r->unit_ns;

	*left_ns += hit->weight_ns % r->unit_ns;
	if (*left_ns >= r->unit_ns) {
		*left_ns -= r->unit_ns;
		nr++;
	}
	return give(r, hit, nr);
}

static int by_left(const void *a, const void *b)
{
	uint64_t left_a = ((const struct kept *)a)->left_ns, left_b = ((const struct kept *)b)->left_ns;

	return left_a < left_b ? 1 : left_a > left_b ? -1 : 0;
}

int tt_repeat_finish(struct tt_repeat *r)
{
	uint64_t units = 0, left_ns = r->shared_left_ns;
	int err = 0;

	for (uint32_t i = 0; i < r->nr_kept; i++) {
		left_ns += r->kept[i].left_ns;
		units += left_ns / r->unit_ns;
		left_ns %= r->unit_ns;
	}
	units += left_ns >= r->unit_ns - left_ns; /* half a unit is one */
	qsort(r->kept, r->nr_kept, sizeof(*r->kept), by_left);
	for (uint32_t i = 0; i < r->nr_kept && i < units && !err; i++)
		err = give(r, &r->kept[i].hit, 1);
	return err;
}

uint64_t tt_repeat_nr(const struct tt_repeat *r)
{
	return r->nr;
}

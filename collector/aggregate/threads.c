/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/aggregate/threads.h"

#include <errno.h>
#include <stdlib.h>

int tt_threads_open(struct tt_threads *t, unsigned nr_slots)
{
	t->nodes = calloc(nr_slots, sizeof(*t->nodes));
	if (!t->nodes || tt_index_open(&t->first_by_pid, nr_slots)) {
		tt_threads_close(t);
		return -ENOMEM;
	}
	return 0;
}

void tt_threads_close(struct tt_threads *t)
{
	tt_index_close(&t->first_by_pid);
	free(t->nodes);
	*t = (struct tt_threads){ 0 };
}

static void take_out(struct tt_threads *t, uint32_t slot)
{
	struct tt_threads_node *node = &t->nodes[slot];

	if (node->before != TT_INDEX_NONE)
		t->nodes[node->before].after = node->after;
	else if (node->after != TT_INDEX_NONE)
		tt_index_put(&t->first_by_pid, node->pid, node->after);
	else
		tt_index_remove(&t->first_by_pid, node->pid);
	if (node->after != TT_INDEX_NONE)
		t->nodes[node->after].before = node->before;
	node->pid = 0;
}

void tt_threads_set(struct tt_threads *t, uint32_t slot, uint32_t pid)
{
	struct tt_threads_node *node = &t->nodes[slot];

	if (node->pid == pid)
		return;
	if (node->pid)
		take_out(t, slot);
	if (!pid)
		return;
	*node = (struct tt_threads_node){ pid, TT_INDEX_NONE, tt_threads_first(t, pid) };
	if (node->after != TT_INDEX_NONE)
		t->nodes[node->after].before = slot;
	tt_index_put(&t->first_by_pid, pid, slot);
}

uint32_t tt_threads_first(const struct tt_threads *t, uint32_t pid)
{
	return tt_index_find(&t->first_by_pid, pid);
}

uint32_t tt_threads_after(const struct tt_threads *t, uint32_t slot)
{
	return t->nodes[slot].after;
}

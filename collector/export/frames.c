/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/export/frames.h"

#include <stdio.h>
#include <string.h>
#include <xxhash.h>

/* Names stay where they are as long as the table of stacks, and each is there once. */
uint64_t tt_frame_key(const struct tt_frame_info *f)
{
	uint64_t key[3] = { (uintptr_t)f->symbol, (uintptr_t)f->module, f->is_inlined };

	return f->is_made || (!f->ip && !f->module) ? 0 : XXH64(key, sizeof(key), 0) | 1;
}

struct list {
	struct tt_frame_info *frames;
	unsigned nr;
};

static void add_made(struct list *l, const char *name)
{
	if (l->nr < TT_FRAMES_MAX)
		l->frames[l->nr++] = (struct tt_frame_info){ .symbol = name, .is_made = true };
}

/* One half of a stack. */
static void add_half(struct list *l, const struct tt_stacks *stacks, uint64_t id, enum tt_trim trim)
{
	struct tt_frame_info *first = l->frames + l->nr;
	unsigned nr;
	bool cut;

	if (id == TT_STACK_NONE)
		return;
	if (!tt_stacks_has(stacks, id)) {
		add_made(l, id == TT_STACK_MISSED ? "[stack_missed]" : "[stack_lost]");
		return;
	}
	nr = tt_stacks_frames(stacks, id, first, TT_FRAMES_MAX - l->nr, &cut);
	/* there is no interrupt among a program's own functions, whatever they are called */
	l->nr += tt_trim_frames(first, nr, trim);
	if (cut && l->nr == TT_FRAMES_MAX)
		l->nr--;
	if (cut)
		add_made(l, "[stack_cut]");
}

static void reverse(struct tt_frame_info *frames, unsigned nr)
{
	for (unsigned i = 0; i < nr / 2; i++) {
		struct tt_frame_info frame = frames[i];

		frames[i] = frames[nr - 1 - i];
		frames[nr - 1 - i] = frame;
	}
}

/* Upside down: its leaf, which did the waking, lies next to who was woken. */
static void add_waker(struct list *l, const struct tt_hit *hit, const struct tt_stacks *stacks,
		      char *waker_name)
{
	unsigned first;

	if (!hit->has_waker)
		return;
	if (hit->waker_is_interrupt)
		snprintf(waker_name, TT_COMM_LEN + 1, "[interrupt]");
	else if (hit->waker_comm[0])
		snprintf(waker_name, TT_COMM_LEN + 1, "%s", hit->waker_comm);
	else
		snprintf(waker_name, TT_COMM_LEN + 1, ":%u", hit->waker_tid);
	first = l->nr;
	add_half(l, stacks, hit->waker_kstack, hit->waker_is_interrupt ? TT_TRIM_INTERRUPTED : TT_TRIM_OWN);
	add_half(l, stacks, hit->waker_ustack, TT_TRIM_OWN);
	if (l->nr == first)
		add_made(l, "[no_stack]");
	if (l->nr < TT_FRAMES_MAX) /* not is_made: it is any bytes */
		l->frames[l->nr++] = (struct tt_frame_info){ .symbol = waker_name };
	reverse(l->frames + first, l->nr - first);
	add_made(l, "--");
}

unsigned tt_frames_of_hit(const struct tt_hit *hit, const struct tt_stacks *stacks, char *waker_name,
			  struct tt_frame_info frames[TT_FRAMES_MAX])
{
	struct list l = { frames, 0 };
	unsigned first;

	if (waker_name)
		add_waker(&l, hit, stacks, waker_name);
	if (hit->top)
		add_made(&l, hit->top);
	first = l.nr;
	if (hit->instead) {
		add_made(&l, hit->instead);
		return l.nr;
	}
	add_half(&l, stacks, hit->kstack, hit->trim);
	if (hit->kstack != TT_STACK_MISSED || hit->ustack != TT_STACK_MISSED) /* that is said once */
		add_half(&l, stacks, hit->ustack, TT_TRIM_OWN);
	if (l.nr == first)
		add_made(&l, "[no_stack]");
	return l.nr;
}

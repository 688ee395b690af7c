/* SPDX-License-Identifier: GPL-2.0-or-later */
/* observe.bpf.h - looks at the steal clock between two switches: what several probes do on their way. */
#pragma once

#include "bpf/stack.bpf.h"

/* Looks at the steal clock between two switches. The caller owns the buffer. ctx: the program's own, NULL = the task that runs is not the victim.
 * Returns the stacks that were taken for it, if any. */
static __always_inline struct tt_stack_ids tt_observe(void *ctx, struct tt_cpu *c, u64 now_ns, enum tt_steal_seen seen)
{
	const u32 words = sizeof(struct tt_mark) / 8, ext = tt_stacks && ctx ? 2 : 0;
	u16 flags = TT_SW_MARK | seen << TT_SW_SEEN_SHIFT;
	struct tt_stack_ids ids = {};
	struct tt_mark *mark;
	u64 steal_ns;
	u32 pos;

	/* since the caller read the time, a tick may have come in between and left its mark */
	if (now_ns < c->last_ts_ns)
		now_ns = c->last_ts_ns;
	steal_ns = tt_steal_since(c, tt_read_steal(c), now_ns, &flags);
	if (!steal_ns && seen != TT_SEEN_SYNC && !(flags & TT_SW_STEAL_JUMP))
		return ids;
	if (ext)
		ids = tt_take_stacks(ctx, seen == TT_SEEN_TICK ? TT_COPY_SAMPLE : TT_COPY_NONE);
	pos = tt_stage(c, now_ns, words + ext);
	c->steal_clock_ns += steal_ns;
	if (pos > TT_BODY_WORDS - words - ext)
		return ids;
	mark = (void *)&c->body[pos];
	mark->dts_ns = now_ns - c->last_ts_ns;
	mark->steal_ns = tt_dur32_pack(steal_ns);
	mark->flags = flags;
	mark->ext = ext;
	mark->pad = 0;
	mark->tid = c->cur_tid;
	if (ext)
		tt_put_stacks((u64 *)(mark + 1), &ids);
	c->pos = pos + words + ext;
	c->head.nr_records++;
	c->last_ts_ns = now_ns;
	return ids;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/export/perf_text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "collector/export/name.h"
#include "collector/export/stack_text.h"

enum { PERIOD_WIDTH = 10, HEAD_BYTES_MAX = TT_NAME_TASK_MAX + 160 };

struct tt_perf_text {
	struct tt_out *out;
	struct tt_stack_text *stack_text;
	enum tt_cause cause;
	uint64_t last_ts_ns;
};

int tt_perf_text_open(struct tt_out *out, const struct tt_stacks *stacks, enum tt_cause cause,
		      bool with_wakers, struct tt_perf_text **ret_pt)
{
	struct tt_perf_text *pt = calloc(1, sizeof(*pt));

	if (!pt || tt_stack_text_open(stacks, with_wakers, &pt->stack_text)) {
		free(pt);
		return -ENOMEM;
	}
	pt->out = out;
	pt->cause = cause;
	*ret_pt = pt;
	return 0;
}

void tt_perf_text_close(struct tt_perf_text *pt)
{
	if (pt)
		tt_stack_text_close(pt->stack_text);
	free(pt);
}

static char *put_text(char *to, const char *text)
{
	return stpcpy(to, text);
}

/* The idle task is idle where its time was taken: flamescope throws away what is called swapper and idles. On the CPU that is right,
 * and perf's name for it. */
static char *put_task(const struct tt_perf_text *pt, char *to, const struct tt_hit *hit)
{
	uint32_t tid = hit->tid == TT_TID_UNKNOWN ? 0 : hit->tid;

	if (!hit->tid)
		to = put_text(to, pt->cause == TT_CAUSE_CPU ? "swapper" : "idle");
	else
		to += strlen(tt_name_task(to, TT_NAME_TASK_MAX, hit->comm, hit->tid, TT_NAME_TEXT));
	*to++ = ' ';
	to = tt_put_u64(to, hit->pid, 0);
	*to++ = '/';
	to = tt_put_u64(to, tid, 0);
	*to++ = ' ';
	return to;
}

static char *put_cpu(char *to, unsigned cpu)
{
	if (cpu == TT_CPU_NONE)
		return to;
	*to++ = '[';
	if (cpu < 100)
		*to++ = '0';
	if (cpu < 10)
		*to++ = '0';
	to = tt_put_u64(to, cpu, 0);
	return put_text(to, "] ");
}

static size_t make_head(struct tt_perf_text *pt, char *head, const struct tt_hit *hit, uint64_t weight_ns)
{
	char *to = put_task(pt, head, hit);

	if (hit->ts_ns > pt->last_ts_ns)
		pt->last_ts_ns = hit->ts_ns;
	to = put_cpu(to, hit->cpu);
	to = tt_put_seconds(to, pt->last_ts_ns);
	to = put_text(to, ": ");
	to = tt_put_u64(to, weight_ns, PERIOD_WIDTH);
	to = put_text(to, " timethief-");
	to = put_text(to, tt_cause_name(pt->cause));
	to = put_text(to, ": \n");
	return (size_t)(to - head);
}

int tt_perf_text_put(struct tt_perf_text *pt, const struct tt_hit *hit, uint64_t weight_ns, uint64_t nr)
{
	char head[HEAD_BYTES_MAX];
	size_t nr_head, nr_frames;
	const char *frames;

	if (!nr)
		return 0;
	nr_head = make_head(pt, head, hit, weight_ns);
	frames = tt_stack_text_get(pt->stack_text, hit, &nr_frames);
	if (!frames)
		return -ENOMEM;
	while (nr-- && !tt_out_error(pt->out)) {
		tt_out_bytes(pt->out, head, nr_head);
		tt_out_bytes(pt->out, frames, nr_frames);
		tt_out_char(pt->out, '\n');
	}
	return 0;
}

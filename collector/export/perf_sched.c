/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/export/perf_sched.h"

#include <errno.h>
#include <stdlib.h>

#include "collector/aggregate/view.h"
#include "collector/base/escape.h"
#include "collector/event/decode.h"
#include "collector/export/stack_text.h"

enum {
	LINE_BYTES_MAX = 512,
	COMM_WIDTH = 16,
	TID_WIDTH = 5,
	SECONDS_WIDTH = 12,
	SHOWN_COMM_MAX = 4 * TT_COMM_LEN + 1,
	PRIO_NORMAL = 120,
	PRIO_DEADLINE = 255, /* as the wire has the kernel's -1 */
};

struct running {
	uint32_t tid;
	uint8_t prio;
	bool known;
};

struct tt_perf_sched {
	struct tt_out *out;
	const struct tt_world *world;
	const struct tt_view *view;
	struct tt_stack_text *stack_text; /* NULL = without */
	struct running *cpus;		  /* TT_DECODE_CPUS_MAX */
	uint64_t nr, last_ts_ns;
};

int tt_perf_sched_open(struct tt_out *out, const struct tt_world *world, const struct tt_view *view,
		       const struct tt_stacks *stacks, struct tt_perf_sched **ret_ps)
{
	struct tt_perf_sched *ps = calloc(1, sizeof(*ps));

	if (!ps)
		return -ENOMEM;
	*ps = (struct tt_perf_sched){ .out = out, .world = world, .view = view };
	ps->cpus = calloc(TT_DECODE_CPUS_MAX, sizeof(*ps->cpus));
	if (!ps->cpus || (stacks && tt_stack_text_open(stacks, false, &ps->stack_text))) {
		tt_perf_sched_close(ps);
		return -ENOMEM;
	}
	*ret_ps = ps;
	return 0;
}

void tt_perf_sched_close(struct tt_perf_sched *ps)
{
	if (!ps)
		return;
	tt_stack_text_close(ps->stack_text);
	free(ps->cpus);
	free(ps);
}

/* A task as the line shows it. */
struct shown {
	char comm[SHOWN_COMM_MAX];
	unsigned len;
};

/* Names are nearly always plain ASCII: no need to look closer. */
static unsigned copy_comm(char *dst, const char *comm)
{
	unsigned len = 0;

	for (; comm[len]; len++) {
		if (comm[len] < ' ' || comm[len] > '~') {
			tt_escape(dst, SHOWN_COMM_MAX, comm, TT_COMM_LEN);
			return (unsigned)strlen(dst);
		}
		dst[len] = comm[len];
	}
	return len;
}

static void show_task(const struct tt_perf_sched *ps, struct shown *s, uint32_t tid, unsigned cpu)
{
	const struct tt_world_task *task;

	if (!tid) {
		memcpy(s->comm, "swapper/", 8);
		s->len = (unsigned)(tt_put_u64(s->comm + 8, cpu, 0) - s->comm);
		return;
	}
	task = tt_world_task(ps->world, tid);
	if (task && task->comm[0]) {
		s->len = copy_comm(s->comm, task->comm);
		return;
	}
	s->comm[0] = ':';
	s->len = (unsigned)(tt_put_u64(s->comm + 1, tid, 0) - s->comm);
}

static char *put(char *to, const char *bytes, size_t len)
{
	memcpy(to, bytes, len);
	return to + len;
}
#define PUT(to, literal) put(to, literal, sizeof(literal) - 1)

static char *put_head(const struct tt_perf_sched *ps, char *to, const struct tt_ev_switch *sw,
		      const struct shown *prev)
{
	unsigned len = sw->prev_tid ? prev->len : 7, cpu = sw->ev.cpu;
	char seconds[32], *end = tt_put_seconds(seconds, ps->last_ts_ns);

	for (unsigned pad = len; !ps->stack_text && pad < COMM_WIDTH; pad++)
		*to++ = ' ';
	to = put(to, prev->comm, len); /* the head says swapper, without the CPU */
	*to++ = ' ';
	to = tt_put_u64(to, sw->prev_tid, TID_WIDTH);
	to = PUT(to, " [");
	if (cpu < 100)
		*to++ = '0';
	if (cpu < 10)
		*to++ = '0';
	to = tt_put_u64(to, cpu, 0);
	to = PUT(to, "] ");
	for (size_t pad = (size_t)(end - seconds); pad < SECONDS_WIDTH; pad++)
		*to++ = ' ';
	return put(to, seconds, (size_t)(end - seconds));
}

static char *put_prio(char *to, unsigned prio)
{
	return prio == PRIO_DEADLINE ? PUT(to, "-1") : tt_put_u64(to, prio, 0);
}

static char *put_state(char *to, const struct tt_ev_switch *sw)
{
	static const char letters[TT_SW_STATE_MASK + 1] = "RSDTtXPIDZDDDDDD";
	unsigned state = sw->ev.flags & TT_SW_STATE_MASK;

	if (sw->ev.flags & TT_SW_PUSHED)
		return PUT(to, "R+");
	*to++ = sw->prev_tid ? letters[state] : 'R'; /* idle is never asleep for the kernel */
	return to;
}

static void put_line(struct tt_perf_sched *ps, const struct tt_ev_switch *sw, unsigned prev_prio)
{
	char *to = tt_out_room(ps->out, LINE_BYTES_MAX);
	struct shown prev, next;

	show_task(ps, &prev, sw->prev_tid, sw->ev.cpu);
	show_task(ps, &next, sw->next_tid, sw->ev.cpu);
	to = put_head(ps, to, sw, &prev);
	to = PUT(to, ": sched:sched_switch: prev_comm=");
	to = put(to, prev.comm, prev.len);
	to = PUT(to, " prev_pid=");
	to = tt_put_u64(to, sw->prev_tid, 0);
	to = PUT(to, " prev_prio=");
	to = put_prio(to, prev_prio);
	to = PUT(to, " prev_state=");
	to = put_state(to, sw);
	to = PUT(to, " ==> next_comm=");
	to = put(to, next.comm, next.len);
	to = PUT(to, " next_pid=");
	to = tt_put_u64(to, sw->next_tid, 0);
	to = PUT(to, " next_prio=");
	to = put_prio(to, sw->next_prio);
	*to++ = '\n';
	ps->out->at = to;
	ps->nr++;
}

static int put_stack(struct tt_perf_sched *ps, const struct tt_ev_switch *sw)
{
	struct tt_hit hit = { .tid = sw->prev_tid, .trim = TT_TRIM_OWN };
	const char *text;
	size_t len;

	if (sw->has_stacks) {
		hit.kstack = sw->prev_kstack;
		hit.ustack = sw->prev_ustack;
	}
	text = tt_stack_text_get(ps->stack_text, &hit, &len);
	if (!text)
		return -ENOMEM;
	tt_out_bytes(ps->out, text, len);
	tt_out_char(ps->out, '\n');
	return 0;
}

static bool is_shown(const struct tt_perf_sched *ps, const struct tt_ev_switch *sw)
{
	if (!tt_view_has_cpu(ps->view, sw->ev.cpu))
		return false;
	return !tt_view_has_task_filter(ps->view) || tt_view_has_task(ps->view, ps->world, sw->prev_tid) ||
	       tt_view_has_task(ps->view, ps->world, sw->next_tid);
}

int tt_perf_sched_event(struct tt_perf_sched *ps, const struct tt_event *ev)
{
	const struct tt_ev_switch *sw = (const struct tt_ev_switch *)ev;
	struct running *cpu;
	unsigned prev_prio;

	if (ev->kind != TT_EV_SWITCH || ev->cpu >= TT_DECODE_CPUS_MAX)
		return 0;
	cpu = &ps->cpus[ev->cpu];
	prev_prio = cpu->known && cpu->tid == sw->prev_tid ? cpu->prio : PRIO_NORMAL;
	*cpu = (struct running){ sw->next_tid, sw->next_prio, true };
	if (!is_shown(ps, sw))
		return 0;
	if (ev->ts_ns > ps->last_ts_ns)
		ps->last_ts_ns = ev->ts_ns;
	put_line(ps, sw, prev_prio);
	return ps->stack_text ? put_stack(ps, sw) : 0;
}

uint64_t tt_perf_sched_nr(const struct tt_perf_sched *ps)
{
	return ps->nr;
}

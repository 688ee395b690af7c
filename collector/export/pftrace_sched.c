/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/export/pftrace_sched.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "collector/base/escape.h"
#include "collector/event/decode.h"

enum {
	COMMS_MAX = 64, /* of a bundle */
	SAFE_COMM_MAX = 4 * TT_COMM_LEN + 1,
	PRIO_NORMAL = 120,
	PRIO_DEADLINE = 255, /* as the wire has the kernel's -1 */
	IN_INTERRUPT = 8, /* TRACE_FLAG_HARDIRQ: Perfetto asks for no more than whether it was an interrupt */
	IS_THREAD = 0x10000, /* CLONE_THREAD */
	START_OF_TRACE = 1,
	END_OF_TRACE = 2,
	/* states as sched_switch tells them, __trace_sched_switch_state of include/trace/events/sched.h since 4.14 */
	RAW_RUNNING = 0,
	RAW_PREEMPTED = 0x100,
	RAW_NONE = 0x4000, /* none of the kernel's */
};

struct comm {
	char raw[TT_COMM_LEN + 1], safe[SAFE_COMM_MAX];
};

/* What is held back of a CPU: columns of compact switches. */
struct cpu {
	bool is_told, is_in_gap, has_lost;
	uint64_t last_ts_ns, gap_end_ts_ns, nr_shed;
	unsigned nr, nr_comms;
	uint64_t dts_ns[TT_PFTRACE_SWITCHES_MAX];
	int64_t prev_state[TT_PFTRACE_SWITCHES_MAX];
	int32_t next_tid[TT_PFTRACE_SWITCHES_MAX], next_prio[TT_PFTRACE_SWITCHES_MAX];
	uint32_t next_comm[TT_PFTRACE_SWITCHES_MAX];
	struct comm comms[COMMS_MAX];
};

struct tt_pftrace_sched {
	struct tt_pftrace *t;
	const struct tt_world *world;
	struct cpu *cpus[TT_DECODE_CPUS_MAX];
};

int tt_pftrace_sched_open(struct tt_pftrace *t, const struct tt_world *world,
			  struct tt_pftrace_sched **ret_ps)
{
	struct tt_pftrace_sched *ps = calloc(1, sizeof(*ps));

	if (!ps)
		return -ENOMEM;
	ps->t = t;
	ps->world = world;
	*ret_ps = ps;
	return 0;
}

void tt_pftrace_sched_close(struct tt_pftrace_sched *ps)
{
	if (!ps)
		return;
	for (unsigned cpu = 0; cpu < TT_DECODE_CPUS_MAX; cpu++)
		free(ps->cpus[cpu]);
	free(ps);
}

static struct cpu *get_cpu(struct tt_pftrace_sched *ps, unsigned cpu)
{
	if (!ps->cpus[cpu])
		ps->cpus[cpu] = calloc(1, sizeof(**ps->cpus));
	return ps->cpus[cpu];
}

/* --- writing --- */

static void put_bundle(struct tt_pftrace_sched *ps, unsigned cpu, Pftrace__FtraceEventBundle *bundle)
{
	Pftrace__TracePacket packet = PFTRACE__TRACE_PACKET__INIT;

	bundle->has_cpu = true;
	bundle->cpu = cpu;
	packet.ftrace_events = bundle;
	tt_pftrace_put(ps->t, &packet);
}

static void flush(struct tt_pftrace_sched *ps, unsigned cpu)
{
	Pftrace__FtraceEventBundle__CompactSched compact = PFTRACE__FTRACE_EVENT_BUNDLE__COMPACT_SCHED__INIT;
	Pftrace__FtraceEventBundle bundle = PFTRACE__FTRACE_EVENT_BUNDLE__INIT;
	struct cpu *c = ps->cpus[cpu];
	char *comms[COMMS_MAX];

	if (!c->nr)
		return;
	for (unsigned i = 0; i < c->nr_comms; i++)
		comms[i] = c->comms[i].safe;
	compact.n_switch_timestamp = compact.n_switch_prev_state = compact.n_switch_next_pid = c->nr;
	compact.n_switch_next_prio = compact.n_switch_next_comm_index = c->nr;
	compact.switch_timestamp = c->dts_ns;
	compact.switch_prev_state = c->prev_state;
	compact.switch_next_pid = c->next_tid;
	compact.switch_next_prio = c->next_prio;
	compact.switch_next_comm_index = c->next_comm;
	compact.n_intern_table = c->nr_comms;
	compact.intern_table = comms;
	bundle.compact_sched = &compact;
	bundle.has_lost_events = bundle.lost_events = c->has_lost;
	put_bundle(ps, cpu, &bundle);
	c->nr = c->nr_comms = 0;
	c->has_lost = false;
}

/* --- who comes, who leaves --- */

struct sched_task {
	uint32_t tid;
	uint8_t prio;
	const char *comm; /* raw */
};

static struct sched_task gap_of(unsigned cpu)
{
	return (struct sched_task){ TT_PFTRACE_GAP_TID | cpu, PRIO_NORMAL, TT_PFTRACE_GAP_COMM };
}

static struct sched_task task_of(const struct tt_pftrace_sched *ps, uint32_t tid, uint8_t prio)
{
	const struct tt_world_task *task = tid ? tt_world_task(ps->world, tid) : NULL;

	return (struct sched_task){ tid, prio, tid ? task ? task->comm : "" : "swapper" };
}

static int32_t prio_of(const struct sched_task *task)
{
	return task->prio == PRIO_DEADLINE ? -1 : task->prio;
}

static uint32_t comm_index(struct tt_pftrace_sched *ps, unsigned cpu, const char *raw)
{
	struct cpu *c = ps->cpus[cpu];
	struct comm *comm;

	for (unsigned i = 0; i < c->nr_comms; i++) {
		if (!strcmp(c->comms[i].raw, raw))
			return i;
	}
	if (c->nr_comms == COMMS_MAX)
		flush(ps, cpu);
	comm = &c->comms[c->nr_comms];
	memcpy(comm->raw, raw, strlen(raw) + 1);
	tt_escape(comm->safe, sizeof(comm->safe), raw, TT_COMM_LEN);
	return c->nr_comms++;
}

static void put_event(struct tt_pftrace_sched *ps, unsigned cpu, uint64_t ts_ns, uint32_t tid,
		      Pftrace__FtraceEvent *event)
{
	Pftrace__FtraceEventBundle bundle = PFTRACE__FTRACE_EVENT_BUNDLE__INIT;

	event->has_timestamp = event->has_pid = true;
	event->timestamp = ts_ns;
	event->pid = tid;
	bundle.n_event = 1;
	bundle.event = &event;
	put_bundle(ps, cpu, &bundle);
}

/* The first of a CPU tells also who leaves: compact ones take that from the one before, and Perfetto makes no slice of the first. */
static void put_first(struct tt_pftrace_sched *ps, unsigned cpu, uint64_t ts_ns,
		      const struct sched_task *prev, int64_t prev_state, const struct sched_task *next)
{
	Pftrace__FtraceEvent event = PFTRACE__FTRACE_EVENT__INIT;
	Pftrace__SchedSwitch sw = PFTRACE__SCHED_SWITCH__INIT;
	char prev_comm[SAFE_COMM_MAX], next_comm[SAFE_COMM_MAX];

	event.sched_switch = &sw;
	sw.prev_comm = tt_escape(prev_comm, sizeof(prev_comm), prev->comm, TT_COMM_LEN);
	sw.next_comm = tt_escape(next_comm, sizeof(next_comm), next->comm, TT_COMM_LEN);
	sw.has_prev_pid = sw.has_prev_prio = sw.has_prev_state = sw.has_next_pid = sw.has_next_prio = true;
	sw.prev_pid = (int32_t)prev->tid;
	sw.prev_prio = prio_of(prev);
	sw.prev_state = prev_state;
	sw.next_pid = (int32_t)next->tid;
	sw.next_prio = prio_of(next);
	put_event(ps, cpu, ts_ns, prev->tid, &event);
}

static void add(struct tt_pftrace_sched *ps, unsigned cpu, uint64_t ts_ns, const struct sched_task *prev,
		int64_t prev_state, const struct sched_task *next)
{
	struct cpu *c = ps->cpus[cpu];
	uint32_t comm;

	if (ts_ns < c->last_ts_ns) /* a damaged file's: time never goes back on a CPU */
		ts_ns = c->last_ts_ns;
	if (!c->is_told) {
		put_first(ps, cpu, ts_ns, prev, prev_state, next);
	} else {
		comm = comm_index(ps, cpu, next->comm); /* may flush */
		c->dts_ns[c->nr] = c->nr ? ts_ns - c->last_ts_ns : ts_ns;
		c->prev_state[c->nr] = prev_state;
		c->next_tid[c->nr] = (int32_t)next->tid;
		c->next_prio[c->nr] = prio_of(next);
		c->next_comm[c->nr] = comm;
		if (++c->nr == TT_PFTRACE_SWITCHES_MAX)
			flush(ps, cpu);
	}
	c->is_told = true;
	c->last_ts_ns = ts_ns;
}

static int64_t raw_state_of(const struct tt_ev_switch *sw)
{
	static const int64_t raw[TT_SW_STATE_MASK + 1] = {
		[TT_STATE_RUNNING] = RAW_RUNNING, [TT_STATE_SLEEPING] = 1,  [TT_STATE_DISK_SLEEP] = 2,
		[TT_STATE_STOPPED] = 4,		  [TT_STATE_TRACED] = 8,    [TT_STATE_DEAD] = 0x10,
		[TT_STATE_ZOMBIE] = 0x20,	  [TT_STATE_PARKED] = 0x40, [TT_STATE_IDLE] = 0x80,
	};
	unsigned state = sw->ev.flags & TT_SW_STATE_MASK;

	if (sw->ev.flags & TT_SW_PUSHED)
		return RAW_PREEMPTED;
	if (!sw->prev_tid || state == TT_STATE_RUNNING) /* idle is never asleep for the kernel */
		return RAW_RUNNING;
	return raw[state] ? raw[state] : raw[TT_STATE_DISK_SLEEP];
}

static void end_gap(struct tt_pftrace_sched *ps, unsigned cpu, uint64_t ts_ns, uint32_t tid)
{
	struct sched_task prev = gap_of(cpu), next = task_of(ps, tid, PRIO_NORMAL);

	add(ps, cpu, ts_ns, &prev, RAW_NONE, &next);
	ps->cpus[cpu]->is_in_gap = false;
}

int tt_pftrace_sched_switch(struct tt_pftrace_sched *ps, const struct tt_ev_switch *sw)
{
	unsigned cpu = sw->ev.cpu;
	struct cpu *c = get_cpu(ps, cpu);
	struct sched_task prev, next;

	if (!c)
		return -ENOMEM;
	prev = task_of(ps, sw->prev_tid, PRIO_NORMAL);
	next = task_of(ps, sw->next_tid, sw->next_prio);
	if (c->is_in_gap)
		end_gap(ps, cpu, c->gap_end_ts_ns, sw->prev_tid);
	add(ps, cpu, sw->ev.ts_ns, &prev, raw_state_of(sw), &next);
	return 0;
}

static int begin_gap(struct tt_pftrace_sched *ps, unsigned cpu, uint64_t ts_ns)
{
	struct cpu *c = get_cpu(ps, cpu);
	struct sched_task gap = gap_of(cpu);

	if (!c)
		return -ENOMEM;
	if (c->is_told && !c->is_in_gap)
		add(ps, cpu, ts_ns, &gap, RAW_NONE, &gap);
	c->is_in_gap = true;
	return 0;
}

int tt_pftrace_sched_window(struct tt_pftrace_sched *ps, const struct tt_ev_window *win)
{
	if (!win->begins)
		return begin_gap(ps, win->ev.cpu, win->ev.ts_ns);
	if (!get_cpu(ps, win->ev.cpu))
		return -ENOMEM;
	end_gap(ps, win->ev.cpu, win->ev.ts_ns, win->tid);
	return 0;
}

int tt_pftrace_sched_lost(struct tt_pftrace_sched *ps, unsigned cpu, const struct tt_loss *loss)
{
	int err = begin_gap(ps, cpu, loss->since_ts_ns);

	if (err)
		return err;
	ps->cpus[cpu]->gap_end_ts_ns = loss->rec.ts_ns;
	ps->cpus[cpu]->nr_shed += loss->count;
	ps->cpus[cpu]->has_lost = true;
	return 0;
}

/* --- what else happens to tasks --- */

void tt_pftrace_sched_waking(struct tt_pftrace_sched *ps, const struct tt_ev_switch *sw, uint64_t ts_ns)
{
	Pftrace__FtraceEvent event = PFTRACE__FTRACE_EVENT__INIT;
	Pftrace__SchedWaking waking = PFTRACE__SCHED_WAKING__INIT;
	unsigned cpu = sw->queued_cpu < TT_DECODE_CPUS_MAX ? sw->queued_cpu : sw->ev.cpu;
	struct sched_task task = task_of(ps, sw->next_tid, sw->next_prio);
	char comm[SAFE_COMM_MAX];

	waking.comm = tt_escape(comm, sizeof(comm), task.comm, TT_COMM_LEN);
	waking.has_pid = waking.has_prio = waking.has_target_cpu = true;
	waking.pid = (int32_t)task.tid;
	waking.prio = prio_of(&task);
	waking.target_cpu = (int32_t)cpu;
	event.sched_waking = &waking;
	event.has_common_flags = (sw->ev.flags & TT_SW_WOKEN_IN_IRQ) != 0;
	event.common_flags = IN_INTERRUPT;
	put_event(ps, cpu, ts_ns, sw->waker_tid, &event);
}

void tt_pftrace_sched_fork(struct tt_pftrace_sched *ps, unsigned cpu, const struct tt_task *rec)
{
	Pftrace__FtraceEvent event = PFTRACE__FTRACE_EVENT__INIT;
	Pftrace__TaskNewtask fork = PFTRACE__TASK_NEWTASK__INIT;
	bool is_thread = rec->pid && rec->pid != rec->tid;
	char comm[SAFE_COMM_MAX];

	fork.comm = tt_escape(comm, sizeof(comm), rec->comm, TT_COMM_LEN);
	fork.has_pid = fork.has_clone_flags = true;
	fork.pid = (int32_t)rec->tid;
	fork.clone_flags = is_thread ? IS_THREAD : 0;
	event.task_newtask = &fork;
	put_event(ps, cpu, rec->rec.ts_ns, is_thread ? rec->pid : rec->parent_pid, &event);
}

void tt_pftrace_sched_free(struct tt_pftrace_sched *ps, unsigned cpu, uint64_t ts_ns, uint32_t tid)
{
	Pftrace__FtraceEvent event = PFTRACE__FTRACE_EVENT__INIT;
	Pftrace__SchedProcessFree gone = PFTRACE__SCHED_PROCESS_FREE__INIT;
	struct sched_task task = task_of(ps, tid, PRIO_NORMAL);
	char comm[SAFE_COMM_MAX];

	gone.comm = tt_escape(comm, sizeof(comm), task.comm, TT_COMM_LEN);
	gone.has_pid = true;
	gone.pid = (int32_t)task.tid;
	event.sched_process_free = &gone;
	put_event(ps, cpu, ts_ns + 1, 0, &event); /* not before its last switch */
}

/* --- the end --- */

/* Perfetto takes the difference of the two. */
static void put_stats(struct tt_pftrace_sched *ps, unsigned cpu, unsigned phase, uint64_t nr_shed)
{
	Pftrace__FtraceStats__Cpu stats = PFTRACE__FTRACE_STATS__CPU__INIT, *all[] = { &stats };
	Pftrace__FtraceStats ftrace_stats = PFTRACE__FTRACE_STATS__INIT;
	Pftrace__TracePacket packet = PFTRACE__TRACE_PACKET__INIT;

	stats.has_cpu = stats.has_dropped_events = true;
	stats.cpu = cpu;
	stats.dropped_events = nr_shed;
	ftrace_stats.has_phase = true;
	ftrace_stats.phase = phase;
	ftrace_stats.n_cpu_stats = 1;
	ftrace_stats.cpu_stats = all;
	packet.ftrace_stats = &ftrace_stats;
	tt_pftrace_put(ps->t, &packet);
}

void tt_pftrace_sched_finish(struct tt_pftrace_sched *ps)
{
	for (unsigned cpu = 0; cpu < TT_DECODE_CPUS_MAX; cpu++) {
		if (!ps->cpus[cpu])
			continue;
		flush(ps, cpu);
		put_stats(ps, cpu, START_OF_TRACE, 0);
		put_stats(ps, cpu, END_OF_TRACE, ps->cpus[cpu]->nr_shed);
	}
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sched.bpf.c - every context switch: who left, who came, how long it had waited, what was stolen meanwhile.
 *
 * From: woken (sched_waking), forked, or pushed off a CPU while runnable. To: switched in.
 * Emits one struct tt_switch a switch, staged per CPU. Source: include/trace/events/sched.h.
 *
 * The wait is the growth of the task's own sched_info.run_delay, including the part still open (last_queued),
 * so it equals /proc/PID/schedstat to the nanosecond: sched_info_arrive() adds the same difference of the
 * same clock right after this tracepoint. Stamps taken at wakeup differ from it (they begin before the task
 * is queued, and restart on migration); they are used only where the kernel lacks CONFIG_SCHED_INFO.
 *
 * sched_raw.bpf.c builds this file again for kernels that have raw_tp but not tp_btf or task storage.
 */
#if defined(TT_MODERN) && !defined(TT_RAW_TP)
#define TT_CASTS
#endif
#include "bpf/stack.bpf.h"

/* Typed pointers are read by plain loads, which cost a tenth of a helper's call. */
#ifdef TT_RAW_TP
#define TP		   "raw_tp"
#define PROG(hook)	   sched_raw__##hook
#define RD(...)		   BPF_CORE_READ(__VA_ARGS__)
#define RD_RQ(task)	   BPF_CORE_READ(task, se.cfs_rq, rq)
#define RD_LEADER_START(t) BPF_CORE_READ(t, group_leader, start_time)
#define RD_BIT(task, bit)  BPF_CORE_READ_BITFIELD_PROBED(task, bit)
#define CURRENT()	   ((struct task_struct *)bpf_get_current_task())
#else
#define TP		   "tp_btf"
#define PROG(hook)	   sched__##hook
#define RD(task, field)	   ((task)->field)
#define RD_RQ(task)	   ((task)->se.cfs_rq->rq)
#define RD_LEADER_START(t) ((t)->group_leader->start_time)
#define RD_BIT(task, bit)  BPF_CORE_READ_BITFIELD(task, bit)
#define CURRENT()	   bpf_get_current_task_btf() /* 5.11, as task storage */
#endif

/* BPF_PROG pastes its first argument: expand PROG() before it does. */
#define NAMED_PROG(...) BPF_PROG(__VA_ARGS__)

enum { TASK_WAKING = 0x0200 }; /* include/linux/sched.h */

enum tt_pending { TT_PENDING_NONE = 0, TT_PENDING_WAKEUP, TT_PENDING_NEW, TT_PENDING_PREEMPTED };

/* What is remembered of a task between being queued and running. */
struct tt_queued {
	u64 run_delay_ns; /* sched_info.run_delay that earlier records have told of */
	u64 waking_ts_ns;
	u64 queued_clock_ns; /* only with tt_use_stamps: stamp() */
	u32 deliver_ns; /* only with tt_use_stamps */
	u32 waker_tid;
	u32 nr_throttled; /* nr_throttled() when it was woken or pushed off */
	struct tt_stack_ids waker_stacks; /* of TT_PENDING_WAKEUP, with tt_stacks */
	u16 queued_cpu;
	u8 pending; /* enum tt_pending: why it is queued */
	u8 waker_in_irq;
	u8 may_wait_long; /* one of its last waits was at least tt_copy_wait_ns: so many more are expected */
};

#ifdef TT_RAW_TP
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__type(key, u32);
	__type(value, struct tt_queued);
} tt_tasks_by_tid SEC(".maps");

static __always_inline struct tt_queued *task_state(struct task_struct *t)
{
	u32 tid = RD(t, pid);

	return bpf_map_lookup_elem(&tt_tasks_by_tid, &tid);
}
#else
/* TT_MODERN: a task's state is in the seat that its address points to, when that was free: an array is looked up inline, where
 * task storage is a chain of calls. Who finds the seat taken has its state in task storage. 0.8 MiB. Not by tid: a thread that
 * execs takes its leader's. */
enum { NR_SEATS_LOG2 = 14 };

struct tt_seat {
	u64 task; /* address of who sits here, 0 = nobody */
	struct tt_queued queued;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1 << NR_SEATS_LOG2);
	__type(key, u32);
	__type(value, struct tt_seat);
} tt_seats SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct tt_queued);
} tt_tasks SEC(".maps");

#ifdef TT_MODERN
static __always_inline struct tt_seat *seat_of(struct task_struct *t)
{
	/* Fibonacci hashing: addresses come in steps. The verifier lets a pointer be a number only in 32 bits. */
	u32 seat = (u32)(u64)t * 0x9e3779b9u >> (32 - NR_SEATS_LOG2);

	return bpf_map_lookup_elem(&tt_seats, &seat);
}
#endif

/* Never creates: allocating under the run-queue lock can deadlock on kernels whose allocator wakes kswapd.
 * newtask and seed create the state of every task, at fork and when recording begins. */
static __always_inline struct tt_queued *task_state(struct task_struct *t)
{
#ifdef TT_MODERN
	struct tt_seat *seat = seat_of(t);

	if (seat && seat->task == (u64)t)
		return &seat->queued;
#endif
	return bpf_task_storage_get(&tt_tasks, t, 0, 0);
}

/* Known so far: run_delay as of now, which is not ours to tell. NULL: no memory. */
static __always_inline struct tt_queued *create_task_state(struct task_struct *t)
{
	struct tt_queued *s;

#ifdef TT_MODERN
	struct tt_seat *seat = seat_of(t);
	u64 owner;

	if (!seat)
		return NULL;
	owner = __sync_val_compare_and_swap(&seat->task, 0, (u64)t);
	if (!owner) {
		s = &seat->queued; /* zero: who left it cleared it */
	} else if (owner == (u64)t) { /* the end of one at the same address was missed */
		s = &seat->queued;
		__builtin_memset(s, 0, sizeof(*s));
	} else {
		s = bpf_task_storage_get(&tt_tasks, t, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	}
#else
	s = bpf_task_storage_get(&tt_tasks, t, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
#endif
	if (s && bpf_core_field_exists(t->sched_info.run_delay))
		s->run_delay_ns = t->sched_info.run_delay;
	return s;
}
#endif

/* How often a CPU quota has held it back: its group's, or that of a group around it, as of a pod. */
static __always_inline u32 nr_throttled(struct task_struct *t)
{
	enum { NR_LEVELS = 6 };
	struct task_group *group;
	u32 nr = 0;

	if (!bpf_core_field_exists(t->sched_task_group) ||
	    !bpf_core_field_exists(struct task_group, cfs_bandwidth))
		return 0;
	group = RD(t, sched_task_group);
	for (int i = 0; i < NR_LEVELS && group; i++) {
		if (RD(group, cfs_bandwidth.quota) != ~0ull)
			nr += RD(group, cfs_bandwidth.nr_throttled);
		group = RD(group, parent);
	}
	return nr;
}

/* Its run queue, NULL = no way there. */
static __always_inline struct rq *rq_of(struct task_struct *t)
{
	return bpf_core_field_exists(t->se.cfs_rq) ? RD_RQ(t) : NULL;
}

static __always_inline u32 cpu_of(struct task_struct *t)
{
	if (bpf_core_field_exists(t->thread_info.cpu))
		return RD(t, thread_info.cpu);
	if (bpf_core_field_exists(t->cpu))
		return RD(t, cpu);
	return TT_CPU_NONE;
}

static __always_inline u32 task_state_of(struct task_struct *t)
{
	struct task_struct___old_state *old = (void *)t;

	return bpf_core_field_exists(t->__state) ? RD(t, __state) : RD(old, state);
}

/* Of t, who runs. In an interrupt the user's code has nothing to do with it. */
static __always_inline struct tt_stack_ids take_stacks(void *ctx, struct task_struct *t, bool with_user, enum tt_copy_why copy)
{
	struct tt_stack_ids ids = { .kernel = tt_take_stack(ctx, 0, 0, 0, TT_COPY_NONE) };

	if (with_user && RD(t, mm)) /* not a kernel thread */
		ids.user = tt_take_stack(ctx, BPF_F_USER_STACK,
					 tt_space_hash(RD(t, self_exec_id), RD_LEADER_START(t), RD(t, tgid)), RD(t, tgid), copy);
	return ids;
}

/* How long it will wait is not known when it leaves, and when it comes back its memory cannot be read yet: who waited long is likely to
 * again, also when shorter waits come between. */
enum { LONG_WAITS_EXPECTED = 16 };
static __always_inline bool may_wait_long(struct task_struct *t)
{
	struct tt_queued *s = tt_copies ? task_state(t) : NULL;

	return s && s->may_wait_long;
}

/* The clock of the queue that the task is in, which is where CONFIG_SCHED_INFO would take its times from: it is set when the
 * scheduler begins its work, and we are called at the end of it. */
static __always_inline u64 stamp(struct task_struct *t, u64 now_ns)
{
	struct rq *rq = rq_of(t);

	return rq ? RD(rq, clock) : now_ns;
}

/* Who runs on this CPU. What the last switch told spares the call, when it was the last one. */
static __always_inline u32 running_tid(bool *ret_in_irq)
{
	struct task_struct *t;

#ifdef TT_CASTS
	struct tt_cpu *c = tt_this_cpu();

	if (c && c->on == TT_CPU_ON && c->rq_at) {
		const struct rq *rq = bpf_rdonly_cast((void *)c->rq_at, bpf_core_type_id_kernel(struct rq));

		if (rq->nr_switches == c->nr_switches) {
			u32 tid = c->cur_tid;

			/* one load of either pointer, which the verifier refuses, is what the compiler would make of both */
			barrier_var(tid);
			*ret_in_irq = tt_in_interrupt(rq);
			return tid;
		}
	}
#endif
	t = CURRENT();
	*ret_in_irq = tt_in_interrupt(rq_of(t));
	return RD(t, pid);
}

#ifdef TT_CASTS
__noinline u64 tt_peek_by_cast(u64 address)
{
	return tt_peek((const void *)address);
}
#endif

SEC("?" TP "/sched_waking")
int NAMED_PROG(PROG(waking), struct task_struct *p)
{
	u64 now_ns = bpf_ktime_get_ns();
	struct tt_queued *s = task_state(p);
	bool in_irq;

	if (!s || s->pending == TT_PENDING_PREEMPTED)
		return 0; /* already in a queue: this changes its state, not its wait */
	s->waking_ts_ns = now_ns;
	s->waker_tid = running_tid(&in_irq);
	s->waker_in_irq = in_irq;
	s->deliver_ns = 0;
	s->pending = TT_PENDING_WAKEUP;
	/* sched_wakeup would tell where and when it is queued, but costs a third of everything: where is told by
	 * migrate(), when by the kernel's own account of the wait */
	s->queued_cpu = tt_use_stamps ? TT_CPU_NONE : cpu_of(p);
	if (!tt_use_stamps)
		s->nr_throttled = nr_throttled(p);
	if (tt_stacks)
		s->waker_stacks = take_stacks(ctx, CURRENT(), !in_irq, TT_COPY_NONE);
	return 0;
}

/* Its CPU is chosen while it is being woken. Later moves show as a difference to the CPU that it runs on at last. */
SEC("?" TP "/sched_migrate_task")
int NAMED_PROG(PROG(migrate), struct task_struct *p, int to_cpu)
{
	struct tt_queued *s;

	if (task_state_of(p) != TASK_WAKING)
		return 0;
	s = task_state(p);
	if (s && s->pending == TT_PENDING_WAKEUP)
		s->queued_cpu = to_cpu;
	return 0;
}

#ifndef TT_RAW_TP
/* Only where the kernel keeps no account of waits. */
SEC("?" TP "/sched_wakeup")
int NAMED_PROG(PROG(wakeup), struct task_struct *p)
{
	struct tt_queued *s = task_state(p);
	u64 now_ns;

	if (!s || s->pending != TT_PENDING_WAKEUP)
		return 0;
	now_ns = bpf_ktime_get_ns();
	s->deliver_ns = tt_dur32_pack(now_ns - s->waking_ts_ns);
	s->queued_cpu = cpu_of(p);
	s->nr_throttled = nr_throttled(p);
	s->queued_clock_ns = stamp(p, now_ns);
	return 0;
}
#endif

SEC("?" TP "/sched_wakeup_new")
int NAMED_PROG(PROG(wakeup_new), struct task_struct *p)
{
	struct tt_queued *s = task_state(p);

	if (!s)
		return 0;
	s->waker_tid = (u32)bpf_get_current_pid_tgid();
	s->waker_in_irq = 0;
	s->deliver_ns = 0;
	s->queued_cpu = cpu_of(p);
	s->nr_throttled = nr_throttled(p);
	s->pending = TT_PENDING_NEW;
	if (tt_use_stamps)
		s->queued_clock_ns = stamp(p, bpf_ktime_get_ns());
	return 0;
}

static __always_inline u16 state_code(u32 state, u32 exit_state)
{
	if (exit_state & 0x0020) /* EXIT_ZOMBIE */
		return TT_STATE_ZOMBIE;
	if (exit_state || state & 0x0090) /* EXIT_DEAD 0x10, TASK_DEAD 0x80 */
		return TT_STATE_DEAD;
	if (state & 0x0040)
		return TT_STATE_PARKED;
	if (state & 0x0008)
		return TT_STATE_TRACED;
	if (state & 0x0004)
		return TT_STATE_STOPPED;
	if (state & 0x0002) /* TASK_UNINTERRUPTIBLE, with TASK_NOLOAD it is idle */
		return state & 0x0400 ? TT_STATE_IDLE : TT_STATE_DISK_SLEEP;
	if (state & 0x0001)
		return TT_STATE_SLEEPING;
	return state ? TT_STATE_OTHER : TT_STATE_RUNNING;
}

/* Who leaves. Tasks that want to run on are queued from now. prev_state: the tracepoint's own argument, 0 =
 * it has none. */
static __always_inline u16 note_leaving(struct task_struct *prev, bool preempt, u32 prev_state, u64 now_ns,
					u32 cpu)
{
	u32 state;
	u16 flags;
	struct tt_queued *s;

	if (!RD(prev, pid))
		return TT_STATE_IDLE;
	state = task_state_of(prev);
	/* Somebody wakes it already: what it did is in the argument only. Nothing else is taken from there: until
	 * 6.12 a task that a signal kept from sleeping looks asleep in it. */
	if (state & TASK_WAKING && prev_state)
		state = prev_state;
	flags = state_code(state, RD(prev, exit_state));
	if (RD_BIT(prev, in_iowait))
		flags |= TT_SW_IOWAIT;
	if (preempt)
		flags |= TT_SW_PUSHED;
	/* A preempted task is runnable whatever its state says: it has not come to sleep yet. */
	if (!preempt && state)
		return flags;
	flags |= TT_SW_PREEMPTED;
	if (!tt_probe_runq)
		return flags;
	s = task_state(prev);
	if (s) {
		s->pending = TT_PENDING_PREEMPTED;
		s->queued_cpu = cpu;
		s->deliver_ns = 0;
		s->waker_tid = 0;
		s->waker_in_irq = 0;
		s->nr_throttled = nr_throttled(prev);
		if (tt_use_stamps)
			s->queued_clock_ns = stamp(prev, now_ns);
	}
	return flags;
}

struct arrival {
	struct tt_stack_ids waker_stacks;
	u64 wait_ns;
	u32 deliver_ns, waker_tid;
	u16 queued_cpu, flags;
};

/* How late the switch is told after the scheduler read its clock, beyond the least that it ever is. The two clocks differ by an
 * unknown constant, which the least difference of the last 10 to 20 ms stands for: no longer, because one of them may be slewed. */
static __always_inline u64 switch_lag_ns(struct tt_cpu *c, u64 now_ns, u64 clock_ns)
{
	const u64 window_ns = 10000000;
	s64 offset_ns = now_ns - clock_ns, least_ns;
	u64 age_ns = now_ns - c->offset_since_ns;

	if (age_ns > window_ns) {
		c->offset_before_ns = age_ns > 2 * window_ns ? offset_ns : c->offset_ns;
		c->offset_ns = offset_ns;
		c->offset_since_ns = now_ns;
	} else if (offset_ns < c->offset_ns) {
		c->offset_ns = offset_ns;
	}
	least_ns = c->offset_ns < c->offset_before_ns ? c->offset_ns : c->offset_before_ns;
	return offset_ns - least_ns;
}

/* sched_waking to the queue: what is neither wait nor between the scheduler's clock and us. Good to some 0.3 us, so the low bits
 * would be noise. */
static __always_inline u32 deliver_ns(u64 since_waking_ns, u64 wait_ns, u64 lag_ns)
{
	u64 others_ns = wait_ns + lag_ns;

	return since_waking_ns > others_ns ? tt_dur32_pack((since_waking_ns - others_ns) & ~(TT_DELIVER_STEP_NS - 1ull)) : 0;
}

/* Who comes. */
static __always_inline void note_arriving(struct tt_cpu *c, struct task_struct *next, struct rq *rq,
					  u64 now_ns, u32 cpu, struct arrival *a)
{
	struct tt_queued *s = task_state(next);
	u64 told_ns, lag_ns = 0, open_ns = 0;

	if (!tt_use_stamps && bpf_core_field_exists(next->sched_info.run_delay) && rq) {
		u64 queued_ns = RD(next, sched_info.last_queued);
		u64 clock_ns = RD(rq, clock);

		if (queued_ns && clock_ns > queued_ns)
			open_ns = clock_ns - queued_ns;
		told_ns = RD(next, sched_info.run_delay) + open_ns;
		a->wait_ns = !s ? open_ns : told_ns > s->run_delay_ns ? told_ns - s->run_delay_ns : 0;
		if (s)
			s->run_delay_ns = told_ns;
		lag_ns = switch_lag_ns(c, now_ns, clock_ns);
	} else if (s && s->queued_clock_ns) {
		u64 clock_ns = stamp(next, now_ns);

		a->wait_ns = clock_ns > s->queued_clock_ns ? clock_ns - s->queued_clock_ns : 0;
		s->queued_clock_ns = 0;
	}
	if (!s) {
		/* before the window begins, tasks wait for sched__seed */
		if (c->on == TT_CPU_ON)
			c->nr_lost_task_state++;
		return;
	}
	if (tt_copies && a->wait_ns >= tt_copy_wait_ns)
		s->may_wait_long = LONG_WAITS_EXPECTED;
	else if (tt_copies && a->wait_ns && s->may_wait_long)
		s->may_wait_long--;
	if (s->pending == TT_PENDING_NONE)
		return;
	a->deliver_ns = s->deliver_ns;
	if (!tt_use_stamps && s->pending == TT_PENDING_WAKEUP && now_ns > s->waking_ts_ns)
		a->deliver_ns = deliver_ns(now_ns - s->waking_ts_ns, a->wait_ns, lag_ns);
	a->waker_tid = s->waker_tid;
	a->queued_cpu = s->queued_cpu;
	a->flags = (s->pending == TT_PENDING_WAKEUP ? TT_WAIT_WAKEUP
		    : s->pending == TT_PENDING_NEW  ? TT_WAIT_NEW
						    : TT_WAIT_PREEMPTED)
		   << TT_SW_WAIT_SHIFT;
	if (tt_stacks && s->pending == TT_PENDING_WAKEUP)
		a->waker_stacks = s->waker_stacks;
	if (s->waker_in_irq)
		a->flags |= TT_SW_WOKEN_IN_IRQ;
	if (s->queued_cpu != TT_CPU_NONE && s->queued_cpu != cpu)
		a->flags |= TT_SW_MIGRATED;
	if (s->nr_throttled != nr_throttled(next))
		a->flags |= TT_SW_THROTTLED;
	s->pending = TT_PENDING_NONE;
}

SEC("?" TP "/sched_switch")
int NAMED_PROG(PROG(switch), bool preempt, struct task_struct *prev, struct task_struct *next)
{
	u64 now_ns = bpf_ktime_get_ns();
	u32 cpu = bpf_get_smp_processor_id();
	struct arrival a = { .queued_cpu = TT_CPU_NONE };
	const u32 words = sizeof(struct tt_switch) / 8 + (tt_stacks ? TT_EXT_MAX : 0); /* at most */
	struct tt_stack_ids stacks = {};
	struct tt_cpu *c = tt_this_cpu();
	u32 prev_tid = RD(prev, pid), next_tid = RD(next, pid), ext = 0;
	struct tt_switch *sw;
	struct rq *rq = rq_of(next);
	u64 nr_switches, steal_ns;
	u16 flags;
	u32 pos;

	if (!c)
		return 0;
	/* first, as long as there are few ways for the verifier to follow */
	if (tt_stacks && prev_tid && c->on == TT_CPU_ON && !c->busy)
		stacks = take_stacks(ctx, prev, true, may_wait_long(prev) ? TT_COPY_WAIT : TT_COPY_NONE);
	nr_switches = rq ? RD(rq, nr_switches) : c->nr_switches + 1;
	/* before the begin, too: a wait that ended before it must not be told at the next one */
	flags = note_leaving(prev, preempt, tt_switch_prev_state ? (u32)ctx[3] : 0, now_ns, cpu);
	if (tt_probe_runq && next_tid)
		note_arriving(c, next, rq, now_ns, cpu, &a);
	if (c->on != TT_CPU_ON) {
		if (c->on == TT_CPU_STOPPED || !tt_recording)
			return 0;
		/* this CPU came online while we record */
		tt_begin_cpu(c, rq, now_ns, prev_tid, nr_switches - 1);
	}
	if (c->busy) {
		c->nr_nested++;
		c->wait_total_ns += a.wait_ns;
		return 0;
	}
	steal_ns = tt_steal_since(c, tt_read_steal(c), now_ns, &flags);
	if (tt_stacks)
		ext = (a.flags & TT_SW_WAIT_MASK) == TT_WAIT_WAKEUP << TT_SW_WAIT_SHIFT ? TT_EXT_MAX : prev_tid ? 2 : 0;

	pos = tt_stage(c, now_ns, words);
	c->steal_clock_ns += steal_ns;
	c->wait_total_ns += a.wait_ns;
	c->nr_switches = nr_switches;
	c->cur_tid = next_tid;
	if (pos > TT_BODY_WORDS - words)
		return 0;
	sw = (void *)&c->body[pos];
	if (tt_stacks) {
		tt_put_stacks((u64 *)(sw + 1), &stacks);
		tt_put_stacks((u64 *)(sw + 1) + TT_EXT_WAKER_KSTACK, &a.waker_stacks);
	}
	sw->dts_ns = now_ns - c->last_ts_ns;
	sw->steal_ns = tt_dur32_pack(steal_ns);
	sw->flags = flags | a.flags;
	sw->seq = nr_switches;
	sw->next_tid = next_tid;
	sw->wait_ns = tt_dur32_pack(a.wait_ns);
	sw->deliver_ns = a.deliver_ns;
	sw->waker_tid = a.waker_tid;
	sw->queued_cpu = a.queued_cpu;
	sw->next_prio = RD(next, prio);
	sw->ext = ext;
	c->pos = pos + sizeof(*sw) / 8 + ext;
	c->head.nr_records++;
	c->nr_batch_switches++;
	c->last_ts_ns = now_ns;
	return 0;
}

/* The state of a task is made here, where allocating is safe: fork runs in process context. */
SEC("?" TP "/task_newtask")
int NAMED_PROG(PROG(newtask), struct task_struct *p)
{
#ifdef TT_RAW_TP
	struct tt_queued s = {};
	u32 tid = RD(p, pid);

	bpf_map_update_elem(&tt_tasks_by_tid, &tid, &s, BPF_ANY);
#else
	struct tt_cpu *c = tt_this_cpu();

	if (!create_task_state(p) && c)
		c->nr_lost_task_state++;
#endif
	return 0;
}

/* Not at exit: a task that exits can still be preempted, or sleep, and comes back. */
SEC("?" TP "/sched_process_free")
int NAMED_PROG(PROG(free), struct task_struct *p)
{
#ifdef TT_RAW_TP
	u32 tid = RD(p, pid);

	bpf_map_delete_elem(&tt_tasks_by_tid, &tid);
#elif defined(TT_MODERN)
	struct tt_seat *seat = seat_of(p);

	if (seat && seat->task == (u64)p) {
		__builtin_memset(&seat->queued, 0, sizeof(seat->queued));
		__sync_val_compare_and_swap(&seat->task, (u64)p, 0); /* ordered after the clearing */
	}
#endif
	return 0;
}

/* Makes the state of every task that exists when recording begins: its wait so far is not ours. */
SEC("?iter/task")
int PROG(seed)(struct bpf_iter__task *ctx)
{
	struct task_struct *p = ctx->task;
	struct tt_queued *s;
	struct tt_cpu *c;

	if (!p || !p->pid)
		return 0;
#ifdef TT_RAW_TP
	u32 tid = p->pid;
	struct tt_queued fresh = {};

	if (bpf_core_field_exists(p->sched_info.run_delay))
		fresh.run_delay_ns = p->sched_info.run_delay;
	bpf_map_update_elem(&tt_tasks_by_tid, &tid, &fresh, BPF_NOEXIST);
	s = bpf_map_lookup_elem(&tt_tasks_by_tid, &tid);
#else
	if (task_state(p))
		return 0; /* forked since we attached */
	s = create_task_state(p);
#endif
	c = tt_this_cpu();
	if (!s && c)
		c->nr_lost_task_state++;
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/aggregate/world.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collector/aggregate/index.h"
#include "collector/aggregate/threads.h"

enum {
	NR_CGROUPS_MAX = 65536,
	NR_DEVICES_MAX = 4096,
	NR_CPUS_MAX = 8192,
	NR_GAPS_FIRST = 64,
	NR_GAPS_MAX = 4096,	   /* of one CPU */
	NR_GAPS_ALL_MAX = 1 << 20, /* of all rings together: 32 MiB */
	NR_WINDOWS_MAX = 1024,	   /* of one CPU */
	NO_TASK = UINT32_MAX,
};

#define UNSEEN_NS 60000000000ull

static const struct tt_world_task idle_task = { .comm = "idle", .serial = 1, .flags = TT_TASK_KTHREAD };

struct task_slot {
	struct tt_world_task task; /* first: what is handed out leads back to its slot */
	uint64_t counted_run_delay_ns; /* its part of run_delay_growth_ns */
	uint32_t next_exited;	       /* the queue of who may be forgotten, oldest first */
	bool first_known, growth_counted, in_exited_queue;
};

struct left_slot {
	struct tt_world_left left;
	uint32_t next_free;
};

struct cgroup_slot {
	uint64_t id;
	char path[TT_CGROUP_PATH_LEN + 1];
};

/* One observation of steal. Gaps of a CPU never overlap and are sorted, so their running sum answers any
 * question. */
struct gap {
	uint64_t since_ts_ns; /* the observation before: the gap lies between it and end_ts_ns */
	uint64_t start_ts_ns, end_ts_ns;
	uint64_t cum_ns; /* of all gaps of this CPU up to this one, included */
};

struct cpu_slot {
	struct tt_world_cpu cpu;
	uint64_t closed_ns; /* windows before the present one */
	uint64_t last_steal_ts_ns;
	struct gap *gaps; /* ring; nr_gaps_room is a power of two */
	unsigned nr_gaps_room;
	uint64_t nr_gaps; /* ever put in: the newest is nr_gaps - 1 */
	struct tt_world_window *closed;
	unsigned nr_closed_room;
	bool running_uncertain; /* the kernel hid a switch: who is switched out next is not who came last */
};

struct tt_world {
	struct tt_info info;
	struct tt_index tasks_by_tid, cgroups_by_id, devices_by_dev;
	struct task_slot *tasks;
	struct tt_threads threads; /* of tasks, those that live */
	struct cgroup_slot *cgroups;
	struct tt_world_device *devices;
	struct cpu_slot **cpus; /* NR_CPUS_MAX of them, NULL = not seen */
	unsigned nr_tasks, nr_cgroups, nr_devices, nr_cpus;
	uint32_t first_exited, last_exited;
	uint64_t last_serial;
	uint64_t run_delay_growth_ns, nr_growth_tasks;
	uint64_t nr_forgotten;
	unsigned nr_gaps_room;
	unsigned nr_until_sweep;
	/* tasks that are off the CPU; made with the first switch that has stacks */
	struct tt_index left_by_tid;
	struct left_slot *left;
	uint32_t nr_left, first_free_left;
	uint64_t shed_ts_ns; /* who left until then may have run since */
	struct tt_world_left came_from;
	bool came_from_known;
};

int tt_world_open(const struct tt_info *info, struct tt_world **ret_world)
{
	struct tt_world *w = calloc(1, sizeof(*w));

	if (!w)
		return -ENOMEM;
	w->info = *info;
	w->last_serial = idle_task.serial;
	w->first_exited = w->last_exited = NO_TASK;
	/* as large as they may become: the kernel gives the pages when they are touched */
	w->tasks = calloc(TT_WORLD_TASKS_MAX, sizeof(*w->tasks));
	w->cgroups = calloc(NR_CGROUPS_MAX, sizeof(*w->cgroups));
	w->devices = calloc(NR_DEVICES_MAX, sizeof(*w->devices));
	w->cpus = calloc(NR_CPUS_MAX, sizeof(struct cpu_slot *));
	if (!w->tasks || !w->cgroups || !w->devices || !w->cpus ||
	    tt_index_open(&w->tasks_by_tid, TT_WORLD_TASKS_MAX) ||
	    tt_threads_open(&w->threads, TT_WORLD_TASKS_MAX) ||
	    tt_index_open(&w->cgroups_by_id, NR_CGROUPS_MAX) ||
	    tt_index_open(&w->devices_by_dev, NR_DEVICES_MAX)) {
		tt_world_close(w);
		return -ENOMEM;
	}
	*ret_world = w;
	return 0;
}

void tt_world_close(struct tt_world *w)
{
	if (!w)
		return;
	for (unsigned i = 0; w->cpus && i < w->nr_cpus; i++) {
		if (w->cpus[i]) {
			free(w->cpus[i]->gaps);
			free(w->cpus[i]->closed);
		}
		free(w->cpus[i]);
	}
	tt_index_close(&w->tasks_by_tid);
	tt_index_close(&w->cgroups_by_id);
	tt_index_close(&w->devices_by_dev);
	if (w->left)
		tt_index_close(&w->left_by_tid);
	free(w->left);
	tt_threads_close(&w->threads);
	free(w->tasks);
	free(w->cgroups);
	free(w->devices);
	free(w->cpus);
	free(w);
}

/* Tasks */

static uint32_t slot_of(const struct tt_world *w, const struct task_slot *t)
{
	return (uint32_t)(t - w->tasks);
}

/* After its process or whether it lives changed. */
static void list_thread(struct tt_world *w, const struct task_slot *t)
{
	tt_threads_set(&w->threads, slot_of(w, t), t->task.exited ? 0 : t->task.pid);
}

static void queue_exited(struct tt_world *w, uint32_t slot)
{
	struct task_slot *t = &w->tasks[slot];

	if (t->in_exited_queue)
		return;
	t->in_exited_queue = true;
	t->next_exited = NO_TASK;
	if (w->last_exited == NO_TASK)
		w->first_exited = slot;
	else
		w->tasks[w->last_exited].next_exited = slot;
	w->last_exited = slot;
}

/* The slot of the task that is dead for longest; NO_TASK when all live. */
static uint32_t forget_exited(struct tt_world *w)
{
	while (w->first_exited != NO_TASK) {
		uint32_t slot = w->first_exited;
		struct task_slot *t = &w->tasks[slot];

		w->first_exited = t->next_exited;
		if (w->first_exited == NO_TASK)
			w->last_exited = NO_TASK;
		t->in_exited_queue = false;
		if (!t->task.exited)
			continue; /* its tid came to life again */
		tt_index_remove(&w->tasks_by_tid, t->task.tid);
		w->nr_forgotten++;
		return slot;
	}
	return NO_TASK;
}

/* Where nobody tells of exits (/proc is polled), whoever has not been seen for a minute counts as gone. */
static void sweep_unseen(struct tt_world *w, uint64_t now_ts_ns)
{
	if (w->nr_until_sweep) {
		w->nr_until_sweep--;
		return;
	}
	w->nr_until_sweep = TT_WORLD_TASKS_MAX;
	for (uint32_t slot = 0; slot < w->nr_tasks; slot++) {
		struct tt_world_task *task = &w->tasks[slot].task;

		if (task->exited || !task->last_ts_ns || task->last_ts_ns + UNSEEN_NS > now_ts_ns)
			continue;
		task->exited = true;
		list_thread(w, &w->tasks[slot]);
		queue_exited(w, slot);
	}
}

/* The slot for a task with this tid that was not there before; whoever had the tid is gone. NULL: no room. */
static struct task_slot *new_task(struct tt_world *w, uint32_t tid, uint32_t old_slot, uint64_t now_ts_ns)
{
	uint32_t slot = old_slot;
	struct task_slot *t;

	if (slot == NO_TASK && w->nr_tasks == TT_WORLD_TASKS_MAX) {
		if (w->first_exited == NO_TASK)
			sweep_unseen(w, now_ts_ns);
		slot = forget_exited(w);
	} else if (slot == NO_TASK) {
		slot = w->nr_tasks++;
	}
	if (slot == NO_TASK) {
		w->nr_forgotten++;
		return NULL;
	}
	t = &w->tasks[slot];
	t->task = (struct tt_world_task){ .tid = tid, .serial = ++w->last_serial };
	t->counted_run_delay_ns = 0;
	t->first_known = t->growth_counted = false;
	list_thread(w, t);
	tt_index_put(&w->tasks_by_tid, tid, slot);
	return t;
}

static void set_comm(struct tt_world_task *task, const char comm[TT_COMM_LEN])
{
	memcpy(task->comm, comm, TT_COMM_LEN);
	task->comm[TT_COMM_LEN] = '\0';
}

static void set_names(struct tt_world_task *task, const struct tt_task *rec)
{
	task->pid = rec->pid;
	task->parent_pid = rec->parent_pid;
	task->flags |= rec->flags;
	task->cgroup_id = rec->cgroup_id;
	set_comm(task, rec->comm);
}

static void set_first(struct task_slot *t, uint64_t ts_ns, uint64_t run_delay_ns, uint64_t exec_ns)
{
	if (t->first_known)
		return;
	t->first_known = true;
	t->task.first_ts_ns = ts_ns;
	t->task.first_run_delay_ns = run_delay_ns;
	t->task.first_exec_ns = exec_ns;
}

static void set_last(struct tt_world *w, struct task_slot *t, uint64_t ts_ns, uint64_t run_delay_ns,
		     uint64_t exec_ns)
{
	struct tt_world_task *task = &t->task;

	task->last_ts_ns = ts_ns;
	task->last_run_delay_ns = run_delay_ns;
	task->last_exec_ns = exec_ns;
	if (!t->first_known || run_delay_ns < task->first_run_delay_ns)
		return;
	w->nr_growth_tasks += !t->growth_counted;
	t->growth_counted = true;
	w->run_delay_growth_ns -= t->counted_run_delay_ns;
	t->counted_run_delay_ns = run_delay_ns - task->first_run_delay_ns;
	w->run_delay_growth_ns += t->counted_run_delay_ns;
}

/* Whether the record is about another task than the one that last had this tid. */
static bool is_reused(const struct tt_world_task *task, uint64_t start_ns, unsigned why)
{
	if (task->start_ns && start_ns && task->start_ns != start_ns)
		return true;
	/* a thread that execs takes over the tid (and start time) of its group's leader, which has exited */
	return task->exited && (why == TT_TASK_FORK || why == TT_TASK_EXEC);
}

static struct task_slot *get_task(struct tt_world *w, uint32_t tid, uint64_t start_ns, unsigned why,
				  uint64_t now_ts_ns)
{
	uint32_t slot = tt_index_find(&w->tasks_by_tid, tid);
	struct task_slot *t;

	if (!tid || tid == TT_TID_UNKNOWN) /* idle: one name for all CPUs, no counters */
		return NULL;
	if (slot != TT_INDEX_NONE && !is_reused(&w->tasks[slot].task, start_ns, why))
		t = &w->tasks[slot];
	else
		t = new_task(w, tid, slot == TT_INDEX_NONE ? NO_TASK : slot, now_ts_ns);
	if (t && start_ns)
		t->task.start_ns = start_ns;
	return t;
}

bool tt_world_moves_process(const struct tt_task *rec)
{
	return rec->why == TT_TASK_CGROUP && rec->flags & TT_TASK_WHOLE_PROCESS && rec->pid;
}

const struct tt_world_task *tt_world_next_thread(const struct tt_world *w, uint32_t pid,
						 const struct tt_world_task *thread)
{
	uint32_t slot = thread ? tt_threads_after(&w->threads, slot_of(w, (const struct task_slot *)thread))
			       : tt_threads_first(&w->threads, pid);

	return slot == TT_INDEX_NONE ? NULL : &w->tasks[slot].task;
}

/* The kernel tells of the process's leader alone. */
static void move_threads(struct tt_world *w, const struct tt_task *rec)
{
	for (uint32_t slot = tt_threads_first(&w->threads, rec->pid); slot != TT_INDEX_NONE;
	     slot = tt_threads_after(&w->threads, slot))
		w->tasks[slot].task.cgroup_id = rec->cgroup_id;
}

static void on_task(struct tt_world *w, const struct tt_task *rec)
{
	struct task_slot *t = get_task(w, rec->tid, rec->start_ns, rec->why, rec->rec.ts_ns);

	if (tt_world_moves_process(rec))
		move_threads(w, rec);
	if (!t)
		return;
	set_names(&t->task, rec);
	switch (rec->why) {
	case TT_TASK_AT_START:
		set_first(t, rec->rec.ts_ns, rec->run_delay_ns, rec->exec_ns);
		break;
	case TT_TASK_FORK:
		set_first(t, rec->rec.ts_ns, 0, 0);
		break;
	case TT_TASK_EXIT:
	case TT_TASK_AT_END:
		if (rec->start_ns >= w->info.start_ts_ns) /* its birth may not have been told */
			set_first(t, rec->start_ns, 0, 0);
		if (rec->why == TT_TASK_EXIT) {
			t->task.exited = true;
			queue_exited(w, slot_of(w, t));
		}
		set_last(w, t, rec->rec.ts_ns, rec->run_delay_ns, rec->exec_ns);
		break;
	}
	list_thread(w, t);
}

static void name_task_early(struct tt_world *w, const struct tt_task *rec)
{
	struct task_slot *t;

	if (rec->why != TT_TASK_AT_START || tt_index_find(&w->tasks_by_tid, rec->tid) != TT_INDEX_NONE)
		return;
	t = get_task(w, rec->tid, rec->start_ns, rec->why, rec->rec.ts_ns);
	if (!t)
		return;
	set_names(&t->task, rec);
	list_thread(w, t);
}

/* The source that polls /proc sees no forks: a task that started since the session did, and has not run and
 * waited for longer than that, counts from 0. (The second condition survives clocks that disagree about the
 * start.) */
static bool is_born_in_session(const struct tt_world *w, const struct tt_task_counters *rec)
{
	return rec->start_ns >= w->info.start_ts_ns && rec->rec.ts_ns >= w->info.start_ts_ns &&
	       rec->exec_ns + rec->run_delay_ns <= rec->rec.ts_ns - w->info.start_ts_ns;
}

static void on_task_counters(struct tt_world *w, const struct tt_task_counters *rec)
{
	struct task_slot *t = get_task(w, rec->tid, rec->start_ns, TT_TASK_AT_START, rec->rec.ts_ns);
	bool is_born;

	if (!t)
		return;
	is_born = is_born_in_session(w, rec);
	t->task.exited = false;
	t->task.pid = rec->pid;
	list_thread(w, t);
	set_comm(&t->task, rec->comm);
	set_first(t, rec->rec.ts_ns, is_born ? 0 : rec->run_delay_ns, is_born ? 0 : rec->exec_ns);
	set_last(w, t, rec->rec.ts_ns, rec->run_delay_ns, rec->exec_ns);
}

/* Cgroups and devices */

static void on_cgroup(struct tt_world *w, const struct tt_cgroup *rec)
{
	uint32_t slot = tt_index_find(&w->cgroups_by_id, rec->id);

	if (slot == TT_INDEX_NONE) {
		if (w->nr_cgroups == NR_CGROUPS_MAX) {
			w->nr_forgotten++;
			return;
		}
		slot = w->nr_cgroups++;
		tt_index_put(&w->cgroups_by_id, rec->id, slot);
	}
	w->cgroups[slot].id = rec->id;
	memcpy(w->cgroups[slot].path, rec->path, TT_CGROUP_PATH_LEN);
	w->cgroups[slot].path[TT_CGROUP_PATH_LEN] = '\0';
}

/* more: what else is known of it, or NULL */
static void set_device(struct tt_world *w, uint32_t dev, const char name[TT_DISK_NAME_LEN],
		       const struct tt_device *more)
{
	uint32_t slot = tt_index_find(&w->devices_by_dev, dev);

	if (slot == TT_INDEX_NONE) {
		if (w->nr_devices == NR_DEVICES_MAX) {
			w->nr_forgotten++;
			return;
		}
		slot = w->nr_devices++;
		tt_index_put(&w->devices_by_dev, dev, slot);
	}
	w->devices[slot].dev = dev;
	if (name[0]) {
		memcpy(w->devices[slot].name, name, TT_DISK_NAME_LEN);
		w->devices[slot].name[TT_DISK_NAME_LEN] = '\0';
	}
	if (!more)
		return;
	w->devices[slot].is_partition = more->is_partition != 0;
	w->devices[slot].is_stacked = more->is_stacked != 0;
}

void tt_world_name_early(struct tt_world *w, const struct tt_record *rec)
{
	const struct tt_device *device = (const struct tt_device *)rec;

	if (rec->kind == TT_EV_TASK)
		name_task_early(w, (const struct tt_task *)rec);
	else if (rec->kind == TT_EV_DEVICE && tt_index_find(&w->devices_by_dev, device->dev) == TT_INDEX_NONE)
		set_device(w, device->dev, device->name, device);
}

/* CPUs */

static struct cpu_slot *get_cpu(struct tt_world *w, unsigned cpu)
{
	if (cpu >= NR_CPUS_MAX)
		return NULL;
	if (!w->cpus[cpu]) {
		w->cpus[cpu] = calloc(1, sizeof(*w->cpus[cpu]));
		if (!w->cpus[cpu])
			return NULL;
		if (cpu >= w->nr_cpus)
			w->nr_cpus = cpu + 1;
	}
	w->cpus[cpu]->cpu.seen = true;
	return w->cpus[cpu];
}

/* Room for one more window; at the bound the oldest ones go. */
static bool make_window_room(struct tt_world *w, struct cpu_slot *c)
{
	unsigned nr_room = c->nr_closed_room ? 2 * c->nr_closed_room : 4;
	struct tt_world_window *closed;

	if (c->cpu.nr_closed < c->nr_closed_room)
		return true;
	if (nr_room > NR_WINDOWS_MAX) {
		c->cpu.nr_closed /= 2;
		w->nr_forgotten += c->cpu.nr_closed;
		memmove(c->closed, c->closed + c->cpu.nr_closed, c->cpu.nr_closed * sizeof(*c->closed));
		return true;
	}
	closed = reallocarray(c->closed, nr_room, sizeof(*closed));
	if (!closed)
		return false;
	c->cpu.closed = c->closed = closed;
	c->nr_closed_room = nr_room;
	return true;
}

/* The window ended where it was last heard of. */
static void close_window(struct tt_world *w, struct cpu_slot *c)
{
	if (!c->cpu.online)
		return;
	c->cpu.online = false;
	c->closed_ns = c->cpu.recorded_ns;
	if (make_window_room(w, c))
		c->closed[c->cpu.nr_closed++] =
			(struct tt_world_window){ c->cpu.begin_ts_ns, c->cpu.end_ts_ns };
	else
		w->nr_forgotten++;
}

static void begin_window(struct tt_world *w, struct cpu_slot *c, const struct tt_ev_window *win)
{
	close_window(w, c); /* when its end was lost */
	if (!c->cpu.begin_ts_ns) {
		c->cpu.begin_steal_ns = win->steal_clock_ns;
		c->cpu.begin_nr_switches = win->nr_switches;
	}
	c->cpu.online = true;
	c->cpu.begin_ts_ns = c->cpu.end_ts_ns = win->ev.ts_ns;
	if (win->ev.ts_ns > c->last_steal_ts_ns)
		c->last_steal_ts_ns = win->ev.ts_ns;
}

static void advance_window(struct cpu_slot *c, uint64_t ts_ns)
{
	if (!c->cpu.online || ts_ns <= c->cpu.end_ts_ns)
		return;
	c->cpu.end_ts_ns = ts_ns;
	c->cpu.recorded_ns = c->closed_ns + (ts_ns - c->cpu.begin_ts_ns);
}

static void on_window(struct tt_world *w, const struct tt_ev_window *win)
{
	struct cpu_slot *c = get_cpu(w, win->ev.cpu);

	if (!c)
		return;
	c->cpu.running_tid = win->tid;
	if (win->begins)
		begin_window(w, c, win);
	c->cpu.end_steal_ns = win->steal_clock_ns;
	c->cpu.end_nr_switches = win->nr_switches;
	if (win->begins)
		return;
	advance_window(c, win->ev.ts_ns);
	close_window(w, c);
}

/* Twice as many gaps, while all CPUs together have not too many. Without memory the old ring goes on. */
static void grow_ring(struct tt_world *w, struct cpu_slot *c)
{
	unsigned nr_room = c->nr_gaps_room ? c->nr_gaps_room * 2 : NR_GAPS_FIRST;
	struct gap *gaps;

	if (nr_room > NR_GAPS_MAX || (c->nr_gaps_room && w->nr_gaps_room + nr_room > NR_GAPS_ALL_MAX))
		return;
	gaps = calloc(nr_room, sizeof(*gaps));
	if (!gaps)
		return;
	for (uint64_t i = c->nr_gaps - c->nr_gaps_room; i != c->nr_gaps; i++)
		gaps[i & (nr_room - 1)] = c->gaps[i & (c->nr_gaps_room - 1)];
	free(c->gaps);
	w->nr_gaps_room += nr_room - c->nr_gaps_room;
	c->gaps = gaps;
	c->nr_gaps_room = nr_room;
}

static void on_steal(struct tt_world *w, const struct tt_ev_steal *st)
{
	struct cpu_slot *c = get_cpu(w, st->ev.cpu);
	uint64_t end_ts_ns = st->ev.ts_ns, since_ts_ns, gap_ns, cum_ns;

	if (!c)
		return;
	advance_window(c, end_ts_ns);
	if (end_ts_ns < c->last_steal_ts_ns || !st->steal_ns)
		return; /* late: its place is taken. It still counts in every sum. */
	if (c->nr_gaps >= c->nr_gaps_room)
		grow_ring(w, c);
	if (!c->nr_gaps_room) {
		w->nr_forgotten++;
		return;
	}
	since_ts_ns = st->since_ns && st->since_ns <= end_ts_ns ? end_ts_ns - st->since_ns : 0;
	if (since_ts_ns < c->last_steal_ts_ns)
		since_ts_ns = c->last_steal_ts_ns;
	/* the two clocks are read at slightly different moments: a gap may look longer than the time it lies
	 * in */
	gap_ns = st->steal_ns < end_ts_ns - since_ts_ns ? st->steal_ns : end_ts_ns - since_ts_ns;
	cum_ns = c->nr_gaps ? c->gaps[(c->nr_gaps - 1) & (c->nr_gaps_room - 1)].cum_ns : 0;
	c->gaps[c->nr_gaps++ & (c->nr_gaps_room - 1)] =
		(struct gap){ since_ts_ns, end_ts_ns - gap_ns, end_ts_ns, cum_ns + gap_ns };
	c->last_steal_ts_ns = end_ts_ns;
}

/* Where tasks are that left the CPU */

static bool open_left(struct tt_world *w)
{
	struct left_slot *left;

	if (w->left)
		return true;
	left = calloc(TT_WORLD_TASKS_MAX, sizeof(*left));
	if (!left || tt_index_open(&w->left_by_tid, TT_WORLD_TASKS_MAX)) {
		free(left);
		return false;
	}
	w->left = left;
	w->first_free_left = NO_TASK;
	return true;
}

static void forget_left(struct tt_world *w, uint32_t tid, uint32_t slot)
{
	tt_index_remove(&w->left_by_tid, tid);
	w->left[slot].next_free = w->first_free_left;
	w->first_free_left = slot;
}

static void forget_left_of(struct tt_world *w, uint32_t tid)
{
	uint32_t slot = tt_index_find(&w->left_by_tid, tid);

	if (slot != TT_INDEX_NONE)
		forget_left(w, tid, slot);
}

/* The slot for who is not there yet. */
static uint32_t new_left(struct tt_world *w, uint32_t tid)
{
	uint32_t slot = w->first_free_left;

	if (slot != NO_TASK)
		w->first_free_left = w->left[slot].next_free;
	else if (w->nr_left < TT_WORLD_TASKS_MAX)
		slot = w->nr_left++;
	else
		return NO_TASK;
	tt_index_put(&w->left_by_tid, tid, slot);
	return slot;
}

static void remember_left(struct tt_world *w, const struct tt_ev_switch *sw)
{
	uint32_t tid = sw->prev_tid, slot = tt_index_find(&w->left_by_tid, tid);
	unsigned state = sw->ev.flags & TT_SW_STATE_MASK;

	if (state == TT_STATE_DEAD || state == TT_STATE_ZOMBIE) {
		forget_left_of(w, tid);
		return;
	}
	if (slot == TT_INDEX_NONE)
		slot = new_left(w, tid);
	if (slot == NO_TASK) {
		w->nr_forgotten++;
		return;
	}
	w->left[slot].left = (struct tt_world_left){ sw->ev.ts_ns, sw->prev_kstack, sw->prev_ustack };
}

/* Consumed: who comes is not off the CPU any more. A new task that has the tid of a dead one has been nowhere. */
static void recall_left(struct tt_world *w, const struct tt_ev_switch *sw)
{
	uint32_t slot = tt_index_find(&w->left_by_tid, sw->next_tid);

	if (slot == TT_INDEX_NONE)
		return;
	w->came_from = w->left[slot].left;
	w->came_from_known = w->came_from.ts_ns > w->shed_ts_ns && sw->wait_kind != TT_WAIT_NEW;
	forget_left(w, sw->next_tid, slot);
}

static void follow_stacks(struct tt_world *w, struct cpu_slot *c, const struct tt_ev_switch *sw)
{
	if (!open_left(w)) {
		w->nr_forgotten++;
		return;
	}
	if (sw->next_tid)
		recall_left(w, sw);
	if (sw->prev_tid && sw->prev_tid != TT_TID_UNKNOWN && !c->running_uncertain)
		remember_left(w, sw);
}

static void on_switch(struct tt_world *w, const struct tt_ev_switch *sw)
{
	struct cpu_slot *c = get_cpu(w, sw->ev.cpu);

	w->came_from_known = false;
	if (!c)
		return;
	advance_window(c, sw->ev.ts_ns);
	c->cpu.running_tid = sw->next_tid;
	if (sw->has_stacks) {
		follow_stacks(w, c, sw);
	} else if (w->left) { /* what was known of the two is not true any more */
		forget_left_of(w, sw->prev_tid);
		forget_left_of(w, sw->next_tid);
	}
	c->running_uncertain = false;
}

/* A switch that only the kernel's count shows (UNSEEN) is of one CPU and rare: that it may have been somebody's, too, would make us
 * forget all sleepers for it. */
static void on_loss(struct tt_world *w, const struct tt_loss *rec)
{
	struct cpu_slot *c =
		rec->what == TT_LOSS_UNSEEN && rec->rec.cpu < NR_CPUS_MAX ? w->cpus[rec->rec.cpu] : NULL;

	if ((rec->what == TT_LOSS_SWITCHES || rec->what == TT_LOSS_PACKETS) && rec->rec.ts_ns > w->shed_ts_ns)
		w->shed_ts_ns = rec->rec.ts_ns;
	if (c)
		c->running_uncertain = true;
}

static void on_hook_change(struct tt_world *w, const struct tt_hook_change *rec)
{
	for (unsigned i = 0; i < w->info.nr_probes && i < TT_INFO_NR_PROBES; i++) {
		struct tt_probe_info *p = &w->info.probes[i];

		if (strncmp(p->probe, rec->probe, sizeof(rec->probe)))
			continue;
		snprintf(p->detail, sizeof(p->detail), "in the place of %.*s, which was silent",
			 (int)sizeof(rec->from), rec->from);
		snprintf(p->rung, sizeof(p->rung), "%.*s", (int)sizeof(rec->to), rec->to);
	}
}

void tt_world_event(struct tt_world *w, const struct tt_event *ev)
{
	const struct tt_record *rec = ((const struct tt_ev_record *)ev)->rec;

	switch (ev->kind) {
	case TT_EV_SWITCH:
		on_switch(w, (const struct tt_ev_switch *)ev);
		break;
	case TT_EV_STEAL:
		on_steal(w, (const struct tt_ev_steal *)ev);
		break;
	case TT_EV_WINDOW:
		on_window(w, (const struct tt_ev_window *)ev);
		break;
	case TT_EV_TASK:
		on_task(w, (const struct tt_task *)rec);
		break;
	case TT_EV_TASK_COUNTERS:
		on_task_counters(w, (const struct tt_task_counters *)rec);
		break;
	case TT_EV_CGROUP:
		on_cgroup(w, (const struct tt_cgroup *)rec);
		break;
	case TT_EV_DEVICE:
		set_device(w, ((const struct tt_device *)rec)->dev, ((const struct tt_device *)rec)->name,
			   (const struct tt_device *)rec);
		break;
	case TT_EV_DISK_COUNTERS:
		set_device(w, ((const struct tt_disk_counters *)rec)->dev,
			   ((const struct tt_disk_counters *)rec)->name, NULL);
		break;
	case TT_EV_CPU_COUNTERS:
		get_cpu(w, ev->cpu);
		break;
	case TT_EV_HOOK_CHANGE:
		on_hook_change(w, (const struct tt_hook_change *)rec);
		break;
	case TT_EV_LOSS:
		on_loss(w, (const struct tt_loss *)rec);
		break;
	}
}

/* Questions */

const struct tt_info *tt_world_info(const struct tt_world *w)
{
	return &w->info;
}

const struct tt_world_task *tt_world_task(const struct tt_world *w, uint32_t tid)
{
	uint32_t slot;

	if (!tid)
		return &idle_task;
	slot = tt_index_find(&w->tasks_by_tid, tid);
	return slot == TT_INDEX_NONE ? NULL : &w->tasks[slot].task;
}

const struct tt_world_device *tt_world_device(const struct tt_world *w, uint32_t dev)
{
	uint32_t slot = tt_index_find(&w->devices_by_dev, dev);

	return slot == TT_INDEX_NONE ? NULL : &w->devices[slot];
}

const struct tt_world_device *tt_world_device_by_name(const struct tt_world *w, const char *name)
{
	char numbers[32];

	if (!strncmp(name, "/dev/", 5))
		name += 5;
	for (unsigned i = 0; i < w->nr_devices; i++) {
		const struct tt_world_device *d = &w->devices[i];

		snprintf(numbers, sizeof(numbers), "%u:%u", d->dev >> 20, d->dev & 0xfffff);
		if (!strcmp(d->name, name) || !strcmp(numbers, name))
			return d;
	}
	return NULL;
}

const char *tt_world_cgroup_path(const struct tt_world *w, uint64_t cgroup_id)
{
	uint32_t slot = tt_index_find(&w->cgroups_by_id, cgroup_id);

	return slot == TT_INDEX_NONE ? NULL : w->cgroups[slot].path;
}

char *tt_world_cgroup_name(const struct tt_world *w, uint64_t cgroup_id, char *buf, size_t size)
{
	const char *path = tt_world_cgroup_path(w, cgroup_id);

	if (path)
		return tt_cgroup_short_name(path, buf, size);
	snprintf(buf, size, "cgroup %llu%s", (unsigned long long)(cgroup_id & ~TT_CGROUP_V1),
		 cgroup_id & TT_CGROUP_V1 ? " (v1)" : "");
	return buf;
}

unsigned tt_world_nr_cpus(const struct tt_world *w)
{
	return w->nr_cpus;
}

const struct tt_world_cpu *tt_world_cpu(const struct tt_world *w, unsigned cpu)
{
	static const struct tt_world_cpu never_seen;

	if (cpu >= w->nr_cpus)
		return NULL;
	return w->cpus[cpu] ? &w->cpus[cpu]->cpu : &never_seen;
}

static const struct gap *gap_at(const struct cpu_slot *c, uint64_t nr)
{
	return &c->gaps[nr & (c->nr_gaps_room - 1)];
}

/* The first gap in [first, nr_gaps) that ends after ts_ns, by bisection. */
static uint64_t first_ending_after(const struct cpu_slot *c, uint64_t first, uint64_t ts_ns)
{
	uint64_t end = c->nr_gaps;

	while (first < end) {
		uint64_t middle = first + (end - first) / 2;

		if (gap_at(c, middle)->end_ts_ns > ts_ns)
			end = middle;
		else
			first = middle + 1;
	}
	return first;
}

static uint64_t sum_gaps(const struct cpu_slot *c, uint64_t from_ts_ns, uint64_t to_ts_ns, bool *exact)
{
	uint64_t oldest = c->nr_gaps > c->nr_gaps_room ? c->nr_gaps - c->nr_gaps_room : 0;
	uint64_t i = first_ending_after(c, oldest, from_ts_ns), last;
	const struct gap *head, *tail;
	uint64_t sum_ns;

	if (oldest && i == oldest && gap_at(c, i)->start_ts_ns > from_ts_ns)
		*exact = false; /* older gaps were forgotten */
	if (i == c->nr_gaps)
		return 0;
	head = gap_at(c, i);
	if (head->since_ts_ns < from_ts_ns)
		*exact = false;
	/* the last one that starts before to_ts_ns: the first that ends after it, or the one before that */
	last = first_ending_after(c, i, to_ts_ns);
	if (last < c->nr_gaps && gap_at(c, last)->since_ts_ns < to_ts_ns)
		*exact = false;
	if (last == c->nr_gaps || gap_at(c, last)->start_ts_ns >= to_ts_ns) {
		if (last == i)
			return 0;
		last--;
	}
	tail = gap_at(c, last);
	sum_ns = tail->cum_ns - head->cum_ns + (head->end_ts_ns - head->start_ts_ns);
	if (head->start_ts_ns < from_ts_ns)
		sum_ns -= from_ts_ns - head->start_ts_ns;
	if (tail->end_ts_ns > to_ts_ns)
		sum_ns -= tail->end_ts_ns - to_ts_ns;
	return sum_ns;
}

uint64_t tt_world_steal_between(const struct tt_world *w, unsigned cpu, uint64_t from_ts_ns,
				uint64_t to_ts_ns, bool *ret_exact)
{
	const struct cpu_slot *c = cpu < w->nr_cpus ? w->cpus[cpu] : NULL;
	bool exact = true;
	uint64_t sum_ns = 0;

	/* most waits are short and lie behind the newest gap: no search */
	if (c && c->nr_gaps && c->last_steal_ts_ns > from_ts_ns && from_ts_ns < to_ts_ns)
		sum_ns = sum_gaps(c, from_ts_ns, to_ts_ns, &exact);
	if (ret_exact)
		*ret_exact = exact;
	return sum_ns;
}

uint64_t tt_world_wait_stolen_ns(const struct tt_world *w, const struct tt_ev_switch *sw)
{
	uint64_t from_ts_ns = sw->ev.ts_ns > sw->wait_ns ? sw->ev.ts_ns - sw->wait_ns : 0;
	unsigned cpu = sw->queued_cpu == TT_CPU_NONE ? sw->ev.cpu : sw->queued_cpu;

	return tt_world_steal_between(w, cpu, from_ts_ns, sw->ev.ts_ns, NULL);
}

uint64_t tt_world_run_delay_growth_ns(const struct tt_world *w, uint64_t *ret_nr_tasks)
{
	if (ret_nr_tasks)
		*ret_nr_tasks = w->nr_growth_tasks;
	return w->run_delay_growth_ns;
}

const struct tt_world_left *tt_world_came_from(const struct tt_world *w)
{
	return w->came_from_known ? &w->came_from : NULL;
}

uint64_t tt_world_nr_forgotten(const struct tt_world *w)
{
	return w->nr_forgotten;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/source/proc_tasks.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "collector/source/proc_cgroup.h"
#include "collector/source/proc_file.h"
#include "collector/source/proc_parse.h"
#include "collector/source/record_batch.h"

enum {
	NR_SLOTS_AT_FIRST = 4096,
	NR_SLOTS_MAX = 2 * TT_PROC_TASKS_MAX,
	NR_CACHED_CGROUPS = 1024,
};

struct task {
	uint32_t tid; /* 0 = the slot is free */
	uint32_t pid, parent_pid;
	uint32_t scan; /* number of the last scan that saw it */
	uint16_t flags;
	uint64_t start_ticks, cgroup_id;
	struct tt_proc_schedstat counters;
	char comm[TT_COMM_LEN];
};

/* The text of /proc/PID/cgroup, known by its hash, and what came of it. */
struct cached_cgroup {
	uint64_t hash, id;
};

struct tt_proc_tasks {
	int proc_fd;
	uint32_t only_pid, our_pid;
	uint64_t ns_per_tick;
	uint32_t scan;
	uint64_t newest_start_ticks; /* of the tasks of the first scan */
	bool is_last;
	struct task *slots; /* open addressing, linear probing, at most half full */
	unsigned nr_slots, nr_tasks;
	uint64_t nr_beyond_now;
	struct tt_cgroup_mounts mounts;
	struct cached_cgroup cgroups[NR_CACHED_CGROUPS];
	struct tt_record_batch batch;
	struct tt_proc_tasks_stats stats;
};

static unsigned home_slot(const struct tt_proc_tasks *t, uint32_t tid)
{
	return (tid * 2654435761u) >> 7 & (t->nr_slots - 1);
}

/* The slot of tid, or the free one where it belongs. */
static struct task *find_slot(struct tt_proc_tasks *t, uint32_t tid)
{
	unsigned i = home_slot(t, tid);

	while (t->slots[i].tid && t->slots[i].tid != tid)
		i = (i + 1) & (t->nr_slots - 1);
	return &t->slots[i];
}

static int double_slots(struct tt_proc_tasks *t)
{
	struct task *old = t->slots;
	unsigned nr_old = t->nr_slots;
	struct task *slots = calloc(2 * (size_t)nr_old, sizeof(*slots));

	if (!slots)
		return -ENOMEM;
	t->slots = slots;
	t->nr_slots = 2 * nr_old;
	for (unsigned i = 0; i < nr_old; i++)
		if (old[i].tid)
			*find_slot(t, old[i].tid) = old[i];
	free(old);
	return 0;
}

/* Frees the slot and closes the gap that it leaves in the chains. */
static void remove_task(struct tt_proc_tasks *t, struct task *task)
{
	unsigned mask = t->nr_slots - 1, gap = (unsigned)(task - t->slots), i = gap;

	for (;;) {
		unsigned home;

		i = (i + 1) & mask;
		if (!t->slots[i].tid)
			break;
		home = home_slot(t, t->slots[i].tid);
		if (((i - home) & mask) >= ((i - gap) & mask)) { /* gap lies between home and i */
			t->slots[gap] = t->slots[i];
			gap = i;
		}
	}
	t->slots[gap].tid = 0;
	t->nr_tasks--;
}

static int emit_task_at(struct tt_proc_tasks *t, const struct task *task, enum tt_task_why why, uint64_t ts_ns)
{
	struct tt_task rec = {
		.start_ns = task->start_ticks * t->ns_per_tick,
		.cgroup_id = task->cgroup_id,
		.run_delay_ns = task->counters.run_delay_ns,
		.exec_ns = task->counters.exec_ns,
		.tid = task->tid,
		.pid = task->pid,
		.parent_pid = task->parent_pid,
		.why = (tt_u16)why,
		.flags = task->flags,
	};

	memcpy(rec.comm, task->comm, sizeof(rec.comm));
	return tt_record_batch_add(&t->batch, &rec.rec, sizeof(rec), TT_EV_TASK, TT_CPU_NONE, ts_ns);
}

static int emit_task(struct tt_proc_tasks *t, const struct task *task, enum tt_task_why why)
{
	return emit_task_at(t, task, why, tt_now_ns());
}

static int emit_counters_at(struct tt_proc_tasks *t, const struct task *task, uint64_t ts_ns)
{
	struct tt_task_counters rec = {
		.exec_ns = task->counters.exec_ns,
		.run_delay_ns = task->counters.run_delay_ns,
		.nr_timeslices = task->counters.nr_timeslices,
		.start_ns = task->start_ticks * t->ns_per_tick,
		.tid = task->tid,
		.pid = task->pid,
	};

	memcpy(rec.comm, task->comm, sizeof(rec.comm));
	return tt_record_batch_add(&t->batch, &rec.rec, sizeof(rec), TT_EV_TASK_COUNTERS, TT_CPU_NONE, ts_ns);
}

static int emit_counters(struct tt_proc_tasks *t, const struct task *task)
{
	return emit_counters_at(t, task, tt_now_ns());
}

/* Both with one time: these are the counters that the task begins with, or those of a fork up to now. A task that a later
 * scan finds may have been left out by one before: then it is older than what the first scan saw. */
static int emit_new(struct tt_proc_tasks *t, const struct task *task)
{
	bool is_old = t->scan == 1 || task->start_ticks < t->newest_start_ticks;
	uint64_t ts_ns = tt_now_ns();
	int err = emit_task_at(t, task, is_old ? TT_TASK_AT_START : TT_TASK_FORK, ts_ns);

	return err ? err : emit_counters_at(t, task, ts_ns);
}

static int emit_exit(struct tt_proc_tasks *t, const struct task *task)
{
	int err = emit_counters(t, task);

	return err ? err : emit_task(t, task, TT_TASK_EXIT);
}

static uint64_t fnv1a(const char *text, size_t len)
{
	uint64_t hash = 14695981039346656037ull;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ (unsigned char)text[i]) * 1099511628211ull;
	return hash;
}

/* Names a cgroup when the cache has not seen it (or has forgotten it: a name said twice does no harm). */
static int find_cgroup(struct tt_proc_tasks *t, const char *text, size_t len, uint64_t *ret_id)
{
	uint64_t hash = fnv1a(text, len);
	struct cached_cgroup *cached = &t->cgroups[hash % NR_CACHED_CGROUPS];
	struct tt_cgroup rec = { 0 };
	uint64_t id;
	int err = 0;

	if (cached->id && cached->hash == hash) {
		*ret_id = cached->id;
		return 0;
	}
	id = tt_cgroup_of_task(&t->mounts, text, len, rec.path);
	if (id) {
		rec.id = id;
		err = tt_record_batch_add(&t->batch, &rec.rec, sizeof(rec), TT_EV_CGROUP, TT_CPU_NONE,
					  tt_now_ns());
		*cached = (struct cached_cgroup){ .hash = hash, .id = id };
	}
	*ret_id = id;
	return err;
}

/* Name, start and cgroup. -ENOENT or -ESRCH: gone. */
static int read_identity(struct tt_proc_tasks *t, int task_fd, struct task *ret)
{
	char path[32], text[4096];
	struct tt_proc_task_stat stat;
	ssize_t len;
	int err;

	snprintf(path, sizeof(path), "%u/stat", ret->tid);
	len = tt_proc_read_small(task_fd, path, text, sizeof(text));
	if (len < 0)
		return (int)len;
	err = tt_proc_parse_task_stat(text, (size_t)len, &stat);
	if (err)
		return err;
	ret->parent_pid = stat.parent_pid;
	ret->start_ticks = stat.start_ticks;
	ret->flags = (uint16_t)((stat.flags & TT_PF_KTHREAD ? TT_TASK_KTHREAD : 0) |
				(ret->pid == t->our_pid ? TT_TASK_OURS : 0));
	memcpy(ret->comm, stat.comm, sizeof(ret->comm));

	snprintf(path, sizeof(path), "%u/cgroup", ret->tid);
	len = tt_proc_read_small(task_fd, path, text, sizeof(text));
	ret->cgroup_id = 0;
	return len > 0 ? find_cgroup(t, text, (size_t)len, &ret->cgroup_id) : 0;
}

static int add_task(struct tt_proc_tasks *t, const struct task *seen)
{
	int err = 0;

	if (t->nr_tasks >= TT_PROC_TASKS_MAX) {
		t->nr_beyond_now++;
		return 0;
	}
	if (2 * (t->nr_tasks + 1) > t->nr_slots && t->nr_slots < NR_SLOTS_MAX)
		err = double_slots(t);
	if (err)
		return err;
	*find_slot(t, seen->tid) = *seen;
	t->nr_tasks++;
	if (t->scan == 1 && seen->start_ticks > t->newest_start_ticks)
		t->newest_start_ticks = seen->start_ticks;
	return emit_new(t, seen);
}

/* A task that was there before and has run, or may be another one with its tid. */
static int update_task(struct tt_proc_tasks *t, struct task *task, const struct task *seen)
{
	bool renamed = memcmp(task->comm, seen->comm, sizeof(seen->comm));
	bool moved = task->cgroup_id != seen->cgroup_id;
	int err = 0;

	if (task->start_ticks != seen->start_ticks) {
		err = emit_exit(t, task);
		*task = *seen;
		return err ? err : emit_new(t, task);
	}
	*task = *seen;
	if (renamed)
		err = emit_task(t, task, TT_TASK_RENAME);
	if (!err && moved)
		err = emit_task(t, task, TT_TASK_CGROUP);
	return err ? err : emit_counters(t, task);
}

static bool is_equal(const struct tt_proc_schedstat *a, const struct tt_proc_schedstat *b)
{
	return a->exec_ns == b->exec_ns && a->run_delay_ns == b->run_delay_ns &&
	       a->nr_timeslices == b->nr_timeslices;
}

static int read_schedstat(struct tt_proc_tasks *t, int task_fd, uint32_t tid, struct tt_proc_schedstat *ret)
{
	char path[32], text[128];
	ssize_t len;
	int err;

	snprintf(path, sizeof(path), "%u/schedstat", tid);
	len = tt_proc_read_small(task_fd, path, text, sizeof(text));
	err = len < 0 ? (int)len : tt_proc_parse_schedstat(text, (size_t)len, ret);
	if (!err) {
		t->stats.has_schedstat = true;
		t->stats.has_run_delay |= ret->nr_timeslices || ret->run_delay_ns;
	}
	return err;
}

/* Out of descriptors or memory is our trouble; everything else is a task that went away or may not be seen.
 */
static bool is_our_trouble(int err)
{
	return err == -EMFILE || err == -ENFILE || err == -ENOMEM;
}

static int scan_thread(struct tt_proc_tasks *t, int task_fd, uint32_t pid, uint32_t tid)
{
	struct task seen = { .tid = tid, .pid = pid, .scan = t->scan }, *task = find_slot(t, tid);
	int err = read_schedstat(t, task_fd, tid, &seen.counters);

	if (!err && task->tid && !t->is_last && is_equal(&task->counters, &seen.counters)) {
		task->scan = t->scan;
		return 0;
	}
	if (!err)
		err = read_identity(t, task_fd, &seen);
	if (err) {
		t->stats.nr_unreadable++;
		return is_our_trouble(err) ? err : 0;
	}
	err = task->tid ? update_task(t, task, &seen) : add_task(t, &seen);
	if (!err && t->is_last && find_slot(t, tid)->tid)
		err = emit_task(t, &seen, TT_TASK_AT_END);
	return err;
}

static int scan_process(struct tt_proc_tasks *t, uint32_t pid)
{
	struct tt_proc_dir dir;
	char path[32];
	uint32_t tid;
	int err;

	snprintf(path, sizeof(path), "%u/task", pid);
	err = tt_proc_dir_open(&dir, t->proc_fd, path);
	if (err) {
		t->stats.nr_unreadable++;
		return is_our_trouble(err) ? err : 0;
	}
	while ((err = tt_proc_dir_next(&dir, &tid)) > 0) {
		err = scan_thread(t, dir.fd, pid, tid);
		if (err)
			break;
	}
	tt_proc_dir_close(&dir);
	return err == -ENOENT || err == -ESRCH ? 0 : err; /* the process ended while we read its directory */
}

static int scan_processes(struct tt_proc_tasks *t)
{
	struct tt_proc_dir dir;
	uint32_t pid;
	int err;

	if (t->only_pid)
		return scan_process(t, t->only_pid);
	err = tt_proc_dir_open(&dir, t->proc_fd, ".");
	if (err)
		return err;
	while ((err = tt_proc_dir_next(&dir, &pid)) > 0) {
		err = scan_process(t, pid);
		if (err)
			break;
	}
	tt_proc_dir_close(&dir);
	return err;
}

/* A directory that changes while it is read may leave one out that is still there. */
static bool is_still_there(const struct tt_proc_tasks *t, const struct task *task)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "%u/task/%u", task->pid, task->tid);
	return !fstatat(t->proc_fd, path, &st, 0);
}

/* Says goodbye to those that this scan has not seen. */
static int sweep(struct tt_proc_tasks *t)
{
	int err = 0;

	for (unsigned i = 0; i < t->nr_slots && !err;) {
		struct task *task = &t->slots[i];

		if (!task->tid || task->scan == t->scan || is_still_there(t, task)) {
			i++;
			continue;
		}
		err = emit_exit(t, task);
		remove_task(t, task); /* may move another one into slot i */
	}
	return err;
}

static int emit_beyond(struct tt_proc_tasks *t, uint64_t since_ts_ns)
{
	struct tt_loss loss = { .since_ts_ns = since_ts_ns, .what = TT_LOSS_NAMES };

	if (t->nr_beyond_now <= t->stats.nr_beyond)
		return 0;
	loss.count = t->nr_beyond_now - t->stats.nr_beyond;
	t->stats.nr_beyond = t->nr_beyond_now;
	return tt_record_batch_add(&t->batch, &loss.rec, sizeof(loss), TT_EV_LOSS, TT_CPU_NONE, tt_now_ns());
}

int tt_proc_tasks_scan(struct tt_proc_tasks *t, const struct tt_sink *sink, bool is_last)
{
	uint64_t since_ts_ns = tt_now_ns();
	int err;

	t->scan++;
	t->is_last = is_last;
	t->nr_beyond_now = 0;
	t->stats.nr_unreadable = 0;
	tt_record_batch_init(&t->batch, sink);
	err = scan_processes(t);
	if (!err)
		err = sweep(t);
	if (!err)
		err = emit_beyond(t, since_ts_ns);
	if (!err)
		err = tt_record_batch_flush(&t->batch);
	t->stats.nr_tasks = t->nr_tasks;
	return err;
}

int tt_proc_tasks_open(const char *root, uint32_t pid, struct tt_proc_tasks **ret_tasks)
{
	long user_hz = sysconf(_SC_CLK_TCK);
	struct tt_proc_tasks *t = calloc(1, sizeof(*t));
	int root_fd, err;

	if (!t)
		return -ENOMEM;
	t->proc_fd = t->mounts.v2.fd = t->mounts.v1_cpu.fd = -1;
	t->only_pid = pid;
	t->our_pid = *root ? 0 : (uint32_t)getpid();
	t->ns_per_tick = 1000000000u / (user_hz > 0 ? (unsigned long)user_hz : 100);
	t->nr_slots = NR_SLOTS_AT_FIRST;
	t->slots = calloc(t->nr_slots, sizeof(*t->slots));
	if (!t->slots) {
		err = -ENOMEM;
		goto fail;
	}
	root_fd = tt_proc_open_root(root);
	if (root_fd < 0) {
		err = root_fd;
		goto fail;
	}
	tt_cgroup_mounts_open(&t->mounts, root_fd);
	t->proc_fd = openat(root_fd, "proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	err = t->proc_fd < 0 ? -errno : 0;
	close(root_fd);
	if (err)
		goto fail;
	*ret_tasks = t;
	return 0;
fail:
	tt_proc_tasks_close(t);
	return err;
}

void tt_proc_tasks_close(struct tt_proc_tasks *t)
{
	if (!t)
		return;
	if (t->proc_fd >= 0)
		close(t->proc_fd);
	tt_cgroup_mounts_close(&t->mounts);
	free(t->slots);
	free(t);
}

const struct tt_proc_tasks_stats *tt_proc_tasks_stats(const struct tt_proc_tasks *t)
{
	return &t->stats;
}

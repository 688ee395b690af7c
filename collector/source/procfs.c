/* SPDX-License-Identifier: GPL-2.0-or-later */
/* procfs - the source for hosts and users without BPF: polls /proc/stat, /proc/diskstats and
 * /proc/PID/task/TID/schedstat.
 *
 * Counters only, no single events: averages but no percentiles, %steal in whole USER_HZ ticks, no victims and
 * no stacks. Every interval one snapshot, then an epoch; one more at start and at stop. CPU filters are left
 * to the report: a line per CPU costs nothing.
 */
#include "collector/source/source.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "collector/base/log.h"
#include "collector/event/stat_line.h"
#include "collector/source/proc_file.h"
#include "collector/source/proc_parse.h"
#include "collector/source/proc_snapshot.h"
#include "collector/source/proc_tasks.h"
#include "collector/source/record_batch.h"

struct procfs_source {
	struct tt_source base;
	struct tt_sink tap; /* in front of base.sink: tells its errors from those of /proc */
	int sink_err;
	char *root;
	uint64_t interval_ns, due_ns;
	uint32_t device;
	unsigned probes;	/* TT_PROBE_* that can be read */
	unsigned failed_probes; /* said so already */
	bool started;
	struct tt_proc_tasks *tasks; /* NULL unless TT_PROBE_RUNQ */
	struct tt_proc_known_disks known_disks;
	uint32_t user_hz;
	struct tt_stat_line *stat_lines; /* by CPU */
	unsigned nr_stat_lines;		 /* at most TT_PROC_CPUS_MAX */
	uint64_t stat_ts_ns, last_stat_ts_ns; /* of this look at /proc/stat, and of the one before */
	uint64_t nr_jumps;
};

struct procfs_probe {
	unsigned bit;
	const char *name, *rung, *detail;
	const char *quantity;
	const char *path; /* what must be readable below the root */
};

static const struct procfs_probe procfs_probes[] = {
	{ TT_PROBE_STEAL, "steal", "/proc/stat", "column steal of each CPU, in USER_HZ ticks",
	  "steal (/proc/stat)", "proc/stat" },
	{ TT_PROBE_DISK, "disk", "/proc/diskstats", "counters of each device; averages only",
	  "disk statistics (/proc/diskstats)", "proc/diskstats" },
	{ TT_PROBE_RUNQ, "runq", "/proc/PID/schedstat", "run delay of each task; sums only",
	  "run-queue delay", "proc" },
};
enum { NR_PROCFS_PROBES = sizeof(procfs_probes) / sizeof(procfs_probes[0]) };

static int tap_batch(void *ctx, const void *batch, size_t len)
{
	struct procfs_source *p = ctx;
	int err = p->base.sink.batch(p->base.sink.ctx, batch, len);

	if (err)
		p->sink_err = err;
	return err;
}

static const struct procfs_probe *find_hook(const char *hook)
{
	for (unsigned i = 0; i < NR_PROCFS_PROBES; i++) {
		size_t len = strlen(procfs_probes[i].name);

		if (!strncmp(hook, procfs_probes[i].name, len) && hook[len] == '=' &&
		    !strcmp(hook + len + 1, procfs_probes[i].rung))
			return &procfs_probes[i];
	}
	return NULL;
}

static int check_hooks(const struct tt_source_options *opts)
{
	for (unsigned i = 0; i < opts->nr_hooks; i++) {
		if (find_hook(opts->hooks[i]))
			continue;
		log_error("procfs: has no hook '%s'; it has steal=/proc/stat, disk=/proc/diskstats and "
			  "runq=/proc/PID/schedstat",
			  opts->hooks[i]);
		return -EINVAL;
	}
	return 0;
}

static void describe_probe(struct tt_info *info, const struct procfs_probe *probe, bool is_read)
{
	struct tt_probe_info *out;

	if (info->nr_probes >= TT_INFO_NR_PROBES)
		return;
	out = &info->probes[info->nr_probes++];
	memset(out, 0, sizeof(*out));
	snprintf(out->probe, sizeof(out->probe), "%s", probe->name);
	if (is_read) {
		snprintf(out->rung, sizeof(out->rung), "%s", probe->rung);
		snprintf(out->detail, sizeof(out->detail), "%s", probe->detail);
	}
}

static bool can_read(int root_fd, const char *path)
{
	return !faccessat(root_fd, path, R_OK, 0);
}

/* NULL, or why there is no run delay. Our own schedstat tells: we have run, so a kernel that counts says more
 * than "0 0 0". A fixture has no "self"; there the first scan tells. */
static const char *why_no_run_delay(int root_fd)
{
	struct tt_proc_schedstat ours;
	char text[4096];
	ssize_t len;

	if (tt_proc_read_small(root_fd, "proc/self/stat", text, sizeof(text)) < 0)
		return NULL;
	len = tt_proc_read_small(root_fd, "proc/self/schedstat", text, sizeof(text));
	if (len < 0 || tt_proc_parse_schedstat(text, (size_t)len, &ours))
		return "this kernel has no /proc/PID/schedstat";
	if (!ours.nr_timeslices && !ours.exec_ns)
		return "this kernel does not count in /proc/PID/schedstat (see kernel.task_delayacct)";
	return NULL;
}

static void choose_probes(struct procfs_source *p, int root_fd, unsigned wanted, struct tt_info *info)
{
	info->nr_probes = 0;
	for (unsigned i = 0; i < NR_PROCFS_PROBES; i++) {
		const struct procfs_probe *probe = &procfs_probes[i];
		const char *why_not = can_read(root_fd, probe->path) ? NULL : "it cannot be read";

		if (!(wanted & probe->bit))
			continue;
		if (!why_not && probe->bit == TT_PROBE_RUNQ)
			why_not = why_no_run_delay(root_fd);
		if (why_not)
			log_warn("procfs: %s not available: %s", probe->quantity, why_not);
		else
			p->probes |= probe->bit;
		describe_probe(info, probe, !why_not);
	}
}

static void procfs_close(struct tt_source *src)
{
	struct procfs_source *p = (struct procfs_source *)src;

	if (!p)
		return;
	tt_proc_tasks_close(p->tasks);
	free(p->stat_lines);
	free(p->root);
	free(p);
}

static int procfs_open(const struct tt_source_options *opts, struct tt_info *info, const struct tt_sink *sink,
		       struct tt_source **ret_src)
{
	const char *root = opts->proc_root ? opts->proc_root : "";
	struct procfs_source *p;
	int root_fd = -1, err = check_hooks(opts);

	if (err)
		return err;
	p = calloc(1, sizeof(*p));
	if (!p)
		return -ENOMEM;
	p->base.ops = &tt_source_procfs;
	p->base.sink = *sink;
	p->tap = (struct tt_sink){ .ctx = p, .batch = tap_batch };
	p->interval_ns = opts->interval_ns ? opts->interval_ns : 1000000000u;
	p->device = opts->device;
	p->user_hz = info->user_hz;
	p->root = strdup(root);
	if (!p->root) {
		err = -ENOMEM;
		goto fail;
	}
	root_fd = tt_proc_open_root(root);
	if (root_fd < 0) {
		err = root_fd;
		log_error("procfs: cannot open '%s': %s", *root ? root : "/", strerror(-err));
		goto fail;
	}
	choose_probes(p, root_fd, opts->probes ? opts->probes : TT_PROBE_DEFAULT, info);
	close(root_fd);
	if (!p->probes) {
		err = -ENOSYS;
		log_error("procfs: nothing to read below '%s/proc'", root);
		goto fail;
	}
	if (p->probes & TT_PROBE_RUNQ) {
		err = tt_proc_tasks_open(root, opts->pid, &p->tasks);
		if (err) {
			log_error("procfs: cannot scan tasks: %s", strerror(-err));
			goto fail;
		}
	}
	snprintf(info->source, sizeof(info->source), "procfs");
	*ret_src = &p->base;
	return 0;
fail:
	procfs_close(&p->base);
	return err;
}

/* A file of /proc that cannot be read any more ends its probe's numbers, not the recording. Said once. */
static int judge(struct procfs_source *p, unsigned probe_bit, int err)
{
	if (p->sink_err || !err || err == -ENOMEM)
		return p->sink_err ? p->sink_err : err;
	for (unsigned i = 0; i < NR_PROCFS_PROBES; i++)
		if (procfs_probes[i].bit == probe_bit && !(p->failed_probes & probe_bit))
			log_warn("procfs: cannot read %s: %s", procfs_probes[i].rung, strerror(-err));
	p->failed_probes |= probe_bit;
	return 0;
}

/* NULL: beyond the bound, or no memory. */
static struct tt_stat_line *stat_line(struct procfs_source *p, unsigned cpu)
{
	unsigned nr = p->nr_stat_lines;
	struct tt_stat_line *grown;

	if (cpu < nr)
		return &p->stat_lines[cpu];
	if (cpu >= TT_PROC_CPUS_MAX)
		return NULL;
	grown = realloc(p->stat_lines, (cpu + 1) * sizeof(*grown));
	if (!grown)
		return NULL;
	memset(grown + nr, 0, (cpu + 1 - nr) * sizeof(*grown));
	p->stat_lines = grown;
	p->nr_stat_lines = cpu + 1;
	return &grown[cpu];
}

/* Tells of a jump of steal; how much of it counts is for the analysis to say, by the same rule. */
static void watch_steal(void *ctx, struct tt_cpu_counters *counters)
{
	struct procfs_source *p = ctx;
	struct tt_stat_line *line = stat_line(p, counters->rec.cpu);
	struct tt_loss loss = { .count = 1, .what = TT_LOSS_JUMP };
	uint64_t grown[TT_STAT_NR], ts_ns = counters->rec.ts_ns;
	struct tt_record_batch batch;

	if (ts_ns != p->stat_ts_ns) {
		p->last_stat_ts_ns = p->stat_ts_ns;
		p->stat_ts_ns = ts_ns;
	}
	if (!line)
		return;
	loss.since_ts_ns = line->ts_ns;
	if (!tt_stat_line_follow(line, counters, p->user_hz, line->ts_ns < p->last_stat_ts_ns, grown))
		return;
	p->nr_jumps++;
	tt_record_batch_init(&batch, &p->tap); /* which remembers its error */
	tt_record_batch_add(&batch, &loss.rec, sizeof(loss), TT_EV_LOSS, counters->rec.cpu, ts_ns);
	tt_record_batch_flush(&batch);
}

static int take_snapshot(struct procfs_source *p, bool is_last)
{
	int err = 0;

	p->sink_err = 0;
	if (p->probes & TT_PROBE_STEAL)
		err = judge(p, TT_PROBE_STEAL, tt_proc_emit_cpu_counters(p->root, &p->tap, watch_steal, p));
	if (!err && p->probes & TT_PROBE_DISK)
		err = judge(p, TT_PROBE_DISK,
			    tt_proc_emit_disk_counters(p->root, &p->tap, p->device, &p->known_disks));
	if (!err && p->tasks)
		err = judge(p, TT_PROBE_RUNQ, tt_proc_tasks_scan(p->tasks, &p->tap, is_last));
	if (!err)
		err = p->base.sink.epoch(p->base.sink.ctx, tt_now_ns());
	return err;
}

/* After the first scan it is known whether the kernel counts at all. */
static void warn_about_tasks(struct procfs_source *p)
{
	const struct tt_proc_tasks_stats *stats;

	if (!p->tasks)
		return;
	stats = tt_proc_tasks_stats(p->tasks);
	if (!stats->nr_tasks)
		log_warn("procfs: run-queue delay not available: no task's schedstat can be read");
	else if (!stats->has_run_delay)
		log_warn("procfs: run-queue delay not available: /proc/PID/schedstat counts for no task");
	if (stats->nr_beyond)
		log_warn("procfs: more than %d tasks: %llu are left out", TT_PROC_TASKS_MAX,
			 (unsigned long long)stats->nr_beyond);
}

static int procfs_start(struct tt_source *src)
{
	struct procfs_source *p = (struct procfs_source *)src;
	int err;

	p->due_ns = tt_now_ns() + p->interval_ns;
	p->started = true;
	err = take_snapshot(p, false);
	if (!err)
		warn_about_tasks(p);
	return err;
}

/* Sleeps up to timeout_ms (negative = no limit) but no longer than until the next snapshot is due. */
static int sleep_until_due(const struct procfs_source *p, int timeout_ms)
{
	uint64_t now_ns = tt_now_ns(), sleep_ns = p->due_ns > now_ns ? p->due_ns - now_ns : 0;
	struct timespec sleep;

	if (timeout_ms >= 0 && sleep_ns > (uint64_t)timeout_ms * 1000000u)
		sleep_ns = (uint64_t)timeout_ms * 1000000u;
	sleep.tv_sec = (time_t)(sleep_ns / 1000000000u);
	sleep.tv_nsec = (long)(sleep_ns % 1000000000u);
	return sleep_ns && ppoll(NULL, 0, &sleep, NULL) < 0 ? -errno : 0;
}

static int procfs_poll(struct tt_source *src, int timeout_ms)
{
	struct procfs_source *p = (struct procfs_source *)src;
	uint64_t now_ns;
	int err = sleep_until_due(p, timeout_ms);

	now_ns = tt_now_ns();
	if (err || now_ns < p->due_ns)
		return err;
	/* Keeps the beat; after a pause (a stopped process, a suspended machine) it begins anew. */
	p->due_ns += p->interval_ns;
	if (p->due_ns <= now_ns)
		p->due_ns = now_ns + p->interval_ns;
	return take_snapshot(p, false);
}

static int procfs_stop(struct tt_source *src)
{
	struct procfs_source *p = (struct procfs_source *)src;

	if (!p->started)
		return 0;
	p->started = false;
	return take_snapshot(p, true);
}

static void procfs_stats(struct tt_source *src, struct tt_source_stats *ret_stats)
{
	const struct procfs_source *p = (const struct procfs_source *)src;

	memset(ret_stats, 0, sizeof(*ret_stats));
	ret_stats->nr_lost[TT_LOSS_JUMP] = p->nr_jumps;
	if (p->tasks)
		ret_stats->nr_lost[TT_LOSS_NAMES] = tt_proc_tasks_stats(p->tasks)->nr_beyond;
}

const struct tt_source_ops tt_source_procfs = {
	.name = "procfs",
	.help = "counters of /proc: needs no privileges, has no single events",
	.open = procfs_open,
	.start = procfs_start,
	.poll = procfs_poll,
	.stop = procfs_stop,
	.stats = procfs_stats,
	.close = procfs_close,
};

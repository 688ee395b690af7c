/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/symbol/symbols.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "collector/base/log.h"
#include "collector/source/proc_parse.h"
#include "collector/source/record_batch.h"
#include "collector/symbol/symbols_private.h"

enum { NR_WAITING_AT_FIRST = 4096 };

#define TICK_NS 50000000ull /* rings are drained so often, where batches come so often */

static void open_kallsyms(struct tt_symbols *s)
{
	s->kallsyms_err = tt_kallsyms_open(s->opts.root, &s->kallsyms);
	if (s->kallsyms_err || !tt_kallsyms_are_hidden(s->kallsyms))
		return;
	tt_kallsyms_close(s->kallsyms);
	s->kallsyms = NULL;
	s->kallsyms_err = -EPERM;
}

/* Stacks have the numbers of the first of all pid namespaces, /proc has those of ours. */
#define INITIAL_PID_NAMESPACE 0xeffffffcu

static bool has_other_pids(const struct tt_symbols *s)
{
	struct stat st;

	return !*s->opts.root && !stat("/proc/self/ns/pid", &st) && st.st_ino != INITIAL_PID_NAMESPACE;
}

static void open_copies(struct tt_symbols *s)
{
	int err = s->opts.copies ? tt_copies_open(&s->copies, s->opts.copies) : 0;

	if (err)
		log_warn("symbols: %s: cannot keep copies of stacks there: %s: stacks are by frame pointers", s->opts.copies, strerror(-err));
}

int tt_symbols_open(const struct tt_symbols_options *opts, struct tt_symbols **ret_s)
{
	struct tt_symbols *s = calloc(1, sizeof(*s));
	struct rlimit fds = { .rlim_cur = 4 * TT_SYMBOLS_FDS_MAX };
	int err;

	if (!s)
		return -ENOMEM;
	s->opts = *opts;
	s->as_of = s->exits_as_of = 1;
	s->files.root_fd = s->files.proc_fd = -1;
	for (unsigned i = 0; i < TT_EARLY_JOBS_MAX; i++)
		s->early_jobs[i] = (struct tt_early_job){ .s = s };
	err = tt_resolver_open(opts->inlines, &s->resolver); /* first: it inherits what is there */
	if (err)
		log_error("symbols: cannot fork: %s", strerror(-err));
	if (!err)
		err = tt_dsos_open(&s->dsos);
	if (!err)
		tt_mappings_open(&s->mappings, &s->dsos);
	if (!err)
		err = tt_dso_files_open(&s->files, opts->root, &s->mappings);
	if (err) {
		tt_symbols_close(s);
		return err;
	}
	tt_addresses_open(&s->addresses);
	tt_id_set_init(&s->stacks, TT_SYMBOLS_STACKS_MAX);
	tt_slots_init(&s->held_slots);
	open_copies(s);
	getrlimit(RLIMIT_NOFILE, &fds);
	s->fds_max = fds.rlim_cur / 4 < TT_SYMBOLS_FDS_MAX ? (uint32_t)fds.rlim_cur / 4 : TT_SYMBOLS_FDS_MAX;
	open_kallsyms(s);
	s->no_processes = has_other_pids(s);
	if (!s->no_processes && !*opts->root)
		s->rings_err = tt_map_rings_open(&s->rings);
	s->started_ts_ns = tt_now_ns();
	*ret_s = s;
	return 0;
}

void tt_symbols_close(struct tt_symbols *s)
{
	if (!s)
		return;
	tt_symbols_end_early_jobs(s);
	tt_symbols_close_copies(s); /* hold mappings */
	tt_map_queue_free(&s->queue, &s->dsos);
	tt_mappings_close(&s->mappings);
	tt_dsos_close(&s->dsos);
	tt_addresses_close(&s->addresses);
	tt_dso_files_close(&s->files);
	tt_kallsyms_close(s->kallsyms);
	tt_map_rings_close(s->rings);
	tt_resolver_close(s->resolver);
	tt_id_set_free(&s->stacks);
	free(s->waiting);
	free(s->leavers);
	free(s->answers);
	free(s);
}

/* --- start --- */

static uint32_t parent_of(struct tt_symbols *s, uint32_t pid)
{
	struct tt_proc_task_stat stat;
	char path[32], text[1024];
	ssize_t len;

	snprintf(path, sizeof(path), "%u/stat", pid);
	len = tt_proc_read_small(s->files.proc_fd, path, text, sizeof(text));
	return len < 0 || tt_proc_parse_task_stat(text, (size_t)len, &stat) ? 0 : stat.parent_pid;
}

static void say_what_is_missing(const struct tt_symbols *s)
{
	if (s->kallsyms_err == -EPERM)
		log_warn("symbols: /proc/kallsyms hides addresses (kernel.kptr_restrict, CAP_SYSLOG): "
			 "functions "
			 "of the kernel have no names");
	else if (s->kallsyms_err)
		log_warn("symbols: cannot open /proc/kallsyms: %s: functions of the kernel have no names",
			 strerror(-s->kallsyms_err));
	if (s->no_processes)
		log_warn("symbols: in this pid namespace (a container?) processes have other numbers than in "
			 "stacks: "
			 "only functions of the kernel have names");
	if (s->rings_err)
		log_warn("symbols: no events of mappings (perf_event_open: %s): processes that exit early, "
			 "and what is unmapped, have no names",
			 strerror(-s->rings_err));
}

void tt_symbols_start(struct tt_symbols *s)
{
	struct tt_proc_dir dir;
	uint32_t pid;

	say_what_is_missing(s);
	s->started_ts_ns = tt_now_ns();
	if (s->no_processes || tt_proc_dir_open(&dir, s->files.proc_fd, "."))
		return;
	while (tt_proc_dir_next(&dir, &pid) > 0) {
		struct tt_process *p;

		if (tt_symbols_read_maps(s, pid))
			continue; /* a kernel thread, or gone, or not for us to see */
		p = tt_mappings_process(&s->mappings, pid);
		if (!p)
			continue;
		p->parent_pid = parent_of(s, pid);
		p->has_threads = true; /* for all we know */
	}
	tt_proc_dir_close(&dir);
}

void tt_symbols_file_failed(struct tt_symbols *s, const char *path, int err)
{
	enum { WARNINGS_MAX = 5 };

	s->stats.nr_files_failed++;
	if (s->stats.nr_files_failed <= WARNINGS_MAX)
		log_warn("symbols: %s: %s: its functions have no names%s", path,
			 err == -EPROTO	     ? "reading it failed"
			 : err == -ETIMEDOUT ? "reading it takes too long"
					     : "nobody is there to read it",
			 s->stats.nr_files_failed == WARNINGS_MAX ? " (more are counted)" : "");
}

/* --- batches --- */

static bool wait_for_epoch(struct tt_symbols *s, uint32_t address)
{
	if (s->nr_waiting == s->waiting_room) {
		uint32_t room = s->waiting_room ? 2 * s->waiting_room : NR_WAITING_AT_FIRST;
		uint32_t *waiting = realloc(s->waiting, room * sizeof(*waiting));

		if (!waiting)
			return false;
		s->waiting = waiting;
		s->waiting_room = room;
	}
	s->waiting[s->nr_waiting++] = address;
	return true;
}

static void note_address(struct tt_symbols *s, const struct tt_stack *stack, uint64_t ip, bool is_return)
{
	bool is_new;
	uint32_t i = tt_addresses_note(&s->addresses, stack->space, ip, is_return, &is_new);
	struct tt_address *address;

	if (i == TT_SLOTS_NONE || !is_new)
		return;
	address = &s->addresses.entries[i];
	if (!(stack->flags & TT_STACK_USER)) {
		address->flags |= TT_ADDRESS_KERNEL;
		address->dso = TT_DSO_NONE;
		address->offset = ip;
	} else if (!s->no_processes && wait_for_epoch(s, i)) {
		address->flags |= TT_ADDRESS_WAITS;
		address->pid = stack->pid;
		address->seen_ts_ns = stack->rec.ts_ns;
	} else {
		address->dso = TT_DSO_NONE;
		address->offset = ip;
	}
}

static void note_addresses(struct tt_symbols *s, const struct tt_stack *stack)
{
	const uint64_t *ips = (const uint64_t *)(const void *)(stack + 1);
	size_t nr = (stack->rec.size - sizeof(*stack)) / sizeof(*ips);

	if (stack->nr < nr)
		nr = stack->nr;
	for (size_t i = 0; i < nr; i++)
		note_address(s, stack, ips[i], i > 0);
}

static void tick(struct tt_symbols *s)
{
	tt_symbols_drain(s);
	tt_symbols_step_early_jobs(s, 0);
}

const struct tt_batch *tt_symbols_note_batch(struct tt_symbols *s, const struct tt_batch *batch)
{
	const char *at = (const char *)(batch + 1), *end = (const char *)batch + batch->size;
	bool is_known = batch->nr_records > 0;

	if (batch->base_ts_ns > s->ticked_ts_ns + TICK_NS) {
		s->ticked_ts_ns = batch->base_ts_ns;
		tick(s);
	}
	if (batch->stream != TT_STREAM_RECORDS)
		return batch;
	while (at < end) {
		const struct tt_stack *stack = (const void *)at;
		enum tt_id_seen seen;

		at += stack->rec.size;
		if (stack->rec.kind == TT_EV_USER_COPY) {
			tt_symbols_take_copy(s, (const void *)stack);
			return tt_symbols_without_copy(s, batch); /* it is alone in its batch */
		}
		if (stack->rec.kind != TT_EV_STACK) {
			is_known = false;
			continue;
		}
		seen = tt_id_set_add(&s->stacks, stack->id);
		if (seen == TT_ID_KNOWN)
			continue;
		s->stats.nr_stacks_beyond += seen == TT_ID_NO_ROOM;
		is_known = false;
		note_addresses(s, stack);
	}
	return is_known ? NULL : batch;
}

void tt_symbols_epoch(struct tt_symbols *s, uint64_t until_ts_ns)
{
	s->epoch++;
	tt_symbols_drain(s);
	if (!s->rings || tt_map_rings_follow_cpus(s->rings))
		s->as_of++;
	if (s->as_of != s->exits_as_of) { /* something changed unseen */
		tt_symbols_notice_exits(s);
		s->exits_as_of = s->as_of;
	}
	tt_symbols_advance(s, until_ts_ns);
	tt_symbols_retry_jits(s);
	tt_symbols_step_early_jobs(s, 0);
}

void tt_symbols_read_stats(const struct tt_symbols *s, struct tt_symbols_stats *ret_stats)
{
	*ret_stats = s->stats;
	ret_stats->nr_addresses = s->addresses.nr;
	ret_stats->nr_addresses_beyond = s->addresses.nr_beyond;
	ret_stats->nr_lost[TT_LOSS_MAPPINGS] += s->mappings.nr_beyond + s->dsos.nr_beyond;
	ret_stats->ring_bytes += s->rings ? tt_map_rings_bytes(s->rings) : 0;
}

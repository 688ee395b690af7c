/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From addresses to files: what was mapped there when the stack was taken. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "collector/source/record_batch.h"
#include "collector/symbol/proc_maps.h"
#include "collector/symbol/symbols_private.h"

enum { NR_LEAVERS_AT_FIRST = 64 };

static void map(struct tt_symbols *s, uint32_t pid, const struct tt_map_event *event)
{
	uint32_t dso = tt_dsos_get(&s->dsos, event);
	const struct tt_mapping mapping = { event->start, event->end, event->offset, dso, 0 };

	if (dso != TT_DSO_NONE)
		tt_mappings_map(&s->mappings, pid, &mapping);
}

int tt_symbols_read_maps(struct tt_symbols *s, uint32_t pid)
{
	struct tt_map_event event = { .ts_ns = tt_now_ns() };
	struct tt_proc_map line;
	struct tt_process *p;
	const char *pos, *end;
	char path[32];
	int err;

	snprintf(path, sizeof(path), "%u/maps", pid);
	err = tt_text_read(&s->files.text, s->files.proc_fd, path);
	if (err || !s->files.text.len) /* nothing: a kernel thread, or it has just exited */
		return err ? err : -ESRCH;
	tt_mappings_exec(&s->mappings, pid);
	p = tt_mappings_process(&s->mappings, pid);
	if (p)
		p->as_of = s->as_of;
	end = s->files.text.bytes + s->files.text.len;
	for (pos = s->files.text.bytes; tt_proc_next_map(&pos, end, &line);) {
		if (!line.is_executable)
			continue;
		event.start = line.start;
		event.end = line.end;
		event.offset = line.offset;
		event.major = line.major;
		event.minor = line.minor;
		event.ino = line.ino;
		event.path = line.path;
		map(s, pid, &event);
	}
	return 0;
}

/* --- from the rings into the queue --- */

static void take_event(void *ctx, const struct tt_map_event *event)
{
	struct tt_symbols *s = ctx;
	struct tt_map_queued queued = {
		.ts_ns = event->ts_ns,
		.start = event->start,
		.end = event->end,
		.offset = event->offset,
		.kind = event->kind,
		.pid = event->pid,
		.other = event->parent_pid,
	};

	if (event->kind == TT_MAP_EVENT_LOST) {
		s->stats.nr_lost[TT_LOSS_MAPPINGS] += event->nr_lost;
		s->as_of++;
		return;
	}
	if (event->kind == TT_MAP_EVENT_MAP) {
		queued.other = tt_dsos_get(&s->dsos, event);
		if (queued.other == TT_DSO_NONE)
			return;
	}
	if (tt_map_queue_put(&s->queue, queued))
		return;
	/* Rather than lose it, believe early that all stacks of its time have come. */
	tt_symbols_advance(s, event->ts_ns);
	if (tt_map_queue_put(&s->queue, queued))
		return;
	if (event->kind == TT_MAP_EVENT_MAP)
		tt_dsos_unref(&s->dsos, queued.other);
	s->stats.nr_lost[TT_LOSS_MAPPINGS]++;
	s->as_of++;
}

void tt_symbols_drain(struct tt_symbols *s)
{
	if (s->rings)
		tt_map_rings_drain(s->rings, take_event, s);
}

/* --- events --- */

static void on_exit_event(struct tt_symbols *s, struct tt_process *p)
{
	if (p->has_exited)
		return;
	if (s->nr_leavers == s->leavers_room) {
		uint32_t room = s->leavers_room ? 2 * s->leavers_room : NR_LEAVERS_AT_FIRST;
		struct tt_leaver *leavers = realloc(s->leavers, room * sizeof(*leavers));

		if (!leavers)
			return; /* it stays, as if it lived */
		s->leavers = leavers;
		s->leavers_room = room;
	}
	p->has_exited = true;
	s->leavers[s->nr_leavers++] = (struct tt_leaver){ .pid = p->pid, .epoch = s->epoch };
}

static void apply(struct tt_symbols *s, const struct tt_map_queued *event)
{
	struct tt_process *p = tt_mappings_process(&s->mappings, event->pid);
	const struct tt_mapping mapping = { event->start, event->end, event->offset, event->other, 0 };

	switch (event->kind) {
	case TT_MAP_EVENT_MAP:
		tt_mappings_map(&s->mappings, event->pid, &mapping);
		break;
	case TT_MAP_EVENT_FORK:
		if (p && p->nr_held) /* one that had the number before */
			tt_symbols_release_holder(s, event->pid);
		tt_mappings_fork(&s->mappings, event->other, event->pid);
		break;
	case TT_MAP_EVENT_THREAD:
		if (p)
			p->has_threads = true;
		break;
	case TT_MAP_EVENT_EXEC:
		if (p && p->nr_held)
			tt_symbols_release_holder(s, event->pid);
		tt_mappings_exec(&s->mappings, event->pid);
		p = tt_mappings_process(&s->mappings, event->pid);
		if (p)
			p->as_of = s->as_of; /* from here on all is told */
		break;
	case TT_MAP_EVENT_EXIT:
		if (p)
			on_exit_event(s, p);
		break;
	default:
		break;
	}
}

/* The first thread has exited; the process lives on while another one does. */
static bool has_more_threads(const struct tt_symbols *s, uint32_t pid)
{
	struct tt_proc_dir dir;
	unsigned nr = 0;
	char path[32];
	uint32_t tid;

	snprintf(path, sizeof(path), "%u/task", pid);
	if (tt_proc_dir_open(&dir, s->files.proc_fd, path))
		return false;
	while (nr < 2 && tt_proc_dir_next(&dir, &tid) > 0)
		nr++;
	tt_proc_dir_close(&dir);
	return nr > 1;
}

/* Nobody tells of exits: look who is gone. */
void tt_symbols_notice_exits(struct tt_symbols *s)
{
	for (uint32_t i = 0; i < s->mappings.nr; i++) {
		struct stat st;
		char path[16];

		snprintf(path, sizeof(path), "%u", s->mappings.processes[i].pid);
		if (fstatat(s->files.proc_fd, path, &st, 0))
			on_exit_event(s, &s->mappings.processes[i]);
	}
}

/* Those that exited in the epoch before are not needed any more: stacks come late, but not so late. */
static void bury(struct tt_symbols *s)
{
	uint32_t nr = 0;

	for (uint32_t i = 0; i < s->nr_leavers; i++) {
		const struct tt_leaver leaver = s->leavers[i];
		struct tt_process *p = tt_mappings_process(&s->mappings, leaver.pid);

		if (!p || !p->has_exited) /* another process by now */
			continue;
		if (leaver.epoch == s->epoch || (p->has_threads && has_more_threads(s, leaver.pid))) {
			s->leavers[nr++] = leaver;
			continue;
		}
		if (p->nr_held)
			tt_symbols_release_holder(s, leaver.pid);
		tt_mappings_forget(&s->mappings, leaver.pid);
	}
	s->nr_leavers = nr;
}

/* --- addresses --- */

/* Its mappings, read anew if they may not be what they were: events were lost, or never came. */
static void make_current(struct tt_symbols *s, uint32_t pid)
{
	const struct tt_process *p = tt_mappings_process(&s->mappings, pid);
	struct tt_process *now;

	if (p && (p->as_of == s->as_of || p->has_exited))
		return;
	tt_symbols_read_maps(s, pid);
	now = tt_mappings_process(&s->mappings, pid);
	if (now)
		now->as_of = s->as_of; /* gone, or read: either way not again before more is lost */
}

/* Memory of a JIT: addresses are looked up as they are, in the table of their own process. */
static bool use_jit(struct tt_symbols *s, struct tt_address *address, uint32_t pid, bool only_with_table)
{
	uint32_t dso = tt_dsos_get_jit(&s->dsos, address->space, pid);

	if (dso == TT_DSO_NONE)
		return false;
	tt_symbols_see_jit(s, dso);
	if (only_with_table && tt_dso(&s->dsos, dso)->fd < 0) {
		tt_dsos_unref(&s->dsos, dso);
		return false;
	}
	address->dso = dso;
	address->offset = address->ip;
	return true;
}

void tt_symbols_place(struct tt_symbols *s, struct tt_address *address, uint32_t pid, const struct tt_mapping *mapping)
{
	const struct tt_dso *dso = tt_dso(&s->dsos, mapping->dso);

	if (dso->kind == TT_DSO_ANON) {
		use_jit(s, address, pid, false);
		return;
	}
	if (dso->kind == TT_DSO_VDSO && sizeof(long) == 8 && mapping->end <= UINT32_MAX)
		return; /* of a 32-bit process: not like ours */
	if (dso->is_memfd && use_jit(s, address, pid, true))
		return;
	address->dso = mapping->dso;
	address->offset = address->ip - mapping->start + mapping->offset;
	tt_dsos_ref(&s->dsos, mapping->dso);
	tt_symbols_see(s, mapping->dso, pid, address->ip - tt_address_back(address));
}

static void attribute(struct tt_symbols *s, struct tt_address *address)
{
	uint32_t pid = address->pid;
	struct tt_mapping mapping;

	address->flags &= (uint8_t)~TT_ADDRESS_WAITS;
	address->dso = TT_DSO_NONE;
	address->offset = address->ip;
	make_current(s, pid);
	if (tt_mappings_find(&s->mappings, pid, address->ip - tt_address_back(address), &mapping))
		tt_symbols_place(s, address, pid, &mapping);
}

static int compare_seen(const void *a, const void *b, void *ctx)
{
	const struct tt_address *entries = ctx;
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	if (entries[x].seen_ts_ns != entries[y].seen_ts_ns)
		return entries[x].seen_ts_ns < entries[y].seen_ts_ns ? -1 : 1;
	return x < y ? -1 : x > y;
}

static int compare_copies(const void *a, const void *b)
{
	const struct tt_copy_entry *x = a, *y = b;

	return x->ts_ns < y->ts_ns ? -1 : x->ts_ns > y->ts_ns;
}

static void sort_waiting(struct tt_symbols *s)
{
	uint32_t nr_copies = s->copies.nr - s->nr_copies_placed;

	if (s->nr_waiting)
		qsort_r(s->waiting, s->nr_waiting, sizeof(*s->waiting), compare_seen, s->addresses.entries);
	if (nr_copies)
		qsort(s->copies.entries + s->nr_copies_placed, nr_copies, sizeof(*s->copies.entries), compare_copies);
}

/* Addresses, copies and events up to a time, in order of time. */
void tt_symbols_advance(struct tt_symbols *s, uint64_t until_ts_ns)
{
	uint32_t nr_events = tt_map_queue_sort(&s->queue, until_ts_ns), event = 0, i = 0;
	struct tt_address *entries = s->addresses.entries;

	sort_waiting(s);
	for (;;) {
		uint64_t address_ts_ns = i < s->nr_waiting ? entries[s->waiting[i]].seen_ts_ns : UINT64_MAX;
		uint64_t copy_ts_ns = s->nr_copies_placed < s->copies.nr ? s->copies.entries[s->nr_copies_placed].ts_ns : UINT64_MAX;
		uint64_t ts_ns = address_ts_ns < copy_ts_ns ? address_ts_ns : copy_ts_ns;

		if (ts_ns > until_ts_ns || ts_ns == UINT64_MAX)
			break;
		while (event < nr_events && s->queue.events[event].ts_ns <= ts_ns)
			apply(s, &s->queue.events[event++]);
		if (address_ts_ns <= copy_ts_ns) {
			attribute(s, &entries[s->waiting[i++]]);
		} else {
			if (!s->no_processes)
				make_current(s, s->copies.entries[s->nr_copies_placed].pid);
			tt_symbols_place_copy(s, s->nr_copies_placed++);
		}
	}
	s->nr_waiting -= i;
	if (i && s->nr_waiting)
		memmove(s->waiting, s->waiting + i, s->nr_waiting * sizeof(*s->waiting));
	while (event < nr_events)
		apply(s, &s->queue.events[event++]);
	tt_map_queue_drop(&s->queue, nr_events);
	bury(s);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files while their processes live.
 *
 * A file is held open by the first process that we see code of it in (its holder). When the holder exits, the file is let go if it can be opened
 * by its path at the end; else a relative of the holder in the same mount namespace becomes the holder; else what is known to be
 * needed of it is asked at once, in the background. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "collector/symbol/debug_files.h"
#include "collector/symbol/symbols_private.h"

enum {
	LOOKS_MAX = 200, /* in vain, at one file */
	ANCESTORS_MAX = 16,
	JIT_RETRIES_PER_EPOCH = 32,
	ANSWERS_AT_FIRST = 4096,
};

/* False: we would not hear when that process exits. */
static bool set_holder(struct tt_symbols *s, struct tt_dso *dso, uint32_t pid)
{
	struct tt_process *p = tt_mappings_process(&s->mappings, pid);

	dso->holder_pid = p ? pid : 0;
	if (p)
		p->nr_held++;
	return p;
}

/* Ordinary files leave half of the room to those that cannot be had otherwise. */
static bool may_hold(const struct tt_symbols *s, const struct tt_dso *dso)
{
	return s->dsos.nr_fds < (dso->mount_ns || dso->is_homeless ? s->fds_max : s->fds_max / 2);
}

/* Through a process in the family of pid, which is gone or never to be looked at, and in a mount namespace that is not ours: a container
 * runs many short programs. */
static int look_through_relative(struct tt_symbols *s, struct tt_dso *dso, uint32_t pid, uint32_t *ret_pid)
{
	enum tt_found found;

	for (unsigned i = 0; i < ANCESTORS_MAX; i++) {
		const struct tt_process *p = tt_mappings_process(&s->mappings, pid);
		uint64_t mount_ns;
		int fd;

		pid = p ? p->parent_pid : 0;
		if (pid <= 1)
			break;
		mount_ns = tt_dso_mount_ns_of(&s->files, pid);
		if (!mount_ns) /* gone, too */
			continue;
		if (mount_ns == s->files.our_mount_ns || (dso->mount_ns && mount_ns != dso->mount_ns))
			break;
		fd = tt_dso_open_by(&s->files, dso, pid, &found);
		if (fd < 0)
			continue;
		dso->mount_ns = mount_ns;
		*ret_pid = pid;
		return fd;
	}
	return -ENOENT;
}

void tt_symbols_see(struct tt_symbols *s, uint32_t nr, uint32_t pid, uint64_t address)
{
	struct tt_dso *dso = tt_dso(&s->dsos, nr);
	int fd;

	if (dso->kind != TT_DSO_FILE || dso->holder_pid || dso->nr_looks >= LOOKS_MAX)
		return;
	fd = tt_dso_look(&s->files, dso, pid, address);
	if (fd < 0)
		fd = look_through_relative(s, dso, pid, &pid);
	if (fd < 0)
		return;
	if (set_holder(s, dso, pid) && may_hold(s, dso))
		tt_dsos_hold(&s->dsos, nr, fd);
	else
		close(fd);
	dso->is_homeless = false;
	dso->nr_looks = 0;
}

/* --- tables of JITs --- */

static bool try_jit(struct tt_symbols *s, uint32_t nr)
{
	struct tt_dso *dso = tt_dso(&s->dsos, nr);
	int fd;

	if (s->dsos.nr_fds >= s->fds_max)
		return false;
	fd = tt_dso_open_jit(&s->files, dso);
	if (fd < 0)
		return false;
	if (!set_holder(s, dso, dso->pid) && dso->mount_ns) {
		close(fd);
		return false;
	}
	tt_dsos_hold(&s->dsos, nr, fd);
	return true;
}

/* Many look like a JIT and never write a table: a few are tried in each epoch, in turn. */
void tt_symbols_retry_jits(struct tt_symbols *s)
{
	for (unsigned i = 0; i < JIT_RETRIES_PER_EPOCH && s->nr_jits; i++) {
		uint32_t at = s->next_jit++ % s->nr_jits, nr = s->jits[at];
		struct tt_dso *dso = tt_dso(&s->dsos, nr);

		if (dso->fd < 0 && !try_jit(s, nr) && tt_mappings_process(&s->mappings, dso->pid))
			continue;
		s->jits[at] = s->jits[--s->nr_jits];
		tt_dsos_unref(&s->dsos, nr);
	}
}

void tt_symbols_see_jit(struct tt_symbols *s, uint32_t nr)
{
	struct tt_dso *dso = tt_dso(&s->dsos, nr);

	if (dso->nr_looks)
		return;
	dso->nr_looks = 1;
	if (try_jit(s, nr) || s->nr_jits == TT_JITS_MAX)
		return;
	tt_dsos_ref(&s->dsos, nr);
	s->jits[s->nr_jits++] = nr;
}

/* --- asking before the end --- */

static void free_job(struct tt_early_job *job)
{
	tt_job_close(job->job);
	if (job->list.lookups) {
		for (uint32_t i = 0; i < job->list.nr_members; i++)
			job->s->addresses.entries[job->list.members[i]].flags &= (uint8_t)~TT_ADDRESS_IN_WORK;
		tt_dsos_unref(&job->s->dsos, job->list.dso);
	}
	tt_lookup_list_free(&job->list);
	job->job = NULL;
}

static int on_need(void *ctx, const struct tt_message_need *need, uint32_t *attempt)
{
	const struct tt_early_job *job = ctx;
	const struct tt_debug_places places = {
		.process_root_fd = -1, /* it is gone */
		.our_root_fd = job->s->files.root_fd,
		.path = tt_dso(&job->s->dsos, job->list.dso)->path,
	};

	return tt_debug_file_open(&places, need, attempt);
}

static bool has_room(struct tt_symbols *s, uint32_t words)
{
	uint32_t room = s->answers_room ? s->answers_room : ANSWERS_AT_FIRST;
	uint64_t *answers;

	while (s->answers_used + words > room)
		room *= 2;
	if (room == s->answers_room)
		return true;
	if (room * sizeof(*answers) > TT_SYMBOLS_ANSWERS_BYTES)
		return false;
	answers = realloc(s->answers, room * sizeof(*answers));
	if (!answers)
		return false;
	s->answers = answers;
	s->answers_room = room;
	return true;
}

static int on_answer(void *ctx, uint32_t nth, const void *bytes, size_t len, const struct tt_answer *answer)
{
	const struct tt_early_job *job = ctx;
	struct tt_symbols *s = job->s;
	uint32_t words = (uint32_t)(len / sizeof(uint64_t));

	(void)answer;
	if (!has_room(s, words)) {
		s->stats.nr_answers_beyond++;
		return 0;
	}
	memcpy(s->answers + s->answers_used, bytes, len);
	for (uint32_t i = nth ? job->list.ends[nth - 1] : 0; i < job->list.ends[nth]; i++) {
		struct tt_address *address = &s->addresses.entries[job->list.members[i]];

		address->answer = s->answers_used;
		address->flags |= TT_ADDRESS_ANSWERED;
	}
	s->answers_used += words;
	return 0;
}

/* The addresses in a file that nobody has asked for yet. NULL: no memory, or there are none. */
static uint32_t *unanswered(const struct tt_symbols *s, uint32_t dso, uint32_t *ret_nr)
{
	const uint8_t done = TT_ADDRESS_WAITS | TT_ADDRESS_KERNEL | TT_ADDRESS_IN_WORK | TT_ADDRESS_ANSWERED;
	uint32_t nr = 0, *numbers = NULL;

	for (int pass = 0; pass < 2; pass++) { /* counts, then collects */
		*ret_nr = nr;
		nr = 0;
		for (uint32_t i = 0; i < s->addresses.nr; i++) {
			const struct tt_address *address = &s->addresses.entries[i];

			if (address->dso != dso || address->flags & done)
				continue;
			if (numbers)
				numbers[nr] = i;
			nr++;
		}
		if (!pass && (!nr || !(numbers = malloc(nr * sizeof(*numbers)))))
			return NULL;
	}
	return numbers;
}

static int start_job(struct tt_symbols *s, struct tt_early_job *job, uint32_t nr)
{
	const struct tt_job_owner owner = { job, on_need, NULL, on_answer };
	struct tt_dso *dso = tt_dso(&s->dsos, nr);
	uint32_t nr_numbers, *numbers = unanswered(s, nr, &nr_numbers);
	int err;

	if (!numbers)
		return -ENOENT;
	err = tt_lookup_list_make(&job->list, &s->addresses, nr, numbers, nr_numbers);
	free(numbers);
	if (err)
		return err;
	tt_dsos_ref(&s->dsos, nr);
	for (uint32_t i = 0; i < job->list.nr_members; i++)
		s->addresses.entries[job->list.members[i]].flags |= TT_ADDRESS_IN_WORK;
	err = tt_job_start(s->resolver, dso->kind == TT_DSO_JIT ? TT_JOB_PERF_MAP : TT_JOB_ELF, true, dso->fd,
			   job->list.lookups, job->list.nr, &owner, &job->job);
	if (err)
		free_job(job);
	return err;
}

static void start_jobs(struct tt_symbols *s)
{
	for (unsigned i = 0; i < TT_EARLY_JOBS_MAX && s->nr_early_waiting; i++) {
		struct tt_early_job *job = &s->early_jobs[i];

		while (!job->job && s->nr_early_waiting) {
			uint32_t nr = s->early_waiting[--s->nr_early_waiting];

			if (start_job(s, job, nr))
				job->job = NULL;
			tt_dsos_let_go(&s->dsos, nr); /* the worker has its own copy */
			tt_dsos_unref(&s->dsos, nr);
		}
	}
}

static void ask_soon(struct tt_symbols *s, uint32_t nr)
{
	if (s->nr_early_waiting == TT_EARLY_WAITING_MAX) {
		tt_dsos_let_go(&s->dsos, nr);
		return;
	}
	tt_dsos_ref(&s->dsos, nr);
	s->early_waiting[s->nr_early_waiting++] = nr;
	start_jobs(s);
}

bool tt_symbols_has_early_jobs(const struct tt_symbols *s)
{
	for (unsigned i = 0; i < TT_EARLY_JOBS_MAX; i++)
		if (s->early_jobs[i].job)
			return true;
	return s->nr_early_waiting > 0;
}

void tt_symbols_step_early_jobs(struct tt_symbols *s, int timeout_ms)
{
	for (unsigned i = 0; i < TT_EARLY_JOBS_MAX; i++) {
		struct tt_early_job *job = &s->early_jobs[i];
		int ret = job->job ? tt_job_step(job->job, timeout_ms) : 1;

		if (ret == 1)
			continue;
		if (ret == -EPROTO || ret == -ETIMEDOUT)
			tt_symbols_file_failed(s, tt_dso(&s->dsos, job->list.dso)->path, ret);
		free_job(job);
	}
	start_jobs(s);
}

void tt_symbols_end_early_jobs(struct tt_symbols *s)
{
	for (unsigned i = 0; i < TT_EARLY_JOBS_MAX; i++)
		free_job(&s->early_jobs[i]);
	while (s->nr_early_waiting) {
		uint32_t nr = s->early_waiting[--s->nr_early_waiting];

		tt_dsos_let_go(&s->dsos, nr);
		tt_dsos_unref(&s->dsos, nr);
	}
}

/* --- when the holder is gone --- */

static void find_new_holder(struct tt_symbols *s, uint32_t nr, uint32_t gone_pid)
{
	struct tt_dso *dso = tt_dso(&s->dsos, nr);
	enum tt_found found;
	uint32_t relative;
	int fd;

	dso->holder_pid = 0;
	if (dso->kind == TT_DSO_JIT) {
		if (dso->mount_ns && dso->fd >= 0)
			ask_soon(s, nr);
		return; /* in our own /tmp it may be held */
	}
	fd = dso->mount_ns ? look_through_relative(s, dso, gone_pid, &relative)
			   : tt_dso_open_by(&s->files, dso, 0, &found);
	if (fd >= 0)
		close(fd);
	if (fd >= 0 && !dso->mount_ns) {
		tt_dsos_let_go(&s->dsos, nr);
		return;
	}
	if (fd >= 0 && set_holder(s, dso, relative))
		return;
	dso->is_homeless = true;
	if (dso->fd >= 0)
		ask_soon(s, nr);
}

void tt_symbols_release_holder(struct tt_symbols *s, uint32_t pid)
{
	struct tt_process *p = tt_mappings_process(&s->mappings, pid);

	if (p)
		p->nr_held = 0;
	for (uint32_t nr = 0; nr < s->dsos.nr; nr++)
		if (tt_dso(&s->dsos, nr)->nr_refs && tt_dso(&s->dsos, nr)->holder_pid == pid)
			find_new_holder(s, nr, pid);
}

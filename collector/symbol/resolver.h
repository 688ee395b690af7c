/* SPDX-License-Identifier: GPL-2.0-or-later */
/* resolver - has files read by workers (worker.h): from offsets in a file to names.
 *
 * A job is one file with the offsets to look up in it. Several can run at a time; a job moves on only when it is stepped, and a step never
 * waits longer than it is told to, so jobs can run while something else is being recorded. What comes from a worker is checked; what is not
 * of the form ends the job with -EPROTO, as does the end of the worker.
 */
#pragma once

#include "collector/symbol/worker.h"

struct tt_resolver;

int tt_resolver_open(bool inlines, struct tt_resolver **ret);
void tt_resolver_close(struct tt_resolver *r);
/* Ends the keeper; no job can be started any more. Tells the CPU time of all workers that it has waited for. */
void tt_resolver_stop(struct tt_resolver *r, uint64_t *ret_user_ns, uint64_t *ret_system_ns);

/* A worker: our end of its socket. file_fd -1 = none goes with it, else the worker gets a copy. */
int tt_resolver_start_worker(struct tt_resolver *r, enum tt_job_kind kind, bool in_background, int file_fd);

struct tt_job_owner {
	void *ctx;
	/* A debug file that the worker asks for, as tt_debug_file_open. NULL = there are none. */
	int (*need)(void *ctx, const struct tt_message_need *need, uint32_t *attempt);
	/* The file was read. NULL is fine. */
	void (*loaded)(void *ctx, const struct tt_message_loaded *loaded);
	/* For each lookup in order: the bytes of a well-formed answer, and the same decoded. A negative errno ends the job. */
	int (*answer)(void *ctx, uint32_t nth, const void *bytes, size_t len, const struct tt_answer *answer);
};

struct tt_job;

/* The worker gets a copy of file_fd. lookups stay until close. */
int tt_job_start(struct tt_resolver *r, enum tt_job_kind kind, bool in_background, int file_fd,
		 const struct tt_lookup *lookups, uint32_t nr, const struct tt_job_owner *owner,
		 struct tt_job **ret);
/* The same with a worker that is there already, at the other end of fd, which is the job's from now on. */
int tt_job_adopt(int fd, const struct tt_lookup *lookups, uint32_t nr, const struct tt_job_owner *owner,
		 struct tt_job **ret);
/* Does what there is to do, waiting at most timeout_ms for the worker. 1 = there is more to come, 0 = all is answered, or a negative errno:
 * -ENOEXEC (the file is not of the form), -EPROTO (the worker failed), -ETIMEDOUT, and what answer returned. */
int tt_job_step(struct tt_job *job, int timeout_ms);
void tt_job_close(struct tt_job *job); /* NULL is fine; a worker that still works ends soon after */

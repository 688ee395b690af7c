/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/symbol/resolver.h"

#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "collector/source/record_batch.h"

/* A worker that says nothing for so long is given up: it has used up its CPU time long before, unless it waits for something. */
#define SILENCE_MAX_NS (2ull * TT_WORKER_CPU_S * 1000000000)

enum { NEEDS_MAX = 64, MESSAGES_A_STEP = 64 };

struct tt_resolver {
	int fd; /* of the keeper's socket; -1 = it is gone */
	pid_t keeper;
	bool inlines;
};

struct tt_job {
	int fd;
	bool is_loaded;
	const struct tt_lookup *lookups;
	uint32_t nr, nr_asked, nr_answered;
	unsigned nr_needs;
	uint64_t heard_ns;
	struct tt_job_owner owner;
	_Alignas(8) char message[sizeof(struct tt_message_answers) + TT_MESSAGE_BYTES_MAX];
};

int tt_resolver_open(bool inlines, struct tt_resolver **ret)
{
	struct tt_resolver *r = calloc(1, sizeof(*r));
	int err;

	if (!r)
		return -ENOMEM;
	r->inlines = inlines;
	err = tt_keeper_start(&r->fd, &r->keeper);
	if (err) {
		free(r);
		return err;
	}
	*ret = r;
	return 0;
}

static uint64_t timeval_ns(struct timeval tv)
{
	return (uint64_t)tv.tv_sec * 1000000000 + (uint64_t)tv.tv_usec * 1000;
}

void tt_resolver_stop(struct tt_resolver *r, uint64_t *ret_user_ns, uint64_t *ret_system_ns)
{
	struct rusage usage = { 0 };

	if (r->fd >= 0) {
		close(r->fd);
		while (wait4(r->keeper, NULL, 0, &usage) < 0 && errno == EINTR)
			;
	}
	r->fd = -1;
	*ret_user_ns = timeval_ns(usage.ru_utime);
	*ret_system_ns = timeval_ns(usage.ru_stime);
}

void tt_resolver_close(struct tt_resolver *r)
{
	uint64_t user_ns, system_ns;

	if (!r)
		return;
	tt_resolver_stop(r, &user_ns, &system_ns);
	free(r);
}

int tt_job_adopt(int fd, const struct tt_lookup *lookups, uint32_t nr, const struct tt_job_owner *owner,
		 struct tt_job **ret)
{
	struct tt_job *job = calloc(1, sizeof(*job));

	if (!job) {
		close(fd);
		return -ENOMEM;
	}
	job->fd = fd;
	job->lookups = lookups;
	job->nr = nr;
	job->owner = *owner;
	job->heard_ns = tt_now_ns();
	*ret = job;
	return 0;
}

int tt_resolver_start_worker(struct tt_resolver *r, enum tt_job_kind kind, bool in_background, int file_fd)
{
	const struct tt_message_job message = {
		.type = TT_MESSAGE_JOB,
		.kind = kind,
		.flags = (r->inlines ? TT_JOB_INLINES : 0) | (in_background ? TT_JOB_IN_BACKGROUND : 0),
	};
	int pair[2], fds[2], err;

	if (r->fd < 0)
		return -EPIPE;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return -errno;
	fds[0] = pair[1];
	fds[1] = file_fd;
	err = tt_message_send(r->fd, &message, sizeof(message), fds, file_fd < 0 ? 1 : 2);
	close(pair[1]);
	if (err) {
		close(pair[0]);
		return err;
	}
	return pair[0];
}

int tt_job_start(struct tt_resolver *r, enum tt_job_kind kind, bool in_background, int file_fd,
		 const struct tt_lookup *lookups, uint32_t nr, const struct tt_job_owner *owner,
		 struct tt_job **ret)
{
	int fd = tt_resolver_start_worker(r, kind, in_background, file_fd);

	return fd < 0 ? fd : tt_job_adopt(fd, lookups, nr, owner, ret);
}

void tt_job_close(struct tt_job *job)
{
	if (!job)
		return;
	close(job->fd);
	free(job);
}

static int on_need(struct tt_job *job, const struct tt_message_need *need)
{
	struct tt_message_file file = { .type = TT_MESSAGE_FILE, .next_attempt = need->attempt };
	int fd, err;

	if (job->nr_needs++ == NEEDS_MAX)
		return -EPROTO;
	fd = job->owner.need ? job->owner.need(job->owner.ctx, need, &file.next_attempt) : -ENOENT;
	file.has_file = fd >= 0;
	err = tt_message_send(job->fd, &file, sizeof(file), &fd, fd >= 0);
	if (fd >= 0)
		close(fd);
	return err ? -EPROTO : 1;
}

/* 1, or 0 when all are answered. */
static int ask(struct tt_job *job)
{
	struct tt_message_lookup message = { .type = TT_MESSAGE_LOOKUP };
	uint32_t nr = job->nr - job->nr_asked;

	if (!nr)
		return 0;
	message.nr = nr < TT_LOOKUPS_MAX ? nr : TT_LOOKUPS_MAX;
	for (uint32_t i = 0; i < message.nr; i++)
		message.lookups[i] = job->lookups[job->nr_asked + i];
	job->nr_asked += message.nr;
	if (tt_message_send(job->fd, &message,
			    offsetof(struct tt_message_lookup, lookups) +
				    message.nr * sizeof(message.lookups[0]),
			    NULL, 0))
		return -EPROTO;
	return 1;
}

static int on_loaded(struct tt_job *job, const struct tt_message_loaded *loaded)
{
	if (job->is_loaded || loaded->build_id.len > TT_BUILD_ID_MAX)
		return -EPROTO;
	job->is_loaded = true;
	if (loaded->status)
		return loaded->status == -ENOEXEC ? -ENOEXEC : -EPROTO;
	if (job->owner.loaded)
		job->owner.loaded(job->owner.ctx, loaded);
	return ask(job);
}

static int on_answers(struct tt_job *job, const struct tt_message_answers *head, size_t len)
{
	const char *at = (const char *)(head + 1);

	for (uint32_t i = 0; i < head->nr; i++) {
		struct tt_answer answer;
		ssize_t size = tt_answer_decode(at, len, &answer);
		int err;

		if (size < 0 || job->nr_answered == job->nr_asked)
			return -EPROTO;
		err = job->owner.answer(job->owner.ctx, job->nr_answered, at, (size_t)size, &answer);
		if (err)
			return err;
		job->nr_answered++;
		at += size;
		len -= (size_t)size;
	}
	if (len)
		return -EPROTO;
	return job->nr_answered == job->nr_asked ? ask(job) : 1;
}

/* A message of len bytes from the worker. As tt_job_step. */
static int take(struct tt_job *job, size_t len)
{
	uint32_t type;

	if (len < sizeof(type))
		return -EPROTO;
	type = *(const uint32_t *)(const void *)job->message;
	if (type == TT_MESSAGE_NEED && len == sizeof(struct tt_message_need) && !job->is_loaded)
		return on_need(job, (const void *)job->message);
	if (type == TT_MESSAGE_LOADED && len == sizeof(struct tt_message_loaded))
		return on_loaded(job, (const void *)job->message);
	if (type == TT_MESSAGE_ANSWERS && len > sizeof(struct tt_message_answers) && job->is_loaded)
		return on_answers(job, (const void *)job->message, len - sizeof(struct tt_message_answers));
	return -EPROTO;
}

int tt_job_step(struct tt_job *job, int timeout_ms)
{
	struct pollfd ready = { .fd = job->fd, .events = POLLIN };
	int ret = 1;

	if (timeout_ms && poll(&ready, 1, timeout_ms) < 0 && errno != EINTR)
		return -errno;
	for (unsigned i = 0; ret == 1 && i < MESSAGES_A_STEP; i++) {
		ssize_t len =
			tt_message_receive(job->fd, job->message, sizeof(job->message), NULL, NULL, true);

		if (len == -EAGAIN)
			return tt_now_ns() - job->heard_ns > SILENCE_MAX_NS ? -ETIMEDOUT : 1;
		if (len <= 0) /* also ECONNRESET: it ended with something unread */
			return -EPROTO;
		job->heard_ns = tt_now_ns();
		ret = take(job, (size_t)len);
	}
	return ret;
}

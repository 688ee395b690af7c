/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "collector/symbol/worker.h"

enum { FDS_MAX = 2 };

union control {
	char bytes[CMSG_SPACE(FDS_MAX * sizeof(int))];
	struct cmsghdr align;
};

int tt_message_send(int fd, const void *message, size_t size, const int *fds, unsigned nr_fds)
{
	struct iovec bytes = { .iov_base = (void *)message, .iov_len = size };
	union control control = { .bytes = { 0 } };
	struct msghdr msg = { .msg_iov = &bytes, .msg_iovlen = 1 };
	ssize_t sent;

	if (nr_fds) {
		struct cmsghdr *head;

		msg.msg_control = control.bytes;
		msg.msg_controllen = CMSG_SPACE(nr_fds * sizeof(int));
		head = CMSG_FIRSTHDR(&msg);
		head->cmsg_level = SOL_SOCKET;
		head->cmsg_type = SCM_RIGHTS;
		head->cmsg_len = CMSG_LEN(nr_fds * sizeof(int));
		memcpy(CMSG_DATA(head), fds, nr_fds * sizeof(int));
	}
	do
		sent = sendmsg(fd, &msg, MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	return sent < 0 ? -errno : 0;
}

static void take_fds(struct msghdr *msg, int *fds, unsigned max, unsigned *ret_nr)
{
	*ret_nr = 0;
	for (struct cmsghdr *head = CMSG_FIRSTHDR(msg); head; head = CMSG_NXTHDR(msg, head)) {
		size_t nr = (head->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < nr; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(head) + i * sizeof(int), sizeof(fd));
			if (*ret_nr < max)
				fds[(*ret_nr)++] = fd;
			else
				close(fd);
		}
	}
}

ssize_t tt_message_receive(int fd, void *message, size_t size, int *fds, unsigned *nr_fds, bool dont_wait)
{
	struct iovec bytes = { .iov_base = message, .iov_len = size };
	union control control;
	struct msghdr msg = { .msg_iov = &bytes,
			      .msg_iovlen = 1,
			      .msg_control = control.bytes,
			      .msg_controllen = sizeof(control.bytes) };
	unsigned max = nr_fds ? *nr_fds : 0, nr = 0;
	ssize_t len;

	do
		len = recvmsg(fd, &msg, MSG_CMSG_CLOEXEC | (dont_wait ? MSG_DONTWAIT : 0));
	while (len < 0 && errno == EINTR);
	if (len < 0)
		return -errno;
	take_fds(&msg, fds, max, &nr);
	if (msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) {
		while (nr)
			close(fds[--nr]);
		len = -EBADMSG;
	}
	if (nr_fds)
		*nr_fds = nr;
	return len;
}

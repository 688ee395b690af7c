/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/symbol/fetcher.h"

#include <dlfcn.h>
#include <errno.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "collector/base/log.h"
#include "collector/symbol/worker.h"

struct tt_fetcher {
	int fd;
	pid_t pid;
	bool is_lost;
};

/* The part of libdebuginfod that is used; its soname has been the same since it exists. */
typedef void debuginfod_client;
struct library {
	debuginfod_client *(*begin)(void);
	int (*find_debuginfo)(debuginfod_client *, const unsigned char *, int, char **);
};

static bool load(struct library *lib)
{
	void *handle = dlopen("libdebuginfod.so.1", RTLD_NOW | RTLD_LOCAL);

	if (!handle)
		return false;
	lib->begin = (debuginfod_client * (*)(void)) dlsym(handle, "debuginfod_begin");
	lib->find_debuginfo = (int (*)(debuginfod_client *, const unsigned char *, int,
				       char **))dlsym(handle, "debuginfod_find_debuginfo");
	return lib->begin && lib->find_debuginfo;
}

static void serve(int fd)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[2] = { 0 };
	struct library lib = { .begin = NULL };
	debuginfod_client *client;
	struct tt_build_id id;
	int status;

	prctl(PR_SET_NAME, "timethief-fetch");
	if (fd > STDERR_FILENO + 1)
		syscall(SYS_close_range, STDERR_FILENO + 1, fd - 1, 0);
	syscall(SYS_close_range, fd + 1, ~0u, 0);
	if (syscall(SYS_capset, &head, none) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		_exit(1);
	client = load(&lib) ? lib.begin() : NULL;
	while (tt_message_receive(fd, &id, sizeof(id), NULL, NULL, false) == sizeof(id)) {
		int file_fd = client ? lib.find_debuginfo(client, id.bytes, id.len, NULL) : -ENOSYS;

		status = file_fd < 0 ? file_fd : 0;
		if (tt_message_send(fd, &status, sizeof(status), &file_fd, file_fd >= 0))
			break;
		if (file_fd >= 0)
			close(file_fd);
	}
	_exit(0);
}

int tt_fetcher_open(struct tt_fetcher **ret)
{
	struct tt_fetcher *f = calloc(1, sizeof(*f));
	int pair[2], err = 0;

	if (!f)
		return -ENOMEM;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair)) {
		err = -errno;
		free(f);
		return err;
	}
	f->pid = fork();
	if (!f->pid)
		serve(pair[1]);
	if (f->pid < 0)
		err = -errno;
	close(pair[1]);
	if (err) {
		close(pair[0]);
		free(f);
		return err;
	}
	f->fd = pair[0];
	*ret = f;
	return 0;
}

void tt_fetcher_close(struct tt_fetcher *f)
{
	if (!f)
		return;
	close(f->fd);
	kill(f->pid, SIGKILL); /* of the same user, so that it may; it may be waiting for a server */
	while (waitpid(f->pid, NULL, 0) < 0 && errno == EINTR)
		;
	free(f);
}

int tt_fetcher_get(struct tt_fetcher *f, const struct tt_build_id *build_id, tt_fetcher_stop_fn stop,
		   void *ctx)
{
	struct pollfd ready = { .fd = f->fd, .events = POLLIN };
	unsigned nr_fds = 1;
	int status, fd;

	if (f->is_lost)
		return -EPIPE;
	if (tt_message_send(f->fd, build_id, sizeof(*build_id), NULL, 0))
		goto lost;
	while (poll(&ready, 1, 200) <= 0) {
		if (stop && stop(ctx)) {
			f->is_lost = true; /* its answer would be taken for that of the next question */
			return -ECANCELED;
		}
	}
	if (tt_message_receive(f->fd, &status, sizeof(status), &fd, &nr_fds, false) != sizeof(status))
		goto lost;
	if (nr_fds)
		return fd;
	if (status == -ENOSYS) {
		log_warn("symbols: no debuginfod: libdebuginfod.so.1 is not installed, or DEBUGINFOD_URLS is "
			 "empty");
		f->is_lost = true;
		return status;
	}
	return -ENOENT;
lost:
	log_warn("symbols: debuginfod: the process that fetches files has ended");
	f->is_lost = true;
	return -EPIPE;
}

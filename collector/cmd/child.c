/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/cmd/child.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void run_child(char *const *command, bool hangup_is_ignored, int go_fd, int err_fd)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGCHLD, SIGPIPE, SIGXFSZ };
	char byte;
	int err;

	for (unsigned i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		if (signals[i] != SIGHUP || !hangup_is_ignored)
			signal(signals[i], SIG_DFL);
	if (read(go_fd, &byte, 1) != 1)
		_exit(0);
	execvp(command[0], command);
	err = errno;
	if (write(err_fd, &err, sizeof(err)) != sizeof(err))
		_exit(126);
	_exit(127);
}

int tt_child_check(const char *command)
{
	const char *path = getenv("PATH"), *end;
	char candidate[PATH_MAX];
	int err = -ENOENT;

	if (strchr(command, '/'))
		return access(command, X_OK) ? -errno : 0;
	for (path = path ? path : "/usr/bin:/bin"; err; path = end + 1) {
		end = strchrnul(path, ':');
		snprintf(candidate, sizeof(candidate), "%.*s/%s", (int)(end - path), end > path ? path : ".",
			 command);
		if (!access(candidate, X_OK))
			err = 0;
		else if (errno == EACCES)
			err = -EACCES;
		if (!*end)
			break;
	}
	return err;
}

int tt_child_prepare(struct tt_child *c, char *const *command, bool hangup_is_ignored)
{
	int go[2], errs[2];

	if (pipe2(go, O_CLOEXEC))
		return -errno;
	if (pipe2(errs, O_CLOEXEC)) {
		close(go[0]);
		close(go[1]);
		return -errno;
	}
	c->pid = fork();
	if (c->pid == 0) {
		close(go[1]);
		close(errs[0]);
		run_child(command, hangup_is_ignored, go[0], errs[1]);
	}
	close(go[0]);
	close(errs[1]);
	c->go_fd = go[1];
	c->err_fd = errs[0];
	return c->pid < 0 ? -errno : 0;
}

int tt_child_start(struct tt_child *c)
{
	ssize_t n;
	int err;

	if (write(c->go_fd, "g", 1) != 1)
		return errno == EPIPE ? 0 : -errno;
	while ((n = read(c->err_fd, &err, sizeof(err))) < 0 && errno == EINTR)
		;
	return n == sizeof(err) ? -err : 0; /* closed by exec: it runs */
}

bool tt_child_has_ended(struct tt_child *c)
{
	int status;

	if (c->pid <= 0 || waitpid(c->pid, &status, WNOHANG) != c->pid)
		return false;
	c->wait_status = status;
	c->pid = 0;
	return true;
}

void tt_child_end(struct tt_child *c)
{
	int status;

	if (c->go_fd >= 0)
		close(c->go_fd);
	if (c->err_fd >= 0)
		close(c->err_fd);
	c->go_fd = c->err_fd = -1;
	if (c->pid <= 0)
		return;
	kill(c->pid, SIGTERM);
	for (int i = 0; i < 200; i++) {
		pid_t pid = waitpid(c->pid, &status, WNOHANG);

		if (pid == c->pid)
			c->wait_status = status;
		if (pid != 0 && !(pid < 0 && errno == EINTR))
			break;
		usleep(10000);
	}
	c->pid = 0;
}

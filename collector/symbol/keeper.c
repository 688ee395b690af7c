/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "collector/symbol/worker.h"

enum { NOBODY = 65534, NICE_IN_BACKGROUND = 10, WORKER_FDS_MAX = 64, UNWINDER_FDS_MAX = 1024 };

#if defined(__SANITIZE_ADDRESS__)
#define HAS_SANITIZER 1 /* its shadow memory is terabytes, and what it finds is to be seen */
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAS_SANITIZER 1
#endif
#endif
#ifndef HAS_SANITIZER
#define HAS_SANITIZER 0
#endif

/* Returns the number that it has from now on. */
static int close_all_but(int keep_fd)
{
	int null_fd = open("/dev/null", O_RDWR);

	if (keep_fd <= STDERR_FILENO) /* somebody closed those before us */
		keep_fd = fcntl(keep_fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	for (int fd = STDIN_FILENO; null_fd >= 0 && fd <= (HAS_SANITIZER ? STDOUT_FILENO : STDERR_FILENO);
	     fd++)
		dup2(null_fd, fd);
	if (keep_fd > STDERR_FILENO + 1)
		syscall(SYS_close_range, STDERR_FILENO + 1, keep_fd - 1, 0);
	syscall(SYS_close_range, keep_fd + 1, ~0u, 0);
	return keep_fd;
}

static void set_limit(int what, rlim_t limit)
{
	struct rlimit old, new;

	if (getrlimit(what, &old))
		return;
	if (old.rlim_max != RLIM_INFINITY && limit > old.rlim_max)
		limit = old.rlim_max;
	new = (struct rlimit){ limit, limit };
	setrlimit(what, &new);
}

/* When memory runs out, this is what to take it from. */
static void volunteer_for_oom(void)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (write(fd, "1000", 4) != 4)
		errno = 0; /* no harm done */
	close(fd);
}

/* What a directory of /proc holds is gone with its process: chroot(2) into it needs no folder that somebody else could fill. What cannot be had
 * (no root, a user namespace that knows no nobody) is done without: what remains is what the caller could do anyway. */
static int drop_privileges(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[2] = { 0 };

	if (geteuid() == 0) {
		if (unshare(CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS))
			errno = 0;
		if (chroot("/proc/self/fdinfo") || chdir("/"))
			errno = 0;
		if (setgroups(0, NULL) || setresgid(NOBODY, NOBODY, NOBODY) ||
		    setresuid(NOBODY, NOBODY, NOBODY))
			errno = 0;
	}
	if (syscall(SYS_capset, &head, none))
		return -errno;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -errno;
	prctl(PR_SET_DUMPABLE, 0);
	return 0;
}

static void run_worker(pid_t keeper, int keeper_fd, const int fds[2], const struct tt_message_job *job)
{
	close(keeper_fd);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != keeper)
		_exit(1);
	prctl(PR_SET_NAME, "timethief-work");
	set_limit(RLIMIT_CPU, TT_WORKER_CPU_S);
	set_limit(RLIMIT_NOFILE, job->kind == TT_JOB_UNWIND ? UNWINDER_FDS_MAX : WORKER_FDS_MAX);
	set_limit(RLIMIT_FSIZE, 0);
	set_limit(RLIMIT_NPROC, 0);
	if (!HAS_SANITIZER)
		set_limit(RLIMIT_DATA, TT_WORKER_MEMORY_MAX);
	if (job->flags & TT_JOB_IN_BACKGROUND)
		setpriority(PRIO_PROCESS, 0, NICE_IN_BACKGROUND);
	alarm(TT_WORKER_LIFE_S);
	if (job->kind == TT_JOB_UNWIND)
		tt_unwind_worker_run(fds[0]);
	else
		tt_worker_run(fds[0], fds[1], job);
	_exit(0);
}

/* Ends when the recorder has closed its end, or is gone. */
static void run_keeper(int fd)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGCHLD, SIGALRM };
	pid_t self;

	setsid(); /* a Ctrl-C ends the recording, not us */
	self = getpid();
	prctl(PR_SET_NAME, "timethief-syms");
	for (unsigned i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		signal(signals[i], SIG_DFL);
	volunteer_for_oom();
	fd = close_all_but(fd);
	set_limit(RLIMIT_CORE, 0);
	if (drop_privileges())
		_exit(1);
	for (;;) {
		struct tt_message_job job;
		unsigned nr_fds = 2;
		int fds[2];
		ssize_t len = tt_message_receive(fd, &job, sizeof(job), fds, &nr_fds, false);
		pid_t pid;

		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
		if (len <= 0)
			break;
		pid = len == sizeof(job) && nr_fds == (job.kind == TT_JOB_UNWIND ? 1 : 2) ? fork() : -1;
		if (!pid)
			run_worker(self, fd, fds, &job);
		while (nr_fds) /* the recorder sees the end of its socket when there is no worker */
			close(fds[--nr_fds]);
	}
	/* so that their CPU time is told; one that is stuck dies with us */
	for (int i = 0; i < 20 && waitpid(-1, NULL, WNOHANG) >= 0; i++)
		usleep(10000);
	_exit(0);
}

int tt_keeper_start(int *ret_fd, pid_t *ret_pid)
{
	int pair[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return -errno;
	pid = fork();
	if (!pid)
		run_keeper(pair[1]);
	if (pid < 0) {
		int err = -errno;

		close(pair[0]);
		close(pair[1]);
		return err;
	}
	close(pair[1]);
	*ret_fd = pair[0];
	*ret_pid = pid;
	return 0;
}

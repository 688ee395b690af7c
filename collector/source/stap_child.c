/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/source/stap_child.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	INSIST_S = 10, /* an end that takes longer is asked for again, then forced */
	UNLOAD_S = 10,
};

struct tt_stap_child {
	pid_t keeper;
	int life_fd; /* a byte, or its end, asks for the end */
	int words_fd;
	int report_fd; /* the status, then the keeper's end */
	bool ended;
	int status;
	struct rusage usage; /* of the keeper and whom it waited for */
};

/* --- the keeper; async-signal-safety does not bind it: its parent has no other threads --- */

struct keeper {
	const struct tt_stap_child_options *opts;
	int life_fd, report_fd, words_fd;
	pid_t program;
	bool abandoned;
};

static void on_child(int sig)
{
	(void)sig; /* ends ppoll */
}

static void close_all_but(const struct keeper *k)
{
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		int fd = atoi(entry->d_name);

		if (fd > STDERR_FILENO && fd != k->life_fd && fd != k->report_fd && fd != k->words_fd &&
		    fd != dirfd(dir))
			close(fd);
	}
	if (dir)
		closedir(dir);
}

/* What SystemTap says is looked at: in the C locale, without colours. */
static void set_environment(const struct tt_stap_child_options *opts)
{
	setenv("LC_ALL", "C", 1);
	unsetenv("LANGUAGE");
	setenv("SYSTEMTAP_COLORS", "", 1);
	setenv("TMPDIR", opts->work_dir, 1);
}

static void run_program(const struct keeper *k, pid_t keeper, const sigset_t *mask)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGCHLD, SIGXFSZ };
	int null_fd = open("/dev/null", O_RDONLY);

	for (unsigned i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		signal(signals[i], SIG_DFL);
	sigprocmask(SIG_SETMASK, mask, NULL);
	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != keeper)
		_exit(127);
	dup2(null_fd, STDIN_FILENO);
	dup2(k->words_fd, STDOUT_FILENO);
	dup2(k->words_fd, STDERR_FILENO);
	close(k->life_fd);
	close(k->report_fd);
	close(k->words_fd);
	set_environment(k->opts);
	if (chdir(k->opts->work_dir))
		_exit(127);
	execvp(k->opts->argv[0], k->opts->argv);
	fprintf(stderr, "cannot run %s: %s\n", k->opts->argv[0], strerror(errno));
	fflush(stderr);
	_exit(127);
}

static void remove_tree(int parent_fd, const char *name)
{
	int fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *entry;

	if (!dir) {
		if (fd >= 0)
			close(fd);
		unlinkat(parent_fd, name, 0);
		return;
	}
	while ((entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			remove_tree(dirfd(dir), entry->d_name);
	closedir(dir);
	unlinkat(parent_fd, name, AT_REMOVEDIR);
}

static time_t now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

/* True when it has ended, and then *ret_status. */
static bool reap(pid_t pid, int *ret_status)
{
	pid_t got;

	do
		got = waitpid(pid, ret_status, WNOHANG);
	while (got < 0 && errno == EINTR);
	return got == pid || (got < 0 && errno == ECHILD);
}

static int keep(struct keeper *k, const sigset_t *mask)
{
	struct pollfd life = { .fd = k->life_fd, .events = POLLIN };
	time_t asked_s = 0;
	unsigned nr_asked = 0;
	int status = 0;

	while (!reap(k->program, &status)) {
		struct timespec tick = { .tv_sec = 1 };

		if (ppoll(&life, 1, nr_asked ? &tick : NULL, mask) > 0 && life.revents) {
			life.fd = -1; /* our collector is gone, or wants no more */
			k->abandoned = true;
			if (!nr_asked) {
				kill(k->program, SIGTERM);
				nr_asked = 1;
				asked_s = now_s();
			}
		}
		if (!nr_asked || now_s() - asked_s < INSIST_S)
			continue;
		/* a third SIGTERM makes stapio leave its readers behind and unload */
		if (nr_asked < 3)
			kill(k->program, SIGTERM);
		else
			kill(-k->program, SIGKILL);
		nr_asked++;
		if (nr_asked >= 3)
			asked_s = now_s();
	}
	kill(-k->program, SIGTERM); /* whom it left behind: compilers */
	return status;
}

/* staprun -d refuses a module that somebody uses, so no other recording is hurt. */
static void unload_module(const struct keeper *k)
{
	char path[128];
	struct stat st;
	int status = 0;
	pid_t pid;

	snprintf(path, sizeof(path), "/sys/module/%s", k->opts->module);
	if (stat(path, &st))
		return;
	pid = fork();
	if (!pid) {
		dup2(k->words_fd, STDOUT_FILENO);
		dup2(k->words_fd, STDERR_FILENO);
		execlp("staprun", "staprun", "-d", k->opts->module, (char *)NULL);
		_exit(127);
	}
	for (int i = 0; pid > 0 && !reap(pid, &status); i++) {
		usleep(10000);
		if (i == UNLOAD_S * 100)
			kill(pid, SIGKILL);
	}
}

static void run_keeper(struct keeper *k)
{
	sigset_t mask, child;
	pid_t self;
	int status;

	setsid();
	self = getpid();
	prctl(PR_SET_NAME, "timethief-keep");
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, &mask);
	sigdelset(&mask, SIGCHLD);
	sigaction(SIGCHLD, &(struct sigaction){ .sa_handler = on_child }, NULL);
	close_all_but(k);
	k->program = fork();
	if (!k->program)
		run_program(k, self, &mask);
	status = k->program > 0 ? keep(k, &mask) : 127 << 8;
	if (k->opts->module)
		unload_module(k);
	if (k->abandoned || !k->opts->keep_work_dir)
		remove_tree(AT_FDCWD, k->opts->work_dir);
	if (write(k->report_fd, &status, sizeof(status)) != sizeof(status))
		_exit(1);
	_exit(0);
}

/* --- the collector's side --- */

static void close_pair(int pair[2])
{
	if (pair[0] >= 0)
		close(pair[0]);
	if (pair[1] >= 0)
		close(pair[1]);
}

int tt_stap_child_start(const struct tt_stap_child_options *opts, struct tt_stap_child **ret)
{
	int life[2] = { -1, -1 }, report[2] = { -1, -1 }, words[2] = { -1, -1 }, err = 0;
	struct tt_stap_child *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	if (pipe2(life, O_CLOEXEC) || pipe2(report, O_CLOEXEC) || pipe2(words, O_CLOEXEC)) {
		err = -errno;
		goto fail;
	}
	c->keeper = fork();
	if (c->keeper < 0) {
		err = -errno;
		goto fail;
	}
	if (!c->keeper)
		run_keeper(&(struct keeper){
			.opts = opts, .life_fd = life[0], .report_fd = report[1], .words_fd = words[1] });
	close(life[0]);
	close(report[1]);
	close(words[1]);
	fcntl(words[0], F_SETFL, O_NONBLOCK);
	c->life_fd = life[1];
	c->report_fd = report[0];
	c->words_fd = words[0];
	*ret = c;
	return 0;
fail:
	close_pair(life);
	close_pair(report);
	close_pair(words);
	free(c);
	return err;
}

int tt_stap_child_words_fd(const struct tt_stap_child *c)
{
	return c->words_fd;
}

void tt_stap_child_end(struct tt_stap_child *c)
{
	if (c->life_fd >= 0)
		close(c->life_fd);
	c->life_fd = -1;
}

bool tt_stap_child_wait(struct tt_stap_child *c, int timeout_ms, int *ret_status)
{
	struct pollfd report = { .fd = c->report_fd, .events = POLLIN };

	if (!c->ended && poll(&report, 1, timeout_ms) > 0) {
		/* nothing to read: somebody killed the keeper */
		if (read(c->report_fd, &c->status, sizeof(c->status)) != sizeof(c->status))
			c->status = SIGKILL;
		c->ended = true;
		while (wait4(c->keeper, NULL, 0, &c->usage) < 0 && errno == EINTR)
			;
	}
	*ret_status = c->status;
	return c->ended;
}

static uint64_t timeval_ns(struct timeval tv)
{
	return (uint64_t)tv.tv_sec * 1000000000 + (uint64_t)tv.tv_usec * 1000;
}

void tt_stap_child_cost(const struct tt_stap_child *c, uint64_t *ret_user_ns, uint64_t *ret_system_ns)
{
	*ret_user_ns = timeval_ns(c->usage.ru_utime);
	*ret_system_ns = timeval_ns(c->usage.ru_stime);
}

void tt_stap_child_close(struct tt_stap_child *c)
{
	int status;

	if (!c)
		return;
	tt_stap_child_end(c);
	while (!tt_stap_child_wait(c, -1, &status))
		;
	close(c->words_fd);
	close(c->report_fd);
	free(c);
}

void tt_stap_remove_tree(const char *path)
{
	remove_tree(AT_FDCWD, path);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From the scripts to a module: SystemTap's first four passes, and what it needs around them. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "collector/base/log.h"
#include "collector/source/record_batch.h"
#include "collector/source/stap_child.h"
#include "collector/source/stap_tool.h"

enum { POLL_MS = 200, STUB_BYTES = 64 << 10 };

static void tell_line(void *ctx, const char *line)
{
	(void)ctx;
	log_verbose("stap: %s", line);
}

static void read_words(int fd, struct tt_stap_words *words, bool *ret_ended)
{
	char text[4096];
	ssize_t n;

	while ((n = read(fd, text, sizeof(text))) > 0)
		tt_stap_words_add(words, text, (size_t)n, tell_line, NULL);
	*ret_ended = n == 0;
}

/* Runs a program in work_dir to its end. Its wait status, or -EINTR when we were stopped, or negative errno. */
static int run(char *const *argv, const char *work_dir, const char *doing, bool (*stopped)(void),
	       struct tt_stap_words *words)
{
	struct tt_stap_child_options opts = { .argv = argv, .work_dir = work_dir, .keep_work_dir = true };
	uint64_t begin_ns = tt_now_ns();
	struct tt_stap_child *child;
	bool ended = false;
	int status = 0, err = tt_stap_child_start(&opts, &child);

	if (err)
		return err;
	while (!ended) {
		struct pollfd words_fd = { .fd = tt_stap_child_words_fd(child), .events = POLLIN };

		if (stopped && stopped()) {
			err = -EINTR;
			break;
		}
		if (poll(&words_fd, 1, POLL_MS) > 0)
			read_words(words_fd.fd, words, &ended);
		log_status("%s: %.0f s", doing, (double)(tt_now_ns() - begin_ns) / 1e9);
	}
	while (!err && !tt_stap_child_wait(child, POLL_MS, &status))
		if (stopped && stopped())
			err = -EINTR;
	tt_stap_words_end(words, tell_line, NULL);
	tt_stap_child_close(child);
	log_status("%s", "");
	return err ? err : status;
}

/* What run() returned below 0. */
static int say_unfinished(int err, char *why, size_t size)
{
	snprintf(why, size, "%s", err == -EINTR ? "stopped" : strerror(-err));
	return err;
}

/* --- what SystemTap lacks; the scripts that help it are beside the probes' --- */

static bool find_script(const struct tt_stap_build *b, const char *name, char *path, size_t size)
{
	static const char *const beside[] = { "", "../scripts/" };

	for (unsigned i = 0; i < sizeof(beside) / sizeof(beside[0]); i++)
		if (snprintf(path, size, "%s/%s%s", b->tool->scripts, beside[i], name) < (int)size &&
		    !access(path, R_OK))
			return true;
	log_verbose("stap: there is no script %s beside %s", name, b->tool->scripts);
	return false;
}

static const char *last_line(const struct tt_stap_words *words)
{
	return words->nr_lines ? words->tail[(words->nr_lines - 1) % TT_STAP_TAIL_LINES]
			       : "it gives no reason";
}

/* A folder of the cache for this tool and these headers: always the same, for SystemTap's own cache goes by its name. */
static int cache_path(const char *what, const char *release, char *path, size_t size, char *why,
		      size_t why_size)
{
	char cache[PATH_MAX - 256];
	int err = tt_stap_cache_dir(cache, sizeof(cache));

	if (err) {
		snprintf(why, why_size, "no folder for what can be used again (%s); set TIMETHIEF_CACHE_DIR",
			 strerror(-err));
		return -ENOSYS;
	}
	snprintf(path, size, "%s/%s-%s", cache, what, release);
	for (char *at = path + strlen(cache) + 1; *at; at++)
		if (*at == '/')
			*at = '-';
	return 0;
}

/* With the headers of some kernels SystemTap compiles only with a changed copy of its runtime. *ret is "" when none is needed. */
static int prepare_runtime(const struct tt_stap_build *b, const char *headers, char *ret, size_t size,
			   char *why, size_t why_size)
{
	struct tt_stap_words words = { 0 };
	char script[PATH_MAX], version[32];
	int status;

	ret[0] = '\0';
	if (!find_script(b, "stap-runtime", script, sizeof(script)))
		return 0;
	status = run((char *[]){ "sh", script, "--check", (char *)headers, NULL }, b->work_dir,
		     "stap: looking at the headers", b->stopped, &words);
	if (status < 0)
		return say_unfinished(status, why, why_size);
	if (!WIFEXITED(status) ||
	    WEXITSTATUS(status) != 0) /* 1: not needed; 2: it cannot tell, the compile will */
		return 0;
	snprintf(version, sizeof(version), "%u.%u", b->tool->major, b->tool->minor);
	status = cache_path("stap-runtime", version, ret, size, why, why_size);
	if (status)
		return status;
	memset(&words, 0, sizeof(words));
	status = run((char *[]){ "sh", script, ret, NULL }, b->work_dir, "stap: copying its runtime",
		     b->stopped, &words);
	if (status < 0)
		return say_unfinished(status, why, why_size);
	if (status > 0) {
		snprintf(why, why_size,
			 "SystemTap %s does not compile with the headers of %s, and there is no changed copy "
			 "of its runtime: %s",
			 version, b->release, last_line(&words));
		return -ENOSYS;
	}
	log_verbose("stap: the headers of %s need a changed copy of SystemTap's runtime: %s", b->release, ret);
	return 0;
}

static bool has_symbols(const char *path)
{
	struct stat st;

	return !stat(path, &st) && st.st_size > STUB_BYTES; /* Debian's System.map is a stub */
}

/* SystemTap looks for the kernel's symbols only in System.map; where that is a stub or not there, a build folder of our own gets one. Without
 * symbols the headers stay what they were, and hooks by symbol are left out. */
static int prepare_folder(const struct tt_stap_build *b, char *headers, size_t size, char *why,
			  size_t why_size)
{
	const char *symbols = b->symbols;
	char path[PATH_MAX + 32], dir[PATH_MAX], script[PATH_MAX];
	struct tt_stap_words words = { 0 };
	struct utsname host;
	int status;

	uname(&host);
	snprintf(path, sizeof(path), "%s/System.map", headers);
	if (!symbols && has_symbols(path))
		return 0;
	snprintf(path, sizeof(path), "/boot/System.map-%s", b->release);
	if (!symbols && has_symbols(path))
		return 0;
	if (!symbols && (strcmp(host.release, b->release) != 0 || geteuid() != 0)) {
		log_info("stap: no symbols of %s here: blk_account_io_done and account_steal_time are left "
			 "out; --symbols FILE "
			 "(a copy of its /proc/kallsyms, read by root) brings them back",
			 b->release);
		return 0;
	}
	if (!find_script(b, "stap-build-folder", script, sizeof(script)))
		return 0;
	status = cache_path("build", b->release, dir, sizeof(dir), why, why_size);
	if (status)
		return status;
	status = run((char *[]){ "sh", script, dir, headers, (char *)(symbols ? symbols : "/proc/kallsyms"),
				 NULL },
		     b->work_dir, "stap: collecting symbols", b->stopped, &words);
	if (status < 0)
		return say_unfinished(status, why, why_size);
	if (!status) {
		snprintf(headers, size, "%s", dir);
	} else if (b->symbols) {
		snprintf(why, why_size, "--symbols %s: %s", b->symbols, last_line(&words));
		return -ENOSYS;
	} else {
		log_info("stap: no symbols: %s; hooks that are found by symbol are left out",
			 last_line(&words));
	}
	return 0;
}

/* --- the compile --- */

static void show_hint(void)
{
	if (tt_log_get_level() < TT_LOG_VERBOSE)
		log_info("stap: -v shows what SystemTap said");
}

int tt_stap_build(const struct tt_stap_build *b, char *why, size_t size)
{
	char headers[PATH_MAX], runtime[PATH_MAX], include[PATH_MAX], script[PATH_MAX], doing[256];
	struct tt_stap_words words = { 0 };
	char *argv[24];
	unsigned nr = 0;
	int status = tt_stap_check_build(b->tool, b->release, why, size);

	if (status)
		return status;
	if (strchr(b->release, '/'))
		snprintf(headers, sizeof(headers), "%s", b->release);
	else
		snprintf(headers, sizeof(headers), "/lib/modules/%s/build", b->release);
	status = prepare_runtime(b, headers, runtime, sizeof(runtime), why, size);
	if (!status)
		status = prepare_folder(b, headers, sizeof(headers), why, size);
	if (status)
		return status;
	snprintf(include, sizeof(include), "%s/tapset", b->tool->scripts);
	snprintf(script, sizeof(script), "%s/timethief.stp", b->tool->scripts);
	argv[nr++] = "stap";
	argv[nr++] = "-g";
	argv[nr++] = "-b";
	argv[nr++] = "-p4";
	argv[nr++] = "-m";
	argv[nr++] = TT_STAP_MODULE_NAME;
	argv[nr++] = "-r";
	/* a plain release lets SystemTap find everything as its user has set it up */
	argv[nr++] = strncmp(headers, "/lib/modules/", 13) != 0 ? headers : (char *)b->release;
	if (runtime[0]) {
		argv[nr++] = "-R";
		argv[nr++] = runtime;
	}
	argv[nr++] = "-I";
	argv[nr++] = include;
	argv[nr++] = script;
	argv[nr] = NULL;
	snprintf(doing, sizeof(doing), "stap: compiling a module for %s (the first time takes minutes)",
		 b->release);
	status = run(argv, b->work_dir, doing, b->stopped, &words);
	if (status < 0)
		return say_unfinished(status, why, size);
	snprintf(script, sizeof(script), "%s/" TT_STAP_MODULE_NAME ".ko", b->work_dir);
	if (!status && !access(script, R_OK))
		return 0;
	show_hint();
	return tt_stap_words_explain(&words, b->release, status, why, size);
}

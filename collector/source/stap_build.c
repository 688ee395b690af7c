/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From the scripts to a module: SystemTap's first four passes, and what it needs around them. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
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

/* --- the runtime --- */

/* With the headers of some kernels SystemTap compiles only with a changed copy of its runtime: scripts/stap-runtime knows which,
 * and makes it. *ret is "" when none is needed. */
static int prepare_runtime(const struct tt_stap_build *b, const char *headers, char *ret, size_t size,
			   char *why, size_t why_size)
{
	char script[PATH_MAX], cache[PATH_MAX - 128];
	struct tt_stap_words words = { 0 };
	int status;

	ret[0] = '\0';
	snprintf(script, sizeof(script), "%s/stap-runtime", b->tool->scripts);
	if (access(script, R_OK))
		snprintf(script, sizeof(script), "%s/../scripts/stap-runtime", b->tool->scripts);
	if (access(script, R_OK)) {
		log_verbose("stap: no script stap-runtime beside %s: taking SystemTap's runtime as it is",
			    b->tool->scripts);
		return 0;
	}
	status = run((char *[]){ "sh", script, "--check", (char *)headers, NULL }, b->work_dir,
		     "stap: looking at the headers", b->stopped, &words);
	if (status < 0)
		return status;
	if (!WIFEXITED(status) ||
	    WEXITSTATUS(status) != 0) /* 1: not needed; 2: it cannot tell, the compile will */
		return 0;
	status = tt_stap_cache_dir(cache, sizeof(cache));
	if (status) {
		snprintf(why, why_size,
			 "no folder for a copy of SystemTap's runtime (%s: %s); set TIMETHIEF_CACHE_DIR",
			 cache, strerror(-status));
		return -ENOSYS;
	}
	snprintf(ret, size, "%s/stap-runtime-%u.%u", cache, b->tool->major, b->tool->minor);
	memset(&words, 0, sizeof(words));
	status = run((char *[]){ "sh", script, ret, NULL }, b->work_dir, "stap: copying its runtime",
		     b->stopped, &words);
	if (status < 0)
		return status;
	if (status) {
		snprintf(why, why_size,
			 "SystemTap %u.%u does not compile with the headers of %s, and no changed copy of "
			 "its runtime can be made: %s",
			 b->tool->major, b->tool->minor, b->release,
			 words.nr_lines ? words.tail[(words.nr_lines - 1) % TT_STAP_TAIL_LINES]
					: "no reason given");
		return -ENOSYS;
	}
	log_verbose("stap: the headers of %s need a changed copy of SystemTap's runtime: %s", b->release,
		    ret);
	return 0;
}

/* --- the build folder --- */

static bool has_symbols(const char *path)
{
	struct stat st;

	return !stat(path, &st) && st.st_size > STUB_BYTES; /* Debian's System.map is a stub */
}

/* The lines of kallsyms that are the kernel's own, with addresses that are not hidden. */
static int copy_symbols(const char *from, const char *to)
{
	FILE *in = fopen(from, "re"), *out = in ? fopen(to, "we") : NULL;
	unsigned long long nr = 0;
	char line[1024];
	int err = 0;

	if (!in || !out) {
		err = -errno;
		if (in)
			fclose(in);
		return err;
	}
	while (fgets(line, sizeof(line), in)) {
		if (strchr(line, '[') || !strtoull(line, NULL, 16))
			continue; /* of a module, or hidden */
		fputs(line, out);
		nr++;
	}
	if (ferror(in) || fflush(out))
		err = -EIO;
	fclose(in);
	fclose(out);
	return err ? err : nr ? 0 : -EACCES;
}

static int link_entries(const char *from, const char *to)
{
	DIR *dir = opendir(from);
	struct dirent *entry;
	int err = 0;

	if (!dir)
		return -errno;
	while (!err && (entry = readdir(dir))) {
		char target[PATH_MAX + 256], link[PATH_MAX + 256];

		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..") ||
		    !strcmp(entry->d_name, "System.map"))
			continue;
		snprintf(target, sizeof(target), "%s/%s", from, entry->d_name);
		snprintf(link, sizeof(link), "%s/%s", to, entry->d_name);
		if (symlink(target, link))
			err = -errno;
	}
	closedir(dir);
	return err;
}

/* Debian keeps what is common in another folder, named in the Makefile; SystemTap finds tracepoints only over "source". */
static void link_common(const char *headers, const char *dir)
{
	char path[PATH_MAX + 64], line[PATH_MAX], *end;
	FILE *makefile;

	snprintf(path, sizeof(path), "%s/Makefile", headers);
	makefile = fopen(path, "re");
	while (makefile && fgets(line, sizeof(line), makefile)) {
		if (strncmp(line, "include /", 9) != 0)
			continue;
		end = strstr(line, "/Makefile");
		if (!end)
			continue;
		*end = '\0';
		snprintf(path, sizeof(path), "%s/source", dir);
		if (symlink(line + 8, path) && errno != EEXIST)
			log_verbose("stap: cannot link %s: %s", path, strerror(errno));
	}
	if (makefile)
		fclose(makefile);
}

/* SystemTap looks for the kernel's symbols only in System.map; where that is a stub or not there, a private build folder gets one. Always
 * the same folder, for SystemTap's cache goes by its name. On failure headers stay what they were: then hooks by symbol are left out. */
static void prepare_folder(const struct tt_stap_build *b, char *headers, size_t size)
{
	const char *symbols = b->symbols;
	char path[PATH_MAX + 32], cache[PATH_MAX - 256], dir[PATH_MAX - 64], real[PATH_MAX];
	struct utsname host;
	int err;

	uname(&host);
	snprintf(path, sizeof(path), "%s/System.map", headers);
	if (!symbols && has_symbols(path))
		return;
	snprintf(path, sizeof(path), "/boot/System.map-%s", b->release);
	if (!symbols && has_symbols(path))
		return;
	if (!symbols && !strcmp(host.release, b->release))
		symbols = "/proc/kallsyms";
	if (!symbols || strchr(b->release, '/') || !realpath(headers, real) ||
	    tt_stap_cache_dir(cache, sizeof(cache)))
		return;
	snprintf(dir, sizeof(dir), "%s/build-%s", cache, b->release);
	tt_stap_remove_tree(dir);
	if (mkdir(dir, 0755)) {
		log_verbose("stap: cannot make %s: %s", dir, strerror(errno));
		return;
	}
	snprintf(path, sizeof(path), "%s/System.map", dir);
	err = copy_symbols(symbols, path);
	if (!err)
		err = link_entries(real, dir);
	if (err) {
		log_warn("stap: no symbols from %s (%s): hooks that are found by symbol are left out",
			 symbols, strerror(-err));
		tt_stap_remove_tree(dir);
		return;
	}
	link_common(real, dir);
	snprintf(headers, size, "%s", dir);
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
	if (status)
		return status;
	prepare_folder(b, headers, sizeof(headers));
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
	if (status < 0) {
		snprintf(why, size, "%s", status == -EINTR ? "stopped" : strerror(-status));
		return status;
	}
	snprintf(script, sizeof(script), "%s/" TT_STAP_MODULE_NAME ".ko", b->work_dir);
	if (!status && !access(script, R_OK))
		return 0;
	show_hint();
	return tt_stap_words_explain(&words, b->release, status, why, size);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/source/stap_tool.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "collector/base/log.h"
#include "collector/source/permit.h"
#include "collector/source/proc_file.h"
#include "collector/source/stap_child.h"

enum { VERSION_TEXT_MAX = 4096 };

const char *tt_stap_proc(void)
{
	const char *given = getenv("TIMETHIEF_STAP_PROC");

	return given && given[0] == '/' ? given : "/proc";
}

/* --- what there is --- */

static bool is_in_path(const char *name)
{
	const char *path = getenv("PATH"), *end;
	char candidate[PATH_MAX];

	for (path = path ? path : "/usr/bin:/bin";; path = end + 1) {
		end = strchrnul(path, ':');
		snprintf(candidate, sizeof(candidate), "%.*s/%s", (int)(end - path), path, name);
		if (!access(candidate, X_OK))
			return true;
		if (!*end)
			return false;
	}
}

static void read_version(struct tt_stap_tool *tool)
{
	FILE *out = popen("LC_ALL=C LANGUAGE= stap --version 2>&1 </dev/null", "re");
	char text[VERSION_TEXT_MAX];
	size_t len;

	if (!out)
		return;
	len = fread(text, 1, sizeof(text) - 1, out);
	text[len] = '\0';
	pclose(out);
	if (tt_stap_parse_version(text, &tool->major, &tool->minor))
		tool->major = tool->minor = 0;
}

static bool has_scripts(const char *dir)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/timethief.stp", dir) >= (int)sizeof(path))
		return false;
	return !access(path, R_OK);
}

static void find_scripts(struct tt_stap_tool *tool)
{
	static const char *const below[] = { "../share/timethief/stap", "../stap" };
	const char *given = getenv("TIMETHIEF_STAP_DIR");
	char self[PATH_MAX], dir[PATH_MAX + 64], *slash;
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);

	tool->scripts[0] = '\0';
	if (given && has_scripts(given)) {
		if (strlen(given) >= PATH_MAX || !realpath(given, dir) ||
		    strlen(dir) >= sizeof(tool->scripts))
			return;
		strcpy(tool->scripts, dir);
		return;
	}
	if (given || len <= 0)
		return;
	self[len] = '\0';
	slash = strrchr(self, '/');
	if (slash)
		*slash = '\0';
	for (unsigned i = 0; i < sizeof(below) / sizeof(below[0]); i++) {
		char real[PATH_MAX];

		snprintf(dir, sizeof(dir), "%s/%s", self, below[i]);
		if (!has_scripts(dir) || !realpath(dir, real) || strlen(real) >= sizeof(tool->scripts))
			continue;
		strcpy(tool->scripts, real);
		return;
	}
}

void tt_stap_tool_find(struct tt_stap_tool *tool)
{
	memset(tool, 0, sizeof(*tool));
	tool->has_stap = is_in_path("stap");
	tool->has_staprun = is_in_path("staprun");
	if (tool->has_stap)
		read_version(tool);
	find_scripts(tool);
}

/* --- may it? --- */

static bool is_in_group(const char *name)
{
	const struct group *group = getgrnam(name);
	gid_t groups[1024];
	int nr = getgroups(1024, groups);

	if (!group)
		return false;
	if (getegid() == group->gr_gid)
		return true;
	for (int i = 0; i < nr; i++)
		if (groups[i] == group->gr_gid)
			return true;
	return false;
}

static int check_rights(const char *who, char *why, size_t size)
{
	if (!geteuid() || is_in_group("stapdev") ||
	    (!strcmp(who, "staprun") && (is_in_group("stapusr") || is_in_group("stapsys"))))
		return 0;
	snprintf(why, size,
		 "%s is for root and members of the group stapdev; run as root, or add the user to stapdev "
		 "and log in again",
		 who);
	return -EPERM;
}

static bool may_insert_modules(int root_fd)
{
	enum { CAP_SYS_MODULE_BIT = 16 };
	char text[8192], *line;

	if (geteuid() != 0) /* staprun is setuid root */
		return true;
	if (tt_proc_read_small(root_fd, "proc/self/status", text, sizeof(text)) <= 0)
		return true;
	line = strstr(text, "\nCapEff:");
	return !line || strtoull(line + 8, NULL, 16) >> CAP_SYS_MODULE_BIT & 1;
}

static bool is_line(int root_fd, const char *path, const char *text)
{
	char line[64];

	return !tt_proc_read_line(root_fd, path, line, sizeof(line)) && !strcmp(line, text);
}

static const char *why_no_module(int root_fd, bool is_signed)
{
	struct tt_permit permit;
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/modules", tt_stap_proc());
	if (access(path, F_OK))
		return "this kernel loads no modules at all (CONFIG_MODULES is off), and SystemTap needs "
		       "one; use "
		       "--source bpf or procfs, or a kernel with modules";
	if (is_line(root_fd, "proc/sys/kernel/modules_disabled", "1"))
		return "this kernel loads no more modules until it is booted anew (kernel.modules_disabled "
		       "is 1)";
	tt_permit_read("", &permit);
	if (permit.in_user_namespace)
		return "a module is loaded only from the initial user namespace; run on the host";
	if (!may_insert_modules(root_fd))
		return "CAP_SYS_MODULE is missing, without which no module is loaded; run as root on the "
		       "host";
	if (permit.lockdown[0] && strcmp(permit.lockdown, "none") != 0 && !is_signed)
		return "kernel lockdown refuses modules that are not signed; sign it with a key that the "
		       "kernel knows (--stap-module), "
		       "or boot with lockdown=none";
	if (is_line(root_fd, "sys/module/module/parameters/sig_enforce", "Y") && !is_signed)
		return "this kernel takes signed modules only; sign it with a key that the kernel knows and "
		       "use --stap-module";
	return NULL;
}

int tt_stap_check_kernel(bool is_signed, char *why, size_t size)
{
	int root_fd = tt_proc_open_root("");
	const char *reason = why_no_module(root_fd, is_signed);

	if (root_fd >= 0)
		close(root_fd);
	if (reason) {
		snprintf(why, size, "%s", reason);
		return strstr(reason, "at all") ? -ENOSYS : -EPERM;
	}
	return 0;
}

int tt_stap_check_insert(const struct tt_stap_tool *tool, bool is_signed, char *why, size_t size)
{
	int err = tt_stap_check_kernel(is_signed, why, size);

	if (err)
		return err;
	err = check_rights("staprun", why, size); /* before: others may not even see that it is there */
	if (err)
		return err;
	if (!tool->has_staprun) {
		snprintf(why, size, "there is no staprun here; install the package systemtap-runtime");
		return -ENOSYS;
	}
	return 0;
}

/* The build folder of a release, or what was given. */
static void headers_of(const char *release, char *path, size_t size)
{
	if (strchr(release, '/'))
		snprintf(path, size, "%s", release);
	else
		snprintf(path, size, "/lib/modules/%s/build", release);
}

int tt_stap_check_build(const struct tt_stap_tool *tool, const char *release, char *why, size_t size)
{
	char path[PATH_MAX], config[PATH_MAX + 16];
	int err;

	if (!tool->has_stap) {
		snprintf(why, size,
			 "SystemTap is not installed; install the package systemtap, or record with "
			 "--stap-module FILE "
			 "(timethief stap-build -r %s -o FILE makes one elsewhere)",
			 release);
		return -ENOSYS;
	}
	if (tool->major < 1 || (tool->major == 1 && tool->minor < 8)) {
		snprintf(why, size,
			 "SystemTap %u.%u is too old: the scripts need 1.8 or later; install a newer one",
			 tool->major, tool->minor);
		return -ENOSYS;
	}
	err = check_rights("stap", why, size);
	if (err)
		return err;
	if (!tool->scripts[0]) {
		const char *given = getenv("TIMETHIEF_STAP_DIR");

		snprintf(why, size,
			 "the SystemTap scripts of timethief are not found%s%s; set TIMETHIEF_STAP_DIR to "
			 "the folder with "
			 "timethief.stp",
			 given ? " in " : "", given ? given : "");
		return -ENOSYS;
	}
	headers_of(release, path, sizeof(path));
	snprintf(config, sizeof(config), "%s/.config", path);
	if (access(config, R_OK)) {
		snprintf(why, size,
			 "the headers of kernel %s are not installed (no %s); install linux-headers-%s "
			 "(kernel-devel-%s), or record "
			 "with --stap-module FILE (timethief stap-build -r %s -o FILE makes one elsewhere)",
			 release, config, release, release, release);
		return -ENOSYS;
	}
	return 0;
}

/* --- folders --- */

static int make_dirs(char *path)
{
	for (char *at = path + 1;; at++) {
		char c = *at;

		if (c && c != '/')
			continue;
		*at = '\0';
		if (mkdir(path, 0755) && errno != EEXIST) {
			int err = -errno;

			*at = c;
			return err;
		}
		*at = c;
		if (!c)
			return 0;
	}
}

int tt_stap_cache_dir(char *path, size_t size)
{
	const char *given = getenv("TIMETHIEF_CACHE_DIR"), *xdg = getenv("XDG_CACHE_HOME"),
		   *home = getenv("HOME");

	if (given && given[0] == '/')
		snprintf(path, size, "%s", given);
	else if (!geteuid())
		snprintf(path, size, "/var/cache/timethief");
	else if (xdg && xdg[0] == '/')
		snprintf(path, size, "%s/timethief", xdg);
	else if (home && home[0] == '/')
		snprintf(path, size, "%s/.cache/timethief", home);
	else
		return -ENOENT;
	return make_dirs(path);
}

int tt_stap_make_work_dir(char *path, size_t size)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(path, size, "%s/timethief-stap.XXXXXX", tmp && tmp[0] == '/' ? tmp : "/tmp");
	return mkdtemp(path) ? 0 : -errno; /* 0700 */
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/symbol/debug_files.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { PATH_BYTES_MAX = 4096 };

int tt_reopen_regular(int path_fd)
{
	char link[32];
	struct stat st;
	int fd = -1, err = 0;

	if (fstat(path_fd, &st)) {
		err = -errno;
	} else if (!S_ISREG(st.st_mode)) {
		err = -EINVAL;
	} else {
		snprintf(link, sizeof(link), "/proc/self/fd/%d", path_fd);
		fd = open(link, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
		err = fd < 0 ? -errno : 0;
	}
	close(path_fd);
	return err ? err : fd;
}

int tt_open_regular(int root_fd, const char *path, bool is_link_fine)
{
	struct open_how how = { .flags = O_PATH | O_CLOEXEC | (is_link_fine ? 0 : O_NOFOLLOW),
				.resolve = RESOLVE_IN_ROOT };
	int fd;

	while (*path == '/')
		path++;
	fd = (int)syscall(SYS_openat2, root_fd, path, &how, sizeof(how));
	if (fd < 0 &&
	    (errno == ENOSYS || errno == EPERM)) /* EPERM: some filters of system calls do not know it */
		fd = openat(root_fd, path, (int)how.flags);
	return fd < 0 ? -errno : tt_reopen_regular(fd);
}

/* The directory of path with its slash; "/" when there is none. */
static int dir_len(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? (int)(slash + 1 - path) : 0;
}

static bool build_id_path(const struct tt_build_id *id, char path[PATH_BYTES_MAX])
{
	int len;

	if (id->len < 2 || id->len > TT_BUILD_ID_MAX)
		return false;
	len = snprintf(path, PATH_BYTES_MAX, "/usr/lib/debug/.build-id/%02x/", id->bytes[0]);
	for (unsigned i = 1; i < id->len; i++)
		len += snprintf(path + len, PATH_BYTES_MAX - (size_t)len, "%02x", id->bytes[i]);
	snprintf(path + len, PATH_BYTES_MAX - (size_t)len, ".debug");
	return true;
}

enum { NR_PLACES = 4 };

/* The nth place where it may be; false = that one does not exist for this need. */
static bool place(const char *file, const struct tt_message_need *need, unsigned nth,
		  char path[PATH_BYTES_MAX])
{
	const char *base = strrchr(need->name, '/');
	int len = dir_len(file);

	if (nth == 0)
		return build_id_path(&need->build_id, path);
	if (!need->name[0])
		return false;
	if (need->what ==
	    TT_NEED_ALT) { /* absolute, or relative to the debug file, which is somewhere in /usr/lib/debug */
		if (nth == 1 && !strncmp(need->name, "/usr/lib/debug/", 15))
			return snprintf(path, PATH_BYTES_MAX, "%s", need->name) < PATH_BYTES_MAX;
		return nth == 2 && snprintf(path, PATH_BYTES_MAX, "/usr/lib/debug/.dwz/%s",
					    base ? base + 1 : need->name) < PATH_BYTES_MAX;
	}
	if (base) /* a file beside it has no directory in its name */
		return false;
	switch (nth) {
	case 1:
		return snprintf(path, PATH_BYTES_MAX, "%.*s%s", len, file, need->name) < PATH_BYTES_MAX;
	case 2:
		return snprintf(path, PATH_BYTES_MAX, "%.*s.debug/%s", len, file, need->name) <
		       PATH_BYTES_MAX;
	default:
		return snprintf(path, PATH_BYTES_MAX, "/usr/lib/debug%.*s%s", len, file, need->name) <
		       PATH_BYTES_MAX;
	}
}

static bool is_public(int fd)
{
	struct stat st;

	return !fstat(fd, &st) && st.st_mode & S_IROTH;
}

int tt_debug_file_open(const struct tt_debug_places *places, const struct tt_message_need *need,
		       uint32_t *attempt)
{
	const int roots[] = { places->process_root_fd, places->our_root_fd };
	char path[PATH_BYTES_MAX];

	if (!memchr(need->name, '\0', sizeof(need->name)))
		return -ENOENT;
	for (; *attempt < 2 * NR_PLACES; (*attempt)++) {
		int root_fd = roots[*attempt / NR_PLACES], fd;

		if (root_fd < 0 || !place(places->path, need, *attempt % NR_PLACES, path))
			continue;
		fd = tt_open_regular(root_fd, path, true);
		if (fd >= 0 && is_public(fd)) {
			(*attempt)++;
			return fd;
		}
		if (fd >= 0)
			close(fd);
	}
	return -ENOENT;
}

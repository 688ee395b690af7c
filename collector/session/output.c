/* SPDX-License-Identifier: GPL-2.0-or-later */
/* output.c - see output.h. We usually are root and the directory may be anybody's (/tmp): every step is made
 * on what was opened, and what is created is created by us (O_EXCL). */
#include "collector/session/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "collector/base/log.h"
#include "collector/base/write.h"

struct tt_output {
	int fd;
	bool is_file;	  /* can be cut back */
	bool can_reserve; /* fallocate works here */
	bool was_renamed; /* old_path was path */
	char *path, *old_path;
	uint64_t nr_bytes;
};

/* Another recorder's file is locked. File systems that cannot lock are taken as they are. */
static int lock_file(int fd, const char *path)
{
	if (!flock(fd, LOCK_EX | LOCK_NB) || errno != EWOULDBLOCK)
		return 0;
	log_error("%s: another recorder is writing this file", path);
	return -EBUSY;
}

static int rename_to_old(struct tt_output *out)
{
	struct stat st;
	int err = 0;
	/* O_NONBLOCK: should it have become a FIFO since it was looked at, this must not hang. */
	int fd = open(out->path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	/* Without the right to read it we cannot know about a lock; rename needs no such right. */
	if (fd < 0 && errno != EACCES) {
		err = -errno;
		log_error("cannot open %s: %s", out->path, strerror(-err));
		return err;
	}
	if (fd >= 0 && (fstat(fd, &st) || !S_ISREG(st.st_mode)))
		err = -EINVAL;
	else if (fd >= 0)
		err = lock_file(fd, out->path);
	if (!err && rename(out->path, out->old_path)) {
		err = -errno;
		log_error("cannot rename %s to %s: %s", out->path, out->old_path, strerror(-err));
	}
	out->was_renamed = !err;
	if (fd >= 0)
		close(fd);
	return err;
}

/* What is at path now? 0 = nothing more, create it. 1 = /dev/null. */
static int clear_path(struct tt_output *out)
{
	struct stat st;
	int err;

	if (lstat(out->path, &st)) {
		if (errno == ENOENT)
			return 0;
		err = -errno;
		log_error("cannot write %s: %s", out->path, strerror(-err));
		return err;
	}
	if (S_ISREG(st.st_mode))
		return rename_to_old(out);
	if (S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3))
		return 1;
	if (S_ISDIR(st.st_mode)) {
		log_error("cannot write %s: %s", out->path, strerror(EISDIR));
		return -EISDIR;
	}
	log_error("%s is %s, not a file; \"-o -\" writes to a pipe", out->path,
		  S_ISLNK(st.st_mode)	 ? "a symbolic link"
		  : S_ISFIFO(st.st_mode) ? "a FIFO"
					 : "a device or socket");
	return -EINVAL;
}

static bool parse_id(const char *name, unsigned *ret_id)
{
	const char *text = getenv(name);
	char *end;
	unsigned long id;

	if (!text || *text < '0' || *text > '9')
		return false;
	errno = 0;
	id = strtoul(text, &end, 10);
	if (errno || *end || id >= UINT32_MAX)
		return false;
	*ret_id = (unsigned)id;
	return true;
}

/* Root's recording belongs to who called sudo, so that the report needs no root. */
static void give_to_caller(const struct tt_output *out)
{
	unsigned uid, gid;

	if (geteuid() || !parse_id("SUDO_UID", &uid) || !parse_id("SUDO_GID", &gid))
		return;
	if (fchown(out->fd, uid, gid))
		log_verbose("cannot give %s to uid %u: %s", out->path, uid, strerror(errno));
}

static int create_file(struct tt_output *out)
{
	int err;

	out->fd = open(out->path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (out->fd < 0) {
		err = -errno;
		log_error("cannot create %s: %s", out->path, strerror(-err));
		return err;
	}
	out->is_file = out->can_reserve = true;
	err = lock_file(out->fd, out->path);
	if (!err)
		give_to_caller(out);
	return err;
}

static int open_path(struct tt_output *out)
{
	int err;

	if (asprintf(&out->old_path, "%s.old", out->path) < 0) {
		out->old_path = NULL;
		return -ENOMEM;
	}
	err = clear_path(out);
	if (err < 0)
		return err;
	if (!err)
		return create_file(out);
	out->fd = open(out->path, O_WRONLY | O_CLOEXEC);
	if (out->fd >= 0)
		return 0;
	err = -errno;
	log_error("cannot open %s: %s", out->path, strerror(-err));
	return err;
}

static int open_stdout(struct tt_output *out)
{
	if (isatty(STDOUT_FILENO)) {
		log_error("will not write a session to a terminal; use -o FILE or a pipe");
		return -EINVAL;
	}
	out->fd = STDOUT_FILENO;
	return 0;
}

int tt_output_open(const char *path, struct tt_output **ret_out)
{
	struct tt_output *out = calloc(1, sizeof(*out));
	int err = -ENOMEM;

	if (!out)
		return err;
	out->fd = -1;
	out->path = strdup(path);
	if (!out->path)
		goto fail;
	err = strcmp(path, "-") ? open_path(out) : open_stdout(out);
	if (err)
		goto fail;
	*ret_out = out;
	return 0;
fail:
	tt_output_close(out);
	return err;
}

static void cut_back(const struct tt_output *out)
{
	if (ftruncate(out->fd, (off_t)out->nr_bytes) || lseek(out->fd, (off_t)out->nr_bytes, SEEK_SET) < 0)
		log_warn("cannot cut %s back to %llu bytes: %s", out->path, (unsigned long long)out->nr_bytes,
			 strerror(errno));
}

/* Allocates len bytes and the reserve behind the data. -ENOSPC leaves what was allocated before. */
static int reserve(struct tt_output *out, size_t len)
{
	off_t from = (off_t)out->nr_bytes;

	if (!out->can_reserve)
		return 0;
	while (fallocate(out->fd, FALLOC_FL_KEEP_SIZE, from, (off_t)len + TT_OUTPUT_RESERVE_BYTES)) {
		if (errno == EINTR)
			continue;
		if (errno == ENOSPC || errno == EDQUOT)
			return -ENOSPC;
		if (errno == EFBIG)
			return -EFBIG;
		out->can_reserve = false; /* NFS, FUSE, ...: take what write says */
		break;
	}
	return 0;
}

static int append(struct tt_output *out, const void *data, size_t len)
{
	int err = tt_write_all(out->fd, data, len);

	if (err && out->is_file)
		cut_back(out);
	if (!err)
		out->nr_bytes += len;
	return err;
}

int tt_output_append(struct tt_output *out, const void *data, size_t len)
{
	int err = reserve(out, len);

	return err ? err : append(out, data, len);
}

int tt_output_append_last(struct tt_output *out, const void *data, size_t len)
{
	int err = append(out, data, len);

	if (!err && out->is_file)
		cut_back(out); /* gives the reserve back */
	return err;
}

uint64_t tt_output_bytes(const struct tt_output *out)
{
	return out->nr_bytes;
}

const char *tt_output_path(const struct tt_output *out)
{
	return strcmp(out->path, "-") ? out->path : "stdout";
}

void tt_output_undo(struct tt_output *out)
{
	if (!out->is_file)
		return;
	if (out->was_renamed ? rename(out->old_path, out->path) : unlink(out->path))
		log_verbose("cannot remove %s: %s", out->path, strerror(errno));
}

void tt_output_close(struct tt_output *out)
{
	if (!out)
		return;
	if (out->fd >= 0 && out->fd != STDOUT_FILENO)
		close(out->fd);
	free(out->path);
	free(out->old_path);
	free(out);
}

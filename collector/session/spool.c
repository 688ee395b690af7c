/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/session/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "collector/base/write.h"

enum { PIECE_BYTES = 256 << 10 };

/* A file of ours alone: never with a name where the file system can do that, else for a moment. -errno. */
static int open_nameless(const char *dir)
{
	char path[PATH_MAX];
	int fd = open(dir, O_RDWR | O_TMPFILE | O_EXCL | O_CLOEXEC, 0600), err;

	/* kernels and file systems without O_TMPFILE see an attempt to write a directory */
	if (fd >= 0 || (errno != EISDIR && errno != EOPNOTSUPP && errno != ENOENT))
		return fd >= 0 ? fd : -errno;
	if ((size_t)snprintf(path, sizeof(path), "%s/timethief-XXXXXX", dir) >= sizeof(path))
		return -ENAMETOOLONG;
	fd = mkostemp(path, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	err = unlink(path) ? -errno : 0;
	if (!err)
		return fd;
	close(fd);
	return err;
}

/* Bytes moved, 0 at the end, or -errno. */
static ssize_t copy_piece(int from, int to, char *piece)
{
	ssize_t nr;
	int err;

	do
		nr = read(from, piece, PIECE_BYTES);
	while (nr < 0 && errno == EINTR);
	if (nr <= 0)
		return nr < 0 ? -errno : 0;
	err = tt_write_all(to, piece, (size_t)nr);
	return err ? err : nr;
}

int tt_spool_copy(int fd, void (*progress)(void *ctx, uint64_t done_bytes), void *ctx, int *ret_fd)
{
	const char *dir = getenv("TMPDIR");
	char *piece = malloc(PIECE_BYTES);
	uint64_t done_bytes = 0;
	ssize_t nr;
	int to;

	if (!piece)
		return -ENOMEM;
	to = open_nameless(dir && dir[0] ? dir : "/tmp");
	nr = to;
	while (to >= 0 && (nr = copy_piece(fd, to, piece)) > 0) {
		done_bytes += (uint64_t)nr;
		if (progress)
			progress(ctx, done_bytes);
	}
	free(piece);
	if (to >= 0 && !nr && lseek(to, 0, SEEK_SET) < 0)
		nr = -errno;
	if (nr < 0) {
		if (to >= 0)
			close(to);
		return (int)nr;
	}
	*ret_fd = to;
	return 0;
}

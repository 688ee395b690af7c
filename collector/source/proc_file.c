/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/source/proc_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int tt_proc_open_root(const char *root)
{
	int fd = open(*root ? root : "/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* O_NONBLOCK: a fixture or a container may hold a pipe where a file should be. */
static int open_file(int dir_fd, const char *path)
{
	int fd = openat(dir_fd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	return fd < 0 ? -errno : fd;
}

static ssize_t read_retry(int fd, char *buf, size_t size)
{
	ssize_t len;

	do
		len = read(fd, buf, size);
	while (len < 0 && errno == EINTR);
	return len < 0 ? -errno : len;
}

ssize_t tt_proc_read_small(int dir_fd, const char *path, char *buf, size_t size)
{
	int fd = open_file(dir_fd, path);
	ssize_t len;

	if (fd < 0)
		return fd;
	len = read_retry(fd, buf, size - 1);
	close(fd);
	if (len >= 0)
		buf[len] = '\0';
	return len;
}

int tt_proc_read_line(int dir_fd, const char *path, char *buf, size_t size)
{
	ssize_t len = tt_proc_read_small(dir_fd, path, buf, size);

	if (len < 0) {
		buf[0] = '\0';
		return (int)len;
	}
	buf[strcspn(buf, "\n")] = '\0';
	return 0;
}

bool tt_proc_read_u64(int dir_fd, const char *path, uint64_t *ret)
{
	char line[32], *end;
	unsigned long long value;

	if (tt_proc_read_line(dir_fd, path, line, sizeof(line)) || line[0] < '0' || line[0] > '9')
		return false;
	errno = 0;
	value = strtoull(line, &end, 10);
	if (errno || *end)
		return false;
	*ret = value;
	return true;
}

static int grow(struct tt_text *t)
{
	size_t room = t->room ? 2 * t->room : 16384;
	char *bytes = realloc(t->bytes, room);

	if (!bytes)
		return -ENOMEM;
	t->bytes = bytes;
	t->room = room;
	return 0;
}

int tt_text_read(struct tt_text *t, int dir_fd, const char *path)
{
	int fd = open_file(dir_fd, path), err = 0;

	if (fd < 0)
		return fd;
	t->len = 0;
	for (;;) {
		ssize_t len;

		if (t->len + 1 >= t->room) {
			if (t->room >= TT_TEXT_BYTES_MAX)
				break;
			err = grow(t);
			if (err)
				break;
		}
		len = read_retry(fd, t->bytes + t->len, t->room - t->len - 1);
		if (len <= 0) {
			err = (int)len;
			break;
		}
		t->len += (size_t)len;
	}
	close(fd);
	if (!err)
		t->bytes[t->len] = '\0';
	return err;
}

void tt_text_free(struct tt_text *t)
{
	free(t->bytes);
	memset(t, 0, sizeof(*t));
}

int tt_proc_dir_open(struct tt_proc_dir *d, int dir_fd, const char *path)
{
	d->pos = d->len = 0;
	d->fd = openat(dir_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return d->fd < 0 ? -errno : 0;
}

void tt_proc_dir_close(struct tt_proc_dir *d)
{
	if (d->fd >= 0)
		close(d->fd);
	d->fd = -1;
}

static bool parse_number(const char *name, uint32_t *ret)
{
	uint64_t value = 0;

	for (; *name; name++) {
		if (*name < '0' || *name > '9')
			return false;
		value = 10 * value + (uint64_t)(*name - '0');
		if (value > INT32_MAX)
			return false;
	}
	*ret = (uint32_t)value;
	return value > 0;
}

int tt_proc_dir_next(struct tt_proc_dir *d, uint32_t *ret_number)
{
	for (;;) {
		const struct dirent64 *entry;

		if (d->pos >= d->len) {
			ssize_t len = getdents64(d->fd, d->entries, sizeof(d->entries));

			if (len <= 0)
				return len < 0 ? -errno : 0;
			d->len = (unsigned)len;
			d->pos = 0;
		}
		entry = (const struct dirent64 *)(d->entries + d->pos);
		d->pos += entry->d_reclen;
		if (parse_number(entry->d_name, ret_number))
			return 1;
	}
}

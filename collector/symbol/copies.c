/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/symbol/copies.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <zstd.h>

enum { ZSTD_LEVEL = 1, NR_AT_FIRST = 1024, PACKED_MAX = ZSTD_COMPRESSBOUND(sizeof(struct tt_copy_room)) };
_Static_assert(sizeof(struct tt_copy_entry) <= 64, "copies.h tells the memory");

/* Where the file system knows no files without names (NFS, some FUSE), one that loses its name at once. */
static int open_nameless(const char *directory)
{
	char path[4096];
	int fd = open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT))
		return fd < 0 ? -errno : fd;
	if ((size_t)snprintf(path, sizeof(path), "%s/.timethief-XXXXXX", directory) >= sizeof(path))
		return -ENAMETOOLONG;
	fd = mkostemp(path, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	unlink(path);
	return fd;
}

int tt_copies_open(struct tt_copies *c, const char *directory)
{
	*c = (struct tt_copies){ .fd = open_nameless(directory) };
	if (c->fd < 0)
		return c->fd;
	c->packer = ZSTD_createCCtx();
	c->unpacker = ZSTD_createDCtx();
	c->packed = malloc(PACKED_MAX);
	if (c->packer && c->unpacker && c->packed)
		return 0;
	close(c->fd);
	c->fd = -1;
	tt_copies_close(c);
	return -ENOMEM;
}

void tt_copies_close(struct tt_copies *c)
{
	if (c->packer && c->fd >= 0)
		close(c->fd);
	ZSTD_freeCCtx(c->packer);
	ZSTD_freeDCtx(c->unpacker);
	free(c->packed);
	free(c->entries);
	*c = (struct tt_copies){ .fd = -1 };
}

static bool has_room(struct tt_copies *c)
{
	uint32_t room = c->room ? 2 * c->room : NR_AT_FIRST;
	struct tt_copy_entry *entries;

	if (c->nr < c->room)
		return true;
	if (c->nr == TT_COPIES_MAX)
		return false;
	entries = realloc(c->entries, room * sizeof(*entries));
	if (!entries)
		return false;
	c->entries = entries;
	c->room = room;
	return true;
}

bool tt_copies_add(struct tt_copies *c, const struct tt_user_copy *copy)
{
	size_t size;

	if (!has_room(c))
		return false;
	size = c->packer ? ZSTD_compressCCtx(c->packer, c->packed, PACKED_MAX, copy,
					     sizeof(*copy) + copy->nr_bytes, ZSTD_LEVEL)
			 : 0;
	if (ZSTD_isError(size) || c->bytes + size > TT_COPIES_BYTES_MAX ||
	    pwrite(c->fd, c->packed, size, (off_t)c->bytes) != (ssize_t)size)
		size = 0;
	c->entries[c->nr++] = (struct tt_copy_entry){
		.id = copy->id,
		.by_frame_pointers = copy->by_frame_pointers,
		.nr_by_frame_pointers = copy->nr_by_frame_pointers,
		.space = copy->space,
		.ts_ns = copy->rec.ts_ns,
		.at = c->bytes,
		.size = (uint32_t)size,
		.pid = copy->pid,
	};
	c->bytes += size;
	return true;
}

int tt_copies_read(struct tt_copies *c, const struct tt_copy_entry *entry, struct tt_copy_room *ret)
{
	size_t size;

	if (!entry->size || entry->size > PACKED_MAX ||
	    pread(c->fd, c->packed, entry->size, (off_t)entry->at) != (ssize_t)entry->size)
		return -EIO;
	size = ZSTD_decompressDCtx(c->unpacker, ret, sizeof(*ret), c->packed, entry->size);
	return ZSTD_isError(size) || size != sizeof(ret->copy) + ret->copy.nr_bytes ? -EIO : 0;
}

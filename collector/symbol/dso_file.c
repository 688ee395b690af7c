/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/symbol/dso_file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "collector/symbol/debug_files.h"
#include "collector/symbol/proc_maps.h"

enum { PATH_BYTES_MAX = 4096 };

int tt_dso_files_open(struct tt_dso_files *f, const char *root, const struct tt_mappings *mappings)
{
	*f = (struct tt_dso_files){ .mappings = mappings, .root_fd = -1, .proc_fd = -1 };
	f->root_fd = tt_proc_open_root(root);
	if (f->root_fd < 0)
		return f->root_fd;
	f->proc_fd = openat(f->root_fd, "proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (f->proc_fd < 0)
		return -errno;
	f->our_mount_ns = tt_dso_mount_ns_of(f, 0);
	return 0;
}

void tt_dso_files_close(struct tt_dso_files *f)
{
	if (f->proc_fd >= 0)
		close(f->proc_fd);
	if (f->root_fd >= 0)
		close(f->root_fd);
	tt_text_free(&f->text);
	*f = (struct tt_dso_files){ .root_fd = -1, .proc_fd = -1 };
}

int tt_dso_root_of(const struct tt_dso_files *f, uint32_t pid)
{
	char path[32];

	snprintf(path, sizeof(path), "%u/root", pid);
	return openat(f->proc_fd, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

uint64_t tt_dso_mount_ns_of(const struct tt_dso_files *f, uint32_t pid)
{
	char path[32] = "self/ns/mnt";
	struct stat st;

	if (pid)
		snprintf(path, sizeof(path), "%u/ns/mnt", pid);
	return fstatat(f->proc_fd, path, &st, 0) ? 0 : st.st_ino;
}

/* --- is it that file? --- */

static struct tt_file_id id_of(const struct stat *st)
{
	return (struct tt_file_id){ .dev = st->st_dev,
				    .ino = st->st_ino,
				    .size = (uint64_t)st->st_size,
				    .mtime_ns = st->st_mtim.tv_sec * 1000000000ll + st->st_mtim.tv_nsec };
}

static bool is_same_id(const struct tt_file_id *a, const struct tt_file_id *b)
{
	return a->dev == b->dev && a->ino == b->ino && a->size == b->size && a->mtime_ns == b->mtime_ns;
}

/* Inode numbers are used again soon on some file systems; the generation tells. */
static bool is_other_generation(int fd, uint64_t generation)
{
	int now;

	return generation && !ioctl(fd, FS_IOC_GETVERSION, &now) && (uint32_t)now != (uint32_t)generation;
}

/* Nothing about the file changed since it was mapped, its names included. */
static bool is_unchanged_since(const struct stat *st, uint64_t ts_ns)
{
	struct timespec real, monotonic;
	int64_t offset_ns;

	clock_gettime(CLOCK_REALTIME, &real);
	clock_gettime(CLOCK_MONOTONIC, &monotonic);
	offset_ns = (real.tv_sec - monotonic.tv_sec) * 1000000000ll + real.tv_nsec - monotonic.tv_nsec;
	return st->st_ctim.tv_sec * 1000000000ll + st->st_ctim.tv_nsec < offset_ns + (int64_t)ts_ns;
}

/* What mappings say of device and inode there is not what stat(2) says. */
static bool has_odd_numbers(int fd)
{
	struct statfs fs;

	return !fstatfs(fd, &fs) && (fs.f_type == BTRFS_SUPER_MAGIC || fs.f_type == OVERLAYFS_SUPER_MAGIC);
}

static enum tt_found compare(const struct tt_dso *dso, int fd)
{
	struct tt_file_id id;
	struct stat st;

	if (fstat(fd, &st))
		return TT_FOUND_NONE;
	id = id_of(&st);
	if (dso->was_seen && is_same_id(&id, &dso->file_id))
		return TT_FOUND;
	if (dso->was_seen)
		return TT_FOUND_OTHER;
	if (id.dev == makedev(dso->major, dso->minor) && id.ino == dso->ino)
		return is_other_generation(fd, dso->generation) ? TT_FOUND_OTHER : TT_FOUND;
	return has_odd_numbers(fd) && is_unchanged_since(&st, dso->mapped_ts_ns) ? TT_FOUND : TT_FOUND_OTHER;
}

/* --- looking --- */

/* The mapping of a process that address is in. */
static bool find_map(struct tt_dso_files *f, uint32_t pid, uint64_t address, struct tt_proc_map *ret)
{
	const char *pos;
	char path[32];

	snprintf(path, sizeof(path), "%u/maps", pid);
	if (tt_text_read(&f->text, f->proc_fd, path))
		return false;
	for (pos = f->text.bytes; tt_proc_next_map(&pos, f->text.bytes + f->text.len, ret);)
		if (ret->start <= address && address < ret->end)
			return true;
	return false;
}

/* By path, or by number: of a process with a root directory of its own we see a longer path. */
static bool is_mapping_of(const struct tt_proc_map *map, const struct tt_dso *dso)
{
	char path[PATH_BYTES_MAX];
	size_t len = tt_proc_map_path(map->path, path, sizeof(path), NULL);

	if (len == dso->path_len && !memcmp(path, dso->path, len))
		return true;
	return dso->ino && map->ino == dso->ino && map->major == dso->major && map->minor == dso->minor;
}

static int open_map_file(const struct tt_dso_files *f, uint32_t pid, const struct tt_proc_map *map)
{
	char path[96];
	int fd;

	snprintf(path, sizeof(path), "%u/map_files/%llx-%llx", pid, (unsigned long long)map->start,
		 (unsigned long long)map->end);
	fd = openat(f->proc_fd, path, O_PATH | O_CLOEXEC);
	return fd < 0 ? -errno : tt_reopen_regular(fd);
}

static int open_in_root(const struct tt_dso_files *f, const struct tt_dso *dso, uint32_t pid)
{
	int root_fd = pid ? tt_dso_root_of(f, pid) : f->root_fd, fd;

	if (root_fd < 0)
		return -ENOENT;
	fd = tt_open_regular(root_fd, dso->path, true);
	if (pid)
		close(root_fd);
	return fd;
}

int tt_dso_look(struct tt_dso_files *f, struct tt_dso *dso, uint32_t pid, uint64_t address)
{
	struct tt_proc_map map;
	struct stat st;
	uint64_t mount_ns;
	int fd;

	dso->nr_looks++;
	if (!find_map(f, pid, address, &map) || !is_mapping_of(&map, dso))
		return -ESRCH;
	fd = open_map_file(f, pid, &map);
	if (fd < 0) { /* not allowed; the path may do */
		fd = open_in_root(f, dso, pid);
		if (fd >= 0 && compare(dso, fd) != TT_FOUND) {
			close(fd);
			fd = -ESTALE;
		}
	}
	if (fd < 0)
		return fd;
	if (fstat(fd, &st)) {
		close(fd);
		return -EIO;
	}
	mount_ns = tt_dso_mount_ns_of(f, pid);
	dso->mount_ns = mount_ns == f->our_mount_ns ? 0 : mount_ns;
	dso->file_id = id_of(&st);
	dso->was_seen = true;
	return fd;
}

int tt_dso_open_by(const struct tt_dso_files *f, const struct tt_dso *dso, uint32_t pid,
		   enum tt_found *ret_found)
{
	int fd = open_in_root(f, dso, pid);

	*ret_found = fd < 0 ? TT_FOUND_NONE : compare(dso, fd);
	if (*ret_found > TT_FOUND_OTHER)
		return fd;
	if (fd >= 0)
		close(fd);
	return -ENOENT;
}

/* --- opening, later --- */

static bool maps_dso(const struct tt_process *p, uint32_t nr, struct tt_mapping *ret)
{
	for (uint32_t n = 0; tt_mappings_nth(p, n, ret); n++)
		if (ret->dso == nr)
			return true;
	return false;
}

/* A process that maps it and lives. */
static int open_by_any_process(struct tt_dso_files *f, const struct tt_dso *dso, uint32_t nr)
{
	for (uint32_t i = 0; i < f->mappings->nr; i++) {
		const struct tt_process *p = &f->mappings->processes[i];
		struct tt_mapping mapping;
		struct tt_proc_map map;

		if (p->has_exited || !maps_dso(p, nr, &mapping))
			continue;
		if (find_map(f, p->pid, mapping.start, &map) && is_mapping_of(&map, dso)) {
			int fd = open_map_file(f, p->pid, &map);

			if (fd >= 0)
				return fd;
		}
	}
	return -ENOENT;
}

int tt_dso_open(struct tt_dso_files *f, struct tt_dsos *dsos, uint32_t nr, enum tt_found *ret_found)
{
	const struct tt_dso *dso = tt_dso(dsos, nr);
	enum tt_found through_holder = TT_FOUND_NONE, found = TT_FOUND_NONE;
	int fd = -ENOENT;

	if (dso->fd >= 0)
		fd = fcntl(dso->fd, F_DUPFD_CLOEXEC, 0);
	if (fd < 0 && dso->holder_pid)
		fd = tt_dso_open_by(f, dso, dso->holder_pid, &through_holder);
	if (fd < 0)
		fd = tt_dso_open_by(f, dso, 0, &found);
	if (fd < 0)
		fd = open_by_any_process(f, dso, nr);
	*ret_found = found > through_holder ? found : through_holder;
	return fd < 0 ? -ENOENT : fd;
}

/* --- tables of JITs --- */

static void read_status(struct tt_dso_files *f, struct tt_dso *dso)
{
	char path[32], text[4096];
	ssize_t len;
	uint32_t uid;

	snprintf(path, sizeof(path), "%u/status", dso->pid);
	len = tt_proc_read_small(f->proc_fd, path, text, sizeof(text));
	if (len < 0 || !tt_proc_status_uid(text, (size_t)len, &uid))
		return;
	dso->uid = uid;
	dso->mount_ns = tt_dso_mount_ns_of(f, dso->pid);
	if (dso->mount_ns == f->our_mount_ns)
		dso->mount_ns = 0;
	if (!tt_proc_status_ns_pid(text, (size_t)len, &dso->ns_pid))
		dso->ns_pid = dso->pid;
}

static int open_table(int root_fd, uint32_t pid, uint32_t uid)
{
	struct stat st;
	char path[40];
	int fd;

	snprintf(path, sizeof(path), "tmp/perf-%u.map", pid);
	fd = tt_open_regular(root_fd, path, false);
	if (fd >= 0 && (fstat(fd, &st) || (st.st_uid && st.st_uid != uid))) {
		close(fd);
		return -EPERM;
	}
	return fd;
}

int tt_dso_open_jit(struct tt_dso_files *f, struct tt_dso *dso)
{
	int root_fd, fd = -ENOENT;

	if (!dso->ns_pid)
		read_status(f, dso);
	root_fd = dso->ns_pid ? tt_dso_root_of(f, dso->pid) : -1;
	if (root_fd >= 0) {
		fd = open_table(root_fd, dso->ns_pid, dso->uid);
		close(root_fd);
	}
	if (fd < 0) /* one that has gone before it was seen: of our own user, at most */
		fd = open_table(f->root_fd, dso->pid, dso->ns_pid ? dso->uid : geteuid());
	return fd;
}

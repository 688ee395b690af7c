/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/source/proc_snapshot.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "collector/source/proc_cgroup.h"
#include "collector/source/proc_file.h"
#include "collector/source/proc_parse.h"
#include "collector/source/record_batch.h"

/* Says in the stream that names were cut or left out. */
static int emit_names_lost(struct tt_record_batch *b, uint64_t count, uint64_t since_ts_ns)
{
	struct tt_loss loss = { .since_ts_ns = since_ts_ns, .count = count, .what = TT_LOSS_NAMES };

	if (!count)
		return 0;
	return tt_record_batch_add(b, &loss.rec, sizeof(loss), TT_EV_LOSS, TT_CPU_NONE, tt_now_ns());
}

/* Reads a file of counters; *ret_ts_ns is the middle of the reading, when the kernel took them. */
static int read_counters(const char *root, const char *path, struct tt_text *text, uint64_t *ret_ts_ns)
{
	int root_fd = tt_proc_open_root(root), err;
	uint64_t before_ns;

	if (root_fd < 0)
		return root_fd;
	before_ns = tt_now_ns();
	err = tt_text_read(text, root_fd, path);
	*ret_ts_ns = before_ns + (tt_now_ns() - before_ns) / 2;
	close(root_fd);
	return err;
}

int tt_proc_emit_cpu_counters(const char *root, const struct tt_sink *sink, tt_proc_fill_cpu_fn fill,
			      void *ctx)
{
	struct tt_cpu_counters counters;
	struct tt_text text = { 0 };
	struct tt_record_batch batch;
	uint64_t ts_ns, nr_beyond = 0;
	unsigned nr = 0;
	const char *pos;
	int err = read_counters(root, "proc/stat", &text, &ts_ns);

	tt_record_batch_init(&batch, sink);
	for (pos = text.bytes; !err && tt_proc_next_cpu(&pos, text.bytes + text.len, &counters);) {
		if (nr++ >= TT_PROC_CPUS_MAX) {
			nr_beyond++;
			continue;
		}
		counters.rec.ts_ns = ts_ns;
		if (fill)
			fill(ctx, &counters);
		err = tt_record_batch_add(&batch, &counters.rec, sizeof(counters), TT_EV_CPU_COUNTERS,
					  counters.rec.cpu, ts_ns);
	}
	if (!err)
		err = emit_names_lost(&batch, nr_beyond, ts_ns);
	if (!err)
		err = tt_record_batch_flush(&batch);
	tt_text_free(&text);
	return err;
}

static uint16_t read_flag(int root_fd, const char *dir, const char *name)
{
	char path[96];
	uint64_t value;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return tt_proc_read_u64(root_fd, path, &value) && value;
}

/* Whether the directory has entries. */
static bool has_entries(int root_fd, const char *dir, const char *name)
{
	char path[96];
	struct dirent *entry;
	bool found = false;
	DIR *d;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = openat(root_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	d = fd < 0 ? NULL : fdopendir(fd);
	if (!d) {
		if (fd >= 0)
			close(fd);
		return false;
	}
	while (!found && (entry = readdir(d)))
		found = entry->d_name[0] != '.';
	closedir(d);
	return found;
}

/* The device's name as in /proc/diskstats: DEVNAME of its uevent. (The directory's name has '!' for '/'.) */
static bool read_device_name(int root_fd, const char *dir, char *name)
{
	char path[96], text[1024], *line, *next;

	snprintf(path, sizeof(path), "%s/uevent", dir);
	if (tt_proc_read_small(root_fd, path, text, sizeof(text)) < 0)
		return false;
	for (line = text; line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		if (strncmp(line, "DEVNAME=", 8))
			continue;
		strncpy(name, line + 8, TT_DISK_NAME_LEN - 1);
		return true;
	}
	return false;
}

/* Fills in what sysfs knows. -ENOENT: nothing. */
static int fill_device(int root_fd, uint32_t dev, struct tt_device *d)
{
	char dir[64], path[96];
	uint64_t size_sectors;

	memset(d, 0, sizeof(*d));
	d->dev = dev;
	snprintf(dir, sizeof(dir), "sys/dev/block/%u:%u", dev >> 20, dev & 0xfffff);
	if (!read_device_name(root_fd, dir, d->name))
		return -ENOENT;
	snprintf(path, sizeof(path), "%s/size", dir);
	if (tt_proc_read_u64(root_fd, path, &size_sectors))
		d->size_sectors = size_sectors;
	d->is_partition = read_flag(root_fd, dir, "partition") != 0;
	d->is_stacked = has_entries(root_fd, dir, "slaves");
	/* A partition's directory lies in that of its disk, which has the queue. */
	d->rotational = read_flag(root_fd, dir, d->is_partition ? "../queue/rotational" : "queue/rotational");
	return 0;
}

static int add_device(struct tt_record_batch *b, struct tt_device *d, uint64_t ts_ns)
{
	return tt_record_batch_add(b, &d->rec, sizeof(*d), TT_EV_DEVICE, TT_CPU_NONE, ts_ns);
}

int tt_proc_emit_device(const char *root, const struct tt_sink *sink, uint32_t dev, uint64_t ts_ns)
{
	int root_fd = tt_proc_open_root(root), err;
	struct tt_record_batch batch;
	struct tt_device device;

	if (root_fd < 0)
		return root_fd;
	tt_record_batch_init(&batch, sink);
	err = fill_device(root_fd, dev, &device);
	if (!err)
		err = add_device(&batch, &device, ts_ns);
	if (!err)
		err = tt_record_batch_flush(&batch);
	close(root_fd);
	return err;
}

static bool is_known_as(const struct tt_proc_known_disks *known, unsigned i, const struct tt_disk_counters *c)
{
	return known->disks[i].dev == c->dev && !memcmp(known->disks[i].name, c->name, sizeof(c->name));
}

/* Remembers the disk. line is its number in the file, where it was the last time too if nothing came or went.
 */
static bool is_known(struct tt_proc_known_disks *known, unsigned line, const struct tt_disk_counters *c)
{
	unsigned i;

	if (line < known->nr && is_known_as(known, line, c))
		return true;
	for (i = 0; i < known->nr; i++)
		if (known->disks[i].dev == c->dev)
			break;
	if (i < known->nr && is_known_as(known, i, c))
		return true;
	if (i == known->nr) {
		if (known->nr < TT_PROC_DISKS_MAX)
			known->nr++;
		else
			i = known->next++ % TT_PROC_DISKS_MAX;
	}
	known->disks[i].dev = c->dev;
	memcpy(known->disks[i].name, c->name, sizeof(c->name));
	return false;
}

/* Where sysfs does not know it (or by another name), the name in /proc/diskstats is what there is. */
static int add_device_of_line(struct tt_record_batch *b, int root_fd, const struct tt_disk_counters *c,
			      uint64_t ts_ns)
{
	struct tt_device device;

	fill_device(root_fd, c->dev, &device);
	memcpy(device.name, c->name, sizeof(device.name));
	return add_device(b, &device, ts_ns);
}

/* What to make of the lines of /proc/diskstats. */
struct disk_walk {
	uint32_t dev;			   /* 0 = all */
	struct tt_proc_known_disks *known; /* NULL = every line is new */
	bool names, counters;
};

static int add_disk_line(struct tt_record_batch *b, int root_fd, const struct disk_walk *walk, unsigned line,
			 struct tt_disk_counters *c, uint64_t ts_ns)
{
	int err = 0;

	if (walk->names && !(walk->known && is_known(walk->known, line, c)))
		err = add_device_of_line(b, root_fd, c, ts_ns);
	if (!err && walk->counters)
		err = tt_record_batch_add(b, &c->rec, sizeof(*c), TT_EV_DISK_COUNTERS, TT_CPU_NONE, ts_ns);
	return err;
}

static int walk_disks(const char *root, const struct tt_sink *sink, const struct disk_walk *walk)
{
	struct tt_disk_counters counters;
	struct tt_text text = { 0 };
	struct tt_record_batch batch;
	uint64_t ts_ns, nr_beyond = 0;
	unsigned nr = 0;
	const char *pos;
	int root_fd = tt_proc_open_root(root), err;

	if (root_fd < 0)
		return root_fd;
	tt_record_batch_init(&batch, sink);
	err = read_counters(root, "proc/diskstats", &text, &ts_ns);
	for (pos = text.bytes; !err && tt_proc_next_disk(&pos, text.bytes + text.len, &counters);) {
		unsigned line = nr++;

		if (walk->dev && counters.dev != walk->dev)
			continue;
		if (line >= TT_PROC_DISKS_MAX)
			nr_beyond++;
		else
			err = add_disk_line(&batch, root_fd, walk, line, &counters, ts_ns);
	}
	if (!err)
		err = emit_names_lost(&batch, nr_beyond, ts_ns);
	if (!err)
		err = tt_record_batch_flush(&batch);
	tt_text_free(&text);
	close(root_fd);
	return err;
}

int tt_proc_emit_disk_counters(const char *root, const struct tt_sink *sink, uint32_t dev,
			       struct tt_proc_known_disks *known)
{
	struct disk_walk walk = { .dev = dev, .known = known, .names = known != NULL, .counters = true };

	return walk_disks(root, sink, &walk);
}

int tt_proc_emit_devices(const char *root, const struct tt_sink *sink)
{
	struct disk_walk walk = { .names = true };

	return walk_disks(root, sink, &walk);
}

/* A walk down one hierarchy. */
struct cgroup_walk {
	struct tt_record_batch batch;
	uint64_t id_flag, since_ts_ns;
	unsigned nr_cgroups;	/* of all hierarchies */
	uint64_t nr_names_lost; /* cut, too deep or too many */
	size_t path_len;
	char path[PATH_MAX]; /* of the directory being looked at, from the root of the hierarchy */
};

static int add_cgroup(struct cgroup_walk *walk, int fd)
{
	struct tt_cgroup cgroup = { 0 };
	size_t len = walk->path_len;
	struct stat st;

	if (fstat(fd, &st))
		return 0; /* removed while we looked */
	if (len > sizeof(cgroup.path) - 1) {
		len = sizeof(cgroup.path) - 1;
		walk->nr_names_lost++;
	}
	cgroup.id = (uint64_t)st.st_ino | walk->id_flag;
	memcpy(cgroup.path, len ? walk->path : "/", len ? len : 1);
	return tt_record_batch_add(&walk->batch, &cgroup.rec, sizeof(cgroup), TT_EV_CGROUP, TT_CPU_NONE,
				   tt_now_ns());
}

static int walk_cgroup(struct cgroup_walk *walk, int fd, unsigned depth);

/* Everything in a hierarchy that can be opened as a directory is a cgroup; O_NOFOLLOW keeps a fixture from
 * looping. */
static int walk_child(struct cgroup_walk *walk, int parent_fd, const char *name, unsigned depth)
{
	size_t parent_len = walk->path_len, name_len = strlen(name);
	int fd, err;

	if (depth > TT_PROC_CGROUP_DEPTH_MAX || walk->nr_cgroups >= TT_PROC_CGROUPS_MAX ||
	    parent_len + name_len + 2 > sizeof(walk->path)) {
		walk->nr_names_lost++;
		return 0;
	}
	fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return 0;
	walk->path[parent_len] = '/';
	memcpy(walk->path + parent_len + 1, name, name_len);
	walk->path_len = parent_len + 1 + name_len;
	err = walk_cgroup(walk, fd, depth); /* closes fd */
	walk->path_len = parent_len;
	return err;
}

static int walk_cgroup(struct cgroup_walk *walk, int fd, unsigned depth)
{
	DIR *dir = fdopendir(fd);
	const struct dirent *entry;
	int err;

	if (!dir) {
		err = -errno;
		close(fd);
		return err;
	}
	walk->nr_cgroups++;
	err = add_cgroup(walk, fd);
	while (!err && (entry = readdir(dir))) {
		if (entry->d_type != DT_DIR && entry->d_type != DT_UNKNOWN)
			continue;
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
			err = walk_child(walk, dirfd(dir), entry->d_name, depth + 1);
	}
	closedir(dir);
	return err;
}

static int walk_mount(struct cgroup_walk *walk, const struct tt_cgroup_mount *m)
{
	int fd;

	if (m->fd < 0)
		return 0;
	fd = openat(m->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	walk->id_flag = m->id_flag;
	walk->path_len = strlen(m->root);
	memcpy(walk->path, m->root, walk->path_len);
	return walk_cgroup(walk, fd, 0);
}

int tt_proc_emit_cgroups(const char *root, const struct tt_sink *sink)
{
	int root_fd = tt_proc_open_root(root), err;
	struct tt_cgroup_mounts mounts;
	struct cgroup_walk *walk;

	if (root_fd < 0)
		return root_fd;
	walk = calloc(1, sizeof(*walk));
	if (!walk) {
		close(root_fd);
		return -ENOMEM;
	}
	tt_record_batch_init(&walk->batch, sink);
	walk->since_ts_ns = tt_now_ns();
	tt_cgroup_mounts_open(&mounts, root_fd);
	err = walk_mount(walk, &mounts.v2);
	if (!err)
		err = walk_mount(walk, &mounts.v1_cpu);
	if (!err)
		err = emit_names_lost(&walk->batch, walk->nr_names_lost, walk->since_ts_ns);
	if (!err)
		err = tt_record_batch_flush(&walk->batch);
	tt_cgroup_mounts_close(&mounts);
	close(root_fd);
	free(walk);
	return err;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/source/proc_cgroup.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "collector/source/proc_file.h"
#include "collector/source/proc_parse.h"

/* Of several mounts the one that shows most of the hierarchy, i.e. with the shortest root, wins. */
static void consider_mount(struct tt_cgroup_mount *m, int root_fd, const struct tt_proc_mount *line)
{
	char root[TT_CGROUP_PATH_LEN], mount_point[PATH_MAX];
	int fd;

	if (!tt_proc_unescape(line->root, root, sizeof(root)) ||
	    !tt_proc_unescape(line->mount_point, mount_point, sizeof(mount_point)) || mount_point[0] != '/')
		return;
	if (!strcmp(root, "/"))
		root[0] = '\0';
	if (m->fd >= 0 && strlen(m->root) <= strlen(root))
		return;
	fd = openat(root_fd, mount_point[1] ? mount_point + 1 : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return;
	if (m->fd >= 0)
		close(m->fd);
	m->fd = fd;
	strcpy(m->root, root);
}

void tt_cgroup_mounts_open(struct tt_cgroup_mounts *mounts, int root_fd)
{
	struct tt_proc_mount line;
	struct tt_text text = { 0 };
	const char *pos;

	*mounts = (struct tt_cgroup_mounts){ .v2 = { .fd = -1 },
					     .v1_cpu = { .fd = -1, .id_flag = TT_CGROUP_V1 } };
	if (!tt_text_read(&text, root_fd, "proc/self/mountinfo")) {
		for (pos = text.bytes; tt_proc_next_mount(&pos, text.bytes + text.len, &line);) {
			if (tt_slice_is(line.fs_type, "cgroup2"))
				consider_mount(&mounts->v2, root_fd, &line);
			else if (tt_slice_is(line.fs_type, "cgroup") &&
				 tt_slice_has_item(line.super_options, "cpu"))
				consider_mount(&mounts->v1_cpu, root_fd, &line);
		}
	}
	tt_text_free(&text);
}

void tt_cgroup_mounts_close(struct tt_cgroup_mounts *mounts)
{
	if (mounts->v2.fd >= 0)
		close(mounts->v2.fd);
	if (mounts->v1_cpu.fd >= 0)
		close(mounts->v1_cpu.fd);
	mounts->v2.fd = mounts->v1_cpu.fd = -1;
}

/* 0 = not visible below the mount: another namespace's, or gone. */
static uint64_t cgroup_id(const struct tt_cgroup_mount *m, struct tt_slice cgroup)
{
	size_t root_len = strlen(m->root);
	char path[PATH_MAX];
	struct stat st;

	if (m->fd < 0 || cgroup.len >= sizeof(path) || cgroup.len < root_len ||
	    memcmp(cgroup.text, m->root, root_len))
		return 0;
	memcpy(path, cgroup.text + root_len, cgroup.len - root_len);
	path[cgroup.len - root_len] = '\0';
	if (path[0] && path[0] != '/')
		return 0; /* root /a and cgroup /ab */
	if (!strncmp(path, "/..", 3))
		return 0; /* above the root of our namespace */
	if (fstatat(m->fd, path[0] && path[1] ? path + 1 : ".", &st, 0))
		return 0;
	return (uint64_t)st.st_ino | m->id_flag;
}

uint64_t tt_cgroup_of_task(const struct tt_cgroup_mounts *mounts, const char *text, size_t len, char *path)
{
	struct tt_proc_cgroup_line line;
	struct tt_slice v2 = { 0 }, v1_cpu = { 0 }, chosen;
	const char *pos = text;
	uint64_t id = 0;

	while (tt_proc_next_cgroup(&pos, text + len, &line)) {
		if (line.is_v2)
			v2 = line.path;
		else if (line.is_v1_cpu)
			v1_cpu = line.path;
	}
	chosen = v2;
	if (v2.len > 1)
		id = cgroup_id(&mounts->v2, v2);
	if (!id && v1_cpu.len > 1) {
		chosen = v1_cpu;
		id = cgroup_id(&mounts->v1_cpu, v1_cpu);
	}
	if (!id && v2.len == 1) {
		chosen = v2;
		id = cgroup_id(&mounts->v2, v2);
	}
	if (!id && v1_cpu.len == 1) {
		chosen = v1_cpu;
		id = cgroup_id(&mounts->v1_cpu, v1_cpu);
	}
	memset(path, 0, TT_CGROUP_PATH_LEN);
	if (id)
		memcpy(path, chosen.text,
		       chosen.len < TT_CGROUP_PATH_LEN ? chosen.len : TT_CGROUP_PATH_LEN - 1);
	return id;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* proc_cgroup - where the cgroup hierarchies are mounted, and which cgroup a task is in.
 *
 * Ids are inode numbers (= kernfs ids), with TT_CGROUP_V1 for the v1 cpu hierarchy. Paths are those of our
 * cgroup namespace.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "bpf/event.h"

struct tt_cgroup_mount {
	int fd;			       /* O_PATH of the mount point; -1 = not mounted */
	char root[TT_CGROUP_PATH_LEN]; /* the part of the hierarchy that is mounted there; "" = all of it */
	uint64_t id_flag;	       /* 0 or TT_CGROUP_V1 */
};

struct tt_cgroup_mounts {
	struct tt_cgroup_mount v2, v1_cpu;
};

/* Looks into proc/self/mountinfo of the root directory. What is not there has fd -1. */
void tt_cgroup_mounts_open(struct tt_cgroup_mounts *mounts, int root_fd);
void tt_cgroup_mounts_close(struct tt_cgroup_mounts *mounts);

/* From the text of /proc/PID/cgroup: the v2 cgroup of the task; on a hybrid host, when that is the root, its
 * v1 cpu cgroup. 0 = unknown. path (of TT_CGROUP_PATH_LEN bytes, zero-filled) gets its path from the root of
 * the hierarchy, cut to fit. */
uint64_t tt_cgroup_of_task(const struct tt_cgroup_mounts *mounts, const char *text, size_t len, char *path);

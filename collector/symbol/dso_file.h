/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dso_file - opens the file that was mapped, and no other one that is called like it.
 *
 * While a process lives, /proc/PID/map_files is the very file, deleted or not (CAP_SYS_ADMIN or CAP_CHECKPOINT_RESTORE, and CAP_SYS_PTRACE
 * for other users' processes). So a file is looked at once while somebody maps it: that tells its identity. Later it is found by its path in
 * the root directory of a process that lives, or in ours, and compared: with what the look told; else with the device and inode of
 * the mapping.
 *
 * Nothing is read from a file here. Only regular files are opened. A file system that does not answer (a dead NFS server, FUSE) holds up whoever
 * looks up a name on it.
 */
#pragma once

#include "collector/source/proc_file.h"
#include "collector/symbol/mappings.h"

struct tt_dso_files {
	const struct tt_mappings *mappings;
	int root_fd, proc_fd; /* O_PATH; directory */
	uint64_t our_mount_ns;
	struct tt_text text; /* scratch */
};

int tt_dso_files_open(struct tt_dso_files *f, const char *root, const struct tt_mappings *mappings);
void tt_dso_files_close(struct tt_dso_files *f);

/* The file that process pid has mapped at address, which is dso's. Fills what dso has of the file. A descriptor or a negative errno. */
int tt_dso_look(struct tt_dso_files *f, struct tt_dso *dso, uint32_t pid, uint64_t address);

enum tt_found { TT_FOUND_NONE, TT_FOUND_OTHER, TT_FOUND };
/* By its path through process pid (0 = in our own root). As tt_dso_open. */
int tt_dso_open_by(const struct tt_dso_files *f, const struct tt_dso *dso, uint32_t pid,
		   enum tt_found *ret_found);

/* A descriptor of the caller's or -ENOENT; *ret_found then tells why: no such file, or another one. */
int tt_dso_open(struct tt_dso_files *f, struct tt_dsos *dsos, uint32_t nr, enum tt_found *ret_found);

/* The table of a JIT: in /tmp of the process' root, under the pid that it has there, else in ours. Not a link, and of the process' user or
 * root's. Fills ns_pid. -ENOENT: none yet. */
int tt_dso_open_jit(struct tt_dso_files *f, struct tt_dso *dso);

/* O_PATH of the root directory of a process, -1 = not to be had. */
int tt_dso_root_of(const struct tt_dso_files *f, uint32_t pid);
/* The number of its mount namespace; 0 = not to be had. */
uint64_t tt_dso_mount_ns_of(const struct tt_dso_files *f, uint32_t pid);

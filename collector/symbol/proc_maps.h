/* SPDX-License-Identifier: GPL-2.0-or-later */
/* proc_maps - what /proc/PID/maps says of executable memory, and what /proc/PID/status says of a process' names; proc(5).
 *
 * Pure: no files, no allocation, no logging. Text of any bytes.
 */
#pragma once

#include "collector/base/slice.h"

struct tt_proc_map {
	uint64_t start, end, offset; /* offset: of start in the file */
	uint32_t major, minor;
	uint64_t ino;
	bool is_executable;
	struct tt_slice path; /* escaped as it stands there; "" = anonymous */
};

/* Lines from *pos on; those that are not of the form are skipped. */
bool tt_proc_next_map(const char **pos, const char *end, struct tt_proc_map *ret);

/* The path with newlines instead of \012 and without " (deleted)"; what does not fit is cut. Returns its length; *ret_deleted may be
 * NULL. A file may really be called "x\012" or "x (deleted)": whoever opens it compares more than the name. */
size_t tt_proc_map_path(struct tt_slice path, char *dst, size_t size, bool *ret_deleted);

/* From the text of /proc/PID/status: the pid as the process itself knows it (the last of NSpid), and its user. False: there is no such
 * line (NSpid: before 4.1). */
bool tt_proc_status_ns_pid(const char *text, size_t len, uint32_t *ret_pid);
bool tt_proc_status_uid(const char *text, size_t len, uint32_t *ret_effective_uid);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* debug_files - where the symbols of a file may be when they were taken out of it.
 *
 * The places that gdb and elfutils know: /usr/lib/debug/.build-id/xx/yy.debug; beside the file, in .debug/ there, and below /usr/lib/debug
 * under the name that the file itself gives (.gnu_debuglink). Each of them in the root directory of a process, then in ours. Whether a file
 * that is there is the right one is for the worker to see. That worker may be in the hands of the file that it reads: it gets nothing but
 * regular files that everybody may read.
 */
#pragma once

#include "collector/symbol/worker.h"

struct tt_debug_places {
	int process_root_fd, our_root_fd; /* O_PATH; -1 = none */
	const char *path;		  /* of the file that it is about */
};

/* The first regular file among the candidates from *attempt on; *attempt is moved behind it. A descriptor, or -ENOENT. need is from a worker:
 * nothing in it is trusted. */
int tt_debug_file_open(const struct tt_debug_places *places, const struct tt_message_need *need,
		       uint32_t *attempt);

/* path below root_fd, as if that were the root directory: links and .. do not leave it (where the kernel has openat2, 5.6). Only regular
 * files: no device is ever opened. is_link_fine: also when path itself is a link. A descriptor or a negative errno. */
int tt_open_regular(int root_fd, const char *path, bool is_link_fine);
/* The same file for reading, from one that was opened with O_PATH. Closes path_fd. */
int tt_reopen_regular(int path_fd);

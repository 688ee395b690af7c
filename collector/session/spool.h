/* SPDX-License-Identifier: GPL-2.0-or-later */
/* spool - what comes through a pipe, put into a file that can be rewound.
 *
 * The file lies in TMPDIR (else /tmp) and has no name: nobody else opens it, and it is gone with its descriptor,
 * however this process ends.
 */
#pragma once

#include <stdint.h>

/* All that is left to read in fd, from the start of *ret_fd. progress (may be NULL) is told the bytes copied so far, again and
 * again. 0 or -errno. */
int tt_spool_copy(int fd, void (*progress)(void *ctx, uint64_t done_bytes), void *ctx, int *ret_fd);

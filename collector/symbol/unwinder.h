/* SPDX-License-Identifier: GPL-2.0-or-later */
/* unwinder - from registers and a copy of the stack to who called whom, by the call frame information of the files: elfutils' libdwfl.
 *
 * For one process as it was mapped at one time, and any number of its stacks; what was read of a file serves all of them. Files come from anywhere:
 * whoever calls this must be able to crash (worker.h). x86-64.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/event.h"

/* Executable memory; what is mapped there is asked for when a stack leads there. */
struct tt_unwind_map {
	uint64_t start, end, offset; /* offset: of start in the file */
};

/* The file of the nth map: a descriptor that is the unwinder's from now on, or a negative errno: there is none. Asked once for each. */
typedef int (*tt_unwind_file_fn)(void *ctx, uint32_t nth);

enum tt_unwound {
	TT_UNWOUND_WHOLE = 0, /* to the outermost function */
	TT_UNWOUND_CUT,	      /* to the end of the copy, or TT_STACK_DEPTH_MAX */
	TT_UNWOUND_LOST,      /* to code without call frame information */
};

struct tt_unwinder;

/* maps: nr of them, ascending, borrowed until close. -ENOMEM. */
int tt_unwinder_open(const struct tt_unwind_map *maps, uint32_t nr, tt_unwind_file_fn file, void *ctx,
		     struct tt_unwinder **ret_u);
void tt_unwinder_close(struct tt_unwinder *u);

/* regs (TT_COPY_REGS), bytes, nr_bytes: as in struct tt_user_copy. ret_ips: room for TT_STACK_DEPTH_MAX; leaf first, at least one. */
unsigned tt_unwinder_walk(struct tt_unwinder *u, const uint64_t *regs, const void *bytes, size_t nr_bytes,
			  uint64_t *ret_ips, enum tt_unwound *ret_how);

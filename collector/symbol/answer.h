/* SPDX-License-Identifier: GPL-2.0-or-later */
/* answer - what is at an address, as bytes: made by a process that may have been taken over by the file it read, so decoding trusts
 * nothing.
 *
 * Pure. Host-endian, multiples of 8 bytes, aligned to 8.
 */
#pragma once

#include <sys/types.h>

#include "collector/base/slice.h"
#include "collector/symbol/demangle.h"
#include "collector/symbol/dwarf_scopes.h"

enum {
	TT_ANSWER_FRAMES_MAX = TT_DWARF_DEPTH_MAX,
	TT_ANSWER_BYTES_MAX = 24 + TT_ANSWER_FRAMES_MAX * (24 + 2 * TT_NAME_BYTES_MAX + 8),
};

struct tt_answer_frame {
	struct tt_slice name, file; /* "" = unknown; at most TT_NAME_BYTES_MAX */
	uint64_t offset;	    /* of the address from the beginning of the function */
	uint32_t line;
	bool is_cut; /* a name did not fit */
};

struct tt_answer {
	bool has_address;
	uint64_t address; /* in the ELF file's own terms */
	unsigned
		nr_frames; /* 0 = no function is known there; else the last is the function, and those before were inlined into it */
	struct tt_answer_frame frames[TT_ANSWER_FRAMES_MAX];
};

/* dst has TT_ANSWER_BYTES_MAX bytes. Returns how many were used. */
size_t tt_answer_encode(const struct tt_answer *answer, void *dst);
/* The answer that len bytes begin with; slices point into them. Returns its size, or -EBADMSG. */
ssize_t tt_answer_decode(const void *bytes, size_t len, struct tt_answer *ret);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stacks - what the ids of stacks stand for: frames with names, as the recording resolved them at its end.
 *
 * Fed with every event; takes TT_EV_STACK, STACK_ALIAS, MODULE, SYMBOL and FRAME, which may come in any order (but the frames of one address
 * together): frames are asked for after the last one. Bounds: TT_STACKS_MAX stacks, and TT_STACKS_ALIASES_MAX further ids, of TT_STACKS_IPS_MAX addresses together,
 * TT_STACKS_ADDRESSES_MAX different addresses, TT_STACKS_FRAMES_MAX functions at them, ids of symbols and modules below
 * TT_STACKS_SYMBOLS_MAX and TT_STACKS_MODULES_MAX, TT_STACKS_NAME_BYTES_MAX of names; what comes beyond is counted
 * (tt_stacks_nr_forgotten) and asked for in vain. Memory is touched as it fills: 79 MiB when everything is full, 2 MiB for
 * a recording of 2,000 stacks. Pure: neither logs nor exits.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "collector/event/event.h"

enum {
	TT_STACKS_MAX = 1 << 18,
	TT_STACKS_ALIASES_MAX = 1 << 20,
	TT_STACKS_IPS_MAX = 4 << 20,
	TT_STACKS_ADDRESSES_MAX = 1 << 18,
	TT_STACKS_FRAMES_MAX = 1 << 18,
	TT_STACKS_SYMBOLS_MAX = 1 << 18,
	TT_STACKS_MODULES_MAX = 1 << 16,
	TT_STACKS_NAME_BYTES_MAX = 16 << 20,
};

/* One function on a stack. Names are raw bytes of the recorded machine, NUL-terminated, valid as long as the table. */
struct tt_frame_info {
	uint64_t ip;	    /* as it was taken */
	uint64_t offset;    /* in the symbol; without one, in the module */
	const char *symbol; /* NULL = unknown */
	const char *
		module; /* "[kernel.kallsyms]", "[nf_tables]", "/usr/lib/libc.so.6", "/tmp/perf-1234.map"; NULL = unknown */
	uint32_t module_id; /* 0 = unknown; see tt_stacks_module */
	const char *file;   /* of the source; NULL = unknown */
	uint32_t line;
	bool is_kernel;
	bool is_inlined; /* into the next one */
	bool is_made;	 /* no code: put there to tell something, as "[stolen]" */
};

/* Where code comes from. */
struct tt_module_info {
	const char *path;     /* as tt_frame_info's module */
	uint16_t flags;	      /* TT_MODULE_* */
	uint8_t build_id_len; /* 0 = none */
	const uint8_t *build_id;
};

struct tt_stacks;

int tt_stacks_open(struct tt_stacks **ret_s); /* -ENOMEM */
void tt_stacks_close(struct tt_stacks *s);
void tt_stacks_event(struct tt_stacks *s, const struct tt_event *ev);

/* False for TT_STACK_NONE, TT_STACK_MISSED and ids that were never told or found no room. */
bool tt_stacks_has(const struct tt_stacks *s, uint64_t id);
/* The one id of its stack, or TT_STACK_NONE or TT_STACK_MISSED; the same if it has but one. */
uint64_t tt_stacks_canonical(const struct tt_stacks *s, uint64_t id);
/* The frames of a stack, leaf first, at most max of them; *ret_cut (may be NULL) tells whether it was deeper than was taken or could
 * be followed, or than max. 0 for ids that tt_stacks_has does not have. */
unsigned tt_stacks_frames(const struct tt_stacks *s, uint64_t id, struct tt_frame_info *frames, unsigned max,
			  bool *ret_cut);
/* False: nothing is known of it. Valid as long as the table. */
bool tt_stacks_module(const struct tt_stacks *s, uint32_t module_id, struct tt_module_info *ret_info);
/* In hex, "" = it has none; TT_BUILD_ID_TEXT_MAX bytes always fit. Returns dst. */
enum { TT_BUILD_ID_TEXT_MAX = 2 * UINT8_MAX + 1 };
char *tt_build_id_text(char *dst, const struct tt_module_info *module);
uint64_t tt_stacks_nr(const struct tt_stacks *s);
uint64_t tt_stacks_nr_forgotten(const struct tt_stacks *s);

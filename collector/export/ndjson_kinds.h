/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ndjson_kinds - the lines of the export ndjson: one description that both the lines and their JSON Schema are made of.
 *
 * A line is an object with "type" and then, of events, "ts_ns" and "cpu"; the rest are fields of a struct. Numbers above 2^53 - 1, which
 * JavaScript and jq cannot hold, are strings of digits. Text is escaped as everywhere (base/escape.h).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "collector/event/event.h"

enum tt_nd_how {
	TT_ND_UINT,   /* a number */
	TT_ND_INT,    /* a number of 8 bytes, or of 4, with a sign */
	TT_ND_BOOL,   /* 1 byte: not 0 */
	TT_ND_HEX,    /* "0x1f": ids and addresses, which are no amounts */
	TT_ND_STACK,  /* id of a stack: null, "missed" or "0x1f" */
	TT_ND_TEXT,   /* char[] */
	TT_ND_STRING, /* const char * to at most a batch's bytes, or null */
	TT_ND_ENUM,   /* one of names, or null */
	TT_ND_FLAGS,  /* list of those names whose bits are set */
	TT_ND_COMM,   /* name of the task with this tid, or null */
	TT_ND_DEVICE, /* name of the disk with this dev_t, "8:0" where it has none */
	TT_ND_CGROUP, /* path of the cgroup with this id, or null */
	TT_ND_PROBES, /* struct tt_info: list of objects */
	TT_ND_LOSS,   /* name of the enum tt_loss_what, or null */
	TT_ND_LOST,   /* uint64_t[TT_LOSS_NR]: object, a number for each kind of loss */
	TT_ND_CONST,  /* the JSON that is the first of names */
	TT_ND_FRAMES, /* functions of a stack; see ndjson.c */
};

/* The value of a field that means: not known. It is null then. */
enum tt_nd_null { TT_ND_NEVER_NULL, TT_ND_NULL_0, TT_ND_NULL_ALL_ONES };

struct tt_nd_name {
	uint32_t value; /* TT_ND_ENUM: of it; TT_ND_FLAGS: the bit */
	const char *name;
};

struct tt_nd_field {
	const char *key, *help; /* key NULL = the last */
	enum tt_nd_how how;
	enum tt_nd_null null;
	uint16_t offset, size;
	uint32_t mask; /* TT_ND_ENUM: the bits that are the value; 0 = all */
	const struct tt_nd_name *names;
};

struct tt_nd_kind {
	const char *type, *help;
	uint16_t kind; /* enum tt_kind and the like; 0 = no event, without ts_ns and cpu */
	const struct tt_nd_field *fields;
};

/* What fields of made lines are fields of. */
struct tt_nd_switch {
	struct tt_ev_switch sw;
	uint64_t wait_stolen_ns;
	uint32_t waker_tid; /* TT_TID_UNKNOWN unless it was woken or forked */
};

struct tt_nd_disk {
	struct tt_disk disk;
	uint64_t nr_counted;
	uint64_t kstack, ustack;
	uint32_t group, tid; /* TT_TID_UNKNOWN without a submitter */
};

struct tt_nd_module {
	const char *path, *build_id;
	uint16_t flags;
};

struct tt_nd_stack {
	uint64_t id;
	uint8_t is_known, is_cut;
};

struct tt_nd_end {
	uint64_t from_ts_ns, to_ts_ns, nr_lines;
	const char *lack; /* as in tt_export_end */
	uint64_t nr_lost[TT_LOSS_NR];
};

extern const struct tt_nd_kind tt_nd_kinds[]; /* type NULL at the end */
/* Of an event; NULL = has no lines. */
const struct tt_nd_kind *tt_nd_kind_of(unsigned kind);
/* "session", "stack", "module", "end": must be there. */
const struct tt_nd_kind *tt_nd_kind_named(const char *type);

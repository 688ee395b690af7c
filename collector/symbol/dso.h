/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dso - what can be mapped executable: files, and what stands where a file's name would.
 *
 * A table of at most TT_DSO_MAX entries of about 250 bytes, path included; beyond, tt_dsos_get says TT_DSO_NONE and counts. An entry lives
 * as long as somebody refers to it: mappings, events that wait, addresses. Numbers of entries that died are used again. Entries move when
 * the table grows: keep numbers, not pointers.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "collector/symbol/map_event.h"
#include "collector/symbol/slots.h"

enum { TT_DSO_MAX = 16384, TT_BUILD_ID_MAX = 20 };
#define TT_DSO_NONE UINT32_MAX

enum tt_dso_kind {
	TT_DSO_FILE = 1, /* of a file system; a memfd, too */
	TT_DSO_ANON,	 /* memory without a file: a JIT's, or nobody knows whose. One entry stands for all */
	TT_DSO_JIT,	 /* the table /tmp/perf-PID.map of one process between two execs */
	TT_DSO_VDSO,
	TT_DSO_PSEUDO, /* "[uprobes]": a name, and no more is known */
};

/* What tells a file from another one of the same name. */
struct tt_file_id {
	uint64_t dev, ino, size;
	int64_t mtime_ns;
};

struct tt_build_id {
	uint8_t len; /* 0 = not known */
	uint8_t bytes[TT_BUILD_ID_MAX];
};

struct tt_dso {
	uint32_t nr_refs; /* 0 = free */
	uint8_t kind;
	bool is_memfd;
	/* what the mapping said */
	uint32_t path_len;
	char *path; /* NUL-terminated; as the process sees it, without " (deleted)" */
	uint32_t major, minor;
	uint64_t ino, generation; /* generation 0 = not known */
	uint64_t mapped_ts_ns;	  /* when we first knew of it */
	uint64_t space;		  /* JIT: whose */
	uint32_t pid;
	uint32_t ns_pid; /* JIT: as the process itself knows it; 0 = not known yet */
	uint32_t uid;	 /* JIT: of the process, when ns_pid is known */
	/* what dso_file found */
	int fd; /* held open; -1 = not */
	uint32_t
		holder_pid; /* through whom it can be reached, and held, while that process lives; 0 = none */
	uint64_t mount_ns;  /* of the holder; 0 = ours, or not known */
	bool was_seen;	    /* as it was mapped: file_id is right */
	bool is_homeless;   /* the holder is gone, and the path leads there no more */
	uint8_t nr_looks;   /* in vain */
	struct tt_file_id file_id;
};

struct tt_dsos {
	struct tt_dso *entries;
	uint32_t nr, room, free_head;
	uint64_t nr_beyond;
	uint32_t nr_fds;     /* held open */
	uint32_t anon, vdso; /* numbers of the two that are always there */
	struct tt_slots slots;
};

int tt_dsos_open(struct tt_dsos *d); /* -ENOMEM */
void tt_dsos_close(struct tt_dsos *d);

/* The entry for what is mapped under this path (raw, with " (deleted)" if it has it), with a reference for the caller. Of map: path,
 * major, minor, ino, generation, ts_ns. TT_DSO_NONE: no room. */
uint32_t tt_dsos_get(struct tt_dsos *d, const struct tt_map_event *map);
/* The entry for the JIT table of a process. */
uint32_t tt_dsos_get_jit(struct tt_dsos *d, uint64_t space, uint32_t pid);
static inline struct tt_dso *tt_dso(struct tt_dsos *d, uint32_t nr)
{
	return &d->entries[nr];
}
/* The entry owns fd from now on. */
void tt_dsos_hold(struct tt_dsos *d, uint32_t nr, int fd);
void tt_dsos_let_go(struct tt_dsos *d, uint32_t nr); /* closes what was held, if anything */
void tt_dsos_ref(struct tt_dsos *d, uint32_t nr);
void tt_dsos_unref(struct tt_dsos *d, uint32_t nr); /* TT_DSO_NONE is fine */

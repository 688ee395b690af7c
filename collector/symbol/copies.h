/* SPDX-License-Identifier: GPL-2.0-or-later */
/* copies - copies of user stacks, kept until they can be unwound: compressed, in a file without a name.
 *
 * What is on a stack is whatever the programs had there, passwords included: the file can be opened by nobody else, and is gone with the
 * process, however that ends. At most TT_COPIES_MAX copies and TT_COPIES_BYTES_MAX bytes; 64 bytes of memory for each.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "bpf/event.h"

enum { TT_COPIES_MAX = 1 << 18 };
#define TT_COPIES_BYTES_MAX (1ull << 30)

/* As in struct tt_user_copy. */
struct tt_copy_entry {
	uint64_t id, by_frame_pointers, space, ts_ns;
	uint64_t at;	    /* in the file */
	uint32_t size, pid; /* size: in the file; 0 = it found no room */
	uint32_t maps;	    /* the owner's: what was mapped then */
	uint16_t nr_by_frame_pointers;
	uint16_t pad;
};

struct tt_copies {
	int fd;
	void *packer, *unpacker; /* ZSTD */
	char *packed;		 /* room for one; not on the stack, which is copied, too */
	struct tt_copy_entry *entries;
	uint32_t nr, room;
	uint64_t bytes; /* in the file */
};

struct tt_copy_room {
	struct tt_user_copy copy;
	uint8_t bytes[TT_COPY_BYTES_MAX];
};

/* In a directory that may be written to. 0 or -errno. */
int tt_copies_open(struct tt_copies *c, const char *directory);
void tt_copies_close(struct tt_copies *c); /* of a zeroed one, too */
/* Of the right form: its bytes are in the record. Without room on the disk there is an entry that cannot be read; false: there is none. */
bool tt_copies_add(struct tt_copies *c, const struct tt_user_copy *copy);
/* 0 or -EIO. */
int tt_copies_read(struct tt_copies *c, const struct tt_copy_entry *entry, struct tt_copy_room *ret);

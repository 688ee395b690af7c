/* SPDX-License-Identifier: GPL-2.0-or-later */
/* own_stack - for tests of the unwinder: a copy of the stack of who asks, as the kernel's side takes it, and what is mapped. x86-64. */
#pragma once

#ifdef __x86_64__
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <ucontext.h>
#include <unistd.h>

#include "collector/source/proc_file.h"
#include "collector/symbol/proc_maps.h"
#include "collector/symbol/unwinder.h"

enum { OWN_MAPS_MAX = 512 };

struct own_stack {
	uint64_t regs[TT_COPY_REGS];
	uint8_t bytes[TT_COPY_BYTES_MAX];
	size_t nr_bytes;
	struct tt_unwind_map maps[OWN_MAPS_MAX];
	char paths[OWN_MAPS_MAX][256];
	uint32_t nr_maps;
};

static inline void own_stack_maps(struct own_stack *own)
{
	struct tt_text text = { .len = 0 };
	struct tt_proc_map map;
	const char *pos;

	if (tt_text_read(&text, AT_FDCWD, "/proc/self/maps"))
		abort();
	for (pos = text.bytes;
	     own->nr_maps < OWN_MAPS_MAX && tt_proc_next_map(&pos, text.bytes + text.len, &map);) {
		if (!map.is_executable || !map.path.len || map.path.text[0] != '/')
			continue;
		tt_proc_map_path(map.path, own->paths[own->nr_maps], sizeof(own->paths[0]), NULL);
		own->maps[own->nr_maps++] = (struct tt_unwind_map){ map.start, map.end, map.offset };
	}
	tt_text_free(&text);
}

/* With this function as the leaf. */
static __attribute__((noinline)) void own_stack_take(struct own_stack *own)
{
	static const uint8_t places[TT_COPY_REGS] = {
		/* of struct pt_regs, by those of ucontext */
		[0] = REG_R15,	[1] = REG_R14,	[2] = REG_R13,	[3] = REG_R12,	[4] = REG_RBP,
		[5] = REG_RBX,	[6] = REG_R11,	[7] = REG_R10,	[8] = REG_R9,	[9] = REG_R8,
		[10] = REG_RAX, [11] = REG_RCX, [12] = REG_RDX, [13] = REG_RSI, [14] = REG_RDI,
		[16] = REG_RIP, [19] = REG_RSP,
	};
	ucontext_t context;

	getcontext(&context);
	for (unsigned i = 0; i < TT_COPY_REGS; i++)
		own->regs[i] = (uint64_t)context.uc_mcontext.gregs[places[i]];
	for (own->nr_bytes = 0; own->nr_bytes < TT_COPY_BYTES_MAX;
	     own->nr_bytes += TT_COPY_CHUNK_BYTES) { /* the stack may end before */
		struct iovec to = { own->bytes + own->nr_bytes, TT_COPY_CHUNK_BYTES }, from = to;

		from.iov_base = (void *)(own->regs[19] + own->nr_bytes);
		if (process_vm_readv(getpid(), &to, 1, &from, 1, 0) != TT_COPY_CHUNK_BYTES)
			break;
	}
}

static inline int own_stack_file(void *ctx, uint32_t nth)
{
	return open(((struct own_stack *)ctx)->paths[nth], O_RDONLY | O_CLOEXEC);
}
#endif

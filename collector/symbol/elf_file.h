/* SPDX-License-Identifier: GPL-2.0-or-later */
/* elf_file - an ELF file by its descriptor: which one it is, where its bytes go in memory, which debug file belongs to it.
 *
 * Files come from anywhere. libelf checks a good deal, but whoever calls this must be able to crash: see worker.h.
 */
#pragma once

#include <libelf.h>
#include <stdbool.h>
#include <stdint.h>

#include "collector/symbol/dso.h"

enum {
	TT_ELF_SEGMENTS_MAX = 256,
	TT_DEBUG_NAME_MAX = 256,
};

struct tt_elf_segment {
	uint64_t offset, file_size, address, memory_size;
	bool is_executable;
};

struct tt_elf_file {
	Elf *elf;
	uint16_t machine;
	struct tt_build_id build_id;
	unsigned nr_segments;
	struct tt_elf_segment segments[TT_ELF_SEGMENTS_MAX];
};

int tt_elf_file_open(
	int fd, struct tt_elf_file *ret); /* -ENOEXEC: no ELF file. The caller keeps fd open until close */
void tt_elf_file_close(struct tt_elf_file *f);

/* From an offset in the file to the address that the file itself uses. false: no such byte is ever mapped. */
bool tt_elf_file_address(const struct tt_elf_file *f, uint64_t offset, uint64_t *ret_address);
/* The executable segment that an address is in; NULL = none. */
const struct tt_elf_segment *tt_elf_file_code(const struct tt_elf_file *f, uint64_t address);

/* .gnu_debuglink: the name of the debug file and its checksum. */
bool tt_elf_file_debug_link(const struct tt_elf_file *f, char name[static TT_DEBUG_NAME_MAX],
			    uint32_t *ret_crc);
/* Whether debug belongs to f: the same build id; where neither has one, the checksum of its bytes (debug_fd). */
bool tt_elf_file_belongs(const struct tt_elf_file *f, const struct tt_elf_file *debug, int debug_fd);

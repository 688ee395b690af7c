/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/symbol/elf_file.h"

#include <errno.h>
#include <gelf.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include <elfutils/libdwelf.h>

static void read_build_id(struct tt_elf_file *f)
{
	const void *bytes;
	ssize_t len = dwelf_elf_gnu_build_id(f->elf, &bytes);

	if (len <= 0 || len > TT_BUILD_ID_MAX)
		return;
	f->build_id.len = (uint8_t)len;
	memcpy(f->build_id.bytes, bytes, (size_t)len);
}

static void read_segments(struct tt_elf_file *f)
{
	size_t nr = 0;

	if (elf_getphdrnum(f->elf, &nr))
		return;
	for (size_t i = 0; i < nr && i <= INT32_MAX && f->nr_segments < TT_ELF_SEGMENTS_MAX; i++) {
		GElf_Phdr head;

		if (!gelf_getphdr(f->elf, (int)i, &head))
			break;
		if (head.p_type != PT_LOAD || !head.p_memsz || head.p_vaddr + head.p_memsz < head.p_vaddr)
			continue;
		f->segments[f->nr_segments++] = (struct tt_elf_segment){
			.offset = head.p_offset,
			.file_size = head.p_filesz,
			.address = head.p_vaddr,
			.memory_size = head.p_memsz,
			.is_executable = head.p_flags & PF_X,
		};
	}
}

int tt_elf_file_open(int fd, struct tt_elf_file *ret)
{
	GElf_Ehdr head;

	memset(ret, 0, sizeof(*ret));
	elf_version(EV_CURRENT);
	ret->elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
	if (!ret->elf || elf_kind(ret->elf) != ELF_K_ELF || !gelf_getehdr(ret->elf, &head)) {
		tt_elf_file_close(ret);
		return -ENOEXEC;
	}
	ret->machine = head.e_machine;
	read_build_id(ret);
	read_segments(ret);
	return 0;
}

void tt_elf_file_close(struct tt_elf_file *f)
{
	if (f->elf)
		elf_end(f->elf);
	f->elf = NULL;
}

bool tt_elf_file_address(const struct tt_elf_file *f, uint64_t offset, uint64_t *ret_address)
{
	bool found = false;

	for (unsigned i = 0; i < f->nr_segments; i++) {
		const struct tt_elf_segment *s = &f->segments[i];

		if (offset < s->offset || offset - s->offset >= s->file_size)
			continue;
		if (found && !s->is_executable) /* a page of the file can be in two segments */
			continue;
		*ret_address = s->address + (offset - s->offset);
		found = true;
		if (s->is_executable)
			break;
	}
	return found;
}

const struct tt_elf_segment *tt_elf_file_code(const struct tt_elf_file *f, uint64_t address)
{
	for (unsigned i = 0; i < f->nr_segments; i++) {
		const struct tt_elf_segment *s = &f->segments[i];

		if (s->is_executable && address >= s->address && address - s->address < s->memory_size)
			return s;
	}
	return NULL;
}

bool tt_elf_file_debug_link(const struct tt_elf_file *f, char name[static TT_DEBUG_NAME_MAX],
			    uint32_t *ret_crc)
{
	GElf_Word crc;
	const char *link = dwelf_elf_gnu_debuglink(f->elf, &crc);
	size_t len = link ? strlen(link) : 0;

	if (!len || len >= TT_DEBUG_NAME_MAX || strchr(link, '/'))
		return false;
	memcpy(name, link, len + 1);
	*ret_crc = crc;
	return true;
}

static bool has_checksum(int fd, uint32_t expected)
{
	unsigned char bytes[16384];
	uint32_t crc = (uint32_t)crc32(0, NULL, 0);
	off_t at = 0;
	ssize_t len;

	while ((len = pread(fd, bytes, sizeof(bytes), at)) > 0) {
		crc = (uint32_t)crc32(crc, bytes, (unsigned)len);
		at += len;
	}
	return !len && crc == expected;
}

bool tt_elf_file_belongs(const struct tt_elf_file *f, const struct tt_elf_file *debug, int debug_fd)
{
	char name[TT_DEBUG_NAME_MAX];
	uint32_t crc;

	if (debug->machine != f->machine)
		return false;
	if (f->build_id.len)
		return debug->build_id.len == f->build_id.len &&
		       !memcmp(debug->build_id.bytes, f->build_id.bytes, f->build_id.len);
	return tt_elf_file_debug_link(f, name, &crc) && has_checksum(debug_fd, crc);
}

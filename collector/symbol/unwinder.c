/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/symbol/unwinder.h"

#include <elfutils/libdwfl.h>
#include <errno.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "collector/symbol/elf_file.h"

enum {
	ONE_THREAD = 1,	 /* the only one that libdwfl is told of */
	FIRST_TRIES = 8, /* files that may say which machine this is */
	REG_IP = 16,
	REG_SP = 19, /* of struct pt_regs */
};

/* Where the registers of DWARF (x86-64 psABI, figure 3.36) are in struct pt_regs: rax, rdx, rcx, rbx, rsi, rdi, rbp, rsp, r8 ... r15, rip. */
static const uint8_t places[] = { 10, 12, 11, 5, 13, 14, 4, REG_SP, 9, 8, 7, 6, 3, 2, 1, 0, REG_IP };
enum { NR_DWARF_REGS = sizeof(places) };

struct tt_unwinder {
	const struct tt_unwind_map *maps;
	uint32_t nr_maps;
	tt_unwind_file_fn file;
	void *file_ctx;
	Dwfl *dwfl;
	bool *tried; /* by map */
	bool is_attached, cannot_attach;
	/* the stack in work */
	const uint64_t *regs;
	const uint8_t *bytes;
	size_t nr_bytes;
	uint64_t *ips;
	unsigned nr_ips;
	bool was_beyond; /* what it needed is not in the copy */
	bool ended;	 /* nobody has called the last one */
};

static int no_debug_file(Dwfl_Module *module, void **data, const char *name, Dwarf_Addr base,
			 const char *file, const char *link, GElf_Word crc, char **ret_name)
{
	(void)module, (void)data, (void)name, (void)base, (void)file, (void)link, (void)crc, (void)ret_name;
	return -1;
}

static int no_elf(Dwfl_Module *module, void **data, const char *name, Dwarf_Addr base, char **ret_name,
		  Elf **ret_elf)
{
	(void)module, (void)data, (void)name, (void)base, (void)ret_name, (void)ret_elf;
	return -1;
}

static const Dwfl_Callbacks module_callbacks = {
	.find_elf = no_elf, /* all are reported with their files */
	.find_debuginfo = no_debug_file,
	.section_address = dwfl_offline_section_address,
};

int tt_unwinder_open(const struct tt_unwind_map *maps, uint32_t nr, tt_unwind_file_fn file, void *ctx,
		     struct tt_unwinder **ret_u)
{
	struct tt_unwinder *u = calloc(1, sizeof(*u));

	if (!u)
		return -ENOMEM;
	*u = (struct tt_unwinder){ .maps = maps, .nr_maps = nr, .file = file, .file_ctx = ctx };
	u->tried = calloc(nr + 1, sizeof(*u->tried));
	u->dwfl = dwfl_begin(&module_callbacks);
	if (!u->tried || !u->dwfl) {
		tt_unwinder_close(u);
		return -ENOMEM;
	}
	dwfl_report_end(u->dwfl, NULL, NULL);
	*ret_u = u;
	return 0;
}

void tt_unwinder_close(struct tt_unwinder *u)
{
	if (!u)
		return;
	if (u->dwfl)
		dwfl_end(u->dwfl);
	free(u->tried);
	free(u);
}

/* --- modules --- */

static uint32_t map_at(const struct tt_unwinder *u, uint64_t pc)
{
	uint32_t low = 0, high = u->nr_maps;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (u->maps[middle].end <= pc)
			low = middle + 1;
		else
			high = middle;
	}
	return low < u->nr_maps && u->maps[low].start <= pc ? low : u->nr_maps;
}

/* What is to be added to the file's own addresses. The kernel maps whole pages, so a map may begin before its segment. */
static bool find_bias(int fd, const struct tt_unwind_map *map, uint64_t *ret_bias)
{
	struct tt_elf_file file;
	bool found = false;

	if (tt_elf_file_open(fd, &file))
		return false;
	for (unsigned i = 0; !found && i < file.nr_segments; i++) {
		const struct tt_elf_segment *s = &file.segments[i];
		uint64_t length = map->end - map->start;

		if (!s->is_executable || s->offset + s->file_size <= map->offset ||
		    map->offset + length <= s->offset)
			continue;
		*ret_bias = map->start - (s->address - s->offset + map->offset);
		found = true;
	}
	tt_elf_file_close(&file);
	return found;
}

static void report(struct tt_unwinder *u, uint32_t nth)
{
	char name[16];
	uint64_t bias;
	int fd;

	if (u->tried[nth])
		return;
	u->tried[nth] = true;
	fd = u->file(u->file_ctx, nth);
	if (fd < 0)
		return;
	snprintf(name, sizeof(name), "%u", nth);
	dwfl_report_begin_add(u->dwfl);
	if (!find_bias(fd, &u->maps[nth], &bias) || !dwfl_report_elf(u->dwfl, name, name, fd, bias, true))
		close(fd);
	dwfl_report_end(u->dwfl, NULL, NULL);
}

static void report_at(struct tt_unwinder *u, uint64_t pc)
{
	uint32_t nth = map_at(u, pc);

	if (nth < u->nr_maps && !dwfl_addrmodule(u->dwfl, pc))
		report(u, nth);
}

/* --- what libdwfl asks --- */

static pid_t next_thread(Dwfl *dwfl, void *ctx, void **ret_thread)
{
	bool is_first = !*ret_thread;

	(void)dwfl;
	*ret_thread = ctx;
	return is_first ? ONE_THREAD : 0;
}

static bool get_thread(Dwfl *dwfl, pid_t tid, void *ctx, void **ret_thread)
{
	(void)dwfl, (void)tid;
	*ret_thread = ctx;
	return true;
}

static bool read_memory(Dwfl *dwfl, Dwarf_Addr address, Dwarf_Word *ret_word, void *ctx)
{
	struct tt_unwinder *u = ctx;
	uint64_t at = address - u->regs[REG_SP];

	(void)dwfl;
	if (address < u->regs[REG_SP] || at > u->nr_bytes || u->nr_bytes - at < sizeof(*ret_word)) {
		u->was_beyond |= address >= u->regs[REG_SP];
		return false;
	}
	memcpy(ret_word, u->bytes + at, sizeof(*ret_word));
	return true;
}

static bool set_registers(Dwfl_Thread *thread, void *ctx)
{
	const struct tt_unwinder *u = ctx;
	Dwarf_Word regs[NR_DWARF_REGS];

	for (unsigned i = 0; i < NR_DWARF_REGS; i++)
		regs[i] = u->regs[places[i]];
	return dwfl_thread_state_registers(thread, 0, NR_DWARF_REGS, regs);
}

static const Dwfl_Thread_Callbacks thread_callbacks = {
	.next_thread = next_thread,
	.get_thread = get_thread,
	.memory_read = read_memory,
	.set_initial_registers = set_registers,
};

/* Some file must say which machine this is before the first stack. */
static bool attach(struct tt_unwinder *u)
{
	if (u->is_attached || u->cannot_attach)
		return u->is_attached;
	u->is_attached = dwfl_attach_state(u->dwfl, NULL, ONE_THREAD, &thread_callbacks, u);
	for (uint32_t i = 0; !u->is_attached && i < u->nr_maps && i < FIRST_TRIES; i++) {
		report(u, i);
		u->is_attached = dwfl_attach_state(u->dwfl, NULL, ONE_THREAD, &thread_callbacks, u);
	}
	u->cannot_attach = !u->is_attached;
	return u->is_attached;
}

/* --- walking --- */

static int take_frame(Dwfl_Frame *frame, void *ctx)
{
	struct tt_unwinder *u = ctx;
	bool is_activation;
	Dwarf_Addr pc;

	if (!dwfl_frame_pc(frame, &pc, &is_activation))
		return DWARF_CB_ABORT;
	if (!pc) {
		u->ended = true;
		u->was_beyond = false;
		return DWARF_CB_ABORT;
	}
	u->ips[u->nr_ips++] = pc;
	if (u->nr_ips == TT_STACK_DEPTH_MAX) {
		u->was_beyond = true;
		return DWARF_CB_ABORT;
	}
	/* a call may be the last that a file has: what is after it is another one's */
	report_at(u, u->nr_ips > 1 ? pc - 1 : pc);
	return DWARF_CB_OK;
}

unsigned tt_unwinder_walk(struct tt_unwinder *u, const uint64_t *regs, const void *bytes, size_t nr_bytes,
			  uint64_t *ret_ips, enum tt_unwound *ret_how)
{
	u->regs = regs;
	u->bytes = bytes;
	u->nr_bytes = nr_bytes;
	u->ips = ret_ips;
	u->nr_ips = 0;
	u->was_beyond = u->ended = false;
	report_at(u, regs[REG_IP]);
	if (attach(u) && !dwfl_getthread_frames(u->dwfl, ONE_THREAD, take_frame, u))
		u->ended = true;
	if (!u->nr_ips)
		ret_ips[u->nr_ips++] = regs[REG_IP];
	/* a return address that cannot be read is for libdwfl the outermost one */
	*ret_how = u->was_beyond ? TT_UNWOUND_CUT : u->ended ? TT_UNWOUND_WHOLE : TT_UNWOUND_LOST;
	return u->nr_ips;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* names [-i] NR OUT FILE... - gives NR addresses in the code of FILEs names as the end of a recording does, -i with inlined functions. Prints
 * how long that took (s), CPU time of all processes (s), how many had names; OUT gets the same addresses for addr2line: "FILE 0xADDRESS". */
#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "collector/base/units.h"
#include "collector/source/record_batch.h"
#include "collector/symbol/symbols.h"

enum { IPS_PER_STACK = 30 };

static struct tt_symbols *symbols;
static struct tt_record_batch batch;
static uint64_t next_id = 2;

static int take_batch(void *ctx, const void *data, size_t len)
{
	(void)ctx;
	(void)len;
	tt_symbols_note_batch(symbols, data);
	return 0;
}

static int drop_batch(void *ctx, const void *data, size_t len)
{
	(void)ctx;
	(void)data;
	(void)len;
	return 0;
}

static int drop_epoch(void *ctx, uint64_t until_ts_ns)
{
	(void)ctx;
	(void)until_ts_ns;
	return 0;
}

static void note_stack(const uint64_t *ips, unsigned nr)
{
	struct {
		struct tt_stack stack;
		uint64_t ips[IPS_PER_STACK];
	} rec = { .stack = { .id = next_id++, .space = 1, .pid = (tt_u32)getpid(), .nr = (tt_u16)nr, .flags = TT_STACK_USER } };

	memcpy(rec.ips, ips, nr * sizeof(*ips));
	if (tt_record_batch_add(&batch, &rec.stack.rec, (uint16_t)(sizeof(rec.stack) + nr * sizeof(*ips)), TT_EV_STACK, TT_CPU_NONE, tt_now_ns()))
		exit(1);
}

/* The first segment of code, mapped as a program maps it. */
static const uint8_t *map_code(const char *path, Elf64_Phdr *ret_segment)
{
	int fd = open(path, O_RDONLY);
	Elf64_Ehdr head;
	void *code;

	if (fd < 0 || pread(fd, &head, sizeof(head), 0) != sizeof(head) || memcmp(head.e_ident, ELFMAG, SELFMAG) ||
	    head.e_ident[EI_CLASS] != ELFCLASS64)
		return NULL;
	for (unsigned i = 0; i < head.e_phnum; i++) {
		if (pread(fd, ret_segment, sizeof(*ret_segment), (off_t)(head.e_phoff + i * sizeof(*ret_segment))) != sizeof(*ret_segment))
			return NULL;
		if (ret_segment->p_type != PT_LOAD || !(ret_segment->p_flags & PF_X))
			continue;
		code = mmap(NULL, ret_segment->p_filesz, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, (off_t)ret_segment->p_offset & ~4095l);
		close(fd);
		return code == MAP_FAILED ? NULL : (uint8_t *)code + ret_segment->p_offset % 4096;
	}
	close(fd);
	return NULL;
}

static void note_file(const char *path, unsigned nr, FILE *out)
{
	uint64_t ips[IPS_PER_STACK], at = 0;
	Elf64_Phdr segment;
	const uint8_t *code = map_code(path, &segment);
	unsigned nr_ips = 0;

	for (unsigned i = 0; code && i < nr; i++) {
		at = segment.p_filesz * i / nr;
		ips[nr_ips++] = (uint64_t)(uintptr_t)code + at;
		fprintf(out, "%s 0x%llx\n", path, (unsigned long long)(segment.p_vaddr + at));
		if (nr_ips == IPS_PER_STACK || i == nr - 1) {
			note_stack(ips, nr_ips);
			nr_ips = 0;
		}
	}
}

static double cpu_s(int who)
{
	struct rusage usage;

	getrusage(who, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) + (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

int main(int argc, char **argv)
{
	static const struct tt_sink take = { NULL, take_batch, drop_epoch }, drop = { NULL, drop_batch, drop_epoch };
	struct tt_symbols_options opts = { .root = "" };
	struct tt_symbols_stats stats;
	uint64_t began_ns;
	double before_s;
	unsigned nr;
	FILE *out;

	if (argc > 1 && !strcmp(argv[1], "-i")) {
		opts.inlines = true;
		argc--;
		argv++;
	}
	if (argc < 4 || !(out = fopen(argv[2], "w")) || tt_symbols_open(&opts, &symbols))
		return 2;
	nr = (unsigned)atoi(argv[1]) / (unsigned)(argc - 3);
	tt_symbols_start(symbols);
	tt_record_batch_init(&batch, &take);
	for (int i = 3; i < argc; i++)
		note_file(argv[i], nr, out);
	fclose(out);
	tt_record_batch_flush(&batch);
	began_ns = tt_now_ns();
	before_s = cpu_s(RUSAGE_SELF);
	tt_symbols_epoch(symbols, began_ns);
	if (tt_symbols_finish(symbols, &drop, NULL, NULL))
		return 1;
	tt_symbols_read_stats(symbols, &stats);
	printf("%.3f %.3f %llu %llu\n", (double)(tt_now_ns() - began_ns) / 1e9,
	       cpu_s(RUSAGE_SELF) - before_s + (double)(stats.helper_user_ns + stats.helper_system_ns) / 1e9,
	       (unsigned long long)stats.nr_addresses, (unsigned long long)stats.nr_resolved);
	tt_symbols_close(symbols);
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz_symbol_text.c - any bytes as the texts that names come from: /proc/kallsyms, /proc/PID/maps and status, the table of a JIT. */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "collector/symbol/kallsyms.h"
#include "collector/symbol/perf_map.h"
#include "collector/symbol/proc_maps.h"

static void check_slice(struct tt_slice s, const char *text, size_t size)
{
	if (s.len && (s.text < text || s.text + s.len > text + size))
		__builtin_trap();
}

static void fuzz_kallsyms(const char *text, size_t size)
{
	size_t half = size ? (unsigned char)text[0] % size : 0;
	struct tt_kallsyms *k = tt_kallsyms_new();
	struct tt_kallsym symbol;

	if (!k)
		return;
	if (tt_kallsyms_feed(k, text, half) || tt_kallsyms_feed(k, text + half, size - half) ||
	    tt_kallsyms_end(k))
		__builtin_trap();
	for (uint64_t address = 0xffffffff81000000; address < 0xffffffff81001000; address += 0x55)
		if (tt_kallsyms_find(k, address, &symbol) &&
		    (symbol.start > address || memchr(symbol.name.text, '\n', symbol.name.len)))
			__builtin_trap();
	tt_kallsyms_close(k);
}

static void fuzz_maps(const char *text, size_t size)
{
	const char *pos = text;
	struct tt_proc_map map;
	char path[64];
	uint32_t value;

	while (tt_proc_next_map(&pos, text + size, &map)) {
		check_slice(map.path, text, size);
		if (map.end <= map.start ||
		    tt_proc_map_path(map.path, path, sizeof(path), NULL) > sizeof(path))
			__builtin_trap();
	}
	tt_proc_status_ns_pid(text, size, &value);
	tt_proc_status_uid(text, size, &value);
}

/* What the last entry in the text says of an address, by looking at all of them. */
static bool find_slowly(const char *text, size_t size, uint64_t address, struct tt_slice *ret)
{
	const char *pos = text;
	struct tt_slice line;
	bool found = false;

	while (size && text[size - 1] != '\n')
		size--;
	while (tt_slice_next_line(&pos, text + size, &line)) {
		uint64_t number[2], end;
		bool is_good = true;

		for (unsigned i = 0; i < 2 && is_good; i++) {
			if (line.len > 2 && line.text[0] == '0' &&
			    (line.text[1] == 'x' || line.text[1] == 'X')) {
				line.text += 2;
				line.len -= 2;
			}
			is_good = tt_slice_take_hex(&line, &number[i]) && tt_slice_take_byte(&line, ' ');
		}
		if (!is_good || !line.len || !number[1] ||
		    __builtin_add_overflow(number[0], number[1], &end) || address < number[0] ||
		    address >= end)
			continue;
		*ret = line;
		found = true;
	}
	return found;
}

static void fuzz_perf_map(const char *text, size_t size)
{
	struct tt_perf_map *map;

	if (tt_perf_map_open(text, size, &map))
		return;
	for (uint64_t address = 0x1000; address < 0x3000; address += 0xd5) {
		struct tt_slice name = { "", 0 }, slow = { "", 0 };
		uint64_t start;
		bool found = tt_perf_map_find(map, address, &name, &start);

		check_slice(name, text, size);
		if (found != find_slowly(text, size, address, &slow) ||
		    (found && (name.text != slow.text || start > address)))
			__builtin_trap();
	}
	tt_perf_map_close(map);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size ? size : 1); /* of just this size: a byte too far is seen */

	if (!text)
		return 0;
	memcpy(text, data, size);
	fuzz_kallsyms(text, size);
	fuzz_maps(text, size);
	fuzz_perf_map(text, size);
	free(text);
	return 0;
}

#ifdef TT_FUZZ_STANDALONE
static size_t tt_fuzz_seed(unsigned nth, uint8_t *data, size_t max)
{
	static const char *const seeds[] = {
		"ffffffff81000000 T _stext\nffffffff81000100 t x\nffffffff81000100 W __y\nffffffffc0000000 t "
		"z\t[mod]\n"
		"ffffffff81000200 t w\t[bpf]\n",
		"7f37c7400000-7f37c7556000 r-xp 00026000 fe:01 265143  /usr/lib/libc.so.6\n1-2 r-xp 0 0:0 0 "
		"\n"
		"3-4 --xp 0 0:0 0 /a\\012b (deleted)\nNSpid:\t1 2\nUid:\t0\t1\t2\t3\n",
		"1000 1000 old\n1400 100 new\n0x1480 0x10 newest\n1800 4000 long\n1000 1 first\n2000 800 "
		"other\n1f00 200 last\n",
	};

	if (nth >= sizeof(seeds) / sizeof(seeds[0]) || strlen(seeds[nth]) > max)
		return 0;
	memcpy(data, seeds[nth], strlen(seeds[nth]));
	return strlen(seeds[nth]);
}

static void tt_fuzz_repair(uint8_t *data, size_t size)
{
	(void)data;
	(void)size;
}
#endif

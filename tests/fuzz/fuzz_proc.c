/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz_proc - any bytes as any file of /proc: the parsers neither crash nor read beyond the end, and say
 * bounded things.
 *
 * With libFuzzer: clang -fsanitize=fuzzer,address,undefined. Else (TT_FUZZ_STANDALONE): fuzz_proc [ROUNDS
 * [SEED]] mutates built-in samples, fuzz_proc FILE... runs the files.
 */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collector/source/proc_cgroup.h"
#include "collector/source/proc_parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_slice(struct tt_slice s, const char *text, const char *end)
{
	assert(s.text >= text && s.text <= end && s.len <= (size_t)(end - s.text));
}

static void check_lines(const char *text, const char *end)
{
	struct tt_cpu_counters cpu;
	struct tt_disk_counters disk;
	const char *pos;

	for (pos = text; tt_proc_next_cpu(&pos, end, &cpu);)
		assert(pos <= end && cpu.rec.cpu < TT_CPU_NONE);
	for (pos = text; tt_proc_next_disk(&pos, end, &disk);) {
		assert(pos <= end && memchr(disk.name, '\0', sizeof(disk.name)));
		assert(!memchr(disk.name, '\n', sizeof(disk.name)));
	}
}

static void check_paths(const char *text, const char *end)
{
	const struct tt_cgroup_mounts nothing = { .v2.fd = -1, .v1_cpu.fd = -1 };
	struct tt_proc_cgroup_line cgroup;
	struct tt_proc_mount mount;
	char path[TT_CGROUP_PATH_LEN];
	const char *pos;

	for (pos = text; tt_proc_next_cgroup(&pos, end, &cgroup);)
		check_slice(cgroup.path, text, end);
	for (pos = text; tt_proc_next_mount(&pos, end, &mount);) {
		check_slice(mount.super_options, text, end);
		if (tt_proc_unescape(mount.mount_point, path, sizeof(path)))
			assert(strlen(path) <= mount.mount_point.len);
	}
	assert(!tt_cgroup_of_task(&nothing, text, (size_t)(end - text), path));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* A copy of exactly this size, so that a byte too far is seen. */
	char *text = malloc(size ? size : 1);
	struct tt_proc_schedstat schedstat;
	struct tt_proc_task_stat stat;

	if (!text)
		return 0;
	memcpy(text, data, size);
	check_lines(text, text + size);
	check_paths(text, text + size);
	tt_proc_parse_schedstat(text, size, &schedstat);
	if (!tt_proc_parse_task_stat(text, size, &stat))
		assert(!stat.comm[TT_COMM_LEN - 1]);
	free(text);
	return 0;
}

#ifdef TT_FUZZ_STANDALONE
static const char *const samples[] = {
	"cpu  1 2 3 4 5 6 7 8 9 10\ncpu0 1 2 3 4 5 6 7 8 9 10\ncpu17 1 2 3 4 5 6 7 8 9 10\nintr 5 6\n",
	" 8 0 sda 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17\n 8 1 sda1 1 2 3 4\n 253 0 vda 1 2 3 4 5 6 7 8 9 "
	"10 11\n",
	"123456 7890 12\n",
	"42 (kworker/0:1-events) I 2 0 0 0 -1 69238880 0 0 0 0 0 2 0 0 20 0 1 0 25 0 0 1 0 0\n",
	"42 (a) R\n(b) S 2 0 0 0 -1 64 0 0 0 0 0 2 0 0 20 0 1 0 25 0 0 1 0 0\n",
	"4:cpu,cpuacct:/docker/3fa1b2c4d5e6\n1:name=systemd:/\n0::/web.slice/nginx.service\n",
	"31 23 0:28 / /sys/fs/cg\\040roup rw,relatime shared:9 - cgroup2 cgroup2 rw,nsdelegate\n",
};
enum { NR_SAMPLES = sizeof(samples) / sizeof(samples[0]), INPUT_BYTES_MAX = 1024 };

static uint64_t random_state;

static uint32_t random_below(uint32_t limit)
{
	/* xorshift64: the same on every machine, so a seed tells a failure */
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t)(random_state >> 32) % limit;
}

static size_t mutate(uint8_t *data, size_t size)
{
	static const char likely[] = "0123456789 \t\n()/:-,\\cpu";

	for (unsigned n = random_below(8); n && size; n--) {
		size_t at = random_below((uint32_t)size);

		switch (random_below(5)) {
		case 0:
			data[at] = (uint8_t)random_below(256);
			break;
		case 1:
			data[at] = (uint8_t)likely[random_below(sizeof(likely) - 1)];
			break;
		case 2:
			size = at;
			break;
		case 3: /* doubles a piece */
			if (size + (size - at) <= INPUT_BYTES_MAX) {
				memmove(data + size, data + at, size - at);
				size += size - at;
			}
			break;
		default: /* takes a byte out */
			memmove(data + at, data + at + 1, size - at - 1);
			size--;
		}
	}
	return size;
}

static int run_file(const char *path)
{
	static uint8_t data[1 << 20];
	FILE *f = fopen(path, "r");
	size_t size;

	if (!f) {
		perror(path);
		return 1;
	}
	size = fread(data, 1, sizeof(data), f);
	fclose(f);
	LLVMFuzzerTestOneInput(data, size);
	return 0;
}

int main(int argc, char **argv)
{
	char *end = NULL;
	unsigned long rounds = argc > 1 ? strtoul(argv[1], &end, 10) : 20000;
	uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
	uint8_t data[2 * INPUT_BYTES_MAX];

	if (end && *end) {
		int status = 0;

		for (int i = 1; i < argc; i++)
			status |= run_file(argv[i]);
		return status;
	}
	random_state = seed * 0x9e3779b97f4a7c15ull + 1;
	for (unsigned long i = 0; i < rounds; i++) {
		const char *sample = samples[i % NR_SAMPLES];
		size_t size = strlen(sample);

		memcpy(data, sample, size);
		LLVMFuzzerTestOneInput(data, mutate(data, size));
	}
	printf("fuzz_proc: %lu inputs, seed %llu\n", rounds, (unsigned long long)seed);
	return 0;
}
#endif

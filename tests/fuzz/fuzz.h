/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz - what fuzz targets of binary inputs share. With libFuzzer its own main is used; with
 * -DTT_FUZZ_STANDALONE there is one here, so that any compiler with sanitizers will do:
 *
 *   fuzz_x                          10000 random mutations of each input that the target makes by itself
 *   fuzz_x [-n N] [-s SEED] FILE... each file (- = stdin) as it is, then N mutations of it
 *
 * A target defines LLVMFuzzerTestOneInput and, for the standalone mode, tt_fuzz_seed, which makes the nth
 * valid input (0 = there is none), and tt_fuzz_repair, which makes checksums of a mutated one right again.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#ifdef TT_FUZZ_STANDALONE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t tt_fuzz_seed(unsigned nth, uint8_t *data, size_t max);
static void tt_fuzz_repair(uint8_t *data, size_t size);

static uint64_t fuzz_random(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * 0x2545f4914f6cdd1dull;
}

enum { FUZZ_INPUT_MAX = 8 << 20 };

static uint8_t *fuzz_load(const char *path, size_t *ret_size)
{
	FILE *file = strcmp(path, "-") ? fopen(path, "rb") : stdin;
	uint8_t *data = malloc(FUZZ_INPUT_MAX);

	if (!file || !data) {
		fprintf(stderr, "cannot read %s\n", path);
		exit(1);
	}
	*ret_size = fread(data, 1, FUZZ_INPUT_MAX, file);
	if (file != stdin)
		fclose(file);
	return data;
}

/* A few changes of the kinds that find bugs: bits, interesting numbers, moved pieces, cuts. */
static size_t fuzz_mutate(uint8_t *data, size_t size, uint64_t *seed)
{
	static const uint64_t numbers[] = {
		0, 1, 0x7f, 0xff, 0x7fff, 0xffff, 0x7fffffff, 0xffffffff, UINT64_MAX >> 1, UINT64_MAX
	};
	unsigned nr = 1 + (unsigned)(fuzz_random(seed) % 4);

	while (nr-- && size) {
		size_t at = fuzz_random(seed) % size, from = fuzz_random(seed) % size;
		size_t width = (size_t)1 << fuzz_random(seed) % 4;
		uint64_t number = numbers[fuzz_random(seed) % (sizeof(numbers) / sizeof(numbers[0]))];

		switch (fuzz_random(seed) % 6) {
		case 0:
			data[at] ^= (uint8_t)(1u << fuzz_random(seed) % 8);
			break;
		case 1:
			data[at] = (uint8_t)fuzz_random(seed);
			break;
		case 2:
			memcpy(data + at, &number, width < size - at ? width : size - at);
			break;
		case 3:
			data[at] = (uint8_t)(data[at] + (fuzz_random(seed) % 2 ? 1 : -1));
			break;
		case 4:
			width = fuzz_random(seed) % 64;
			width = width < size - at ? width : size - at;
			width = width < size - from ? width : size - from;
			memmove(data + at, data + from, width);
			break;
		default:
			if (fuzz_random(seed) % 8 == 0)
				size = at;
		}
	}
	return size;
}

static void fuzz_mutations(const uint8_t *data, size_t size, uint64_t nr, uint64_t seed)
{
	LLVMFuzzerTestOneInput(data, size);
	for (uint64_t i = 0; i < nr; i++) {
		uint8_t *copy =
			malloc(size ? size : 1); /* anew each time: an access behind its end is found */
		size_t mutated;

		if (!copy)
			exit(1);
		memcpy(copy, data, size);
		mutated = fuzz_mutate(copy, size, &seed);
		if (fuzz_random(&seed) % 8)
			tt_fuzz_repair(copy, mutated);
		LLVMFuzzerTestOneInput(copy, mutated);
		free(copy);
	}
}

static void fuzz_made_seeds(uint64_t nr, uint64_t seed)
{
	uint8_t *data = malloc(FUZZ_INPUT_MAX);
	size_t size;

	if (!data)
		exit(1);
	for (unsigned nth = 0; (size = tt_fuzz_seed(nth, data, FUZZ_INPUT_MAX)); nth++)
		fuzz_mutations(data, size, nr, seed);
	free(data);
}

int main(int argc, char **argv)
{
	uint64_t nr = argc > 1 ? 0 : 10000, seed = 1;
	int i = 1;

	for (; i + 1 < argc && (!strcmp(argv[i], "-n") || !strcmp(argv[i], "-s")); i += 2)
		*(argv[i][1] == 'n' ? &nr : &seed) = strtoull(argv[i + 1], NULL, 0);
	if (!seed || (i < argc && argv[i][0] == '-' && argv[i][1])) {
		fprintf(stderr, "usage: %s [-n MUTATIONS] [-s SEED] [FILE...]\n", argv[0]);
		return 2;
	}
	if (i == argc)
		fuzz_made_seeds(nr, seed);
	for (; i < argc; i++) {
		size_t size;
		uint8_t *data = fuzz_load(argv[i], &size);

		fuzz_mutations(data, size, nr, seed);
		free(data);
	}
	printf("%llu mutations each, seed %llu\n", (unsigned long long)nr, (unsigned long long)seed);
	return 0;
}
#endif

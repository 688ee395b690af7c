/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mangle cut|flip SEED NR IN OUT - damages a copy of a file, the same way for the same SEED and NR
 * everywhere.
 *
 * cut: keeps a random number of first bytes, less than all. flip: changes one random byte to another value.
 * Prints what it did. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* splitmix64 (Steele, Lea, Flood 2014): good enough from any seed, no library's rand(). */
static uint64_t random_of(uint64_t seed, uint64_t nr)
{
	uint64_t z = seed + (nr + 1) * 0x9e3779b97f4a7c15ull;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

static unsigned char *read_file(const char *path, size_t *ret_size)
{
	FILE *f = fopen(path, "rb");
	unsigned char *bytes = NULL;
	long size;

	if (!f)
		return NULL;
	if (!fseek(f, 0, SEEK_END) && (size = ftell(f)) > 0) {
		rewind(f);
		bytes = malloc((size_t)size);
		if (bytes && fread(bytes, 1, (size_t)size, f) == (size_t)size) {
			*ret_size = (size_t)size;
		} else {
			free(bytes);
			bytes = NULL;
		}
	}
	fclose(f);
	return bytes;
}

int main(int argc, char **argv)
{
	unsigned char *bytes;
	size_t size, at;
	uint64_t random;
	FILE *out;

	if (argc != 6 || (strcmp(argv[1], "cut") && strcmp(argv[1], "flip"))) {
		fprintf(stderr, "usage: mangle cut|flip SEED NR IN OUT\n");
		return 2;
	}
	bytes = read_file(argv[4], &size);
	if (!bytes) {
		perror(argv[4]);
		return 1;
	}
	random = random_of(strtoull(argv[2], NULL, 0), strtoull(argv[3], NULL, 0));
	at = (random >> 8) % size;
	if (!strcmp(argv[1], "cut")) {
		size = at;
		printf("cut after %zu bytes\n", at);
	} else {
		unsigned char old = bytes[at];

		bytes[at] = (unsigned char)(old + 1 + (random & 0xff) % 255); /* never the old value */
		printf("byte %zu from 0x%02x to 0x%02x\n", at, old, bytes[at]);
	}
	out = fopen(argv[5], "wb");
	if (!out || fwrite(bytes, 1, size, out) != size || fclose(out)) {
		perror(argv[5]);
		free(bytes);
		return 1;
	}
	free(bytes);
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/symbol/copies.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct tt_copy_room made(uint64_t id, uint32_t nr_bytes)
{
	struct tt_copy_room room = { .copy = { .id = id,
					       .by_frame_pointers = id + 1,
					       .space = 7,
					       .pid = 100,
					       .nr_bytes = nr_bytes } };

	room.copy.rec.ts_ns = 1000 * id;
	for (uint32_t i = 0; i < nr_bytes; i++)
		room.bytes[i] = (uint8_t)(i * id);
	return room;
}

static unsigned nr_files_in(const char *directory)
{
	DIR *dir = opendir(directory);
	unsigned nr = 0;

	cr_assert(dir != NULL);
	while (readdir(dir))
		nr++;
	closedir(dir);
	return nr - 2;
}

Test(copies, each_can_be_read_again_and_no_file_is_to_be_seen)
{
	char directory[] = "/tmp/tt-copies-test-XXXXXX";
	struct tt_copies copies;
	struct tt_copy_room *room = malloc(sizeof(*room)), expected;

	cr_assert(room && mkdtemp(directory));
	cr_assert(eq(int, tt_copies_open(&copies, directory), 0));
	for (uint32_t i = 0; i < 3000; i++) {
		expected = made(i, i * 512 % (TT_COPY_BYTES_MAX + 512));
		cr_assert(tt_copies_add(&copies, &expected.copy));
	}
	cr_expect(eq(u32, nr_files_in(directory), 0));
	cr_assert(eq(u32, copies.nr, 3000));
	for (uint32_t i = 0; i < 3000; i++) {
		expected = made(i, i * 512 % (TT_COPY_BYTES_MAX + 512));
		cr_assert(eq(int, tt_copies_read(&copies, &copies.entries[i], room), 0));
		cr_expect(memcmp(room, &expected, sizeof(expected.copy) + expected.copy.nr_bytes) == 0, "%u",
			  i);
		cr_expect(eq(u64, copies.entries[i].id, i));
		cr_expect(eq(u64, copies.entries[i].by_frame_pointers, i + 1));
		cr_expect(eq(u64, copies.entries[i].ts_ns, 1000 * i));
	}
	tt_copies_close(&copies);
	rmdir(directory);
	free(room);
}

Test(copies, without_a_place_the_events_are_known)
{
	struct tt_copies copies;
	struct tt_copy_room *room = malloc(sizeof(*room));
	struct tt_copy_room copy = made(5, 512);

	cr_assert(room != NULL);
	cr_assert(eq(int, tt_copies_open(&copies, "/nonexistent"), -ENOENT));
	cr_assert(tt_copies_add(&copies, &copy.copy));
	cr_assert(eq(u32, copies.nr, 1));
	cr_expect(eq(u64, copies.entries[0].by_frame_pointers, 6));
	cr_expect(eq(int, tt_copies_read(&copies, &copies.entries[0], room), -EIO));
	tt_copies_close(&copies);
	tt_copies_close(&copies);
	free(room);
}

Test(copies, a_file_that_became_shorter_is_an_error)
{
	struct tt_copies copies;
	struct tt_copy_room *room = malloc(sizeof(*room));
	struct tt_copy_room copy = made(5, TT_COPY_BYTES_MAX);

	cr_assert(room != NULL);
	cr_assert(eq(int, tt_copies_open(&copies, "/tmp"), 0));
	cr_assert(tt_copies_add(&copies, &copy.copy));
	cr_assert(eq(int, ftruncate(copies.fd, 10), 0));
	cr_expect(eq(int, tt_copies_read(&copies, &copies.entries[0], room), -EIO));
	tt_copies_close(&copies);
	free(room);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/symbol/perf_map.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { NR_AT_FIRST = 1024 };

struct entry {
	uint64_t start, end;
	uint32_t name, name_len; /* in the text */
};

/* The address space is cut at every start and end; a piece belongs to one entry, or to none. */
struct tt_perf_map {
	const char *text;
	struct entry *entries;
	uint32_t nr, room;
	uint64_t *cuts;
	uint32_t *owners; /* of the piece that begins at the cut: number of the entry + 1 */
	uint32_t nr_cuts;
};

/* Some write 0x in front. */
static bool take_number(struct tt_slice *line, uint64_t *ret)
{
	if (line->len > 2 && line->text[0] == '0' && (line->text[1] | 0x20) == 'x') {
		line->text += 2;
		line->len -= 2;
	}
	return tt_slice_take_hex(line, ret) && tt_slice_take_byte(line, ' ');
}

static int add_line(struct tt_perf_map *map, struct tt_slice line)
{
	struct entry entry;
	uint64_t size;

	if (!take_number(&line, &entry.start) || !take_number(&line, &size))
		return 0;
	if (!size || __builtin_add_overflow(entry.start, size, &entry.end) || !line.len ||
	    map->nr == TT_PERF_MAP_MAX)
		return 0;
	if (map->nr == map->room) {
		uint32_t room = map->room ? 2 * map->room : NR_AT_FIRST;
		struct entry *entries = realloc(map->entries, room * sizeof(*entries));

		if (!entries)
			return -ENOMEM;
		map->entries = entries;
		map->room = room;
	}
	entry.name = (uint32_t)(line.text - map->text);
	entry.name_len = (uint32_t)line.len;
	map->entries[map->nr++] = entry;
	return 0;
}

static int compare_u64(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* The last cut that is not behind address; there is one. */
static uint32_t cut_of(const struct tt_perf_map *map, uint64_t address)
{
	uint32_t low = 0, high = map->nr_cuts;

	while (high - low > 1) {
		uint32_t middle = low + (high - low) / 2;

		if (map->cuts[middle] <= address)
			low = middle;
		else
			high = middle;
	}
	return low;
}

/* The first piece from i on that has no owner; jumps over those that have, and shortens the way for who comes next. */
static uint32_t next_free(uint32_t *next, uint32_t i)
{
	while (next[i] != i) {
		next[i] = next[next[i]];
		i = next[i];
	}
	return i;
}

static int cut(struct tt_perf_map *map)
{
	uint32_t nr = 0, *next;

	map->cuts = malloc(2 * (size_t)map->nr * sizeof(*map->cuts));
	if (!map->cuts)
		return -ENOMEM;
	for (uint32_t i = 0; i < map->nr; i++) {
		map->cuts[2 * i] = map->entries[i].start;
		map->cuts[2 * i + 1] = map->entries[i].end;
	}
	qsort(map->cuts, 2 * (size_t)map->nr, sizeof(*map->cuts), compare_u64);
	for (uint32_t i = 0; i < 2 * map->nr; i++)
		if (!nr || map->cuts[nr - 1] != map->cuts[i])
			map->cuts[nr++] = map->cuts[i];
	map->nr_cuts = nr;
	map->owners = calloc(nr, sizeof(*map->owners));
	next = malloc(nr * sizeof(*next));
	if (!map->owners || !next) {
		free(next);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < nr; i++)
		next[i] = i;
	/* the last entry takes first; nothing begins at the last cut, so the walks end there */
	for (uint32_t i = map->nr; i-- > 0;) {
		uint32_t end = cut_of(map, map->entries[i].end);

		for (uint32_t at = next_free(next, cut_of(map, map->entries[i].start)); at < end;
		     at = next_free(next, at)) {
			map->owners[at] = i + 1;
			next[at] = at + 1;
		}
	}
	free(next);
	return 0;
}

int tt_perf_map_open(const char *text, size_t len, struct tt_perf_map **ret)
{
	struct tt_perf_map *map = calloc(1, sizeof(*map));
	const char *pos = text;
	struct tt_slice line;
	int err = 0;

	if (!map)
		return -ENOMEM;
	map->text = text;
	if (len > TT_PERF_MAP_BYTES_MAX)
		len = TT_PERF_MAP_BYTES_MAX;
	while (len && text[len - 1] != '\n') /* a line without its end is still being written */
		len--;
	while (!err && tt_slice_next_line(&pos, text + len, &line))
		err = add_line(map, line);
	if (!err && map->nr)
		err = cut(map);
	if (err) {
		tt_perf_map_close(map);
		return err;
	}
	*ret = map;
	return 0;
}

void tt_perf_map_close(struct tt_perf_map *map)
{
	if (!map)
		return;
	free(map->entries);
	free(map->cuts);
	free(map->owners);
	free(map);
}

uint32_t tt_perf_map_nr(const struct tt_perf_map *map)
{
	return map->nr;
}

bool tt_perf_map_find(const struct tt_perf_map *map, uint64_t address, struct tt_slice *ret_name,
		      uint64_t *ret_start)
{
	const struct entry *entry;
	uint32_t owner;

	if (!map->nr_cuts || address < map->cuts[0])
		return false;
	owner = map->owners[cut_of(map, address)];
	if (!owner)
		return false;
	entry = &map->entries[owner - 1];
	*ret_name = (struct tt_slice){ map->text + entry->name, entry->name_len };
	*ret_start = entry->start;
	return true;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz_mappings.c - a perf ring of any bytes, and what becomes of the mappings of processes. Records stand one behind the other as in a
 * ring; a size that cannot be ends it. */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "collector/symbol/map_event.h"
#include "collector/symbol/map_queue.h"
#include "collector/symbol/mappings.h"

static void apply(struct tt_mappings *m, const struct tt_map_queued *event)
{
	const struct tt_mapping map = { event->start, event->end, event->offset, event->other, 0 };

	switch (event->kind) {
	case TT_MAP_EVENT_MAP:
		tt_mappings_map(m, event->pid, &map);
		break;
	case TT_MAP_EVENT_FORK:
		tt_mappings_fork(m, event->other, event->pid);
		break;
	case TT_MAP_EVENT_EXEC:
		tt_mappings_exec(m, event->pid);
		break;
	case TT_MAP_EVENT_EXIT:
		tt_mappings_forget(m, event->pid);
		break;
	default:
		break;
	}
}

/* In every table mappings are in order and do not overlap, and what is found is right. */
static void check(const struct tt_mappings *m)
{
	uint32_t nr = 0;

	for (uint32_t i = 0; i < m->nr; i++) {
		struct tt_mapping mapping, found;
		uint64_t end = 0;

		for (uint32_t n = 0; tt_mappings_nth(&m->processes[i], n, &mapping); n++, nr++) {
			if (mapping.start < end || mapping.end <= mapping.start ||
			    !tt_dso(m->dsos, mapping.dso)->nr_refs)
				__builtin_trap();
			end = mapping.end;
			if (!tt_mappings_find(m, m->processes[i].pid, mapping.end - 1, &found) ||
			    found.start != mapping.start)
				__builtin_trap();
		}
	}
	if (nr < m->nr_mappings) /* tables may be shared, never lost */
		__builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tt_map_queue queue = { .nr = 0 };
	struct tt_mappings mappings;
	struct tt_dsos dsos;
	uint32_t nr;

	if (tt_dsos_open(&dsos))
		return 0;
	tt_mappings_open(&mappings, &dsos);
	while (size >= sizeof(struct perf_event_header)) {
		struct perf_event_header head;
		struct tt_map_event event;
		uint8_t *record;

		memcpy(&head, data, sizeof(head));
		if (head.size < sizeof(head) || head.size > size)
			break;
		record = malloc(head.size); /* of just this size: a byte too far is seen */
		if (!record)
			break;
		memcpy(record, data, head.size);
		if (tt_map_event_decode(record, head.size, &event) > 0) {
			struct tt_map_queued queued = { event.ts_ns,	  event.start,
							event.end,	  event.offset,
							event.kind,	  event.pid,
							event.parent_pid, 0 };

			if (event.path.len &&
			    ((const uint8_t *)event.path.text < record ||
			     (const uint8_t *)event.path.text + event.path.len > record + head.size))
				__builtin_trap();
			if (event.kind == TT_MAP_EVENT_MAP)
				queued.other = tt_dsos_get(&dsos, &event);
			if (queued.other != TT_DSO_NONE)
				tt_map_queue_put(&queue, queued);
		}
		free(record);
		data += head.size;
		size -= head.size;
	}
	nr = tt_map_queue_sort(&queue, UINT64_MAX / 2);
	for (uint32_t i = 0; i < nr; i++)
		apply(&mappings, &queue.events[i]);
	tt_map_queue_drop(&queue, nr);
	check(&mappings);
	tt_map_queue_free(&queue, &dsos);
	tt_mappings_close(&mappings);
	for (nr = 0; nr < dsos.nr; nr++)
		if (dsos.entries[nr].nr_refs != (nr == dsos.anon || nr == dsos.vdso))
			__builtin_trap();
	tt_dsos_close(&dsos);
	return 0;
}

#ifdef TT_FUZZ_STANDALONE
#include "tests/unit/symbol/perf_records.h"

static size_t put(uint8_t *data, size_t size, const struct perf_bytes *b)
{
	memcpy(data + size, b->bytes, b->len);
	return size + b->len;
}

static size_t tt_fuzz_seed(unsigned nth, uint8_t *data, size_t max)
{
	static const char *const paths[] = { "/bin/a",	   "/lib/libb.so (deleted)",
					     "//anon",	   "[vdso]",
					     "/memfd:jit", "[heap]" };
	uint64_t random = nth + 1;
	struct perf_bytes b;
	size_t size = 0;

	if (nth > 3 || max < 65536)
		return 0;
	for (unsigned i = 0; i < 100; i++) {
		uint32_t pid = (uint32_t)(fuzz_random(&random) % 4),
			 what = (uint32_t)(fuzz_random(&random) % 8);

		if (what < 5) {
			perf_mmap2(&b, pid, fuzz_random(&random) % 16 * 0x1000,
				   (1 + fuzz_random(&random) % 6) * 0x1000, fuzz_random(&random) % 8 * 0x1000,
				   paths[fuzz_random(&random) % 6]);
		} else if (what == 5) {
			perf_task(&b, PERF_RECORD_FORK, pid, (pid + 1) % 4, pid);
		} else if (what == 6) {
			perf_comm(&b, pid, true);
		} else {
			perf_task(&b, PERF_RECORD_EXIT, pid, 1, pid);
		}
		size = put(data, size, &b);
	}
	return size;
}

static void tt_fuzz_repair(uint8_t *data, size_t size)
{
	(void)data;
	(void)size;
}
#endif

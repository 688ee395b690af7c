/* SPDX-License-Identifier: GPL-2.0-or-later */
/* collect - a sink for tests: keeps every record, checks every batch. */
#pragma once

#include <criterion/criterion.h>
#include <string.h>

#include "collector/source/source.h"

#define FIXTURES "tests/fixtures/proc/"

enum { NR_COLLECTED_MAX = 4096, RECORD_BYTES_MAX = 512 };

struct collected {
	unsigned nr_batches, nr_records, nr_epochs;
	uint64_t last_ts_ns, epoch_ts_ns;
	int fail_with; /* what the sink returns */
	_Alignas(8) unsigned char records[NR_COLLECTED_MAX][RECORD_BYTES_MAX];
};

static struct collected seen;

static inline int collect_batch(void *ctx, const void *batch, size_t len)
{
	struct collected *c = ctx;
	const unsigned char *bytes = batch;
	struct tt_batch head;
	size_t pos = sizeof(head);

	cr_assert(len >= sizeof(head) && len <= TT_BATCH_BYTES_MAX);
	memcpy(&head, batch, sizeof(head));
	cr_assert_eq(head.size, len);
	cr_assert_eq(head.cpu, TT_CPU_NONE);
	cr_assert_eq(head.stream, TT_STREAM_RECORDS);
	cr_assert_eq(head.version, TT_WIRE_VERSION);
	c->nr_batches++;
	for (unsigned i = 0; i < head.nr_records; i++) {
		struct tt_record rec;

		cr_assert(pos + sizeof(rec) <= len);
		memcpy(&rec, bytes + pos, sizeof(rec));
		cr_assert(rec.size >= sizeof(rec) && rec.size % 8 == 0 && pos + rec.size <= len);
		cr_assert(rec.size <= RECORD_BYTES_MAX);
		cr_assert(rec.ts_ns >= c->last_ts_ns, "times never go back");
		if (!i)
			cr_assert_eq(head.base_ts_ns, rec.ts_ns);
		cr_assert_lt(c->nr_records, NR_COLLECTED_MAX);
		memcpy(c->records[c->nr_records++], bytes + pos, rec.size);
		c->last_ts_ns = rec.ts_ns;
		pos += rec.size;
	}
	cr_assert_eq(pos, len, "no bytes behind the last record");
	return c->fail_with;
}

static inline int collect_epoch(void *ctx, uint64_t until_ts_ns)
{
	struct collected *c = ctx;

	cr_assert(until_ts_ns >= c->last_ts_ns);
	c->epoch_ts_ns = until_ts_ns;
	c->nr_epochs++;
	return 0;
}

static const struct tt_sink collect_sink = { &seen, collect_batch, collect_epoch };

static inline void forget_collected(void)
{
	memset(&seen, 0, sizeof(seen));
}

static inline const struct tt_record *collected_record(unsigned i)
{
	return (const struct tt_record *)seen.records[i];
}

static inline unsigned count_kind(unsigned kind)
{
	unsigned nr = 0;

	for (unsigned i = 0; i < seen.nr_records; i++)
		nr += collected_record(i)->kind == kind;
	return nr;
}

/* NULL = none. */
static inline const struct tt_task *find_task(uint32_t tid, unsigned why)
{
	for (unsigned i = 0; i < seen.nr_records; i++) {
		const struct tt_task *task = (const struct tt_task *)collected_record(i);

		if (task->rec.kind == TT_EV_TASK && task->tid == tid && task->why == why)
			return task;
	}
	return NULL;
}

/* The last one. */
static inline const struct tt_task_counters *find_task_counters(uint32_t tid)
{
	const struct tt_task_counters *found = NULL;

	for (unsigned i = 0; i < seen.nr_records; i++) {
		const struct tt_task_counters *c = (const struct tt_task_counters *)collected_record(i);

		if (c->rec.kind == TT_EV_TASK_COUNTERS && c->tid == tid)
			found = c;
	}
	return found;
}

static inline const struct tt_disk_counters *find_disk(const char *name)
{
	for (unsigned i = 0; i < seen.nr_records; i++) {
		const struct tt_disk_counters *c = (const struct tt_disk_counters *)collected_record(i);

		if (c->rec.kind == TT_EV_DISK_COUNTERS && !strcmp(c->name, name))
			return c;
	}
	return NULL;
}

static inline const struct tt_device *find_device(const char *name)
{
	for (unsigned i = 0; i < seen.nr_records; i++) {
		const struct tt_device *d = (const struct tt_device *)collected_record(i);

		if (d->rec.kind == TT_EV_DEVICE && !strcmp(d->name, name))
			return d;
	}
	return NULL;
}

static inline const struct tt_cgroup *find_cgroup(const char *path, bool is_v1)
{
	for (unsigned i = 0; i < seen.nr_records; i++) {
		const struct tt_cgroup *c = (const struct tt_cgroup *)collected_record(i);

		if (c->rec.kind == TT_EV_CGROUP && !strcmp(c->path, path) &&
		    !!(c->id & TT_CGROUP_V1) == is_v1)
			return c;
	}
	return NULL;
}

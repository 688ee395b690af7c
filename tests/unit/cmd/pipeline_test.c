/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A report of a part of a session: what is known of a stretch only, as of one that was shed, counts by its share in time. */
#include "collector/cmd/pipeline.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "tests/unit/batches.h"

#define MS 1000000ull
#define S  1000000000ull

static struct tt_info info = { .source = "bpf", .user_hz = 100, .start_ts_ns = 10 * S, .steal_reported = true };
static struct tt_view view;
static struct tt_report report;

/* One CPU, 10 s to 14 s: a switch each 100 ms, but from 11 s to 13 s all are shed: 20 switches, 800 ms of waits, 200 ms of steal; and of
 * a disk 40 requests, told at the epochs of 12 and 13 s. */
static void play(struct tt_pipeline *p)
{
	struct tt_sink sink = tt_pipeline_sink(p);
	struct tt_disk_sums sums = { .dev = 8 << 20, .nr_shed = 20, .shed_bytes = 20 << 12, .nr_merges = 4 };
	union tb t;

	tb_begin(&t, TT_STREAM_SCHED, 0, 10 * S);
	t.b.flags = TT_BATCH_FIRST;
	for (unsigned i = 1; i <= 10; i++)
		tb_switch(&t, 100 * MS, 1 + i % 2, i)->wait_ns = 10 * MS;
	cr_assert(eq(int, sink.batch(sink.ctx, &t, t.b.size), 0));
	for (unsigned i = 0; i < 2; i++) {
		sink.epoch(sink.ctx, (11 + i) * S);
		tb_begin(&t, TT_STREAM_RECORDS, TT_CPU_NONE, (12 + i) * S);
		memcpy((char *)tb_record(&t, TT_EV_DISK_SUMS, sizeof(sums), TT_CPU_NONE, (12 + i) * S) + sizeof(sums.rec),
		       (char *)&sums + sizeof(sums.rec), sizeof(sums) - sizeof(sums.rec));
		cr_assert(eq(int, sink.batch(sink.ctx, &t, t.b.size), 0));
	}
	tb_begin(&t, TT_STREAM_SCHED, 0, 13 * S);
	t.b.flags = TT_BATCH_AFTER_SHED | TT_BATCH_LAST;
	t.b.nr_switches = 30;
	t.b.nr_shed_switches = 20;
	t.b.wait_total_ns = 100 * MS + 800 * MS;
	t.b.steal_clock_ns = 200 * MS;
	for (unsigned i = 1; i <= 10; i++)
		tb_switch(&t, 100 * MS, 1 + i % 2, i)->wait_ns = 10 * MS;
	cr_assert(eq(int, sink.batch(sink.ctx, &t, t.b.size), 0));
	sink.epoch(sink.ctx, 15 * S);
}

static const struct tt_cell *cell(const char *section, const char *table, const char *key)
{
	for (unsigned s = 0; s < report.nr_sections; s++) {
		for (unsigned i = 0; i < report.sections[s].nr_tables; i++) {
			const struct tt_table *t = &report.sections[s].tables[i];

			if (strcmp(report.sections[s].name, section) || strcmp(t->name, table) || !t->nr_rows)
				continue;
			for (unsigned c = 0; c < t->nr_columns; c++)
				if (!strcmp(t->columns[c].key, key))
					return &t->cells[c];
		}
	}
	cr_fatal("no %s %s %s", section, table, key);
	return NULL;
}

static void expect(uint64_t from_ms, uint64_t to_ms, uint64_t nr_lost, uint64_t wait_ms, uint64_t steal_ms, uint64_t nr_reads)
{
	struct tt_pipeline_options opts = { .info = &info, .view = &view };
	struct tt_interval interval = { 10 * S + from_ms * MS, 10 * S + to_ms * MS, !from_ms && to_ms == 4000 };
	struct tt_pipeline *p;

	opts.from_ts_ns = from_ms ? interval.from_ts_ns : 0;
	opts.to_ts_ns = to_ms == 4000 ? 0 : interval.to_ts_ns;
	cr_assert(eq(int, tt_pipeline_open(&opts, &p), 0));
	play(p);
	tt_report_init(&report);
	cr_assert(eq(int, tt_pipeline_report(p, &interval, &report), 0));
	cr_expect(eq(u64, tt_pipeline_nr_lost(p)[TT_LOSS_SWITCHES], nr_lost), "from %lu ms", (unsigned long)from_ms);
	cr_expect(eq(u64, cell("runq", "cpus", "wait_sum_ns")->u64, wait_ms * MS), "from %lu ms", (unsigned long)from_ms);
	cr_expect(eq(u64, cell("steal", "cpus", "stolen_ns")->u64, steal_ms * MS), "from %lu ms", (unsigned long)from_ms);
	if (nr_reads) {
		cr_expect(eq(u64, cell("disk", "devices", "reads")->u64, nr_reads), "from %lu ms", (unsigned long)from_ms);
		cr_expect(eq(u64, cell("disk", "devices", "read_bytes")->u64, nr_reads << 12));
	}
	tt_report_free(&report);
	tt_pipeline_close(p);
}

Test(pipeline, the_whole_session_has_all_that_was_shed)
{
	expect(0, 4000, 20, 1000, 200, 40);
}

Test(pipeline, an_interval_within_a_shed_stretch_has_its_share)
{
	expect(1500, 2500, 10, 400, 100, 20);
	expect(1200, 1300, 1, 40, 10, 2);
}

Test(pipeline, an_interval_that_begins_in_it_has_the_rest)
{
	expect(2000, 4000, 10, 500, 100, 20);
	expect(0, 2000, 10, 500, 100, 20);
}

Test(pipeline, an_interval_beside_it_has_nothing_of_it)
{
	expect(0, 1000, 0, 100, 0, 0);
	expect(3000, 4000, 0, 100, 0, 0);
}

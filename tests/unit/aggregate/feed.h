/* SPDX-License-Identifier: GPL-2.0-or-later */
/* feed - a made-up session for tests of the aggregation: events one by one, then a report to look into. */
#pragma once

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "collector/aggregate/aggregator.h"

#define MS 1000000ull
#define S  1000000000ull

struct feed {
	bool no_steal_clock;
	struct tt_info info;
	struct tt_view view;
	struct tt_world *world;
	const struct tt_aggregator *agg;
	void *state;
	struct tt_report report;
};

static inline void feed_open(struct feed *f, const char *aggregator, bool counters_only)
{
	struct tt_agg_options opts;

	f->info.user_hz = 100;
	f->info.steal_reported = !f->no_steal_clock;
	cr_assert(eq(int, tt_world_open(&f->info, &f->world), 0));
	opts = (struct tt_agg_options){ f->world, &f->view, counters_only };
	f->agg = tt_aggregator_find(aggregator);
	cr_assert(f->agg != NULL);
	cr_assert(eq(int, f->agg->open(&opts, &f->state), 0));
	tt_report_init(&f->report);
}

static inline void feed_close(struct feed *f)
{
	tt_report_free(&f->report);
	f->agg->close(f->state);
	tt_world_close(f->world);
}

static inline void feed_event(struct feed *f, const struct tt_event *ev)
{
	tt_world_event(f->world, ev);
	f->agg->event(f->state, ev);
}

static inline void feed_finish(struct feed *f, uint64_t from_ts_ns, uint64_t to_ts_ns)
{
	cr_assert(
		eq(int,
		   f->agg->finish(f->state, &(struct tt_interval){ from_ts_ns, to_ts_ns, true }, &f->report),
		   0));
}

/* A new interval: what live does. */
static inline void feed_next(struct feed *f)
{
	f->agg->reset(f->state);
	tt_report_free(&f->report);
	tt_report_init(&f->report);
}

static inline void feed_record(struct feed *f, unsigned kind, unsigned cpu, uint64_t ts_ns,
			       struct tt_record *rec, uint32_t flags)
{
	struct tt_ev_record ev = { { (uint16_t)kind, (uint16_t)cpu, flags, ts_ns }, rec };

	rec->kind = (tt_u16)kind;
	rec->cpu = cpu;
	rec->ts_ns = ts_ns;
	feed_event(f, &ev.ev);
}

static inline void feed_window(struct feed *f, unsigned cpu, uint64_t ts_ns, bool begins,
			       uint64_t wait_total_ns)
{
	struct tt_ev_window ev = { .ev = { TT_EV_WINDOW, (uint16_t)cpu, 0, ts_ns }, .begins = begins };

	ev.wait_total_ns = wait_total_ns;
	feed_event(f, &ev.ev);
}

static inline void feed_steal(struct feed *f, unsigned cpu, uint64_t ts_ns, uint64_t steal_ns,
			      uint64_t since_ns, uint32_t tid)
{
	struct tt_ev_steal ev = { .ev = { TT_EV_STEAL, (uint16_t)cpu, 0, ts_ns } };

	ev.steal_ns = steal_ns;
	ev.since_ns = since_ns;
	ev.tid = tid;
	ev.seen = TT_SEEN_TICK;
	ev.shed = tid == TT_TID_UNKNOWN;
	feed_event(f, &ev.ev);
}

static inline void feed_task(struct feed *f, uint64_t ts_ns, unsigned why, uint32_t tid, const char *comm,
			     uint64_t start_ns, uint64_t run_delay_ns)
{
	struct tt_task rec = { .tid = tid, .pid = tid, .why = (tt_u16)why, .start_ns = start_ns };

	rec.run_delay_ns = run_delay_ns;
	memcpy(rec.comm, comm, strlen(comm) < TT_COMM_LEN ? strlen(comm) + 1 : TT_COMM_LEN);
	feed_record(f, TT_EV_TASK, TT_CPU_NONE, ts_ns, &rec.rec, 0);
}

static inline void feed_device(struct feed *f, uint32_t dev, const char *name, bool is_partition)
{
	struct tt_device rec = { .dev = dev, .is_partition = is_partition };

	memcpy(rec.name, name, strlen(name) + 1);
	feed_record(f, TT_EV_DEVICE, TT_CPU_NONE, 0, &rec.rec, 0);
}

/* Looking into the report */

static inline const struct tt_table *feed_table(const struct feed *f, const char *name)
{
	const struct tt_section *s = &f->report.sections[0];

	for (unsigned i = 0; i < s->nr_tables; i++) {
		if (!strcmp(s->tables[i].name, name))
			return &s->tables[i];
	}
	return NULL;
}

static inline const struct tt_cell *feed_cell(const struct feed *f, const char *table, const char *row,
					      const char *key)
{
	const struct tt_table *t = feed_table(f, table);

	cr_assert(t != NULL, "no table %s", table);
	for (unsigned r = 0; r < t->nr_rows; r++) {
		const struct tt_cell *cells = &t->cells[r * t->nr_columns];

		if (cells[0].type != TT_CELL_TEXT || strcmp(cells[0].text, row))
			continue;
		for (unsigned c = 0; c < t->nr_columns; c++) {
			if (!strcmp(t->columns[c].key, key))
				return &cells[c];
		}
	}
	cr_fatal("no %s in row %s of %s", key, row, table);
	return NULL;
}

static inline uint64_t feed_u64(const struct feed *f, const char *table, const char *row, const char *key)
{
	const struct tt_cell *cell = feed_cell(f, table, row, key);

	cr_assert(cell->type == TT_CELL_U64, "%s of %s is not a count", key, row);
	return cell->u64;
}

static inline double feed_f64(const struct feed *f, const char *table, const char *row, const char *key)
{
	const struct tt_cell *cell = feed_cell(f, table, row, key);

	cr_assert(cell->type == TT_CELL_F64, "%s of %s is not a number", key, row);
	return cell->f64;
}

static inline const struct tt_finding *feed_finding(const struct feed *f, const char *code)
{
	for (unsigned i = 0; i < f->report.nr_findings; i++) {
		if (!strcmp(f->report.findings[i].code, code))
			return &f->report.findings[i];
	}
	return NULL;
}

#define EXPECT_NEAR(actual, expected) cr_expect(epsilon_eq(dbl, actual, expected, 0.005))

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sample - a report with one of everything, some of it hostile, and golden files to compare what is made of
 * it. */
#pragma once

#include <criterion/criterion.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collector/render/render.h"
#include "tests/unit/golden.h"

#define S_NS 1000000000ull

struct sample {
	struct tt_info info;
	struct tt_session_end end;
	uint64_t nr_lost[TT_LOSS_NR];
	struct tt_report report;
	struct tt_report_head head;
};

static inline void sample_info(struct tt_info *info)
{
	*info = (struct tt_info){
		.tool_version = "0.1.0",
		.hostname = "web-3",
		.kernel_release = "6.18.44",
		.kernel_version = "#1 SMP",
		.arch = "x86_64",
		.boot_id = "00000000-0000-0000-0000-000000000000",
		.hypervisor = "KVM",
		.steal_reported = true,
		.nr_cpus_possible = 2,
		.nr_cpus_online = 2,
		.user_hz = 100,
		.realtime_offset_ns = 1795292043ll * 1000000000, /* 2026-11-21 20:14:03 UTC at 0 */
		.utc_offset_s = 2 * 3600,
		.time_zone = "EET",
		.start_ts_ns = 5 * S_NS,
		.source = "bpf",
		.nr_probes = 3,
		.probes = { { "steal", "clock", "KVM steal area" },
			    { "disk", "block_io_done", "" },
			    { "runq", "tp_btf", "" } },
		.command = "make -j8",
	};
}

static inline void sample_steal(struct tt_report *r)
{
	static const struct tt_column columns[] = {
		{ .key = "cpu", .label = "cpu", .unit = TT_UNIT_TEXT },
		{ .key = "steal_pct", .label = "%steal", .unit = TT_UNIT_PCT },
		{ .key = "stolen_ns", .label = "stolen", .unit = TT_UNIT_NS },
		{ .key = "gaps", .label = "gaps", .unit = TT_UNIT_COUNT },
		{ .key = "gap_p99_ns", .label = "p99", .unit = TT_UNIT_NS },
		{ .key = "seen_tick", .label = "tick", .unit = TT_UNIT_COUNT, .json_only = true },
		{ .key = "never", .label = "never", .unit = TT_UNIT_COUNT },
	};
	static const double pct[] = { 9.375, 18.4, 0.0 / 1.0 };
	static const char *const names[] = { "all", "cpu0", "cpu1" };
	struct tt_section *s = tt_report_add_section(r, "steal", "STEAL");
	struct tt_table *t = tt_section_add_table(r, s, "cpus", NULL, columns, 7);
	struct tt_hist hist = { 0 };

	for (unsigned i = 0; i < 3; i++) {
		tt_table_add_row(r, t);
		tt_row_text(r, t, 0, names[i]);
		tt_row_f64(t, 1, pct[i]);
		tt_row_u64(t, 2, 1875000000ull >> i);
		tt_row_u64(t, 3, 412 >> i);
		if (i < 2)
			tt_row_u64(t, 4, 20100000);
		tt_row_u64(t, 5, 7);
	}
	for (unsigned i = 0; i < 400; i++)
		tt_hist_add(&hist, 19800000 + i * 1000);
	for (unsigned i = 0; i < 12; i++)
		tt_hist_add(&hist, 1500000);
	tt_section_add_histogram(r, s, "gaps", "gaps: how long the host took the CPU", &hist, false);
}

/* Wider than 80 columns, as iostat -x is; a device-mapper name that is too long. */
static inline void sample_disk(struct tt_report *r)
{
	static const struct tt_column columns[] = {
		{ .key = "device", .label = "Device", .unit = TT_UNIT_TEXT },
		{ .key = "r_per_s", .label = "r/s", .unit = TT_UNIT_NUMBER },
		{ .key = "rkb_per_s", .label = "rkB/s", .unit = TT_UNIT_NUMBER },
		{ .key = "rrqm_per_s", .label = "rrqm/s", .unit = TT_UNIT_NUMBER },
		{ .key = "rrqm_pct", .label = "%rrqm", .unit = TT_UNIT_PCT },
		{ .key = "r_await_ms", .label = "r_await", .unit = TT_UNIT_MS },
		{ .key = "rareq_sz_kb", .label = "rareq-sz", .unit = TT_UNIT_NUMBER },
		{ .key = "w_per_s", .label = "w/s", .unit = TT_UNIT_NUMBER },
		{ .key = "wkb_per_s", .label = "wkB/s", .unit = TT_UNIT_NUMBER },
		{ .key = "w_await_ms", .label = "w_await", .unit = TT_UNIT_MS },
		{ .key = "aqu_sz", .label = "aqu-sz", .unit = TT_UNIT_NUMBER },
		{ .key = "util_pct", .label = "%util", .unit = TT_UNIT_PCT, .decimals = 1 },
		{ .key = "r_p99_ns", .label = "r_p99", .unit = TT_UNIT_NS },
		{ .key = "read_bytes", .label = "read", .unit = TT_UNIT_BYTES },
	};
	static const char *const names[] = { "vda", "mapper-vg_data-lv_postgres_wal_archive_2026" };
	struct tt_section *s = tt_report_add_section(r, "disk", "DISK");
	struct tt_table *t = tt_section_add_table(r, s, "devices", NULL, columns, 14);
	struct tt_hist hist = { 0 };

	for (unsigned i = 0; i < 2; i++) {
		tt_table_add_row(r, t);
		tt_row_text(r, t, 0, names[i]);
		for (unsigned c = 1; c < 12; c++)
			tt_row_f64(t, c, 1234567.891 / (1 + i * 100) / c);
		tt_row_u64(t, 12, 41000000);
		tt_row_u64(t, 13, 3ull << 30);
	}
	for (uint64_t ns = 1; ns < 1ull << 42; ns *= 2) /* more rows than are printed one by one */
		for (uint64_t n = ns; n && n < (1ull << 42); n = n * 2)
			tt_hist_add(&hist, ns);
	tt_section_add_histogram(r, s, "vda read total", "vda reads: start to completion", &hist, true);
	tt_section_add_note(r, s,
			    "percentiles are partial: 1,204 requests were shed between 3.1 s and 3.4 s");
}

static inline void sample_runq(struct tt_report *r)
{
	static const struct tt_column columns[] = {
		{ .key = "task", .label = "task", .unit = TT_UNIT_TEXT },
		{ .key = "waits", .label = "waits", .unit = TT_UNIT_COUNT },
		{ .key = "stolen_pct", .label = "%stolen", .unit = TT_UNIT_PCT },
		{ .key = "behind", .label = "behind", .unit = TT_UNIT_TEXT },
	};
	static const struct tt_column hidden[] = {
		{ .key = "task", .label = "task", .unit = TT_UNIT_TEXT },
		{ .key = "wait_sum_ns", .label = "sum", .unit = TT_UNIT_NS, .json_only = true },
	};
	static const char *const names[] = { "evil\033[2J\nname", "日本語タスク", "back\\slash \xff" };
	struct tt_section *s = tt_report_add_section(r, "runq", "RUNQ");
	struct tt_table *t = tt_section_add_table(r, s, "cpus", NULL, columns, 4);

	tt_table_add_row(r, t);
	tt_row_text(r, t, 0, "all");
	tt_row_u64(t, 1, 1204331);
	t = tt_section_add_table(r, s, "waiters", "who waited longest", columns, 4);
	for (unsigned i = 0; i < 3; i++) {
		tt_table_add_row(r, t);
		tt_row_text(r, t, 0, names[i]);
		tt_row_u64(t, 1, 1000 * i);
		tt_row_f64(t, 2, i == 1 ? 0.0 / (double)(i - 1) : 12.5);
		tt_row_text(r, t, 3, "kworker/u4:2 61 %, a very long list of others that does not fit");
	}
	t->nr_rows_left_out = 1234;
	t = tt_section_add_table(r, s, "tasks", "not in text", hidden, 2);
	tt_table_add_row(r, t);
	tt_row_text(r, t, 0, "postgres");
	tt_row_u64(t, 1, UINT64_MAX);
	tt_section_add_table(r, s, "empty", "no rows", columns, 4);
}

static inline void sample_open(struct sample *s)
{
	memset(s, 0, sizeof(*s));
	sample_info(&s->info);
	s->end = (struct tt_session_end){ .has_summary = true, .offset = 123456 };
	s->end.summary = (struct tt_summary){
		.start_ts_ns = 5 * S_NS, .end_ts_ns = 15 * S_NS, .nr_events = 1204331, .ended_by = "duration"
	};
	s->nr_lost[TT_LOSS_SWITCHES] = 1204;
	s->nr_lost[TT_LOSS_UNSEEN] = 3;
	s->head = (struct tt_report_head){
		.info = &s->info,
		.end = &s->end,
		.from_ts_ns = 5 * S_NS,
		.to_ts_ns = 15 * S_NS,
		.nr_events = 1204331,
		.nr_lost = s->nr_lost,
		.file = "timethief.tt",
	};
	tt_report_init(&s->report);
	tt_report_add_check(&s->report, "steal", true, true, 1234e6, 1230e6, "ns",
			    "steal +0.1 %% of /proc/stat (1,230 ms)");
	tt_report_add_check(&s->report, "disk", true, true, 100, 100, "requests",
			    "disk exact to /proc/diskstats");
	tt_report_add_check(&s->report, "runq", false, true, 0, 17e6, "ns",
			    "runq recorded nothing, schedstat grew by 17 ms: attached but silent");
	tt_report_add_check(&s->report, "disk", true, false, 5, 0.0, "requests", "dm-0 has no counters");
	tt_report_add_finding(
		&s->report, 2e8, "steal", "steal-quota",
		"cpu1 was stolen for 18.4 %% of the time, in gaps of 20 ms every 100 ms: a CPU quota "
		"on the host.");
	tt_report_add_finding(&s->report, 1e8, "runq", "runq-behind", "%s waited 210 ms/s for a CPU.",
			      "evil\033]0;title\007");
	tt_report_sort_findings(&s->report);
	sample_steal(&s->report);
	sample_disk(&s->report);
	sample_runq(&s->report);
	cr_assert_not(s->report.failed);
}

static inline void sample_close(struct sample *s)
{
	tt_report_free(&s->report);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* findings - plain sentences from measured facts, each with its evidence.
 *
 * An aggregator collects the facts of its section and calls tt_findings_<section> from its finish; the
 * command calls tt_findings_finish once after the last aggregator. Below the thresholds written here nothing
 * is said.
 */
#pragma once

#include "collector/aggregate/aggregator.h"

struct tt_gap {
	uint64_t start_ts_ns, end_ts_ns;
};

/* Gaps of similar length at a fixed period: what a CPU bandwidth limit looks like from inside. */
struct tt_quota {
	uint64_t period_ns, gap_ns; /* medians */
	unsigned nr_gaps;
};

enum { TT_QUOTA_GAPS_MIN = 8 };

/* gaps in time order, at most 512 are looked at. Small gaps between the regular ones do not hide the pattern.
 */
bool tt_find_quota(const struct tt_gap *gaps, unsigned nr_gaps, struct tt_quota *ret_quota);

struct tt_steal_cpu_facts {
	unsigned cpu;
	double steal_pct, busy_pct; /* busy_pct < 0 = unknown */
	uint64_t stolen_ns, covered_ns;
	const struct tt_gap *gaps; /* may be NULL */
	unsigned nr_gaps;	   /* of those kept */
};

struct tt_steal_facts {
	const struct tt_steal_cpu_facts *cpus;
	unsigned nr_cpus;
	const struct tt_hist *gaps; /* of all CPUs */
	uint64_t stolen_ns, covered_ns, dur_ns;
	const char *victim; /* NULL = unknown */
	double victim_pct;
	/* of the stolen time, how much lay within 1 ms of a completed disk request, and how much would by
	 * chance */
	double near_disk_pct, near_disk_by_chance_pct;
	uint64_t nr_jumps, first_jump_ts_ns, session_start_ts_ns;
	/* a hook that was silent gave way to the next; NULL or "" = none did */
	const char *silent_hook, *next_hook;
	uint64_t hook_change_ts_ns, missed_ns;
};

void tt_findings_steal(struct tt_report *r, const struct tt_steal_facts *f);

/* Where the time of requests went, ns summed. device_ns holds stolen_ns. */
struct tt_disk_split {
	uint64_t nr, total_ns, queue_ns, requeue_ns, device_ns, flush_ns, stolen_ns;
};

struct tt_disk_facts {
	const char *device, *what; /* "vda", "reads" */
	uint64_t p99_ns, max_ns;
	struct tt_disk_split all, slowest; /* slowest: those around p99 and above */
	uint64_t dur_ns;
};

void tt_findings_disk(struct tt_report *r, const struct tt_disk_facts *f);

struct tt_runq_facts {
	const char *waiter;
	uint64_t nr_waits, wait_ns, stolen_ns, throttled_ns, p99_ns, dur_ns;
	const char *behind; /* NULL = unknown */
	double behind_pct;
	bool is_ours;
};

void tt_findings_runq(struct tt_report *r, const struct tt_runq_facts *f);

/* Loss, and one honest sentence when nothing was found; sorts. nr_lost has TT_LOSS_NR counts or is NULL; is_cut: the interval begins or
 * ends within a stretch of which only sums are known. */
void tt_findings_finish(struct tt_report *r, const uint64_t *nr_lost, bool is_cut, bool counters_only,
			const struct tt_interval *interval);

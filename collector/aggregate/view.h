/* SPDX-License-Identifier: GPL-2.0-or-later */
/* view - whether something is looked at, and how long a CPU was. Small questions that every aggregator asks.
 */
#pragma once

#include "collector/aggregate/aggregator.h"
#include "collector/base/units.h" /* tt_format_count: every aggregator writes notes */

enum {
	TT_VIEW_CPUS_MAX = 2048
}; /* CPUs with a row of their own; events of others count in the totals only */

bool tt_view_has_cpu(const struct tt_view *v, unsigned cpu);
bool tt_view_has_task(const struct tt_view *v, const struct tt_world *w, uint32_t tid);
bool tt_view_has_device(const struct tt_view *v, const struct tt_world *w, uint32_t dev);
bool tt_view_has_task_filter(const struct tt_view *v);
unsigned tt_view_nr_top(const struct tt_view *v);

/* Says in a note that the rows of this section cannot be what --by asks for, when that is among not_by (bits 1 << enum tt_by). */
void tt_view_add_by_note(const struct tt_view *v, unsigned not_by, const char *rows, struct tt_report *r, struct tt_section *s);

/* Says in a note what was left out, if anything was. */
void tt_view_add_note(const struct tt_view *v, struct tt_report *r, struct tt_section *s);

/* false: this probe was switched off. */
bool tt_probe_was_recorded(const struct tt_info *info, const char *probe);

/* How much of the interval recording was on, on this CPU. */
uint64_t tt_cpu_covered_ns(const struct tt_world_cpu *cpu, const struct tt_interval *interval);

/* Seconds since the session began, as --from and --to count them. */
double tt_session_s(const struct tt_world *w, uint64_t ts_ns);

static inline double tt_ratio(double part, double whole)
{
	return whole > 0 ? part / whole : 0;
}

static inline double tt_per_s(double amount, uint64_t dur_ns)
{
	return dur_ns ? amount * 1e9 / (double)dur_ns : 0;
}

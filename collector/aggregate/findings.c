/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/aggregate/findings.h"

#include <stdio.h>
#include <stdlib.h>

#include "collector/aggregate/view.h"
#include "collector/base/units.h"

enum { NR_GAPS_LOOKED_AT = 512, DUR_LEN = 16 };

/* What is worth a sentence. */
#define STEAL_PCT_MIN	  0.5
#define STEAL_GAP_NS_MIN  10000000u /* one gap of this length hurts whatever the share */
#define DISK_MS_PER_S_MIN 1.0	    /* requests were under way for this long, summed, */
#define DISK_P99_NS_MIN	  1000000u  /* or the slow ones took this long */
#define RUNQ_MS_PER_S_MIN 5.0

static int compare_u64(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static uint64_t length_ns(const struct tt_gap *g)
{
	return g->end_ts_ns - g->start_ts_ns;
}

/* How far the middle 80 % of sorted values are apart, as a share of the median. */
static double spread_of(const uint64_t *sorted, unsigned nr)
{
	uint64_t median = sorted[nr / 2];

	return median ? (double)(sorted[nr - 1 - nr / 10] - sorted[nr / 10]) / (double)median : 1;
}

/* The long gaps: at least half as long as the length that nine in ten do not exceed. Returns how many. */
static unsigned pick_long(const struct tt_gap *gaps, unsigned nr_gaps, const struct tt_gap **picked)
{
	uint64_t lengths_ns[NR_GAPS_LOOKED_AT], min_ns;
	unsigned nr = 0;

	for (unsigned i = 0; i < nr_gaps; i++)
		lengths_ns[i] = length_ns(&gaps[i]);
	qsort(lengths_ns, nr_gaps, sizeof(lengths_ns[0]), compare_u64);
	min_ns = lengths_ns[nr_gaps - 1 - nr_gaps / 10] / 2;
	for (unsigned i = 0; i < nr_gaps; i++) {
		if (length_ns(&gaps[i]) >= min_ns)
			picked[nr++] = &gaps[i];
	}
	return nr;
}

bool tt_find_quota(const struct tt_gap *gaps, unsigned nr_gaps, struct tt_quota *ret_quota)
{
	const struct tt_gap *picked[NR_GAPS_LOOKED_AT];
	uint64_t periods_ns[NR_GAPS_LOOKED_AT], lengths_ns[NR_GAPS_LOOKED_AT];
	unsigned nr;

	if (nr_gaps > NR_GAPS_LOOKED_AT) {
		gaps += nr_gaps - NR_GAPS_LOOKED_AT;
		nr_gaps = NR_GAPS_LOOKED_AT;
	}
	if (nr_gaps < TT_QUOTA_GAPS_MIN)
		return false;
	nr = pick_long(gaps, nr_gaps, picked);
	if (nr < TT_QUOTA_GAPS_MIN)
		return false;
	for (unsigned i = 0; i < nr; i++)
		lengths_ns[i] = length_ns(picked[i]);
	/* the end of a gap is where the budget is filled up again: that is what the host's timer does on time
	 */
	for (unsigned i = 1; i < nr; i++)
		periods_ns[i - 1] = picked[i]->end_ts_ns - picked[i - 1]->end_ts_ns;
	qsort(lengths_ns, nr, sizeof(lengths_ns[0]), compare_u64);
	qsort(periods_ns, nr - 1, sizeof(periods_ns[0]), compare_u64);
	if (spread_of(periods_ns, nr - 1) >= 0.15 || spread_of(lengths_ns, nr) >= 0.35)
		return false;
	*ret_quota = (struct tt_quota){ periods_ns[(nr - 1) / 2], lengths_ns[nr / 2], nr };
	return true;
}

/* Steal */

static double score(uint64_t lost_ns, uint64_t dur_ns)
{
	return tt_per_s((double)lost_ns, dur_ns);
}

static const struct tt_steal_cpu_facts *worst_cpu(const struct tt_steal_facts *f)
{
	const struct tt_steal_cpu_facts *worst = NULL;

	for (unsigned i = 0; i < f->nr_cpus; i++) {
		if (!worst || f->cpus[i].steal_pct > worst->steal_pct)
			worst = &f->cpus[i];
	}
	return worst;
}

static char *victim_text(const struct tt_steal_facts *f, char *buf, size_t size)
{
	buf[0] = '\0';
	if (f->victim)
		snprintf(buf, size, " Hit most: %s (%.0f %%).", f->victim, f->victim_pct);
	return buf;
}

static bool report_quota(struct tt_report *r, const struct tt_steal_facts *f)
{
	const struct tt_steal_cpu_facts *worst = NULL;
	struct tt_quota quota, worst_quota = { 0 };
	char gap[DUR_LEN], period[DUR_LEN], victim[128];
	unsigned nr_others = 0;

	for (unsigned i = 0; i < f->nr_cpus; i++) {
		const struct tt_steal_cpu_facts *c = &f->cpus[i];

		if (c->steal_pct < STEAL_PCT_MIN || !c->gaps || !tt_find_quota(c->gaps, c->nr_gaps, &quota))
			continue;
		nr_others += worst != NULL;
		if (!worst || c->steal_pct > worst->steal_pct) {
			worst = c;
			worst_quota = quota;
		}
	}
	if (!worst)
		return false;
	tt_report_add_finding(r, score(f->stolen_ns, f->dur_ns), "steal", "steal-quota",
			      "cpu%u was stolen for %.1f %% of the time, in gaps of %s every %s (%u of "
			      "them)%s: a CPU quota on the "
			      "host.%s",
			      worst->cpu, worst->steal_pct,
			      tt_format_duration(gap, sizeof(gap), worst_quota.gap_ns),
			      tt_format_duration(period, sizeof(period), worst_quota.period_ns),
			      worst_quota.nr_gaps, nr_others ? ", other CPUs likewise" : "",
			      victim_text(f, victim, sizeof(victim)));
	return true;
}

/* Most of the steal beside completions of this VM's own requests, and far more than chance would put there.
 */
static bool report_own_io(struct tt_report *r, const struct tt_steal_facts *f, double steal_pct)
{
	if (f->gaps->nr_total < 20 || f->near_disk_pct < 60 ||
	    f->near_disk_by_chance_pct > f->near_disk_pct / 2)
		return false;
	tt_report_add_finding(
		r, score(f->stolen_ns, f->dur_ns), "steal", "steal-own-io",
		"%.1f %% of the CPU time was stolen, %.0f %% of it within 1 ms of a completed disk request "
		"(at most %.0f %% by chance): the host does this VM's own I/O on the CPUs it takes away.",
		steal_pct, f->near_disk_pct, f->near_disk_by_chance_pct);
	return true;
}

/* All CPUs alike: the least stolen at least half as much as the worst. */
static bool is_even(const struct tt_steal_facts *f, double *ret_least_pct, double *ret_most_pct)
{
	double least = 100, most = 0;

	for (unsigned i = 0; i < f->nr_cpus; i++) {
		if (f->cpus[i].steal_pct < least)
			least = f->cpus[i].steal_pct;
		if (f->cpus[i].steal_pct > most)
			most = f->cpus[i].steal_pct;
	}
	*ret_least_pct = least;
	*ret_most_pct = most;
	return f->nr_cpus >= 2 && most > 0 && least >= most / 2;
}

/* The busy share of the least busy CPU, steal counted as busy: the VM wanted it. -1 = unknown. */
static double least_busy_pct(const struct tt_steal_facts *f)
{
	double least = 101;

	for (unsigned i = 0; i < f->nr_cpus; i++) {
		if (f->cpus[i].busy_pct < least)
			least = f->cpus[i].busy_pct;
	}
	return least <= 100 ? least : -1;
}

static bool report_even(struct tt_report *r, const struct tt_steal_facts *f, double steal_pct)
{
	double least, most, busy = least_busy_pct(f);
	char p99[DUR_LEN], count[32], victim[128];

	if (!is_even(f, &least, &most) || steal_pct < 1 || f->gaps->nr_total < 20)
		return false;
	tt_format_duration(p99, sizeof(p99), tt_hist_percentile_ns(f->gaps, 99));
	tt_format_count(count, sizeof(count), f->gaps->nr_total);
	victim_text(f, victim, sizeof(victim));
	if (f->nr_cpus >= 4 && busy >= 90)
		tt_report_add_finding(
			r, score(f->stolen_ns, f->dur_ns), "steal", "steal-busy-vm",
			"all %u CPUs wanted to run for at least %.0f %% of the time and were stolen for %.1f "
			"to %.1f %% of it (%s gaps, p99 %s): a large busy VM gets no more than its fair "
			"share "
			"of the host.%s",
			f->nr_cpus, busy, least, most, count, p99, victim);
	else
		tt_report_add_finding(
			r, score(f->stolen_ns, f->dur_ns), "steal", "steal-overcommit",
			"all %u CPUs were stolen alike, %.1f to %.1f %% of the time, in %s irregular gaps "
			"(p99 %s): the host is overcommitted.%s",
			f->nr_cpus, least, most, count, p99, victim);
	return true;
}

static void report_plain(struct tt_report *r, const struct tt_steal_facts *f)
{
	const struct tt_steal_cpu_facts *worst = worst_cpu(f);
	char p99[DUR_LEN], max[DUR_LEN], count[32], gaps[96] = "", victim[128];

	if (f->gaps->nr_total)
		snprintf(gaps, sizeof(gaps), ", in %s gap%s (all CPUs) of p99 %s and at most %s",
			 tt_format_count(count, sizeof(count), f->gaps->nr_total),
			 f->gaps->nr_total == 1 ? "" : "s",
			 tt_format_duration(p99, sizeof(p99), tt_hist_percentile_ns(f->gaps, 99)),
			 tt_format_duration(max, sizeof(max), f->gaps->max_ns));
	tt_report_add_finding(r, score(f->stolen_ns, f->dur_ns), "steal", "steal",
			      "cpu%u was stolen for %.1f %% of the time%s.%s", worst->cpu, worst->steal_pct,
			      gaps, victim_text(f, victim, sizeof(victim)));
}

void tt_findings_steal(struct tt_report *r, const struct tt_steal_facts *f)
{
	double steal_pct = 100 * tt_ratio((double)f->stolen_ns, (double)f->covered_ns);
	const struct tt_steal_cpu_facts *worst = worst_cpu(f);
	char missed[DUR_LEN];

	if (f->nr_jumps)
		tt_report_add_finding(r, 0, "steal", "steal-jump",
				      "the steal clock jumped %llu time%s, first at %.3f s, as after a live "
				      "migration. A jump "
				      "counts for no more than the time that had passed.",
				      (unsigned long long)f->nr_jumps, f->nr_jumps == 1 ? "" : "s",
				      ((double)f->first_jump_ts_ns - (double)f->session_start_ts_ns) / 1e9);
	if (f->silent_hook && f->silent_hook[0])
		tt_report_add_finding(r, score(f->missed_ns, f->dur_ns), "steal", "steal-hook",
				      "hook %s was attached but silent: %s took over at %.3f s. The %s that "
				      "the kernel counted "
				      "until then are in no row.",
				      f->silent_hook, f->next_hook,
				      ((double)f->hook_change_ts_ns - (double)f->session_start_ts_ns) / 1e9,
				      tt_format_duration(missed, sizeof(missed), f->missed_ns));
	if (!worst || !f->stolen_ns)
		return;
	if (worst->steal_pct < STEAL_PCT_MIN && f->gaps->max_ns < STEAL_GAP_NS_MIN)
		return;
	if (report_quota(r, f) || report_own_io(r, f, steal_pct) || report_even(r, f, steal_pct))
		return;
	report_plain(r, f);
}

/* Disk */

static const char *largest_part(const struct tt_disk_split *s, uint64_t *ret_ns)
{
	const struct {
		const char *text;
		uint64_t ns;
	} parts[] = {
		{ "waiting in the queue", s->queue_ns },
		{ "requeued", s->requeue_ns },
		{ "in the device", s->device_ns - s->stolen_ns },
		{ "with the completing CPU stolen", s->stolen_ns },
		{ "in the flush after the data", s->flush_ns },
	};
	unsigned largest = 0;

	for (unsigned i = 1; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (parts[i].ns > parts[largest].ns)
			largest = i;
	}
	*ret_ns = parts[largest].ns;
	return parts[largest].text;
}

void tt_findings_disk(struct tt_report *r, const struct tt_disk_facts *f)
{
	double ms_per_s = tt_per_s((double)f->all.total_ns / 1e6, f->dur_ns);
	const struct tt_disk_split *slow = &f->slowest;
	char p99[DUR_LEN], max[DUR_LEN], mean[DUR_LEN], stolen[96] = "";
	uint64_t part_ns;
	const char *part;

	if (!slow->nr || (ms_per_s < DISK_MS_PER_S_MIN && f->p99_ns < DISK_P99_NS_MIN))
		return;
	part = largest_part(slow, &part_ns);
	if (slow->stolen_ns && part_ns != slow->stolen_ns)
		snprintf(stolen, sizeof(stolen), ", and for %.1f %% the completing CPU was stolen",
			 100 * tt_ratio((double)slow->stolen_ns, (double)slow->total_ns));
	tt_report_add_finding(
		r, score(f->all.total_ns, f->dur_ns), "disk", "disk-latency",
		"%s: %s took %s at p99 (mean %s, max %s); the slowest %.1f %% of them spent %.0f %% of their "
		"time %s%s.",
		f->device, f->what, tt_format_duration(p99, sizeof(p99), f->p99_ns),
		tt_format_duration(mean, sizeof(mean), f->all.nr ? f->all.total_ns / f->all.nr : 0),
		tt_format_duration(max, sizeof(max), f->max_ns),
		100 * tt_ratio((double)slow->nr, (double)f->all.nr),
		100 * tt_ratio((double)part_ns, (double)slow->total_ns), part, stolen);
}

/* Run queue */

void tt_findings_runq(struct tt_report *r, const struct tt_runq_facts *f)
{
	double ms_per_s = tt_per_s((double)f->wait_ns / 1e6, f->dur_ns);
	char p99[48] = "", behind[128] = "", stolen[64] = "", throttled[64] = "", duration[DUR_LEN],
	     count[32];

	if (ms_per_s < RUNQ_MS_PER_S_MIN)
		return;
	if (f->p99_ns)
		snprintf(p99, sizeof(p99), ", p99 %s",
			 tt_format_duration(duration, sizeof(duration), f->p99_ns));
	if (f->behind && f->behind_pct >= 10)
		snprintf(behind, sizeof(behind), ", %.0f %% of it behind %s", f->behind_pct, f->behind);
	if (f->stolen_ns >= f->wait_ns / 100)
		snprintf(stolen, sizeof(stolen), "; %.0f %% of the wait was steal",
			 100 * tt_ratio((double)f->stolen_ns, (double)f->wait_ns));
	if (f->throttled_ns >= f->wait_ns / 100)
		snprintf(throttled, sizeof(throttled),
			 "; %.0f %% of it was held back by a CPU quota of its cgroup",
			 100 * tt_ratio((double)f->throttled_ns, (double)f->wait_ns));
	tt_report_add_finding(r, score(f->wait_ns, f->dur_ns), "runq", "runq-wait",
			      "%s waited %.0f ms/s for a CPU (%s waits%s)%s%s%s.", f->waiter, ms_per_s,
			      tt_format_count(count, sizeof(count), f->nr_waits), p99, behind, throttled,
			      stolen);
}

/* What is left to say */

static void report_loss(struct tt_report *r, const uint64_t *nr_lost, bool is_cut)
{
	uint64_t nr_switches = nr_lost[TT_LOSS_SWITCHES], nr_records = nr_lost[TT_LOSS_RECORDS];
	uint64_t nr_requests = nr_lost[TT_LOSS_REQUEST_STATE];
	char a[32], b[32], c[32], requests[80] = "";

	if (!nr_switches && !nr_records && !nr_requests)
		return;
	if (nr_requests)
		snprintf(requests, sizeof(requests), ", %s disk requests were not followed",
			 tt_format_count(c, sizeof(c), nr_requests));
	tt_report_add_finding(
		r, 0, "loss", "loss",
		"not all was recorded: %s switches and %s other records found no room in a ring%s. Percentiles are "
		"partial; the sums of waits, steal and disk requests %s; a larger --ring-size helps.",
		tt_format_count(a, sizeof(a), nr_switches), tt_format_count(b, sizeof(b), nr_records), requests,
		is_cut ? "hold what was shed, of a stretch that begins or ends outside by its share in time" : "hold what was shed");
}

static void report_failed_checks(struct tt_report *r)
{
	for (unsigned i = 0; i < r->nr_checks; i++) {
		const struct tt_check *c = &r->checks[i];

		if (c->known && !c->ok)
			tt_report_add_finding(r, 0, c->probe, "check",
					      "the kernel's own counter disagrees: %s.", c->text);
	}
}

/* Only what was there to be looked at is called quiet: a section without a table measured nothing. */
static void report_nothing(struct tt_report *r, bool counters_only, const struct tt_interval *interval)
{
	char looked_at[64] = "";
	size_t len = 0;

	for (unsigned i = 0; i < r->nr_sections && len < sizeof(looked_at); i++) {
		if (r->sections[i].nr_tables)
			len += (size_t)snprintf(looked_at + len, sizeof(looked_at) - len, "%s%s",
						len ? ", " : "", r->sections[i].name);
	}
	if (len)
		tt_report_add_finding(r, 0, "all", "nothing",
				      "nothing stands out in these %.1f s%s (looked at: %s).",
				      (double)(interval->to_ts_ns - interval->from_ts_ns) / 1e9,
				      counters_only ? ", as far as counters tell" : "", looked_at);
	else
		tt_report_add_finding(r, 0, "all", "nothing",
				      "nothing was measured here, so nothing can be said.");
}

void tt_findings_finish(struct tt_report *r, const uint64_t *nr_lost, bool is_cut, bool counters_only,
			const struct tt_interval *interval)
{
	if (!r->nr_findings)
		report_nothing(r, counters_only, interval);
	report_failed_checks(r);
	if (nr_lost)
		report_loss(r, nr_lost, is_cut);
	tt_report_sort_findings(r);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bpf_private - the BPF source's own state, shared by the files it is made of:
 * bpf.c (life and attaching), bpf_clock.c (programs run by a clock), bpf_open.c (choosing hooks, loading, rings), bpf_epoch.c (from the rings to the sink),
 * bpf_handover.c (from a steal hook that is silent to the next), bpf_losses.c (what only the kernel side knows to be lost),
 * bpf_snapshot.c (tasks and counters), bpf_cost.c.
 */
#pragma once

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bpf/cpu_state.h"
#include "bpf/event.h"
#include "collector/source/bpf_rungs.h"
#include "collector/source/disk_names.h"
#include "collector/source/proc_snapshot.h"
#include "collector/source/record_batch.h"
#include "collector/source/source.h"
#include "timethief.skel.h"

/* bpf/core.bpf.c */
enum { SYNC_BEGIN = 1, SYNC_FLUSH = 2, SYNC_END = 3, SYNC_WHOAMI = 4, SYNC_REBASE = 5 };

enum {
	EPOCH_BYTES = 4 << 20,
	NR_GROUPS = TT_DISK_GROUPS,
	MAX_LINKS = 64,
	MAX_PROGRAMS = 64,
	COST_WINDOW_MS = 100,	/* BPF run time is counted for so long */
	COST_PERIOD_MS = 10000, /* in every so long: counting costs about as much as a small program */
};

/* What was last told of a device's sums. */
struct known_sum {
	uint32_t dev, group;
	uint64_t values[6];
};

struct prog_cost {
	uint64_t run_ns, nr_runs;
};

/* A program that a cpu-clock event of each CPU runs. */
struct tt_bpf_clock {
	const struct bpf_program *prog; /* NULL = not used */
	uint32_t rate_hz;
	struct bpf_link **links; /* one a CPU, NULL = none */
};

enum { CLOCK_TICK, CLOCK_SAMPLE, NR_CLOCKS };

/* The rungs that may be used for a probe, best first, and where we stand. */
struct tt_bpf_ladder {
	const struct tt_bpf_rung *rungs[16];
	unsigned nr, at; /* at == nr: none would do */
	bool given;	 /* by --hook */
};

struct bpf_source {
	struct tt_source src;
	struct btf *btf;
	struct tt_bpf_host host;
	struct tt_bpf_ladder ladders[TT_NR_LADDERS];
	struct tt_bpf_plan plan;
	struct timethief_bpf *skel;
	struct bpf_link *links[MAX_LINKS];
	unsigned nr_links;
	struct tt_bpf_clock clocks[NR_CLOCKS];
	uint32_t nr_gone; /* tt_nr_gone when the clocks' events were made */
	unsigned nr_cpus;
	int *ring_fds;
	uint64_t ring_bytes;
	struct ring_buffer *rings;
	uint64_t epoch_bytes;
	uint64_t interval_ns, next_due_ns; /* epochs by time keep their beat, whatever volume does */
	uint64_t last_epoch_ns, bytes_since_epoch;
	int sink_err;
	bool started, stopped;
	const char *proc_root;
	struct tt_disk_names *disk_names;
	struct known_sum *sums;
	unsigned nr_sums, sums_room;
	uint64_t told_lost[TT_LOSS_NR];
	uint32_t only_dev;
	/* the steal hook, until it has seen something */
	uint64_t steal_ticks_begin, steal_begin_ns;
	bool steal_settled;
	/* cost */
	int stats_fd;
	uint64_t cost_from_ns, cost_counted_ns, started_ns, stopped_ns;
	uint64_t counted_run_ns, counted_run_cnt;
	struct prog_cost cost_base[MAX_PROGRAMS], cost_counted[MAX_PROGRAMS];
};

struct clocks {
	uint64_t steal_clock_ns, prev_steal_rq_ns, nr_switches;
};

/* bpf_clock.c */
/* On every CPU that has none; again and again, CPUs come and go. -ENODEV: a clock runs nowhere (logged once). */
int tt_bpf_clocks_attach(struct bpf_source *b);
void tt_bpf_clocks_detach_cpu(struct bpf_source *b, unsigned cpu);
void tt_bpf_clocks_detach(struct bpf_source *b);

/* bpf_epoch.c */
/* The program runs on every CPU that is online; it gets arg. */
void tt_bpf_run_everywhere(struct bpf_source *b, struct bpf_program *prog, uint64_t arg);
void tt_bpf_sync_everywhere(struct bpf_source *b, uint64_t what); /* core__sync; what: SYNC_* */
int tt_bpf_on_sample(void *ctx, void *data, size_t len);	  /* of ring_buffer__new */
int tt_bpf_emit_record(struct bpf_source *b, void *record, uint16_t size, uint16_t kind);
void tt_bpf_find_missed_ends(struct bpf_source *b);
int tt_bpf_drain(struct bpf_source *b);
int tt_bpf_make_epoch(struct bpf_source *b, uint64_t sync);

/* bpf_handover.c */
uint64_t tt_bpf_kernel_steal_ticks(void); /* since boot, all CPUs, in USER_HZ; 0 = unknown */
uint64_t tt_bpf_steal_sum_ns(struct bpf_source *b);
void tt_bpf_watch_steal_hook(struct bpf_source *b); /* from now */
int tt_bpf_leave_silent_hook(struct bpf_source *b);

/* bpf_losses.c */
void tt_bpf_read_losses(struct bpf_source *b, uint64_t lost[TT_LOSS_NR]);
int tt_bpf_emit_losses(struct bpf_source *b);
int tt_bpf_salvage_cpus(struct bpf_source *b);

/* bpf_snapshot.c */
int tt_bpf_seed_tasks(struct bpf_source *b);
int tt_bpf_emit_all_tasks(struct bpf_source *b, uint32_t why); /* enum tt_task_why */
int tt_bpf_emit_late_tasks(struct bpf_source *b); /* those that found no room in a ring */
int tt_bpf_emit_counters(struct bpf_source *b);
int tt_bpf_read_clocks(struct bpf_source *b, struct clocks *cpus); /* nr_cpus of them */

/* bpf_cost.c */
void tt_bpf_cost_begin(struct bpf_source *b);
void tt_bpf_cost_update(struct bpf_source *b, bool last);

/* bpf_open.c */
/* Chooses the best rung of each probe that loads, and loads the programs. Logs its failure. */
int tt_bpf_choose_and_load(struct bpf_source *b, const struct tt_source_options *opts);
uint64_t tt_bpf_ring_size(uint64_t wanted, unsigned nr_cpus);
int tt_bpf_make_rings(struct bpf_source *b);

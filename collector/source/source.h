/* SPDX-License-Identifier: GPL-2.0-or-later */
/* source - where batches come from: BPF, /proc, a session file. Everything after it is the same code for all.
 *
 * Life: open -> (start -> poll ... -> stop) -> close. A source calls its sink from within poll and stop, never from
 * another thread. Epochs: sink->epoch(until) promises that every record with a time up to until has been given.
 * Sources make one at least every interval_ns, and earlier after about 4 MiB of batches.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/event.h"
#include "collector/session/info.h"

struct tt_sink {
	void *ctx;
	/* Borrowed. A negative errno stops the source, which returns it from poll. */
	int (*batch)(void *ctx, const void *batch, size_t len);
	int (*epoch)(void *ctx, uint64_t until_ts_ns);
};

enum {
	TT_PROBE_STEAL = 1,
	TT_PROBE_DISK = 2,
	TT_PROBE_RUNQ = 4,
	TT_PROBE_CPU = 8,
	TT_PROBE_DEFAULT = 7, /* samples of the CPU are taken when asked for: they wake idle CPUs */
	TT_PROBE_ALL = 15,
	TT_NR_PROBES = 4,
};

enum { TT_RATE_HZ_DEFAULT = 99, TT_RATE_HZ_MAX = 10000 };

struct tt_source_options {
	unsigned probes;		/* TT_PROBE_* */
	const char *hooks[8];		/* "PROBE=HOOK", from --hook; nr_hooks of them */
	unsigned nr_hooks;
	uint64_t ring_bytes;		/* per CPU; 0 = chosen by the source */
	uint64_t interval_ns;		/* longest time between epochs; 0 = 1 s */
	uint64_t epoch_bytes;		/* most bytes of batches between epochs, about; 0 = 4 MiB */
	bool stacks;			/* bpf: with each event where it hit */
	uint32_t copies_hz;		/* bpf, with stacks: user stacks are copied (TT_EV_USER_COPY), on each CPU at most so often for waits, and so
					 * often and for each sample besides; 0 = never */
	uint64_t copy_wait_ns;		/* copies of who leaves a CPU, if one of its last 16 waits was so long */
	uint32_t rate_hz;		/* of TT_PROBE_CPU; 0 = TT_RATE_HZ_DEFAULT */
	const unsigned long *cpu_mask;	/* NULL = all */
	uint32_t device;		/* kernel dev_t; 0 = all */
	const char *proc_root;		/* "" = the real one; tests pass a fixture */
	uint32_t pid;			/* procfs: 0 = all */
	const char *stap_module;	/* stap: a module that was made before; NULL = one is made */
	bool (*stopped)(void);		/* whether the user wants no more; asked while open takes long. NULL = never */
};

/* What a source did and cost; for the summary at the end of a recording. */
struct tt_source_stats {
	uint64_t nr_lost[TT_LOSS_NR];
	uint64_t prog_ns, prog_runs; /* BPF run time, where the kernel counts it (kernel.bpf_stats_enabled) */
	uint64_t ring_bytes;	     /* memory of rings */
	uint64_t helper_user_ns, helper_system_ns; /* CPU time of processes that the source had run, told after stop */
	uint64_t ended_ts_ns;	     /* when stop was called, where taking down takes longer than recording does; 0 = no matter */
};

struct tt_source;

struct tt_source_ops {
	const char *name, *help;
	/* Loads and attaches nothing that fires yet. Logs its failure. -EPERM and -ENOSYS let "auto" try the next source.
	 * Fills info->probes with the rungs it chose. */
	int (*open)(const struct tt_source_options *opts, struct tt_info *info, const struct tt_sink *sink,
		    struct tt_source **ret_src);
	int (*start)(struct tt_source *src);	/* gives the start snapshot (tasks, counters, devices) to the sink */
	/* Waits up to timeout_ms for data, hands it on. 0, 1 = the source has ended (replay), or negative errno.
	 * -EINTR is not an error: a signal came. */
	int (*poll)(struct tt_source *src, int timeout_ms);
	int (*stop)(struct tt_source *src);	/* the end snapshot, the last batches, the last epoch */
	void (*stats)(struct tt_source *src, struct tt_source_stats *ret_stats);
	void (*close)(struct tt_source *src);	/* NULL is fine; detaches everything */
};

/* Every source's private struct begins with this. */
struct tt_source {
	const struct tt_source_ops *ops;
	struct tt_sink sink;
};

#define TT_SOURCE(name) extern const struct tt_source_ops tt_source_##name;
#include "collector/source/sources.def"
#undef TT_SOURCE

const struct tt_source_ops *tt_source_find(const char *name); /* NULL = no such source */

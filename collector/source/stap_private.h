/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stap_private - the SystemTap source's own state, shared by the files it is made of:
 * stap.c (life), stap_feed.c (from the streams to the sink: windows, epochs, losses), stap_hooks.c (which hook a probe uses).
 */
#pragma once

#include <poll.h>

#include "bpf/event.h"
#include "collector/source/disk_names.h"
#include "collector/source/record_batch.h"
#include "collector/source/source.h"
#include "collector/source/stap_child.h"
#include "collector/source/stap_stream.h"
#include "collector/source/stap_tool.h"
#include "collector/source/stap_words.h"

enum {
	STAP_EPOCH_BYTES = 4 << 20,
	STAP_TICK_MS = 100,	/* the module hands everything over so often */
	STAP_LAG_MS = 150,	/* records may come so much later than the switches of their time */
	STAP_SILENT_MS = 2000,	/* a CPU that says nothing for so long holds no epoch up any more */
	STAP_MISSING_MS = 2000, /* a packet is waited for so long */
};

/* A CPU as its batches tell it. */
struct stap_cpu {
	bool begun, open;     /* has had a window; has one now */
	uint64_t end_ts_ns;   /* everything of it up to here has come */
	struct tt_batch head; /* what a header would say now */
};

struct stap_source {
	struct tt_source src;
	struct tt_stap_tool tool;
	char work_dir[PATH_MAX - 64], module_path[PATH_MAX], module_name[64], release[128];
	struct tt_stap_child *child;
	struct tt_stap_words words;
	struct tt_stap_streams *streams;
	unsigned nr_cpus;
	int *fifo_fds;	    /* -1 = it has ended, or is none */
	struct pollfd *fds; /* nr_cpus + 1 */
	struct stap_cpu *cpus;
	const char *proc_root;
	bool (*stopped_by_user)(void);
	uint32_t only_dev;
	unsigned probes;
	uint64_t ring_bytes; /* of each CPU */
	uint64_t epoch_bytes, interval_ns, next_due_ns, last_epoch_ns, bytes_since_epoch;
	uint64_t started_ns, ended_ts_ns;
	uint32_t missing_sequence;
	uint64_t missing_since_ns; /* 0 = nothing is waited for */
	unsigned nr_windows; /* that the module has ended: so many CPUs must have come before we stop reading */
	bool started, stopped, child_ended;
	int child_status;
	struct tt_disk_names *disk_names;
	/* what the module and SystemTap count, and how much of it was told */
	uint64_t nr_lost[TT_LOSS_NR], told_lost[TT_LOSS_NR];
	uint64_t nr_packets_lost;
};

/* stap_hooks.c */
struct stap_hooks {
	unsigned steal, disk; /* numbers that the module knows, 0 = the best */
};
/* From --hook. Logs; -EINVAL. */
int tt_stap_parse_hooks(const struct tt_source_options *opts, struct stap_hooks *ret);

/* stap_feed.c */
int tt_stap_on_batch(void *ctx, const struct tt_batch *batch); /* of tt_stap_streams_open */
/* Reads what is there, waits up to timeout_ms for it. 0, 1 = all streams and words have ended, or negative errno. */
int tt_stap_feed(struct stap_source *s, int timeout_ms);
int tt_stap_emit_counters(struct stap_source *s);
/* Everything up to here has been given, as far as the streams tell. */
uint64_t tt_stap_promise_ns(const struct stap_source *s);
int tt_stap_make_epoch(struct stap_source *s, uint64_t until_ns);
/* Ends the windows that no batch has ended. */
int tt_stap_close_windows(struct stap_source *s);
void tt_stap_read_windows(struct stap_source *s);
bool tt_stap_all_windows_ended(const struct stap_source *s);
void tt_stap_read_losses(struct stap_source *s);

/* stap.c: the module's status file, a line of name=value words; "" when it cannot be read */
void tt_stap_read_status(const struct stap_source *s, char *text, size_t size);
/* The value of a word; false: it is not there. */
bool tt_stap_status_word(const char *status, const char *name, char *value, size_t size);

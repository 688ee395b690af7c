/* SPDX-License-Identifier: GPL-2.0-or-later */
/* symbols - what is at the addresses of recorded stacks: modules, functions, inlined functions and source lines, as of when they ran.
 *
 * Life: open -> start -> (note_batch, epoch) ... -> finish -> close. While recording, each new address is tied to a file and an offset in it,
 * by the mappings of its process at the time of its stack; what that file calls the place is asked at the end. So processes may
 * exit and files be deleted meanwhile: a file that only a living process leads to (deleted, or in another mount namespace) is held open while
 * that process lives, and asked when it ends; no file is held longer, so none pins a container's mounts.
 *
 * Mappings come from perf's records of mmap, fork, exec and exit, merged with the stacks by time (map_rings.h); without the right to have
 * them, from /proc/PID/maps whenever a process has new addresses. Names come from /proc/kallsyms, the tables of ELF files and their debug files,
 * and the tables that JITs write; files are read by processes without privileges (worker.h). Nothing comes from the network unless
 * debuginfod is asked for.
 *
 * Memory when every bound is reached, beside the rings (at most 16 MiB, map_rings.h): addresses 13 MiB (addresses.h), stacks 4 MiB, processes
 * and mappings 8 MiB (mappings.h), files 4 MiB (dso.h), events that wait 2 MiB (map_queue.h), early answers 4 MiB; copies of stacks, when there are any, 16 MiB (copies.h). At the end, when most of
 * that is given back, the kernel's symbols take about 8 MiB and the names that were told 6 MiB. What is beyond a bound is counted.
 * (A scratch buffer is as large as the longest /proc/PID/maps, 8 MiB at most. What reads files has a memory of its own.)
 *
 * Not thread-safe. Privileges: see tt_symbols_open.
 */
#pragma once

#include "collector/source/source.h"

enum {
	TT_SYMBOLS_STACKS_MAX = 262144,	    /* ids known to have come before */
	TT_SYMBOLS_ANSWERS_BYTES = 4 << 20, /* of what was asked before the end */
	TT_SYMBOLS_FDS_MAX = 256,	    /* files held open; a quarter of RLIMIT_NOFILE at most */
	TT_SYMBOLS_FINISH_S = 600,	    /* finish asks no more after that: hostile files are many */
};

struct tt_symbols_options {
	const char *root; /* "" = this machine. Else a directory with proc/ and files, for tests */
	bool inlines;	  /* also functions that were inlined, and source lines */
	bool debuginfod;  /* also from the servers in DEBUGINFOD_URLS */
	const char *copies; /* of the caller until open returns; there are copies of user stacks to unwind (TT_EV_USER_COPY); the directory to keep them in. NULL = none */
};

struct tt_symbols;

/* Takes what needs privileges: forks the process that will have files read (so that the earlier this comes, the less it inherits), opens
 * /proc/kallsyms (CAP_SYSLOG, by kernel.kptr_restrict) and the rings (CAP_PERFMON; CAP_IPC_LOCK when locked memory is short). Later
 * CAP_SYS_PTRACE, CAP_DAC_READ_SEARCH and CAP_SYS_ADMIN are used, to reach other users' processes and files, and CAP_PERFMON for CPUs that
 * come online; without them less is found. Start says what is not to be had; an error is -ENOMEM, or that there can be no second process. */
int tt_symbols_open(const struct tt_symbols_options *opts, struct tt_symbols **ret_s);
/* NULL is fine. */
void tt_symbols_close(struct tt_symbols *s);

/* Reads what every process has mapped now: about 0.2 ms for each. Before the first stack is taken. */
void tt_symbols_start(struct tt_symbols *s);

/* Every batch of the recording, as it arrives; well-formed (tt_batch_check). Returns what is to be written: the batch; NULL: it holds nothing
 * but stacks that came before; for a copy of a stack another one, valid until the next call: its stack is the one by frame pointers. */
const struct tt_batch *tt_symbols_note_batch(struct tt_symbols *s, const struct tt_batch *batch);
/* All batches with records of up to until_ts_ns were noted. */
void tt_symbols_epoch(struct tt_symbols *s, uint64_t until_ts_ns);

/* Called up to ten times a second; true = stop asking: what is not answered yet stays without a name, or as frame pointers have it. */
typedef bool (*tt_symbols_progress_fn)(void *ctx, bool unwinds, uint64_t nr_done, uint64_t nr_all);

/* After the last epoch, before the source is closed (its BPF programs have names in kallsyms while they are loaded). Gives TT_EV_MODULE, TT_EV_SYMBOL
 * and TT_EV_FRAME, of copies TT_EV_STACK and TT_EV_STACK_ALIAS, and what was lost as TT_EV_LOSS, to the sink, with an epoch after each MiB and at the end. A frame for every address
 * that was noted: in the kernel by address, then by path of the file and offset, then those of nobody knows where. The same
 * stacks and files give the same records. progress may be NULL. 0, -ENOMEM or the sink's error. */
int tt_symbols_finish(struct tt_symbols *s, const struct tt_sink *sink, tt_symbols_progress_fn progress,
		      void *ctx);

struct tt_symbols_stats {
	uint64_t nr_addresses;		 /* different ones, each once for each address space */
	uint64_t nr_resolved;		 /* that have a name */
	uint64_t nr_nowhere;		 /* where nothing was mapped: code without frame pointers gives such */
	uint64_t nr_modules, nr_symbols; /* told */
	uint64_t nr_stacks_beyond;	 /* came when the table was full: written every time they come */
	uint64_t nr_addresses_beyond;	 /* times that an address found no room */
	uint64_t nr_answers_beyond;	 /* answers before the end that found no room */
	uint64_t nr_files_replaced;	 /* there was another file by then */
	uint64_t nr_files_failed;	 /* whoever read them crashed, hung or talked nonsense */
	uint64_t nr_copies;		 /* of user stacks, that came */
	uint64_t nr_whole, nr_cut, nr_astray; /* of them: unwound to the outermost function, to the end of the copy, to where there was no way on */
	uint64_t nr_not_unwound; /* the rest: no room, nothing known of its process, or what unwinds failed or was stopped */
	uint64_t nr_unwinders_failed; /* times that what unwinds crashed, hung or talked nonsense */
	uint64_t copies_bytes;		 /* on the disk */
	/* MAPPINGS: events lost, and processes, mappings and files without room. NAMES: cut. COPIES: by frame pointers after all. */
	uint64_t nr_lost[TT_LOSS_NR];
	uint64_t ring_bytes;
	uint64_t helper_user_ns, helper_system_ns; /* of the processes that read files; after finish */
};
void tt_symbols_read_stats(const struct tt_symbols *s, struct tt_symbols_stats *ret_stats);

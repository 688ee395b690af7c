/* SPDX-License-Identifier: GPL-2.0-or-later */
/* worker - the processes that read what may be hostile: ELF files, DWARF, tables of JITs.
 *
 * A recording runs as root and meets files of any container. So their bytes are never read by the recorder, but by a process that can do
 * no harm with what they make of it. The *keeper* is forked when a recording opens, before anything else is: it closes all descriptors, and,
 * where it is root, takes an empty root directory and a network of its own, becomes nobody and has no capabilities; it can gain no
 * privileges and leaves no core. For each file it forks a *worker* that has a CPU time, a time and a memory of its own, gets the file as an
 * open descriptor, and is gone when the file is done. It can name no file: what it wants besides (a debug file), it asks for. If it
 * crashes, hangs or talks nonsense, that file has no symbols, and the next one gets a new worker. Copies of user stacks are unwound in the same
 * way, by a worker for each set of files that a process had mapped.
 *
 * This header is what both sides agree on: messages over SOCK_SEQPACKET sockets, each of them whole, host-endian. See resolver.h for the
 * side of the recorder.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "collector/symbol/answer.h"
#include "collector/symbol/dso.h"
#include "collector/symbol/elf_file.h"
#include "collector/symbol/unwinder.h"

enum {
	TT_WORKER_CPU_S = 60,		/* for one file */
	TT_WORKER_LIFE_S = 300,		/* the same, by the clock: it may wait for debug files */
	TT_WORKER_MEMORY_MAX = 1 << 30, /* besides the files themselves */
	TT_LOOKUPS_MAX = 1024,		/* in a message */
	TT_MESSAGE_BYTES_MAX = 32768 + TT_ANSWER_BYTES_MAX, /* of answers */
};

enum tt_message_type {
	TT_MESSAGE_JOB = 1, /* to the keeper, with the worker's end of a socket and the file */
	TT_MESSAGE_NEED,    /* from the worker: a debug file */
	TT_MESSAGE_FILE,    /* to it: here is one, or there is none */
	TT_MESSAGE_LOADED,  /* from it */
	TT_MESSAGE_LOOKUP,  /* to it */
	TT_MESSAGE_ANSWERS, /* from it */
	TT_MESSAGE_MAPS,    /* to one that unwinds */
	TT_MESSAGE_WALK,    /* to it: a copy of a stack */
	TT_MESSAGE_WALKED,  /* from it */
};

enum tt_job_kind { TT_JOB_ELF = 1, TT_JOB_PERF_MAP = 2, TT_JOB_UNWIND = 3 /* there is no file with it */ };
enum { TT_JOB_INLINES = 1, TT_JOB_IN_BACKGROUND = 2 };

struct tt_message_job {
	uint32_t type, kind, flags, pad;
};

enum tt_need_what { TT_NEED_DEBUG = 1, TT_NEED_ALT = 2, TT_NEED_MAPPED = 3 /* attempt: the file of which map */ };

struct tt_message_need {
	uint32_t type, what;
	uint32_t attempt; /* candidates before this one were not right */
	uint32_t pad;
	struct tt_build_id build_id;
	char name[TT_DEBUG_NAME_MAX]; /* "" = only its build id is known; NUL-terminated */
};

struct tt_message_file {
	uint32_t type, has_file; /* with a descriptor */
	uint32_t next_attempt, pad;
};

struct tt_message_loaded {
	uint32_t type;
	int32_t status; /* 0, or -ENOEXEC: not of the form, -ENOMEM */
	uint32_t nr_symbols;
	struct tt_build_id build_id;
};

struct tt_lookup {
	uint64_t offset; /* in the file; of a JIT's code the address */
	uint32_t back;	 /* how far before it to look: 0 or 1 */
	uint32_t pad;
};

struct tt_message_lookup {
	uint32_t type, nr;
	struct tt_lookup lookups[TT_LOOKUPS_MAX]; /* ascending; nr of them are sent */
};

/* nr answers follow, in the order of the lookups: TT_MESSAGE_BYTES_MAX bytes at most. */
struct tt_message_answers {
	uint32_t type, nr;
};

enum { TT_UNWIND_MAPS_MAX = 1024 /* in a message */ };

struct tt_message_maps {
	uint32_t type, nr;
	uint32_t is_last, pad;
	struct tt_unwind_map maps[TT_UNWIND_MAPS_MAX]; /* ascending; nr of them are sent */
};

struct tt_message_walk {
	uint32_t type, nr_bytes;
	uint64_t regs[TT_COPY_REGS];
	uint8_t bytes[TT_COPY_BYTES_MAX]; /* nr_bytes of them are sent */
};

/* In the order of the copies. */
struct tt_message_walked {
	uint32_t type, how; /* enum tt_unwound */
	uint32_t nr, pad;
	uint64_t ips[TT_STACK_DEPTH_MAX]; /* nr of them are sent */
};

/* A whole message, with at most nr_fds descriptors, or waits. Returns its length and the number of descriptors; 0 = the other side is
 * gone; -EAGAIN with dont_wait; -EBADMSG: cut. Descriptors that come beyond are closed. */
ssize_t tt_message_receive(int fd, void *message, size_t size, int *fds, unsigned *nr_fds, bool dont_wait);
int tt_message_send(int fd, const void *message, size_t size, const int *fds, unsigned nr_fds);

/* Forks the keeper. Gives our end of its socket, which ends it when it is closed. */
int tt_keeper_start(int *ret_fd, pid_t *ret_pid);
/* What a worker does, with its end of the socket and the file; returns when the other end is closed. */
void tt_worker_run(int fd, int file_fd, const struct tt_message_job *job);
/* The same of one that unwinds (TT_JOB_UNWIND). */
void tt_unwind_worker_run(int fd);

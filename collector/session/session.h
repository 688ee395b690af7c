/* SPDX-License-Identifier: GPL-2.0-or-later */
/* session - a recording in a file. docs/session-format.md describes every byte.
 *
 * Append-only, self-describing: a header, compressed checksummed blocks, an end block. Epochs are the unit of
 * wholeness: a reader gives batches up to the last whole epoch and says where and why it stopped.
 * FILE "-" is stdin or stdout (then nothing is renamed or locked).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "collector/session/info.h"
#include "collector/source/source.h"

struct tt_session_writer;
struct tt_session_reader;

/* Creates path. An existing file is first renamed to path.old; one that another recorder holds open (flock) is refused
 * with -EBUSY. Logs its own failures (path and errno). max_bytes 0 = no limit. */
int tt_session_create(const char *path, const struct tt_info *info, uint64_t max_bytes,
		      struct tt_session_writer **ret_w);
/* Keeps a copy until the epoch is written. -ENOMEM; -EBADMSG: not a well-formed batch (tt_batch_check), ignored. An
 * epoch far beyond the 4 MiB of source.h is written in parts, the earlier ones with the time of the epoch before. After an epoch failed: that error, and the batch is not kept. */
int tt_session_write_batch(struct tt_session_writer *w, const void *batch, size_t len);
/* Writes everything since the last epoch. -ENOSPC, -EFBIG (max_bytes reached: the file is whole, end the recording), -EIO ... */
int tt_session_write_epoch(struct tt_session_writer *w, uint64_t until_ts_ns);
/* From now on the file may grow to so many bytes; 0 = no limit. After -EFBIG it goes on, without the epoch that found no room. */
void tt_session_set_max_bytes(struct tt_session_writer *w, uint64_t max_bytes);
/* The end block. After -ENOSPC or -EFBIG it uses a reserve kept for it. */
int tt_session_write_end(struct tt_session_writer *w, const struct tt_summary *summary);
uint64_t tt_session_writer_bytes(const struct tt_session_writer *w); /* in the file so far */
void tt_session_writer_close(struct tt_session_writer *w);

/* How a file ended. */
struct tt_session_end {
	bool has_summary;	/* recording ended in order; summary is valid */
	struct tt_summary summary;
	bool damaged;		/* bytes that are not what they should be; else merely cut or whole */
	uint64_t offset;	/* where reading stopped, bytes */
	char reason[200];	/* "" when whole: "cut inside a block", "checksum of block 12 is wrong" ... */
};

/* Opens and reads the header. Logs one clear line and returns -EBADMSG for what is not a session (empty, foreign, a
 * directory, damaged header), -EPROTONOSUPPORT for a newer version, or the errno of open. */
int tt_session_open(const char *path, struct tt_session_reader **ret_r);
/* The same for who reads it more than once (tt_session_rewind): what cannot be rewound, a pipe, is first copied to a file
 * without a name in TMPDIR (else /tmp), which is gone when it is closed. progress (may be NULL) is told what is copied so far. */
int tt_session_open_twice(const char *path, void (*progress)(void *ctx, uint64_t done_bytes), void *ctx,
			  struct tt_session_reader **ret_r);
/* Back to the first epoch. For sessions of tt_session_open_twice; 0 or -errno. */
int tt_session_rewind(struct tt_session_reader *r);
/* From now on SCHED blocks are checked and passed over: epochs come without their switches and marks, several times as fast. For
 * who looks for names only. Until tt_session_rewind. */
void tt_session_skip_sched(struct tt_session_reader *r);
const struct tt_info *tt_session_info(const struct tt_session_reader *r);
/* Next epoch: gives its batches to the sink, then the epoch. 0 = given, 1 = end of file (see tt_session_end), or the
 * sink's error. Damage ends the file, it is no error of its own: memory stays below 64 MiB whatever the bytes say. */
int tt_session_read_epoch(struct tt_session_reader *r, const struct tt_sink *sink);
const struct tt_session_end *tt_session_get_end(const struct tt_session_reader *r);
uint64_t tt_session_reader_bytes(const struct tt_session_reader *r); /* consumed so far */
void tt_session_close(struct tt_session_reader *r);

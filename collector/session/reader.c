/* SPDX-License-Identifier: GPL-2.0-or-later */
/* reader.c - see session.h. Reads forward only, so a pipe will do. The blocks of an epoch are collected as
 * they are in the file, and unpacked one by one when the epoch's own block has shown that they are all there.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "collector/base/log.h"
#include "collector/session/format.h"
#include "collector/session/info_json.h"
#include "collector/session/pack.h"
#include "collector/session/session.h"
#include "collector/session/spool.h"

struct tt_session_reader {
	int fd;
	char *path;
	uint64_t offset; /* of the next byte to read */
	uint64_t block_offset;
	uint32_t next_number;
	bool finished, skips_sched;
	uint64_t first_epoch_offset; /* where tt_session_rewind goes */
	off_t start;		     /* of the session in fd: stdin may have been read from before */
	struct tt_info info;
	struct tt_session_end end;
	struct tt_bytes epoch; /* blocks since the last whole epoch */
	struct tt_bytes raw;
	uint32_t nr_blocks, nr_batches; /* in epoch; given to the sink of those */
	ZSTD_DCtx *zstd;
	struct tt_unpacker *unpacker;
};

/* Ends the file here; what was given so far stands. Returns 1, which is "no more". */
__attribute__((format(printf, 4, 5))) static int finish(struct tt_session_reader *r, bool damaged,
							uint64_t offset, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(r->end.reason, sizeof(r->end.reason), fmt, args);
	va_end(args);
	r->end.damaged = damaged;
	r->end.offset = offset;
	r->finished = true;
	return 1;
}

static int finish_whole(struct tt_session_reader *r)
{
	r->end.offset = r->offset;
	r->finished = true;
	return 1;
}

/* Bytes read, less than len only at the end of the file, or -errno. */
static ssize_t read_bytes(struct tt_session_reader *r, void *to, size_t len)
{
	size_t nr_read = 0;

	while (nr_read < len) {
		ssize_t nr = read(r->fd, (char *)to + nr_read, len - nr_read);

		if (nr < 0 && errno == EINTR)
			continue;
		if (nr < 0)
			return -errno;
		if (!nr)
			break;
		nr_read += (size_t)nr;
		r->offset += (size_t)nr;
	}
	return (ssize_t)nr_read;
}

/* Appends len bytes to the epoch. 0, or 1 with the reason for the end. In pieces, so that no memory is
 * touched that the file does not fill. */
static int read_into_epoch(struct tt_session_reader *r, size_t len)
{
	while (len) {
		size_t nr_now = len < 1 << 20 ? len : 1 << 20;
		void *to = tt_bytes_add(&r->epoch, nr_now);
		ssize_t nr = to ? read_bytes(r, to, nr_now) : -ENOMEM;

		if (nr < 0)
			return finish(r, true, r->block_offset, "cannot read: %s", strerror((int)-nr));
		if ((size_t)nr < nr_now)
			return finish(r, false, r->block_offset, "cut inside block %u", r->next_number);
		len -= nr_now;
	}
	return 0;
}

static size_t bytes_max_of(unsigned type)
{
	return type == TT_BLOCK_INFO || type == TT_BLOCK_END ? TT_JSON_BYTES_MAX : TT_BLOCK_BYTES_MAX;
}

/* NULL = a header that can be believed. */
static const char *head_fault(const struct tt_session_reader *r, const struct tt_block_header *head)
{
	if (head->magic != TT_BLOCK_MAGIC)
		return "no block begins here";
	if (head->head_check != (uint32_t)XXH64(head, offsetof(struct tt_block_header, head_check), 0))
		return "checksum of the block's header is wrong";
	if (head->number != r->next_number)
		return "a block is missing or out of order";
	if (head->flags & ~TT_BLOCK_ZSTD)
		return "the block is packed in a way that this version does not know";
	if (head->packed_size > bytes_max_of(head->type) || head->raw_size > bytes_max_of(head->type) ||
	    (!(head->flags & TT_BLOCK_ZSTD) && head->raw_size != head->packed_size))
		return "the block claims a size that cannot be";
	if (r->epoch.size + head->packed_size > TT_EPOCH_BYTES_MAX)
		return "the epoch is larger than the format allows";
	return NULL;
}

/* Reads one block and leaves it at the end of epoch, from *ret_start on. 0, or 1 = end of the file, with the
 * reason. */
static int read_block(struct tt_session_reader *r, size_t *ret_start, struct tt_block_header *ret_head)
{
	size_t start = r->epoch.size;
	const char *fault;
	uint8_t *to = tt_bytes_add(&r->epoch, sizeof(*ret_head));
	ssize_t nr;

	r->block_offset = r->offset;
	nr = to ? read_bytes(r, to, sizeof(*ret_head)) : -ENOMEM;
	if (nr < 0)
		return finish(r, true, r->block_offset, "cannot read: %s", strerror((int)-nr));
	if (!nr)
		return finish(r, false, r->block_offset,
			      r->nr_blocks ? "cut inside an epoch"
					   : "no end block: the recording did not end in order");
	if ((size_t)nr < sizeof(*ret_head))
		return finish(r, false, r->block_offset, "cut inside block %u", r->next_number);
	memcpy(ret_head, to, sizeof(*ret_head));
	fault = head_fault(r, ret_head);
	if (fault)
		return finish(r, true, r->block_offset, "block %u: %s", r->next_number, fault);
	if (read_into_epoch(r, ret_head->packed_size))
		return 1;
	if (tt_block_check(ret_head, r->epoch.data + start + sizeof(*ret_head)) != ret_head->check)
		return finish(r, true, r->block_offset, "checksum of block %u is wrong", r->next_number);
	r->next_number++;
	*ret_start = start;
	return 0;
}

/* The payload of a block as it was before compression, borrowed. 0, -EBADMSG, -ENOMEM. */
static int unpack_payload(struct tt_session_reader *r, const struct tt_block_header *head,
			  const uint8_t *packed, const uint8_t **ret_raw)
{
	if (!(head->flags & TT_BLOCK_ZSTD)) {
		*ret_raw = packed;
		return 0;
	}
	/* raw_size was held against the bound: a frame that says something else is not decompressed at all.
	 */
	if (ZSTD_getFrameContentSize(packed, head->packed_size) != head->raw_size)
		return -EBADMSG;
	r->raw.size = 0;
	if (!tt_bytes_add(&r->raw, head->raw_size))
		return -ENOMEM;
	if (ZSTD_decompressDCtx(r->zstd, r->raw.data, head->raw_size, packed, head->packed_size) !=
	    head->raw_size)
		return -EBADMSG;
	*ret_raw = r->raw.data;
	return 0;
}

/* Gives the batches of one block. 0, 1 = the block is malformed, or the sink's error. */
static int give_block(struct tt_session_reader *r, const struct tt_block_header *head, const uint8_t *packed,
		      const struct tt_sink *sink)
{
	enum tt_stream stream = head->type == TT_BLOCK_SCHED ? TT_STREAM_SCHED : TT_STREAM_RECORDS;
	const struct tt_batch *batch;
	const uint8_t *raw;
	int err = unpack_payload(r, head, packed, &raw);

	if (!err)
		err = tt_unpack_start(r->unpacker, stream, raw, head->raw_size);
	while (!err) {
		err = tt_unpack_next(r->unpacker, &batch);
		if (err)
			break;
		r->nr_batches++;
		err = sink->batch(sink->ctx, batch, batch->size);
		if (err)
			return err;
	}
	if (err == 1)
		return 0;
	return finish(r, true, r->block_offset, "block %u: %s", head->number,
		      err == -ENOMEM ? "no memory to unpack it" : "its content is malformed");
}

/* The epoch is whole: gives all that was collected. */
static int give_epoch(struct tt_session_reader *r, const struct tt_block_epoch *epoch,
		      const struct tt_sink *sink)
{
	const uint8_t *at = r->epoch.data, *end = at + r->epoch.size;
	int err = 0;

	if (epoch->nr_blocks != r->nr_blocks)
		return finish(r, true, r->block_offset, "the epoch has %u blocks where it should have %u",
			      r->nr_blocks, epoch->nr_blocks);
	r->nr_batches = 0;
	while (at < end && !err) {
		struct tt_block_header head;

		memcpy(&head, at, sizeof(head));
		if (head.type != TT_BLOCK_SCHED || !r->skips_sched)
			err = give_block(r, &head, at + sizeof(head), sink);
		at += sizeof(head) + head.packed_size;
	}
	if (err)
		return err;
	if (epoch->nr_batches != r->nr_batches && !r->skips_sched)
		return finish(r, true, r->block_offset, "the epoch has %u batches where it should have %u",
			      r->nr_batches, epoch->nr_batches);
	r->epoch.size = 0;
	r->nr_blocks = 0;
	return sink->epoch(sink->ctx, epoch->until_ts_ns);
}

/* The end block must be the last thing in the file. */
static int read_end(struct tt_session_reader *r, const uint8_t *json, size_t len)
{
	char byte;
	ssize_t nr;

	if (r->nr_blocks)
		return finish(r, true, r->block_offset, "the end block comes inside an epoch");
	if (tt_summary_from_json((const char *)json, len, &r->end.summary))
		return finish(r, true, r->block_offset, "the end block is malformed");
	r->end.has_summary = true;
	nr = read_bytes(r, &byte, 1);
	if (!nr)
		return finish_whole(r);
	return finish(r, true, r->offset - (nr > 0), "%s",
		      nr < 0 ? strerror((int)-nr) : "bytes after the end block");
}

/* An INFO, EPOCH or END block, which is not part of what an epoch holds; it lies at start of the collected
 * bytes. */
static int take_single_block(struct tt_session_reader *r, const struct tt_block_header *head, size_t start,
			     const struct tt_sink *sink)
{
	struct tt_block_epoch epoch;
	const uint8_t *raw;

	if (unpack_payload(r, head, r->epoch.data + start + sizeof(*head), &raw))
		return finish(r, true, r->block_offset, "block %u: its content is malformed", head->number);
	r->epoch.size = start;
	if (head->type == TT_BLOCK_END)
		return read_end(r, raw, head->raw_size);
	if (head->type == TT_BLOCK_INFO || head->raw_size < sizeof(epoch))
		return finish(r, true, r->block_offset, "block %u is not expected here", head->number);
	memcpy(&epoch, raw, sizeof(epoch));
	return give_epoch(r, &epoch, sink);
}

int tt_session_read_epoch(struct tt_session_reader *r, const struct tt_sink *sink)
{
	struct tt_block_header head;
	size_t start;

	while (!r->finished) {
		if (read_block(r, &start, &head))
			return 1;
		switch (head.type) {
		case TT_BLOCK_SCHED:
		case TT_BLOCK_RECORDS:
			r->nr_blocks++;
			break;
		case TT_BLOCK_INFO:
		case TT_BLOCK_EPOCH:
		case TT_BLOCK_END:
			return take_single_block(r, &head, start, sink);
		default:
			r->epoch.size = start; /* of a newer version */
		}
	}
	return 1;
}

/* What a file is that is not ours; NULL = no idea. */
static const char *foreign_name(const char *head, size_t len)
{
	static const struct {
		const char *magic;
		size_t len;
		const char *name;
	} known[] = {
		{ "PERFILE2", 8, "a perf.data file: perf reads it" },
		{ "2ELIFREP", 8, "a perf.data file of another byte order: perf reads it" },
		{ "\x17\x08\x44tracing", 10, "a trace.dat file: trace-cmd reads it" },
		{ "\x1f\x8b", 2, "compressed with gzip" },
		{ "\x28\xb5\x2f\xfd", 4, "compressed with zstd" },
		{ "\xfd"
		  "7zXZ",
		  5, "compressed with xz" },
		{ "BZh", 3, "compressed with bzip2" },
		{ "PK\x03\x04", 4, "a zip archive" },
		{ "\x7f"
		  "ELF",
		  4, "a program" },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (len >= known[i].len && !memcmp(head, known[i].magic, known[i].len))
			return known[i].name;
	return NULL;
}

static int read_file_header(struct tt_session_reader *r)
{
	struct tt_file_header head;
	ssize_t nr = read_bytes(r, &head, sizeof(head));
	const char *foreign;

	if (nr < 0) {
		log_error("cannot read %s: %s", r->path, strerror((int)-nr));
		return nr == -EISDIR ? -EBADMSG : (int)nr;
	}
	if (!nr) {
		log_error("%s is empty", r->path);
		return -EBADMSG;
	}
	foreign = foreign_name(head.magic, (size_t)nr);
	if ((size_t)nr < sizeof(head) || memcmp(head.magic, TT_FILE_MAGIC, sizeof(head.magic))) {
		if (foreign)
			log_error("%s is not a timethief session; it is %s", r->path, foreign);
		else
			log_error("%s is not a timethief session", r->path);
		return -EBADMSG;
	}
	if (head.check != XXH64(&head, offsetof(struct tt_file_header, check), 0)) {
		log_error("%s is damaged: checksum of the header is wrong, at byte 0", r->path);
		return -EBADMSG;
	}
	if (head.version == TT_FILE_VERSION && head.byte_order == TT_FILE_BYTE_ORDER)
		return 0;
	if (head.version != TT_FILE_VERSION)
		log_error("%s has format version %u; this timethief reads version %u", r->path, head.version,
			  TT_FILE_VERSION);
	else
		log_error("%s comes from a machine of another byte order", r->path);
	return -EPROTONOSUPPORT;
}

/* Behind the description, which was read once and stays. */
static void begin_epochs(struct tt_session_reader *r)
{
	r->offset = r->first_epoch_offset;
	r->next_number = 1;
	r->epoch.size = 0;
	r->nr_blocks = 0;
	r->finished = r->skips_sched = false;
	memset(&r->end, 0, sizeof(r->end));
}

static int read_info(struct tt_session_reader *r)
{
	struct tt_block_header head;
	const uint8_t *raw;
	size_t start;

	if (read_block(r, &start, &head)) {
		log_error("%s: cannot read its description: %s, at byte %llu", r->path, r->end.reason,
			  (unsigned long long)r->end.offset);
		return -EBADMSG;
	}
	if (head.type != TT_BLOCK_INFO ||
	    unpack_payload(r, &head, r->epoch.data + start + sizeof(head), &raw) ||
	    tt_info_from_json((const char *)raw, head.raw_size, &r->info)) {
		log_error("%s is damaged: its description is malformed, at byte %llu", r->path,
			  (unsigned long long)r->block_offset);
		return -EBADMSG;
	}
	r->first_epoch_offset = r->offset;
	begin_epochs(r);
	return 0;
}

int tt_session_rewind(struct tt_session_reader *r)
{
	if (lseek(r->fd, r->start + (off_t)r->first_epoch_offset, SEEK_SET) < 0)
		return -errno;
	begin_epochs(r);
	return 0;
}

void tt_session_skip_sched(struct tt_session_reader *r)
{
	r->skips_sched = true;
}

static int open_file(struct tt_session_reader *r, const char *path)
{
	struct stat st;
	int err;

	if (!strcmp(path, "-")) {
		r->fd = STDIN_FILENO;
		if (!isatty(r->fd))
			return 0;
		log_error("will not read a session from a terminal");
		return -EBADMSG;
	}
	r->fd = open(path, O_RDONLY | O_NOCTTY | O_CLOEXEC);
	if (r->fd < 0) {
		err = -errno;
		log_error("cannot open %s: %s", path, strerror(-err));
		return err;
	}
	if (fstat(r->fd, &st) || !S_ISDIR(st.st_mode))
		return 0;
	log_error("%s is a directory, not a timethief session", path);
	return -EBADMSG;
}

struct copying {
	void (*progress)(void *ctx, uint64_t done_bytes);
	void *ctx;
};

/* What was opened becomes its copy, unless it can be rewound itself. */
static int make_rewindable(struct tt_session_reader *r, const struct copying *copying)
{
	int fd, err;

	r->start = lseek(r->fd, 0, SEEK_CUR);
	if (r->start >= 0)
		return 0;
	r->start = 0;
	err = tt_spool_copy(r->fd, copying->progress, copying->ctx, &fd);
	if (err) {
		log_error("%s: cannot copy it to a temporary file, to read it twice: %s", r->path, strerror(-err));
		return err;
	}
	if (r->fd > STDIN_FILENO)
		close(r->fd);
	r->fd = fd;
	return 0;
}

/* copying NULL = to be read once */
static int open_session(const char *path, const struct copying *copying, struct tt_session_reader **ret_r)
{
	struct tt_session_reader *r = calloc(1, sizeof(*r));
	int err = -ENOMEM;

	if (!r)
		return err;
	r->fd = -1;
	r->path = strdup(strcmp(path, "-") ? path : "stdin");
	r->zstd = ZSTD_createDCtx();
	if (!r->path || !r->zstd)
		goto fail;
	err = tt_unpacker_open(&r->unpacker);
	err = err ? err : open_file(r, path);
	if (!err && copying)
		err = make_rewindable(r, copying);
	err = err ? err : read_file_header(r);
	err = err ? err : read_info(r);
	if (err)
		goto fail;
	*ret_r = r;
	return 0;
fail:
	if (err == -ENOMEM)
		log_error("%s: no memory to read a session", path);
	tt_session_close(r);
	return err;
}

int tt_session_open(const char *path, struct tt_session_reader **ret_r)
{
	return open_session(path, NULL, ret_r);
}

int tt_session_open_twice(const char *path, void (*progress)(void *ctx, uint64_t done_bytes), void *ctx,
			  struct tt_session_reader **ret_r)
{
	struct copying copying = { progress, ctx };

	return open_session(path, &copying, ret_r);
}

const struct tt_info *tt_session_info(const struct tt_session_reader *r)
{
	return &r->info;
}

const struct tt_session_end *tt_session_get_end(const struct tt_session_reader *r)
{
	return &r->end;
}

uint64_t tt_session_reader_bytes(const struct tt_session_reader *r)
{
	return r->offset;
}

void tt_session_close(struct tt_session_reader *r)
{
	if (!r)
		return;
	if (r->fd > STDIN_FILENO)
		close(r->fd);
	free(r->path);
	free(r->epoch.data);
	free(r->raw.data);
	ZSTD_freeDCtx(r->zstd);
	tt_unpacker_close(r->unpacker);
	free(r);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* writer.c - see session.h. Batches are kept as they come, packed when there are about 4 MiB of them or at
 * the epoch, and go to the file in one write per epoch: so the file is whole whenever it grows. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "collector/base/log.h"
#include "collector/event/decode.h"
#include "collector/session/format.h"
#include "collector/session/info_json.h"
#include "collector/session/output.h"
#include "collector/session/pack.h"
#include "collector/session/session.h"

enum {
	PENDING_BYTES_MAX = 4 << 20, /* packed then */
	ZSTD_LEVEL = 3,
	NR_STREAMS = 2,
};

struct tt_session_writer {
	struct tt_output *out;
	struct tt_packer *packer;
	ZSTD_CCtx *zstd;
	uint64_t max_bytes;
	int stopped;			     /* why no further epoch will be written, 0 = it will */
	struct tt_bytes pending[NR_STREAMS]; /* batches */
	struct tt_bytes raw;		     /* payload of a block before compression */
	struct tt_bytes epoch;		     /* blocks */
	uint32_t nr_blocks, nr_batches;	     /* in epoch */
	uint64_t until_ts_ns;		     /* of the last epoch */
	uint32_t whole_number;		     /* next block's number once epoch is dropped */
};

/* Appends a block to the epoch. Compressed where that pays. */
static int add_block(struct tt_session_writer *w, enum tt_block_type type, const void *raw, size_t size,
		     bool compress)
{
	struct tt_block_header head = { .magic = TT_BLOCK_MAGIC,
					.type = (uint16_t)type,
					.raw_size = (uint32_t)size };
	size_t bound = compress ? ZSTD_compressBound(size) : size, start = w->epoch.size, packed = 0;
	uint8_t *block = tt_bytes_add(&w->epoch, sizeof(head) + bound);

	if (!block)
		return -ENOMEM;
	if (compress) {
		packed = ZSTD_compress2(w->zstd, block + sizeof(head), bound, raw, size);
		if (ZSTD_isError(packed))
			return -ENOMEM; /* the only thing that can fail with room for the bound */
	}
	if (compress && packed < size) {
		head.flags = TT_BLOCK_ZSTD;
	} else {
		memcpy(block + sizeof(head), raw, size);
		packed = size;
	}
	head.packed_size = (uint32_t)packed;
	head.number = w->whole_number + w->nr_blocks++;
	head.head_check = (uint32_t)XXH64(&head, offsetof(struct tt_block_header, head_check), 0);
	head.check = tt_block_check(&head, block + sizeof(head));
	memcpy(block, &head, sizeof(head));
	w->epoch.size = start + sizeof(head) + packed;
	return 0;
}

/* Packs what is pending of a stream into blocks. */
static int flush_stream(struct tt_session_writer *w, unsigned i)
{
	struct tt_bytes *pending = &w->pending[i];
	enum tt_stream stream = i ? TT_STREAM_RECORDS : TT_STREAM_SCHED;
	size_t taken = 0, nr;
	int err = 0;

	for (; taken < pending->size && !err; taken += nr) {
		w->raw.size = 0;
		nr = 0;
		err = tt_pack(w->packer, stream, pending->data + taken, pending->size - taken, &w->raw, &nr);
		if (!err)
			err = add_block(w, i ? TT_BLOCK_RECORDS : TT_BLOCK_SCHED, w->raw.data, w->raw.size,
					true);
	}
	pending->size = 0;
	return err;
}

static void drop_epoch(struct tt_session_writer *w)
{
	w->pending[0].size = w->pending[1].size = 0;
	w->epoch.size = 0;
	w->nr_blocks = w->nr_batches = 0;
}

static int stop(struct tt_session_writer *w, int err)
{
	drop_epoch(w);
	w->stopped = err;
	return err;
}

int tt_session_write_batch(struct tt_session_writer *w, const void *data, size_t len)
{
	const struct tt_batch *batch = data;
	struct tt_bytes *pending;
	unsigned i;
	int err;

	if (w->stopped)
		return w->stopped;
	err = tt_batch_check(data, len);
	if (err)
		return err;
	i = batch->stream == TT_STREAM_SCHED ? 0 : 1;
	pending = &w->pending[i];
	if (pending->size + len > PENDING_BYTES_MAX) {
		err = flush_stream(w, i);
		/* More than a reader will hold, as after a stall with large rings: what is here goes out as an epoch
		 * that promises nothing new. Its later part comes late, nothing is lost. */
		if (!err && w->epoch.size > TT_EPOCH_BYTES_MAX / 2)
			err = tt_session_write_epoch(w, w->until_ts_ns);
		if (err)
			return stop(w, err);
	}
	tt_bytes_append(pending, data, len);
	if (pending->failed)
		return stop(w, -ENOMEM);
	w->nr_batches++;
	return 0;
}

/* The epoch in one write; what was before it stays whole whatever happens. */
static int write_blocks(struct tt_session_writer *w)
{
	int err;

	if (w->max_bytes && tt_output_bytes(w->out) + w->epoch.size + TT_OUTPUT_RESERVE_BYTES > w->max_bytes)
		return -EFBIG;
	err = tt_output_append(w->out, w->epoch.data, w->epoch.size);
	if (err)
		log_error("cannot write %s at byte %llu: %s", tt_output_path(w->out),
			  (unsigned long long)tt_output_bytes(w->out), strerror(-err));
	return err;
}

int tt_session_write_epoch(struct tt_session_writer *w, uint64_t until_ts_ns)
{
	struct tt_block_epoch epoch = { .until_ts_ns = until_ts_ns };
	int err;

	if (w->stopped)
		return w->stopped;
	err = flush_stream(w, 0);
	err = err ? err : flush_stream(w, 1);
	epoch.nr_blocks = w->nr_blocks;
	epoch.nr_batches = w->nr_batches;
	err = err ? err : add_block(w, TT_BLOCK_EPOCH, &epoch, sizeof(epoch), false);
	if (!err && w->epoch.size > TT_EPOCH_BYTES_MAX)
		err = -EMSGSIZE;
	err = err ? err : write_blocks(w);
	if (err)
		return stop(w, err);
	w->whole_number += w->nr_blocks;
	w->until_ts_ns = until_ts_ns;
	drop_epoch(w);
	return 0;
}

void tt_session_set_max_bytes(struct tt_session_writer *w, uint64_t max_bytes)
{
	w->max_bytes = max_bytes;
	if (w->stopped == -EFBIG)
		w->stopped = 0;
}

int tt_session_write_end(struct tt_session_writer *w, const struct tt_summary *summary)
{
	char *json;
	size_t len;
	int err;

	drop_epoch(w); /* batches without an epoch are not whole */
	err = tt_summary_to_json(summary, &json, &len);
	if (err)
		return err;
	err = add_block(w, TT_BLOCK_END, json, len, false);
	free(json);
	if (err)
		return err;
	err = tt_output_append_last(w->out, w->epoch.data, w->epoch.size);
	if (err && w->stopped != -EPIPE) /* then it has been said: nobody reads any more */
		log_error("cannot write the end of %s: %s", tt_output_path(w->out), strerror(-err));
	w->stopped = w->stopped ? w->stopped : -ESHUTDOWN;
	drop_epoch(w);
	return err;
}

uint64_t tt_session_writer_bytes(const struct tt_session_writer *w)
{
	return tt_output_bytes(w->out);
}

static int write_head(struct tt_session_writer *w, const struct tt_info *info)
{
	struct tt_file_header head = {
		.magic = TT_FILE_MAGIC,
		.version = TT_FILE_VERSION,
		.byte_order = TT_FILE_BYTE_ORDER,
	};
	char *json;
	size_t len;
	int err = tt_info_to_json(info, &json, &len);

	if (err)
		return err;
	head.check = XXH64(&head, offsetof(struct tt_file_header, check), 0);
	tt_bytes_append(&w->epoch, &head, sizeof(head));
	err = add_block(w, TT_BLOCK_INFO, json, len, false);
	free(json);
	err = err ? err : write_blocks(w);
	if (err == -EFBIG && w->max_bytes)
		log_error("%s: the size limit of %llu bytes does not even hold the header",
			  tt_output_path(w->out), (unsigned long long)w->max_bytes);
	if (err)
		return err;
	w->whole_number = w->nr_blocks;
	drop_epoch(w);
	return 0;
}

static int make_tools(struct tt_session_writer *w)
{
	int err = tt_packer_open(&w->packer);

	if (err)
		return err;
	w->zstd = ZSTD_createCCtx();
	if (!w->zstd)
		return -ENOMEM;
	return ZSTD_isError(ZSTD_CCtx_setParameter(w->zstd, ZSTD_c_compressionLevel, ZSTD_LEVEL)) ? -EINVAL
												  : 0;
}

int tt_session_create(const char *path, const struct tt_info *info, uint64_t max_bytes,
		      struct tt_session_writer **ret_w)
{
	struct tt_session_writer *w = calloc(1, sizeof(*w));
	int err;

	if (!w)
		return -ENOMEM;
	w->max_bytes = max_bytes;
	err = make_tools(w);
	if (err)
		log_error("%s: no memory for a session", path);
	else
		err = tt_output_open(path, &w->out);
	if (err)
		goto fail;
	err = write_head(w, info);
	if (err) {
		tt_output_undo(w->out);
		goto fail;
	}
	*ret_w = w;
	return 0;
fail:
	tt_session_writer_close(w);
	return err;
}

void tt_session_writer_close(struct tt_session_writer *w)
{
	if (!w)
		return;
	tt_output_close(w->out);
	tt_packer_close(w->packer);
	ZSTD_freeCCtx(w->zstd);
	free(w->pending[0].data);
	free(w->pending[1].data);
	free(w->raw.data);
	free(w->epoch.data);
	free(w);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/export/gzip.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <zlib.h>

enum { WINDOW_BITS_GZIP = 15 + 16, MEM_LEVEL = 8, ROOM_BYTES = 16 << 10 };

struct tt_gzip {
	struct tt_out *out;
	z_stream z;
};

int tt_gzip_open(struct tt_out *out, struct tt_gzip **ret_gz)
{
	struct tt_gzip *gz = calloc(1, sizeof(*gz));

	if (!gz || deflateInit2(&gz->z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, WINDOW_BITS_GZIP, MEM_LEVEL,
				Z_DEFAULT_STRATEGY) != Z_OK) {
		free(gz);
		return -ENOMEM;
	}
	gz->out = out;
	*ret_gz = gz;
	return 0;
}

void tt_gzip_close(struct tt_gzip *gz)
{
	if (!gz)
		return;
	deflateEnd(&gz->z);
	free(gz);
}

/* Until all input is taken and what comes of it is in the output. */
static void run(struct tt_gzip *gz, int flush)
{
	int err;

	do {
		gz->z.next_out = (unsigned char *)tt_out_room(gz->out, ROOM_BYTES);
		gz->z.avail_out = ROOM_BYTES;
		err = deflate(&gz->z, flush);
		assert(err == Z_OK || err == Z_STREAM_END || err == Z_BUF_ERROR);
		gz->out->at = (char *)gz->z.next_out;
	} while (!gz->z.avail_out);
}

void tt_gzip_bytes(struct tt_gzip *gz, const void *data, size_t len)
{
	assert(len <= UINT32_MAX);
	gz->z.next_in = (unsigned char *)data;
	gz->z.avail_in = (unsigned)len;
	run(gz, Z_NO_FLUSH);
}

void tt_gzip_finish(struct tt_gzip *gz)
{
	run(gz, Z_FINISH);
}

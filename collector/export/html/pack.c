/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/export/html/pack.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

#include "collector/base/escape.h"

enum {
	RAW_BYTES = 64 << 10,
	PACKED_BYTES = 48 << 10, /* a multiple of 3: base64 ends with the last piece only */
	NR_COLUMNS_MAX = 128,
	NUMBER_BYTES_MAX = 8,	  /* of 53 bits and a sign */
	RAW_TEXT_BYTES = 4 << 10, /* more is cut */
};

struct column {
	const char *name;
	enum tt_page_coding coding;
	uint64_t offset, nr_bytes, nr;
};

struct tt_page_pack {
	struct tt_out *out;
	z_stream z;
	bool is_open;
	int err;
	struct column columns[NR_COLUMNS_MAX];
	unsigned nr_columns;
	uint64_t last, nr_bytes, nr_clamped;
	size_t nr_raw;
	unsigned char raw[RAW_BYTES], packed[PACKED_BYTES];
};

int tt_page_pack_open(struct tt_out *out, struct tt_page_pack **ret_p)
{
	struct tt_page_pack *p = calloc(1, sizeof(*p));

	if (!p)
		return -ENOMEM;
	p->out = out;
	if (deflateInit(&p->z, Z_DEFAULT_COMPRESSION) != Z_OK) {
		free(p);
		return -ENOMEM;
	}
	p->is_open = true;
	p->z.next_out = p->packed;
	p->z.avail_out = PACKED_BYTES;
	*ret_p = p;
	return 0;
}

void tt_page_pack_close(struct tt_page_pack *p)
{
	if (!p)
		return;
	if (p->is_open)
		deflateEnd(&p->z);
	free(p);
}

static void put_base64(struct tt_out *out, const unsigned char *data, size_t len)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < len; i += 3) {
		size_t nr = len - i < 3 ? len - i : 3;
		uint32_t bits = (uint32_t)data[i] << 16 | (nr > 1 ? (uint32_t)data[i + 1] << 8 : 0) |
				(nr > 2 ? data[i + 2] : 0);
		char *at = tt_out_room(out, 4);

		at[0] = digits[bits >> 18];
		at[1] = digits[bits >> 12 & 63];
		at[2] = nr > 1 ? digits[bits >> 6 & 63] : '=';
		at[3] = nr > 2 ? digits[bits & 63] : '=';
		out->at += 4;
	}
}

static void deflate_raw(struct tt_page_pack *p, int flush)
{
	int status;

	p->z.next_in = p->raw;
	p->z.avail_in = (uInt)p->nr_raw;
	do {
		status = deflate(&p->z, flush);
		if (status == Z_STREAM_ERROR)
			p->err = -ENOMEM;
		if (!p->z.avail_out || status == Z_STREAM_END) {
			put_base64(p->out, p->packed, PACKED_BYTES - p->z.avail_out);
			p->z.next_out = p->packed;
			p->z.avail_out = PACKED_BYTES;
		}
	} while (!p->err && (p->z.avail_in || (flush == Z_FINISH && status != Z_STREAM_END)));
	p->nr_raw = 0;
}

static void put_bytes(struct tt_page_pack *p, const void *data, size_t len)
{
	const unsigned char *from = data;

	while (len && !p->err) {
		size_t nr = len < RAW_BYTES - p->nr_raw ? len : RAW_BYTES - p->nr_raw;

		memcpy(p->raw + p->nr_raw, from, nr);
		p->nr_raw += nr;
		p->nr_bytes += nr;
		from += nr;
		len -= nr;
		if (p->nr_raw == RAW_BYTES)
			deflate_raw(p, Z_NO_FLUSH);
	}
}

static struct column *last_column(struct tt_page_pack *p)
{
	return &p->columns[p->nr_columns - 1];
}

static void end_column(struct tt_page_pack *p)
{
	if (p->nr_columns)
		last_column(p)->nr_bytes = p->nr_bytes - last_column(p)->offset;
}

void tt_page_pack_column(struct tt_page_pack *p, const char *name, enum tt_page_coding coding)
{
	end_column(p);
	if (p->nr_columns == NR_COLUMNS_MAX) {
		p->err = -E2BIG;
		return;
	}
	p->columns[p->nr_columns++] =
		(struct column){ .name = name, .coding = coding, .offset = p->nr_bytes };
	p->last = 0;
}

void tt_page_pack_number(struct tt_page_pack *p, uint64_t value)
{
	unsigned char bytes[NUMBER_BYTES_MAX];
	unsigned nr = 0;
	int64_t delta;

	if (value > TT_PAGE_NUMBER_MAX) {
		value = TT_PAGE_NUMBER_MAX;
		p->nr_clamped++;
	}
	if (last_column(p)->coding == TT_PAGE_DELTA) {
		delta = (int64_t)(value - p->last);
		p->last = value;
		value = (uint64_t)delta << 1 ^ (uint64_t)(delta >> 63);
	}
	for (; value >= 128; value >>= 7)
		bytes[nr++] = (unsigned char)(value | 128);
	bytes[nr++] = (unsigned char)value;
	last_column(p)->nr++;
	put_bytes(p, bytes, nr);
}

void tt_page_pack_text(struct tt_page_pack *p, const char *text, size_t len)
{
	put_bytes(p, text, len);
	put_bytes(p, "", 1);
	last_column(p)->nr++;
}

void tt_page_pack_raw(struct tt_page_pack *p, const char *raw)
{
	char safe[RAW_TEXT_BYTES];

	tt_page_pack_text(p, safe, strlen(tt_escape(safe, sizeof(safe), raw, strlen(raw))));
}

void tt_page_pack_whole_text(struct tt_page_pack *p, const char *name, const char *text, size_t len)
{
	tt_page_pack_column(p, name, TT_PAGE_TEXTS);
	tt_page_pack_text(p, text, len);
}

uint64_t tt_page_pack_nr_clamped(const struct tt_page_pack *p)
{
	return p->nr_clamped;
}

int tt_page_pack_finish(struct tt_page_pack *p)
{
	uint64_t first;
	uint32_t len;

	end_column(p);
	first = p->nr_bytes;
	for (unsigned i = 0; i < p->nr_columns; i++) {
		const struct column *c = &p->columns[i];
		char text[256];
		int nr = snprintf(text, sizeof(text), "%c\"%s\":[%d,%llu,%llu,%llu]", i ? ',' : '{', c->name,
				  (int)c->coding, (unsigned long long)c->offset,
				  (unsigned long long)c->nr_bytes, (unsigned long long)c->nr);

		put_bytes(p, text, (size_t)nr);
	}
	put_bytes(p, p->nr_columns ? "}" : "{}", p->nr_columns ? 1 : 2);
	len = (uint32_t)(p->nr_bytes - first);
	put_bytes(p, (unsigned char[]){ len & 255, len >> 8 & 255, len >> 16 & 255, len >> 24 }, 4);
	if (!p->err)
		deflate_raw(p, Z_FINISH);
	return p->err;
}

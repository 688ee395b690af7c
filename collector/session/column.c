/* SPDX-License-Identifier: GPL-2.0-or-later */
/* column.c - see column.h. */
#include "collector/session/column.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
	DICT_MAX = 4096, /* more distinct values than this are not few */
	DICT_SLOTS = 4 * DICT_MAX,
	NR_SAMPLE = 4096, /* values that a choice is made on */
};

struct tt_column_writer {
	uint32_t generation; /* slots of older ones are empty */
	uint32_t nr_dict;
	struct {
		uint64_t value;
		uint32_t generation;
		uint32_t index;
	} slots[DICT_SLOTS];
	uint64_t dict[DICT_MAX];
	uint64_t sample[NR_SAMPLE];
	uint16_t *indices;
	size_t nr_indices_max;
};

void *tt_bytes_add(struct tt_bytes *b, size_t nr_more)
{
	size_t max = b->max ? b->max : 4096;
	uint8_t *data;

	while (max - b->size < nr_more)
		max *= 2;
	if (!b->failed && max != b->max) {
		data = realloc(b->data, max);
		if (data) {
			b->data = data;
			b->max = max;
		} else {
			b->failed = true;
		}
	}
	if (b->failed)
		return NULL;
	b->size += nr_more;
	return b->data + b->size - nr_more;
}

void tt_bytes_append(struct tt_bytes *b, const void *data, size_t size)
{
	void *to = tt_bytes_add(b, size);

	if (to && size)
		memcpy(to, data, size);
}

int tt_column_writer_open(struct tt_column_writer **ret_cw)
{
	struct tt_column_writer *cw = calloc(1, sizeof(*cw));

	if (!cw)
		return -ENOMEM;
	*ret_cw = cw;
	return 0;
}

void tt_column_writer_close(struct tt_column_writer *cw)
{
	if (!cw)
		return;
	free(cw->indices);
	free(cw);
}

static unsigned width_of(uint64_t bits)
{
	return bits ? (71 - (unsigned)__builtin_clzll(bits)) / 8 : 0;
}

static void write_head(struct tt_bytes *out, enum tt_coding coding, unsigned width)
{
	uint8_t *to = tt_bytes_add(out, 2);

	if (!to)
		return;
	to[0] = (uint8_t)coding;
	to[1] = (uint8_t)width;
}

static void write_const(struct tt_bytes *out, uint64_t value)
{
	write_head(out, TT_CODING_CONST, width_of(value));
	tt_bytes_append(out, &value, width_of(value));
}

/* One loop for three types of values: the compiler makes vectors of it. */
#define WRITE_PLANES(out, values, n, width)                                                                  \
	do {                                                                                                 \
		uint8_t *to_ = tt_bytes_add(out, (size_t)(n) * (width));                                     \
		for (unsigned plane_ = 0; to_ && plane_ < (width); plane_++, to_ += (n))                     \
			for (size_t i_ = 0; i_ < (n); i_++)                                                  \
				to_[i_] = (uint8_t)((values)[i_] >> (8 * plane_));                           \
	} while (0)

static void dict_begin(struct tt_column_writer *cw)
{
	cw->nr_dict = 0;
	if (++cw->generation)
		return;
	memset(cw->slots, 0, sizeof(cw->slots)); /* after 2^32 columns */
	cw->generation = 1;
}

/* Index of a value, in order of first use; -1 = the dictionary is full. */
static int dict_index(struct tt_column_writer *cw, uint64_t value)
{
	uint64_t at = (value * 0x9e3779b97f4a7c15ull) >> 50; /* 14 bits = DICT_SLOTS */

	while (cw->slots[at].generation == cw->generation) {
		if (cw->slots[at].value == value)
			return (int)cw->slots[at].index;
		at = (at + 1) % DICT_SLOTS;
	}
	if (cw->nr_dict == DICT_MAX)
		return -1;
	cw->slots[at].generation = cw->generation;
	cw->slots[at].value = value;
	cw->slots[at].index = cw->nr_dict;
	cw->dict[cw->nr_dict] = value;
	return (int)cw->nr_dict++;
}

static bool reserve_indices(struct tt_column_writer *cw, size_t n)
{
	uint16_t *indices;

	if (n <= cw->nr_indices_max)
		return true;
	indices = reallocarray(cw->indices, n, sizeof(*indices));
	if (!indices)
		return false;
	cw->indices = indices;
	cw->nr_indices_max = n;
	return true;
}

static void write_dict(struct tt_column_writer *cw, size_t n, unsigned width, struct tt_bytes *out)
{
	unsigned index_width = cw->nr_dict <= 256 ? 1 : 2;

	write_head(out, TT_CODING_DICT, width);
	tt_bytes_append(out, &cw->nr_dict, sizeof(cw->nr_dict));
	WRITE_PLANES(out, cw->dict, cw->nr_dict, width);
	WRITE_PLANES(out, cw->indices, n, index_width);
}

void tt_column_write32(struct tt_column_writer *cw, const uint32_t *values, size_t n, bool dict,
		       struct tt_bytes *out)
{
	uint32_t all_bits = 0, differ = 0;
	int index = 0;

	for (size_t i = 0; i < n; i++) {
		all_bits |= values[i];
		differ |= values[i] ^ values[0];
	}
	if (!differ) {
		write_const(out, n ? values[0] : 0);
		return;
	}
	if (dict && reserve_indices(cw, n)) {
		dict_begin(cw);
		for (size_t i = 0; i < n && index >= 0; i++) {
			index = dict_index(cw, values[i]);
			cw->indices[i] = (uint16_t)index;
		}
		if (index >= 0 && 8 * (size_t)cw->nr_dict <= n + 64) {
			write_dict(cw, n, width_of(all_bits), out);
			return;
		}
	}
	write_head(out, TT_CODING_PLANES, width_of(all_bits));
	WRITE_PLANES(out, values, n, width_of(all_bits));
}

/* Within 0.09: good enough to compare, and needs no libm. */
static double about_log2(double x)
{
	int exponent;
	double mantissa = frexp(x, &exponent); /* [0.5, 1) */

	return exponent + 2 * mantissa - 2;
}

/* Bits that an ideal coder of single bytes needs for the planes of n values. */
static double planes_cost_bits(const uint64_t *values, size_t n)
{
	double bits = 0;
	uint64_t all_bits = 0;

	for (size_t i = 0; i < n; i++)
		all_bits |= values[i];
	for (unsigned shift = 0; shift < 8 * width_of(all_bits); shift += 8) {
		uint32_t count[256] = { 0 };

		for (size_t i = 0; i < n; i++)
			count[values[i] >> shift & 0xff]++;
		for (unsigned byte = 0; byte < 256; byte++)
			if (count[byte])
				bits += count[byte] * about_log2((double)n / count[byte]);
	}
	return bits;
}

static enum tt_coding choose_coding(struct tt_column_writer *cw, const uint64_t *values, size_t n)
{
	size_t nr_sample = n < NR_SAMPLE ? n : NR_SAMPLE;
	double plain, delta, dict;
	uint64_t last = values[0];
	int index = 0;

	plain = planes_cost_bits(values, nr_sample);
	for (size_t i = 0; i < nr_sample; last = values[i++])
		cw->sample[i] = tt_zigzag(values[i] - last);
	delta = planes_cost_bits(cw->sample, nr_sample);
	dict_begin(cw);
	for (size_t i = 0; i < nr_sample && index >= 0; i++) {
		index = dict_index(cw, values[i]);
		cw->sample[i] = (uint64_t)index;
	}
	dict = planes_cost_bits(cw->sample, nr_sample) + 64.0 * cw->nr_dict;
	if (index >= 0 && dict < plain && dict < delta)
		return TT_CODING_DICT;
	return delta < plain ? TT_CODING_DELTA : TT_CODING_PLANES;
}

static bool try_dict64(struct tt_column_writer *cw, const uint64_t *values, size_t n, unsigned width,
		       struct tt_bytes *out)
{
	if (!reserve_indices(cw, n))
		return false;
	dict_begin(cw);
	for (size_t i = 0; i < n; i++) {
		int index = dict_index(cw, values[i]);

		if (index < 0)
			return false;
		cw->indices[i] = (uint16_t)index;
	}
	write_dict(cw, n, width, out);
	return true;
}

static void write_delta(const uint64_t *values, size_t n, struct tt_bytes *out)
{
	uint64_t all_bits = 0, last = values[0];
	unsigned width;
	uint8_t *to;

	for (size_t i = 0; i < n; last = values[i++])
		all_bits |= tt_zigzag(values[i] - last);
	width = width_of(all_bits);
	write_head(out, TT_CODING_DELTA, width);
	tt_bytes_append(out, values, sizeof(values[0]));
	to = tt_bytes_add(out, n * width);
	last = values[0];
	for (size_t i = 0; to && i < n; last = values[i++]) {
		uint64_t zigzag = tt_zigzag(values[i] - last);

		for (unsigned plane = 0; plane < width; plane++)
			to[plane * n + i] = (uint8_t)(zigzag >> (8 * plane));
	}
}

void tt_column_write64(struct tt_column_writer *cw, const uint64_t *values, size_t n, struct tt_bytes *out)
{
	uint64_t all_bits = 0, differ = 0;
	enum tt_coding coding;

	for (size_t i = 0; i < n; i++) {
		all_bits |= values[i];
		differ |= values[i] ^ values[0];
	}
	if (!differ) {
		write_const(out, n ? values[0] : 0);
		return;
	}
	coding = choose_coding(cw, values, n);
	if (coding == TT_CODING_DICT && try_dict64(cw, values, n, width_of(all_bits), out))
		return;
	if (coding == TT_CODING_DELTA) {
		write_delta(values, n, out);
		return;
	}
	write_head(out, TT_CODING_PLANES, width_of(all_bits));
	WRITE_PLANES(out, values, n, width_of(all_bits));
}

/* reading */

static int open_dict(struct tt_column *col, const uint8_t **at, const uint8_t *end)
{
	if (end - *at < 4)
		return -EBADMSG;
	memcpy(&col->nr_dict, *at, 4);
	*at += 4;
	if (!col->nr_dict || col->nr_dict > UINT16_MAX + 1u ||
	    (size_t)(end - *at) < (size_t)col->nr_dict * col->width)
		return -EBADMSG;
	col->dict = *at;
	*at += (size_t)col->nr_dict * col->width;
	col->index_width = col->nr_dict <= 256 ? 1 : 2;
	return 0;
}

int tt_column_open(struct tt_column *col, size_t n, const uint8_t **at, const uint8_t *end)
{
	size_t size;

	*col = (struct tt_column){ 0 };
	if (end - *at < 2 || n > UINT32_MAX)
		return -EBADMSG;
	col->coding = *(*at)++;
	col->width = *(*at)++;
	col->n = (uint32_t)n;
	if (col->coding > TT_CODING_DELTA || col->width > 8)
		return -EBADMSG;
	if (col->coding == TT_CODING_DICT && open_dict(col, at, end))
		return -EBADMSG;
	if (col->coding == TT_CODING_DELTA) {
		if (end - *at < 8)
			return -EBADMSG;
		memcpy(&col->last, *at, 8);
		*at += 8;
	}
	size = col->coding == TT_CODING_CONST
		       ? col->width
		       : n * (col->coding == TT_CODING_DICT ? col->index_width : col->width);
	if ((size_t)(end - *at) < size)
		return -EBADMSG;
	col->data = *at;
	*at += size;
	if (col->coding == TT_CODING_CONST)
		memcpy(&col->last, col->data, col->width);
	return 0;
}

static void gather64(const uint8_t *planes, unsigned width, size_t stride, size_t pos, uint64_t *values,
		     size_t nr)
{
	memset(values, 0, nr * sizeof(*values));
	for (unsigned plane = 0; plane < width; plane++) {
		const uint8_t *from = planes + plane * stride + pos;

		for (size_t i = 0; i < nr; i++)
			values[i] |= (uint64_t)from[i] << (8 * plane);
	}
}

static void gather32(const uint8_t *planes, unsigned width, size_t stride, size_t pos, uint32_t *values,
		     size_t nr)
{
	memset(values, 0, nr * sizeof(*values));
	for (unsigned plane = 0; plane < width; plane++) {
		const uint8_t *from = planes + plane * stride + pos;

		for (size_t i = 0; i < nr; i++)
			values[i] |= (uint32_t)from[i] << (8 * plane);
	}
}

static uint64_t dict_value(const struct tt_column *col, size_t index)
{
	uint64_t value = 0;

	for (unsigned plane = 0; plane < col->width; plane++)
		value |= (uint64_t)col->dict[plane * (size_t)col->nr_dict + index] << (8 * plane);
	return value;
}

int tt_column_read64(struct tt_column *col, uint64_t *ret_values, size_t nr)
{
	if (nr > col->n - col->pos)
		return -EBADMSG;
	switch (col->coding) {
	case TT_CODING_CONST:
		for (size_t i = 0; i < nr; i++)
			ret_values[i] = col->last;
		break;
	case TT_CODING_DICT:
		gather64(col->data, col->index_width, col->n, col->pos, ret_values, nr);
		for (size_t i = 0; i < nr; i++) {
			if (ret_values[i] >= col->nr_dict)
				return -EBADMSG;
			ret_values[i] = dict_value(col, ret_values[i]);
		}
		break;
	default:
		gather64(col->data, col->width, col->n, col->pos, ret_values, nr);
		for (size_t i = 0; col->coding == TT_CODING_DELTA && i < nr; i++)
			ret_values[i] = col->last += tt_unzigzag(ret_values[i]);
	}
	col->pos += (uint32_t)nr;
	return 0;
}

/* Any coding, by way of 64 bits. */
static int read_wide(struct tt_column *col, uint32_t *ret_values, size_t nr)
{
	uint64_t wide[64];

	while (nr) {
		size_t nr_now = nr < 64 ? nr : 64;
		int err = tt_column_read64(col, wide, nr_now);

		if (err)
			return err;
		for (size_t i = 0; i < nr_now; i++) {
			if (wide[i] > UINT32_MAX)
				return -EBADMSG;
			ret_values[i] = (uint32_t)wide[i];
		}
		ret_values += nr_now;
		nr -= nr_now;
	}
	return 0;
}

int tt_column_read32(struct tt_column *col, uint32_t *ret_values, size_t nr)
{
	if (col->coding == TT_CODING_DELTA || col->width > 4)
		return read_wide(col, ret_values, nr);
	if (nr > col->n - col->pos)
		return -EBADMSG;
	if (col->coding == TT_CODING_CONST) {
		for (size_t i = 0; i < nr; i++)
			ret_values[i] = (uint32_t)col->last;
	} else if (col->coding == TT_CODING_DICT) {
		gather32(col->data, col->index_width, col->n, col->pos, ret_values, nr);
		for (size_t i = 0; i < nr; i++) {
			if (ret_values[i] >= col->nr_dict)
				return -EBADMSG;
			ret_values[i] = (uint32_t)dict_value(col, ret_values[i]);
		}
	} else {
		gather32(col->data, col->width, col->n, col->pos, ret_values, nr);
	}
	col->pos += (uint32_t)nr;
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pack.c - see pack.h: headers of batches and their prediction. The records are in pack_sched.c and
 * pack_records.c. */
#include "collector/session/pack_impl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void tt_predictor_restart(struct tt_predictor *pr)
{
	if (++pr->generation)
		return;
	memset(pr->cpus, 0, sizeof(pr->cpus)); /* after 2^32 blocks */
	pr->generation = 1;
}

struct tt_predicted *tt_predicted_of(struct tt_predictor *pr, unsigned cpu)
{
	struct tt_predicted *pd;

	if (cpu >= TT_PACK_CPUS_MAX && cpu != TT_CPU_NONE)
		return NULL;
	pd = &pr->cpus[cpu < TT_PACK_CPUS_MAX ? cpu : TT_PACK_CPUS_MAX];
	if (pd->generation != pr->generation)
		*pd = (struct tt_predicted){ .generation = pr->generation };
	return pd;
}

void tt_predicted_adopt(struct tt_predicted *pd, const struct tt_batch *b)
{
	pd->ts_ns = b->base_ts_ns;
	pd->steal_clock_ns = b->steal_clock_ns;
	pd->nr_switches = b->nr_switches;
	pd->wait_total_ns = b->wait_total_ns;
	pd->nr_shed_switches = b->nr_shed_switches;
	pd->nr_shed_records = b->nr_shed_records;
	pd->running_tid = b->prev_tid;
	pd->nr_nested = b->nr_nested;
}

uint16_t tt_predicted_seq_residual(struct tt_predicted *pd, uint16_t seq)
{
	uint16_t residual = (uint16_t)(seq - (uint16_t)(pd->nr_switches + 1));

	pd->nr_switches += 1 + (uint64_t)(int64_t)(int16_t)residual;
	return residual;
}

void tt_head_residuals(struct tt_predicted *pd, const struct tt_batch *b, uint64_t *residuals, size_t stride)
{
	residuals[0 * stride] = tt_zigzag(b->base_ts_ns - pd->ts_ns);
	residuals[1 * stride] = tt_zigzag(b->steal_clock_ns - pd->steal_clock_ns);
	residuals[2 * stride] = tt_zigzag(b->nr_switches - pd->nr_switches);
	residuals[3 * stride] = tt_zigzag(b->wait_total_ns - pd->wait_total_ns);
	residuals[4 * stride] = tt_zigzag(b->nr_shed_switches - pd->nr_shed_switches);
	residuals[5 * stride] = tt_zigzag((uint64_t)b->nr_shed_records - pd->nr_shed_records);
	residuals[6 * stride] = tt_zigzag((uint64_t)b->prev_tid - pd->running_tid);
	residuals[7 * stride] = tt_zigzag((uint64_t)b->nr_nested - pd->nr_nested);
	tt_predicted_adopt(pd, b);
}

int tt_head_open(struct tt_head_columns *head, size_t nr_batches, const uint8_t **at, const uint8_t *end)
{
	int err = 0;

	for (unsigned i = 0; i < TT_HEAD_COLUMNS && !err; i++)
		err = tt_column_open(&head->columns[i], nr_batches, at, end);
	return err;
}

int tt_head_read(struct tt_head_columns *head, struct tt_predictor *pr, struct tt_batch *ret_b,
		 struct tt_predicted **ret_pd)
{
	uint64_t v[TT_HEAD_COLUMNS];
	struct tt_predicted *pd;

	for (unsigned i = 0; i < TT_HEAD_COLUMNS; i++) {
		if (tt_column_read64(&head->columns[i], &v[i], 1))
			return -EBADMSG;
		if (i >= TT_HEAD_PLAIN)
			v[i] = tt_unzigzag(v[i]);
	}
	if (v[0] > UINT16_MAX || v[1] > UINT16_MAX || v[2] > TT_PACK_RECORDS_PER_BATCH_MAX)
		return -EBADMSG;
	pd = tt_predicted_of(pr, (unsigned)v[0]);
	if (!pd)
		return -EBADMSG;
	*ret_b = (struct tt_batch){
		.cpu = (uint16_t)v[0],
		.version = TT_WIRE_VERSION,
		.flags = (uint16_t)v[1],
		.nr_records = (uint16_t)v[2],
		.base_ts_ns = pd->ts_ns + v[3],
		.steal_clock_ns = pd->steal_clock_ns + v[4],
		.nr_switches = pd->nr_switches + v[5],
		.wait_total_ns = pd->wait_total_ns + v[6],
		.nr_shed_switches = pd->nr_shed_switches + v[7],
		.nr_shed_records = (uint32_t)(pd->nr_shed_records + v[8]),
		.prev_tid = (uint32_t)(pd->running_tid + v[9]),
		.nr_nested = (uint32_t)(pd->nr_nested + v[10]),
	};
	tt_predicted_adopt(pd, ret_b);
	*ret_pd = pd;
	return 0;
}

void *tt_scratch_reserve(struct tt_scratch *s, size_t size)
{
	if (size <= s->max_bytes)
		return s->data;
	free(s->data);
	s->max_bytes = 0;
	s->data = malloc(size);
	if (s->data)
		s->max_bytes = size;
	return s->data;
}

int tt_packer_open(struct tt_packer **ret_p)
{
	struct tt_packer *p = calloc(1, sizeof(*p));
	int err;

	if (!p)
		return -ENOMEM;
	err = tt_column_writer_open(&p->columns);
	if (err) {
		tt_packer_close(p);
		return err;
	}
	/* Sizes 0 come up in empty blocks: no array may be NULL then. */
	if (!tt_scratch_reserve(&p->heads, 64) || !tt_scratch_reserve(&p->rows, 64) ||
	    !tt_scratch_reserve(&p->words, 64) || !tt_scratch_reserve(&p->classes, 64)) {
		tt_packer_close(p);
		return -ENOMEM;
	}
	*ret_p = p;
	return 0;
}

void tt_packer_close(struct tt_packer *p)
{
	if (!p)
		return;
	tt_column_writer_close(p->columns);
	free(p->heads.data);
	free(p->rows.data);
	free(p->words.data);
	free(p->classes.data);
	free(p);
}

int tt_pack(struct tt_packer *p, enum tt_stream stream, const void *data, size_t size, struct tt_bytes *out,
	    size_t *ret_taken)
{
	tt_predictor_restart(&p->predictor);
	return stream == TT_STREAM_SCHED ? tt_pack_sched(p, data, size, out, ret_taken)
					 : tt_pack_records(p, data, size, out, ret_taken);
}

int tt_unpacker_open(struct tt_unpacker **ret_u)
{
	struct tt_unpacker *u = calloc(1, sizeof(*u));

	if (!u)
		return -ENOMEM;
	if (!tt_scratch_reserve(&u->classes, 64) || !tt_scratch_reserve(&u->firsts, 64) ||
	    !tt_scratch_reserve(&u->columns, 64)) {
		tt_unpacker_close(u);
		return -ENOMEM;
	}
	*ret_u = u;
	return 0;
}

void tt_unpacker_close(struct tt_unpacker *u)
{
	if (!u)
		return;
	free(u->classes.data);
	free(u->firsts.data);
	free(u->columns.data);
	free(u);
}

int tt_unpack_start(struct tt_unpacker *u, enum tt_stream stream, const void *payload, size_t size)
{
	const uint8_t *at = payload, *end = at + size;

	u->stream = stream;
	u->nr_batches_left = 0;
	tt_predictor_restart(&u->predictor);
	return stream == TT_STREAM_SCHED ? tt_unpack_start_sched(u, at, end)
					 : tt_unpack_start_records(u, at, end);
}

int tt_unpack_next(struct tt_unpacker *u, const struct tt_batch **ret_batch)
{
	struct tt_batch *b = (struct tt_batch *)u->batch;
	struct tt_predicted *pd;
	int err;

	if (!u->nr_batches_left)
		return u->nr_records_left ? -EBADMSG : 1;
	err = tt_head_read(&u->head, &u->predictor, b, &pd);
	if (err || b->nr_records > u->nr_records_left)
		return -EBADMSG;
	b->stream = (uint8_t)u->stream;
	err = u->stream == TT_STREAM_SCHED ? tt_unpack_next_sched(u, b, pd) : tt_unpack_next_records(u, b);
	if (err)
		return err;
	u->nr_batches_left--;
	u->nr_records_left -= b->nr_records;
	*ret_batch = b;
	return 0;
}

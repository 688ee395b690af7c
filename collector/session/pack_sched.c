/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pack_sched.c - the payload of a SCHED block. See pack.h and docs/session-format.md. */
#include "collector/session/pack_impl.h"

#include <errno.h>
#include <string.h>

/* The rows of a block while its columns are built. Arrays of all switches, all marks or all records. */
struct rows {
	uint32_t *flags, *steal, *next_tid, *seq, *ext;
	uint32_t *dts;				/* group 0, then group 1 */
	uint32_t *waits[TT_SCHED_WAIT_COLUMNS]; /* group by group */
	uint32_t *mark_tid, *mark_ext;
	uint64_t *words;
	uint32_t nr_records, nr_switches, nr_marks, nr_words;
	uint32_t dts_at[TT_SCHED_DTS_GROUPS], waits_at[TT_SCHED_WAIT_GROUPS];
};

typedef void (*row_fn)(void *ctx, uint16_t cpu, uint32_t running_tid, const struct tt_switch *rec);

/* Every record with who was running before it. A mark is passed as the switch that it is not: flags tell. */
static void each_row(const uint8_t *data, size_t size, row_fn fn, void *ctx)
{
	for (const uint8_t *end = data + size; data < end;) {
		const struct tt_batch *b = (const void *)data;
		const uint8_t *at = data + sizeof(*b);
		uint32_t running_tid = b->prev_tid;

		for (data += b->size; at < data;) {
			const struct tt_switch *rec = (const void *)at;

			fn(ctx, b->cpu, running_tid, rec);
			at += tt_packed_size(rec);
			if (!(rec->flags & TT_SW_MARK))
				running_tid = rec->next_tid;
		}
	}
}

static void count_row(void *ctx, uint16_t cpu, uint32_t running_tid, const struct tt_switch *rec)
{
	struct tt_sched_payload *head = ctx;

	(void)cpu;
	head->nr_dts[tt_sched_dts_group(running_tid)]++;
	if (rec->flags & TT_SW_MARK) {
		head->nr_words += ((const struct tt_mark *)rec)->ext;
		return;
	}
	head->nr_waits[tt_sched_wait_group(rec->next_tid, rec->flags)]++;
	head->nr_words += rec->ext;
}

static void add_words(struct rows *r, const void *words, unsigned nr)
{
	memcpy(r->words + r->nr_words, words, 8u * nr);
	r->nr_words += nr;
}

static void add_mark(struct rows *r, uint32_t running_tid, const struct tt_mark *mark)
{
	r->mark_tid[r->nr_marks] = mark->tid ^ running_tid;
	r->mark_ext[r->nr_marks++] = mark->ext | (uint32_t)mark->pad << 8;
	add_words(r, mark + 1, mark->ext);
}

static void add_row(void *ctx, uint16_t cpu, uint32_t running_tid, const struct tt_switch *rec)
{
	struct rows *r = ctx;
	uint32_t at;

	r->dts[r->dts_at[tt_sched_dts_group(running_tid)]++] = rec->dts_ns;
	r->steal[r->nr_records] = rec->steal_ns;
	r->flags[r->nr_records++] = rec->flags;
	if (rec->flags & TT_SW_MARK) {
		add_mark(r, running_tid, (const void *)rec);
		return;
	}
	r->next_tid[r->nr_switches] = rec->next_tid;
	r->seq[r->nr_switches] = rec->seq; /* becomes the residual in tt_pack_heads */
	r->ext[r->nr_switches++] = rec->ext;
	at = r->waits_at[tt_sched_wait_group(rec->next_tid, rec->flags)]++;
	r->waits[TT_SCHED_WAIT][at] = rec->wait_ns;
	r->waits[TT_SCHED_DELIVER][at] = rec->deliver_ns;
	r->waits[TT_SCHED_WAKER][at] = rec->waker_tid;
	r->waits[TT_SCHED_QUEUED][at] = rec->queued_cpu ^ cpu;
	r->waits[TT_SCHED_PRIO][at] = rec->next_prio;
	add_words(r, rec + 1, rec->ext);
}

/* Points the arrays into scratch memory and sets where each group begins. */
static int reserve_rows(struct tt_packer *p, const struct tt_sched_payload *head, struct rows *r)
{
	size_t nr = head->nr_records + 1; /* some marks or switches more than there are: one size for all */
	uint32_t *array = tt_scratch_reserve(&p->rows, nr * sizeof(uint32_t) * (8 + TT_SCHED_WAIT_COLUMNS));

	r->words = tt_scratch_reserve(&p->words, (head->nr_words + 1) * sizeof(uint64_t));
	if (!array || !r->words)
		return -ENOMEM;
	r->flags = array;
	r->steal = array += nr;
	r->next_tid = array += nr;
	r->seq = array += nr;
	r->ext = array += nr;
	r->dts = array += nr;
	r->mark_tid = array += nr;
	r->mark_ext = array += nr;
	for (unsigned i = 0; i < TT_SCHED_WAIT_COLUMNS; i++)
		r->waits[i] = array += nr;
	for (unsigned g = 1; g < TT_SCHED_DTS_GROUPS; g++)
		r->dts_at[g] = r->dts_at[g - 1] + head->nr_dts[g - 1];
	for (unsigned g = 1; g < TT_SCHED_WAIT_GROUPS; g++)
		r->waits_at[g] = r->waits_at[g - 1] + head->nr_waits[g - 1];
	return 0;
}

/* As many batches as one block may hold. */
static size_t take_batches(const uint8_t *data, size_t size, struct tt_sched_payload *head)
{
	size_t taken = 0;

	while (taken < size) {
		const struct tt_batch *b = (const void *)(data + taken);

		if (taken &&
		    (taken + b->size > TT_PACK_BYTES_MAX || head->nr_batches == TT_PACK_BATCHES_MAX ||
		     head->nr_records + b->nr_records > TT_PACK_ROWS_MAX))
			break;
		head->nr_batches++;
		head->nr_records += b->nr_records;
		taken += b->size;
	}
	return taken;
}

static void write_waits(struct tt_packer *p, const struct tt_sched_payload *head, const struct rows *r,
			struct tt_bytes *out)
{
	for (unsigned i = 0; i < TT_SCHED_WAIT_COLUMNS; i++) {
		const uint32_t *values = r->waits[i];

		for (unsigned g = 0; g < TT_SCHED_WAIT_GROUPS; values += head->nr_waits[g++])
			tt_column_write32(p->columns, values, head->nr_waits[g],
					  i != TT_SCHED_WAIT && i != TT_SCHED_DELIVER, out);
	}
}

static void write_rows(struct tt_packer *p, const struct tt_sched_payload *head, const struct rows *r,
		       struct tt_bytes *out)
{
	struct tt_column_writer *cw = p->columns;

	tt_column_write32(cw, r->flags, r->nr_records, true, out);
	tt_column_write32(cw, r->steal, r->nr_records, false, out);
	tt_column_write32(cw, r->next_tid, r->nr_switches, true, out);
	tt_column_write32(cw, r->seq, r->nr_switches, false, out);
	tt_column_write32(cw, r->ext, r->nr_switches, true, out);
	tt_column_write32(cw, r->dts, head->nr_dts[0], false, out);
	tt_column_write32(cw, r->dts + head->nr_dts[0], head->nr_dts[1], false, out);
	write_waits(p, head, r, out);
	tt_column_write32(cw, r->mark_tid, r->nr_marks, true, out);
	tt_column_write32(cw, r->mark_ext, r->nr_marks, true, out);
	tt_column_write64(cw, r->words, r->nr_words, out);
}

/* Takes the prediction of a CPU over the records of a batch; seq (one per switch) becomes residuals. */
static uint32_t predict_batch(struct tt_predicted *pd, const struct tt_batch *b, uint32_t *seq)
{
	const uint8_t *at = (const uint8_t *)(b + 1), *end = (const uint8_t *)b + b->size;
	uint32_t nr_switches = 0;

	while (at < end) {
		const struct tt_switch *rec = (const void *)at;

		pd->ts_ns += rec->dts_ns;
		pd->steal_clock_ns += tt_dur32_unpack(rec->steal_ns);
		at += tt_packed_size(rec);
		if (rec->flags & TT_SW_MARK)
			continue;
		seq[nr_switches++] = tt_predicted_seq_residual(pd, rec->seq);
		pd->wait_total_ns += tt_dur32_unpack(rec->wait_ns);
		pd->running_tid = rec->next_tid;
	}
	return nr_switches;
}

int tt_pack_heads(struct tt_packer *p, const uint8_t *data, size_t nr, uint32_t *seq, struct tt_bytes *out)
{
	uint64_t *residuals =
		tt_scratch_reserve(&p->heads, (nr + 1) * (TT_HEAD_PREDICTED * 8 + TT_HEAD_PLAIN * 4));
	uint32_t *plain;

	if (!residuals)
		return -ENOMEM;
	plain = (uint32_t *)(residuals + TT_HEAD_PREDICTED * nr);
	for (size_t i = 0; i < nr; i++) {
		const struct tt_batch *b = (const void *)data;
		struct tt_predicted *pd = tt_predicted_of(&p->predictor, b->cpu);

		plain[i] = b->cpu;
		plain[nr + i] = b->flags;
		plain[2 * nr + i] = b->nr_records;
		tt_head_residuals(pd, b, residuals + i, nr);
		if (b->stream == TT_STREAM_SCHED)
			seq += predict_batch(pd, b, seq);
		data += b->size;
	}
	for (unsigned i = 0; i < TT_HEAD_PLAIN; i++)
		tt_column_write32(p->columns, plain + i * nr, nr, true, out);
	for (unsigned i = 0; i < TT_HEAD_PREDICTED; i++)
		tt_column_write64(p->columns, residuals + i * nr, nr, out);
	return 0;
}

int tt_pack_sched(struct tt_packer *p, const uint8_t *data, size_t size, struct tt_bytes *out,
		  size_t *ret_taken)
{
	struct tt_sched_payload head = { 0 };
	struct rows r = { 0 };
	size_t taken = take_batches(data, size, &head);
	int err;

	each_row(data, taken, count_row, &head);
	err = reserve_rows(p, &head, &r);
	if (err)
		return err;
	each_row(data, taken, add_row, &r);
	tt_bytes_append(out, &head, sizeof(head));
	err = tt_pack_heads(p, data, head.nr_batches, r.seq, out);
	if (err)
		return err;
	write_rows(p, &head, &r, out);
	*ret_taken = taken;
	return out->failed ? -ENOMEM : 0;
}

/* and back */

static int open_columns(struct tt_sched_columns *c, const struct tt_sched_payload *head, uint32_t nr_switches,
			const uint8_t **at, const uint8_t *end)
{
	uint32_t nr_marks = head->nr_records - nr_switches;
	int err = tt_column_open(&c->flags, head->nr_records, at, end);

	err = err ? err : tt_column_open(&c->steal, head->nr_records, at, end);
	err = err ? err : tt_column_open(&c->next_tid, nr_switches, at, end);
	err = err ? err : tt_column_open(&c->seq, nr_switches, at, end);
	err = err ? err : tt_column_open(&c->ext, nr_switches, at, end);
	for (unsigned g = 0; g < TT_SCHED_DTS_GROUPS; g++)
		err = err ? err : tt_column_open(&c->dts[g], head->nr_dts[g], at, end);
	for (unsigned i = 0; i < TT_SCHED_WAIT_COLUMNS; i++)
		for (unsigned g = 0; g < TT_SCHED_WAIT_GROUPS; g++)
			err = err ? err : tt_column_open(&c->waits[i][g], head->nr_waits[g], at, end);
	err = err ? err : tt_column_open(&c->mark_tid, nr_marks, at, end);
	err = err ? err : tt_column_open(&c->mark_ext, nr_marks, at, end);
	return err ? err : tt_column_open(&c->words, head->nr_words, at, end);
}

int tt_unpack_start_sched(struct tt_unpacker *u, const uint8_t *at, const uint8_t *end)
{
	struct tt_sched_payload head;
	uint64_t nr_switches = 0;

	if ((size_t)(end - at) < sizeof(head))
		return -EBADMSG;
	memcpy(&head, at, sizeof(head));
	at += sizeof(head);
	for (unsigned g = 0; g < TT_SCHED_WAIT_GROUPS; g++)
		nr_switches += head.nr_waits[g];
	if (head.nr_batches > TT_PACK_BATCHES_MAX || head.nr_records > TT_PACK_ROWS_MAX ||
	    head.nr_words > TT_PACK_BYTES_MAX / 8 || nr_switches > head.nr_records ||
	    (uint64_t)head.nr_dts[0] + head.nr_dts[1] != head.nr_records)
		return -EBADMSG;
	if (tt_head_open(&u->head, head.nr_batches, &at, end) ||
	    open_columns(&u->sched, &head, (uint32_t)nr_switches, &at, end) || at != end)
		return -EBADMSG;
	u->nr_batches_left = head.nr_batches;
	u->nr_records_left = head.nr_records;
	return 0;
}

/* The numbers of one batch on their way from columns to records. */
struct strip {
	uint32_t flags[TT_PACK_RECORDS_PER_BATCH_MAX], steal[TT_PACK_RECORDS_PER_BATCH_MAX];
	uint32_t next_tid[TT_PACK_RECORDS_PER_BATCH_MAX], seq[TT_PACK_RECORDS_PER_BATCH_MAX];
	uint32_t ext[TT_PACK_RECORDS_PER_BATCH_MAX];
	uint32_t dts[TT_PACK_RECORDS_PER_BATCH_MAX]; /* group after group */
	uint32_t waits[TT_SCHED_WAIT_COLUMNS][TT_PACK_RECORDS_PER_BATCH_MAX];
	uint32_t mark_tid[TT_PACK_RECORDS_PER_BATCH_MAX], mark_ext[TT_PACK_RECORDS_PER_BATCH_MAX];
	unsigned nr_records, nr_switches, nr_marks;
	unsigned dts_at[TT_SCHED_DTS_GROUPS], waits_at[TT_SCHED_WAIT_GROUPS];
};

/* Columns that say what the records are. */
static int read_kinds(struct tt_sched_columns *c, struct strip *s, size_t *ret_size)
{
	size_t size = sizeof(struct tt_batch);

	if (tt_column_read32(&c->flags, s->flags, s->nr_records) ||
	    tt_column_read32(&c->steal, s->steal, s->nr_records))
		return -EBADMSG;
	s->nr_switches = s->nr_marks = 0;
	for (unsigned i = 0; i < s->nr_records; i++) {
		if (s->flags[i] > UINT16_MAX)
			return -EBADMSG;
		if (s->flags[i] & TT_SW_MARK)
			s->nr_marks++;
		else
			s->nr_switches++;
	}
	if (tt_column_read32(&c->next_tid, s->next_tid, s->nr_switches) ||
	    tt_column_read32(&c->seq, s->seq, s->nr_switches) ||
	    tt_column_read32(&c->ext, s->ext, s->nr_switches) ||
	    tt_column_read32(&c->mark_ext, s->mark_ext, s->nr_marks))
		return -EBADMSG;
	size += s->nr_marks * sizeof(struct tt_mark) + s->nr_switches * sizeof(struct tt_switch);
	for (unsigned i = 0; i < s->nr_marks; i++) {
		if (s->mark_ext[i] > UINT16_MAX)
			return -EBADMSG;
		size += 8 * (uint8_t)s->mark_ext[i];
	}
	for (unsigned i = 0; i < s->nr_switches; i++) {
		if (s->seq[i] > UINT16_MAX || s->ext[i] > UINT8_MAX)
			return -EBADMSG;
		size += 8 * s->ext[i];
	}
	*ret_size = size;
	return size <= TT_BATCH_BYTES_MAX ? 0 : -EBADMSG;
}

/* The columns that are split into groups: how many of each group this batch has, then those. */
static int read_groups(struct tt_sched_columns *c, struct strip *s, uint32_t running_tid)
{
	unsigned nr_dts[TT_SCHED_DTS_GROUPS] = { 0 }, nr_waits[TT_SCHED_WAIT_GROUPS] = { 0 };
	unsigned nr_switches = 0, at = 0;

	for (unsigned i = 0; i < s->nr_records; i++) {
		nr_dts[tt_sched_dts_group(running_tid)]++;
		if (s->flags[i] & TT_SW_MARK)
			continue;
		running_tid = s->next_tid[nr_switches++];
		nr_waits[tt_sched_wait_group(running_tid, s->flags[i])]++;
	}
	for (unsigned g = 0; g < TT_SCHED_DTS_GROUPS; at += nr_dts[g++]) {
		s->dts_at[g] = at;
		if (tt_column_read32(&c->dts[g], s->dts + at, nr_dts[g]))
			return -EBADMSG;
	}
	at = 0;
	for (unsigned g = 0; g < TT_SCHED_WAIT_GROUPS; at += nr_waits[g++]) {
		s->waits_at[g] = at;
		for (unsigned i = 0; i < TT_SCHED_WAIT_COLUMNS; i++)
			if (tt_column_read32(&c->waits[i][g], s->waits[i] + at, nr_waits[g]))
				return -EBADMSG;
	}
	return tt_column_read32(&c->mark_tid, s->mark_tid, s->nr_marks);
}

static int build_switch(struct tt_sched_columns *c, struct strip *s, unsigned cpu, unsigned flags,
			struct tt_predicted *pd, struct tt_switch *rec)
{
	unsigned i = s->nr_switches++;
	unsigned at = s->waits_at[tt_sched_wait_group(s->next_tid[i], flags)]++;

	if (s->waits[TT_SCHED_QUEUED][at] > UINT16_MAX || s->waits[TT_SCHED_PRIO][at] > UINT8_MAX)
		return -EBADMSG;
	rec->next_tid = s->next_tid[i];
	rec->seq = (uint16_t)(pd->nr_switches + 1 + s->seq[i]);
	rec->wait_ns = s->waits[TT_SCHED_WAIT][at];
	rec->deliver_ns = s->waits[TT_SCHED_DELIVER][at];
	rec->waker_tid = s->waits[TT_SCHED_WAKER][at];
	rec->queued_cpu = (uint16_t)(s->waits[TT_SCHED_QUEUED][at] ^ cpu);
	rec->next_prio = (uint8_t)s->waits[TT_SCHED_PRIO][at];
	rec->ext = (uint8_t)s->ext[i];
	tt_predicted_seq_residual(pd, rec->seq);
	pd->wait_total_ns += tt_dur32_unpack(rec->wait_ns);
	pd->running_tid = rec->next_tid;
	return tt_column_read64(&c->words, (uint64_t *)(rec + 1), rec->ext);
}

static int build_mark(struct tt_sched_columns *c, struct strip *s, uint32_t running_tid, struct tt_mark *rec)
{
	rec->ext = (uint8_t)s->mark_ext[s->nr_marks];
	rec->pad = (uint8_t)(s->mark_ext[s->nr_marks] >> 8);
	rec->tid = s->mark_tid[s->nr_marks++] ^ running_tid;
	return tt_column_read64(&c->words, (uint64_t *)(rec + 1), rec->ext);
}

static int build_records(struct tt_sched_columns *c, struct strip *s, const struct tt_batch *b,
			 struct tt_predicted *pd)
{
	uint8_t *at = (uint8_t *)(b + 1);

	s->nr_switches = s->nr_marks = 0;
	for (unsigned i = 0; i < s->nr_records; i++) {
		struct tt_switch *rec = (struct tt_switch *)at;

		rec->dts_ns = s->dts[s->dts_at[tt_sched_dts_group(pd->running_tid)]++];
		rec->steal_ns = s->steal[i];
		rec->flags = (uint16_t)s->flags[i];
		pd->ts_ns += rec->dts_ns;
		pd->steal_clock_ns += tt_dur32_unpack(rec->steal_ns);
		if (rec->flags & TT_SW_MARK ? build_mark(c, s, pd->running_tid, (struct tt_mark *)at)
					    : build_switch(c, s, b->cpu, rec->flags, pd, rec))
			return -EBADMSG;
		at += tt_packed_size(rec);
	}
	return 0;
}

int tt_unpack_next_sched(struct tt_unpacker *u, struct tt_batch *b, struct tt_predicted *pd)
{
	struct strip s;
	size_t size;

	s.nr_records = b->nr_records;
	if (read_kinds(&u->sched, &s, &size) || read_groups(&u->sched, &s, pd->running_tid))
		return -EBADMSG;
	b->size = (uint32_t)size;
	return build_records(&u->sched, &s, b, pd);
}

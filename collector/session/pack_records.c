/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pack_records.c - the payload of a RECORDS block. See pack.h and docs/session-format.md. */
#include "collector/session/pack_impl.h"

#include <errno.h>
#include <string.h>

/* The block that is being packed. A class is all records of one kind and size. */
struct block {
	struct tt_records_payload head;
	struct tt_records_class
		*classes; /* room for TT_PACK_COLUMNS_MAX / 2: a record has at least two words */
	uint64_t **words; /* of each class: column by column */
	uint32_t *nr_added;
	size_t nr_columns;
	uint32_t *class_of; /* each record */
};

enum { CLASSES_MAX = TT_PACK_COLUMNS_MAX / 2 };

static uint32_t find_class(struct block *bl, const struct tt_record *rec)
{
	uint32_t i = 0;

	while (i < bl->head.nr_classes &&
	       (bl->classes[i].kind != rec->kind || bl->classes[i].size != rec->size))
		i++;
	return i;
}

/* The class of each record of a batch. false = the block would have too many columns: the batch must wait for
 * the next. */
static bool classify(struct block *bl, const struct tt_batch *b)
{
	const uint8_t *at = (const uint8_t *)(b + 1), *end = (const uint8_t *)b + b->size;
	struct tt_records_payload before = bl->head;
	size_t nr_columns_before = bl->nr_columns;

	while (at < end) {
		const struct tt_record *rec = (const void *)at;
		uint32_t class = find_class(bl, rec);

		if (class == bl->head.nr_classes) {
			bl->nr_columns += rec->size / 8;
			if (bl->nr_columns > TT_PACK_COLUMNS_MAX) {
				bl->head = before;
				bl->nr_columns = nr_columns_before;
				return false;
			}
			bl->head.nr_classes++;
			bl->classes[class] =
				(struct tt_records_class){ .kind = rec->kind, .size = rec->size };
		}
		bl->class_of[bl->head.nr_records++] = class;
		at += rec->size;
	}
	return true;
}

static size_t take_batches(struct block *bl, const uint8_t *data, size_t size)
{
	size_t taken = 0;

	while (taken < size) {
		const struct tt_batch *b = (const void *)(data + taken);

		if (taken &&
		    (taken + b->size > TT_PACK_BYTES_MAX || bl->head.nr_batches == TT_PACK_BATCHES_MAX ||
		     bl->head.nr_records + b->nr_records > TT_PACK_ROWS_MAX))
			break;
		if (!classify(bl, b))
			break;
		bl->head.nr_batches++;
		taken += b->size;
	}
	return taken;
}

/* Copies the records into their classes' columns. */
static void transpose(struct block *bl, const uint8_t *data, size_t size, uint64_t *words)
{
	uint32_t i = 0;

	for (uint32_t class = 0; class < bl->head.nr_classes; class ++) {
		bl->words[class] = words;
		bl->nr_added[class] = 0;
		words += (size_t)bl->classes[class].nr_records * (bl->classes[class].size / 8u);
	}
	for (const uint8_t *end = data + size; data < end;) {
		const uint8_t *at = data + sizeof(struct tt_batch);

		for (data += ((const struct tt_batch *)data)->size; at < data; i++) {
			uint32_t class = bl->class_of[i];
			const uint64_t *from = (const void *)at;
			uint64_t *to = bl->words[class] + bl->nr_added[class]++;

			at += bl->classes[class].size;
			for (; (const uint8_t *)from < at; to += bl->classes[class].nr_records)
				*to = *from++;
		}
	}
}

static int reserve_block(struct tt_packer *p, struct block *bl)
{
	uint8_t *classes =
		tt_scratch_reserve(&p->classes, CLASSES_MAX * (sizeof(*bl->classes) + sizeof(*bl->words) +
							       sizeof(*bl->nr_added)));

	bl->class_of = tt_scratch_reserve(&p->rows, TT_PACK_ROWS_MAX * sizeof(uint32_t));
	if (!classes || !bl->class_of)
		return -ENOMEM;
	bl->words = (uint64_t **)classes;
	bl->classes = (struct tt_records_class *)(bl->words + CLASSES_MAX);
	bl->nr_added = (uint32_t *)(bl->classes + CLASSES_MAX);
	return 0;
}

int tt_pack_records(struct tt_packer *p, const uint8_t *data, size_t size, struct tt_bytes *out,
		    size_t *ret_taken)
{
	struct block bl = { 0 };
	size_t taken;
	uint64_t *words;
	int err = reserve_block(p, &bl);

	if (err)
		return err;
	taken = take_batches(&bl, data, size);
	for (uint32_t i = 0; i < bl.head.nr_records; i++)
		bl.classes[bl.class_of[i]].nr_records++;
	words = tt_scratch_reserve(&p->words, taken);
	if (!words)
		return -ENOMEM;
	transpose(&bl, data, taken, words);
	tt_bytes_append(out, &bl.head, sizeof(bl.head));
	tt_bytes_append(out, bl.classes, bl.head.nr_classes * sizeof(*bl.classes));
	err = tt_pack_heads(p, data, bl.head.nr_batches, NULL, out);
	if (err)
		return err;
	tt_column_write32(p->columns, bl.class_of, bl.head.nr_records, true, out);
	for (uint32_t class = 0; class < bl.head.nr_classes; class ++) {
		uint32_t nr = bl.classes[class].nr_records;

		for (unsigned i = 0; i < bl.classes[class].size / 8u; i++)
			tt_column_write64(p->columns, bl.words[class] + (size_t)i * nr, nr, out);
	}
	*ret_taken = taken;
	return out->failed ? -ENOMEM : 0;
}

/* and back */

/* Copies the table of classes and sums what it announces. */
static int read_classes(struct tt_unpacker *u, const struct tt_records_payload *head, const uint8_t **at,
			const uint8_t *end, size_t *ret_nr_columns)
{
	size_t size = head->nr_classes * sizeof(struct tt_records_class), nr_columns = 0;
	struct tt_records_class *classes;
	uint64_t nr_records = 0;

	if ((size_t)(end - *at) < size)
		return -EBADMSG;
	classes = tt_scratch_reserve(&u->classes, size);
	if (!classes)
		return -ENOMEM;
	memcpy(classes, *at, size);
	*at += size;
	for (uint32_t i = 0; i < head->nr_classes; i++) {
		if (classes[i].size % 8 || classes[i].size < sizeof(struct tt_record))
			return -EBADMSG;
		nr_columns += classes[i].size / 8u;
		nr_records += classes[i].nr_records;
	}
	*ret_nr_columns = nr_columns;
	return nr_columns <= TT_PACK_COLUMNS_MAX && nr_records == head->nr_records ? 0 : -EBADMSG;
}

static int open_columns(struct tt_unpacker *u, size_t nr_columns, const uint8_t **at, const uint8_t *end)
{
	const struct tt_records_class *classes = u->classes.data;
	struct tt_column *columns = tt_scratch_reserve(&u->columns, nr_columns * sizeof(*columns));
	uint32_t *firsts = tt_scratch_reserve(&u->firsts, u->nr_classes * sizeof(*firsts));
	uint32_t next = 0;

	if (!columns || !firsts)
		return -ENOMEM;
	for (uint32_t class = 0; class < u->nr_classes; class ++) {
		firsts[class] = next;
		for (unsigned i = 0; i < classes[class].size / 8u; i++)
			if (tt_column_open(&columns[next++], classes[class].nr_records, at, end))
				return -EBADMSG;
	}
	return 0;
}

int tt_unpack_start_records(struct tt_unpacker *u, const uint8_t *at, const uint8_t *end)
{
	struct tt_records_payload head;
	size_t nr_columns;
	int err;

	if ((size_t)(end - at) < sizeof(head))
		return -EBADMSG;
	memcpy(&head, at, sizeof(head));
	at += sizeof(head);
	if (head.nr_batches > TT_PACK_BATCHES_MAX || head.nr_records > TT_PACK_ROWS_MAX ||
	    head.nr_classes > CLASSES_MAX || head.zero)
		return -EBADMSG;
	u->nr_classes = head.nr_classes;
	err = read_classes(u, &head, &at, end, &nr_columns);
	if (err)
		return err;
	if (tt_head_open(&u->head, head.nr_batches, &at, end) ||
	    tt_column_open(&u->class_index, head.nr_records, &at, end))
		return -EBADMSG;
	err = open_columns(u, nr_columns, &at, end);
	if (err || at != end)
		return err ? err : -EBADMSG;
	u->nr_batches_left = head.nr_batches;
	u->nr_records_left = head.nr_records;
	return 0;
}

int tt_unpack_next_records(struct tt_unpacker *u, struct tt_batch *b)
{
	const struct tt_records_class *classes = u->classes.data;
	const uint32_t *firsts = u->firsts.data;
	size_t size = sizeof(*b);

	for (unsigned i = 0; i < b->nr_records; i++) {
		struct tt_column *column;
		uint32_t class;

		if (tt_column_read32(&u->class_index, &class, 1) || class >= u->nr_classes)
			return -EBADMSG;
		if (size + classes[class].size > sizeof(u->batch))
			return -EBADMSG;
		column = (struct tt_column *)u->columns.data + firsts[class];
		for (unsigned word = 0; word < classes[class].size / 8u; word++, size += 8)
			if (tt_column_read64(column + word, (uint64_t *)(u->batch + size), 1))
				return -EBADMSG;
	}
	b->size = (uint32_t)size;
	return 0;
}

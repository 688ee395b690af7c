/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/aggregate/table.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Room for one more of *array, zeroed. NULL after a failure, which sticks to the report. Grows by doubling at
 * powers of two, so that the number of elements alone tells whether there is room. */
static void *add_one(struct tt_report *r, void **array, unsigned *nr, size_t size)
{
	char *element;

	if (r->failed)
		return NULL;
	if (!(*nr & (*nr - 1))) { /* 0, 1, 2, 4, 8 ...: full */
		void *bigger = reallocarray(*array, *nr ? 2 * (size_t)*nr : 1, size);

		if (!bigger) {
			r->failed = true;
			return NULL;
		}
		*array = bigger;
	}
	element = (char *)*array + *nr * size;
	memset(element, 0, size);
	(*nr)++;
	return element;
}

static char *copy_text(struct tt_report *r, const char *text)
{
	char *copy = r->failed ? NULL : strdup(text);

	if (!copy)
		r->failed = true;
	return copy;
}

static char *format_text(struct tt_report *r, const char *fmt, va_list args)
{
	va_list again;
	char *text;
	int len;

	va_copy(again, args);
	len = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	text = r->failed || len < 0 ? NULL : malloc((size_t)len + 1);
	if (!text) {
		r->failed = true;
		return NULL;
	}
	vsnprintf(text, (size_t)len + 1, fmt, args);
	return text;
}

void tt_report_init(struct tt_report *r)
{
	memset(r, 0, sizeof(*r));
}

static void free_table(struct tt_table *t)
{
	for (size_t i = 0; i < (size_t)t->nr_rows * t->nr_columns; i++) {
		if (t->cells[i].type == TT_CELL_TEXT)
			free(t->cells[i].text);
	}
	free(t->cells);
}

static void free_section(struct tt_section *s)
{
	for (unsigned i = 0; i < s->nr_tables; i++)
		free_table(&s->tables[i]);
	for (unsigned i = 0; i < s->nr_histograms; i++) {
		free(s->histograms[i].name);
		free(s->histograms[i].title);
	}
	for (unsigned i = 0; i < s->nr_notes; i++)
		free(s->notes[i].text);
	free(s->tables);
	free(s->histograms);
	free(s->notes);
}

void tt_report_free(struct tt_report *r)
{
	for (unsigned i = 0; i < r->nr_sections; i++)
		free_section(&r->sections[i]);
	for (unsigned i = 0; i < r->nr_findings; i++)
		free(r->findings[i].text);
	for (unsigned i = 0; i < r->nr_checks; i++)
		free(r->checks[i].text);
	free(r->sections);
	free(r->findings);
	free(r->checks);
	tt_report_init(r);
}

struct tt_section *tt_report_add_section(struct tt_report *r, const char *name, const char *title)
{
	struct tt_section *s = add_one(r, (void **)&r->sections, &r->nr_sections, sizeof(*s));

	if (s) {
		s->name = name;
		s->title = title;
	}
	return s;
}

struct tt_table *tt_section_add_table(struct tt_report *r, struct tt_section *s, const char *name,
				      const char *title, const struct tt_column *columns, unsigned nr_columns)
{
	struct tt_table *t = s ? add_one(r, (void **)&s->tables, &s->nr_tables, sizeof(*t)) : NULL;

	assert(nr_columns);
	if (t) {
		t->name = name;
		t->title = title;
		t->columns = columns;
		t->nr_columns = nr_columns;
	}
	return t;
}

void tt_section_add_histogram(struct tt_report *r, struct tt_section *s, const char *name, const char *title,
			      const struct tt_hist *hist, bool partial)
{
	struct tt_histogram *h;

	h = s ? add_one(r, (void **)&s->histograms, &s->nr_histograms, sizeof(*h)) : NULL;
	if (!h)
		return;
	h->name = copy_text(r, name);
	h->title = copy_text(r, title);
	h->hist = *hist;
	h->partial = partial;
}

void tt_section_add_note(struct tt_report *r, struct tt_section *s, const char *fmt, ...)
{
	struct tt_note *n = s ? add_one(r, (void **)&s->notes, &s->nr_notes, sizeof(*n)) : NULL;
	va_list args;

	if (!n)
		return;
	va_start(args, fmt);
	n->text = format_text(r, fmt, args);
	va_end(args);
}

void tt_report_add_finding(struct tt_report *r, double score_ns_per_s, const char *section, const char *code,
			   const char *fmt, ...)
{
	struct tt_finding *f = add_one(r, (void **)&r->findings, &r->nr_findings, sizeof(*f));
	va_list args;

	if (!f)
		return;
	f->score_ns_per_s = score_ns_per_s;
	f->section = section;
	f->code = code;
	va_start(args, fmt);
	f->text = format_text(r, fmt, args);
	va_end(args);
}

void tt_report_add_check(struct tt_report *r, const char *probe, bool ok, bool known, double ours,
			 double kernel, const char *unit, const char *fmt, ...)
{
	struct tt_check *c = add_one(r, (void **)&r->checks, &r->nr_checks, sizeof(*c));
	va_list args;

	if (!c)
		return;
	c->probe = probe;
	c->ok = ok;
	c->known = known;
	c->ours = ours;
	c->kernel = kernel;
	c->unit = unit;
	va_start(args, fmt);
	c->text = format_text(r, fmt, args);
	va_end(args);
}

static int compare_findings(const void *left, const void *right)
{
	const struct tt_finding *a = left, *b = right;
	int order;

	if (a->score_ns_per_s != b->score_ns_per_s)
		return a->score_ns_per_s < b->score_ns_per_s ? 1 : -1;
	order = strcmp(a->code, b->code);
	return order ? order : strcmp(a->text, b->text);
}

void tt_report_sort_findings(struct tt_report *r)
{
	if (!r->failed && r->nr_findings)
		qsort(r->findings, r->nr_findings, sizeof(*r->findings), compare_findings);
}

void tt_table_add_row(struct tt_report *r, struct tt_table *t)
{
	size_t used, needed;

	if (!t || r->failed)
		return;
	used = (size_t)t->nr_rows * t->nr_columns;
	needed = used + t->nr_columns;
	if (needed > t->cells_room) {
		size_t room = needed < 64 ? 64 : 2 * needed;
		struct tt_cell *bigger =
			room <= UINT32_MAX ? reallocarray(t->cells, room, sizeof(*bigger)) : NULL;

		if (!bigger) {
			r->failed = true;
			return;
		}
		t->cells = bigger;
		t->cells_room = (unsigned)room;
	}
	memset(&t->cells[used], 0, t->nr_columns * sizeof(*t->cells));
	t->nr_rows++;
}

/* The cell of the last row, emptied. NULL when there is none: a row could not be added. */
static struct tt_cell *cell_of(struct tt_table *t, unsigned column)
{
	struct tt_cell *cell;

	if (!t || !t->nr_rows)
		return NULL;
	assert(column < t->nr_columns);
	cell = &t->cells[(size_t)(t->nr_rows - 1) * t->nr_columns + column];
	if (cell->type == TT_CELL_TEXT)
		free(cell->text);
	cell->type = TT_CELL_NONE;
	return cell;
}

void tt_row_text(struct tt_report *r, struct tt_table *t, unsigned column, const char *text)
{
	struct tt_cell *cell = r->failed ? NULL : cell_of(t, column);

	if (!cell)
		return;
	cell->text = copy_text(r, text);
	if (cell->text)
		cell->type = TT_CELL_TEXT;
}

void tt_row_u64(struct tt_table *t, unsigned column, uint64_t value)
{
	struct tt_cell *cell = cell_of(t, column);

	if (!cell)
		return;
	cell->type = TT_CELL_U64;
	cell->u64 = value;
}

void tt_row_f64(struct tt_table *t, unsigned column, double value)
{
	struct tt_cell *cell = cell_of(t, column);

	if (!cell)
		return;
	cell->type = TT_CELL_F64;
	cell->f64 = value;
}

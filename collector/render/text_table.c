/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/render/text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "collector/base/escape.h"
#include "collector/base/units.h"

enum {
	GUTTER = 2,	      /* blanks between columns */
	KEY_WIDTH_MIN = 8,    /* names are not shortened below this */
	KEY_WIDTH_SHARE = 3,  /* ... and above a third of the page they are */
	KEY_WIDTH_USUAL = 28, /* ... but not below this on most of it: "timethief 12345 (timethief)" */
	TEXT_WIDTH_MIN = 12,
	NUMBER_BYTES_MAX = 48,
};

/* A table made into strings: row -1 are the labels. */
struct grid {
	unsigned nr_rows, nr_columns; /* visible ones only */
	char **texts;		      /* (nr_rows + 1) * nr_columns, row by row, labels first */
	unsigned *widths;	      /* of columns */
	bool *is_text;
	const char *later_corner; /* label of the key column in the blocks after the first */
};

static void format_double(char *buf, size_t size, double value, unsigned decimals)
{
	double magnitude = value < 0 ? -value : value;

	if (!__builtin_isfinite(value))
		snprintf(buf, size, "-");
	else if (magnitude >= 1e15)
		snprintf(buf, size, "%.3e", value);
	else
		snprintf(buf, size, "%.*f", (int)decimals, value);
}

static uint64_t to_u64(const struct tt_cell *cell)
{
	if (cell->type == TT_CELL_U64)
		return cell->u64;
	if (!(cell->f64 > 0)) /* NaN too */
		return 0;
	return cell->f64 < 1.8e19 ? (uint64_t)cell->f64 : UINT64_MAX;
}

static void format_number(char *buf, size_t size, const struct tt_cell *cell, const struct tt_column *column)
{
	unsigned decimals = column->decimals ? column->decimals : 2;

	switch (column->unit) {
	case TT_UNIT_NS:
		tt_format_duration(buf, size, to_u64(cell));
		return;
	case TT_UNIT_BYTES:
		tt_format_bytes(buf, size, to_u64(cell));
		return;
	case TT_UNIT_TEXT:
	case TT_UNIT_COUNT:
		if (cell->type == TT_CELL_U64)
			snprintf(buf, size, "%" PRIu64, cell->u64);
		else
			format_double(buf, size, cell->f64, column->decimals);
		return;
	case TT_UNIT_MS:
	case TT_UNIT_PCT:
	case TT_UNIT_NUMBER:
		break;
	}
	format_double(buf, size, cell->type == TT_CELL_U64 ? (double)cell->u64 : cell->f64, decimals);
}

static char *format_cell(struct tt_page *page, const struct tt_cell *cell, const struct tt_column *column)
{
	char buf[NUMBER_BYTES_MAX] = "-";
	char *text;

	if (cell->type == TT_CELL_TEXT)
		return tt_page_escape(page, cell->text);
	if (cell->type != TT_CELL_NONE)
		format_number(buf, sizeof(buf), cell, column);
	text = strdup(buf);
	if (!text)
		page->err = -ENOMEM;
	return text;
}

static const struct tt_cell *cell_at(const struct tt_table *t, unsigned row, unsigned column)
{
	return &t->cells[(size_t)row * t->nr_columns + column];
}

/* The key always is; others unless they are for JSON or say nothing in any row. */
static bool is_visible(const struct tt_page *page, const struct tt_table *t, unsigned column)
{
	if (!column)
		return true;
	if (t->columns[column].json_only)
		return false;
	if (page->steady_columns)
		return true;
	for (unsigned row = 0; row < t->nr_rows; row++) {
		if (cell_at(t, row, column)->type != TT_CELL_NONE)
			return true;
	}
	return false;
}

static void grid_close(struct grid *g)
{
	for (size_t i = 0; g->texts && i < (size_t)(g->nr_rows + 1) * g->nr_columns; i++)
		free(g->texts[i]);
	free(g->texts);
	free(g->widths);
	free(g->is_text);
}

static int grid_fill_column(struct tt_page *page, struct grid *g, unsigned to, const struct tt_table *t,
			    unsigned from, const char *label)
{
	g->is_text[to] = t->columns[from].unit == TT_UNIT_TEXT;
	for (unsigned row = 0; row <= g->nr_rows; row++) {
		char **text = &g->texts[(size_t)row * g->nr_columns + to];
		size_t width;

		*text = row ? format_cell(page, cell_at(t, row - 1, from), &t->columns[from])
			    : tt_page_escape(page, label);
		if (!*text)
			return -ENOMEM;
		width = tt_text_width(*text);
		if (width > g->widths[to])
			g->widths[to] = (unsigned)width;
	}
	return 0;
}

static int grid_open(struct tt_page *page, const struct tt_table *t, const char *corner, struct grid *g)
{
	unsigned nr_columns = 0, to = 0;

	for (unsigned i = 0; i < t->nr_columns; i++)
		nr_columns += is_visible(page, t, i);
	*g = (struct grid){ .nr_rows = t->nr_rows, .nr_columns = nr_columns };
	g->later_corner = t->columns[0].label;
	g->texts = calloc((size_t)(g->nr_rows + 1) * nr_columns, sizeof(*g->texts));
	g->widths = calloc(nr_columns, sizeof(*g->widths));
	g->is_text = calloc(nr_columns, sizeof(*g->is_text));
	if (!g->texts || !g->widths || !g->is_text)
		return -ENOMEM;
	for (unsigned i = 0; i < t->nr_columns; i++) {
		const char *label = !i && corner ? corner : t->columns[i].label;

		if (is_visible(page, t, i) && grid_fill_column(page, g, to++, t, i, label))
			return -ENOMEM;
	}
	if (tt_text_width(g->later_corner) > g->widths[0])
		g->widths[0] = (unsigned)tt_text_width(g->later_corner);
	return 0;
}

/* Shortened in the middle: both ends of a path or a device name tell something. */
static void put_shortened(FILE *out, const char *text, unsigned width)
{
	unsigned head_width = (width - 3 + 1) / 2, tail_width = width - 3 - head_width;
	size_t head_bytes, skip, total = tt_text_width(text);
	size_t head = tt_text_fit(text, head_width, &head_bytes);

	tt_text_fit(text, total - tail_width, &skip);
	/* A wide character that straddles the cut is left out: more room must not be needed. */
	while (tt_text_width(text + skip) > tail_width) {
		size_t step;

		tt_text_fit(text + skip, 2, &step);
		skip += step ? step : 1;
	}
	fprintf(out, "%.*s...%s%*s", (int)head_bytes, text, text + skip,
		(int)(width - head - 3 - tt_text_width(text + skip)), "");
}

static void put_text(FILE *out, const char *text, unsigned width, bool pad)
{
	size_t natural = tt_text_width(text);

	if (natural > width)
		put_shortened(out, text, width);
	else
		fprintf(out, "%s%*s", text, pad ? (int)(width - natural) : 0, "");
}

static void put_number(FILE *out, const char *text, unsigned width)
{
	size_t natural = tt_text_width(text);

	fprintf(out, "%*s%s", natural < width ? (int)(width - natural) : 0, "", text);
}

/* One line of a block: the key and the columns first..last-1. */
static void put_row(struct tt_page *page, const struct grid *g, unsigned row, unsigned first, unsigned last)
{
	char *const *texts = &g->texts[(size_t)row * g->nr_columns];

	if (!row)
		tt_page_style(page, TT_STYLE_HEADING);
	put_text(page->out, !row && first > 1 ? g->later_corner : texts[0], g->widths[0], first < last);
	for (unsigned i = first; i < last; i++) {
		fprintf(page->out, "%*s", GUTTER, "");
		if (g->is_text[i])
			put_text(page->out, texts[i], g->widths[i], i + 1 < last);
		else
			put_number(page->out, texts[i], g->widths[i]);
	}
	if (!row)
		tt_page_style(page, TT_STYLE_PLAIN);
	fputc('\n', page->out);
}

/* How far a block that starts at column first reaches: as many columns as the page holds, one at least. A
 * text column is made narrower when that lets it stand. */
static unsigned fit_block(const struct tt_page *page, struct grid *g, unsigned first)
{
	unsigned used = g->widths[0], last = first;

	for (; last < g->nr_columns; last++) {
		unsigned room = page->width > used + GUTTER ? page->width - used - GUTTER : 0;

		if (last == first && g->widths[last] > room && g->is_text[last] && room >= TEXT_WIDTH_MIN)
			g->widths[last] = room;
		if (g->widths[last] > room && last > first)
			break;
		used += GUTTER + g->widths[last];
	}
	return last;
}

static void shorten_key(const struct tt_page *page, struct grid *g)
{
	unsigned others = 0, limit = page->width / KEY_WIDTH_SHARE;

	for (unsigned i = 1; i < g->nr_columns; i++)
		others += GUTTER + g->widths[i];
	if (g->widths[0] + others <= page->width || !g->is_text[0])
		return;
	if (limit < KEY_WIDTH_USUAL)
		limit = page->width * 2 / 3 < KEY_WIDTH_USUAL ? page->width * 2 / 3 : KEY_WIDTH_USUAL;
	if (limit < KEY_WIDTH_MIN)
		limit = KEY_WIDTH_MIN;
	if (page->width > others && page->width - others > limit)
		limit = page->width - others; /* all that the others leave */
	if (g->widths[0] > limit)
		g->widths[0] = limit;
}

static void put_grid(struct tt_page *page, struct grid *g)
{
	unsigned first = 1;

	shorten_key(page, g);
	while (first < g->nr_columns) {
		unsigned last = fit_block(page, g, first);

		if (first > 1)
			fputc('\n', page->out);
		for (unsigned row = 0; row <= g->nr_rows; row++)
			put_row(page, g, row, first, last);
		first = last;
	}
}

bool tt_page_table(struct tt_page *page, const struct tt_table *t, const char *corner, const char *title)
{
	struct grid g;
	bool shown = false;
	int err;

	if (page->err || !t->nr_rows)
		return false;
	err = grid_open(page, t, corner, &g);
	if (err) {
		page->err = err;
	} else if (g.nr_columns > 1) {
		if (title) {
			fputc('\n', page->out);
			tt_page_paragraph(page, TT_STYLE_HEADING, 0, "", title, NULL);
		}
		put_grid(page, &g);
		shown = true;
	}
	if (shown && t->nr_rows_left_out) {
		char nr[32];

		fprintf(page->out, "(%s more %s)\n", tt_format_count(nr, sizeof(nr), t->nr_rows_left_out),
			t->nr_rows_left_out == 1 ? "is not shown" : "are not shown");
	}
	grid_close(&g);
	return shown;
}

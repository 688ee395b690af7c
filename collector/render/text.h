/* SPDX-License-Identifier: GPL-2.0-or-later */
/* text - private to the text renderer: a page of known width, and what is put on it.
 *
 * Whatever fails (memory) is remembered in page->err; the functions after it do nothing.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "collector/aggregate/table.h"

struct tt_page {
	FILE *out;
	unsigned width; /* columns, never 0 */
	bool unicode, colour;
	bool steady_columns; /* also those without a value: intervals below each other must line up */
	int err;
};

enum tt_style { TT_STYLE_PLAIN, TT_STYLE_HEADING, TT_STYLE_ALARM };

/* A copy that is safe to print, to be freed. NULL after a failure. */
char *tt_page_escape(struct tt_page *page, const char *raw);
void tt_page_style(struct tt_page *page, enum tt_style style);
void tt_page_line(struct tt_page *page, enum tt_style style, const char *safe);
/* Breaks raw text at blanks; the lines after the first are indented. The style ends with each line. right
 * (may be NULL) is set flush right on the first line. */
void tt_page_paragraph(struct tt_page *page, enum tt_style style, unsigned indent, const char *first,
		       const char *raw, const char *right);

/* text_table.c: corner is the label of the key column, NULL = the column's own; title stands above, after an
 * empty line, NULL = neither. False: nothing to show in text, nothing printed. */
bool tt_page_table(struct tt_page *page, const struct tt_table *t, const char *corner, const char *title);
/* text_histogram.c */
void tt_page_histogram(struct tt_page *page, const struct tt_histogram *h);

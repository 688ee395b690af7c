/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/render/text.h"

#include <inttypes.h>

#include "collector/base/escape.h"
#include "collector/base/units.h"

enum {
	NR_EDGES = 44,
	ROWS_MAX = 20,
	LABEL_BYTES_MAX = 16,
	BAR_WIDTH_MIN = 10,
	BAR_WIDTH_MAX = 100,
};

/* Row n counts edge n <= duration < edge n+1; the last row is open. Edges double, but start anew at every
 * unit (512us, then 1ms), so that they can be named exactly. A bucket of the histogram that an edge cuts is
 * counted on the side of its middle: off by half a bucket at most, 1.6 %. */
static uint64_t edge_ns(unsigned n)
{
	static const uint64_t unit_ns[] = { 1ull, 1000ull, 1000000ull, 1000000000ull };
	unsigned unit;

	if (!n)
		return 0;
	unit = (n - 1) / 10 < 3 ? (n - 1) / 10 : 3;
	return unit_ns[unit] << (n - 1 - 10 * unit);
}

static char *format_edge(char *buf, unsigned n)
{
	static const char *const unit_names[] = { "ns", "us", "ms", "s" };
	unsigned unit;

	if (!n) {
		snprintf(buf, LABEL_BYTES_MAX, "0");
		return buf;
	}
	unit = (n - 1) / 10 < 3 ? (n - 1) / 10 : 3;
	snprintf(buf, LABEL_BYTES_MAX, "%u%s", 1u << (n - 1 - 10 * unit), unit_names[unit]);
	return buf;
}

struct rows {
	uint64_t nr[NR_EDGES];
	unsigned first, last; /* rows with something in them */
	unsigned step;	      /* edges that a printed row spans */
	uint64_t nr_largest;  /* of the printed rows */
};

static uint64_t count_of(const struct rows *rows, unsigned row)
{
	uint64_t nr = 0;

	for (unsigned i = row; i < row + rows->step && i < NR_EDGES; i++)
		nr += rows->nr[i];
	return nr;
}

static void gather_rows(const struct tt_hist *h, struct rows *rows)
{
	unsigned row = 0;

	*rows = (struct rows){ .first = NR_EDGES, .step = 1 };
	for (unsigned b = 0; b < TT_HIST_NR_BUCKETS; b++) {
		uint64_t lower_ns = tt_hist_bucket_lower_ns(b);
		uint64_t middle_ns = lower_ns + (tt_hist_bucket_upper_ns(b) - lower_ns) / 2;

		while (row + 1 < NR_EDGES && middle_ns >= edge_ns(row + 1))
			row++;
		rows->nr[row] += h->nr[b];
		if (!h->nr[b])
			continue;
		if (row < rows->first)
			rows->first = row;
		rows->last = row;
	}
	while (rows->first < NR_EDGES && (rows->last - rows->first) / rows->step >= ROWS_MAX)
		rows->step *= 2;
	for (row = rows->first; row <= rows->last && row < NR_EDGES; row += rows->step) {
		uint64_t nr = count_of(rows, row);

		if (nr > rows->nr_largest)
			rows->nr_largest = nr;
	}
}

/* share of width, in eighths of a column where the terminal can draw them; something is never nothing. */
static void put_bar(struct tt_page *page, uint64_t nr, uint64_t nr_largest, unsigned width)
{
	static const char *const eighths[] = { "", "▏", "▎", "▍", "▌", "▋", "▊", "▉" };
	unsigned parts = page->unicode ? 8 : 1;
	unsigned __int128 scaled = (unsigned __int128)nr * width * parts + nr_largest / 2;
	unsigned filled = (unsigned)(scaled / nr_largest);

	if (!filled)
		filled = 1;
	for (unsigned i = 0; i < filled / parts; i++)
		fputs(page->unicode ? "█" : "#", page->out);
	if (page->unicode)
		fputs(eighths[filled % 8], page->out);
}

static void put_row(struct tt_page *page, const struct rows *rows, unsigned row, uint64_t nr_total,
		    unsigned count_width)
{
	char from[LABEL_BYTES_MAX], to[LABEL_BYTES_MAX], count[32];
	unsigned next = row + rows->step, used;
	uint64_t nr = count_of(rows, row);

	tt_format_count(count, sizeof(count), nr);
	format_edge(from, row);
	if (next < NR_EDGES)
		used = (unsigned)fprintf(page->out, "  %6s - %-6s", from, format_edge(to, next));
	else
		used = (unsigned)fprintf(page->out, "  %6s and up", from);
	used += (unsigned)fprintf(page->out, "%*s%*s %5.1f%%", (int)(17 - used), "", (int)count_width, count,
				  100.0 * (double)nr / (double)nr_total);
	if (nr) {
		unsigned room = page->width > used + 1 ? page->width - used - 1 : 0;

		if (room > BAR_WIDTH_MAX)
			room = BAR_WIDTH_MAX;
		fputc(' ', page->out);
		if (room >= BAR_WIDTH_MIN)
			put_bar(page, nr, rows->nr_largest, room);
	}
	fputc('\n', page->out);
}

/* "run-queue wait: 12,345   p50 4.1us   p90 ..." */
static void put_title(struct tt_page *page, const struct tt_histogram *h)
{
	static const struct {
		const char *label;
		double pct;
	} shown[] = { { "p50", 50 }, { "p90", 90 }, { "p99", 99 }, { "p99.9", 99.9 } };
	char nr[32], line[512], duration[16];
	size_t used;

	used = (size_t)snprintf(line, sizeof(line), "%.256s: %s", h->title,
				tt_format_count(nr, sizeof(nr), h->hist.nr_total));
	for (unsigned i = 0; i < sizeof(shown) / sizeof(shown[0]); i++) {
		tt_format_duration(duration, sizeof(duration), tt_hist_percentile_ns(&h->hist, shown[i].pct));
		used += (size_t)snprintf(line + used, sizeof(line) - used, ", %s %s", shown[i].label,
					 duration);
	}
	tt_format_duration(duration, sizeof(duration), h->hist.max_ns);
	snprintf(line + used, sizeof(line) - used, ", max %s%s", duration,
		 h->partial ? " (partial: events were shed)" : "");
	tt_page_paragraph(page, TT_STYLE_HEADING, 4, "", line, NULL);
}

void tt_page_histogram(struct tt_page *page, const struct tt_histogram *h)
{
	unsigned count_width;
	struct rows rows;
	char nr[32];

	if (page->err || !h->hist.nr_total)
		return;
	gather_rows(&h->hist, &rows);
	if (!rows.nr_largest)
		return;
	put_title(page, h);
	count_width = (unsigned)tt_text_width(tt_format_count(nr, sizeof(nr), rows.nr_largest));
	for (unsigned row = rows.first; row <= rows.last; row += rows.step)
		put_row(page, &rows, row, h->hist.nr_total, count_width);
}

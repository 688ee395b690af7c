/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/render/text.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "collector/base/escape.h"
#include "collector/base/units.h"
#include "collector/render/render.h"
#include "collector/render/words.h"

enum { WIDTH_ENDLESS = 1 << 20, PIECE_BYTES_MAX = 1024, PIECES_MAX = 8 };

char *tt_page_escape(struct tt_page *page, const char *raw)
{
	size_t len = strlen(raw), size = 4 * len + 1;
	char *safe = page->err ? NULL : malloc(size);

	if (!safe) {
		page->err = page->err ? page->err : -ENOMEM;
		return NULL;
	}
	return tt_escape(safe, size, raw, len);
}

void tt_page_style(struct tt_page *page, enum tt_style style)
{
	static const char *const codes[] = { "\033[0m", "\033[1m", "\033[1;31m" };

	if (page->colour)
		fputs(codes[style], page->out);
}

void tt_page_line(struct tt_page *page, enum tt_style style, const char *safe)
{
	if (page->err)
		return;
	if (style)
		tt_page_style(page, style);
	fputs(safe, page->out);
	if (style)
		tt_page_style(page, TT_STYLE_PLAIN);
	fputc('\n', page->out);
}

/* Bytes of text that go on a line of width columns: up to the last blank that fits, all of it when it fits.
 */
static size_t line_bytes(const char *text, unsigned width)
{
	size_t bytes, blank;

	tt_text_fit(text, width, &bytes);
	if (!text[bytes])
		return bytes;
	for (blank = bytes; blank && text[blank] != ' '; blank--)
		;
	if (blank)
		return blank;
	if (!bytes) /* a wide character on a line of one column */
		tt_text_fit(text, 2, &bytes);
	return bytes ? bytes : strlen(text);
}

/* right is put at the end of a line on which used columns are taken. */
static void put_right(struct tt_page *page, size_t used, const char *right)
{
	size_t needed = used + 2 + tt_text_width(right);
	bool endless = page->width == WIDTH_ENDLESS;

	fprintf(page->out, "%*s%s", !endless && page->width > needed ? (int)(page->width - needed + 2) : 2,
		"", right);
}

void tt_page_paragraph(struct tt_page *page, enum tt_style style, unsigned indent, const char *first,
		       const char *raw, const char *right)
{
	unsigned right_width = right ? (unsigned)tt_text_width(right) + 2 : 0;
	unsigned used = (unsigned)tt_text_width(first);
	char *safe = tt_page_escape(page, raw);
	const char *rest = safe;

	if (!safe)
		return;
	if (style)
		tt_page_style(page, style);
	fputs(first, page->out);
	do {
		unsigned taken = used + right_width;
		size_t bytes = line_bytes(rest, page->width > taken + 10 ? page->width - taken : 10);

		fprintf(page->out, "%.*s", (int)bytes, rest);
		if (right_width)
			put_right(page, used + tt_text_width(rest) - tt_text_width(rest + bytes), right);
		right_width = 0;
		rest += bytes;
		rest += strspn(rest, " ");
		used = indent;
		if (*rest)
			fprintf(page->out, "\n%*s", (int)indent, "");
	} while (*rest);
	if (style)
		tt_page_style(page, TT_STYLE_PLAIN);
	fputc('\n', page->out);
	free(safe);
}

/* --- the head --- */

/* What stands on the first lines, broken between pieces; within one only when it is wider than the page. */
struct pieces {
	char text[PIECES_MAX][PIECE_BYTES_MAX];
	unsigned nr;
};

static void add_piece(struct pieces *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void add_piece(struct pieces *p, const char *fmt, ...)
{
	char raw[PIECE_BYTES_MAX / 4];
	va_list args;

	if (p->nr == PIECES_MAX)
		return;
	va_start(args, fmt);
	vsnprintf(raw, sizeof(raw), fmt, args);
	va_end(args);
	tt_escape(p->text[p->nr], PIECE_BYTES_MAX, raw, strlen(raw));
	p->nr++;
}

/* Broken over as many lines as it takes; the columns used on the last one. */
static size_t put_piece(struct tt_page *page, const char *safe)
{
	size_t bytes;

	while (safe[bytes = line_bytes(safe, page->width)]) {
		fprintf(page->out, "%.*s\n", (int)bytes, safe);
		safe += bytes;
		safe += strspn(safe, " ");
	}
	fputs(safe, page->out);
	return tt_text_width(safe);
}

static void put_pieces(struct tt_page *page, const struct pieces *p, enum tt_style first_style)
{
	size_t used = 0;

	for (unsigned i = 0; i < p->nr; i++) {
		size_t width = tt_text_width(p->text[i]);

		if (used && used + 3 + width > page->width) {
			fputc('\n', page->out);
			used = 0;
		}
		used += (size_t)fprintf(page->out, "%s", used ? "   " : "");
		if (!i)
			tt_page_style(page, first_style);
		used += put_piece(page, p->text[i]);
		if (!i)
			tt_page_style(page, TT_STYLE_PLAIN);
	}
	fputc('\n', page->out);
}

static const char *hypervisor_words(const struct tt_info *info, char *buf, size_t size)
{
	if (!strcmp(info->hypervisor, "none"))
		return "no hypervisor";
	if (!info->hypervisor[0] || !strcmp(info->hypervisor, "unknown"))
		return "hypervisor unknown";
	snprintf(buf, size, "%s guest", info->hypervisor);
	return buf;
}

/* 1234567890 ns as "1.235 s": rounded to milliseconds, the same everywhere. */
static const char *format_seconds(char *buf, size_t size, uint64_t ns)
{
	uint64_t ms = ns / 1000000 + (ns % 1000000 >= 500000);

	snprintf(buf, size, "%" PRIu64 ".%03u s", ms / 1000, (unsigned)(ms % 1000));
	return buf;
}

static uint64_t since_start_ns(const struct tt_report_head *head, uint64_t ts_ns)
{
	return ts_ns > head->info->start_ts_ns ? ts_ns - head->info->start_ts_ns : 0;
}

static void add_time_piece(struct pieces *p, const struct tt_report_head *head)
{
	char start[48], from[32], to[32];

	tt_format_local_time(start, sizeof(start), head->info, head->info->start_ts_ns);
	if (!head->partial) {
		tt_format_local_time(start, sizeof(start), head->info, head->from_ts_ns);
		format_seconds(to, sizeof(to), head->to_ts_ns - head->from_ts_ns);
		add_piece(p, "%s + %s", start, to);
		return;
	}
	format_seconds(from, sizeof(from), since_start_ns(head, head->from_ts_ns));
	format_seconds(to, sizeof(to), since_start_ns(head, head->to_ts_ns));
	add_piece(p, "%s, of it %s to %s", start, from, to);
}

static void put_first_lines(struct tt_page *page, const struct tt_report_head *head, const char *file)
{
	const struct tt_info *info = head->info;
	char events[32], lost[32], hypervisor[64];
	struct pieces p = { .nr = 0 };

	if (file)
		add_piece(&p, "%s", file);
	add_piece(&p, "%s, %s, %s, %u CPU%s", info->hostname,
		  hypervisor_words(info, hypervisor, sizeof(hypervisor)), info->kernel_release,
		  info->nr_cpus_online, info->nr_cpus_online == 1 ? "" : "s");
	add_time_piece(&p, head);
	add_piece(&p, "%s events, %s lost", tt_format_count(events, sizeof(events), head->nr_events),
		  tt_format_count(lost, sizeof(lost), tt_loss_shed(head->nr_lost)));
	put_pieces(page, &p, TT_STYLE_HEADING);
}

static void put_losses(struct tt_page *page, const uint64_t *nr_lost)
{
	enum tt_style style = TT_STYLE_PLAIN;
	char line[512] = "", nr[32];
	size_t used = 0;

	for (unsigned what = 1; what < TT_LOSS_NR; what++) {
		if (!nr_lost[what])
			continue;
		used += (size_t)snprintf(line + used, sizeof(line) - used, "%s%s %s", used ? ", " : "",
					 tt_format_count(nr, sizeof(nr), nr_lost[what]), tt_loss_words(what));
		/* a few of these three happen in a sound recording */
		if (what != TT_LOSS_UNSEEN && what != TT_LOSS_NAMES && what != TT_LOSS_TASK_STATE)
			style = TT_STYLE_ALARM;
	}
	if (used)
		tt_page_paragraph(page, style, 6, "lost: ", line, NULL);
}

static void put_rungs(struct tt_page *page, const struct tt_info *info)
{
	char line[512 + sizeof(info->source_reason)] = "";
	size_t used = 0;

	for (unsigned i = 0; i < info->nr_probes && i < TT_INFO_NR_PROBES; i++) {
		if (info->probes[i].rung[0])
			used += (size_t)snprintf(line + used, sizeof(line) - used, "%s%s %s",
						 used ? ", " : "", info->probes[i].probe,
						 info->probes[i].rung);
	}
	if (info->source_reason[0])
		snprintf(line + used, sizeof(line) - used, " (no better source: %s)", info->source_reason);
	if (line[0] || info->source[0]) {
		char first[2 * sizeof(info->source) * 4];

		tt_escape(first, sizeof(first) - 2, info->source, sizeof(info->source));
		strcat(first, ": ");
		tt_page_paragraph(page, TT_STYLE_PLAIN, 4, first, line, NULL);
	}
}

static void put_end(struct tt_page *page, const struct tt_session_end *end)
{
	char line[512], offset[32];

	if (!end)
		return;
	tt_format_count(offset, sizeof(offset), end->offset);
	if (end->damaged) {
		snprintf(line, sizeof(line),
			 "the file is damaged: %s (at byte %s). Only what comes before is shown.",
			 end->reason, offset);
		tt_page_paragraph(page, TT_STYLE_ALARM, 4, "WARNING: ", line, NULL);
	} else if (!end->has_summary) {
		snprintf(line, sizeof(line),
			 "the recording has no end%s%s (at byte %s). What is whole is shown.",
			 end->reason[0] ? ": " : "", end->reason, offset);
		tt_page_paragraph(page, TT_STYLE_ALARM, 4, "WARNING: ", line, NULL);
	} else if (end->reason[0]) {
		tt_page_paragraph(page, TT_STYLE_ALARM, 4, "WARNING: ", end->reason, NULL);
	}
	if (end->has_summary &&
	    (!strcmp(end->summary.ended_by, "max-size") || !strcmp(end->summary.ended_by, "disk full") ||
	     !strcmp(end->summary.ended_by, "error")))
		tt_page_paragraph(page, TT_STYLE_ALARM, 4,
				  "WARNING: the recording was ended early by: ", end->summary.ended_by, NULL);
}

/* Joins the texts of checks of one sort; false when there are none. */
static bool join_checks(const struct tt_report *report, bool known, char *line, size_t size)
{
	size_t used = 0;

	line[0] = '\0';
	for (unsigned i = 0; i < report->nr_checks && used < size; i++) {
		const struct tt_check *c = &report->checks[i];

		if (c->known == known && (!known || c->ok))
			used += (size_t)snprintf(line + used, size - used, "%s%s", used ? ", " : "", c->text);
	}
	return used > 0;
}

static void put_checks(struct tt_page *page, const struct tt_report *report)
{
	char line[2048];

	if (join_checks(report, true, line, sizeof(line)))
		tt_page_paragraph(page, TT_STYLE_PLAIN, 4, "verified: ", line, NULL);
	if (join_checks(report, false, line, sizeof(line)))
		tt_page_paragraph(page, TT_STYLE_PLAIN, 4, "not verified: ", line, NULL);
	for (unsigned i = 0; i < report->nr_checks; i++) {
		if (report->checks[i].known && !report->checks[i].ok)
			tt_page_paragraph(page, TT_STYLE_ALARM, 4, "WARNING: ", report->checks[i].text, NULL);
	}
}

static void put_head(struct tt_page *page, const struct tt_report *report, const struct tt_report_head *head,
		     const char *file)
{
	put_first_lines(page, head, file);
	put_end(page, head->end);
	if (head->only)
		tt_page_paragraph(page, TT_STYLE_PLAIN, 4, "only: ", head->only, NULL);
	put_rungs(page, head->info);
	put_losses(page, head->nr_lost);
	put_checks(page, report);
}

static void put_findings(struct tt_page *page, const struct tt_report *report)
{
	if (!report->nr_findings)
		return;
	fputc('\n', page->out);
	tt_page_line(page, TT_STYLE_HEADING, "FINDINGS");
	for (unsigned i = 0; i < report->nr_findings && !page->err; i++) {
		char number[16];

		snprintf(number, sizeof(number), "%2u  ", i + 1);
		tt_page_paragraph(page, TT_STYLE_PLAIN, 4, number, report->findings[i].text,
				  report->findings[i].section);
	}
}

/* --- sections --- */

/* A section's first table carries the section's title in its corner, the others their own title above them.
 */
static void put_tables(struct tt_page *page, const struct tt_section *s, bool first_only)
{
	for (unsigned i = 0; i < s->nr_tables && !page->err; i++) {
		const struct tt_table *t = &s->tables[i];

		if (i && first_only)
			return;
		if (!tt_page_table(page, t, i ? NULL : s->title, i ? t->title : NULL) && !i)
			tt_page_line(page, TT_STYLE_HEADING, s->title);
	}
	if (!s->nr_tables)
		tt_page_line(page, TT_STYLE_HEADING, s->title);
}

static void put_notes(struct tt_page *page, const struct tt_section *s)
{
	for (unsigned i = 0; i < s->nr_notes && !page->err; i++)
		tt_page_paragraph(page, TT_STYLE_PLAIN, 2, "* ", s->notes[i].text, NULL);
}

static void put_section(struct tt_page *page, const struct tt_section *s)
{
	fputc('\n', page->out);
	put_tables(page, s, false);
	put_notes(page, s);
	for (unsigned i = 0; i < s->nr_histograms && !page->err; i++) {
		if (s->histograms[i].hist.nr_total)
			fputc('\n', page->out);
		tt_page_histogram(page, &s->histograms[i]);
	}
}

static void put_interval(struct tt_page *page, const struct tt_report *report,
			 const struct tt_report_head *head, bool all_tables)
{
	char time[48], line[96], length[32];

	tt_format_local_time(time, sizeof(time), head->info, head->to_ts_ns);
	format_seconds(length, sizeof(length),
		       head->to_ts_ns > head->from_ts_ns ? head->to_ts_ns - head->from_ts_ns : 0);
	snprintf(line, sizeof(line), "%s   %s", time, length);
	tt_page_line(page, TT_STYLE_PLAIN, line);
	put_losses(page, head->nr_lost);
	for (unsigned i = 0; i < report->nr_sections && !page->err; i++) {
		put_tables(page, &report->sections[i], !all_tables);
		put_notes(page, &report->sections[i]);
	}
	fputc('\n', page->out);
}

int tt_render_text(FILE *out, const struct tt_report *report, const struct tt_report_head *head,
		   const struct tt_render_options *opts)
{
	struct tt_page page = { .out = out,
				.width = opts->width ? opts->width : WIDTH_ENDLESS,
				.unicode = opts->unicode,
				.colour = opts->colour };

	if (report->failed)
		return -ENOMEM;
	if (opts->interval_lines) {
		/* counters have the same few columns every time */
		page.steady_columns = strcmp(head->info->source, "procfs") != 0;
		put_interval(&page, report, head, opts->all_tables);
	} else {
		put_head(&page, report, head, opts->file ? opts->file : head->file);
		put_findings(&page, report);
		for (unsigned i = 0; i < report->nr_sections && !page.err; i++)
			put_section(&page, &report->sections[i]);
	}
	if (!page.err && ferror(out))
		page.err = -EIO;
	return page.err;
}

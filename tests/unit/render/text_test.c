/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sample.h"

#include "collector/base/escape.h"

static char *render(const struct sample *s, struct tt_render_options opts)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	cr_assert_not_null(out);
	cr_assert_eq(tt_render_text(out, &s->report, &s->head, &opts), 0);
	fclose(out);
	return text;
}

static void expect_fits(char *text, unsigned width)
{
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		cr_expect_leq(tt_text_width(line), width, "%zu columns: %s", tt_text_width(line), line);
}

static void expect_golden_text(const char *name, struct tt_render_options opts)
{
	struct sample s;
	char *text;

	sample_open(&s);
	text = render(&s, opts);
	expect_golden(name, text);
	free(text);
	sample_close(&s);
}

Test(text, ascii_in_80_columns)
{
	expect_golden_text("render/text-80.txt", (struct tt_render_options){ .width = 80 });
}

Test(text, unicode_in_120_columns)
{
	expect_golden_text("render/text-120-unicode.txt",
			   (struct tt_render_options){ .width = 120, .unicode = true });
}

Test(text, colour)
{
	expect_golden_text("render/text-80-colour.txt", (struct tt_render_options){ .width = 80, .colour = true });
}

Test(text, interval_lines)
{
	expect_golden_text("render/text-80-interval.txt",
			   (struct tt_render_options){ .width = 80, .interval_lines = true });
}

Test(text, intervals_show_who_only_when_asked)
{
	struct tt_render_options opts = { .width = 80, .interval_lines = true };
	struct sample s;
	char *text;

	sample_open(&s);
	text = render(&s, opts);
	cr_expect(!strstr(text, "who waited longest"), "%s", text);
	free(text);
	opts.all_tables = true;
	text = render(&s, opts);
	cr_expect(strstr(text, "who waited longest"), "%s", text);
	free(text);
	sample_close(&s);
}

Test(text, every_line_fits_the_width)
{
	struct sample s;

	sample_open(&s);
	for (unsigned width = 40; width <= 300; width++) {
		char *text = render(&s, (struct tt_render_options){ .width = width, .unicode = width % 2 });

		expect_fits(text, width);
		free(text);
	}
	sample_close(&s);
}

Test(text, however_narrow_no_number_is_cut)
{
	struct sample s;
	char *text;

	sample_open(&s);
	for (unsigned width = 1; width < 40; width++) {
		text = render(&s, (struct tt_render_options){ .width = width });
		cr_expect(strstr(text, "1234567.89"), "width %u", width);
		cr_expect(strstr(text, "1204331"), "width %u", width);
		free(text);
	}
	sample_close(&s);
}

Test(text, no_width_means_no_splitting)
{
	struct sample s;
	char *text;

	sample_open(&s);
	text = render(&s, (struct tt_render_options){ .width = 0 });
	cr_expect(strstr(text, "mapper-vg_data-lv_postgres_wal_archive_2026"));
	free(text);
	sample_close(&s);
}

Test(text, nothing_that_moves_a_terminal_gets_through)
{
	struct sample s;
	char *text;

	sample_open(&s);
	text = render(&s, (struct tt_render_options){ .width = 100, .file = "odd\033name\n.tt" });
	for (const char *c = text; *c; c++)
		cr_assert((unsigned char)*c >= 0x20 || *c == '\n', "byte %d", *c);
	cr_expect(strstr(text, "odd\\x1bname\\x0a.tt"));
	free(text);
	sample_close(&s);
}

Test(text, a_cut_file_is_said_at_the_top)
{
	struct sample s;
	char *text;

	sample_open(&s);
	s.end.has_summary = false;
	strcpy(s.end.reason, "cut inside a block");
	text = render(&s, (struct tt_render_options){ .width = 80 });
	cr_expect(strstr(text, "WARNING: the recording has no end: cut inside a block (at byte 123,456)"),
		  "%s", text);
	cr_expect_lt(strstr(text, "WARNING"), strstr(text, "FINDINGS"));
	free(text);
	s.end.damaged = true;
	text = render(&s, (struct tt_render_options){ .width = 200 });
	cr_expect(strstr(text, "WARNING: the file is damaged: cut inside a block (at byte 123,456)"), "%s",
		  text);
	free(text);
	sample_close(&s);
}

Test(text, a_part_of_a_session_is_called_one)
{
	struct sample s;
	char *text;

	sample_open(&s);
	s.head.partial = true;
	s.head.from_ts_ns = 7 * S_NS;
	s.head.only = "process 12, disk vda";
	text = render(&s, (struct tt_render_options){ .width = 200 });
	cr_expect(strstr(text, "2026-11-21 22:14:08, of it 2.000 s to 10.000 s"), "%s", text);
	cr_expect(strstr(text, "only: process 12, disk vda"));
	free(text);
	sample_close(&s);
}

Test(text, an_empty_report_is_no_crash)
{
	struct tt_info info = { 0 };
	uint64_t nr_lost[TT_LOSS_NR] = { 0 };
	struct tt_report_head head = { .info = &info, .nr_lost = nr_lost };
	struct sample s = { .head = head };
	char *text = render(&s, (struct tt_render_options){ .width = 80 });

	cr_expect(strstr(text, "0 events, 0 lost"), "%s", text);
	free(text);
}

Test(text, a_report_that_ran_out_of_memory_is_not_printed)
{
	struct tt_report report = { .failed = true };
	struct tt_report_head head = { 0 };
	struct tt_render_options opts = { .width = 80 };

	cr_expect_lt(tt_render_text(stderr, &report, &head, &opts), 0);
	cr_expect_lt(tt_render_json(stderr, &report, &head, true), 0);
}

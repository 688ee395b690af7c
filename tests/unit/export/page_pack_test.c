/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/export/html/pack.h"

#include <errno.h>

#include "replay.h"
#include "unpack.h"

struct packing {
	struct tt_out out;
	int fd;
	struct tt_page_pack *p;
};

static void begin(struct packing *pk)
{
	pk->fd = memfd_create("out", 0);
	cr_assert(eq(int, tt_out_open_fd(pk->fd, &pk->out), 0));
	cr_assert(eq(int, tt_page_pack_open(&pk->out, &pk->p), 0));
}

static struct unpacked end(struct packing *pk)
{
	struct unpacked u;
	char *text;
	size_t len;

	cr_assert(eq(int, tt_page_pack_finish(pk->p), 0));
	tt_page_pack_close(pk->p);
	cr_assert(eq(int, tt_out_finish(&pk->out), 0));
	len = (size_t)lseek(pk->fd, 0, SEEK_END);
	text = malloc(len + 1);
	cr_assert(eq(sz, (size_t)pread(pk->fd, text, len, 0), len));
	tt_out_close(&pk->out);
	close(pk->fd);
	unpack(text, len, &u);
	free(text);
	return u;
}

static void expect_numbers(enum tt_page_coding coding, const uint64_t *numbers, size_t nr)
{
	struct packing pk;
	struct unpacked u;
	uint64_t *back;

	begin(&pk);
	tt_page_pack_column(pk.p, "before", TT_PAGE_UNSIGNED);
	tt_page_pack_number(pk.p, 7);
	tt_page_pack_column(pk.p, "numbers", coding);
	for (size_t i = 0; i < nr; i++)
		tt_page_pack_number(pk.p, numbers[i]);
	tt_page_pack_column(pk.p, "behind", TT_PAGE_DELTA);
	cr_expect(eq(u64, tt_page_pack_nr_clamped(pk.p), 0));
	u = end(&pk);
	back = column_numbers(&u, "numbers");
	cr_assert(eq(sz, column_count(&u, "numbers"), nr));
	for (size_t i = 0; i < nr; i++)
		cr_expect(eq(u64, back[i], numbers[i]), "%zu", i);
	cr_expect(eq(sz, column_count(&u, "behind"), 0));
	cr_expect(eq(u64, column_sum(&u, "before"), 7));
	free(back);
	unpack_free(&u);
}

Test(page_pack, numbers_come_back)
{
	static const uint64_t numbers[] = { 0, 1,	   127,	       128, 16383, 16384, 0, (1ull << 53) - 1,
					    5, 1ull << 32, 1ull << 31, 0 };
	static uint64_t many[300000]; /* several buffers full */
	uint64_t seed = 3;

	for (size_t i = 0; i < sizeof(many) / sizeof(many[0]); i++)
		many[i] = tb_random(&seed) >> (11 + tb_random(&seed) % 53);
	for (enum tt_page_coding coding = TT_PAGE_UNSIGNED; coding <= TT_PAGE_DELTA; coding++) {
		expect_numbers(coding, numbers, sizeof(numbers) / sizeof(numbers[0]));
		expect_numbers(coding, many, sizeof(many) / sizeof(many[0]));
		for (size_t nr = 0; nr < 4; nr++) /* each way for base64 to end */
			expect_numbers(coding, numbers, nr);
	}
}

Test(page_pack, what_javascript_cannot_hold_is_clamped_and_counted)
{
	struct packing pk;
	struct unpacked u;
	uint64_t *back;

	begin(&pk);
	tt_page_pack_column(pk.p, "n", TT_PAGE_DELTA);
	tt_page_pack_number(pk.p, 1ull << 53);
	tt_page_pack_number(pk.p, UINT64_MAX);
	tt_page_pack_number(pk.p, 1);
	cr_expect(eq(u64, tt_page_pack_nr_clamped(pk.p), 2));
	u = end(&pk);
	back = column_numbers(&u, "n");
	cr_expect(eq(u64, back[0], (1ull << 53) - 1));
	cr_expect(eq(u64, back[1], (1ull << 53) - 1));
	cr_expect(eq(u64, back[2], 1));
	free(back);
	unpack_free(&u);
}

Test(page_pack, texts_are_text_whatever_they_hold)
{
	static char long_name[10000];
	struct packing pk;
	struct unpacked u;

	begin(&pk);
	memset(long_name, 'x', sizeof(long_name) - 1);
	tt_page_pack_column(pk.p, "t", TT_PAGE_TEXTS);
	tt_page_pack_raw(pk.p, "</script><b>");
	tt_page_pack_raw(pk.p, "");
	tt_page_pack_raw(pk.p, "\x1b[31m\xff\n");
	tt_page_pack_raw(pk.p, long_name);
	tt_page_pack_whole_text(pk.p, "w", "{}", 2);
	u = end(&pk);
	cr_expect(eq(sz, column_count(&u, "t"), 4));
	cr_expect(eq(str, (char *)column_text(&u, "t", 0), "</script><b>"));
	cr_expect(eq(str, (char *)column_text(&u, "t", 1), ""));
	cr_expect(eq(str, (char *)column_text(&u, "t", 2), "\\x1b[31m\\xff\\x0a"));
	cr_expect(eq(sz, strlen(column_text(&u, "t", 3)), 4095), "cut");
	cr_expect(eq(str, (char *)column_text(&u, "w", 0), "{}"));
	unpack_free(&u);
}

Test(page_pack, nothing_is_something)
{
	struct packing pk;
	struct unpacked u;

	begin(&pk);
	u = end(&pk);

	cr_expect(eq(sz, json_object_size(u.index), 0));
	unpack_free(&u);
}

/* A mistake of ours, but not one that writes beyond a table. */
Test(page_pack, too_many_columns_fail)
{
	struct packing pk;

	begin(&pk);
	for (unsigned i = 0; i < 200; i++) {
		tt_page_pack_column(pk.p, "c", TT_PAGE_UNSIGNED);
		tt_page_pack_number(pk.p, i);
	}
	cr_expect(eq(int, tt_page_pack_finish(pk.p), -E2BIG));
	tt_page_pack_close(pk.p);
	tt_out_close(&pk.out);
	close(pk.fd);
}

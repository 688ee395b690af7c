/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/symbol/answer.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <string.h>

static _Alignas(8) char bytes[TT_ANSWER_BYTES_MAX];
static struct tt_answer back;

Test(answer, what_is_encoded_is_decoded)
{
	const struct tt_answer answer = {
		.has_address = true,
		.address = 0x1234,
		.nr_frames = 2,
		.frames = { { .name = { "inner", 5 },
			      .file = { "a.c", 3 },
			      .offset = 1,
			      .line = 7,
			      .is_cut = true },
			    { .name = { "outer", 5 }, .offset = 99 } },
	};
	size_t len = tt_answer_encode(&answer, bytes);

	cr_expect(eq(sz, len % 8, 0));
	cr_assert(eq(long, tt_answer_decode(bytes, sizeof(bytes), &back), (long)len));
	cr_expect(back.has_address);
	cr_expect(eq(u64, back.address, 0x1234));
	cr_expect(eq(uint, back.nr_frames, 2));
	cr_expect(tt_slice_is(back.frames[0].name, "inner"));
	cr_expect(tt_slice_is(back.frames[0].file, "a.c"));
	cr_expect(eq(u32, back.frames[0].line, 7));
	cr_expect(back.frames[0].is_cut);
	cr_expect(tt_slice_is(back.frames[1].name, "outer"));
	cr_expect(eq(sz, back.frames[1].file.len, 0));
	cr_expect(eq(u64, back.frames[1].offset, 99));
	for (size_t cut = 0; cut < len; cut++)
		cr_expect(eq(long, tt_answer_decode(bytes, cut, &back), -EBADMSG), "%zu", cut);
}

Test(answer, the_largest_fits)
{
	static char name[TT_NAME_BYTES_MAX];
	struct tt_answer answer = { .nr_frames = TT_ANSWER_FRAMES_MAX };

	for (unsigned i = 0; i < TT_ANSWER_FRAMES_MAX; i++) {
		answer.frames[i].name = (struct tt_slice){ name, sizeof(name) };
		answer.frames[i].file = (struct tt_slice){ name, sizeof(name) - 1 };
	}
	cr_assert(le(sz, tt_answer_encode(&answer, bytes), sizeof(bytes)));
	cr_expect(gt(long, tt_answer_decode(bytes, sizeof(bytes), &back), 0));
}

Test(answer, lies_are_refused)
{
	const struct tt_answer answer = { .nr_frames = 1, .frames = { { .name = { "name", 4 } } } };
	size_t len = tt_answer_encode(&answer, bytes);
	static const struct {
		size_t at;
		uint16_t value;
	} lies[] = { { 0, 0 }, { 0, 8 },      { 0, 17 }, { 0, 0xfff0 },	 { 4, 2 },
		     { 4, 0 }, { 4, 0xffff }, { 28, 9 }, { 28, 0xffff }, { 30, 1001 } };

	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		char lying[256];
		_Alignas(8) char copy[256];

		memcpy(lying, bytes, len);
		memcpy(lying + lies[i].at, &lies[i].value, 2);
		memcpy(copy, lying, len);
		cr_expect(eq(long, tt_answer_decode(copy, len, &back), -EBADMSG), "lie %zu", i);
	}
}

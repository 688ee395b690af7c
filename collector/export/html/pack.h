/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pack - the data of the page: named columns of numbers and texts, deflated, as base64.
 *
 * FORMAT.md tells what is in it, and how it is read. The bytes before deflate (zlib format):
 *
 *   the columns, one after the other | index: JSON {"NAME": [coding, offset, bytes, count], ...} | u32 LE bytes of the index
 *
 *   TT_PAGE_UNSIGNED  each number as LEB128: 7 bits a byte, lowest first, bit 7 = more follows
 *   TT_PAGE_DELTA     the difference to the one before (the first: to 0), zigzag, LEB128
 *   TT_PAGE_TEXTS     each text, then NUL
 *
 * JavaScript's numbers hold integers up to TT_PAGE_NUMBER_MAX: larger ones become that, and are counted. Nothing fails on the spot, as of tt_out:
 * tt_page_pack_finish tells.
 */
#pragma once

#include "collector/export/out.h"

enum tt_page_coding { TT_PAGE_UNSIGNED, TT_PAGE_DELTA, TT_PAGE_TEXTS };

#define TT_PAGE_NUMBER_MAX ((1ull << 53) - 1)

struct tt_page_pack;

int tt_page_pack_open(struct tt_out *out, struct tt_page_pack **ret_p); /* -ENOMEM */
void tt_page_pack_close(struct tt_page_pack *p);

/* name is static, and safe in JSON; a column ends where the next one begins. */
void tt_page_pack_column(struct tt_page_pack *p, const char *name, enum tt_page_coding coding);
void tt_page_pack_number(struct tt_page_pack *p, uint64_t value);
/* UTF-8 without NUL. */
void tt_page_pack_text(struct tt_page_pack *p, const char *text, size_t len);
/* Any bytes, made safe to print (base/escape.h). */
void tt_page_pack_raw(struct tt_page_pack *p, const char *raw);
/* A column that is one text. */
void tt_page_pack_whole_text(struct tt_page_pack *p, const char *name, const char *text, size_t len);

uint64_t tt_page_pack_nr_clamped(const struct tt_page_pack *p);
/* The index, and all of it out. 0 or -ENOMEM; errors of out are out's. */
int tt_page_pack_finish(struct tt_page_pack *p);

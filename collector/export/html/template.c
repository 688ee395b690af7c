/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/export/html/page.h"

#include <string.h>

extern const char tt_page_template_begin[], tt_page_template_end[]; /* embed.S */

bool tt_page_template(struct tt_page_part *ret_head, struct tt_page_part *ret_tail)
{
	static const char mark[] = "TIMETHIEF_DATA";
	size_t len = (size_t)(tt_page_template_end - tt_page_template_begin);
	const char *at = len ? memmem(tt_page_template_begin, len, mark, strlen(mark)) : NULL;

	if (!at)
		return false;
	*ret_head = (struct tt_page_part){ tt_page_template_begin, (size_t)(at - tt_page_template_begin) };
	at += strlen(mark);
	*ret_tail = (struct tt_page_part){ at, (size_t)(tt_page_template_end - at) };
	return true;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* golden - for tests: text against a file under tests/golden. */
#pragma once

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

/* Compares text with tests/golden/NAME; writes it there when TT_GOLDEN_WRITE is set. */
static inline void expect_golden(const char *name, const char *text)
{
	const char *write = getenv("TT_GOLDEN_WRITE");
	static char expected[4 << 20];
	char path[256];
	size_t len;
	FILE *f;

	snprintf(path, sizeof(path), "tests/golden/%s", name);
	f = fopen(path, write && write[0] ? "w" : "r");
	cr_assert_not_null(f, "cannot open %s (run from the root of the source tree)", path);
	if (write && write[0]) {
		fputs(text, f);
		fclose(f);
		return;
	}
	len = fread(expected, 1, sizeof(expected) - 1, f);
	expected[len] = '\0';
	fclose(f);
	cr_expect_str_eq(text, expected, "differs from %s (TT_GOLDEN_WRITE=1 rewrites it); now:\n%s", path, text);
}

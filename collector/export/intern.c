/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/export/intern.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

struct tt_intern {
	char *bytes;
	size_t nr_bytes, nr_bytes_max;
	uint32_t *starts; /* by number */
	uint32_t *cells;  /* number + 1, at most half of them used */
	uint64_t mask;
	uint32_t nr, max;
};

int tt_intern_open(uint32_t max, size_t nr_bytes, struct tt_intern **ret_n)
{
	struct tt_intern *n = calloc(1, sizeof(*n));
	uint64_t nr_cells = 4;

	if (!n)
		return -ENOMEM;
	while (nr_cells < 2 * (uint64_t)max)
		nr_cells *= 2;
	n->max = max;
	n->mask = nr_cells - 1;
	n->nr_bytes_max = nr_bytes;
	n->bytes = calloc(nr_bytes, 1);
	n->starts = calloc(max, sizeof(*n->starts));
	n->cells = calloc(nr_cells, sizeof(*n->cells));
	if (!n->bytes || !n->starts || !n->cells) {
		tt_intern_close(n);
		return -ENOMEM;
	}
	*ret_n = n;
	return 0;
}

void tt_intern_close(struct tt_intern *n)
{
	if (!n)
		return;
	free(n->bytes);
	free(n->starts);
	free(n->cells);
	free(n);
}

uint32_t tt_intern_get(struct tt_intern *n, const char *text)
{
	size_t len = strlen(text);
	uint64_t i = XXH64(text, len, 0) & n->mask;

	while (n->cells[i] && strcmp(n->bytes + n->starts[n->cells[i] - 1], text))
		i = (i + 1) & n->mask;
	if (n->cells[i])
		return n->cells[i] - 1;
	if (n->nr == n->max || len >= n->nr_bytes_max - n->nr_bytes)
		return TT_INTERN_NONE;
	memcpy(n->bytes + n->nr_bytes, text, len + 1);
	n->starts[n->nr] = (uint32_t)n->nr_bytes;
	n->nr_bytes += len + 1;
	n->cells[i] = ++n->nr;
	return n->nr - 1;
}

const char *tt_intern_text(const struct tt_intern *n, uint32_t id)
{
	return n->bytes + n->starts[id];
}

uint32_t tt_intern_nr(const struct tt_intern *n)
{
	return n->nr;
}

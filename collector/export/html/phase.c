/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/export/html/phase.h"

#include <errno.h>
#include <stdlib.h>

enum { NR_COLUMNS_MAX = 4096 };
#define SECOND_NS 1000000000ull
#define ROW_NS	  (SECOND_NS / TT_PAGE_PHASE_ROWS)

struct tt_page_phase {
	uint64_t origin_ts_ns;
	unsigned shift; /* a column is so many seconds: 1 << shift */
	uint32_t nr;	/* columns in use */
	uint64_t *values[TT_PAGE_PHASE_NR];
};

int tt_page_phase_open(uint64_t origin_ts_ns, struct tt_page_phase **ret_p)
{
	struct tt_page_phase *p = calloc(1, sizeof(*p));

	if (!p)
		return -ENOMEM;
	p->origin_ts_ns = origin_ts_ns;
	for (unsigned kind = 0; kind < TT_PAGE_PHASE_NR; kind++) {
		p->values[kind] = calloc((size_t)NR_COLUMNS_MAX * TT_PAGE_PHASE_ROWS, sizeof(uint64_t));
		if (!p->values[kind]) {
			tt_page_phase_close(p);
			return -ENOMEM;
		}
	}
	*ret_p = p;
	return 0;
}

void tt_page_phase_close(struct tt_page_phase *p)
{
	if (!p)
		return;
	for (unsigned kind = 0; kind < TT_PAGE_PHASE_NR; kind++)
		free(p->values[kind]);
	free(p);
}

static void merge_columns(struct tt_page_phase *p)
{
	p->nr = (p->nr + 1) / 2;
	p->shift++;
	for (unsigned kind = 0; kind < TT_PAGE_PHASE_NR; kind++) {
		uint64_t *values = p->values[kind];

		for (uint32_t i = 0; i < NR_COLUMNS_MAX * TT_PAGE_PHASE_ROWS; i++) {
			uint32_t column = 2 * (i / TT_PAGE_PHASE_ROWS), row = i % TT_PAGE_PHASE_ROWS;

			values[i] = column < NR_COLUMNS_MAX
					    ? values[column * TT_PAGE_PHASE_ROWS + row] +
						      values[(column + 1) * TT_PAGE_PHASE_ROWS + row]
					    : 0;
		}
	}
}

/* From the start of a second on: as many whole seconds as there are, of one column. A span is as long as the bytes of a session like. */
static uint64_t add_seconds(struct tt_page_phase *p, enum tt_page_phase_kind kind, uint64_t from_ns,
			    uint64_t to_ns)
{
	uint64_t second = from_ns / SECOND_NS, column = second >> p->shift, nr = to_ns / SECOND_NS - second;

	if (nr > ((column + 1) << p->shift) - second)
		nr = ((column + 1) << p->shift) - second;
	for (unsigned row = 0; row < TT_PAGE_PHASE_ROWS; row++)
		p->values[kind][column * TT_PAGE_PHASE_ROWS + row] += nr * ROW_NS;
	return from_ns + nr * SECOND_NS;
}

static uint64_t add_part(struct tt_page_phase *p, enum tt_page_phase_kind kind, uint64_t from_ns,
			 uint64_t to_ns)
{
	uint64_t column = from_ns / SECOND_NS >> p->shift, row = from_ns % SECOND_NS / ROW_NS;
	uint64_t end_ns = (from_ns / ROW_NS + 1) * ROW_NS;

	if (end_ns > to_ns)
		end_ns = to_ns;
	p->values[kind][column * TT_PAGE_PHASE_ROWS + row] += end_ns - from_ns;
	return end_ns;
}

void tt_page_phase_span(struct tt_page_phase *p, enum tt_page_phase_kind kind, uint64_t from_ts_ns,
			uint64_t to_ts_ns)
{
	uint64_t from_ns, to_ns;

	if (from_ts_ns < p->origin_ts_ns)
		from_ts_ns = p->origin_ts_ns;
	if (from_ts_ns >= to_ts_ns)
		return;
	from_ns = from_ts_ns - p->origin_ts_ns;
	to_ns = to_ts_ns - p->origin_ts_ns;
	while ((to_ns - 1) / SECOND_NS >> p->shift >= NR_COLUMNS_MAX)
		merge_columns(p);
	if ((to_ns - 1) / SECOND_NS >> p->shift >= p->nr)
		p->nr = (uint32_t)((to_ns - 1) / SECOND_NS >> p->shift) + 1;
	while (from_ns < to_ns)
		from_ns = from_ns % SECOND_NS || to_ns - from_ns < SECOND_NS
				  ? add_part(p, kind, from_ns, to_ns)
				  : add_seconds(p, kind, from_ns, to_ns);
}

uint32_t tt_page_phase_nr(const struct tt_page_phase *p)
{
	return p->nr;
}

uint64_t tt_page_phase_get(const struct tt_page_phase *p, enum tt_page_phase_kind kind, uint32_t i)
{
	return p->values[kind][i];
}

void tt_page_phase_put(const struct tt_page_phase *p, struct tt_page_pack *pack)
{
	static const char *const names[] = { "phase.stolen", "phase.waiting", "phase.running" };

	for (unsigned kind = 0; kind < TT_PAGE_PHASE_NR; kind++) {
		tt_page_pack_column(pack, names[kind], TT_PAGE_UNSIGNED);
		for (uint32_t i = 0; i < p->nr * TT_PAGE_PHASE_ROWS; i++)
			tt_page_pack_number(pack, p->values[kind][i]);
	}
}

unsigned tt_page_phase_seconds(const struct tt_page_phase *p)
{
	return 1u << p->shift;
}

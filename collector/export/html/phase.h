/* SPDX-License-Identifier: GPL-2.0-or-later */
/* phase - the same part of each second, beside each other: what comes back at a period shows as a pattern (a subsecond-offset heat map).
 *
 * Second n since origin is a column, 1/64 s a row. When the columns are used up (after an hour), 2, 4, ... seconds share one.
 */
#pragma once

#include "collector/export/html/pack.h"

enum tt_page_phase_kind {
	TT_PAGE_PHASE_STOLEN,
	TT_PAGE_PHASE_WAITING,
	TT_PAGE_PHASE_RUNNING,
	TT_PAGE_PHASE_NR
};
enum { TT_PAGE_PHASE_ROWS = 64 };

struct tt_page_phase;

int tt_page_phase_open(uint64_t origin_ts_ns, struct tt_page_phase **ret_p); /* -ENOMEM */
void tt_page_phase_close(struct tt_page_phase *p);
void tt_page_phase_span(struct tt_page_phase *p, enum tt_page_phase_kind kind, uint64_t from_ts_ns,
			uint64_t to_ts_ns);
uint32_t tt_page_phase_nr(const struct tt_page_phase *p); /* columns in use */
uint64_t tt_page_phase_get(const struct tt_page_phase *p, enum tt_page_phase_kind kind,
			   uint32_t i); /* column by column */
/* Columns "phase.stolen", "phase.waiting", "phase.running": ns, column by column. */
void tt_page_phase_put(const struct tt_page_phase *p, struct tt_page_pack *pack);
unsigned tt_page_phase_seconds(const struct tt_page_phase *p); /* that a column stands for */

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bins - rows of numbers over time, all on one grid: what is drawn along the time of a session.
 *
 * The grid begins at origin; a bin is 1/512 s wide, or 2, 4, 8, ... times that. When time goes beyond the last bin there is room for, or
 * more rows come than fit, pairs of bins are merged: sums stay exact, to the nanosecond. An event at ts_ns is in the bin that ends at or
 * after it, as intervals are (from, to]. What lies before origin is cut off.
 * Bound: nr_cells_max numbers in all rows together, 16 bytes each, touched as they fill.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { TT_PAGE_BIN_NS = 1000000000 / 512, TT_PAGE_ROW_NONE = -1 };

struct tt_page_bins;

int tt_page_bins_open(uint64_t origin_ts_ns, uint32_t nr_cells_max,
		      struct tt_page_bins **ret_b); /* -ENOMEM */
void tt_page_bins_close(struct tt_page_bins *b);

/* A new row of sums, or of maxima. TT_PAGE_ROW_NONE: there are too many, or no memory; nothing is counted there. */
int tt_page_bins_row(struct tt_page_bins *b, bool is_max);
uint64_t tt_page_bins_nr_refused(const struct tt_page_bins *b); /* such rows */
/* How long of (from, to] each bin is. */
void tt_page_bins_span(struct tt_page_bins *b, int row, uint64_t from_ts_ns, uint64_t to_ts_ns);
/* An amount at a moment; of a row of maxima, a value. */
void tt_page_bins_add(struct tt_page_bins *b, int row, uint64_t ts_ns, uint64_t amount);
/* An amount spread evenly over (from, to]. */
void tt_page_bins_spread(struct tt_page_bins *b, int row, uint64_t from_ts_ns, uint64_t to_ts_ns,
			 uint64_t amount);

/* No more is added: the values can be looked at. */
void tt_page_bins_finish(struct tt_page_bins *b);
uint64_t tt_page_bins_width_ns(const struct tt_page_bins *b);
uint32_t tt_page_bins_nr(const struct tt_page_bins *b); /* bins up to the last one that something is in */
uint64_t tt_page_bins_get(const struct tt_page_bins *b, int row, uint32_t bin);

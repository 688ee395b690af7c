/* SPDX-License-Identifier: GPL-2.0-or-later */
/* page - private to the exporter html: everything that is collected for the page, and the template that it goes into. */
#pragma once

#include "collector/export/exporter.h"
#include "collector/export/html/events.h"
#include "collector/export/html/pairs.h"
#include "collector/export/html/profile.h"
#include "collector/export/html/sums.h"
#include "collector/export/html/timeline.h"

enum { TT_PAGE_LOSSES_MAX = 256 };

struct tt_page_loss {
	uint64_t since_ts_ns, ts_ns, count;
	uint32_t what; /* enum tt_loss_what */
	uint32_t cpu;
};

struct tt_page {
	struct tt_export_context ctx;
	uint64_t origin_ts_ns; /* the page's time 0 */
	struct tt_page_cells *cells;
	struct tt_page_devices devices;
	struct tt_page_parties *parties;
	struct tt_page_cgroups *cgroups;
	struct tt_page_timeline *timeline;
	struct tt_page_sums sums;
	struct tt_page_pairs *pairs;
	struct tt_page_events *events;
	struct tt_fold *fold;
	bool has_stacks;
	struct tt_page_loss losses[TT_PAGE_LOSSES_MAX];
	unsigned nr_losses;
	uint64_t nr_losses_left_out;
};

struct tt_page_part {
	const char *text;
	size_t len;
};
/* The built page without its data, cut where the data goes. False: this build has none. */
bool tt_page_template(struct tt_page_part *ret_head, struct tt_page_part *ret_tail);

/* What the page is told about itself, as JSON (page/ reads it); the caller's to free. NULL: no memory. */
char *tt_page_meta(const struct tt_page *page, const struct tt_export_end *end,
		   const struct tt_page_profile *profile);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* baseline - another session that an export is compared with: its stacks with their sums, and what it is. */
#pragma once

#include "collector/export/exporter.h"
#include "collector/export/html/profile.h"

struct tt_export_baseline {
	const char *file;
	struct tt_info info;
	struct tt_interval interval;
	uint64_t nr_lost[TT_LOSS_NR];
	struct tt_fold *fold;
	struct tt_page_profile profile;
};

/* file is borrowed. -ENOMEM */
int tt_baseline_open(const char *file, struct tt_export_baseline **ret_b);
void tt_baseline_close(struct tt_export_baseline *b);
void tt_baseline_hit(struct tt_export_baseline *b, const struct tt_hit *hit);
/* At the end of that session, while its stacks are there. -ENOMEM */
int tt_baseline_finish(struct tt_export_baseline *b, const struct tt_info *info,
		       const struct tt_stacks *stacks, const struct tt_interval *interval,
		       const uint64_t nr_lost[TT_LOSS_NR]);

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/export/html/baseline.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int tt_baseline_open(const char *file, struct tt_export_baseline **ret_b)
{
	struct tt_export_baseline *b = calloc(1, sizeof(*b));

	if (!b || tt_fold_open(TT_FOLD_BY_NAME, &b->fold)) {
		free(b);
		return -ENOMEM;
	}
	b->file = file;
	*ret_b = b;
	return 0;
}

void tt_baseline_close(struct tt_export_baseline *b)
{
	if (!b)
		return;
	tt_page_profile_close(&b->profile);
	tt_fold_close(b->fold);
	free(b);
}

void tt_baseline_hit(struct tt_export_baseline *b, const struct tt_hit *hit)
{
	tt_fold_add(b->fold, hit);
}

int tt_baseline_finish(struct tt_export_baseline *b, const struct tt_info *info,
		       const struct tt_stacks *stacks, const struct tt_interval *interval,
		       const uint64_t nr_lost[TT_LOSS_NR])
{
	b->info = *info;
	b->interval = *interval;
	memcpy(b->nr_lost, nr_lost, sizeof(b->nr_lost));
	return tt_page_profile_make(b->fold, stacks, &b->profile);
}

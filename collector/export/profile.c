/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/export/profile.h"

#include <errno.h>
#include <stdlib.h>

int tt_profile_open(const struct tt_export_context *ctx, void **ret_state)
{
	struct tt_profile *p = calloc(1, sizeof(*p));

	if (!p || tt_fold_open(TT_FOLD_BY_NAME, &p->fold)) {
		free(p);
		return -ENOMEM;
	}
	p->ctx = *ctx;
	*ret_state = p;
	return 0;
}

int tt_profile_hit(void *state, const struct tt_hit *hit)
{
	tt_fold_add(((struct tt_profile *)state)->fold, hit);
	return 0;
}

void tt_profile_close(void *state)
{
	struct tt_profile *p = state;

	if (!p)
		return;
	tt_fold_close(p->fold);
	free(p);
}

int tt_profile_tree(struct tt_profile *p, const struct tt_tree_options *opts, struct tt_export_end *end,
		    struct tt_tree **ret_t)
{
	int err = tt_tree_make(p->fold, p->ctx.stacks, opts, ret_t);

	if (!err)
		end->nr_merged = tt_fold_nr_merged(p->fold) + tt_tree_nr_cut(*ret_t);
	return err;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* view_options - how report and live are asked to look at things: --by --classic --json --top; and the
 * filters of options.h made into a view. */
#pragma once

#include "collector/aggregate/aggregator.h"
#include "collector/cmd/options.h"
#include "collector/render/render.h"

struct tt_view_options {
	enum tt_by by;
	bool classic, json;
	unsigned nr_top;
};

extern const struct argp tt_argp_view; /* its input is a struct tt_view_options */

/* Everything that a view points to, so that it lives as long as this. */
struct tt_view_filters {
	struct tt_view view;
	struct tt_common_options common; /* filters asked for, else the recording's own */
	char only[700];			 /* them in words; "" = none */
};

/* info may be NULL: no defaults. */
void tt_view_fill(struct tt_view_filters *f, const struct tt_view_options *opts,
		  const struct tt_common_options *common, const struct tt_info *info);
/* Width, colour and characters for stdout as it is now. */
void tt_render_options_fill(struct tt_render_options *render);
/* Flushes stdout. err is what rendering said, or 0. A reader that left (EPIPE) is no failure: returns -EPIPE
 * and says nothing; logs what else goes wrong. */
int tt_finish_stdout(int err);

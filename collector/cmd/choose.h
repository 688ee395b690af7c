/* SPDX-License-Identifier: GPL-2.0-or-later */
/* choose - opens the source that the user asked for, or with "auto" the first one that opens. */
#pragma once

#include "collector/cmd/options.h"
#include "collector/source/source.h"

/* Fills info->source, and info->source_reason when a better source could not be opened, which is also said on
 * stderr in one line. Logs its failure; a negative errno. A hook that does not exist ends the program:
 * status 2. */
int tt_choose_source(const char *name, const struct tt_source_options *opts, struct tt_info *info,
		     const struct tt_sink *sink, struct tt_source **ret_src);

/* What the common options say about a source. */
void tt_source_options_fill(struct tt_source_options *opts, const struct tt_common_options *common,
			    uint32_t device);

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/aggregate/aggregator.h"

#include <string.h>

const struct tt_aggregator *const tt_aggregators[] = {
#define TT_AGGREGATOR(name) &tt_aggregator_##name,
#include "collector/aggregate/aggregators.def"
#undef TT_AGGREGATOR
	NULL,
};

const struct tt_aggregator *tt_aggregator_find(const char *name)
{
	for (unsigned i = 0; tt_aggregators[i]; i++) {
		if (!strcmp(tt_aggregators[i]->name, name))
			return tt_aggregators[i];
	}
	return NULL;
}

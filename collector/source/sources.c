/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/source/source.h"

#include <string.h>

static const struct tt_source_ops *const sources[] = {
#define TT_SOURCE(name) &tt_source_##name,
#include "collector/source/sources.def"
#undef TT_SOURCE
};

const struct tt_source_ops *tt_source_find(const char *name)
{
	for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++)
		if (!strcmp(sources[i]->name, name))
			return sources[i];
	return NULL;
}

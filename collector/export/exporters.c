/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/export/exporter.h"

#include <stddef.h>

const struct tt_exporter *const tt_exporters[] = {
#define TT_EXPORTER(name) &tt_exporter_##name,
#include "collector/export/exporters.def"
#undef TT_EXPORTER
	NULL,
};

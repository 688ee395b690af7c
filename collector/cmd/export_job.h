/* SPDX-License-Identifier: GPL-2.0-or-later */
/* export_job - a session through one exporter: for export, and for report --html. */
#pragma once

#include "collector/cmd/options.h"
#include "collector/cmd/replay.h"
#include "collector/cmd/view_options.h"
#include "collector/export/exporter.h"

struct tt_export_job {
	const struct tt_common_options *common; /* filters */
	const struct tt_range_options *range;
	const struct tt_view_options *view; /* NULL = the default; of the report, for who needs_report */
	const struct tt_exporter *exporter;
	const char *file;
	const char *output;   /* "-" = stdout */
	const char *baseline; /* a session to compare with, all of it; NULL = none */
	unsigned causes;      /* bits of enum tt_cause */
};

/* 0, or an error that has been logged; -EPIPE: nobody wants more, which is no failure. */
int tt_export_run(const struct tt_export_job *job);

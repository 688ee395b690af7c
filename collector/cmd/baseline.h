/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "collector/cmd/export_job.h"

/* All of job->baseline, with the filters and causes of the job. Logs. */
int tt_baseline_read(const struct tt_export_job *job, struct tt_export_baseline **ret_b);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* gzip - bytes compressed into an output, as they come. */
#pragma once

#include "collector/export/out.h"

struct tt_gzip;

/* out outlives it. -ENOMEM. */
int tt_gzip_open(struct tt_out *out, struct tt_gzip **ret_gz);
void tt_gzip_close(struct tt_gzip *gz);
void tt_gzip_bytes(struct tt_gzip *gz, const void *data, size_t len);
void tt_gzip_finish(struct tt_gzip *gz); /* what is held back, and the end */

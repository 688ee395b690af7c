/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "collector/export/out.h"

/* JSON Schema, draft 7. -ENOMEM. */
int tt_nd_put_schema(struct tt_out *out);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fetcher - debug files from the servers in DEBUGINFOD_URLS, by build id.
 *
 * By libdebuginfod, which is looked for when the first file is wanted. It runs in a process of its own, without capabilities, that gets
 * nothing but build ids, so that a server that hangs can be given up. What it fetches it keeps where it always does
 * (DEBUGINFOD_CACHE_PATH, or below HOME).
 */
#pragma once

#include <stdbool.h>

#include "collector/symbol/dso.h"

struct tt_fetcher;

int tt_fetcher_open(struct tt_fetcher **ret);
void tt_fetcher_close(struct tt_fetcher *f); /* NULL is fine */

/* Asked several times a second while it waits; true = give up. */
typedef bool (*tt_fetcher_stop_fn)(void *ctx);
/* A descriptor, -ENOENT (nobody has it), -ECANCELED, or why nothing is to be had at all; then it is not asked again. */
int tt_fetcher_get(struct tt_fetcher *f, const struct tt_build_id *build_id, tt_fetcher_stop_fn stop,
		   void *ctx);

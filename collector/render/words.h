/* SPDX-License-Identifier: GPL-2.0-or-later */
/* words - what text and JSON call the same things. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "collector/session/info.h"

/* enum tt_loss_what: "switches" (key of JSON), "switches shed" (for people). NULL for an unknown one. */
const char *tt_loss_key(unsigned what);
const char *tt_loss_words(unsigned what);
/* All that was lost, "3 switches shed, 1 names cut"; "" = nothing. Returns buf; TT_LOSS_LIST_MAX bytes always fit. */
enum { TT_LOSS_LIST_MAX = 64 * TT_LOSS_NR };
char *tt_loss_list(char *buf, size_t size, const uint64_t *nr_lost);
/* Events that happened and are not in the file. The other kinds of loss are flaws of events that are. */
uint64_t tt_loss_shed(const uint64_t *nr_lost);

/* Local time of the recording machine, whatever the time zone here: "2026-11-21 22:14:03", or with
 * milliseconds and offset as ISO 8601: "2026-11-21T22:14:03.123+02:00". Returns buf (48 bytes always fit). */
char *tt_format_local_time(char *buf, size_t size, const struct tt_info *info, uint64_t ts_ns);
char *tt_format_iso_time(char *buf, size_t size, const struct tt_info *info, uint64_t ts_ns);

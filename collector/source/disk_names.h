/* SPDX-License-Identifier: GPL-2.0-or-later */
/* disk_names - which devices turn up in a source's batches and have not been described yet.
 *
 * Plain value, about 150 KiB: zero it to initialise, nothing to free. Bounded: of more than
 * TT_DISK_NAMES_FRESH_MAX new ones between two calls of tt_disk_names_describe the rest is noted when it
 * turns up again.
 */
#pragma once

#include <stdint.h>

#include "collector/source/proc_snapshot.h"
#include "collector/source/source.h"

enum { TT_DISK_NAMES_FRESH_MAX = 64 };

struct tt_disk_names {
	struct tt_proc_known_disks known;
	uint32_t fresh[TT_DISK_NAMES_FRESH_MAX]; /* not yet described */
	unsigned nr_fresh;
};

void tt_disk_names_note(struct tt_disk_names *names, uint32_t dev);
/* Of every disk record in a well-formed batch. */
void tt_disk_names_note_batch(struct tt_disk_names *names, const struct tt_batch *batch);
/* Gives TT_EV_DEVICE of what is new to the sink, as of ts_ns: the end of the epoch that first saw them, so a
 * report of that epoch has their names. 0 or the sink's error. */
int tt_disk_names_describe(struct tt_disk_names *names, const char *root, const struct tt_sink *sink,
			   uint64_t ts_ns);

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/source/disk_names.h"

#include <errno.h>

void tt_disk_names_note(struct tt_disk_names *names, uint32_t dev)
{
	if (!dev)
		return;
	for (unsigned i = 0; i < names->known.nr; i++)
		if (names->known.disks[i].dev == dev)
			return;
	for (unsigned i = 0; i < names->nr_fresh; i++)
		if (names->fresh[i] == dev)
			return;
	if (names->nr_fresh < TT_DISK_NAMES_FRESH_MAX)
		names->fresh[names->nr_fresh++] = dev;
}

void tt_disk_names_note_batch(struct tt_disk_names *names, const struct tt_batch *batch)
{
	const char *at = (const char *)(batch + 1), *end = (const char *)batch + batch->size;

	if (batch->stream != TT_STREAM_RECORDS)
		return;
	while (at + sizeof(struct tt_record) <= end) {
		const struct tt_record *rec = (const void *)at;

		if (rec->size < sizeof(*rec) || rec->size > end - at)
			return;
		if (rec->kind == TT_EV_DISK && rec->size >= sizeof(struct tt_disk))
			tt_disk_names_note(names, ((const struct tt_disk *)rec)->dev);
		at += rec->size;
	}
}

int tt_disk_names_describe(struct tt_disk_names *names, const char *root, const struct tt_sink *sink,
			   uint64_t ts_ns)
{
	for (unsigned i = 0; i < names->nr_fresh; i++) {
		int err = tt_proc_emit_device(root, sink, names->fresh[i], ts_ns);

		if (err && err != -ENOENT)
			return err;
		/* also one that is gone already is asked for only once */
		if (names->known.nr < TT_PROC_DISKS_MAX)
			names->known.disks[names->known.nr++].dev = names->fresh[i];
	}
	names->nr_fresh = 0;
	return 0;
}

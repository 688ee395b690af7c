/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/render/words.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static const struct {
	const char *key, *words;
} losses[TT_LOSS_NR] = {
	[TT_LOSS_SWITCHES] = { "switches", "switches shed" },
	[TT_LOSS_RECORDS] = { "records", "records shed" },
	[TT_LOSS_TASK_STATE] = { "task_state", "waits of tasks without state" },
	[TT_LOSS_REQUEST_STATE] = { "request_state", "requests without state" },
	[TT_LOSS_NESTED] = { "nested", "nested probes" },
	[TT_LOSS_UNSEEN] = { "unseen", "switches unseen" },
	[TT_LOSS_NAMES] = { "names", "names cut" },
	[TT_LOSS_JUMP] = { "steal_jumps", "steal clock jumps" },
	[TT_LOSS_PACKETS] = { "packets", "packets missing" },
	[TT_LOSS_STACKS] = { "stacks", "stacks shed" },
	[TT_LOSS_STACK_MISSED] = { "stack_missed", "stacks not to be had" },
	[TT_LOSS_STACK_CUT] = { "stack_cut", "stacks cut at their depth" },
	[TT_LOSS_MAPPINGS] = { "mappings", "file mappings missed" },
	[TT_LOSS_COPIES] = { "copies", "user stacks by frame pointers after all" },
};

const char *tt_loss_key(unsigned what)
{
	return what < TT_LOSS_NR ? losses[what].key : NULL;
}

const char *tt_loss_words(unsigned what)
{
	return what < TT_LOSS_NR ? losses[what].words : NULL;
}

char *tt_loss_list(char *buf, size_t size, const uint64_t *nr_lost)
{
	size_t len = 0;

	buf[0] = '\0';
	for (unsigned what = 1; what < TT_LOSS_NR && len < size; what++) {
		if (nr_lost[what])
			len += (size_t)snprintf(buf + len, size - len, "%s%llu %s", len ? ", " : "",
						(unsigned long long)nr_lost[what], tt_loss_words(what));
	}
	return buf;
}

uint64_t tt_loss_shed(const uint64_t *nr_lost)
{
	return nr_lost[TT_LOSS_SWITCHES] + nr_lost[TT_LOSS_RECORDS] + nr_lost[TT_LOSS_NESTED] +
	       nr_lost[TT_LOSS_PACKETS];
}

/* Fields come from a file: a time that no calendar holds becomes the epoch. */
static int64_t split_time(const struct tt_info *info, uint64_t ts_ns, struct tm *ret_tm)
{
	int64_t realtime_ns, seconds;

	if (ts_ns > INT64_MAX ||
	    __builtin_add_overflow((int64_t)ts_ns, info->realtime_offset_ns, &realtime_ns))
		realtime_ns = 0;
	seconds = realtime_ns / 1000000000 - (realtime_ns % 1000000000 < 0);
	seconds += info->utc_offset_s;
	if (!gmtime_r(&(time_t){ seconds }, ret_tm))
		*ret_tm = (struct tm){ .tm_year = 70, .tm_mday = 1 };
	return (realtime_ns % 1000000000 + 1000000000) % 1000000000;
}

char *tt_format_local_time(char *buf, size_t size, const struct tt_info *info, uint64_t ts_ns)
{
	struct tm tm;

	split_time(info, ts_ns, &tm);
	snprintf(buf, size, "%04d-%02d-%02d %02d:%02d:%02d", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday,
		 tm.tm_hour, tm.tm_min, tm.tm_sec);
	return buf;
}

char *tt_format_iso_time(char *buf, size_t size, const struct tt_info *info, uint64_t ts_ns)
{
	unsigned offset_min = (unsigned)llabs((long long)info->utc_offset_s) / 60 % 6000;
	struct tm tm;
	int64_t ns = split_time(info, ts_ns, &tm);

	snprintf(buf, size, "%04d-%02d-%02dT%02d:%02d:%02d.%03d%c%02u:%02u", tm.tm_year + 1900, tm.tm_mon + 1,
		 tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, (int)(ns / 1000000),
		 info->utc_offset_s < 0 ? '-' : '+', offset_min / 60, offset_min % 60);
	return buf;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* events - single events as they were, for who zooms in: every switch, steal gap and disk request, while there are no more than
 * TT_PAGE_EVENTS_MAX of them together. With more there are none, only the longest waits, gaps and requests: TT_WORST_MAX of each, which
 * always are there.
 */
#pragma once

#include "collector/aggregate/aggregator.h"
#include "collector/export/html/devices.h"
#include "collector/export/html/parties.h"

enum { TT_PAGE_EVENTS_MAX = 500000 };

struct tt_page_events;

/* parties and devices are shared with others. -ENOMEM */
int tt_page_events_open(const struct tt_world *world, const struct tt_view *view,
			struct tt_page_parties *parties, struct tt_page_devices *devices,
			struct tt_page_events **ret_e);
void tt_page_events_close(struct tt_page_events *e);
void tt_page_events_event(struct tt_page_events *e, const struct tt_event *ev);

/* Columns, when all events are there; times in ns since origin_ts_ns:
 *   "switch.cpu" "switch.ts" "switch.party" (who came) "switch.wait" (its wait) "switch.flags" (TT_PAGE_SWITCH_*): by CPU, then time
 *   "gap.cpu" "gap.ts" "gap.ns" "gap.party"
 *   "request.device" "request.ts" "request.ns" "request.queue" "request.group" "request.party"
 * and always "worst.what" (0 wait, 1 gap, 2 request) "worst.ts" "worst.ns" "worst.where" (CPU or device) "worst.party" "worst.group", longest
 * first. */
enum {
	TT_PAGE_SWITCH_PREEMPTED = 1, /* it waits since it lost a CPU */
	TT_PAGE_SWITCH_GAP = 2,	      /* who ran since the one before is not known */
	TT_PAGE_SWITCH_BEGINS = 4,    /* no switch: recording begins here, with this party */
	TT_PAGE_SWITCH_ENDS = 8,      /* ends here */
};
int tt_page_events_put(struct tt_page_events *e, uint64_t origin_ts_ns,
		       struct tt_page_pack *pack);	    /* -ENOMEM */
uint64_t tt_page_events_nr(const struct tt_page_events *e); /* that were there */
bool tt_page_events_are_all(const struct tt_page_events *e);

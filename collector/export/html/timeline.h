/* SPDX-License-Identifier: GPL-2.0-or-later */
/* timeline - what is drawn along the time of a session: what each CPU did and who waited for it, what each disk had to do.
 *
 * Of the whole machine, whoever is looked at: only CPUs and disks that the view leaves out are missing. Every ns of a CPU's window is
 * one of a task, idle, stolen (from a task or from idle), or not seen: a switch was lost. A task's or idle's time as recorded holds what was
 * stolen from it; what is drawn is the rest.
 */
#pragma once

#include "collector/aggregate/aggregator.h"
#include "collector/export/html/bins.h"
#include "collector/export/html/devices.h"
#include "collector/export/html/phase.h"

struct tt_page_timeline;

/* Whether switches were recorded: without them nobody knows who had a CPU, though its windows are there. */
bool tt_page_tells_switches(const struct tt_world *world);

/* devices is shared with others. -ENOMEM */
int tt_page_timeline_open(const struct tt_world *world, const struct tt_view *view,
			  struct tt_page_devices *devices, uint64_t origin_ts_ns,
			  struct tt_page_timeline **ret_t);
void tt_page_timeline_close(struct tt_page_timeline *t);
void tt_page_timeline_event(struct tt_page_timeline *t, const struct tt_event *ev);
/* A CPU without an event has a row, too, with nothing in it. */
void tt_page_timeline_finish(struct tt_page_timeline *t, uint64_t to_ts_ns);

/* Columns of bins: of each CPU of "cpu.id" one after the other "time.task" "time.idle" "time.stolen" "time.stolen_idle"
 * "time.waiting"; of each device "time.inflight" "time.requests" "time.latency" (sums) "time.latency_max". And "phase.*". */
void tt_page_timeline_put(const struct tt_page_timeline *t, struct tt_page_pack *pack);
uint64_t tt_page_timeline_width_ns(const struct tt_page_timeline *t);
uint64_t tt_page_timeline_nr_refused(const struct tt_page_timeline *t); /* rows that found no room */
uint32_t tt_page_timeline_nr(const struct tt_page_timeline *t);
const struct tt_page_phase *tt_page_timeline_phase(const struct tt_page_timeline *t);

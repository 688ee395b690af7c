/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/export/pftrace.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "collector/base/escape.h"
#include "collector/export/intern.h"
#include "collector/export/proto_packer.h"

enum {
	SEQUENCE = 1,
	STATE_CLEARED = 1,
	NEEDS_STATE = 2,
	SLICE_BEGIN = 1,
	SLICE_END = 2,
	INSTANT = 3,
	COUNTER = 4,
	UNIT_TIME_NS = 1,
	UNIT_COUNT = 2,
	BY_RANK = 3,
	NAME_BYTES_MAX = 4 << 20,
	ARG_NAMES_MAX = 256, /* they are literals */
	SAFE_MAX = 4 * TT_PFTRACE_TEXT_MAX + 1,
};

struct tt_pftrace {
	struct tt_out *out;
	struct tt_proto_packer packer;
	struct tt_intern *names, *arg_names;
	uint32_t nr_names, nr_arg_names; /* told */
	int err;
};

int tt_pftrace_open(struct tt_out *out, struct tt_pftrace **ret_t)
{
	struct tt_pftrace *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	t->out = out;
	if (tt_intern_open(TT_PFTRACE_NAMES_MAX, NAME_BYTES_MAX, &t->names) ||
	    tt_intern_open(ARG_NAMES_MAX, ARG_NAMES_MAX * 32, &t->arg_names)) {
		tt_pftrace_close(t);
		return -ENOMEM;
	}
	*ret_t = t;
	return 0;
}

void tt_pftrace_close(struct tt_pftrace *t)
{
	if (!t)
		return;
	tt_proto_packer_close(&t->packer);
	tt_intern_close(t->names);
	tt_intern_close(t->arg_names);
	free(t);
}

int tt_pftrace_error(const struct tt_pftrace *t)
{
	return t->err;
}

static void put_with_flags(struct tt_pftrace *t, Pftrace__TracePacket *packet, uint32_t flags)
{
	Pftrace__Trace trace = PFTRACE__TRACE__INIT;
	const uint8_t *bytes;
	size_t len;

	packet->has_trusted_packet_sequence_id = packet->has_sequence_flags = true;
	packet->trusted_packet_sequence_id = SEQUENCE;
	packet->sequence_flags = flags;
	trace.n_packet = 1;
	trace.packet = &packet;
	bytes = tt_proto_packer_pack(&t->packer, &trace.base, &len);
	if (bytes)
		tt_out_bytes(t->out, bytes, len);
	else
		t->err = -ENOMEM;
}

void tt_pftrace_put(struct tt_pftrace *t, Pftrace__TracePacket *packet)
{
	put_with_flags(t, packet, NEEDS_STATE);
}

static const char *const categories[TT_PF_CAT_NR] = {
	[TT_PF_CAT_STEAL] = "steal", [TT_PF_CAT_RUNQ] = "runq",		  [TT_PF_CAT_DISK] = "disk",
	[TT_PF_CAT_LOSS] = "loss",   [TT_PF_CAT_RECORDING] = "recording",
};

void tt_pftrace_begin(struct tt_pftrace *t)
{
	Pftrace__TracePacketDefaults__PerfSampleDefaults__Timebase timebase =
		PFTRACE__TRACE_PACKET_DEFAULTS__PERF_SAMPLE_DEFAULTS__TIMEBASE__INIT;
	Pftrace__TracePacketDefaults__PerfSampleDefaults perf =
		PFTRACE__TRACE_PACKET_DEFAULTS__PERF_SAMPLE_DEFAULTS__INIT;
	Pftrace__TracePacketDefaults defaults = PFTRACE__TRACE_PACKET_DEFAULTS__INIT;
	Pftrace__InternedName names[TT_PF_CAT_NR], *names_at[TT_PF_CAT_NR];
	Pftrace__InternedData data = PFTRACE__INTERNED_DATA__INIT;
	Pftrace__TracePacket packet = PFTRACE__TRACE_PACKET__INIT;

	timebase.has_counter = true;
	timebase.counter = 1; /* cpu-clock */
	timebase.name = "cpu time, ns";
	perf.timebase = &timebase;
	defaults.perf_sample_defaults = &perf;
	for (unsigned cat = 1; cat < TT_PF_CAT_NR; cat++) {
		pftrace__interned_name__init(&names[cat]);
		names[cat].has_iid = true;
		names[cat].iid = cat;
		names[cat].name = (char *)categories[cat];
		names_at[cat - 1] = &names[cat];
	}
	data.n_event_categories = TT_PF_CAT_NR - 1;
	data.event_categories = names_at;
	packet.trace_packet_defaults = &defaults;
	packet.interned_data = &data;
	put_with_flags(t, &packet, STATE_CLEARED);
}

/* --- names --- */

/* Of a name that is in the table of the names that were told; a new one is told. 0 = no room. */
static uint64_t tell_name(struct tt_pftrace *t, struct tt_intern *table, uint32_t *nr_told, const char *text)
{
	Pftrace__InternedName name = PFTRACE__INTERNED_NAME__INIT, *names[] = { &name };
	Pftrace__InternedData data = PFTRACE__INTERNED_DATA__INIT;
	Pftrace__TracePacket packet = PFTRACE__TRACE_PACKET__INIT;
	uint32_t id = tt_intern_get(table, text);

	if (id == TT_INTERN_NONE)
		return 0;
	if (id < *nr_told)
		return id + 1;
	++*nr_told;
	name.has_iid = true;
	name.iid = id + 1;
	name.name = (char *)text;
	if (table == t->names) {
		data.n_event_names = 1;
		data.event_names = names;
	} else {
		data.n_debug_annotation_names = 1;
		data.debug_annotation_names = names;
	}
	packet.interned_data = &data;
	tt_pftrace_put(t, &packet);
	return name.iid;
}

static char *make_safe(char safe[SAFE_MAX], const char *raw)
{
	return tt_escape(safe, SAFE_MAX, raw, TT_PFTRACE_TEXT_MAX);
}

/* --- tracks --- */

void tt_pftrace_track(struct tt_pftrace *t, const struct tt_pf_track_options *opts)
{
	Pftrace__TrackDescriptor__Counter counter = PFTRACE__TRACK_DESCRIPTOR__COUNTER__INIT;
	Pftrace__TrackDescriptor__Thread thread = PFTRACE__TRACK_DESCRIPTOR__THREAD__INIT;
	Pftrace__TrackDescriptor track = PFTRACE__TRACK_DESCRIPTOR__INIT;
	Pftrace__TracePacket packet = PFTRACE__TRACE_PACKET__INIT;
	char name[SAFE_MAX];

	track.has_uuid = true;
	track.uuid = opts->uuid;
	track.has_parent_uuid = opts->parent != 0;
	track.parent_uuid = opts->parent;
	track.has_child_ordering = track.has_sibling_order_rank = true;
	track.child_ordering = BY_RANK;
	track.sibling_order_rank = opts->rank;
	track.description = (char *)opts->description;
	if (opts->has != TT_PF_SLICES) {
		counter.has_unit = true;
		counter.unit = opts->has == TT_PF_COUNTER_NS ? UNIT_TIME_NS : UNIT_COUNT;
		track.counter = &counter;
	}
	if (opts->tid) {
		thread.has_pid = thread.has_tid = true;
		thread.pid = (int32_t)opts->pid;
		thread.tid = (int32_t)opts->tid;
		thread.thread_name = make_safe(name, opts->name);
		track.thread = &thread;
	} else {
		track.name = make_safe(name, opts->name);
	}
	packet.track_descriptor = &track;
	tt_pftrace_put(t, &packet);
}

/* --- events --- */

static struct tt_pf_arg *add_arg(struct tt_pf_event *ev, const char *name)
{
	struct tt_pf_arg *arg = &ev->args[ev->nr_args];

	assert(ev->nr_args < TT_PFTRACE_ARGS_MAX);
	ev->nr_args++;
	*arg = (struct tt_pf_arg){ .name = name };
	return arg;
}

void tt_pf_add_number(struct tt_pf_event *ev, const char *name, uint64_t number)
{
	add_arg(ev, name)->number = number;
}

void tt_pf_add_text(struct tt_pf_event *ev, const char *name, const char *text)
{
	add_arg(ev, name)->text = text;
}

/* What a TrackEvent points to while it is packed. */
struct parts {
	uint64_t category;
	char name[SAFE_MAX];
	Pftrace__DebugAnnotation args[TT_PFTRACE_ARGS_MAX], *args_at[TT_PFTRACE_ARGS_MAX];
	char texts[TT_PFTRACE_ARGS_MAX][SAFE_MAX];
};

static void fill_args(struct tt_pftrace *t, Pftrace__TrackEvent *event, const struct tt_pf_event *ev,
		      struct parts *parts)
{
	for (unsigned i = 0; i < ev->nr_args; i++) {
		const struct tt_pf_arg *arg = &ev->args[i];
		Pftrace__DebugAnnotation *annotation = parts->args_at[i] = &parts->args[i];

		pftrace__debug_annotation__init(annotation);
		annotation->has_name_iid = true;
		annotation->name_iid = tell_name(t, t->arg_names, &t->nr_arg_names, arg->name);
		assert(annotation->name_iid);
		annotation->has_uint_value = !arg->text;
		annotation->uint_value = arg->number;
		annotation->string_value = arg->text ? make_safe(parts->texts[i], arg->text) : NULL;
	}
	event->n_debug_annotations = ev->nr_args;
	event->debug_annotations = parts->args_at;
}

static void fill_event(struct tt_pftrace *t, Pftrace__TrackEvent *event, const struct tt_pf_event *ev,
		       struct parts *parts)
{
	parts->category = ev->category;
	event->n_category_iids = 1;
	event->category_iids = &parts->category;
	make_safe(parts->name, ev->name);
	event->name_iid = tell_name(t, t->names, &t->nr_names, parts->name);
	event->has_name_iid = event->name_iid != 0;
	event->name = event->name_iid ? NULL : parts->name;
	fill_args(t, event, ev, parts);
	event->n_flow_ids = ev->flow ? 1 : 0;
	event->flow_ids = (uint64_t *)&ev->flow;
	event->n_terminating_flow_ids = ev->terminated_flow ? 1 : 0;
	event->terminating_flow_ids = (uint64_t *)&ev->terminated_flow;
	event->has_callstack_iid = event->has_callstack_weight = ev->callstack != 0;
	event->callstack_iid = ev->callstack;
	event->callstack_weight = (double)ev->weight_ns;
}

static void put_event(struct tt_pftrace *t, Pftrace__TrackEvent *event, unsigned type, uint64_t track,
		      uint64_t ts_ns)
{
	Pftrace__TracePacket packet = PFTRACE__TRACE_PACKET__INIT;

	event->has_type = event->has_track_uuid = true;
	event->type = type;
	event->track_uuid = track;
	packet.has_timestamp = true;
	packet.timestamp = ts_ns;
	packet.track_event = event;
	tt_pftrace_put(t, &packet);
}

static void put_named_event(struct tt_pftrace *t, const struct tt_pf_event *ev, unsigned type)
{
	Pftrace__TrackEvent event = PFTRACE__TRACK_EVENT__INIT;
	struct parts parts;

	fill_event(t, &event, ev, &parts);
	put_event(t, &event, type, ev->track, ev->ts_ns);
}

void tt_pftrace_begin_slice(struct tt_pftrace *t, const struct tt_pf_event *ev)
{
	put_named_event(t, ev, SLICE_BEGIN);
}

void tt_pftrace_end_slice(struct tt_pftrace *t, uint64_t track, uint64_t ts_ns)
{
	Pftrace__TrackEvent event = PFTRACE__TRACK_EVENT__INIT;

	put_event(t, &event, SLICE_END, track, ts_ns);
}

void tt_pftrace_slice(struct tt_pftrace *t, const struct tt_pf_event *ev, uint64_t end_ts_ns)
{
	tt_pftrace_begin_slice(t, ev);
	tt_pftrace_end_slice(t, ev->track, end_ts_ns);
}

void tt_pftrace_instant(struct tt_pftrace *t, const struct tt_pf_event *ev)
{
	put_named_event(t, ev, INSTANT);
}

void tt_pftrace_counter(struct tt_pftrace *t, uint64_t track, uint64_t ts_ns, uint64_t value)
{
	Pftrace__TrackEvent event = PFTRACE__TRACK_EVENT__INIT;

	event.has_counter_value = true;
	event.counter_value = value < INT64_MAX ? (int64_t)value : INT64_MAX;
	put_event(t, &event, COUNTER, track, ts_ns);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ndjson - everything that a session holds, one event a line, for jq, pandas, DuckDB and whatever reads JSON.
 *
 * The first line tells what was recorded, the last what was lost. Stacks come before the first line that has their id, with names; in
 * a session of more stacks than are remembered (TT_STACKS_MAX) they come again. Kinds of line: ndjson_kinds.c.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "collector/aggregate/index.h"
#include "collector/aggregate/request.h"
#include "collector/aggregate/view.h"
#include "collector/base/escape.h"
#include "collector/export/exporter.h"
#include "collector/export/frames.h"
#include "collector/export/name.h"
#include "collector/export/ndjson_line.h"
#include "collector/export/ndjson_schema.h"

struct ndjson {
	struct tt_export_context ctx;
	struct tt_index told_stacks;
	bool *told_modules; /* by id */
	uint64_t nr_lines;
	const struct tt_nd_kind *session, *stack, *module, *end;
	struct tt_frame_info frames[TT_FRAMES_MAX];
};

static void ndjson_close(void *state)
{
	struct ndjson *nd = state;

	if (!nd)
		return;
	tt_index_close(&nd->told_stacks);
	free(nd->told_modules);
	free(nd);
}

static void put_line(struct ndjson *nd, const struct tt_nd_kind *kind, const struct tt_event *ev,
		     const void *fields_of)
{
	tt_nd_put_line(nd->ctx.out, nd->ctx.world, kind, ev, fields_of);
	nd->nr_lines++;
}

static int ndjson_open(const struct tt_export_context *ctx, void **ret_state)
{
	struct ndjson *nd = calloc(1, sizeof(*nd));

	if (!nd)
		return -ENOMEM;
	nd->ctx = *ctx;
	nd->told_modules = calloc(TT_STACKS_MODULES_MAX, sizeof(*nd->told_modules));
	if (!nd->told_modules || tt_index_open(&nd->told_stacks, TT_STACKS_MAX)) {
		ndjson_close(nd);
		return -ENOMEM;
	}
	nd->session = tt_nd_kind_named("session");
	nd->stack = tt_nd_kind_named("stack");
	nd->module = tt_nd_kind_named("module");
	nd->end = tt_nd_kind_named("end");
	put_line(nd, nd->session, NULL, ctx->info);
	*ret_state = nd;
	return 0;
}

/* --- stacks --- */

static void tell_module(struct ndjson *nd, uint32_t id)
{
	char build_id[TT_BUILD_ID_TEXT_MAX];
	struct tt_module_info info;
	struct tt_nd_module line;

	if (!tt_stacks_module(nd->ctx.stacks, id, &info) || nd->told_modules[id])
		return;
	nd->told_modules[id] = true;
	tt_build_id_text(build_id, &info);
	line = (struct tt_nd_module){ info.path, build_id[0] ? build_id : NULL, info.flags };
	put_line(nd, nd->module, NULL, &line);
}

static void put_name(struct tt_out *out, const char *key, const char *raw)
{
	char safe[TT_NAME_FRAME_MAX];

	tt_out_text(out, key);
	if (raw)
		tt_out_json(out, tt_escape(safe, sizeof(safe), raw, strlen(raw)));
	else
		tt_out_text(out, "null");
}

static void put_number(struct tt_out *out, const char *key, uint64_t value, bool is_known)
{
	tt_out_text(out, key);
	if (!is_known)
		tt_out_text(out, "null");
	else
		out->at = tt_nd_u64(tt_out_room(out, TT_ND_NUMBER_BYTES_MAX), value);
}

static void put_frame(struct tt_out *out, const struct tt_frame_info *f)
{
	tt_out_text(out, "{\"ip\":");
	out->at = tt_nd_hex(tt_out_room(out, TT_ND_NUMBER_BYTES_MAX), f->ip);
	put_name(out, ",\"symbol\":", f->symbol);
	put_number(out, ",\"offset\":", f->offset, f->symbol || f->module);
	put_name(out, ",\"module\":", f->module);
	put_name(out, ",\"file\":", f->file);
	put_number(out, ",\"line\":", f->line, f->line);
	tt_out_text(out, f->is_inlined ? ",\"inlined\":true}" : ",\"inlined\":false}");
}

static void put_stack(struct ndjson *nd, uint64_t id)
{
	struct tt_nd_stack line = { .id = id, .is_known = tt_stacks_has(nd->ctx.stacks, id) };
	struct tt_out *out = nd->ctx.out;
	unsigned nr;
	bool cut;

	nr = tt_stacks_frames(nd->ctx.stacks, id, nd->frames, TT_FRAMES_MAX, &cut);
	line.is_cut = cut;
	for (unsigned i = 0; i < nr; i++)
		tell_module(nd, nd->frames[i].module_id);
	put_line(nd, nd->stack, NULL, &line);
	tt_out_text(out, ",\"frames\":[");
	for (unsigned i = 0; i < nr; i++) {
		if (i)
			tt_out_char(out, ',');
		put_frame(out, &nd->frames[i]);
	}
	tt_out_text(out, "]}\n");
}

/* The id by which a stack is told, of all that it has. */
static uint64_t own_id(const struct ndjson *nd, uint64_t id)
{
	return tt_stacks_canonical(nd->ctx.stacks, id);
}

static void tell_stack(struct ndjson *nd, uint64_t id)
{
	if (id < TT_STACK_IDS || tt_index_find(&nd->told_stacks, id) != TT_INDEX_NONE)
		return;
	if (nd->told_stacks.nr == nd->told_stacks.max)
		tt_index_clear(&nd->told_stacks);
	tt_index_put(&nd->told_stacks, id, 0);
	put_stack(nd, id);
}

/* --- events --- */

static bool wants(const struct ndjson *nd, enum tt_cause cause)
{
	return nd->ctx.causes >> cause & 1;
}

/* Of nobody: seen unless tasks are filtered. */
static bool has_task(const struct ndjson *nd, uint32_t tid)
{
	if (tid == TT_TID_UNKNOWN)
		return !tt_view_has_task_filter(nd->ctx.view);
	return tt_view_has_task(nd->ctx.view, nd->ctx.world, tid);
}

static void on_switch(struct ndjson *nd, const struct tt_nd_kind *kind, const struct tt_ev_switch *sw)
{
	struct tt_nd_switch line = { .sw = *sw, .waker_tid = TT_TID_UNKNOWN };

	if (!wants(nd, TT_CAUSE_RUNQ) || !tt_view_has_cpu(nd->ctx.view, sw->ev.cpu) ||
	    !(has_task(nd, sw->prev_tid) || has_task(nd, sw->next_tid)))
		return;
	line.wait_stolen_ns = tt_world_wait_stolen_ns(nd->ctx.world, sw);
	if (sw->wait_kind == TT_WAIT_WAKEUP || sw->wait_kind == TT_WAIT_NEW)
		line.waker_tid = sw->waker_tid;
	if (sw->has_stacks) {
		line.sw.prev_ustack = own_id(nd, sw->prev_ustack);
		tell_stack(nd, sw->prev_kstack);
		tell_stack(nd, line.sw.prev_ustack);
		tell_stack(nd, sw->waker_kstack);
		tell_stack(nd, sw->waker_ustack);
	} else {
		line.sw.prev_kstack = line.sw.prev_ustack = TT_STACK_NONE;
		line.sw.waker_kstack = line.sw.waker_ustack = TT_STACK_NONE;
	}
	put_line(nd, kind, &sw->ev, &line);
}

static void on_steal(struct ndjson *nd, const struct tt_nd_kind *kind, const struct tt_ev_steal *steal)
{
	struct tt_ev_steal line = *steal;

	if (!wants(nd, TT_CAUSE_STEAL) || !tt_view_has_cpu(nd->ctx.view, steal->ev.cpu) ||
	    !has_task(nd, steal->tid))
		return;
	line.ustack = own_id(nd, steal->ustack);
	tell_stack(nd, line.kstack);
	tell_stack(nd, line.ustack);
	put_line(nd, kind, &steal->ev, &line);
}

static void on_disk(struct ndjson *nd, const struct tt_nd_kind *kind, const struct tt_event *ev,
		    const struct tt_disk *rec)
{
	const struct tt_disk_with_stacks *with = (const struct tt_disk_with_stacks *)rec;
	struct tt_nd_disk line = {
		.disk = *rec,
		.group = tt_request_group(rec),
		.nr_counted = rec->flags & TT_DISK_COUNTED ? tt_request_nr_counted(rec) : 0,
		.tid = rec->flags & TT_DISK_NO_SUBMITTER ? TT_TID_UNKNOWN : rec->tid,
	};

	if (!wants(nd, TT_CAUSE_DISK) || !tt_view_has_device(nd->ctx.view, nd->ctx.world, rec->dev) ||
	    !has_task(nd, line.tid))
		return;
	if (rec->rec.size >= sizeof(*with)) {
		line.kstack = with->kstack;
		line.ustack = with->ustack;
	}
	tell_stack(nd, line.kstack);
	tell_stack(nd, line.ustack);
	put_line(nd, kind, ev, &line);
}

static void on_sample(struct ndjson *nd, const struct tt_nd_kind *kind, const struct tt_event *ev,
		      const struct tt_sample *rec)
{
	struct tt_sample line = *rec;

	if (!wants(nd, TT_CAUSE_CPU) || !tt_view_has_cpu(nd->ctx.view, ev->cpu) || !has_task(nd, rec->tid))
		return;
	line.ustack = own_id(nd, rec->ustack);
	tell_stack(nd, line.kstack);
	tell_stack(nd, line.ustack);
	put_line(nd, kind, ev, &line);
}

/* What is known by sums is nobody's. */
static void on_disk_sums(struct ndjson *nd, const struct tt_nd_kind *kind, const struct tt_event *ev,
			 const struct tt_disk_sums *rec)
{
	if (wants(nd, TT_CAUSE_DISK) && has_task(nd, TT_TID_UNKNOWN) &&
	    tt_view_has_device(nd->ctx.view, nd->ctx.world, rec->dev))
		put_line(nd, kind, ev, rec);
}

static void on_shed_wait(struct ndjson *nd, const struct tt_nd_kind *kind, const struct tt_event *ev)
{
	if (wants(nd, TT_CAUSE_RUNQ) && has_task(nd, TT_TID_UNKNOWN) &&
	    tt_view_has_cpu(nd->ctx.view, ev->cpu))
		put_line(nd, kind, ev, ev);
}

static int ndjson_event(void *state, const struct tt_event *ev)
{
	const struct tt_record *rec = ((const struct tt_ev_record *)ev)->rec;
	const struct tt_nd_kind *kind = tt_nd_kind_of(ev->kind);
	struct ndjson *nd = state;

	if (!kind)
		return 0;
	switch (ev->kind) {
	case TT_EV_SWITCH:
		on_switch(nd, kind, (const struct tt_ev_switch *)ev);
		break;
	case TT_EV_STEAL:
		on_steal(nd, kind, (const struct tt_ev_steal *)ev);
		break;
	case TT_EV_DISK:
		on_disk(nd, kind, ev, (const struct tt_disk *)rec);
		break;
	case TT_EV_SAMPLE:
		on_sample(nd, kind, ev, (const struct tt_sample *)rec);
		break;
	case TT_EV_DISK_SUMS:
		on_disk_sums(nd, kind, ev, (const struct tt_disk_sums *)rec);
		break;
	case TT_EV_SHED_WAIT:
		on_shed_wait(nd, kind, ev);
		break;
	case TT_EV_WINDOW:
		put_line(nd, kind, ev, ev);
		break;
	default:
		put_line(nd, kind, ev, rec);
	}
	return 0;
}

static int ndjson_finish(void *state, struct tt_export_end *end)
{
	struct ndjson *nd = state;
	struct tt_nd_end line = { end->interval.from_ts_ns, end->interval.to_ts_ns, nd->nr_lines, end->lack, { 0 } };

	memcpy(line.nr_lost, end->nr_lost, sizeof(line.nr_lost));
	put_line(nd, nd->end, NULL, &line);
	return 0;
}

const struct tt_exporter tt_exporter_ndjson = {
	.name = "ndjson",
	.help = "every event as a line of JSON; --schema describes the lines",
	.needs_names_first = true,
	.takes_counters = true,
	.open = ndjson_open,
	.event = ndjson_event,
	.finish = ndjson_finish,
	.close = ndjson_close,
	.schema = tt_nd_put_schema,
};

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pprof - a gzipped profile.proto: what `go tool pprof`, speedscope and others read.
 *
 * Two sample types for each cause: how many, and ns. The type tells the cause and labels tell the device, so stacks do not have the frame
 * on top that other exports have: what is "flat" is the function that waited. Hits are folded by stack and labels, and written at
 * the end.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collector/base/escape.h"
#include "collector/export/exporter.h"
#include "collector/export/fold.h"
#include "collector/export/frames.h"
#include "collector/export/name.h"
#include "collector/export/pprof_writer.h"
#include "collector/render/words.h"

enum { TYPES_MAX = 2 * TT_CAUSE_NR, LABELS_MAX = 7 };

struct pprof {
	struct tt_export_context ctx;
	struct tt_fold *fold;
	/* of the writing */
	struct tt_pprof_writer *w;
	int type_of
		[TT_CAUSE_NR]; /* the first of its two sample types; not of those that were not asked for */
	unsigned nr_types;
	bool has_time[TT_CAUSE_NR];
	uint64_t nr_merged; /* hits */
	struct tt_frame_info frames[TT_FRAMES_MAX];
};

static const struct {
	const char *count, *ns;
} type_names[TT_CAUSE_NR] = {
	[TT_CAUSE_STEAL] = { "gaps", "stolen" },
	[TT_CAUSE_RUNQ] = { "waits", "runq" },
	[TT_CAUSE_DISK] = { "requests", "disk" },
	[TT_CAUSE_CPU] = { "samples", "cpu" },
};

static int pprof_open(const struct tt_export_context *ctx, void **ret_state)
{
	struct pprof *p = calloc(1, sizeof(*p));

	if (!p || tt_fold_open(TT_FOLD_BY_TASK | TT_FOLD_BY_CGROUP | TT_FOLD_BY_CPU, &p->fold)) {
		free(p);
		return -ENOMEM;
	}
	p->ctx = *ctx;
	*ret_state = p;
	return 0;
}

static int pprof_hit(void *state, const struct tt_hit *hit)
{
	tt_fold_add(((struct pprof *)state)->fold, hit);
	return 0;
}

static void pprof_close(void *state)
{
	struct pprof *p = state;

	if (!p)
		return;
	tt_fold_close(p->fold);
	tt_pprof_close(p->w);
	free(p);
}

static int64_t escaped_string(struct pprof *p, const char *raw)
{
	char safe[4 * TT_CGROUP_PATH_LEN + 1];

	return tt_pprof_string(p->w, tt_escape(safe, sizeof(safe), raw, strlen(raw)));
}

static int64_t clamped(uint64_t value)
{
	return value < INT64_MAX ? (int64_t)value : INT64_MAX;
}

/* --- samples --- */

static unsigned put_locations(struct pprof *p, const struct tt_hit *hit, uint64_t ids[TT_FRAMES_MAX])
{
	struct tt_hit without_top = *hit;
	unsigned nr_frames, nr = 0;

	without_top.top = NULL;
	nr_frames = tt_frames_of_hit(&without_top, p->ctx.stacks, NULL, p->frames);
	for (unsigned i = 0, first = 0; i < nr_frames; i++) {
		if (p->frames[i].is_inlined && i + 1 < nr_frames)
			continue;
		ids[nr++] = tt_pprof_location(p->w, &p->frames[first], i + 1 - first);
		first = i + 1;
	}
	return nr;
}

struct labels {
	Pprof__Label labels[LABELS_MAX], *at[LABELS_MAX];
	unsigned nr;
};

static Pprof__Label *add_label(struct pprof *p, struct labels *l, const char *key)
{
	Pprof__Label *label = l->at[l->nr] = &l->labels[l->nr];

	l->nr++;
	pprof__label__init(label);
	label->key = tt_pprof_string(p->w, key);
	return label;
}

static void add_task_labels(struct pprof *p, struct labels *l, const struct tt_hit *hit)
{
	const char *path = hit->cgroup_id ? tt_world_cgroup_path(p->ctx.world, hit->cgroup_id) : NULL;
	char name[TT_NAME_TASK_MAX];

	tt_name_task(name, sizeof(name), hit->comm, hit->tid, TT_NAME_PLAIN);
	add_label(p, l, "task")->str = tt_pprof_string(p->w, name);
	if (hit->tid && hit->tid != TT_TID_UNKNOWN) {
		add_label(p, l, "pid")->num = hit->pid;
		add_label(p, l, "tid")->num = hit->tid;
	}
	if (path)
		add_label(p, l, "cgroup")->str = escaped_string(p, path);
}

static void add_place_labels(struct pprof *p, struct labels *l, const struct tt_hit *hit)
{
	const struct tt_world_device *device;
	char number[32];

	if (hit->cpu != TT_CPU_NONE) { /* a text: the number 0 would be no label */
		snprintf(number, sizeof(number), "%u", hit->cpu);
		add_label(p, l, "cpu")->str = tt_pprof_string(p->w, number);
	}
	if (hit->cause != TT_CAUSE_DISK || !hit->dev)
		return;
	device = tt_world_device(p->ctx.world, hit->dev);
	snprintf(number, sizeof(number), "%u:%u", hit->dev >> 20, hit->dev & 0xfffff);
	add_label(p, l, "device")->str = escaped_string(p, device && device->name[0] ? device->name : number);
	add_label(p, l, "operation")->str = tt_pprof_string(p->w, tt_disk_group_name(hit->group));
}

static void put_sample(struct pprof *p, const struct tt_hit *hit, uint64_t nr_hits)
{
	Pprof__Sample sample = PPROF__SAMPLE__INIT, *samples[] = { &sample };
	Pprof__Profile piece = PPROF__PROFILE__INIT;
	uint64_t locations[TT_FRAMES_MAX];
	int64_t values[TYPES_MAX] = { 0 };
	struct labels labels = { .nr = 0 };
	int type = p->type_of[hit->cause];

	sample.n_location_id = put_locations(p, hit, locations);
	sample.location_id = locations;
	values[type] = clamped(hit->nr);
	values[type + 1] = clamped(hit->weight_ns);
	sample.n_value = p->nr_types;
	sample.value = values;
	add_task_labels(p, &labels, hit);
	add_place_labels(p, &labels, hit);
	sample.n_label = labels.nr;
	sample.label = labels.at;
	piece.n_sample = 1;
	piece.sample = samples;
	tt_pprof_put(p->w, &piece);
	p->has_time[hit->cause] |= hit->weight_ns != 0;
	if (tt_pprof_is_cut(p->w))
		p->nr_merged += nr_hits;
}

/* --- what it is --- */

static void put_type(struct pprof *p, const char *type, const char *unit)
{
	Pprof__ValueType value_type = PPROF__VALUE_TYPE__INIT, *value_types[] = { &value_type };
	Pprof__Profile piece = PPROF__PROFILE__INIT;

	value_type.type = tt_pprof_string(p->w, type);
	value_type.unit = tt_pprof_string(p->w, unit);
	piece.n_sample_type = 1;
	piece.sample_type = value_types;
	tt_pprof_put(p->w, &piece);
	p->nr_types++;
}

static void put_types(struct pprof *p)
{
	for (unsigned cause = 0; cause < TT_CAUSE_NR; cause++) {
		if (!(p->ctx.causes >> cause & 1))
			continue;
		p->type_of[cause] = (int)p->nr_types;
		put_type(p, type_names[cause].count, "count");
		put_type(p, type_names[cause].ns, "nanoseconds");
	}
}

static void put_comment(struct pprof *p, const char *raw)
{
	char safe[4 * (TT_LOSS_LIST_MAX + 256)];
	int64_t id = tt_pprof_string(p->w, tt_escape(safe, sizeof(safe), raw, strlen(raw)));
	Pprof__Profile piece = PPROF__PROFILE__INIT;

	piece.n_comment = 1;
	piece.comment = &id;
	tt_pprof_put(p->w, &piece);
}

static void put_comments(struct pprof *p, const struct tt_export_end *end)
{
	const struct tt_info *info = p->ctx.info;
	char lost[TT_LOSS_LIST_MAX], text[TT_LOSS_LIST_MAX + 256], start[48];

	snprintf(text, sizeof(text), "timethief %s, host %s, Linux %s, hypervisor %s, from %s",
		 info->tool_version, info->hostname, info->kernel_release, info->hypervisor,
		 tt_format_iso_time(start, sizeof(start), info, end->interval.from_ts_ns));
	put_comment(p, text);
	snprintf(text, sizeof(text), "lost: %s", tt_loss_list(lost, sizeof(lost), end->nr_lost));
	if (lost[0])
		put_comment(p, text);
	snprintf(text, sizeof(text), "the session is not whole: %s", end->lack ? end->lack : "");
	if (end->lack)
		put_comment(p, text);
	snprintf(text, sizeof(text),
		 "%llu hits found no room for all of their stack or names; their time is there",
		 (unsigned long long)p->nr_merged);
	if (p->nr_merged)
		put_comment(p, text);
}

/* What is looked at first: the first kind of time that was lost at all. */
static int64_t default_type(const struct pprof *p)
{
	for (unsigned cause = 0; cause < TT_CAUSE_NR; cause++) {
		if (p->has_time[cause])
			return tt_pprof_string(p->w, type_names[cause].ns);
	}
	return 0;
}

static void put_end(struct pprof *p, const struct tt_export_end *end)
{
	Pprof__Profile piece = PPROF__PROFILE__INIT;

	put_comments(p, end);
	if (__builtin_add_overflow(clamped(end->interval.from_ts_ns), p->ctx.info->realtime_offset_ns,
				   &piece.time_nanos))
		piece.time_nanos = 0;
	if (end->interval.to_ts_ns > end->interval.from_ts_ns)
		piece.duration_nanos = clamped(end->interval.to_ts_ns - end->interval.from_ts_ns);
	piece.default_sample_type = default_type(p);
	tt_pprof_put(p->w, &piece);
}

static void put_file(struct pprof *p)
{
	char safe[4 * 256];

	tt_pprof_put_file(p->w, tt_escape(safe, sizeof(safe), p->ctx.file, strlen(p->ctx.file)));
}

static int pprof_finish(void *state, struct tt_export_end *end)
{
	struct pprof *p = state;

	if (tt_pprof_open(p->ctx.out, p->ctx.stacks, &p->w))
		return -ENOMEM;
	put_types(p);
	put_file(p);
	p->nr_merged = tt_fold_nr_merged(p->fold);
	for (uint32_t i = 0; i < tt_fold_nr(p->fold); i++) {
		struct tt_hit hit;
		uint64_t nr_hits;

		tt_fold_get(p->fold, i, &hit, &nr_hits);
		put_sample(p, &hit, nr_hits);
	}
	put_end(p, end);
	end->nr_merged = p->nr_merged;
	return tt_pprof_finish(p->w);
}

const struct tt_exporter tt_exporter_pprof = {
	.name = "pprof",
	.help = "gzipped profile.proto, for go tool pprof, speedscope",
	.is_binary = true,
	.needs_empty_hits = true,
	.open = pprof_open,
	.hit = pprof_hit,
	.finish = pprof_finish,
	.close = pprof_close,
};

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* speedscope - speedscope's own JSON: a sampled profile for each cause, weights in ns.
 *
 * Hits are folded, so a profile's samples are in no order of time: the left-heavy and sandwich views are the ones to look at. The root
 * of a stack is its task. Frames are numbered as they come, and listed behind the profiles. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "collector/aggregate/index.h"
#include "collector/base/escape.h"
#include "collector/export/frames.h"
#include "collector/export/intern.h"
#include "collector/export/profile.h"
#include "collector/render/words.h"

enum { FRAMES_MAX = 1 << 18, FRAME_BYTES_MAX = 48 << 20, SOURCE_MAX = TT_NAME_FRAME_MAX + 16 };

struct writer {
	struct tt_profile *profile;
	struct tt_out *out;
	struct tt_intern *frames; /* "NAME\nFILE\nLINE" */
	struct tt_index
		by_frame; /* numbers of frames, by name, file and line as the table of stacks has them */
	uint32_t no_room; /* the frame that is there instead */
	bool is_cut;	  /* a frame of this sample found no room */
	uint64_t nr_cut;  /* hits */
	struct tt_frame_info stack[TT_FRAMES_MAX];
	char text[2 * SOURCE_MAX];
};

static const char *const titles[TT_CAUSE_NR] = { "steal: stolen by the hypervisor", "runq: waited for a CPU",
						 "disk: requests", "cpu: ran" };

/* Names are escaped, so there is no line feed in them. */
static uint32_t frame_of_text(struct writer *w, const char *name, const char *file, uint32_t line)
{
	uint32_t id;

	snprintf(w->text, sizeof(w->text), "%s\n%s\n%u", name, file, line);
	id = tt_intern_get(w->frames, w->text);
	w->is_cut |= id == TT_INTERN_NONE;
	return id == TT_INTERN_NONE ? w->no_room : id;
}

/* The source where it is known, else the program or library. */
static uint32_t make_frame(struct writer *w, const struct tt_frame_info *f)
{
	char name[TT_NAME_FRAME_MAX], file[TT_NAME_FRAME_MAX] = "";

	tt_name_function(name, sizeof(name), f, TT_NAME_PLAIN);
	if (f->file)
		tt_escape(file, sizeof(file), f->file, strlen(f->file));
	else if (f->module)
		tt_escape(file, sizeof(file), f->module, strlen(f->module));
	return frame_of_text(w, name, file, f->file ? f->line : 0);
}

static uint32_t frame_of(struct writer *w, const struct tt_frame_info *f)
{
	uint64_t key[3] = { tt_frame_key(f), (uintptr_t)f->file, f->line };
	uint64_t hash = key[0] ? XXH64(key, sizeof(key), 0) : 0;
	uint32_t id = hash ? tt_index_find(&w->by_frame, hash) : TT_INDEX_NONE;

	if (id != TT_INDEX_NONE)
		return id;
	id = make_frame(w, f);
	if (hash && id != w->no_room)
		tt_index_put(&w->by_frame, hash, id);
	return id;
}

static void put_sample(struct writer *w, const struct tt_hit *hit, uint64_t nr_hits)
{
	unsigned nr = tt_frames_of_hit(hit, w->profile->ctx.stacks, NULL, w->stack);
	char name[TT_NAME_TASK_MAX];
	uint32_t id;

	tt_name_task(name, sizeof(name), hit->comm, hit->tid, TT_NAME_PLAIN);
	w->is_cut = false;
	tt_out_char(w->out, '[');
	id = frame_of_text(w, name, "", 0);
	for (;;) {
		tt_out_u64(w->out, id);
		if (!nr)
			break;
		tt_out_char(w->out, ',');
		id = frame_of(w, &w->stack[--nr]);
	}
	tt_out_char(w->out, ']');
	w->nr_cut += w->is_cut ? nr_hits : 0;
}

/* Calls put for each hit of a cause, commas between them. Returns their weight. */
static uint64_t put_list(struct writer *w, unsigned cause, bool of_weights)
{
	const struct tt_fold *fold = w->profile->fold;
	uint64_t sum_ns = 0, nr_hits;
	const char *separator = "\n";
	struct tt_hit hit;

	for (uint32_t i = 0; i < tt_fold_nr(fold); i++) {
		tt_fold_get(fold, i, &hit, &nr_hits);
		if (hit.cause != cause)
			continue;
		tt_out_text(w->out, separator);
		if (of_weights)
			tt_out_u64(w->out, hit.weight_ns);
		else
			put_sample(w, &hit, nr_hits);
		if (__builtin_add_overflow(sum_ns, hit.weight_ns, &sum_ns))
			sum_ns = UINT64_MAX;
		separator = of_weights ? "," : ",\n";
	}
	return sum_ns;
}

static void put_profile(struct writer *w, unsigned cause)
{
	uint64_t sum_ns;

	tt_out_text(w->out, "{\"type\":\"sampled\",\"name\":");
	tt_out_json(w->out, titles[cause]);
	tt_out_text(w->out, ",\"unit\":\"nanoseconds\",\"samples\":[");
	sum_ns = put_list(w, cause, false);
	tt_out_text(w->out, "],\"weights\":[");
	put_list(w, cause, true);
	tt_out_text(w->out, "],\"startValue\":0,\"endValue\":");
	tt_out_u64(w->out, sum_ns);
	tt_out_char(w->out, '}');
}

/* Causes with hits, and without any the first that was asked for: speedscope wants a profile. */
static void put_profiles(struct writer *w)
{
	const struct tt_fold *fold = w->profile->fold;
	unsigned causes = 0, nr = 0;

	for (uint32_t i = 0; i < tt_fold_nr(fold); i++) {
		struct tt_hit hit;

		tt_fold_get(fold, i, &hit, NULL);
		causes |= 1u << hit.cause;
	}
	if (!causes)
		causes = w->profile->ctx.causes & -w->profile->ctx.causes;
	for (unsigned cause = 0; cause < TT_CAUSE_NR; cause++) {
		if (!(causes >> cause & 1))
			continue;
		tt_out_text(w->out, nr++ ? ",\n" : "\n");
		put_profile(w, cause);
	}
}

static void put_frames(struct writer *w)
{
	for (uint32_t i = 0; i < tt_intern_nr(w->frames); i++) {
		char *file, *line;

		snprintf(w->text, sizeof(w->text), "%s", tt_intern_text(w->frames, i));
		file = strchr(w->text, '\n');
		line = strchr(file + 1, '\n');
		*file++ = *line++ = '\0';
		tt_out_text(w->out, i ? ",\n{\"name\":" : "\n{\"name\":");
		tt_out_json(w->out, w->text);
		if (file[0]) {
			tt_out_text(w->out, ",\"file\":");
			tt_out_json(w->out, file);
		}
		if (strcmp(line, "0") != 0) {
			tt_out_text(w->out, ",\"line\":");
			tt_out_text(w->out, line);
		}
		tt_out_char(w->out, '}');
	}
}

/* The page's title: there is no other place to say what is missing. */
static void put_name(struct writer *w, const struct tt_export_end *end)
{
	char lost[TT_LOSS_LIST_MAX], raw[TT_LOSS_LIST_MAX + 512], safe[4 * sizeof(raw)];

	tt_loss_list(lost, sizeof(lost), end->nr_lost);
	snprintf(raw, sizeof(raw), "%.200s%s%.200s%s%s", w->profile->ctx.file, end->lack ? " - not whole: " : "",
		 end->lack ? end->lack : "", lost[0] ? " - lost: " : "", lost);
	tt_out_json(w->out, tt_escape(safe, sizeof(safe), raw, sizeof(raw)));
}

static void put_all(struct writer *w, struct tt_export_end *end)
{
	w->no_room = frame_of_text(w, "[others]", "", 0);
	tt_out_text(w->out,
		    "{\"$schema\":\"https://www.speedscope.app/file-format-schema.json\",\"exporter\":");
	snprintf(w->text, sizeof(w->text), "timethief %s", TT_VERSION);
	tt_out_json(w->out, w->text);
	tt_out_text(w->out, ",\"name\":");
	put_name(w, end);
	tt_out_text(w->out, ",\"activeProfileIndex\":0,\"profiles\":[");
	put_profiles(w);
	tt_out_text(w->out, "],\n\"shared\":{\"frames\":[");
	put_frames(w);
	tt_out_text(w->out, "]}}\n");
	end->nr_merged = tt_fold_nr_merged(w->profile->fold) + w->nr_cut;
}

static int speedscope_finish(void *state, struct tt_export_end *end)
{
	struct tt_profile *p = state;
	struct writer *w = calloc(1, sizeof(*w));
	int err = 0;

	if (!w)
		return -ENOMEM;
	w->profile = p;
	w->out = p->ctx.out;
	if (tt_intern_open(FRAMES_MAX, FRAME_BYTES_MAX, &w->frames) ||
	    tt_index_open(&w->by_frame, FRAMES_MAX))
		err = -ENOMEM;
	else
		put_all(w, end);
	tt_intern_close(w->frames);
	tt_index_close(&w->by_frame);
	free(w);
	return err;
}

const struct tt_exporter tt_exporter_speedscope = {
	.name = "speedscope",
	.help = "speedscope's JSON, a profile for each cause",
	.open = tt_profile_open,
	.hit = tt_profile_hit,
	.finish = speedscope_finish,
	.close = tt_profile_close,
};

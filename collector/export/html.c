/* SPDX-License-Identifier: GPL-2.0-or-later */
/* html - one page to look at, in one file: the built page (html/page), with the session's numbers in it.
 *
 * What is drawn is collected as events come, on grids of time that grow coarser as the session grows longer (html/bins.h, html/cells.h), and
 * written at the end: the page's head, the data as html/pack.h has it, the page's tail. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "collector/export/html/baseline.h"
#include "collector/export/html/page.h"
#include "collector/export/html/windows.h"

enum { NR_CELLS_MAX = 1 << 20 };

static const char *html_lack(void)
{
	struct tt_page_part head, tail;

	if (tt_page_template(&head, &tail))
		return NULL;
	return "this build has no page: it was made without npm, or without its packages; "
	       "with Node.js, npm and a network, 'make page' puts it in";
}

static void html_close(void *state)
{
	struct tt_page *page = state;

	if (!page)
		return;
	tt_page_cells_close(page->cells);
	tt_page_parties_close(page->parties);
	tt_page_cgroups_close(page->cgroups);
	tt_page_timeline_close(page->timeline);
	tt_page_pairs_close(page->pairs);
	tt_page_events_close(page->events);
	tt_fold_close(page->fold);
	free(page);
}

static int open_parts(struct tt_page *page)
{
	const struct tt_world *world = page->ctx.world;
	const struct tt_view *view = page->ctx.view;
	int err = tt_page_cells_open(page->origin_ts_ns, NR_CELLS_MAX, &page->cells);

	page->devices.world = world;
	page->sums = (struct tt_page_sums){ world, view, page->cells, &page->devices };
	if (!err)
		err = tt_page_parties_open(world, &page->parties);
	if (!err)
		err = tt_page_cgroups_open(world, &page->cgroups);
	if (!err)
		err = tt_page_timeline_open(world, view, &page->devices, page->origin_ts_ns, &page->timeline);
	if (!err)
		err = tt_page_pairs_open(world, view, page->parties, page->cells, &page->pairs);
	if (!err)
		err = tt_page_events_open(world, view, page->parties, &page->devices, &page->events);
	if (!err)
		err = tt_fold_open(TT_FOLD_BY_CGROUP, &page->fold);
	return err;
}

static int html_open(const struct tt_export_context *ctx, void **ret_state)
{
	struct tt_page *page = calloc(1, sizeof(*page));
	int err;

	if (!page)
		return -ENOMEM;
	page->ctx = *ctx;
	page->origin_ts_ns = ctx->from_ts_ns ? ctx->from_ts_ns : ctx->info->start_ts_ns;
	err = open_parts(page);
	if (err) {
		html_close(page);
		return err;
	}
	*ret_state = page;
	return 0;
}

static void take_loss(struct tt_page *page, const struct tt_loss *rec)
{
	if (!rec->count || rec->what >= TT_LOSS_NR)
		return;
	if (page->nr_losses == TT_PAGE_LOSSES_MAX) {
		page->nr_losses_left_out++;
		return;
	}
	page->losses[page->nr_losses++] = (struct tt_page_loss){ .since_ts_ns = rec->since_ts_ns,
								 .ts_ns = rec->rec.ts_ns,
								 .count = rec->count,
								 .what = rec->what,
								 .cpu = rec->rec.cpu };
}

static int html_event(void *state, const struct tt_event *ev)
{
	struct tt_page *page = state;

	tt_page_parties_event(page->parties, ev);
	tt_page_timeline_event(page->timeline, ev);
	tt_page_sums_event(&page->sums, ev);
	tt_page_pairs_event(page->pairs, ev);
	tt_page_events_event(page->events, ev);
	if (ev->kind == TT_EV_LOSS)
		take_loss(page, (const struct tt_loss *)((const struct tt_ev_record *)ev)->rec);
	return 0;
}

static int html_hit(void *state, const struct tt_hit *hit)
{
	struct tt_page *page = state;
	uint32_t party = hit->tid == TT_TID_UNKNOWN ? tt_page_party_of_name(page->parties, hit->comm)
						    : tt_page_party_of_task(page->parties, hit->tid);
	uint32_t entry = tt_fold_add(page->fold, hit);

	page->has_stacks |= hit->kstack != TT_STACK_NONE || hit->ustack != TT_STACK_NONE;
	tt_page_cells_add(page->cells,
			  tt_page_row(TT_PAGE_FAMILY_TASK, party * TT_CAUSE_NR + (uint32_t)hit->cause),
			  hit->ts_ns, hit->weight_ns, 1);
	tt_page_cells_add(page->cells, tt_page_row(TT_PAGE_FAMILY_STACK, entry), hit->ts_ns, hit->weight_ns,
			  1);
	return 0;
}

/* --- the end --- */

static int put_report(const struct tt_export_end *end, struct tt_page_pack *pack)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	int err;

	if (!out)
		return -ENOMEM;
	err = tt_render_json(out, end->report, end->head, false);
	if (fclose(out) && !err)
		err = -ENOMEM;
	if (!err)
		tt_page_pack_whole_text(pack, "report", text, len);
	free(text);
	return err;
}

static int put_meta(const struct tt_page *page, const struct tt_export_end *end,
		    const struct tt_page_profile *profile, struct tt_page_pack *pack)
{
	char *text = tt_page_meta(page, end, profile);

	if (!text)
		return -ENOMEM;
	tt_page_pack_whole_text(pack, "meta", text, strlen(text));
	free(text);
	return 0;
}

static int put_data(struct tt_page *page, const struct tt_export_end *end,
		    const struct tt_page_profile *profile, struct tt_page_pack *pack)
{
	int err = put_report(end, pack);

	if (!err)
		err = put_meta(page, end, profile, pack);
	tt_page_timeline_put(page->timeline, pack);
	tt_page_windows_put(page->ctx.world, &end->interval, page->origin_ts_ns, pack);
	tt_page_devices_put(&page->devices, pack);
	tt_page_parties_put(page->parties, page->cgroups, pack);
	tt_page_pairs_put(page->pairs, pack);
	tt_page_sums_put_buckets(pack);
	tt_page_cells_put(page->cells, pack);
	if (!err)
		err = tt_page_events_put(page->events, page->origin_ts_ns, pack);
	if (!err)
		err = tt_page_profile_put(profile, false, page->cgroups, pack);
	if (!err && page->ctx.baseline)
		err = tt_page_profile_put(&page->ctx.baseline->profile, true, NULL, pack);
	tt_page_cgroups_put(page->cgroups, pack);
	tt_page_pack_column(pack, "clamped", TT_PAGE_UNSIGNED);
	tt_page_pack_number(pack, tt_page_pack_nr_clamped(pack));
	return err ? err : tt_page_pack_finish(pack);
}

static int html_finish(void *state, struct tt_export_end *end)
{
	struct tt_page *page = state;
	struct tt_page_part head, tail;
	struct tt_page_profile profile;
	struct tt_page_pack *pack = NULL;
	int err = tt_page_template(&head, &tail) ? 0 : -ENOTSUP;

	if (!err)
		err = tt_page_profile_make(page->fold, page->ctx.stacks, &profile);
	if (err)
		return err;
	end->nr_merged = profile.nr_merged;
	tt_page_timeline_finish(page->timeline, end->interval.to_ts_ns);
	tt_page_cells_move(page->cells, TT_PAGE_FAMILY_STACK, profile.places);
	tt_page_cells_finish(page->cells);
	tt_out_bytes(page->ctx.out, head.text, head.len);
	err = tt_page_pack_open(page->ctx.out, &pack);
	if (!err)
		err = put_data(page, end, &profile, pack);
	tt_out_bytes(page->ctx.out, tail.text, tail.len);
	tt_page_pack_close(pack);
	tt_page_profile_close(&profile);
	return err;
}

const struct tt_exporter tt_exporter_html = {
	.name = "html",
	.help = "one page to look at: timeline, flame graph, heat maps and more",
	.is_binary = true, /* text, but millions of letters of it */
	.needs_report = true,
	.takes_counters = true,
	.takes_baseline = true,
	.lack = html_lack,
	.open = html_open,
	.event = html_event,
	.hit = html_hit,
	.finish = html_finish,
	.close = html_close,
};

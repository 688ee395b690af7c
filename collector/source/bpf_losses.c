/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/source/bpf_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "collector/base/log.h"

/* --- losses that only the kernel side knows --- */

static uint64_t recursion_misses(struct bpf_source *b, const char *prefix)
{
	struct bpf_program *prog;
	uint64_t nr = 0;

	bpf_object__for_each_program(prog, b->skel->obj)
	{
		struct bpf_prog_info info = { 0 };
		uint32_t len = sizeof(info);

		if (strncmp(bpf_program__name(prog), prefix, strlen(prefix)) || bpf_program__fd(prog) < 0 ||
		    bpf_obj_get_info_by_fd(bpf_program__fd(prog), &info, &len))
			continue;
		nr += info.recursion_misses;
		if (info.recursion_misses && b->stopped)
			log_verbose("bpf: %s: the kernel skipped %llu runs (it was interrupted by itself)",
				    bpf_program__name(prog), (unsigned long long)info.recursion_misses);
	}
	return nr;
}

void tt_bpf_read_losses(struct bpf_source *b, uint64_t lost[TT_LOSS_NR])
{
	struct tt_cpu *cpus = calloc(b->nr_cpus, sizeof(*cpus));
	uint32_t zero = 0;

	memset(lost, 0, TT_LOSS_NR * sizeof(lost[0]));
	if (cpus && !bpf_map_lookup_elem(bpf_map__fd(b->skel->maps.tt_cpus), &zero, cpus)) {
		for (unsigned i = 0; i < b->nr_cpus; i++) {
			lost[TT_LOSS_SWITCHES] += cpus[i].nr_shed_switches;
			lost[TT_LOSS_RECORDS] += cpus[i].nr_shed_records;
			lost[TT_LOSS_NESTED] += cpus[i].nr_nested;
			lost[TT_LOSS_TASK_STATE] += cpus[i].nr_lost_task_state;
			lost[TT_LOSS_REQUEST_STATE] += cpus[i].nr_lost_request_state;
			lost[TT_LOSS_STACKS] += cpus[i].nr_shed_stacks;
			lost[TT_LOSS_STACK_MISSED] += cpus[i].nr_missed_stacks;
			lost[TT_LOSS_STACK_CUT] += cpus[i].nr_cut_stacks;
			lost[TT_LOSS_COPIES] += cpus[i].nr_skipped_copies;
		}
	}
	free(cpus);
	/* switches are counted by nr_switches, requests are found again by their state */
	lost[TT_LOSS_UNSEEN] = recursion_misses(b, "task__");
}

/* Shed switches and records, and nested programs, are in the batch headers; these are not. */
int tt_bpf_emit_losses(struct bpf_source *b)
{
	static const uint32_t told_here[] = { TT_LOSS_TASK_STATE, TT_LOSS_REQUEST_STATE, TT_LOSS_UNSEEN,
					      TT_LOSS_STACKS, TT_LOSS_STACK_MISSED, TT_LOSS_STACK_CUT,
					      TT_LOSS_COPIES };
	uint64_t lost[TT_LOSS_NR];
	int err;

	tt_bpf_read_losses(b, lost);
	for (unsigned i = 0; i < sizeof(told_here) / sizeof(told_here[0]); i++) {
		uint32_t what = told_here[i];
		struct tt_loss rec = { .what = what, .since_ts_ns = b->last_epoch_ns };

		if (lost[what] <= b->told_lost[what])
			continue;
		rec.count = lost[what] - b->told_lost[what];
		b->told_lost[what] = lost[what];
		err = tt_bpf_emit_record(b, &rec, sizeof(rec), TT_EV_LOSS);
		if (err)
			return err;
	}
	return 0;
}

/* The state of a CPU that no later header will tell: its last batch found the ring full, or it went offline
 * with nothing staged. */
static void close_shed_stretch(struct tt_cpu *c, unsigned cpu)
{
	c->head = (struct tt_batch){
		.size = sizeof(c->head),
		.cpu = (uint16_t)cpu,
		.stream = TT_STREAM_SCHED,
		.version = TT_WIRE_VERSION,
		.base_ts_ns = c->last_ts_ns,
		.steal_clock_ns = c->steal_clock_ns,
		.nr_switches = c->nr_switches,
		.wait_total_ns = c->wait_total_ns,
		.nr_shed_switches = c->nr_shed_switches,
		.nr_shed_records = c->nr_shed_records,
		.prev_tid = c->cur_tid,
		.flags = c->next_flags | TT_BATCH_LAST,
		.nr_nested = c->nr_nested,
	};
}

static int salvage_records(struct bpf_source *b, struct tt_cpu *c)
{
	if (!c->records_pos || c->records_pos > TT_RECORDS_WORDS)
		return 0;
	c->records_head.size = (uint32_t)(sizeof(c->records_head) + c->records_pos * 8);
	tt_disk_names_note_batch(b->disk_names, &c->records_head);
	return b->src.sink.batch(b->src.sink.ctx, &c->records_head, c->records_head.size);
}

/* What no ring will bring any more at the end: the state after a last batch that was shed, the staged batch of a CPU that is
 * offline and that no cpu__died has closed, and records that found no room. */
int tt_bpf_salvage_cpus(struct bpf_source *b)
{
	struct tt_cpu *cpus = calloc(b->nr_cpus, sizeof(*cpus));
	uint32_t zero = 0;
	int err = 0;

	if (!cpus)
		return -ENOMEM;
	if (!bpf_map_lookup_elem(bpf_map__fd(b->skel->maps.tt_cpus), &zero, cpus)) {
		for (unsigned i = 0; i < b->nr_cpus && !err; i++) {
			struct tt_batch *head = &cpus[i].head;

			err = salvage_records(b, &cpus[i]);
			if (err)
				break;
			if (cpus[i].on == TT_CPU_ON && head->size && cpus[i].pos <= TT_BODY_WORDS) {
				head->size = (uint32_t)(sizeof(*head) + cpus[i].pos * 8);
				head->flags |= TT_BATCH_LAST;
			} else if (cpus[i].on == TT_CPU_ON || cpus[i].next_flags & TT_BATCH_AFTER_SHED) {
				close_shed_stretch(&cpus[i], i);
			} else {
				continue;
			}
			err = b->src.sink.batch(b->src.sink.ctx, head, head->size);
		}
	}
	free(cpus);
	return err;
}

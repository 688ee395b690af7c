/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/source/bpf_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* --- running a program on a CPU --- */

/* What the program returned, or negative errno. */
static int run_on(struct bpf_program *prog, unsigned cpu, uint64_t arg)
{
	uint64_t args[1] = { arg };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = args, .ctx_size_in = sizeof(args),
		    .flags = BPF_F_TEST_RUN_ON_CPU, .cpu = cpu);
	int err = bpf_prog_test_run_opts(bpf_program__fd(prog), &opts);

	return err ? err : (int)opts.retval;
}

void tt_bpf_run_everywhere(struct bpf_source *b, struct bpf_program *prog, uint64_t arg)
{
	for (unsigned cpu = 0; cpu < b->nr_cpus; cpu++)
		run_on(prog, cpu, arg); /* an offline CPU refuses; it begins by itself when it comes */
}

void tt_bpf_sync_everywhere(struct bpf_source *b, uint64_t what)
{
	enum { TRIES = 100 }; /* it says 1 when it came into the middle of a block completion's program */

	for (unsigned cpu = 0; cpu < b->nr_cpus; cpu++) {
		int ret = 1;

		for (int i = 0; i < TRIES && ret == 1; i++)
			ret = run_on(b->skel->progs.core__sync, cpu, what);
		/* an offline CPU refuses; the kernel has taken its event away, and it needs a new one */
		if (ret < 0)
			tt_bpf_clocks_detach_cpu(b, cpu);
	}
}

/* --- from ring to sink --- */

int tt_bpf_on_sample(void *ctx, void *data, size_t len)
{
	struct bpf_source *b = ctx;
	const struct tt_batch *batch = data;
	int err;

	/* the ring pads to 8 bytes and so do we: size is exact */
	if (len < sizeof(*batch) || batch->size > len)
		return 0;
	tt_disk_names_note_batch(b->disk_names, batch);
	b->bytes_since_epoch += batch->size;
	err = b->src.sink.batch(b->src.sink.ctx, batch, batch->size);
	if (err)
		b->sink_err = err;
	return err;
}

int tt_bpf_emit_record(struct bpf_source *b, void *record, uint16_t size, uint16_t kind)
{
	return tt_record_emit(&b->src.sink, record, size, kind, tt_now_ns());
}

/* --- sums that the disk probe keeps in a map --- */

struct sum_value {
	uint64_t v[6]; /* struct disk_sum of disk.bpf.c */
};

static struct known_sum *known_sum(struct bpf_source *b, uint32_t dev, uint32_t group)
{
	struct known_sum *grown;

	for (unsigned i = 0; i < b->nr_sums; i++)
		if (b->sums[i].dev == dev && b->sums[i].group == group)
			return &b->sums[i];
	if (b->nr_sums == b->sums_room) {
		unsigned room = b->sums_room ? 2 * b->sums_room : 64; /* bounded by the map: 8192 */

		grown = realloc(b->sums, room * sizeof(*grown));
		if (!grown)
			return NULL;
		b->sums = grown;
		b->sums_room = room;
	}
	b->sums[b->nr_sums] = (struct known_sum){ .dev = dev, .group = group };
	return &b->sums[b->nr_sums++];
}

/* As of the epoch's time: they are what the epoch adds. */
static int emit_disk_sums(struct bpf_source *b, uint64_t until_ts_ns)
{
	int fd = bpf_map__fd(b->skel->maps.tt_disk_sums), err;
	struct {
		uint32_t dev, group;
	} key, next, *prev = NULL;

	if (!b->plan.rungs[TT_LADDER_DISK])
		return 0;
	while (!bpf_map_get_next_key(fd, prev, &next)) {
		struct tt_disk_sums rec = { .dev = next.dev, .group = (uint16_t)next.group };
		struct known_sum *known = known_sum(b, next.dev, next.group);
		struct sum_value now;

		key = next;
		prev = &key;
		if (!known)
			return -ENOMEM;
		if (bpf_map_lookup_elem(fd, &next, &now) || !memcmp(now.v, known->values, sizeof(now.v)))
			continue;
		rec.nr_merges = now.v[0] - known->values[0];
		rec.nr_shed = now.v[1] - known->values[1];
		rec.shed_bytes = now.v[2] - known->values[2];
		rec.shed_total_ns = now.v[3] - known->values[3];
		rec.shed_queue_ns = now.v[4] - known->values[4];
		rec.shed_device_ns = now.v[5] - known->values[5];
		memcpy(known->values, now.v, sizeof(now.v));
		tt_disk_names_note(b->disk_names, next.dev);
		err = tt_record_emit(&b->src.sink, &rec, sizeof(rec), TT_EV_DISK_SUMS, until_ts_ns);
		if (err)
			return err;
	}
	return 0;
}

/* --- epochs --- */

int tt_bpf_drain(struct bpf_source *b)
{
	int n = ring_buffer__consume(b->rings);

	if (b->sink_err)
		return b->sink_err;
	return n < 0 ? n : 0;
}

/* Requests whose end no program saw. */
void tt_bpf_find_missed_ends(struct bpf_source *b)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);

	if (b->plan.sweep && b->plan.rungs[TT_LADDER_DISK])
		bpf_prog_test_run_opts(bpf_program__fd(b->skel->progs.disk__sweep), &opts);
}

int tt_bpf_make_epoch(struct bpf_source *b, uint64_t sync)
{
	uint64_t until_ns = tt_now_ns();
	int err;

	tt_bpf_find_missed_ends(b);
	/* what is staged needs room, or it would come after the epoch that covers it */
	err = tt_bpf_drain(b);
	tt_bpf_sync_everywhere(b, sync);
	if (!err)
		err = tt_bpf_drain(b);
	if (!err)
		err = tt_bpf_emit_late_tasks(b);
	if (!err && sync == SYNC_END)
		err = tt_bpf_salvage_cpus(b);
	if (!err)
		err = emit_disk_sums(b, until_ns);
	if (!err)
		err = tt_disk_names_describe(b->disk_names, b->proc_root, &b->src.sink, until_ns);
	if (!err)
		err = tt_bpf_emit_losses(b);
	if (!err) {
		/* the last epoch takes in all that was made on the way out */
		if (sync == SYNC_END)
			until_ns = tt_now_ns();
		err = b->src.sink.epoch(b->src.sink.ctx, until_ns);
	}
	b->last_epoch_ns = until_ns;
	b->bytes_since_epoch = 0;
	return err;
}

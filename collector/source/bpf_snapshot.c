/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/source/bpf_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- tasks --- */

int tt_bpf_emit_all_tasks(struct bpf_source *b, uint32_t why)
{
	struct tt_record_batch batch;
	struct bpf_link *link;
	_Alignas(8) char buf[sizeof(struct tt_task) * 64];
	size_t have = 0;
	ssize_t n;
	int fd, err = 0;

	b->skel->bss->tt_iter_why = why;
	link = bpf_program__attach_iter(b->skel->progs.task__all, NULL);
	if (!link)
		return -errno;
	fd = bpf_iter_create(bpf_link__fd(link));
	if (fd < 0) {
		err = -errno;
		bpf_link__destroy(link);
		return err;
	}
	tt_record_batch_init(&batch, &b->src.sink);
	while (!err && (n = read(fd, buf + have, sizeof(buf) - have)) != 0) {
		size_t used = 0;

		if (n < 0) {
			if (errno == EINTR || errno == EAGAIN)
				continue;
			err = -errno;
			break;
		}
		have += (size_t)n;
		for (; !err && have - used >= sizeof(struct tt_task); used += sizeof(struct tt_task)) {
			struct tt_task *t = (void *)(buf + used);

			err = tt_record_batch_add(&batch, &t->rec, sizeof(*t), TT_EV_TASK, TT_CPU_NONE,
						  t->rec.ts_ns);
		}
		have -= used;
		memmove(buf, buf + used, have);
	}
	if (!err)
		err = tt_record_batch_flush(&batch);
	close(fd);
	bpf_link__destroy(link);
	return err;
}

int tt_bpf_emit_late_tasks(struct bpf_source *b)
{
	int fd = bpf_map__fd(b->skel->maps.tt_late_tasks), err = 0;
	struct tt_record_batch batch;
	struct tt_task task;

	tt_record_batch_init(&batch, &b->src.sink);
	while (!err && !bpf_map_lookup_and_delete_elem(fd, NULL, &task))
		err = tt_record_batch_add(&batch, &task.rec, sizeof(task), TT_EV_TASK, task.rec.cpu, task.rec.ts_ns);
	return err ? err : tt_record_batch_flush(&batch);
}

int tt_bpf_seed_tasks(struct bpf_source *b)
{
	const struct tt_bpf_rung *runq = b->plan.rungs[TT_LADDER_RUNQ];
	struct bpf_program *prog;
	struct bpf_link *link;
	char sink[64];
	int fd, err = 0;

	if (!runq)
		return 0;
	prog = !strcmp(runq->name, "raw_tp") ? b->skel->progs.sched_raw__seed : b->skel->progs.sched__seed;
	link = bpf_program__attach_iter(prog, NULL);
	if (!link)
		return -errno;
	fd = bpf_iter_create(bpf_link__fd(link));
	if (fd < 0)
		err = -errno;
	while (!err && read(fd, sink, sizeof(sink)) > 0)
		;
	if (fd >= 0)
		close(fd);
	bpf_link__destroy(link);
	return err;
}

/* --- counters --- */

struct clock_reader {
	struct clocks *cpus;
	unsigned nr_cpus;
};

static void fill_clocks(void *ctx, struct tt_cpu_counters *counters)
{
	struct clock_reader *r = ctx;

	if (!r->cpus || counters->rec.cpu >= r->nr_cpus)
		return;
	counters->steal_clock_ns = r->cpus[counters->rec.cpu].steal_clock_ns;
	counters->prev_steal_rq_ns = r->cpus[counters->rec.cpu].prev_steal_rq_ns;
	counters->nr_switches = r->cpus[counters->rec.cpu].nr_switches;
}

int tt_bpf_read_clocks(struct bpf_source *b, struct clocks *cpus)
{
	uint32_t zero = 0;

	tt_bpf_run_everywhere(b, b->skel->progs.core__read_clocks, 0);
	return bpf_map_lookup_elem(bpf_map__fd(b->skel->maps.tt_clocks), &zero, cpus);
}

int tt_bpf_emit_counters(struct bpf_source *b)
{
	struct clock_reader reader = { .nr_cpus = b->nr_cpus };
	int err;

	reader.cpus = calloc(b->nr_cpus, sizeof(*reader.cpus));
	if (!reader.cpus)
		return -ENOMEM;
	if (tt_bpf_read_clocks(b, reader.cpus))
		memset(reader.cpus, 0, b->nr_cpus * sizeof(*reader.cpus));
	err = tt_proc_emit_cpu_counters(b->proc_root, &b->src.sink, fill_clocks, &reader);
	free(reader.cpus);
	if (!err && b->plan.rungs[TT_LADDER_DISK])
		err = tt_proc_emit_disk_counters(b->proc_root, &b->src.sink, b->only_dev, &b->disk_names->known);
	return err;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The BPF source: one skeleton, one ring per CPU, epochs by time and volume.
 *
 * Begin and end of a CPU's window, and the flush of an idle CPU's staged records, are made by a raw_tp
 * program that is run on that CPU (core__sync). An epoch is: note the time, run the flush everywhere, drain
 * every ring; then everything up to the noted time has arrived.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bpf/event.h"
#include "collector/base/log.h"
#include "collector/source/bpf_rungs.h"
#include "collector/source/btf_shape.h"
#include "collector/source/proc_snapshot.h"
#include "collector/source/record_batch.h"
#include "collector/source/source.h"
#include "timethief.skel.h"

/* bpf/core.bpf.c */
enum { SYNC_BEGIN = 1, SYNC_FLUSH = 2, SYNC_END = 3, SYNC_WHOAMI = 4 };

enum {
	EPOCH_BYTES = 4 << 20,
	NR_GROUPS = TT_DISK_GROUPS,
	MAX_LINKS = 64,
	COST_WINDOW_MS = 100,	/* BPF run time is counted for so long */
	COST_PERIOD_MS = 10000, /* in every so long: counting costs about as much as a small program */
};

/* What was last told of a device's sums. */
struct known_sum {
	uint32_t dev, group;
	uint64_t values[6];
};

struct bpf_source {
	struct tt_source src;
	struct btf *btf;
	struct tt_bpf_host host;
	struct tt_bpf_plan plan;
	struct timethief_bpf *skel;
	struct bpf_link *links[MAX_LINKS];
	unsigned nr_links;
	struct bpf_link **tick_links; /* cpu-clock events, one a CPU, NULL = none */
	unsigned nr_cpus;
	int *ring_fds;
	uint64_t ring_bytes;
	struct ring_buffer *rings;
	uint64_t interval_ns, next_due_ns; /* epochs by time keep their beat, whatever volume does */
	uint64_t last_epoch_ns, bytes_since_epoch;
	int sink_err;
	bool started, stopped;
	const char *proc_root;
	struct tt_proc_known_disks *known_disks;
	uint32_t new_devs[64]; /* seen in records, not yet described */
	unsigned nr_new_devs;
	struct known_sum *sums;
	unsigned nr_sums, sums_room;
	uint64_t told_lost[TT_LOSS_NR];
	uint32_t only_dev;
	/* cost */
	int stats_fd;
	uint64_t cost_from_ns, cost_counted_ns, started_ns, stopped_ns;
	uint64_t base_run_ns, base_run_cnt, counted_run_ns, counted_run_cnt;
};

static struct bpf_source *self(struct tt_source *src)
{
	return (struct bpf_source *)src;
}

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

static void run_everywhere(struct bpf_source *b, struct bpf_program *prog, uint64_t arg)
{
	for (unsigned cpu = 0; cpu < b->nr_cpus; cpu++)
		run_on(prog, cpu, arg); /* an offline CPU refuses; it begins by itself when it comes */
}

static void sync_everywhere(struct bpf_source *b, uint64_t what)
{
	enum { TRIES = 100 }; /* it says 1 when it came into the middle of a block completion's program */

	for (unsigned cpu = 0; cpu < b->nr_cpus; cpu++) {
		int ret = 1;

		for (int i = 0; i < TRIES && ret == 1; i++)
			ret = run_on(b->skel->progs.core__sync, cpu, what);
		/* an offline CPU refuses; the kernel has taken its event away, and it needs a new one */
		if (ret < 0 && b->tick_links && b->tick_links[cpu]) {
			bpf_link__destroy(b->tick_links[cpu]);
			b->tick_links[cpu] = NULL;
		}
	}
}

/* --- from ring to sink --- */

static void note_device(struct bpf_source *b, uint32_t dev)
{
	struct tt_proc_known_disks *known = b->known_disks;

	if (!dev)
		return;
	for (unsigned i = 0; i < known->nr; i++)
		if (known->disks[i].dev == dev)
			return;
	for (unsigned i = 0; i < b->nr_new_devs; i++)
		if (b->new_devs[i] == dev)
			return;
	if (b->nr_new_devs < sizeof(b->new_devs) / sizeof(b->new_devs[0]))
		b->new_devs[b->nr_new_devs++] = dev;
}

static int on_sample(void *ctx, void *data, size_t len)
{
	struct bpf_source *b = ctx;
	const struct tt_batch *batch = data;
	const struct tt_disk *disk = (const void *)(batch + 1);
	int err;

	/* the ring pads to 8 bytes and so do we: size is exact */
	if (len < sizeof(*batch) || batch->size > len)
		return 0;
	if (batch->stream == TT_STREAM_RECORDS && len >= sizeof(*batch) + sizeof(*disk) &&
	    disk->rec.kind == TT_EV_DISK)
		note_device(b, disk->dev);
	b->bytes_since_epoch += batch->size;
	err = b->src.sink.batch(b->src.sink.ctx, batch, batch->size);
	if (err)
		b->sink_err = err;
	return err;
}

static int emit_record(struct bpf_source *b, void *record, uint16_t size, uint16_t kind)
{
	struct tt_record_batch batch;
	int err;

	tt_record_batch_init(&batch, &b->src.sink);
	err = tt_record_batch_add(&batch, record, size, kind, TT_CPU_NONE, tt_now_ns());
	return err ? err : tt_record_batch_flush(&batch);
}

static int describe_new_devices(struct bpf_source *b)
{
	int err;

	for (unsigned i = 0; i < b->nr_new_devs; i++) {
		struct tt_proc_known_disks *known = b->known_disks;

		err = tt_proc_emit_device(b->proc_root, &b->src.sink, b->new_devs[i]);
		if (err && err != -ENOENT)
			return err;
		/* also one that is gone already is asked for only once */
		if (known->nr < TT_PROC_DISKS_MAX)
			known->disks[known->nr++].dev = b->new_devs[i];
	}
	b->nr_new_devs = 0;
	return 0;
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

static int emit_disk_sums(struct bpf_source *b)
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
		note_device(b, next.dev);
		err = emit_record(b, &rec, sizeof(rec), TT_EV_DISK_SUMS);
		if (err)
			return err;
	}
	return 0;
}

/* --- losses that only the kernel side knows --- */

/* struct tt_cpu of bpf/probe.bpf.h, as far as it is read here; the rest is its staging buffer. */
struct cpu_state {
	uint64_t last_ts_ns, raw_steal_ns, steal_clock_ns, account_ns, wait_total_ns, nr_switches,
		nr_shed_switches;
	uint32_t nr_shed_records, nr_nested, nr_lost_task_state, nr_lost_request_state, cur_tid, pos,
		nr_batch_switches;
	uint16_t next_flags;
	uint8_t on, busy;
	struct tt_batch head;
	uint64_t body[512];
};
_Static_assert(sizeof(struct cpu_state) == 7 * 8 + 8 * 4 + sizeof(struct tt_batch) + 4096,
	       "struct tt_cpu changed");

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

static void read_losses(struct bpf_source *b, uint64_t lost[TT_LOSS_NR])
{
	struct cpu_state *cpus = calloc(b->nr_cpus, sizeof(*cpus));
	uint32_t zero = 0;

	memset(lost, 0, TT_LOSS_NR * sizeof(lost[0]));
	if (cpus && !bpf_map_lookup_elem(bpf_map__fd(b->skel->maps.tt_cpus), &zero, cpus)) {
		for (unsigned i = 0; i < b->nr_cpus; i++) {
			lost[TT_LOSS_SWITCHES] += cpus[i].nr_shed_switches;
			lost[TT_LOSS_RECORDS] += cpus[i].nr_shed_records;
			lost[TT_LOSS_NESTED] += cpus[i].nr_nested;
			lost[TT_LOSS_TASK_STATE] += cpus[i].nr_lost_task_state;
			lost[TT_LOSS_REQUEST_STATE] += cpus[i].nr_lost_request_state;
		}
	}
	free(cpus);
	/* switches are counted by nr_switches, requests are found again by their state */
	lost[TT_LOSS_UNSEEN] = recursion_misses(b, "task__");
}

/* Shed switches and records, and nested programs, are in the batch headers; these are not. */
static int emit_losses(struct bpf_source *b)
{
	static const uint32_t told_here[] = { TT_LOSS_TASK_STATE, TT_LOSS_REQUEST_STATE, TT_LOSS_UNSEEN };
	uint64_t lost[TT_LOSS_NR];
	int err;

	read_losses(b, lost);
	for (unsigned i = 0; i < sizeof(told_here) / sizeof(told_here[0]); i++) {
		uint32_t what = told_here[i];
		struct tt_loss rec = { .what = what, .since_ts_ns = b->last_epoch_ns };

		if (lost[what] <= b->told_lost[what])
			continue;
		rec.count = lost[what] - b->told_lost[what];
		b->told_lost[what] = lost[what];
		err = emit_record(b, &rec, sizeof(rec), TT_EV_LOSS);
		if (err)
			return err;
	}
	return 0;
}

/* enum tt_cpu_on of bpf/probe.bpf.h */
enum { CPU_ON = 1, CPU_STOPPED = 2 };

/* The state of a CPU that no later header will tell: its last batch found the ring full, or it went offline
 * with nothing staged. */
static void close_shed_stretch(struct cpu_state *c, unsigned cpu)
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

/* What no ring will bring any more at the end: the staged batch of a CPU that is offline and cannot run the
 * flush, and the state after a last batch that was shed. */
static int salvage_cpus(struct bpf_source *b)
{
	struct cpu_state *cpus = calloc(b->nr_cpus, sizeof(*cpus));
	uint32_t zero = 0;
	int err = 0;

	if (!cpus)
		return -ENOMEM;
	if (!bpf_map_lookup_elem(bpf_map__fd(b->skel->maps.tt_cpus), &zero, cpus)) {
		for (unsigned i = 0; i < b->nr_cpus && !err; i++) {
			struct tt_batch *head = &cpus[i].head;

			if (cpus[i].on == CPU_ON && head->size && cpus[i].pos <= 512) {
				head->size = (uint32_t)(sizeof(*head) + cpus[i].pos * 8);
				head->flags |= TT_BATCH_LAST;
			} else if (cpus[i].on == CPU_ON ||
				   (cpus[i].on == CPU_STOPPED && cpus[i].next_flags & TT_BATCH_AFTER_SHED)) {
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

/* --- epochs --- */

static int drain(struct bpf_source *b)
{
	int n = ring_buffer__consume(b->rings);

	if (b->sink_err)
		return b->sink_err;
	return n < 0 ? n : 0;
}

/* Requests whose end no program saw. */
static void find_missed_ends(struct bpf_source *b)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);

	if (b->plan.sweep && b->plan.rungs[TT_LADDER_DISK])
		bpf_prog_test_run_opts(bpf_program__fd(b->skel->progs.disk__sweep), &opts);
}

static int make_epoch(struct bpf_source *b, uint64_t sync)
{
	uint64_t until_ns = tt_now_ns();
	int err;

	sync_everywhere(b, sync);
	find_missed_ends(b);
	err = drain(b);
	if (!err && sync == SYNC_END)
		err = salvage_cpus(b);
	if (!err)
		err = emit_disk_sums(b);
	if (!err)
		err = describe_new_devices(b);
	if (!err)
		err = emit_losses(b);
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

/* --- tasks --- */

static int emit_all_tasks(struct bpf_source *b, uint32_t why)
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

static int seed_tasks(struct bpf_source *b)
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

struct clocks {
	uint64_t steal_clock_ns, prev_steal_rq_ns, nr_switches;
};

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

static int emit_counters(struct bpf_source *b)
{
	struct clock_reader reader = { .nr_cpus = b->nr_cpus };
	uint32_t zero = 0;
	int err;

	reader.cpus = calloc(b->nr_cpus, sizeof(*reader.cpus));
	if (!reader.cpus)
		return -ENOMEM;
	run_everywhere(b, b->skel->progs.core__read_clocks, 0);
	if (bpf_map_lookup_elem(bpf_map__fd(b->skel->maps.tt_clocks), &zero, reader.cpus))
		memset(reader.cpus, 0, b->nr_cpus * sizeof(*reader.cpus));
	err = tt_proc_emit_cpu_counters(b->proc_root, &b->src.sink, fill_clocks, &reader);
	free(reader.cpus);
	if (!err && b->plan.rungs[TT_LADDER_DISK])
		err = tt_proc_emit_disk_counters(b->proc_root, &b->src.sink, b->only_dev, b->known_disks);
	return err;
}

/* --- cost --- */

static void read_run_time(struct bpf_source *b, uint64_t *ret_ns, uint64_t *ret_cnt)
{
	struct bpf_program *prog;

	*ret_ns = *ret_cnt = 0;
	bpf_object__for_each_program(prog, b->skel->obj)
	{
		struct bpf_prog_info info = { 0 };
		uint32_t len = sizeof(info);

		if (bpf_program__fd(prog) < 0 || bpf_obj_get_info_by_fd(bpf_program__fd(prog), &info, &len))
			continue;
		*ret_ns += info.run_time_ns;
		*ret_cnt += info.run_cnt;
	}
}

/* The kernel counts run time only while asked to, and asking costs: look for a tenth of a second in every
 * ten. */
static void cost_update(struct bpf_source *b, bool last)
{
	uint64_t now_ns = tt_now_ns(), run_ns, run_cnt;

	if (b->stats_fd < 0) {
		if (last || now_ns - b->cost_from_ns < (uint64_t)COST_PERIOD_MS * 1000000)
			return;
		read_run_time(b, &b->base_run_ns, &b->base_run_cnt);
		b->stats_fd = bpf_enable_stats(BPF_STATS_RUN_TIME);
		b->cost_from_ns = tt_now_ns();
		return;
	}
	if (!last && now_ns - b->cost_from_ns < (uint64_t)COST_WINDOW_MS * 1000000)
		return;
	close(b->stats_fd);
	b->stats_fd = -1;
	read_run_time(b, &run_ns, &run_cnt);
	b->counted_run_ns += run_ns - b->base_run_ns;
	b->counted_run_cnt += run_cnt - b->base_run_cnt;
	b->cost_counted_ns += now_ns - b->cost_from_ns;
}

/* --- opening --- */

static int check_root(const struct tt_source_options *opts)
{
	if (opts->proc_root && opts->proc_root[0]) {
		log_error("bpf: cannot trace another root than /");
		return -EINVAL;
	}
	return 0;
}

/* --hook PROBE=HOOK. NULL = none for this probe. */
static const char *forced_hook(const struct tt_source_options *opts, unsigned probe)
{
	size_t len = strlen(tt_probe_name(probe));
	const char *found = NULL;

	for (unsigned i = 0; i < opts->nr_hooks; i++)
		if (!strncmp(opts->hooks[i], tt_probe_name(probe), len) && opts->hooks[i][len] == '=')
			found = opts->hooks[i] + len + 1;
	return found;
}

static void list_hooks(unsigned probe, char *buf, size_t size)
{
	size_t len = 0;

	buf[0] = '\0';
	for (unsigned i = 0; i < tt_bpf_nr_rungs; i++)
		if (tt_bpf_rungs[i].probe == probe && len < size)
			len += (size_t)snprintf(buf + len, size - len, "%s%s", len ? ", " : "",
						tt_bpf_rungs[i].name);
}

/* A rung that loads can still be blind: a steal area that nobody writes stays 0 while the kernel has counted
 * steal since boot. */
static bool steal_is_blind(struct bpf_source *b)
{
	uint64_t boot_ticks = 0, clock_ns = 0;
	struct clocks *cpus = calloc(b->nr_cpus, sizeof(*cpus));
	uint32_t zero = 0;
	char line[512];
	FILE *f = fopen("/proc/stat", "re");
	unsigned long long t[8];

	if (f && fgets(line, sizeof(line), f) &&
	    sscanf(line, "cpu %llu %llu %llu %llu %llu %llu %llu %llu", &t[0], &t[1], &t[2], &t[3], &t[4],
		   &t[5], &t[6], &t[7]) == 8)
		boot_ticks = t[7];
	if (f)
		fclose(f);
	run_everywhere(b, b->skel->progs.core__read_clocks, 0);
	if (cpus && !bpf_map_lookup_elem(bpf_map__fd(b->skel->maps.tt_clocks), &zero, cpus))
		for (unsigned i = 0; i < b->nr_cpus; i++)
			clock_ns += cpus[i].steal_clock_ns;
	free(cpus);
	return boot_ticks > 2 && clock_ns == 0;
}

static int load_plan(struct bpf_source *b, const struct tt_source_options *opts)
{
	int err = tt_bpf_plan_open(&b->plan, &b->host, b->nr_cpus, &b->skel);

	if (err)
		return err;
	b->skel->rodata->tt_wakeup_bytes = (uint32_t)(b->ring_bytes / 4);
	b->skel->rodata->tt_only_dev = opts->device;
	err = timethief_bpf__load(b->skel);
	if (err) {
		timethief_bpf__destroy(b->skel);
		b->skel = NULL;
	}
	return err;
}

static bool is_account_rung(const struct tt_bpf_rung *rung)
{
	return rung && rung->probe == TT_PROBE_STEAL && rung->try_attach;
}

/* Chooses the best rung of each probe that loads; falls down a ladder one rung at a time. */
static int choose_and_load(struct bpf_source *b, const struct tt_source_options *opts)
{
	static const unsigned probes[TT_NR_LADDERS] = { TT_PROBE_STEAL, TT_PROBE_DISK, TT_PROBE_RUNQ };
	unsigned index[TT_NR_LADDERS] = { 0 };
	int err;

	for (unsigned i = 0; i < TT_NR_LADDERS; i++) {
		const char *hook = forced_hook(opts, probes[i]);

		if (!(opts->probes & probes[i]))
			continue;
		if (!hook) {
			b->plan.rungs[i] = tt_bpf_rung_next(probes[i], &b->host, &index[i]);
			continue;
		}
		b->plan.rungs[i] = tt_bpf_rung_find(probes[i], hook);
		if (!b->plan.rungs[i]) {
			char hooks[256];

			list_hooks(probes[i], hooks, sizeof(hooks));
			log_error("--hook %s=%s: no such hook; %s has: %s", tt_probe_name(probes[i]), hook,
				  tt_probe_name(probes[i]), hooks);
			return -EINVAL;
		}
		if (b->plan.rungs[i]->absent(&b->host)) {
			log_error("--hook %s=%s: %s", tt_probe_name(probes[i]), hook,
				  b->plan.rungs[i]->absent(&b->host));
			return -ENXIO;
		}
		if (b->plan.rungs[i]->try_attach) {
			err = tt_bpf_rung_try(b->plan.rungs[i], &b->host, b->nr_cpus, NULL);
			if (err) {
				log_error("--hook %s=%s: refused by this kernel: %s",
					  tt_probe_name(probes[i]), hook, strerror(-err));
				return -ENXIO; /* no other source will do: it was asked for */
			}
		}
	}
	/* rungs whose attaching can be refused are tried first, all others by loading them together */
	for (unsigned i = 0; i < TT_NR_LADDERS; i++) {
		while (b->plan.rungs[i] && !forced_hook(opts, probes[i]) && b->plan.rungs[i]->try_attach &&
		       tt_bpf_rung_try(b->plan.rungs[i], &b->host, b->nr_cpus, NULL)) {
			index[i]++;
			b->plan.rungs[i] = tt_bpf_rung_next(probes[i], &b->host, &index[i]);
		}
	}
	for (;;) {
		bool changed = false;

		if (!b->plan.rungs[0] && !b->plan.rungs[1] && !b->plan.rungs[2]) {
			log_error("bpf: no hook of any probe can be loaded here: timethief doctor tells why");
			return -ENOSYS;
		}
		err = load_plan(b, opts);
		if (!err && b->plan.rungs[TT_LADDER_STEAL] && !forced_hook(opts, TT_PROBE_STEAL) &&
		    !is_account_rung(b->plan.rungs[TT_LADDER_STEAL]) && steal_is_blind(b)) {
			log_warn("steal: hook %s reads 0 although the kernel has counted steal: taking the "
				 "next one",
				 b->plan.rungs[TT_LADDER_STEAL]->name);
			timethief_bpf__destroy(b->skel);
			b->skel = NULL;
			index[TT_LADDER_STEAL]++;
			b->plan.rungs[TT_LADDER_STEAL] =
				tt_bpf_rung_next(TT_PROBE_STEAL, &b->host, &index[TT_LADDER_STEAL]);
			continue;
		}
		if (!err || err == -EPERM || err == -ENOMEM)
			break;
		for (unsigned i = 0; i < TT_NR_LADDERS && !changed; i++) {
			int why;

			if (!b->plan.rungs[i])
				continue;
			why = tt_bpf_rung_try(b->plan.rungs[i], &b->host, b->nr_cpus, NULL);
			if (!why)
				continue;
			log_verbose("%s: hook %s does not load (%s)", tt_probe_name(probes[i]),
				    b->plan.rungs[i]->name, strerror(-why));
			if (forced_hook(opts, probes[i])) {
				log_error("--hook %s=%s: refused by this kernel: %s",
					  tt_probe_name(probes[i]), b->plan.rungs[i]->name, strerror(-why));
				return -ENXIO;
			}
			index[i]++;
			b->plan.rungs[i] = tt_bpf_rung_next(probes[i], &b->host, &index[i]);
			changed = true;
		}
		if (!changed)
			break; /* each loads alone, together they do not */
	}
	if (err)
		log_error("bpf: the programs do not load: %s%s%s", strerror(-err),
			  tt_bpf_last_words()[0] ? ": " : "", tt_bpf_last_words());
	return err;
}

static int make_rings(struct bpf_source *b)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts);
	int err;

	b->ring_fds = malloc(b->nr_cpus * sizeof(*b->ring_fds));
	if (!b->ring_fds)
		return -ENOMEM;
	for (unsigned i = 0; i < b->nr_cpus; i++)
		b->ring_fds[i] = -1;
	for (uint32_t i = 0; i < b->nr_cpus; i++) {
		b->ring_fds[i] =
			bpf_map_create(BPF_MAP_TYPE_RINGBUF, "tt_ring", 0, 0, (uint32_t)b->ring_bytes, &opts);
		if (b->ring_fds[i] < 0) {
			err = -errno;
			log_error("bpf: no ring buffer of %llu bytes for CPU %u: %s; --ring-size makes it "
				  "smaller",
				  (unsigned long long)b->ring_bytes, i, strerror(-err));
			return err;
		}
		if (bpf_map_update_elem(bpf_map__fd(b->skel->maps.tt_rings), &i, &b->ring_fds[i], BPF_ANY))
			return -errno;
		if (!b->rings)
			b->rings = ring_buffer__new(b->ring_fds[i], on_sample, b, NULL);
		else if (ring_buffer__add(b->rings, b->ring_fds[i], on_sample, b))
			return -errno;
		if (!b->rings)
			return -errno;
	}
	return 0;
}

/* A power of two of whole pages, as the kernel wants it. By default 8 MiB a CPU, less where there are many.
 */
static uint64_t ring_size(uint64_t wanted, unsigned nr_cpus)
{
	const uint64_t all_rings = 256ull << 20;
	uint64_t size = (uint64_t)sysconf(_SC_PAGESIZE);

	while (size < 2 * TT_BATCH_BYTES_MAX) /* a batch and the ring's own header must fit */
		size *= 2;

	if (!wanted) {
		wanted = all_rings / nr_cpus;
		if (wanted > 8ull << 20)
			wanted = 8ull << 20;
		if (wanted < 1ull << 20)
			wanted = 1ull << 20;
		while (size * 2 <= wanted)
			size *= 2;
		return size;
	}
	while (size < wanted && size < 1ull << 30)
		size *= 2;
	return size;
}

static void tell_probes(const struct bpf_source *b, struct tt_info *info, unsigned wanted)
{
	static const unsigned probes[TT_NR_LADDERS] = { TT_PROBE_STEAL, TT_PROBE_DISK, TT_PROBE_RUNQ };

	info->nr_probes = 0;
	for (unsigned i = 0; i < TT_NR_LADDERS; i++) {
		struct tt_probe_info *p = &info->probes[info->nr_probes];
		const struct tt_bpf_rung *rung = b->plan.rungs[i];

		if (!(wanted & probes[i]))
			continue;
		info->nr_probes++;
		memset(p, 0, sizeof(*p));
		snprintf(p->probe, sizeof(p->probe), "%s", tt_probe_name(probes[i]));
		if (!rung)
			continue;
		snprintf(p->rung, sizeof(p->rung), "%s", rung->name);
		snprintf(p->detail, sizeof(p->detail), "%s%s", rung->detail,
			 probes[i] != TT_PROBE_STEAL ? ""
			 : b->plan.tick_by_perf	     ? "; tick seen by a cpu-clock event"
						     : "; tick seen by local_timer_exit");
	}
}

static void bpf_close(struct tt_source *src)
{
	struct bpf_source *b = self(src);

	if (!b)
		return;
	for (unsigned i = 0; i < b->nr_links; i++)
		bpf_link__destroy(b->links[i]);
	for (unsigned i = 0; b->tick_links && i < b->nr_cpus; i++)
		bpf_link__destroy(b->tick_links[i]);
	if (b->stats_fd >= 0)
		close(b->stats_fd);
	ring_buffer__free(b->rings);
	for (unsigned i = 0; b->ring_fds && i < b->nr_cpus; i++)
		if (b->ring_fds[i] >= 0)
			close(b->ring_fds[i]);
	timethief_bpf__destroy(b->skel);
	btf__free(b->btf);
	free(b->tick_links);
	free(b->ring_fds);
	free(b->known_disks);
	free(b->sums);
	free(b);
}

static int bpf_open(const struct tt_source_options *opts, struct tt_info *info, const struct tt_sink *sink,
		    struct tt_source **ret_src)
{
	struct bpf_source *b;
	int err = check_root(opts), nr_cpus;
	char why[200];

	if (err)
		return err;
	tt_bpf_catch_words();
	err = tt_bpf_check_permitted(why, sizeof(why));
	if (err) {
		log_error("bpf: %s", why);
		return err;
	}
	b = calloc(1, sizeof(*b));
	if (!b)
		return -ENOMEM;
	b->src.sink = *sink;
	b->src.ops = &tt_source_bpf;
	b->stats_fd = -1;
	b->proc_root = "";
	b->interval_ns = opts->interval_ns ? opts->interval_ns : 1000000000;
	b->only_dev = opts->device;
	nr_cpus = libbpf_num_possible_cpus();
	if (nr_cpus < 1) {
		log_error(
			"bpf: cannot tell how many CPUs there may be (/sys/devices/system/cpu/possible): %s",
			strerror(-nr_cpus));
		err = -ENOSYS;
		goto fail;
	}
	b->nr_cpus = (unsigned)nr_cpus;
	b->ring_bytes = ring_size(opts->ring_bytes, b->nr_cpus);
	b->known_disks = calloc(1, sizeof(*b->known_disks));
	b->btf = b->known_disks ? btf__load_vmlinux_btf() : NULL;
	if (!b->btf) {
		err = b->known_disks ? -ENOSYS : -ENOMEM;
		log_error("bpf: this kernel has no BTF (/sys/kernel/btf/vmlinux): the places of its fields "
			  "are unknown");
		goto fail;
	}
	b->host = (struct tt_bpf_host){ .btf = b->btf, .hypervisor = info->hypervisor };
	b->plan.tick_by_perf = tt_bpf_tick_by_perf(&b->host);
	b->plan.sweep =
		libbpf_probe_bpf_helper(BPF_PROG_TYPE_RAW_TRACEPOINT, BPF_FUNC_for_each_map_elem, NULL) == 1;
	b->plan.bio_devices = tt_btf_tracepoint_args(b->btf, "block_bio_complete") > 0;
	err = choose_and_load(b, opts);
	if (err)
		goto fail;
	err = make_rings(b);
	if (err)
		goto fail;
	tell_probes(b, info, opts->probes);
	*ret_src = &b->src;
	return 0;
fail:
	bpf_close(&b->src);
	return err;
}

/* --- attaching --- */

static bool is_attached_by_hand(const char *name)
{
	return !strncmp(name, "core__", 6) || !strcmp(name, "task__all") || !strcmp(name, "sched__seed") ||
	       !strcmp(name, "sched_raw__seed") || !strcmp(name, "steal__clock") ||
	       !strcmp(name, "disk__sweep");
}

static int attach_one(struct bpf_source *b, struct bpf_program *prog)
{
	struct bpf_link *link;

	if (b->nr_links == MAX_LINKS)
		return -E2BIG;
	link = bpf_program__attach(prog);
	if (!link) {
		int err = -errno;

		log_error("bpf: cannot attach %s (%s): %s", bpf_program__name(prog),
			  bpf_program__section_name(prog), strerror(-err));
		return err;
	}
	b->links[b->nr_links++] = link;
	return 0;
}

/* The fork hooks first: no task may be born unseen between them and the iterator. */
static int attach_all(struct bpf_source *b)
{
	for (int pass = 0; pass < 2; pass++) {
		struct bpf_program *prog;

		bpf_object__for_each_program(prog, b->skel->obj)
		{
			const char *name = bpf_program__name(prog);
			bool is_fork = strstr(name, "newtask") != NULL;
			int err;

			if (!bpf_program__autoload(prog) || is_attached_by_hand(name) ||
			    is_fork != (pass == 0))
				continue;
			err = attach_one(b, prog);
			if (err)
				return err;
		}
	}
	return 0;
}

/* Where no tracepoint tells of the timer interrupt: 250 Hz, as most kernels tick. CPUs that come later get
 * theirs when they are first seen online. */
static void attach_perf_ticks(struct bpf_source *b)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_SW_CPU_CLOCK,
		.freq = 1,
		.sample_freq = 250,
	};

	if (!b->plan.tick_by_perf || !b->plan.rungs[TT_LADDER_STEAL])
		return;
	if (!b->tick_links)
		b->tick_links = calloc(b->nr_cpus, sizeof(*b->tick_links));
	for (unsigned cpu = 0; b->tick_links && cpu < b->nr_cpus; cpu++) {
		struct bpf_link *link;
		int fd;

		if (b->tick_links[cpu])
			continue;
		fd = (int)syscall(SYS_perf_event_open, &attr, -1, (int)cpu, -1, PERF_FLAG_FD_CLOEXEC);
		if (fd < 0)
			continue;
		link = bpf_program__attach_perf_event(b->skel->progs.steal__clock, fd);
		if (!link)
			close(fd);
		b->tick_links[cpu] = link; /* owns the descriptor */
	}
}

static int bpf_start(struct tt_source *src)
{
	struct bpf_source *b = self(src);
	int err = attach_all(b);

	if (err)
		return err;
	attach_perf_ticks(b);
	err = seed_tasks(b);
	if (err) {
		log_error("bpf: cannot walk the tasks (iter/task): %s", strerror(-err));
		return err;
	}
	bpf_prog_test_run_opts(bpf_program__fd(b->skel->progs.core__sync),
			       &(struct bpf_test_run_opts){ .sz = sizeof(struct bpf_test_run_opts),
							    .ctx_in = &(uint64_t){ SYNC_WHOAMI },
							    .ctx_size_in = sizeof(uint64_t) });
	b->started_ns = b->last_epoch_ns = tt_now_ns();
	b->next_due_ns = b->started_ns + b->interval_ns;
	b->skel->bss->tt_recording = 1;
	sync_everywhere(b, SYNC_BEGIN);
	b->started = true;
	err = emit_counters(b);
	if (!err)
		err = tt_proc_emit_cgroups(b->proc_root, &b->src.sink);
	if (!err)
		err = emit_all_tasks(b, TT_TASK_AT_START);
	read_run_time(b, &b->base_run_ns, &b->base_run_cnt);
	b->stats_fd = bpf_enable_stats(BPF_STATS_RUN_TIME);
	b->cost_from_ns = tt_now_ns();
	return err;
}

static int bpf_poll(struct tt_source *src, int timeout_ms)
{
	struct bpf_source *b = self(src);
	uint64_t now_ns = tt_now_ns();
	int left_ms = now_ns >= b->next_due_ns ? 0 : (int)((b->next_due_ns - now_ns + 999999) / 1000000);
	int n;

	if (left_ms < timeout_ms)
		timeout_ms = left_ms;
	if (b->stats_fd >= 0 && timeout_ms > COST_WINDOW_MS)
		timeout_ms = COST_WINDOW_MS;
	n = ring_buffer__poll(b->rings, timeout_ms);
	if (b->sink_err)
		return b->sink_err;
	if (n < 0)
		return n;
	cost_update(b, false);
	now_ns = tt_now_ns();
	if (now_ns < b->next_due_ns && b->bytes_since_epoch < EPOCH_BYTES)
		return 0;
	while (b->next_due_ns <= now_ns)
		b->next_due_ns += b->interval_ns;
	attach_perf_ticks(b);
	return make_epoch(b, SYNC_FLUSH);
}

static int bpf_stop(struct tt_source *src)
{
	struct bpf_source *b = self(src);
	int err;

	if (!b->started || b->stopped)
		return 0;
	b->stopped = true;
	/* the counters of the end come after the last record; and the end snapshot must not push the rings over */
	find_missed_ends(b);
	err = b->sink_err ? b->sink_err : drain(b);
	if (!err)
		err = emit_all_tasks(b, TT_TASK_AT_END);
	if (!err)
		err = emit_counters(b);
	cost_update(b, true);
	b->stopped_ns = tt_now_ns();
	b->skel->bss->tt_recording = 0;
	if (!err)
		return make_epoch(b, SYNC_END);
	return err;
}

static void bpf_stats(struct tt_source *src, struct tt_source_stats *ret_stats)
{
	struct bpf_source *b = self(src);
	uint64_t all_ns = b->stopped_ns - b->started_ns;

	memset(ret_stats, 0, sizeof(*ret_stats));
	read_losses(b, ret_stats->nr_lost);
	ret_stats->ring_bytes = b->ring_bytes * b->nr_cpus;
	if (b->cost_counted_ns && b->stopped) {
		double scale = (double)all_ns / (double)b->cost_counted_ns;

		ret_stats->prog_ns = (uint64_t)((double)b->counted_run_ns * scale);
		ret_stats->prog_runs = (uint64_t)((double)b->counted_run_cnt * scale);
	}
}

const struct tt_source_ops tt_source_bpf = {
	.name = "bpf",
	.help = "BPF programs in the kernel: every switch, request and stolen stretch",
	.open = bpf_open,
	.start = bpf_start,
	.poll = bpf_poll,
	.stop = bpf_stop,
	.stats = bpf_stats,
	.close = bpf_close,
};

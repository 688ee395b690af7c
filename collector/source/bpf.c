/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The BPF source: one skeleton, one ring per CPU, epochs by time and volume.
 *
 * Begin and end of a CPU's window, and the flush of an idle CPU's staged records, are made by a raw_tp
 * program that is run on that CPU (core__sync). An epoch is: note the time, run the flush everywhere, drain
 * every ring; then everything up to the noted time has arrived.
 */
#include "collector/source/bpf_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "collector/base/log.h"
#include "collector/source/btf_shape.h"

static struct bpf_source *self(struct tt_source *src)
{
	return (struct bpf_source *)src;
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

/* Programs, maps, links, and for each CPU a ring and two events. Without this the kernel's refusals would look like hooks that it lacks. */
static int ensure_open_files(unsigned nr_cpus)
{
	struct rlimit limit;
	rlim_t needed = 256 + 3 * (rlim_t)nr_cpus;

	if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur >= needed)
		return 0;
	if (limit.rlim_max >= needed) {
		limit.rlim_cur = needed;
		if (!setrlimit(RLIMIT_NOFILE, &limit))
			return 0;
	}
	log_error("bpf: needs %llu open files, and only %llu are allowed: raise the limit (ulimit -n)", (unsigned long long)needed,
		  (unsigned long long)limit.rlim_max);
	return -EMFILE;
}

static void tell_probes(const struct bpf_source *b, struct tt_info *info, unsigned wanted)
{
	info->nr_probes = 0;
	for (unsigned i = 0; i < TT_NR_LADDERS; i++) {
		struct tt_probe_info *p = &info->probes[info->nr_probes];
		const struct tt_bpf_rung *rung = b->plan.rungs[i];
		unsigned probe = tt_ladder_probe(i);

		if (!(wanted & probe))
			continue;
		info->nr_probes++;
		memset(p, 0, sizeof(*p));
		snprintf(p->probe, sizeof(p->probe), "%s", tt_probe_name(probe));
		if (!rung)
			continue;
		snprintf(p->rung, sizeof(p->rung), "%s", rung->name);
		if (probe == TT_PROBE_CPU)
			snprintf(p->detail, sizeof(p->detail), "%s, %u times a second", rung->detail, b->clocks[CLOCK_SAMPLE].rate_hz);
		else
			snprintf(p->detail, sizeof(p->detail), "%s%s", rung->detail,
				 probe != TT_PROBE_STEAL   ? ""
				 : b->plan.tick_by_perf ? "; tick seen by a cpu-clock event"
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
	tt_bpf_clocks_detach(b);
	if (b->stats_fd >= 0)
		close(b->stats_fd);
	ring_buffer__free(b->rings);
	for (unsigned i = 0; b->ring_fds && i < b->nr_cpus; i++)
		if (b->ring_fds[i] >= 0)
			close(b->ring_fds[i]);
	timethief_bpf__destroy(b->skel);
	btf__free(b->btf);
	free(b->ring_fds);
	free(b->disk_names);
	free(b->sums);
	free(b);
}

/* Where no tracepoint tells of the timer interrupt, a clock does, as often as most kernels tick. */
static void set_up_clocks(struct bpf_source *b)
{
	if (b->plan.tick_by_perf && b->plan.rungs[TT_LADDER_STEAL])
		b->clocks[CLOCK_TICK] = (struct tt_bpf_clock){ .prog = b->skel->progs.steal__clock, .rate_hz = 250 };
	if (b->plan.rungs[TT_LADDER_CPU])
		b->clocks[CLOCK_SAMPLE] = (struct tt_bpf_clock){
			.prog = b->skel->progs.cpu__sample,
			.rate_hz = b->plan.sample_hz,
		};
}

static int check_copies(const struct tt_source_options *opts)
{
	if (!opts->copies_hz)
		return 0;
#ifdef __x86_64__
	if (libbpf_probe_bpf_helper(BPF_PROG_TYPE_RAW_TRACEPOINT, BPF_FUNC_task_pt_regs, NULL) == 1)
		return 0;
	log_error("bpf: copies of user stacks (--unwind dwarf) need Linux 5.15 or newer; --unwind fp does not");
#else
	log_error("bpf: copies of user stacks (--unwind dwarf) are made on x86-64 only; --unwind fp works everywhere");
#endif
	return -EOPNOTSUPP;
}

static int bpf_open(const struct tt_source_options *opts, struct tt_info *info, const struct tt_sink *sink,
		    struct tt_source **ret_src)
{
	struct bpf_source *b;
	int err = check_root(opts), nr_cpus;
	int64_t state;
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
	b->epoch_bytes = opts->epoch_bytes ? opts->epoch_bytes : EPOCH_BYTES;
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
	err = ensure_open_files(b->nr_cpus);
	if (err)
		goto fail;
	b->ring_bytes = tt_bpf_ring_size(opts->ring_bytes, b->nr_cpus);
	b->disk_names = calloc(1, sizeof(*b->disk_names));
	b->btf = b->disk_names ? btf__load_vmlinux_btf() : NULL;
	if (!b->btf) {
		err = b->disk_names ? -ENOSYS : -ENOMEM;
		log_error("bpf: this kernel has no BTF (/sys/kernel/btf/vmlinux), which tells where its "
			  "fields are; "
			  "ways on: SystemTap, or --source procfs (counters only)");
		goto fail;
	}
	b->host = (struct tt_bpf_host){ .btf = b->btf, .hypervisor = info->hypervisor };
	b->plan.tick_by_perf = tt_bpf_tick_by_perf(&b->host);
	b->plan.sweep =
		libbpf_probe_bpf_helper(BPF_PROG_TYPE_RAW_TRACEPOINT, BPF_FUNC_for_each_map_elem, NULL) == 1;
	b->plan.cpus_die = libbpf_probe_bpf_helper(BPF_PROG_TYPE_RAW_TRACEPOINT,
						   BPF_FUNC_map_lookup_percpu_elem, NULL) == 1 &&
			   tt_btf_tracepoint_args(b->btf, "cpuhp_exit") >= 0 &&
			   tt_btf_enum_value(b->btf, "CPUHP_TEARDOWN_CPU", &state);
	b->plan.stacks = opts->stacks;
	b->plan.copies_hz = opts->copies_hz;
	b->plan.copy_wait_ns = opts->copy_wait_ns;
	err = check_copies(opts);
	if (err)
		goto fail;
	b->plan.sample_hz = opts->rate_hz ? opts->rate_hz : TT_RATE_HZ_DEFAULT;
	b->plan.bio_devices = tt_btf_tracepoint_args(b->btf, "block_bio_complete") > 0;
	err = tt_bpf_choose_and_load(b, opts);
	if (err)
		goto fail;
	err = tt_bpf_make_rings(b);
	if (err)
		goto fail;
	set_up_clocks(b);
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
	       !strcmp(name, "cpu__sample") || !strcmp(name, "disk__sweep");
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

/* The hooks of fork and free first: no task may be born unseen between them and the iterator. */
static int attach_all(struct bpf_source *b)
{
	for (int pass = 0; pass < 2; pass++) {
		struct bpf_program *prog;

		bpf_object__for_each_program(prog, b->skel->obj)
		{
			const char *name = bpf_program__name(prog);
			bool is_life = strstr(name, "newtask") || strstr(name, "__free");
			int err;

			if (!bpf_program__autoload(prog) || is_attached_by_hand(name) ||
			    is_life != (pass == 0))
				continue;
			err = attach_one(b, prog);
			if (err)
				return err;
		}
	}
	return 0;
}

static int bpf_start(struct tt_source *src)
{
	struct bpf_source *b = self(src);
	int err = attach_all(b);

	if (!err)
		err = tt_bpf_clocks_attach(b);
	if (err)
		return err;
	err = tt_bpf_seed_tasks(b);
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
	tt_bpf_sync_everywhere(b, SYNC_BEGIN);
	b->started = true;
	err = tt_bpf_emit_counters(b);
	if (!err)
		err = tt_proc_emit_cgroups(b->proc_root, &b->src.sink);
	if (!err)
		err = tt_bpf_emit_all_tasks(b, TT_TASK_AT_START);
	tt_bpf_watch_steal_hook(b);
	tt_bpf_cost_begin(b);
	return err;
}

static int bpf_poll(struct tt_source *src, int timeout_ms)
{
	struct bpf_source *b = self(src);
	uint64_t now_ns = tt_now_ns();
	int left_ms = now_ns >= b->next_due_ns ? 0 : (int)((b->next_due_ns - now_ns + 999999) / 1000000);
	int n, err;

	if (left_ms < timeout_ms)
		timeout_ms = left_ms;
	if (b->stats_fd >= 0 && timeout_ms > COST_WINDOW_MS)
		timeout_ms = COST_WINDOW_MS;
	n = ring_buffer__poll(b->rings, timeout_ms);
	if (b->sink_err)
		return b->sink_err;
	if (n < 0)
		return n;
	tt_bpf_cost_update(b, false);
	now_ns = tt_now_ns();
	if (now_ns < b->next_due_ns && b->bytes_since_epoch < b->epoch_bytes)
		return 0;
	while (b->next_due_ns <= now_ns)
		b->next_due_ns += b->interval_ns;
	err = tt_bpf_clocks_attach(b);
	err = err ? err : tt_bpf_leave_silent_hook(b);
	return err ? err : tt_bpf_make_epoch(b, SYNC_FLUSH);
}

static int bpf_stop(struct tt_source *src)
{
	struct bpf_source *b = self(src);
	int err;

	if (!b->started || b->stopped)
		return 0;
	b->stopped = true;
	/* the counters of the end come after the last record; and the end snapshot must not push the rings over */
	tt_bpf_find_missed_ends(b);
	err = b->sink_err ? b->sink_err : tt_bpf_drain(b);
	if (!err)
		err = tt_bpf_emit_all_tasks(b, TT_TASK_AT_END);
	if (!err)
		err = tt_bpf_emit_counters(b);
	tt_bpf_cost_update(b, true);
	b->stopped_ns = tt_now_ns();
	b->skel->bss->tt_recording = 0;
	if (!err)
		return tt_bpf_make_epoch(b, SYNC_END);
	return err;
}

static void bpf_stats(struct tt_source *src, struct tt_source_stats *ret_stats)
{
	struct bpf_source *b = self(src);
	uint64_t all_ns = b->stopped_ns - b->started_ns;

	memset(ret_stats, 0, sizeof(*ret_stats));
	tt_bpf_read_losses(b, ret_stats->nr_lost);
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

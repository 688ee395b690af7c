/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/source/bpf_rungs.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "bpf/cpu_state.h"
#include "bpf/event.h"
#include "timethief.skel.h"
#include "timethief_modern.skel.h"
#include "collector/base/log.h"
#include "collector/source/btf_shape.h"
#include "collector/source/permit.h"
#include "collector/source/proc_file.h"

/* enum tt_steal_mode of bpf/probe.bpf.h */
enum { MODE_PERCPU = 1, MODE_AT_SWITCH = 2, MODE_ACCOUNT = 3 };

/* --- steal --- */

static bool percpu_distance(const struct btf *btf, const char *name, int64_t *ret_distance)
{
	int64_t var, runqueues;

	if (!tt_btf_percpu_offset(btf, name, &var) || !tt_btf_percpu_offset(btf, "runqueues", &runqueues))
		return false;
	*ret_distance = var - runqueues;
	return true;
}

static const char *no_way_to_rq(const struct btf *btf)
{
	return tt_btf_has_field(btf, "sched_entity", "cfs_rq")
		       ? NULL
		       : "no way from a task to its run queue (CONFIG_FAIR_GROUP_SCHED is off)";
}

static void set_steal_clock(struct timethief_bpf *skel, uint32_t mode, int64_t distance)
{
	skel->bss->tt_steal_mode = mode;
	skel->bss->tt_steal_distance = distance;
}

static const char *clock_absent(const struct tt_bpf_host *host)
{
	int64_t distance;

	if (strcmp(host->hypervisor, "KVM"))
		return "not a KVM guest: nobody writes the KVM steal area";
	if (!percpu_distance(host->btf, "steal_time", &distance))
		return "no per-CPU variable steal_time in BTF";
	return no_way_to_rq(host->btf);
}

static void clock_knobs(struct timethief_bpf *skel, const struct tt_bpf_host *host)
{
	int64_t distance = 0;

	percpu_distance(host->btf, "steal_time", &distance); /* struct kvm_steal_time begins with u64 steal */
	set_steal_clock(skel, MODE_PERCPU, distance);
}

static const char *clock_rq_absent(const struct tt_bpf_host *host)
{
	if (!tt_btf_has_field(host->btf, "rq", "prev_steal_time_rq"))
		return "no rq->prev_steal_time_rq (CONFIG_PARAVIRT_TIME_ACCOUNTING is off)";
	return no_way_to_rq(host->btf);
}

static void clock_rq_knobs(struct timethief_bpf *skel, const struct tt_bpf_host *host)
{
	int64_t offset = 0;

	tt_btf_field_offset(host->btf, "rq", "prev_steal_time_rq", &offset);
	set_steal_clock(skel, MODE_AT_SWITCH, offset);
}

static const char *tick_absent(const struct tt_bpf_host *host)
{
	if (!tt_btf_has_field(host->btf, "rq", "prev_steal_time"))
		return "no rq->prev_steal_time (CONFIG_PARAVIRT is off)";
	return no_way_to_rq(host->btf);
}

static void tick_knobs(struct timethief_bpf *skel, const struct tt_bpf_host *host)
{
	int64_t offset = 0;

	tt_btf_field_offset(host->btf, "rq", "prev_steal_time", &offset);
	set_steal_clock(skel, MODE_PERCPU, offset);
}

static const char *cpustat_absent(const struct tt_bpf_host *host)
{
	int64_t distance;

	if (!percpu_distance(host->btf, "kernel_cpustat", &distance))
		return "no per-CPU variable kernel_cpustat in BTF";
	return no_way_to_rq(host->btf);
}

static void cpustat_knobs(struct timethief_bpf *skel, const struct tt_bpf_host *host)
{
	const int cpustat_steal_index =
		7; /* CPUTIME_STEAL, include/linux/kernel_stat.h; unchanged since 2.6.38 */
	int64_t distance = 0;

	percpu_distance(host->btf, "kernel_cpustat", &distance);
	set_steal_clock(skel, MODE_PERCPU, distance + cpustat_steal_index * 8);
}

static const char *account_absent(const struct tt_bpf_host *host)
{
	return tt_btf_has_func(host->btf, "account_steal_time") ? NULL
								: "no function account_steal_time in BTF";
}

static void account_knobs(struct timethief_bpf *skel, const struct tt_bpf_host *host)
{
	(void)host;
	set_steal_clock(skel, MODE_ACCOUNT, 0);
}

/* --- disk --- */

static bool has_tracepoint(const struct tt_bpf_host *host, const char *name)
{
	return tt_btf_tracepoint_args(host->btf, name) >= 0;
}

static const char *io_done_absent(const struct tt_bpf_host *host)
{
	return has_tracepoint(host, "block_io_start") && has_tracepoint(host, "block_io_done")
		       ? NULL
		       : "no tracepoints block_io_start and block_io_done (they came with 6.5)";
}

static const char *account_done_absent(const struct tt_bpf_host *host)
{
	return tt_btf_has_func(host->btf, "blk_account_io_done")
		       ? NULL
		       : "no function blk_account_io_done in BTF (inlined)";
}

static const char *account_inner_absent(const struct tt_bpf_host *host)
{
	return tt_btf_has_func(host->btf, "__blk_account_io_done")
		       ? NULL
		       : "no function __blk_account_io_done (5.16 to 6.4 have it)";
}

static const char *complete_absent(const struct tt_bpf_host *host)
{
	return has_tracepoint(host, "block_rq_complete") ? NULL : "no tracepoint block_rq_complete";
}

/* A flag of struct request: bit numbers of an enum since 6.10 (5f89154e8e9e), which has a name only in later
 * kernels; macros before, the same from 4.10 on. */
static uint32_t rqf(const struct tt_bpf_host *host, const char *name, unsigned old_bit)
{
	int64_t bit;

	return 1u << (tt_btf_enum_value(host->btf, name, &bit) ? (unsigned)bit : old_bit);
}

static void disk_knobs(struct timethief_bpf *skel, const struct tt_bpf_host *host)
{
	skel->rodata->tt_rqf_flush_seq = rqf(host, "__RQF_FLUSH_SEQ", 4);
	skel->rodata->tt_rqf_io_stat = rqf(host, "__RQF_IO_STAT", 13);
	skel->rodata->tt_blk_queue_arg = tt_btf_tracepoint_args(host->btf, "block_rq_issue") == 2;
	skel->rodata->tt_bio_complete_queue_arg =
		tt_btf_tracepoint_args(host->btf, "block_bio_complete") != 1;
}

static void complete_knobs(struct timethief_bpf *skel, const struct tt_bpf_host *host)
{
	disk_knobs(skel, host);
	skel->rodata->tt_done_at_complete = true;
}

/* --- runq --- */

static const char *tp_btf_absent(const struct tt_bpf_host *host)
{
	return has_tracepoint(host, "sched_switch") ? NULL : "no tracepoint sched_switch in BTF";
}

static const char *sched_info_absent(const struct tt_bpf_host *host)
{
	const char *why = tp_btf_absent(host);

	if (!why && !tt_btf_has_field(host->btf, "sched_info", "run_delay"))
		why = "no sched_info.run_delay (CONFIG_SCHED_INFO is off)";
	return why ? why : no_way_to_rq(host->btf);
}

static void runq_knobs(struct timethief_bpf *skel, const struct tt_bpf_host *host)
{
	(void)host;
	skel->rodata->tt_probe_runq = true;
}

static void stamp_knobs(struct timethief_bpf *skel, const struct tt_bpf_host *host)
{
	runq_knobs(skel, host);
	skel->rodata->tt_use_stamps = true;
}

/* --- cpu --- */

static const char *never_absent(const struct tt_bpf_host *host)
{
	(void)host;
	return NULL;
}

static void no_knobs(struct timethief_bpf *skel, const struct tt_bpf_host *host)
{
	(void)skel;
	(void)host;
}

#define DISK_COMMON                                                                                          \
	"disk__rq_issue disk__rq_requeue disk__rq_complete disk__rq_merge disk__bio_backmerge "              \
	"disk__bio_frontmerge"
#define RUNQ_TP "sched__switch sched__waking sched__wakeup_new sched__newtask sched__free sched__seed "
#define RUNQ_RAW                                                                                             \
	"sched_raw__switch sched_raw__waking sched_raw__migrate sched_raw__wakeup_new sched_raw__newtask "   \
	"sched_raw__free sched_raw__seed"

const struct tt_bpf_rung tt_bpf_rungs[] = {
	{ TT_PROBE_STEAL, "clock", "",
	  "KVM steal area, read at every switch, timer interrupt and block completion", false, clock_absent,
	  clock_knobs, false },
	{ TT_PROBE_STEAL, "clock-rq", "", "rq->prev_steal_time_rq, read at every switch and timer interrupt",
	  false, clock_rq_absent, clock_rq_knobs, false },
	{ TT_PROBE_STEAL, "tick", "", "rq->prev_steal_time: what the tick has accounted", false, tick_absent,
	  tick_knobs, false },
	{ TT_PROBE_STEAL, "tick-cpustat", "", "kernel_cpustat[CPUTIME_STEAL]: what the tick has accounted",
	  false, cpustat_absent, cpustat_knobs, false },
	{ TT_PROBE_STEAL, "fentry", "steal__account_fentry", "calls of account_steal_time (fentry)", true,
	  account_absent, account_knobs, false },
	{ TT_PROBE_STEAL, "kprobe", "steal__account_kprobe", "calls of account_steal_time (kprobe)", true,
	  account_absent, account_knobs, false },

	{ TT_PROBE_DISK, "block_io_done", "disk__io_start disk__io_done " DISK_COMMON,
	  "tp_btf block_io_start and block_io_done", false, io_done_absent, disk_knobs, false },
	{ TT_PROBE_DISK, "fentry", "disk__account_fentry " DISK_COMMON, "fentry of blk_account_io_done", true,
	  account_done_absent, disk_knobs, true },
	{ TT_PROBE_DISK, "fentry-inner", "disk__account_inner_fentry " DISK_COMMON,
	  "fentry of __blk_account_io_done", true, account_inner_absent, disk_knobs, true },
	{ TT_PROBE_DISK, "kprobe", "disk__account_kprobe " DISK_COMMON, "kprobe on blk_account_io_done", true,
	  account_done_absent, disk_knobs, true },
	{ TT_PROBE_DISK, "kprobe-inner", "disk__account_inner_kprobe " DISK_COMMON,
	  "kprobe on __blk_account_io_done", true, account_inner_absent, disk_knobs, true },
	{ TT_PROBE_DISK, "block_rq_complete", DISK_COMMON, "tp_btf block_rq_issue and block_rq_complete",
	  false, complete_absent, complete_knobs, false },

	{ TT_PROBE_RUNQ, "tp_btf", RUNQ_TP "sched__migrate", "tp_btf sched_*, the kernel's own run_delay of each task", false,
	  sched_info_absent, runq_knobs, false },
	{ TT_PROBE_RUNQ, "stamps", RUNQ_TP "sched__wakeup", "tp_btf sched_*, stamps taken at wakeup and preemption", false,
	  tp_btf_absent, stamp_knobs, false },
	{ TT_PROBE_RUNQ, "raw_tp", RUNQ_RAW, "raw_tp sched_*, the kernel's own run_delay of each task", false,
	  sched_info_absent, runq_knobs, false },

	{ TT_PROBE_CPU, "perf_event", "cpu__sample", "a cpu-clock event of each CPU", false, never_absent, no_knobs, false },
};
const unsigned tt_bpf_nr_rungs = sizeof(tt_bpf_rungs) / sizeof(tt_bpf_rungs[0]);

unsigned tt_ladder_of(unsigned probe)
{
	return (unsigned)__builtin_ctz(probe);
}

unsigned tt_ladder_probe(unsigned ladder)
{
	return 1u << ladder;
}
_Static_assert(1 << TT_LADDER_STEAL == TT_PROBE_STEAL && 1 << TT_LADDER_DISK == TT_PROBE_DISK &&
		       1 << TT_LADDER_RUNQ == TT_PROBE_RUNQ && 1 << TT_LADDER_CPU == TT_PROBE_CPU,
	       "ladders are in the order of the bits");

const char *tt_probe_name(unsigned probe)
{
	static const char *const names[TT_NR_LADDERS] = { "steal", "disk", "runq", "cpu" };

	return names[tt_ladder_of(probe)];
}

const struct tt_bpf_rung *tt_bpf_rung_find(unsigned probe, const char *name)
{
	for (unsigned i = 0; i < tt_bpf_nr_rungs; i++)
		if (tt_bpf_rungs[i].probe == probe && !strcmp(tt_bpf_rungs[i].name, name))
			return &tt_bpf_rungs[i];
	return NULL;
}

/* --- libbpf's own words --- */

static char last_words[200]; /* "" = none since the last attempt to load began */

/* The first warning says what failed, those behind it only what failed therefore. The verifier's log comes in
 * one piece, and tells more than any warning: its reason is the last line before the statistics. */
static void keep_words(const char *first_line, const char *line)
{
	static const char log_begins[] = ": -- BEGIN PROG LOAD LOG --";
	const char *begins = strstr(first_line, log_begins);

	if (!begins && !last_words[0])
		snprintf(last_words, sizeof(last_words), "%.199s", line);
	else if (begins && line != first_line && strncmp(line, "processed ", 10) &&
		 strncmp(line, "-- END PROG LOAD LOG", 20))
		snprintf(last_words, sizeof(last_words), "%.*s: %.120s", (int)(begins - first_line),
			 first_line, line);
}

static int catch_words(enum libbpf_print_level level, const char *fmt, va_list args)
{
	char *text, *rest, *line;

	if (level > LIBBPF_INFO || vasprintf(&text, fmt, args) < 0)
		return 0;
	rest = text;
	while ((line = strsep(&rest, "\n"))) {
		if (!*line)
			continue;
		log_verbose("%s", line);
		if (level == LIBBPF_WARN)
			keep_words(text, line);
	}
	free(text);
	return 0;
}

void tt_bpf_catch_words(void)
{
	libbpf_set_print(catch_words);
}

const char *tt_bpf_last_words(void)
{
	return last_words;
}

/* --- plans --- */

static bool has_word(const char *words, const char *word)
{
	size_t len = strlen(word);

	for (const char *p = words; (p = strstr(p, word)); p += len)
		if ((p == words || p[-1] == ' ') && (p[len] == ' ' || p[len] == '\0'))
			return true;
	return false;
}

static const char *const always[] = { "core__sync",	    "core__read_clocks",   "task__newtask",
				      "task__exec",	    "task__rename",	   "task__exit",
				      "task__all",	    "task__cgroup_attach", "task__cgroup_mkdir",
				      "task__cgroup_rename" };

/* The timer of Xen and Hyper-V guests is an interrupt of its own, which local_timer_exit does not tell of. */
bool tt_bpf_tick_by_perf(const struct tt_bpf_host *host)
{
	return tt_btf_tracepoint_args(host->btf, "local_timer_exit") < 0 ||
	       !strcmp(host->hypervisor, "Xen") || !strcmp(host->hypervisor, "Hyper-V");
}

bool tt_bpf_plan_uses(const struct tt_bpf_plan *plan, const char *program)
{
	const struct tt_bpf_rung *steal = plan->rungs[TT_LADDER_STEAL], *runq = plan->rungs[TT_LADDER_RUNQ];

	for (unsigned i = 0; i < sizeof(always) / sizeof(always[0]); i++)
		if (!strcmp(always[i], program))
			return true;
	for (unsigned i = 0; i < TT_NR_LADDERS; i++)
		if (plan->rungs[i] && has_word(plan->rungs[i]->programs, program))
			return true;
	if (steal && !strcmp(program, plan->tick_by_perf ? "steal__clock" : "steal__timer"))
		return true;
	/* steal alone still needs to know who was running */
	if (steal && !runq && !strcmp(program, "sched__switch"))
		return true;
	if (plan->cpus_die && !strcmp(program, "cpu__died"))
		return true;
	if (plan->sweep && plan->rungs[TT_LADDER_DISK] && !strcmp(program, "disk__sweep"))
		return true;
	return plan->bio_devices && plan->rungs[TT_LADDER_DISK] &&
	       (!strcmp(program, "disk__bio_queue") || !strcmp(program, "disk__bio_split") ||
		!strcmp(program, "disk__bio_complete"));
}

/* A tracepoint that this kernel lacks must not fail the rest: names are then less complete, nothing else. */
static bool is_missing_extra(const struct bpf_program *prog, const struct tt_bpf_host *host)
{
	const char *section = bpf_program__section_name(prog), *slash = strrchr(section, '/');

	if (section[0] == '?')
		section++;
	return !strncmp(section, "tp_btf/", 7) && slash && tt_btf_tracepoint_args(host->btf, slash + 1) < 0;
}

/* The programs are built twice (bpf/probe.bpf.h), with the same maps and programs, so one type of skeleton serves both. */
_Static_assert(sizeof(struct timethief_bpf) == sizeof(struct timethief_modern_bpf) &&
		       offsetof(struct timethief_bpf, rodata) == offsetof(struct timethief_modern_bpf, rodata) &&
		       sizeof(*((struct timethief_bpf *)0)->rodata) == sizeof(*((struct timethief_modern_bpf *)0)->rodata),
	       "the two builds differ in more than code");

/* Whether this kernel takes the modern build: asked once, with the program that every plan has. */
static bool is_modern(const struct tt_bpf_host *host)
{
	static int known = -1;
	struct timethief_modern_bpf *skel;
	struct bpf_program *prog;

	if (known >= 0)
		return known;
	known = 0;
	if (!tt_btf_has_func(host->btf, "bpf_rdonly_cast"))
		return false;
	skel = timethief_modern_bpf__open();
	if (!skel)
		return false;
	bpf_object__for_each_program(prog, skel->obj)
		bpf_program__set_autoload(prog, prog == skel->progs.core__sync);
	known = !timethief_modern_bpf__load(skel);
	timethief_modern_bpf__destroy(skel);
	if (!known)
		log_verbose("bpf: the programs for newer kernels do not load (%s): taking the others", last_words);
	last_words[0] = '\0';
	return known;
}

static struct timethief_bpf *open_build(const struct tt_bpf_host *host)
{
	struct timethief_bpf *skel;

	if (is_modern(host))
		return (struct timethief_bpf *)timethief_modern_bpf__open();
	skel = timethief_bpf__open();
	if (skel) {
		bpf_map__set_autocreate(skel->maps.tt_seats, false);
		bpf_map__set_autocreate(skel->maps.tt_io_seats, false);
	}
	return skel;
}

/* Without stacks their maps are as small as they can be. */
static int set_up_stacks(struct timethief_bpf *skel, const struct tt_bpf_plan *plan)
{
	uint64_t key;
	char line[32];
	int64_t depth = TT_STACK_DEPTH_MAX;
	int err = 0;

	skel->rodata->tt_stacks = plan->stacks;
	if (!plan->stacks || !plan->copies_hz)
		err = bpf_map__set_max_entries(skel->maps.tt_copy_buffers, 1);
	if (err)
		return err;
	if (!plan->stacks)
		return bpf_map__set_max_entries(skel->maps.tt_stack_sets, 1);
	if (getrandom(&key, sizeof(key), 0) != sizeof(key))
		return -EIO;
	skel->rodata->tt_stack_key = key;
	if (!tt_proc_read_line(-1, "/proc/sys/kernel/perf_event_max_stack", line, sizeof(line)))
		depth = strtol(line, NULL, 10);
	skel->rodata->tt_stack_depth = depth < TT_STACK_DEPTH_MAX ? (uint32_t)depth : TT_STACK_DEPTH_MAX;
	if (plan->copies_hz) {
		skel->rodata->tt_copies = true;
		skel->rodata->tt_copy_interval_ns[TT_COPY_WAIT] = 1000000000 / plan->copies_hz;
		skel->rodata->tt_copy_interval_ns[TT_COPY_SAMPLE] = 1000000000 / (plan->copies_hz + plan->sample_hz);
		skel->rodata->tt_copy_wait_ns = plan->copy_wait_ns;
	}
	return 0;
}

int tt_bpf_plan_open(const struct tt_bpf_plan *plan, const struct tt_bpf_host *host, unsigned nr_cpus,
		     struct timethief_bpf **ret_skel)
{
	struct timethief_bpf *skel;
	struct bpf_program *prog;
	int64_t distance, offset, state;
	int err;

	last_words[0] = '\0';
	skel = open_build(host);
	if (!skel) {
		err = -errno;
		log_error("bpf: cannot open the built-in programs: %s", strerror(-err));
		return err;
	}
	bpf_object__for_each_program(prog, skel->obj)
	{
		bool use = tt_bpf_plan_uses(plan, bpf_program__name(prog)) && !is_missing_extra(prog, host);

		bpf_program__set_autoload(prog, use);
	}
	err = bpf_map__set_max_entries(skel->maps.tt_rings, nr_cpus);
	if (!err)
		err = set_up_stacks(skel, plan);
	if (err) {
		timethief_bpf__destroy(skel);
		return err;
	}
	for (unsigned i = 0; i < TT_NR_LADDERS; i++)
		if (plan->rungs[i])
			plan->rungs[i]->set_knobs(skel, host);
	if (plan->sample_hz)
		skel->rodata->tt_sample_period_ns = 1000000000 / plan->sample_hz;
	if (percpu_distance(host->btf, "__preempt_count", &distance))
		skel->rodata->tt_preempt_distance = distance;
	else if (percpu_distance(host->btf, "pcpu_hot", &distance) && /* 6.2 to 6.14 */
		 tt_btf_field_offset(host->btf, "pcpu_hot", "preempt_count", &offset))
		skel->rodata->tt_preempt_distance = distance + offset;
	if (tt_btf_enum_value(host->btf, "CPUHP_TEARDOWN_CPU", &state))
		skel->rodata->tt_state_of_death = (int32_t)state;
	skel->rodata->tt_switch_prev_state = tt_btf_tracepoint_args(host->btf, "sched_switch") >= 4;
	*ret_skel = skel;
	return 0;
}

int tt_bpf_rung_try(const struct tt_bpf_rung *rung, const struct tt_bpf_host *host, unsigned nr_cpus,
		    bool *ret_loaded)
{
	struct tt_bpf_plan plan = { 0 };
	struct timethief_bpf *skel;
	struct bpf_program *prog;
	int err;

	plan.rungs[tt_ladder_of(rung->probe)] = rung;
	plan.tick_by_perf = tt_bpf_tick_by_perf(host);
	if (ret_loaded)
		*ret_loaded = false;
	err = tt_bpf_plan_open(&plan, host, nr_cpus, &skel);
	if (err)
		return err;
	err = timethief_bpf__load(skel);
	if (ret_loaded)
		*ret_loaded = !err;
	if (!err && rung->try_attach) {
		bpf_object__for_each_program(prog, skel->obj)
		{
			struct bpf_link *link;

			if (!has_word(rung->programs, bpf_program__name(prog)))
				continue;
			link = bpf_program__attach(prog);
			if (!link) {
				err = -errno;
				break;
			}
			bpf_link__destroy(link);
		}
	}
	timethief_bpf__destroy(skel);
	return err;
}

/* --- privileges --- */

int tt_bpf_check_permitted(char *why, size_t size)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts);
	struct tt_permit permit;
	char missing[96];
	int fd, err;

	fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "tt_try", 4, 4, 1, &opts);
	err = fd < 0 ? -errno : 0;
	if (fd >= 0)
		close(fd);
	tt_permit_read("", &permit);
	if (!tt_permit_allows_bpf(&permit, missing, sizeof(missing))) {
		snprintf(why, size, "needs %s: run as root", missing);
		return -EPERM;
	}
	if (err == -EPERM)
		snprintf(why, size,
			 "the kernel refuses bpf(2) even with privileges (seccomp, a container or lockdown)");
	else if (err == -ENOSYS)
		snprintf(why, size, "this kernel has no bpf(2) (CONFIG_BPF_SYSCALL is off)");
	else if (err)
		snprintf(why, size, "bpf(2) failed: %s", strerror(-err));
	return err;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bpf_rungs - the ladders of hooks that BPF can climb (docs/hooks.md), best rung first, and how one is set up.
 *
 * A rung is data: programs it needs, what must be in BTF, how it sets the knobs. Which one is used is decided by BTF and by
 * trying to load (and for fentry and kprobe, to attach), never by a kernel version.
 */
#pragma once

#include <bpf/btf.h>
#include <stdbool.h>
#include <stddef.h>

#include "collector/session/info.h"
#include "collector/source/source.h"

struct timethief_bpf;

struct tt_bpf_host {
	const struct btf *btf;
	const char *hypervisor; /* tt_info.hypervisor */
};

struct tt_bpf_rung {
	unsigned probe; /* TT_PROBE_* */
	const char *name;
	const char *programs; /* names, separated by blanks; all of them must load */
	const char *detail;   /* for people: how it measures */
	bool try_attach;      /* loading proves nothing: fentry and kprobe are refused when they attach */
	/* NULL = present; else what this kernel lacks */
	const char *(*absent)(const struct tt_bpf_host *host);
	void (*set_knobs)(struct timethief_bpf *skel, const struct tt_bpf_host *host);
	bool unproven; /* none of the kernels of tests/vm and CI lets it attach */
};

extern const struct tt_bpf_rung tt_bpf_rungs[];
extern const unsigned tt_bpf_nr_rungs;

enum { TT_LADDER_STEAL, TT_LADDER_DISK, TT_LADDER_RUNQ, TT_LADDER_CPU, TT_NR_LADDERS }; /* in the order of the bits of TT_PROBE_* */

/* The rung chosen for each probe; NULL = the probe is not recorded. */
struct tt_bpf_plan {
	const struct tt_bpf_rung *rungs[TT_NR_LADDERS];
	bool tick_by_perf; /* tp_btf/local_timer_exit tells of no tick: a cpu-clock event per CPU */
	bool sweep;	   /* bpf_for_each_map_elem is there (5.13): look for requests whose end was missed */
	bool cpus_die; /* bpf_map_lookup_percpu_elem is there (5.19): a CPU's window ends when it goes offline */
	bool bio_devices; /* watch bios of devices without requests */
	bool stacks;
	uint32_t copies_hz; /* as in tt_source_options */
	uint64_t copy_wait_ns;
	uint32_t sample_hz; /* of the cpu ladder */
};

const char *tt_probe_name(unsigned probe);
unsigned tt_ladder_of(unsigned probe); /* and back: */
unsigned tt_ladder_probe(unsigned ladder);
bool tt_bpf_tick_by_perf(const struct tt_bpf_host *host);
/* NULL = no such rung */
const struct tt_bpf_rung *tt_bpf_rung_find(unsigned probe, const char *name);

/* Opens a skeleton with just the programs of the plan switched on, maps sized, knobs set; not yet loaded. */
int tt_bpf_plan_open(const struct tt_bpf_plan *plan, const struct tt_bpf_host *host, unsigned nr_cpus,
		     struct timethief_bpf **ret_skel);
bool tt_bpf_plan_uses(const struct tt_bpf_plan *plan, const char *program);
/* Loads (and where it says so, attaches) the rung alone. 0 or negative errno; *ret_loaded (NULL: who cares) tells
 * which of the two failed. */
int tt_bpf_rung_try(const struct tt_bpf_rung *rung, const struct tt_bpf_host *host, unsigned nr_cpus,
		    bool *ret_loaded);
/* What libbpf or the verifier said during the last failure: the most telling line. */
const char *tt_bpf_last_words(void);
void tt_bpf_catch_words(void); /* routes libbpf's messages here (and to -v) */

/* -EPERM and a sentence naming the missing capabilities when BPF is not permitted. */
int tt_bpf_check_permitted(char *why, size_t size);

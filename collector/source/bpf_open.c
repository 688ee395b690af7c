/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/source/bpf_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "collector/base/log.h"

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
	char line[512];
	FILE *f = fopen("/proc/stat", "re");
	unsigned long long t[8];

	if (f && fgets(line, sizeof(line), f) &&
	    sscanf(line, "cpu %llu %llu %llu %llu %llu %llu %llu %llu", &t[0], &t[1], &t[2], &t[3], &t[4],
		   &t[5], &t[6], &t[7]) == 8)
		boot_ticks = t[7];
	if (f)
		fclose(f);
	if (cpus && !tt_bpf_read_clocks(b, cpus))
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
	b->skel->rodata->tt_wakeup_bytes =
		(uint32_t)(b->ring_bytes / 4 < b->epoch_bytes / 2 ? b->ring_bytes / 4 : b->epoch_bytes / 2);
	b->skel->rodata->tt_only_dev = opts->device;
	err = timethief_bpf__load(b->skel);
	if (err) {
		timethief_bpf__destroy(b->skel);
		b->skel = NULL;
	}
	return err;
}

static const unsigned ladder_probes[TT_NR_LADDERS] = { TT_PROBE_STEAL, TT_PROBE_DISK, TT_PROBE_RUNQ };

/* The next rung of a ladder that BTF does not rule out and that attaches, where that can be refused. NULL = its end. */
static void step_to_usable(struct bpf_source *b, unsigned ladder, unsigned *index)
{
	const struct tt_bpf_rung **rung = &b->plan.rungs[ladder];

	while ((*rung = tt_bpf_rung_next(ladder_probes[ladder], &b->host, index)) && (*rung)->try_attach &&
	       tt_bpf_rung_try(*rung, &b->host, b->nr_cpus, NULL))
		(*index)++;
}

/* The rung that was asked for, or an error that says why not: no other source will do then. */
static int take_forced(struct bpf_source *b, unsigned ladder, const char *hook)
{
	unsigned probe = ladder_probes[ladder];
	const struct tt_bpf_rung *rung = tt_bpf_rung_find(probe, hook);
	char hooks[256];
	int err;

	if (!rung) {
		list_hooks(probe, hooks, sizeof(hooks));
		log_error("--hook %s=%s: no such hook; %s has: %s", tt_probe_name(probe), hook,
			  tt_probe_name(probe), hooks);
		return -EINVAL;
	}
	if (rung->absent(&b->host)) {
		log_error("--hook %s=%s: %s", tt_probe_name(probe), hook, rung->absent(&b->host));
		return -ENXIO;
	}
	err = tt_bpf_rung_try(rung, &b->host, b->nr_cpus, NULL);
	if (err) {
		log_error("--hook %s=%s: refused by this kernel: %s", tt_probe_name(probe), hook,
			  strerror(-err));
		return -ENXIO;
	}
	b->plan.rungs[ladder] = rung;
	return 0;
}

/* The programs are loaded: does the steal rung that we chose see what the kernel has counted? */
static bool must_leave_steal_rung(struct bpf_source *b, const struct tt_source_options *opts)
{
	const struct tt_bpf_rung *rung = b->plan.rungs[TT_LADDER_STEAL];

	/* the account rungs count from now on only; the end of the recording compares them */
	if (!rung || rung->try_attach || forced_hook(opts, TT_PROBE_STEAL) || !steal_is_blind(b))
		return false;
	log_warn("steal: hook %s reads 0 although the kernel has counted steal: taking the next one",
		 rung->name);
	timethief_bpf__destroy(b->skel);
	b->skel = NULL;
	return true;
}

/* Together they do not load: one step down the first ladder whose rung does not load alone. */
static bool step_down_refused(struct bpf_source *b, const struct tt_source_options *opts,
			      unsigned index[TT_NR_LADDERS])
{
	for (unsigned i = 0; i < TT_NR_LADDERS; i++) {
		const struct tt_bpf_rung *rung = b->plan.rungs[i];
		int err;

		if (!rung || forced_hook(opts, ladder_probes[i])) /* a forced one has been tried */
			continue;
		err = tt_bpf_rung_try(rung, &b->host, b->nr_cpus, NULL);
		if (!err)
			continue;
		log_verbose("%s: hook %s does not load (%s)", tt_probe_name(rung->probe), rung->name,
			    strerror(-err));
		index[i]++;
		step_to_usable(b, i, &index[i]);
		return true;
	}
	return false;
}

int tt_bpf_choose_and_load(struct bpf_source *b, const struct tt_source_options *opts)
{
	unsigned index[TT_NR_LADDERS] = { 0 };
	int err;

	for (unsigned i = 0; i < TT_NR_LADDERS; i++) {
		const char *hook = forced_hook(opts, ladder_probes[i]);

		if (!(opts->probes & ladder_probes[i]))
			continue;
		if (!hook) {
			step_to_usable(b, i, &index[i]);
			continue;
		}
		err = take_forced(b, i, hook);
		if (err)
			return err;
	}
	for (;;) {
		if (!b->plan.rungs[0] && !b->plan.rungs[1] && !b->plan.rungs[2]) {
			log_error("bpf: no hook of any probe can be loaded here: timethief doctor tells why");
			return -ENOSYS;
		}
		err = load_plan(b, opts);
		if (!err && must_leave_steal_rung(b, opts)) {
			index[TT_LADDER_STEAL]++;
			step_to_usable(b, TT_LADDER_STEAL, &index[TT_LADDER_STEAL]);
			continue;
		}
		if (!err)
			return 0;
		if (err == -EPERM || err == -ENOMEM || !step_down_refused(b, opts, index))
			break;
	}
	log_error("bpf: the programs do not load: %s%s%s", strerror(-err), tt_bpf_last_words()[0] ? ": " : "",
		  tt_bpf_last_words());
	return err;
}

int tt_bpf_make_rings(struct bpf_source *b)
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
			b->rings = ring_buffer__new(b->ring_fds[i], tt_bpf_on_sample, b, NULL);
		else if (ring_buffer__add(b->rings, b->ring_fds[i], tt_bpf_on_sample, b))
			return -errno;
		if (!b->rings)
			return -errno;
	}
	return 0;
}

/* A power of two of whole pages, as the kernel wants it. By default 8 MiB a CPU, less where there are many.
 */
uint64_t tt_bpf_ring_size(uint64_t wanted, unsigned nr_cpus)
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

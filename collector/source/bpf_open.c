/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/source/bpf_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "collector/base/log.h"

static void list_hooks(unsigned probe, char *buf, size_t size)
{
	size_t len = 0;

	buf[0] = '\0';
	for (unsigned i = 0; i < tt_bpf_nr_rungs; i++)
		if (tt_bpf_rungs[i].probe == probe && len < size)
			len += (size_t)snprintf(buf + len, size - len, "%s%s", len ? ", " : "",
						tt_bpf_rungs[i].name);
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

/* The rungs of --hook PROBE=HOOK in the order that they were given, or all that there are. */
static int set_up_ladder(struct tt_bpf_ladder *ladder, unsigned probe, const struct tt_source_options *opts)
{
	const char *name = tt_probe_name(probe);
	size_t len = strlen(name);
	char hooks[256];

	for (unsigned i = 0; i < opts->nr_hooks; i++) {
		const char *hook = opts->hooks[i] + len + 1;
		const struct tt_bpf_rung *rung;

		if (strncmp(opts->hooks[i], name, len) || opts->hooks[i][len] != '=')
			continue;
		rung = tt_bpf_rung_find(probe, hook);
		if (!rung) {
			list_hooks(probe, hooks, sizeof(hooks));
			log_error("--hook %s=%s: no such hook; %s has: %s", name, hook, name, hooks);
			return -EINVAL;
		}
		ladder->given = true;
		ladder->rungs[ladder->nr++] = rung;
	}
	for (unsigned i = 0; i < tt_bpf_nr_rungs && !ladder->given; i++)
		if (tt_bpf_rungs[i].probe == probe)
			ladder->rungs[ladder->nr++] = &tt_bpf_rungs[i];
	return 0;
}

/* False: why, in words. Without must_try a rung that only has to load is believed. */
static bool is_usable(struct bpf_source *b, const struct tt_bpf_rung *rung, bool must_try, char *why,
		      size_t size)
{
	const char *absent = rung->absent(&b->host);
	int err = 0;

	if (absent) {
		snprintf(why, size, "%s", absent);
		return false;
	}
	if (rung->try_attach || must_try)
		err = tt_bpf_rung_try(rung, &b->host, b->nr_cpus, NULL);
	if (err)
		snprintf(why, size, "refused by this kernel: %s (%s)", strerror(-err), strerrorname_np(-err));
	return !err;
}

/* To the first usable rung at or below where the ladder stands, or to its end. Of a ladder that was given each refusal is told, and
 * its end is an error: no other source will do then. */
static int step_to_usable(struct bpf_source *b, unsigned i)
{
	struct tt_bpf_ladder *ladder = &b->ladders[i];
	const char *probe = tt_probe_name(tt_ladder_probe(i));
	char why[160];

	for (; ladder->at < ladder->nr; ladder->at++) {
		const struct tt_bpf_rung *rung = ladder->rungs[ladder->at];

		if (is_usable(b, rung, ladder->given, why, sizeof(why)))
			break;
		if (!ladder->given)
			log_verbose("%s: not hook %s: %s", probe, rung->name, why);
		else if (ladder->nr == 1)
			log_error("--hook %s=%s: %s", probe, rung->name, why);
		else
			log_warn("--hook %s=%s: %s", probe, rung->name, why);
	}
	if (ladder->nr > 1 && ladder->given && ladder->at == ladder->nr)
		log_error("--hook %s: none of the %u hooks that were named will do", probe, ladder->nr);
	b->plan.rungs[i] = ladder->at < ladder->nr ? ladder->rungs[ladder->at] : NULL;
	return ladder->given && !b->plan.rungs[i] ? -ENXIO : 0;
}

/* The programs are loaded: does the steal rung that we chose see what the kernel has counted? */
static bool must_leave_steal_rung(struct bpf_source *b)
{
	struct tt_bpf_ladder *ladder = &b->ladders[TT_LADDER_STEAL];
	const struct tt_bpf_rung *rung = b->plan.rungs[TT_LADDER_STEAL];

	/* the account rungs count from now on only; tt_bpf_leave_silent_hook watches them */
	if (!rung || rung->try_attach || (ladder->given && ladder->nr == 1) ||
	    tt_bpf_kernel_steal_ticks() <= 2 || tt_bpf_steal_sum_ns(b) != 0)
		return false;
	log_warn("steal: hook %s reads 0 although the kernel has counted steal: taking the next one",
		 rung->name);
	timethief_bpf__destroy(b->skel);
	b->skel = NULL;
	return true;
}

/* Together they do not load: one step down the first ladder whose rung does not load alone. 0 = none. */
static int step_down_refused(struct bpf_source *b)
{
	for (unsigned i = 0; i < TT_NR_LADDERS; i++) {
		const struct tt_bpf_rung *rung = b->plan.rungs[i];
		int err;

		if (!rung || b->ladders[i].given) /* each of a ladder that was given has been tried */
			continue;
		err = tt_bpf_rung_try(rung, &b->host, b->nr_cpus, NULL);
		if (!err)
			continue;
		log_verbose("%s: hook %s does not load (%s)", tt_probe_name(rung->probe), rung->name,
			    strerror(-err));
		b->ladders[i].at++;
		step_to_usable(b, i);
		return 1;
	}
	return 0;
}

static bool has_rung(const struct tt_bpf_plan *plan)
{
	for (unsigned i = 0; i < TT_NR_LADDERS; i++)
		if (plan->rungs[i])
			return true;
	return false;
}

int tt_bpf_choose_and_load(struct bpf_source *b, const struct tt_source_options *opts)
{
	int err;

	for (unsigned i = 0; i < TT_NR_LADDERS; i++) {
		/* a hook that does not exist is told also when its probe is not recorded */
		err = set_up_ladder(&b->ladders[i], tt_ladder_probe(i), opts);
		if (!err && opts->probes & tt_ladder_probe(i))
			err = step_to_usable(b, i);
		if (err)
			return err;
	}
	for (;;) {
		if (!has_rung(&b->plan)) {
			log_error("bpf: no hook of any probe can be loaded here: timethief doctor tells why");
			return -ENOSYS;
		}
		err = load_plan(b, opts);
		if (!err && must_leave_steal_rung(b)) {
			b->ladders[TT_LADDER_STEAL].at++;
			err = step_to_usable(b, TT_LADDER_STEAL);
			if (err)
				return err;
			continue;
		}
		if (!err)
			return 0;
		if (err == -EPERM || err == -ENOMEM || !step_down_refused(b))
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

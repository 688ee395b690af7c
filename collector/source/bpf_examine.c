/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What each rung of the BPF ladders does on this machine: loaded, attached and let run for a moment, alone.
 */
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "collector/source/bpf_private.h"
#include "collector/source/ladder.h"

enum { TRIAL_MS = 400 };

/* What a trial recording saw. */
struct trial {
	uint64_t nr_disk_records, nr_samples, nr_switches, steal_ns;
};

static int trial_batch(void *ctx, const void *data, size_t len)
{
	struct trial *t = ctx;
	const struct tt_batch *b = data;
	const char *p = (const char *)(b + 1), *end = (const char *)b + len;

	while (b->stream == TT_STREAM_RECORDS && p + sizeof(struct tt_record) <= end) {
		const struct tt_record *rec = (const void *)p;

		t->nr_disk_records += rec->kind == TT_EV_DISK;
		t->nr_samples += rec->kind == TT_EV_SAMPLE;
		p += rec->size;
	}
	while (p + sizeof(struct tt_mark) <= end) {
		const struct tt_switch *sw = (const void *)p;

		t->steal_ns += tt_dur32_unpack(sw->steal_ns);
		t->nr_switches += !(sw->flags & TT_SW_MARK);
		p += tt_packed_size(sw);
	}
	return 0;
}

static int trial_epoch(void *ctx, uint64_t until_ts_ns)
{
	(void)ctx;
	(void)until_ts_ns;
	return 0;
}

/* Records with this rung alone. 0, or the errno of what failed. */
static int record_trial(const struct tt_bpf_rung *rung, const char *hypervisor, struct trial *trial)
{
	char hook[64];
	struct tt_source_options opts = {
		.probes = rung->probe, .hooks = { hook }, .nr_hooks = 1, .proc_root = ""
	};
	struct tt_sink sink = { .ctx = trial, .batch = trial_batch, .epoch = trial_epoch };
	struct timespec pause = { .tv_nsec = TRIAL_MS * 1000000 };
	struct tt_source *src = NULL;
	struct tt_info info = { 0 };
	int err;

	snprintf(hook, sizeof(hook), "%s=%s", tt_probe_name(rung->probe), rung->name);
	snprintf(info.hypervisor, sizeof(info.hypervisor), "%s", hypervisor);
	opts.ring_bytes = 256 << 10;
	err = tt_source_bpf.open(&opts, &info, &sink, &src);
	if (!err)
		err = tt_source_bpf.start(src);
	if (!err) {
		nanosleep(&pause, NULL);
		err = tt_source_bpf.stop(src);
	}
	tt_source_bpf.close(src);
	return err;
}

static void explain_refusal(struct tt_rung_report *r, const struct tt_bpf_rung *rung, int err, bool loaded)
{
	bool is_fentry = strstr(rung->name, "fentry") != NULL,
	     is_kprobe = strstr(rung->name, "kprobe") != NULL;

	r->verdict = TT_RUNG_REFUSED;
	r->err = -err;
	if (is_fentry && err == -EBUSY) {
		snprintf(r->reason, sizeof(r->reason), "the function has no ftrace entry (notrace)");
		snprintf(r->advice, sizeof(r->advice), "nothing to do: another hook is as good");
	} else if (is_fentry && (err == -EPERM || err == -ENOTSUP || (loaded && err == -EACCES))) {
		/* EACCES at load is the verifier's */
		snprintf(
			r->reason, sizeof(r->reason),
			"this kernel allows no fentry programs (CONFIG_FUNCTION_TRACER off, or locked down)");
		snprintf(r->advice, sizeof(r->advice),
			 "a kernel with CONFIG_FUNCTION_TRACER has it; another hook is as good");
	} else if (loaded && is_kprobe && (err == -ENOENT || err == -EINVAL)) {
		snprintf(r->reason, sizeof(r->reason),
			 "no kprobe can be placed there (CONFIG_KPROBES off, no such symbol, or notrace)");
		snprintf(r->advice, sizeof(r->advice),
			 "a kernel with CONFIG_KPROBE_EVENTS may have it; another hook is as good");
	} else if (err == -ESRCH) {
		snprintf(r->reason, sizeof(r->reason),
			 "a field or function that it reads is not in this kernel's BTF");
	} else {
		snprintf(r->reason, sizeof(r->reason), "%.150s",
			 tt_bpf_last_words()[0] ? tt_bpf_last_words() : strerror(-err));
	}
}

static void judge(struct tt_rung_report *r, const struct tt_bpf_rung *rung, const struct trial *t,
		  uint64_t kernel_ticks)
{
	r->verdict = TT_RUNG_WORKS;
	if (rung->probe == TT_PROBE_STEAL && !t->steal_ns) {
		/* two ticks may have been stolen before the trial and told in it */
		r->verdict = kernel_ticks > 2 ? TT_RUNG_SILENT : TT_RUNG_UNTESTED;
		snprintf(r->reason, sizeof(r->reason), "%s",
			 kernel_ticks > 2 ? "the kernel counted steal meanwhile and it saw none"
					  : "nothing was stolen during the trial");
	} else if (rung->probe == TT_PROBE_DISK && !t->nr_disk_records) {
		r->verdict = TT_RUNG_UNTESTED;
		snprintf(r->reason, sizeof(r->reason), "no request ended during the trial");
	} else if (rung->probe == TT_PROBE_RUNQ && !t->nr_switches) {
		r->verdict = TT_RUNG_SILENT;
		snprintf(r->reason, sizeof(r->reason), "it saw no context switch");
	} else if (rung->probe == TT_PROBE_CPU && !t->nr_samples) {
		r->verdict = TT_RUNG_SILENT;
		snprintf(r->reason, sizeof(r->reason), "no sample came");
	}
	if (r->verdict == TT_RUNG_UNTESTED && rung->try_attach && rung->probe == TT_PROBE_STEAL)
		snprintf(r->advice, sizeof(r->advice),
			 "distribution kernels inline account_steal_time: then it attaches and never fires");
}

static void examine_rung(const struct tt_bpf_rung *rung, const struct tt_bpf_host *host, unsigned nr_cpus,
			 struct tt_rung_report *r)
{
	const char *absent = rung->absent(host);
	struct trial trial = { 0 };
	uint64_t ticks;
	bool loaded;
	int err;

	memset(r, 0, sizeof(*r));
	r->probe = tt_probe_name(rung->probe);
	r->rung = rung->name;
	r->unproven = rung->unproven;
	if (absent) {
		r->verdict = TT_RUNG_ABSENT;
		snprintf(r->reason, sizeof(r->reason), "%s", absent);
		return;
	}
	err = tt_bpf_rung_try(rung, host, nr_cpus, &loaded);
	if (err) {
		explain_refusal(r, rung, err, loaded);
		return;
	}
	ticks = tt_bpf_kernel_steal_ticks();
	err = record_trial(rung, host->hypervisor, &trial);
	if (err)
		explain_refusal(r, rung, err, true);
	else
		judge(r, rung, &trial, tt_bpf_kernel_steal_ticks() - ticks);
}

/* The rungs that a recording would take: the source itself says. */
static void mark_chosen(struct tt_rung_report *reports, unsigned nr, const char *hypervisor)
{
	struct tt_source_options opts = { .probes = TT_PROBE_ALL, .ring_bytes = 256 << 10, .proc_root = "" };
	struct trial trial = { 0 };
	struct tt_sink sink = { .ctx = &trial, .batch = trial_batch, .epoch = trial_epoch };
	struct tt_info info = { 0 };
	struct tt_source *src = NULL;

	snprintf(info.hypervisor, sizeof(info.hypervisor), "%s", hypervisor);
	if (tt_source_bpf.open(&opts, &info, &sink, &src))
		return;
	tt_source_bpf.close(src);
	for (unsigned i = 0; i < nr; i++)
		for (unsigned p = 0; p < info.nr_probes; p++)
			if (!strcmp(reports[i].probe, info.probes[p].probe) &&
			    !strcmp(reports[i].rung, info.probes[p].rung) &&
			    reports[i].verdict != TT_RUNG_SILENT)
				reports[i].verdict = TT_RUNG_CHOSEN;
}

int tt_bpf_examine(struct tt_rung_report *reports, unsigned max, unsigned *ret_nr)
{
	struct tt_bpf_host host;
	struct tt_info info = { 0 };
	struct btf *btf;
	char why[200];
	unsigned nr = 0;
	int nr_cpus;

	tt_bpf_catch_words();
	if (tt_bpf_check_permitted(why, sizeof(why)))
		return -EPERM;
	btf = btf__load_vmlinux_btf();
	if (!btf)
		return -EPERM;
	tt_info_fill_host(&info, "");
	host = (struct tt_bpf_host){ .btf = btf, .hypervisor = info.hypervisor };
	nr_cpus = libbpf_num_possible_cpus();
	if (nr_cpus < 1) {
		btf__free(btf);
		return -EPERM;
	}
	for (unsigned i = 0; i < tt_bpf_nr_rungs && nr < max; i++)
		examine_rung(&tt_bpf_rungs[i], &host, (unsigned)nr_cpus, &reports[nr++]);
	mark_chosen(reports, nr, info.hypervisor);
	btf__free(btf);
	*ret_nr = nr;
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* doctor - what this kernel and this user allow, which hook each probe would use and why, and what to do
 * about it. */
#include "collector/cmd/cmd.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "collector/base/escape.h"
#include "collector/base/log.h"
#include "collector/base/units.h"
#include "collector/cmd/options.h"
#include "collector/session/host.h"
#include "collector/source/ladder.h"
#include "collector/source/permit.h"
#include "collector/source/proc_file.h"
#include "collector/source/proc_parse.h"

enum {
	NR_RUNGS_MAX = 64,
	NR_PROC_RUNGS = 3,
	NR_STAP_RUNGS = 3,
	LINE_WIDTH = 80,
	DOCTOR_JSON_VERSION = 1,
	OPTION_JSON = 0x100
};

static const char *const probe_names[] = { "steal", "disk", "runq", "cpu" }; /* the last by BPF only */
enum { NR_PROBE_NAMES = sizeof(probe_names) / sizeof(probe_names[0]) };

struct doctor {
	struct tt_common_options common; /* first: argp children write to it */
	bool json;

	struct tt_info info;
	struct tt_permit permit;
	enum tt_steal_support steal;
	char steal_why[160];
	char container[64]; /* "" = none */
	struct tt_rung_report rungs[NR_RUNGS_MAX + NR_STAP_RUNGS + NR_PROC_RUNGS];
	unsigned nr_rungs;
	int bpf_err;	  /* why no BPF rung was tried; 0 = they were */
	char missing[64]; /* capabilities that BPF asks for; "" = none */
	bool bpf_possible, stap_possible, proc_possible;
};

/* --- finding out --- */

/* Negative errno, or 0 when our own schedstat is there and counts. */
static int try_schedstat(int root_fd, const char **ret_reason)
{
	struct tt_proc_schedstat stat;
	char text[128];
	ssize_t len = tt_proc_read_small(root_fd, "proc/self/schedstat", text, sizeof(text));

	if (len < 0)
		return (int)len;
	if (tt_proc_parse_schedstat(text, (size_t)len, &stat) || (!stat.nr_timeslices && !stat.exec_ns)) {
		*ret_reason = "it is there but does not count: scheduler statistics are off";
		return -ENODATA;
	}
	return 0;
}

static int try_proc_rung(int root_fd, const char *path, const char **ret_reason)
{
	char text[64];
	ssize_t len;

	if (!strcmp(path, "proc/PID/schedstat"))
		return try_schedstat(root_fd, ret_reason);
	len = tt_proc_read_small(root_fd, path, text, sizeof(text));
	return len < 0 ? (int)len : 0;
}

static void examine_proc_rung(struct doctor *d, int root_fd, const char *probe, const char *rung)
{
	struct tt_rung_report *r = &d->rungs[d->nr_rungs];
	const char *reason = "counters only: averages, no percentiles, no victims; needs no privileges";
	int err = root_fd < 0 ? root_fd : try_proc_rung(root_fd, rung + 1, &reason);

	memset(r, 0, sizeof(*r));
	r->probe = probe;
	r->rung = rung;
	if (!err) {
		r->verdict = d->bpf_possible || d->stap_possible ? TT_RUNG_WORKS : TT_RUNG_CHOSEN;
		d->proc_possible = true;
	} else {
		r->verdict = err == -ENOENT    ? TT_RUNG_ABSENT
			     : err == -ENODATA ? TT_RUNG_SILENT
					       : TT_RUNG_REFUSED;
		r->err = -err;
		if (err == -ENODATA)
			snprintf(r->advice, sizeof(r->advice),
				 "sysctl kernel.task_delayacct=1 may switch them on");
		else
			reason = strerror(-err);
	}
	snprintf(r->reason, sizeof(r->reason), "%s", reason);
	d->nr_rungs++;
}

static void examine_rungs(struct doctor *d)
{
	unsigned nr = 0;
	int root_fd;

	log_info("doctor: trying every hook, about a second each");
	d->bpf_err = tt_bpf_examine(d->rungs, NR_RUNGS_MAX, &nr);
	d->nr_rungs = d->bpf_err ? 0 : nr;
	for (unsigned i = 0; i < d->nr_rungs; i++)
		d->bpf_possible |= d->rungs[i].verdict == TT_RUNG_CHOSEN;

	for (unsigned i = 0; i < NR_PROBE_NAMES - 1; i++) {
		struct tt_rung_report *r = &d->rungs[d->nr_rungs++];

		tt_stap_examine(probe_names[i], r);
		d->stap_possible = r->verdict == TT_RUNG_UNTESTED;
		if (d->stap_possible && !d->bpf_possible)
			r->verdict = TT_RUNG_CHOSEN;
	}
	root_fd = tt_proc_open_root("");
	examine_proc_rung(d, root_fd, "steal", "/proc/stat");
	examine_proc_rung(d, root_fd, "disk", "/proc/diskstats");
	examine_proc_rung(d, root_fd, "runq", "/proc/PID/schedstat");
	if (root_fd >= 0)
		close(root_fd);
}

static void examine(struct doctor *d)
{
	tt_info_fill_host(&d->info, "");
	d->steal = tt_host_steal_support("", d->info.hypervisor, d->steal_why, sizeof(d->steal_why));
	if (!tt_host_container("", d->container, sizeof(d->container)))
		d->container[0] = '\0';
	tt_permit_read("", &d->permit);
	if (tt_permit_allows_bpf(&d->permit, d->missing, sizeof(d->missing)))
		d->missing[0] = '\0';
	examine_rungs(d);
}

/* --- words --- */

static const char *verdict_name(const struct tt_rung_report *r)
{
	switch (r->verdict) {
	case TT_RUNG_CHOSEN:
		return "chosen";
	case TT_RUNG_WORKS:
		return "works";
	case TT_RUNG_REFUSED:
		return "refused";
	case TT_RUNG_ABSENT:
		return "absent";
	case TT_RUNG_SILENT:
		return "silent";
	case TT_RUNG_UNTESTED:
		return "untested";
	}
	return "unknown";
}

static const char *steal_answer(const struct doctor *d)
{
	return d->steal == TT_STEAL_REPORTED ? "yes" : d->steal == TT_STEAL_NOT_REPORTED ? "no" : "unknown";
}

/* What the user can do about a refusal that the rung itself has no advice for. */
static const char *advice_for_errno(const struct doctor *d, int err)
{
	switch (err) {
	case EPERM:
	case EACCES:
		if (d->missing[0])
			return "run as root, or give timethief CAP_BPF and CAP_PERFMON (CAP_SYS_ADMIN before "
			       "Linux 5.8)";
		if (!strcmp(d->permit.lockdown, "confidentiality"))
			return "kernel lockdown forbids it: boot with lockdown=integrity or lockdown=none";
		return "a container's seccomp or a security module may forbid bpf(2): run timethief on the "
		       "host";
	case ENOMEM:
		return "raise the limit of locked memory (ulimit -l unlimited) or that of the cgroup";
	case EBUSY:
		return "another tracer holds the hook: end it and try again";
	case ESRCH:
	case ENOENT:
	case EOPNOTSUPP:
	case 524: /* ENOTSUPP, which the kernel keeps to itself */
		return "nothing: this kernel has no such hook, the next one is used";
	default:
		return "nothing: the next hook is used";
	}
}

static const char *rung_advice(const struct doctor *d, const struct tt_rung_report *r)
{
	if (r->advice[0] || (r->verdict != TT_RUNG_REFUSED && r->verdict != TT_RUNG_ABSENT))
		return r->advice;
	return advice_for_errno(d, r->err);
}

static const char *btf_words(const struct doctor *d)
{
	switch (d->permit.btf) {
	case TT_BTF_READABLE:
		return "readable";
	case TT_BTF_UNREADABLE:
		return "there, but not readable by this user";
	default:
		return "absent (CONFIG_DEBUG_INFO_BTF is off, or /sys/kernel/btf is hidden): BPF programs "
		       "cannot tell "
		       "where the kernel's fields are. Ways on: SystemTap, or /proc counters (--source "
		       "procfs)";
	}
}

static void verdict_on_recording(const struct doctor *d, char *text, size_t size)
{
	char missing[96] = "";

	if (d->bpf_possible) {
		snprintf(text, size, "A recording is possible, with BPF.");
		return;
	}
	if (d->stap_possible) {
		snprintf(text, size,
			 "A recording is possible, with SystemTap as far as can be told without making its "
			 "module.");
		return;
	}
	if (d->missing[0])
		snprintf(missing, sizeof(missing), " BPF lacks %s.", d->missing);
	if (d->proc_possible)
		snprintf(text, size,
			 "A recording is possible, from the counters of /proc only: no single events, no "
			 "percentiles.%s",
			 missing);
	else
		snprintf(text, size, "No recording is possible here.%s", missing);
}

/* --- text --- */

/* Prints text at column indent, wrapped at LINE_WIDTH; the cursor is at column. Ends the line. Bytes from
 * outside are escaped first, so that a byte is a column nearly always. */
static void put_wrapped(FILE *out, unsigned column, unsigned indent, const char *text)
{
	char safe[1024];
	const char *word = tt_escape(safe, sizeof(safe), text, strlen(text));
	bool at_start = true;

	while (*word) {
		int len = (int)strcspn(word, " ");

		if (!at_start && column + 1 + (unsigned)len > LINE_WIDTH) {
			fputc('\n', out);
			column = 0;
			at_start = true;
		}
		if (at_start && column < indent) {
			fprintf(out, "%*s", (int)(indent - column), "");
			column = indent;
		}
		fprintf(out, "%s%.*s", at_start ? "" : " ", len, word);
		column += (unsigned)len + !at_start;
		at_start = false;
		word += len;
		word += strspn(word, " ");
	}
	fputc('\n', out);
}

enum { FACT_INDENT = 10, RUNG_INDENT = 12 };

static void put_fact(FILE *out, const char *label, const char *text)
{
	fprintf(out, "%-*s", FACT_INDENT, label);
	put_wrapped(out, FACT_INDENT, FACT_INDENT, text);
}

static void put_host(FILE *out, const struct doctor *d)
{
	const struct tt_info *info = &d->info;
	char text[512];
	const char *below = !strcmp(info->hypervisor, "none") ? "no hypervisor below"
			    : !strcmp(info->hypervisor, "unknown")
				    ? "guest of an unknown hypervisor, or bare metal"
				    : info->hypervisor;

	snprintf(text, sizeof(text), "%s: Linux %s %s, %u of %u CPUs online", info->hostname,
		 info->kernel_release, info->arch, info->nr_cpus_online, info->nr_cpus_possible);
	put_fact(out, "HOST", text);
	snprintf(text, sizeof(text), "%s%s%s%s", below,
		 strcmp(info->hypervisor, "none") && strcmp(info->hypervisor, "unknown") ? " guest" : "",
		 d->container[0] ? "; inside a container: " : "", d->container);
	put_fact(out, "", text);
	snprintf(text, sizeof(text), "%s: %s",
		 d->steal == TT_STEAL_REPORTED	     ? "reported"
		 : d->steal == TT_STEAL_NOT_REPORTED ? "not reported"
						     : "perhaps reported",
		 d->steal_why);
	put_fact(out, "STEAL", text);
}

static void format_sysctl(char *text, size_t size, int value)
{
	if (value == INT32_MIN)
		snprintf(text, size, "unknown");
	else
		snprintf(text, size, "%d", value);
}

static void put_rights(FILE *out, const struct doctor *d)
{
	const struct tt_permit *p = &d->permit;
	char text[512], unprivileged[16], paranoid[16];

	snprintf(text, sizeof(text), "CAP_BPF %s, CAP_PERFMON %s, CAP_SYS_ADMIN %s%s",
		 p->cap_bpf ? "yes" : "no", p->cap_perfmon ? "yes" : "no", p->cap_sys_admin ? "yes" : "no",
		 p->in_user_namespace ? ", but in a user namespace, where they do not count for BPF" : "");
	put_fact(out, "RIGHTS", text);
	format_sysctl(unprivileged, sizeof(unprivileged), p->unprivileged_bpf_disabled);
	format_sysctl(paranoid, sizeof(paranoid), p->perf_event_paranoid);
	snprintf(text, sizeof(text),
		 "lockdown %s, kernel.unprivileged_bpf_disabled %s, kernel.perf_event_paranoid %s",
		 p->lockdown[0] ? p->lockdown : "not in this kernel (or securityfs not mounted)",
		 unprivileged, paranoid);
	put_fact(out, "", text);
	if (d->missing[0]) {
		snprintf(text, sizeof(text), "BPF lacks %s: %s", d->missing, advice_for_errno(d, EPERM));
		put_fact(out, "", text);
	}
}

static void put_memory(FILE *out, const struct doctor *d)
{
	const struct tt_permit *p = &d->permit;
	char text[256], memlock[32] = "unlimited", limit[32] = "none", btf[32];

	if (p->btf == TT_BTF_ABSENT)
		put_fact(out, "BTF", btf_words(d));
	else {
		snprintf(text, sizeof(text), "/sys/kernel/btf/vmlinux, %s, %s",
			 tt_format_bytes(btf, sizeof(btf), p->btf_bytes), btf_words(d));
		put_fact(out, "BTF", text);
	}
	if (p->memlock_bytes != UINT64_MAX)
		tt_format_bytes(memlock, sizeof(memlock), p->memlock_bytes);
	if (p->cgroup_memory_limit_bytes != UINT64_MAX)
		tt_format_bytes(limit, sizeof(limit), p->cgroup_memory_limit_bytes);
	snprintf(text, sizeof(text),
		 "RLIMIT_MEMLOCK %s (counts for BPF before Linux 5.11 only), cgroup limit %s", memlock,
		 limit);
	put_fact(out, "MEMORY", text);
}

static void put_rung(FILE *out, const struct doctor *d, const struct tt_rung_report *r, bool is_first)
{
	const char *advice = rung_advice(d, r), *errno_name = r->err ? strerrorname_np(r->err) : NULL;
	char head[256], text[512];

	snprintf(head, sizeof(head), "%-9s %-26s %s", is_first ? r->probe : "", r->rung, verdict_name(r));
	if (errno_name && r->verdict != TT_RUNG_ABSENT)
		snprintf(head + strlen(head), sizeof(head) - strlen(head), " (%s)", errno_name);
	fprintf(out, "%s\n", head);
	if (r->reason[0])
		put_wrapped(out, 0, RUNG_INDENT, r->reason);
	if (advice[0]) {
		snprintf(text, sizeof(text), "-> %s", advice);
		put_wrapped(out, 0, RUNG_INDENT, text);
	}
	if (r->unproven)
		put_wrapped(out, 0, RUNG_INDENT,
			    "unproven: none of the kernels that timethief is tested on takes it");
}

static void put_text(FILE *out, const struct doctor *d)
{
	char text[256];

	put_host(out, d);
	put_rights(out, d);
	put_memory(out, d);
	fprintf(out, "\n%-9s %-26s %s\n", "PROBE", "HOOK", "VERDICT");
	if (d->bpf_err) {
		fprintf(out, "%-9s %-26s refused (%s)\n", "all", "BPF", strerrorname_np(-d->bpf_err));
		if (advice_for_errno(d, -d->bpf_err)[0]) {
			snprintf(text, sizeof(text), "-> %s", advice_for_errno(d, -d->bpf_err));
			put_wrapped(out, 0, RUNG_INDENT, text);
		}
	}
	for (unsigned i = 0; i < NR_PROBE_NAMES; i++) {
		bool is_first = true;

		for (unsigned j = 0; j < d->nr_rungs; j++) {
			if (strcmp(d->rungs[j].probe, probe_names[i]))
				continue;
			put_rung(out, d, &d->rungs[j], is_first);
			is_first = false;
		}
	}
	verdict_on_recording(d, text, sizeof(text));
	fputc('\n', out);
	put_wrapped(out, 0, 0, text);
}

/* --- JSON --- */

/* jansson takes valid UTF-8 only. */
static json_t *json_text(const char *text)
{
	char safe[1024];

	return json_string(tt_escape(safe, sizeof(safe), text, strlen(text)));
}

static json_t *json_known(bool is_known, json_int_t value)
{
	return is_known ? json_integer(value) : json_null();
}

static json_t *json_rungs(const struct doctor *d, const char *probe)
{
	json_t *list = json_array();

	for (unsigned i = 0; list && i < d->nr_rungs; i++) {
		const struct tt_rung_report *r = &d->rungs[i];
		const char *errno_name = r->err ? strerrorname_np(r->err) : NULL;

		if (strcmp(r->probe, probe))
			continue;
		json_array_append_new(list, json_pack("{s:o, s:s, s:s?, s:o, s:o, s:b}", "hook",
						      json_text(r->rung), "verdict", verdict_name(r), "errno",
						      errno_name, "reason", json_text(r->reason), "advice",
						      json_text(rung_advice(d, r)), "unproven", r->unproven));
	}
	return list;
}

static json_t *json_host(const struct doctor *d)
{
	const struct tt_info *info = &d->info;

	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:i, s:i}", "hostname", json_text(info->hostname),
			 "kernel", json_text(info->kernel_release), "arch", json_text(info->arch),
			 "hypervisor", json_text(info->hypervisor), "container",
			 d->container[0] ? json_text(d->container) : json_null(), "cpus_online",
			 (int)info->nr_cpus_online, "cpus_possible", (int)info->nr_cpus_possible);
}

static json_t *json_rights(const struct doctor *d)
{
	const struct tt_permit *p = &d->permit;

	return json_pack("{s:b, s:b, s:b, s:b, s:o, s:o, s:o, s:o}", "cap_bpf", p->cap_bpf, "cap_perfmon",
			 p->cap_perfmon, "cap_sys_admin", p->cap_sys_admin, "in_user_namespace",
			 p->in_user_namespace, "lacks", d->missing[0] ? json_text(d->missing) : json_null(),
			 "lockdown", p->lockdown[0] ? json_text(p->lockdown) : json_null(),
			 "unprivileged_bpf_disabled",
			 json_known(p->unprivileged_bpf_disabled != INT32_MIN, p->unprivileged_bpf_disabled),
			 "perf_event_paranoid",
			 json_known(p->perf_event_paranoid != INT32_MIN, p->perf_event_paranoid));
}

static json_t *json_memory(const struct doctor *d)
{
	const struct tt_permit *p = &d->permit;

	return json_pack("{s:o, s:o}", "memlock_bytes",
			 json_known(p->memlock_bytes <= INT64_MAX, (json_int_t)p->memlock_bytes),
			 "cgroup_limit_bytes",
			 json_known(p->cgroup_memory_limit_bytes <= INT64_MAX,
				    (json_int_t)p->cgroup_memory_limit_bytes));
}

static json_t *json_doctor(const struct doctor *d)
{
	const char *source = d->bpf_possible	? "bpf"
			     : d->stap_possible ? "stap"
			     : d->proc_possible ? "procfs"
						: NULL;
	json_t *probes = json_object();
	char text[256];

	for (unsigned i = 0; probes && i < NR_PROBE_NAMES; i++)
		json_object_set_new(probes, probe_names[i], json_rungs(d, probe_names[i]));
	verdict_on_recording(d, text, sizeof(text));
	return json_pack(
		"{s:i, s:o, s:o, s:{s:s, s:o}, s:o, s:{s:b, s:b, s:I}, s:o, s:s?, s:s?, s:o, s:{s:b, s:s?, s:s}}",
		"timethief_doctor_json", DOCTOR_JSON_VERSION, "version", json_text(d->info.tool_version),
		"host", json_host(d), "steal", "reported", steal_answer(d), "why", json_text(d->steal_why),
		"rights", json_rights(d), "btf", "present", d->permit.btf != TT_BTF_ABSENT, "readable",
		d->permit.btf == TT_BTF_READABLE, "bytes", (json_int_t)d->permit.btf_bytes, "memory",
		json_memory(d), "bpf_refused", d->bpf_err ? strerrorname_np(-d->bpf_err) : NULL, "bpf_advice",
		d->bpf_err && advice_for_errno(d, -d->bpf_err)[0] ? advice_for_errno(d, -d->bpf_err) : NULL, "probes", probes, "recording", "possible", d->bpf_possible || d->stap_possible || d->proc_possible,
		"source", source, "summary", text);
}

static int put_json(FILE *out, const struct doctor *d)
{
	json_t *root = json_doctor(d);
	int err = 0;

	if (!root || json_dumpf(root, out, JSON_INDENT(2)))
		err = -ENOMEM;
	else
		fputc('\n', out);
	json_decref(root);
	return err;
}

/* --- command --- */

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct doctor *d = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		tt_argp_share(state, 1, &d->common);
		return 0;
	case OPTION_JSON:
		d->json = true;
		return 0;
	case ARGP_KEY_ARG:
		tt_usage_error("doctor takes no arguments, not '%s'", arg);
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static int run_doctor(int argc, char **argv)
{
	static const struct argp_option options[] = {
		{ "json", OPTION_JSON, NULL, 0, "One JSON object instead of text", 0 }, { 0 }
	};
	static const struct argp_child children[] = { { &tt_argp_talk, 0, "Other:", 2 }, { 0 } };
	static const struct argp argp = {
		.options = options,
		.parser = parse_option,
		.doc = "Says what this machine allows: which hooks the probes would use and "
		       "why, whether steal is reported here, and what to do about what is "
		       "refused. Exit status 0 when a recording is possible.",
		.children = children
	};
	struct doctor *d = calloc(1, sizeof(*d));
	int status = TT_EXIT_FAILED, err = 0;

	if (!d) {
		log_error("doctor: out of memory");
		return TT_EXIT_FAILED;
	}
	d->common = (struct tt_common_options)TT_COMMON_OPTIONS_INIT;
	if (tt_argp_parse(&argp, 0, argc, argv, d)) {
		free(d);
		return TT_EXIT_USAGE;
	}
	examine(d);
	if (d->json)
		err = put_json(stdout, d);
	else
		put_text(stdout, d);
	if (err || fflush(stdout))
		log_error("doctor: cannot write: %s", strerror(err ? -err : errno));
	else if (d->bpf_possible || d->stap_possible || d->proc_possible)
		status = TT_EXIT_OK;
	free(d);
	return status;
}

const struct tt_command tt_command_doctor = {
	.name = "doctor",
	.help = "what this machine allows: hooks, privileges, steal",
	.run = run_doctor,
};

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/cmd/options.h"

#include <errno.h>
#include <stdarg.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "collector/base/log.h"
#include "collector/base/units.h"
#include "collector/cmd/cmd.h"
#include "collector/source/source.h"

enum { KEY_SOURCE = 0x1000, KEY_PROBE, KEY_HOOK, KEY_RING_SIZE, KEY_STAP_MODULE, KEY_CGROUP, KEY_DEVICE, KEY_CPU };

enum { NAME_BYTES_MAX = 32 };

#define RING_BYTES_MIN (4ull << 10)
#define RING_BYTES_MAX (1ull << 30)

static const char *const source_names[] = { "auto",
#define TT_SOURCE(name) #name,
#include "collector/source/sources.def"
#undef TT_SOURCE
					    NULL };

static const char *const probe_names[] = { "steal", "disk", "runq", "cpu", NULL }; /* bit n: see TT_PROBE_* */
_Static_assert(TT_PROBE_STEAL == 1 && TT_PROBE_DISK == 2 && TT_PROBE_RUNQ == 4 && TT_PROBE_CPU == 8,
	       "probe_names[] is in the order of the bits");

void tt_usage_error(const char *fmt, ...)
{
	char message[1024];
	va_list args;

	va_start(args, fmt);
	vsnprintf(message, sizeof(message), fmt, args);
	va_end(args);
	log_error("%s", message);
	exit(TT_EXIT_USAGE);
}

/* Levenshtein, of names shorter than NAME_BYTES_MAX. */
static unsigned distance_between(const char *a, const char *b)
{
	unsigned row[NAME_BYTES_MAX + 1];
	size_t len_a = strlen(a), len_b = strlen(b);

	if (len_a > NAME_BYTES_MAX || len_b > NAME_BYTES_MAX)
		return NAME_BYTES_MAX;
	for (unsigned j = 0; j <= len_b; j++)
		row[j] = j;
	for (unsigned i = 1; i <= len_a; i++) {
		unsigned diagonal = row[0];

		row[0] = i;
		for (unsigned j = 1; j <= len_b; j++) {
			unsigned replace = diagonal + (a[i - 1] != b[j - 1]);
			unsigned best = replace < row[j] + 1 ? replace : row[j] + 1;

			diagonal = row[j];
			row[j] = best < row[j - 1] + 1 ? best : row[j - 1] + 1;
		}
	}
	return row[len_b];
}

const char *tt_nearest_name(const char *text, const char *const *names)
{
	unsigned best_distance = NAME_BYTES_MAX;
	const char *best = NULL;
	size_t len = strlen(text);

	for (; *names; names++) {
		unsigned distance = distance_between(text, *names);

		if (len >= 2 && !strncmp(text, *names, len))
			distance = 1; /* cut short */
		if (distance < best_distance && distance <= 1 + strlen(*names) / 4) {
			best_distance = distance;
			best = *names;
		}
	}
	return best;
}

unsigned tt_option_choice(const char *option, const char *text, const char *const *names)
{
	const char *nearest;
	char list[256] = "";
	size_t used = 0;

	for (unsigned i = 0; names[i]; i++) {
		if (!strcmp(text, names[i]))
			return i;
	}
	for (unsigned i = 0; names[i] && used < sizeof(list); i++)
		used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%s",
					 !i ? "" : (names[i + 1] ? ", " : " or "), names[i]);
	nearest = tt_nearest_name(text, names);
	if (nearest)
		tt_usage_error("%s: '%s' is none of %s; did you mean '%s'?", option, text, list, nearest);
	tt_usage_error("%s: '%s' is none of %s", option, text, list);
}

uint64_t tt_option_duration_ns(const char *option, const char *text, uint64_t min_ns, uint64_t max_ns)
{
	char min[16], max[16];
	uint64_t ns = 0;
	int err = tt_parse_duration_ns(text, &ns);

	if (err == -EINVAL)
		tt_usage_error("%s: '%s' is no duration; write a number and ns, us, ms, s, m or h, such as "
			       "500ms or 10s",
			       option, text);
	if (err || ns < min_ns || ns > max_ns)
		tt_usage_error("%s: '%s' is out of range; from %s to %s is possible", option, text,
			       tt_format_duration(min, sizeof(min), min_ns),
			       tt_format_duration(max, sizeof(max), max_ns));
	return ns;
}

uint64_t tt_option_size_bytes(const char *option, const char *text, uint64_t min_bytes, uint64_t max_bytes)
{
	char min[16], max[16];
	uint64_t bytes = 0;
	int err = tt_parse_size_bytes(text, &bytes);

	if (err == -EINVAL)
		tt_usage_error("%s: '%s' is no size; write a number and k, m, g or t, such as 64k or 1g",
			       option, text);
	if (err || bytes < min_bytes || bytes > max_bytes)
		tt_usage_error("%s: '%s' is out of range; from %s to %s is possible", option, text,
			       tt_format_bytes(min, sizeof(min), min_bytes),
			       tt_format_bytes(max, sizeof(max), max_bytes));
	return bytes;
}

static void parse_hook(struct tt_common_options *common, const char *arg)
{
	const char *equals = strchr(arg, '=');
	char probe[NAME_BYTES_MAX];

	if (!equals || equals == arg || !equals[1] || equals - arg >= (ptrdiff_t)sizeof(probe))
		tt_usage_error("--hook: '%s' is not of the form PROBE=HOOK, such as steal=clock", arg);
	snprintf(probe, sizeof(probe), "%.*s", (int)(equals - arg), arg);
	tt_option_choice("--hook", probe, probe_names);
	if (common->nr_hooks == TT_HOOKS_MAX)
		tt_usage_error("--hook: more than %d of them", TT_HOOKS_MAX);
	common->hooks[common->nr_hooks++] = arg;
}

void tt_require_bpf(const struct tt_common_options *common, const char *option)
{
	if (strcmp(common->source, "auto") != 0 && strcmp(common->source, "bpf") != 0)
		tt_usage_error("%s: only --source bpf can, not %s", option, common->source);
}

static error_t parse_source(int key, char *arg, struct argp_state *state)
{
	struct tt_common_options *common = state->input;

	switch (key) {
	case KEY_SOURCE:
		common->source = source_names[tt_option_choice("--source", arg, source_names)];
		return 0;
	case KEY_PROBE:
		common->probes |= 1u << tt_option_choice("--probe", arg, probe_names);
		common->probes_given = true;
		return 0;
	case KEY_HOOK:
		parse_hook(common, arg);
		return 0;
	case KEY_RING_SIZE:
		common->ring_bytes = tt_option_size_bytes("--ring-size", arg, RING_BYTES_MIN, RING_BYTES_MAX);
		return 0;
	case KEY_STAP_MODULE:
		if (!arg[0])
			tt_usage_error("--stap-module: the file name is empty");
		common->stap_module = arg;
		return 0;
	case ARGP_KEY_END:
		if (!common->probes_given)
			common->probes = TT_PROBE_DEFAULT;
		if (common->stap_module && strcmp(common->source, "auto") != 0 && strcmp(common->source, "stap") != 0)
			tt_usage_error("--stap-module: is for --source stap or auto, not %s", common->source);
		if (common->probes & TT_PROBE_CPU)
			tt_require_bpf(common, "--probe cpu");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* Paths are kept from the root of their hierarchy; people copy them with the mount point. */
static const char *strip_cgroup_mount(const char *path)
{
	static const char *const mounts[] = { "/sys/fs/cgroup/cpu,cpuacct", "/sys/fs/cgroup/cpu",
					      "/sys/fs/cgroup/unified", "/sys/fs/cgroup" };

	for (unsigned i = 0; i < sizeof(mounts) / sizeof(mounts[0]); i++) {
		size_t len = strlen(mounts[i]);

		if (!strncmp(path, mounts[i], len) && (!path[len] || path[len] == '/'))
			return path[len] ? path + len : "/";
	}
	return path;
}

static void parse_cpus(struct tt_common_options *common, const char *arg)
{
	int err;

	memset(common->cpu_mask, 0, sizeof(common->cpu_mask)); /* the last --cpu counts */
	err = tt_parse_cpu_list(arg, common->cpu_mask, TT_CPU_BITS);
	if (err == -ERANGE)
		tt_usage_error("--cpu: '%s' is out of range; CPUs go from 0 to %d", arg, TT_CPU_BITS - 1);
	if (err)
		tt_usage_error("--cpu: '%s' is no list of CPUs; write it like 0-3,7", arg);
	common->cpu_text = arg;
	common->has_cpu_mask = true;
}

static error_t parse_filter(int key, char *arg, struct argp_state *state)
{
	struct tt_common_options *common = state->input;

	switch (key) {
	case 'p':
		common->every_pid = !strcmp(arg, "all");
		if (common->every_pid)
			return 0;
		if (tt_parse_u32(arg, &common->pid) || !common->pid || common->pid > INT32_MAX)
			tt_usage_error("-p: '%s' is no process id; write a number from 1 to %d, or all", arg,
				       INT32_MAX);
		common->pid_text = arg;
		return 0;
	case KEY_CGROUP:
		if (!arg[0])
			tt_usage_error("--cgroup: '' is no path; write it like /system.slice/nginx.service");
		common->every_cgroup = !strcmp(arg, "all");
		if (!common->every_cgroup)
			common->cgroup = strip_cgroup_mount(arg);
		return 0;
	case KEY_DEVICE:
		if (!arg[0])
			tt_usage_error("--device: '' is no device; write a name like vda, /dev/vda or 253:0");
		common->every_device = !strcmp(arg, "all");
		if (!common->every_device)
			common->device = arg;
		return 0;
	case KEY_CPU:
		common->every_cpu = !strcmp(arg, "all");
		if (common->every_cpu)
			return 0;
		parse_cpus(common, arg);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static error_t parse_talk(int key, char *arg, struct argp_state *state)
{
	struct tt_common_options *common = state->input;

	(void)arg;
	switch (key) {
	case 'q':
		common->quiet = true;
		common->verbose = false;
		tt_log_set_level(TT_LOG_QUIET);
		return 0;
	case 'v':
		common->verbose = true;
		common->quiet = false;
		tt_log_set_level(TT_LOG_VERBOSE);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option source_options[] = {
	{ "source", KEY_SOURCE, "SOURCE", 0,
	  "auto (default), bpf, stap (SystemTap), or procfs: counters of /proc only, no privileges", 0 },
	{ "probe", KEY_PROBE, "NAME", 0, "steal, disk, runq or cpu (samples); repeatable (default: all but cpu)", 0 },
	{ "hook", KEY_HOOK, "PROBE=HOOK", 0,
	  "use this hook for a probe instead of the best; repeatable: a ladder, best first; see timethief "
	  "doctor",
	  0 },
	{ "ring-size", KEY_RING_SIZE, "SIZE", 0, "ring buffer of each CPU, 4k to 1g; stap: whole megabytes", 0 },
	{ "stap-module", KEY_STAP_MODULE, "FILE", 0,
	  "stap: load this module, made before by timethief stap-build, instead of making one", 0 },
	{ 0 },
};

static const struct argp_option filter_options[] = {
	{ "pid", 'p', "PID", 0, "only this process (all: every one, whatever the recording says)", 0 },
	{ "cgroup", KEY_CGROUP, "PATH", 0, "only this cgroup and those below it (or all)", 0 },
	{ "device", KEY_DEVICE, "NAME", 0, "only this disk (vda, /dev/vda or 253:0; or all)", 0 },
	{ "cpu", KEY_CPU, "LIST", 0, "only these CPUs (0-3,7; or all)", 0 },
	{ 0 },
};

static const struct argp_option talk_options[] = {
	{ "quiet", 'q', NULL, 0, "say nothing but warnings and errors", 0 },
	{ "verbose", 'v', NULL, 0, "say more", 0 },
	{ 0 },
};

const struct argp tt_argp_source = { .options = source_options, .parser = parse_source };
const struct argp tt_argp_filter = { .options = filter_options, .parser = parse_filter };
const struct argp tt_argp_talk = { .options = talk_options, .parser = parse_talk };

void tt_argp_share(struct argp_state *state, unsigned nr_children, struct tt_common_options *common)
{
	state->err_stream =
		NULL; /* getopt has said its line; argp's "Try ... --help" would be a second one */
	for (unsigned i = 0; i < nr_children; i++)
		state->child_inputs[i] = common;
}

int tt_argp_parse(const struct argp *argp, unsigned flags, int argc, char **argv, void *input)
{
	argp_err_exit_status = TT_EXIT_USAGE;
	return argp_parse(argp, argc, argv, flags, NULL, input) ? TT_EXIT_USAGE : 0;
}

/* "vda", "/dev/vda", "/dev/disk/by-id/..." or "253:0" to the numbers of a block device. */
static int find_device(const char *name, unsigned *ret_major, unsigned *ret_minor)
{
	char path[512];
	struct stat st;

	if (sscanf(name, "%u:%u", ret_major, ret_minor) == 2)
		return 0;
	snprintf(path, sizeof(path), "%s%s", name[0] == '/' ? "" : "/dev/", name);
	if (stat(path, &st) || !S_ISBLK(st.st_mode))
		return -ENODEV;
	*ret_major = major(st.st_rdev);
	*ret_minor = minor(st.st_rdev);
	return 0;
}

static int check_device(const char *name, uint32_t *ret_device)
{
	unsigned major_nr, minor_nr;
	char path[64];

	if (find_device(name, &major_nr, &minor_nr)) {
		log_error("--device: there is no disk '%s' here; lsblk -d lists the disks", name);
		return -ENODEV;
	}
	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u", major_nr, minor_nr);
	if (access(path, F_OK)) {
		log_error("--device: there is no disk '%s' here; lsblk -d lists the disks", name);
		return -ENODEV;
	}
	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/partition", major_nr, minor_nr);
	if (!access(path, F_OK)) {
		log_error("--device: '%s' is a partition; name the whole disk", name);
		return -ENODEV;
	}
	*ret_device = major_nr << 20 | (minor_nr & 0xfffff);
	return 0;
}

/* It may come later, with a container; but a slip of the pen should not show only in the report. */
static void warn_of_absent_cgroup(const char *cgroup)
{
	static const char *const mounts[] = { "", "unified/", "cpu/", "cpu,cpuacct/" };
	char path[PATH_MAX];

	for (unsigned i = 0; i < sizeof(mounts) / sizeof(mounts[0]); i++) {
		snprintf(path, sizeof(path), "/sys/fs/cgroup/%s%s/cgroup.procs", mounts[i], cgroup);
		if (!access(path, F_OK))
			return;
	}
	log_warn("--cgroup: there is no cgroup '%s' now; it is shown if it comes", cgroup);
}

int tt_common_check_host(const struct tt_common_options *common, uint32_t *ret_device)
{
	long nr_cpus = sysconf(_SC_NPROCESSORS_CONF);
	char path[32];

	*ret_device = 0;
	if (common->cgroup)
		warn_of_absent_cgroup(common->cgroup);
	snprintf(path, sizeof(path), "/proc/%u", common->pid);
	if (common->pid && access(path, F_OK)) {
		log_error("-p: there is no process %u", common->pid);
		return -ESRCH;
	}
	for (unsigned cpu = nr_cpus > 0 ? (unsigned)nr_cpus : 1; common->has_cpu_mask && cpu < TT_CPU_BITS;
	     cpu++) {
		if (common->cpu_mask[cpu / (8 * sizeof(long))] >> (cpu % (8 * sizeof(long))) & 1) {
			log_error("--cpu: there is no CPU %u here; CPUs go from 0 to %ld", cpu, nr_cpus - 1);
			return -ENXIO;
		}
	}
	return common->device ? check_device(common->device, ret_device) : 0;
}

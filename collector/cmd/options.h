/* SPDX-License-Identifier: GPL-2.0-or-later */
/* options - what several subcommands are asked in the same way; argp children for them to include.
 *
 *	struct tt_live_options { struct tt_common_options common; ... } opts = { ... };
 *	static const struct argp_child children[] = {
 *		{ &tt_argp_source, 0, "Source:", 1 }, { &tt_argp_talk, 0, "Other:", 2 }, { 0 } };
 *	case ARGP_KEY_INIT: // of its own parser
 *		tt_argp_share(state, 2, &opts->common);
 *	case ARGP_KEY_ARG: // must be handled: tt_usage_error when no more are wanted
 *	...
 *	if (tt_argp_parse(&argp, 0, argc, argv, &opts))
 *		return TT_EXIT_USAGE;
 *
 * A bad value ends the program here: one line that names option, value and what is accepted; status 2.
 */
#pragma once

#include <argp.h>
#include <stdbool.h>
#include <stdint.h>

#ifndef TT_VERSION /* the build says it */
#define TT_VERSION "0.1.0"
#endif

enum { TT_CPU_BITS = 8192, TT_CPU_LONGS = TT_CPU_BITS / (8 * sizeof(unsigned long)), TT_HOOKS_MAX = 8 };

struct tt_common_options {
	unsigned probes; /* TT_PROBE_*; all of them unless --probe was given */
	bool probes_given;
	const char *hooks[TT_HOOKS_MAX]; /* "PROBE=HOOK": the probe is known, the hook the source judges */
	unsigned nr_hooks;
	const char *source;   /* "auto", or a name from sources.def */
	uint64_t ring_bytes;  /* 0 = the source's choice */
	const char *stap_module; /* NULL = none given */
	const char *pid_text; /* NULL = no filter, as are the next three */
	uint32_t pid;	      /* 0 = no filter */
	const char *cgroup;   /* path from the root of its hierarchy: a leading /sys/fs/cgroup is taken off */
	const char *device;
	const char *cpu_text;
	unsigned long cpu_mask[TT_CPU_LONGS];
	bool has_cpu_mask;
	/* "all": lifts the filter that a recording has as its default */
	bool every_pid, every_cgroup, every_device, every_cpu;
	bool quiet, verbose;
};

#define TT_COMMON_OPTIONS_INIT                                                                               \
	{                                                                                                    \
		.source = "auto"                                                                             \
	}

extern const struct argp tt_argp_source; /* --source --probe --hook --ring-size --stap-module */
extern const struct argp tt_argp_filter; /* -p --cgroup --device --cpu */
extern const struct argp tt_argp_talk;	 /* -q -v; every subcommand has it: sets the log level */

/* In ARGP_KEY_INIT: hands common to the first nr_children children. */
void tt_argp_share(struct argp_state *state, unsigned nr_children, struct tt_common_options *common);
/* argp_parse with one line per error and our exit status: 0 or TT_EXIT_USAGE (already said why). --help and
 * --version exit 0 inside. flags as argp_parse. */
int tt_argp_parse(const struct argp *argp, unsigned flags, int argc, char **argv, void *input);

/* A usage error when a source was named that cannot do what option asks for. */
void tt_require_bpf(const struct tt_common_options *common, const char *option);

/* One line to stderr, exit 2. */
void tt_usage_error(const char *fmt, ...) __attribute__((noreturn, format(printf, 1, 2)));
/* For values of a subcommand's own options; outside [min, max] is a usage error that says the bounds. */
uint64_t tt_option_duration_ns(const char *option, const char *text, uint64_t min_ns, uint64_t max_ns);
uint64_t tt_option_size_bytes(const char *option, const char *text, uint64_t min_bytes, uint64_t max_bytes);
/* Index into names (NULL at its end); a usage error lists them, with the nearest match when there is one. */
unsigned tt_option_choice(const char *option, const char *text, const char *const *names);
/* The one of names that text was probably meant to be, or NULL. */
const char *tt_nearest_name(const char *text, const char *const *names);

/* For record and live, which look at this machine: that the pid, the CPUs and the device exist. Logs; -ESRCH,
 * -ENODEV, -ENXIO. */
int tt_common_check_host(const struct tt_common_options *common, uint32_t *ret_device);

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>

#include "collector/base/log.h"
#include "collector/source/stap_private.h"

/* The names are those of the module's status file, the numbers those of its options tt_steal_hook and tt_disk_hook. */
static const struct {
	const char *probe, *hook;
	unsigned number;
} hooks[] = {
	{ "steal", "stap", 0 },
	{ "steal", "account_steal_time", 1 },
	{ "steal", "clock", 2 },
	{ "steal", "tick", 3 },
	{ "disk", "stap", 0 },
	{ "disk", "blk_account_io_done", 1 },
	{ "disk", "block_rq_complete", 2 },
	{ "runq", "stap", 0 },
	{ "runq", "sched_info", 0 },
};

static int parse_hook(const char *given, struct stap_hooks *ret, unsigned *seen)
{
	const char *equals = strchr(given, '=');
	size_t len = equals ? (size_t)(equals - given) : strlen(given);

	for (unsigned i = 0; equals && i < sizeof(hooks) / sizeof(hooks[0]); i++) {
		unsigned bit = hooks[i].probe[0] == 's' ? 1 : hooks[i].probe[0] == 'd' ? 2 : 4;

		if (strlen(hooks[i].probe) != len || strncmp(hooks[i].probe, given, len) != 0 ||
		    strcmp(hooks[i].hook, equals + 1) != 0)
			continue;
		if (*seen & bit) {
			log_error("--hook %s: SystemTap takes one hook for a probe; its scripts know the "
				  "next themselves",
				  given);
			return -EINVAL;
		}
		*seen |= bit;
		if (bit == 1)
			ret->steal = hooks[i].number;
		else if (bit == 2)
			ret->disk = hooks[i].number;
		return 0;
	}
	log_error("--hook %s: the SystemTap source has no such hook; it has steal=account_steal_time, clock, "
		  "tick, "
		  "disk=blk_account_io_done, block_rq_complete, runq=sched_info",
		  given);
	return -EINVAL;
}

int tt_stap_parse_hooks(const struct tt_source_options *opts, struct stap_hooks *ret)
{
	unsigned seen = 0;

	*ret = (struct stap_hooks){ 0 };
	for (unsigned i = 0; i < opts->nr_hooks; i++) {
		int err = parse_hook(opts->hooks[i], ret, &seen);

		if (err)
			return err;
	}
	return 0;
}

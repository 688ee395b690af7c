/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/cmd/choose.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collector/base/log.h"
#include "collector/cmd/cmd.h"

static const char *const names_best_first[] = {
#define TT_SOURCE(name) #name,
#include "collector/source/sources.def"
#undef TT_SOURCE
	NULL
};

static int open_named(const char *name, const struct tt_source_options *opts, struct tt_info *info,
		      const struct tt_sink *sink, struct tt_source **ret_src)
{
	const struct tt_source_ops *ops = tt_source_find(name);

	if (!ops) {
		log_error("there is no source '%s'", name);
		return -ENOENT;
	}
	snprintf(info->source, sizeof(info->source), "%s", name);
	info->nr_probes = 0;
	return ops->open(opts, info, sink, ret_src);
}

/* A hook that does not exist is the only thing that a source finds wrong with how it was asked. */
static int end_if_misused(int err, const struct tt_source_options *opts)
{
	if (err == -EINVAL && opts->nr_hooks)
		exit(TT_EXIT_USAGE);
	return err;
}

/* What fills its buffer was cut: ends it after a word. */
static void end_at_word(char *text, size_t size)
{
	size_t len = strlen(text);

	if (len + 1 < size)
		return;
	len -= strlen(" ...");
	while (len && text[len] != ' ')
		len--;
	strcpy(text + len, " ...");
}

int tt_choose_source(const char *name, const struct tt_source_options *opts, struct tt_info *info,
		     const struct tt_sink *sink, struct tt_source **ret_src)
{
	char reason[sizeof(info->source_reason)] = "", held[480], first_held[480] = "";
	size_t used = 0;
	int err = -ENOENT, first_err = 0;

	info->source_reason[0] = '\0';
	if (strcmp(name, "auto") != 0)
		return end_if_misused(open_named(name, opts, info, sink, ret_src), opts);
	for (unsigned i = 0; names_best_first[i]; i++) {
		tt_log_hold(held, sizeof(held));
		err = open_named(names_best_first[i], opts, info, sink, ret_src);
		tt_log_hold(NULL, 0);
		if (!err)
			break;
		if (!held[0])
			snprintf(held, sizeof(held), "%s: %s", names_best_first[i], strerror(-err));
		end_at_word(held, sizeof(held));
		if (used < sizeof(reason))
			used += (size_t)snprintf(reason + used, sizeof(reason) - used, "%s%s", used ? "; " : "", held);
		if (err != -EPERM && err != -ENOSYS)
			break; /* no lack of rights or of BPF: another source would hide it */
		if (!first_err) {
			first_err = err;
			memcpy(first_held, held, sizeof(first_held));
		}
	}
	if (err == -EINVAL && opts->nr_hooks && first_err) {
		/* a source that cannot be opened may have the hook: why it cannot is what matters */
		log_error("%s", first_held);
		return first_err;
	}
	if (err) {
		log_error("%s", held);
		return end_if_misused(err, opts);
	}
	if (opts->stap_module && strcmp(info->source, "stap") != 0)
		log_warn("--stap-module %s is not used: %s works; --source stap takes it", opts->stap_module,
			 info->source);
	if (strcmp(info->source, "bpf") != 0 && (opts->stacks || opts->probes & TT_PROBE_CPU))
		log_warn("%s cannot take stacks or samples of the CPU: the recording has none", info->source);
	if (reason[0]) {
		end_at_word(reason, sizeof(reason));
		snprintf(info->source_reason, sizeof(info->source_reason), "%s", reason);
		log_warn("recording with %s instead of %s: %s", info->source, names_best_first[0], reason);
	}
	return 0;
}

void tt_source_options_fill(struct tt_source_options *opts, const struct tt_common_options *common,
			    uint32_t device)
{
	memset(opts, 0, sizeof(*opts));
	opts->probes = common->probes;
	memcpy(opts->hooks, common->hooks, sizeof(opts->hooks));
	opts->nr_hooks = common->nr_hooks;
	opts->ring_bytes = common->ring_bytes;
	opts->cpu_mask = common->has_cpu_mask ? common->cpu_mask : NULL;
	opts->device = device;
	opts->proc_root = "";
	opts->pid = common->pid;
	opts->stap_module = common->stap_module;
}
_Static_assert(sizeof(((struct tt_source_options *)0)->hooks) ==
		       sizeof(((struct tt_common_options *)0)->hooks),
	       "as many hooks in both");

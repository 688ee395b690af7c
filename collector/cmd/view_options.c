/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/cmd/view_options.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "collector/base/log.h"
#include "collector/base/terminal.h"
#include "collector/base/units.h"

enum { KEY_BY = 0x2000, KEY_CLASSIC, KEY_JSON, KEY_TOP };

enum { NR_TOP_MAX = 100000 };

static error_t parse_view(int key, char *arg, struct argp_state *state)
{
	static const char *const by_names[] = { "cpu", "task", "cgroup", "device", NULL };
	struct tt_view_options *opts = state->input;
	uint32_t nr;

	switch (key) {
	case KEY_BY:
		opts->by = (enum tt_by)(TT_BY_CPU + tt_option_choice("--by", arg, by_names));
		return 0;
	case KEY_CLASSIC:
		opts->classic = true;
		return 0;
	case KEY_JSON:
		opts->json = true;
		return 0;
	case KEY_TOP:
		if (tt_parse_u32(arg, &nr) || !nr || nr > NR_TOP_MAX)
			tt_usage_error("--top: '%s' is no number of rows; write one from 1 to %d", arg,
				       NR_TOP_MAX);
		opts->nr_top = nr;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option view_options[] = {
	{ "by", KEY_BY, "WHAT", 0, "rows by cpu, task, cgroup or device", 0 },
	{ "classic", KEY_CLASSIC, NULL, 0,
	  "disk columns of iostat before sysstat 12 (avgrq-sz await svctm ...)", 0 },
	{ "json", KEY_JSON, NULL, 0, "JSON instead of text", 0 },
	{ "top", KEY_TOP, "N", 0, "rows of top lists (default 10, live 5)", 0 },
	{ 0 },
};

const struct argp tt_argp_view = { .options = view_options, .parser = parse_view };

/* Filters of the recording are the default view of its report; each can be overridden, or lifted by "all". */
static void take_defaults(struct tt_common_options *common, const struct tt_info *info)
{
	if (!common->every_pid && !common->pid && info->filter_pid[0] &&
	    tt_parse_u32(info->filter_pid, &common->pid))
		common->pid = 0;
	if (!common->every_cgroup && !common->cgroup && info->filter_cgroup[0])
		common->cgroup = info->filter_cgroup;
	if (!common->every_device && !common->device && info->filter_device[0])
		common->device = info->filter_device;
	if (!common->every_cpu && !common->has_cpu_mask && info->filter_cpu[0] &&
	    !tt_parse_cpu_list(info->filter_cpu, common->cpu_mask, TT_CPU_BITS)) {
		common->has_cpu_mask = true;
		common->cpu_text = info->filter_cpu;
	}
}

static void describe_filters(const struct tt_common_options *common, char *only, size_t size)
{
	size_t used = 0;

	only[0] = '\0';
	if (common->pid)
		used += (size_t)snprintf(only + used, size - used, "process %u", common->pid);
	if (common->cgroup)
		used += (size_t)snprintf(only + used, size - used, "%scgroup %.250s", used ? ", " : "",
					 common->cgroup);
	if (common->device)
		used += (size_t)snprintf(only + used, size - used, "%sdisk %.60s", used ? ", " : "",
					 common->device);
	if (common->has_cpu_mask)
		snprintf(only + used, size - used, "%sCPU %.250s", used ? ", " : "", common->cpu_text);
}

void tt_view_fill(struct tt_view_filters *f, const struct tt_view_options *opts,
		  const struct tt_common_options *common, const struct tt_info *info)
{
	f->common = *common;
	if (info)
		take_defaults(&f->common, info);
	f->view = (struct tt_view){
		.by = opts->by,
		.classic = opts->classic,
		.nr_top = opts->nr_top,
		.pid = f->common.pid,
		.cgroup = f->common.cgroup,
		.device = f->common.device,
		.cpu_mask = f->common.has_cpu_mask ? f->common.cpu_mask : NULL,
		.nr_cpu_bits = TT_CPU_BITS,
	};
	describe_filters(&f->common, f->only, sizeof(f->only));
}

void tt_render_options_fill(struct tt_render_options *render)
{
	render->width = tt_terminal_width(STDOUT_FILENO);
	render->colour = tt_terminal_has_colour(STDOUT_FILENO);
	render->unicode = tt_terminal_is_utf8();
}

int tt_finish_stdout(int err)
{
	int write_err = fflush(stdout) || ferror(stdout) ? (errno ? errno : EIO) : 0;

	if (write_err == EPIPE)
		return -EPIPE;
	if (err == -EIO || write_err) {
		log_error("cannot write to the standard output: %s", strerror(write_err ? write_err : EIO));
		return -EIO;
	}
	if (err)
		log_error("cannot write the report: %s", strerror(-err));
	return err;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/aggregate/trim.h"

#include <string.h>

/* A star stands for any rest. Programs and how they are called; the kernel's way to take a stack; perf's, when a sample is taken by a
 * counter's overflow. */
static const char *const own_names[] = {
	"bpf_prog_*",
	"__bpf_prog_*",
	"bpf_trampoline_*",
	"bpf_trace_run*",
	"__bpf_trace_*",
	"__traceiter_*",
	"bpf_get_stack*",
	"__bpf_get_stack*",
	"bpf_perf_event_output*",
	"bpf_overflow_handler",
	"trace_call_bpf*",
	"perf_trace_*",
	"perf_call_bpf_*",
	"get_perf_callchain",
	"perf_callchain*",
	"perf_prepare_sample",
	"perf_event_output*",
	"perf_event_overflow",
	"__perf_event_overflow",
	"perf_swevent_*",
	"perf_tp_event",
	"stack_trace_save*",
	"arch_stack_walk*",
	NULL,
};

static const char *const entry_names[] = {
	/* x86 since 5.8, and before */
	"asm_sysvec_*",
	"sysvec_*",
	"asm_common_interrupt",
	"common_interrupt",
	"apic_timer_interrupt",
	"smp_apic_timer_interrupt",
	"do_IRQ",
	"ret_from_intr",
	/* arm64 since 5.12, and before */
	"el1h_64_irq*",
	"el0t_64_irq*",
	"el1_interrupt",
	"el0_interrupt",
	"el1_irq",
	"el0_irq",
	NULL,
};

static bool matches(const char *name, const char *pattern)
{
	size_t len = strlen(pattern);

	if (pattern[len - 1] == '*')
		return !strncmp(name, pattern, len - 1);
	return !strcmp(name, pattern);
}

/* Only the kernel's own functions: a program may call one of its as it likes. */
static bool is_one_of(const struct tt_frame_info *f, const char *const *patterns)
{
	if (!f->symbol || !f->is_kernel)
		return false;
	for (; *patterns; patterns++) {
		if (matches(f->symbol, *patterns))
			return true;
	}
	return false;
}

/* How many frames of the leaf side are our own: up to the last of them before the first that is known to be another's. */
static unsigned nr_own(const struct tt_frame_info *frames, unsigned nr)
{
	unsigned nr_own = 0;

	for (unsigned i = 0; i < nr; i++) {
		if (is_one_of(&frames[i], own_names))
			nr_own = i + 1;
		else if (frames[i].symbol || !frames[i].is_kernel)
			break;
	}
	return nr_own;
}

/* The frame behind the innermost interrupt's entry, whose functions call one another; 0 = there is none. */
static unsigned end_of_entry(const struct tt_frame_info *frames, unsigned nr)
{
	unsigned i = 0;

	while (i < nr && !is_one_of(&frames[i], entry_names))
		i++;
	if (i == nr)
		return 0;
	while (i < nr && is_one_of(&frames[i], entry_names))
		i++;
	return i;
}

unsigned tt_trim_frames(struct tt_frame_info *frames, unsigned nr, enum tt_trim how)
{
	unsigned first = nr_own(frames, nr), end;

	end = how == TT_TRIM_OWN ? 0 : end_of_entry(frames + first, nr - first);
	if (end && how == TT_TRIM_INTERRUPT)
		first += end;
	else if (end)
		nr = first + end;
	memmove(frames, frames + first, (nr - first) * sizeof(*frames));
	return nr - first;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/aggregate/trim.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

/* Names in one string, leaf first; "?" has none. What remains comes the same way. */
static char *trimmed(const char *names, enum tt_trim how)
{
	static char copy[1000], left[1000];
	struct tt_frame_info frames[40];
	unsigned nr = 0;

	strcpy(copy, names);
	for (char *name = strtok(copy, " "); name; name = strtok(NULL, " "))
		frames[nr++] = (struct tt_frame_info){ .is_kernel = true,
						       .symbol = strcmp(name, "?") ? name : NULL };
	nr = tt_trim_frames(frames, nr, how);
	left[0] = '\0';
	for (unsigned i = 0; i < nr; i++) {
		strcat(left, i ? " " : "");
		strcat(left, frames[i].symbol ? frames[i].symbol : "?");
	}
	return left;
}

#define TICK "__sysvec_apic_timer_interrupt sysvec_apic_timer_interrupt asm_sysvec_apic_timer_interrupt"

Test(trim, our_own_frames_go)
{
	cr_expect(eq(str,
		     trimmed("bpf_prog_1a2b_sched__switch bpf_trace_run4 __traceiter_sched_switch __schedule "
			     "schedule",
			     TT_TRIM_OWN),
		     "__schedule schedule"));
	cr_expect(eq(str, trimmed("? ? bpf_trace_run4 ? __traceiter_sched_switch ? schedule", TT_TRIM_OWN),
		     "? schedule"));
	cr_expect(eq(str, trimmed("__schedule schedule", TT_TRIM_OWN), "__schedule schedule"));
	cr_expect(eq(str, trimmed("? ?", TT_TRIM_OWN), "? ?"), "no name, no claim");
	cr_expect(eq(str, trimmed("", TT_TRIM_OWN), ""));
	cr_expect(eq(str, trimmed("bpf_trace_run4", TT_TRIM_OWN), ""));
}

Test(trim, what_is_not_on_the_leaf_side_stays)
{
	cr_expect(eq(str, trimmed("__schedule bpf_prog_of_others __sys_bpf", TT_TRIM_OWN),
		     "__schedule bpf_prog_of_others __sys_bpf"));
	cr_expect(eq(str, trimmed("schedule " TICK " victim", TT_TRIM_OWN), "schedule " TICK " victim"));
}

Test(trim, what_a_tick_hit_is_below_its_entry)
{
	cr_expect(eq(str, trimmed("bpf_trace_run1 " TICK " clear_page do_fault", TT_TRIM_INTERRUPT),
		     "clear_page do_fault"));
	cr_expect(eq(str, trimmed("bpf_trace_run1 " TICK, TT_TRIM_INTERRUPT), ""), "it hit user code");
	cr_expect(eq(str,
		     trimmed("bpf_trace_run1 gic_handle_irq el1_interrupt el1h_64_irq_handler el1h_64_irq "
			     "cpu_idle",
			     TT_TRIM_INTERRUPT),
		     "cpu_idle"));
	cr_expect(eq(
		str,
		trimmed("blk_done virtblk_done __common_interrupt common_interrupt asm_common_interrupt work",
			TT_TRIM_INTERRUPT),
		"work"));
	cr_expect(eq(str, trimmed("bpf_trace_run1 blk_done worker_thread", TT_TRIM_INTERRUPT),
		     "blk_done worker_thread"),
		  "a completion by a task");
}

Test(trim, the_innermost_interrupt_is_the_one)
{
	cr_expect(
		eq(str,
		   trimmed(TICK
			   " handle_softirqs __common_interrupt common_interrupt asm_common_interrupt victim",
			   TT_TRIM_INTERRUPT),
		   "handle_softirqs __common_interrupt common_interrupt asm_common_interrupt victim"));
}

Test(trim, an_interrupts_wakeup_is_not_of_what_it_hit)
{
	cr_expect(eq(str,
		     trimmed("bpf_trace_run1 try_to_wake_up hrtimer_wakeup " TICK " victim main",
			     TT_TRIM_INTERRUPTED),
		     "try_to_wake_up hrtimer_wakeup " TICK));
	cr_expect(eq(str, trimmed("try_to_wake_up futex_wake", TT_TRIM_INTERRUPTED),
		     "try_to_wake_up futex_wake"));
}

Test(trim, a_programs_function_may_have_any_name)
{
	struct tt_frame_info frames[] = { { .symbol = "bpf_prog_mine" }, { .symbol = "sysvec_mine" } };

	cr_expect(eq(u32, tt_trim_frames(frames, 2, TT_TRIM_INTERRUPT), 2));
}

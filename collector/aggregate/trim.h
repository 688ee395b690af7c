/* SPDX-License-Identifier: GPL-2.0-or-later */
/* trim - what of a kernel stack is told: neither our own doing nor the wrong side of an interrupt.
 *
 * The kernel takes a stack where our program runs. So the leaf side begins with the program and what called it (bpf_prog_*,
 * bpf_trace_run4, __traceiter_*, ...), which says nothing about who is being measured: it is always taken off, together with
 * frames without a name above it (a program's code may have none).
 *
 * Where the program runs in an interrupt, what is below the interrupt's entry (asm_sysvec_*, asm_common_interrupt, el1h_64_irq, ...) is what
 * it hit, what is above is the interrupt. Which of them is meant depends on the question:
 *
 *   steal that a timer tick or a block completion saw   what the interrupt hit: all up to and including the entry goes. Nothing
 *                                                       remains when it hit user code, whose stack is another
 *   a wakeup by an interrupt                            the interrupt: what it hit woke nobody and goes
 *
 * The entry is the innermost one: with interrupts on top of each other, the one that our program ran in. Entries are known by their
 * names on x86 and arm64; on others such stacks stay whole.
 */
#pragma once

#include "collector/aggregate/stacks.h"

enum tt_trim {
	TT_TRIM_OWN, /* taken by the task that is meant: at a switch, a submission, a wakeup by a task; or a sample */
	TT_TRIM_INTERRUPT,   /* and what it hit is meant */
	TT_TRIM_INTERRUPTED, /* and it is meant, not what it hit */
};

/* Of nr frames, leaf first, how many remain; they are moved to the front. */
unsigned tt_trim_frames(struct tt_frame_info *frames, unsigned nr, enum tt_trim how);

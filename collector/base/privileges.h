/* SPDX-License-Identifier: GPL-2.0-or-later */
/* privileges - giving up what is not needed any more. */
#pragma once

enum tt_privileges {
	TT_MAY_KILL = 1,  /* CAP_KILL: a command that has become another user would not hear our SIGTERM */
	TT_MAY_READ = 2,  /* CAP_SYS_PTRACE, CAP_DAC_READ_SEARCH: the files that other users' processes have mapped (symbols.h) */
};

/* From now on this process has none of root's capabilities but those that a running BPF source uses: CAP_BPF and CAP_PERFMON for
 * its programs and rings, CAP_SYS_ADMIN to have the kernel count their run time; and those of keep (enum tt_privileges). To be called
 * when everything is open; never fails (an unprivileged process has nothing to give up). */
void tt_privileges_drop(unsigned keep);

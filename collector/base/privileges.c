/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/base/privileges.h"

#include <linux/capability.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

void tt_privileges_drop(unsigned keep)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct caps[2] = { 0 };
	uint64_t kept = 1ull << CAP_BPF | 1ull << CAP_PERFMON | 1ull << CAP_SYS_ADMIN;

	if (keep & TT_MAY_KILL)
		kept |= 1ull << CAP_KILL;
	if (keep & TT_MAY_READ)
		kept |= 1ull << CAP_SYS_PTRACE | 1ull << CAP_DAC_READ_SEARCH;
	if (syscall(SYS_capget, &head, caps))
		return;
	for (int i = 0; i < 2; i++) {
		uint32_t mask = (uint32_t)(kept >> (32 * i));

		caps[i].effective &= mask;
		caps[i].permitted &= mask;
		caps[i].inheritable = 0;
	}
	syscall(SYS_capset, &head, caps);
}

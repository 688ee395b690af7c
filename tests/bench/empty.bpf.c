/* SPDX-License-Identifier: GPL-2.0-or-later */
/* empty - programs that do nothing on the hooks that record uses for switches: what any BPF tool pays at least. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "GPL";

#define EMPTY(hook)                                                                                          \
	SEC("tp_btf/" #hook)                                                                                 \
	int empty__##hook(void *ctx)                                                                         \
	{                                                                                                    \
		return 0;                                                                                    \
	}

EMPTY(sched_switch)
EMPTY(sched_waking)
EMPTY(sched_migrate_task)
EMPTY(sched_wakeup_new)
EMPTY(local_timer_exit)

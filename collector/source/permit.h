/* SPDX-License-Identifier: GPL-2.0-or-later */
/* permit - what this process may do on this machine: capabilities, switches of the kernel, BTF and memory
 * limits.
 *
 * Facts only, read below root ("" = the real one); what cannot be read has the value that says so. Never
 * fails.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum tt_btf_state { TT_BTF_ABSENT, TT_BTF_UNREADABLE, TT_BTF_READABLE };

struct tt_permit {
	bool cap_bpf, cap_perfmon, cap_sys_admin, cap_sys_resource; /* effective */
	bool has_cap_bpf; /* the kernel knows CAP_BPF and CAP_PERFMON (5.8); before, CAP_SYS_ADMIN is asked
			     for */
	bool in_user_namespace; /* capabilities count only inside it: no BPF whatever they say */
	char lockdown[24];	/* "none" "integrity" "confidentiality", "" = the kernel has none */
	int unprivileged_bpf_disabled, perf_event_paranoid; /* INT32_MIN = unknown */
	enum tt_btf_state btf;
	uint64_t btf_bytes;
	uint64_t memlock_bytes;		    /* UINT64_MAX = unlimited. Limits BPF memory before 5.11 only */
	uint64_t cgroup_memory_limit_bytes; /* the smallest of our cgroup and those above it; UINT64_MAX =
					       none */
};

void tt_permit_read(const char *root, struct tt_permit *ret);

/* Whether the capabilities suffice for the BPF source. If not, missing gets what to get, as in "CAP_BPF and
 * CAP_PERFMON". */
bool tt_permit_allows_bpf(const struct tt_permit *permit, char *missing, size_t size);

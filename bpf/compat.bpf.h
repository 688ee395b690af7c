/* SPDX-License-Identifier: GPL-2.0-or-later */
/* compat.bpf.h - one helper per kernel rename. Each decides by the shape of BTF, never by a version. */
#pragma once

#include "bpf/kernel.bpf.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
struct task_struct___old_state { /* 2f064a59a11f (5.14) and RHEL 8 kernels: state -> __state */
	long state;
};
struct request___rq_disk { /* f3fa33acca9f (5.17) removed rq_disk */
	struct gendisk *rq_disk;
};
struct request___refcount { /* 0a467d0fdd95 (5.16): refcount_t -> atomic_t */
	struct {
		atomic_t refs;
	} ref;
};
struct bio___bi_disk { /* 309dca309fc3 (5.12): bi_disk -> bi_bdev */
	struct gendisk *bi_disk;
};
#pragma clang attribute pop

/* These read with probe_read: they take any pointer, typed or not. Only slow paths use them. */

/* Nobody holds the request: it has ended. False where the kernel does not count holders (before 4.17). */
static __always_inline bool tt_request_is_free(const struct request *rq)
{
	const struct request___refcount *old = (const void *)rq;

	if (bpf_core_field_exists(rq->ref.counter))
		return BPF_CORE_READ(rq, ref.counter) == 0;
	if (bpf_core_field_exists(old->ref.refs))
		return BPF_CORE_READ(old, ref.refs.counter) == 0;
	return false;
}

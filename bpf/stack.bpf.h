/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stack.bpf.h - takes the stack of who runs, and gives it an id.
 *
 * The id is a hash of what is on the stack, so no table in the kernel says what an id means: the addresses are emitted (struct tt_stack)
 * unless this id was emitted not long ago, which a cache tells. What the cache has forgotten is emitted again; the
 * collector keeps the first. Two stacks never share an id but by a coincidence of 64 bits: the hash is keyed by a number of this recording.
 *
 * Of a user stack the address space is part of the hash: the same addresses are other functions in another process, and after an
 * exec.
 */
#pragma once

#include "bpf/probe.bpf.h"

TT_KNOB const volatile bool tt_stacks;	   /* take stacks */
TT_KNOB const volatile __u64 tt_stack_key; /* random */
TT_KNOB const volatile __u32
	tt_stack_depth; /* as deep as the kernel goes (perf_event_max_stack), at most TT_STACK_DEPTH_MAX */

/* Copies of user stacks, for code without frame pointers. */
TT_KNOB const volatile bool tt_copies;
TT_KNOB const volatile __u64 tt_copy_interval_ns[TT_NR_COPY_WHY]; /* on each CPU one so often, on average */
TT_KNOB const volatile __u64 tt_copy_wait_ns; /* of a task that leaves its CPU, when it last waited so long for one */

enum { TT_COPY_BURST = 32 };

enum { TT_STACK_WAYS = 4, TT_STACK_SETS_LOG2 = 14 };

/* Ids that were emitted, each in one of the places that it points to. 0.5 MiB. */
struct tt_stack_set {
	u64 ids[TT_STACK_WAYS];
};

TT_MAP struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1 << TT_STACK_SETS_LOG2);
	__type(key, u32);
	__type(value, struct tt_stack_set);
} tt_stack_sets SEC(".maps");

/* A stack on its way. An interrupt finds the first one taken when it comes into the middle of another, and uses the second. */
struct tt_stack_buffer {
	u32 busy, pad;
	u64 result;
	struct tt_batch head;
	struct tt_stack stack;
	u64 ips[TT_STACK_DEPTH_MAX + 1]; /* a power of two, as the verifier likes it */
};

enum { TT_STACK_BUFFERS = 2 };

TT_MAP struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, TT_STACK_BUFFERS);
	__type(key, u32);
	__type(value, struct tt_stack_buffer);
} tt_stack_buffers SEC(".maps");

/* Of a user stack, and used with the stack buffer of the same key. */
struct tt_copy_buffer {
	struct tt_batch head;
	struct tt_user_copy copy;
	u8 bytes[TT_COPY_BYTES_MAX];
};
_Static_assert(sizeof(struct tt_copy_buffer) <= TT_BATCH_BYTES_MAX, "a copy fits into a batch");

TT_MAP struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, TT_STACK_BUFFERS);
	__type(key, u32);
	__type(value, struct tt_copy_buffer);
} tt_copy_buffers SEC(".maps");

struct tt_stack_ids {
	u64 kernel, user;
};

static __always_inline u64 tt_mix(u64 hash, u64 value)
{
	hash = (hash ^ value) * 0x9e3779b97f4a7c15ull;
	return hash ^ hash >> 29;
}

/* One address space: a process from one exec to the next. start_ns: of its first thread. */
static __always_inline u64 tt_space_hash(u64 exec_id, u64 start_ns, u32 pid)
{
	return tt_mix(tt_mix(tt_mix(tt_stack_key, exec_id), start_ns), pid) | 1;
}

/* A free one, which is busy then; NULL = none. */
static __always_inline struct tt_stack_buffer *tt_take_stack_buffer(u32 *ret_key)
{
	struct tt_stack_buffer *b;

	*ret_key = 0;
	b = bpf_map_lookup_elem(&tt_stack_buffers, ret_key);
	if (b && b->busy) {
		*ret_key = 1;
		b = bpf_map_lookup_elem(&tt_stack_buffers, ret_key);
	}
	if (!b || b->busy)
		return NULL;
	b->busy = 1;
	barrier();
	return b;
}

/* Gives what is in the buffer its id, in its result, and tells what that stands for. core.bpf.c. */
int tt_tell_stack(u32 key, u32 nr, u64 space, u32 pid);
/* Copies the user stack of the task that runs, of which nr addresses were taken, if the rate allows it: then the copy's id is the buffer's result. core.bpf.c. */
int tt_copy_user_stack(u32 key, u32 nr, u64 space, u32 pid, u32 why);

/* The stack of the task that runs, of the kernel or of the user (BPF_F_USER_STACK). */
static __always_inline u64 tt_take_stack(void *ctx, u64 which, u64 space, u32 pid, enum tt_copy_why copy)
{
	struct tt_cpu *c = tt_this_cpu();
	struct tt_stack_buffer *b;
	long bytes;
	u32 key;
	u64 id;

	if (!c)
		return TT_STACK_MISSED;
	b = tt_take_stack_buffer(&key);
	if (!b) {
		c->nr_missed_stacks++;
		return TT_STACK_MISSED;
	}
	bytes = bpf_get_stack(ctx, b->ips, TT_STACK_DEPTH_MAX * 8, which);
	if (bytes >= 0) {
		tt_tell_stack(key, (u32)bytes / 8, space, pid);
	} else {
		b->result = TT_STACK_MISSED;
		c->nr_missed_stacks++;
	}
	if (tt_copies && copy != TT_COPY_NONE)
		tt_copy_user_stack(key, bytes > 0 ? (u32)bytes / 8 : 0, space, pid, copy);
	id = b->result;
	barrier();
	b->busy = 0;
	return id;
}

/* Where typed pointers cost nothing, sched.bpf.c has its own. */
static __always_inline struct tt_stack_ids tt_take_stacks(void *ctx, enum tt_copy_why copy)
{
	struct task_struct *t = (void *)bpf_get_current_task();
	struct tt_stack_ids ids = { .kernel = tt_take_stack(ctx, 0, 0, 0, TT_COPY_NONE) };
	u32 pid;

	if (!BPF_CORE_READ(t, mm)) /* a kernel thread */
		return ids;
	pid = bpf_get_current_pid_tgid() >> 32;
	ids.user = tt_take_stack(ctx, BPF_F_USER_STACK,
				 tt_space_hash(BPF_CORE_READ(t, self_exec_id),
					       BPF_CORE_READ(t, group_leader, start_time), pid),
				 pid, copy);
	return ids;
}

/* Behind a packed record. */
static __always_inline void tt_put_stacks(u64 *words, const struct tt_stack_ids *ids)
{
	words[TT_EXT_PREV_KSTACK] = ids->kernel;
	words[TT_EXT_PREV_USTACK] = ids->user;
}

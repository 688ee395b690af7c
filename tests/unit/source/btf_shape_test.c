/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/source/btf_shape.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

/* struct pcpu_hot { union { struct { u64 current_task; int preempt_count; }; u64 pad; }; int tail; }, as kernels 6.2 to 6.14
 * have it. */
static struct btf *pcpu_hot(void)
{
	struct btf *btf = btf__new_empty();
	int u64 = btf__add_int(btf, "u64", 8, 0), s32 = btf__add_int(btf, "int", 4, BTF_INT_SIGNED);
	int inner = btf__add_struct(btf, NULL, 16), both;

	btf__add_field(btf, "current_task", u64, 0, 0);
	btf__add_field(btf, "preempt_count", s32, 64, 0);
	both = btf__add_union(btf, NULL, 16);
	btf__add_field(btf, NULL, inner, 0, 0);
	btf__add_field(btf, "pad", u64, 0, 0);
	btf__add_struct(btf, "pcpu_hot", 24);
	btf__add_field(btf, NULL, both, 0, 0);
	btf__add_field(btf, "tail", s32, 128, 0);
	return btf;
}

Test(btf_shape, a_member_is_found_in_unnamed_members_at_any_depth)
{
	struct btf *btf = pcpu_hot();
	int64_t offset = -1;

	cr_expect(tt_btf_has_field(btf, "pcpu_hot", "preempt_count"));
	cr_expect(tt_btf_field_offset(btf, "pcpu_hot", "preempt_count", &offset));
	cr_expect(eq(i64, offset, 8));
	cr_expect(tt_btf_field_offset(btf, "pcpu_hot", "tail", &offset));
	cr_expect(eq(i64, offset, 16));
	cr_expect(not(tt_btf_has_field(btf, "pcpu_hot", "cpu_number")));
	cr_expect(not(tt_btf_has_field(btf, "rq", "clock")));
	btf__free(btf);
}

/* void (*)(void *, task, task) */
Test(btf_shape, arguments_of_a_tracepoint_are_counted_without_the_context)
{
	struct btf *btf = btf__new_empty();
	int ptr = btf__add_ptr(btf, 0), proto = btf__add_func_proto(btf, 0);

	btf__add_func_param(btf, "__data", ptr);
	btf__add_func_param(btf, "p", ptr);
	btf__add_func_param(btf, "q", ptr);
	btf__add_typedef(btf, "btf_trace_sched_test", btf__add_ptr(btf, proto));
	cr_expect(eq(int, tt_btf_tracepoint_args(btf, "sched_test"), 2));
	cr_expect(eq(int, tt_btf_tracepoint_args(btf, "sched_other"), -1));
	btf__free(btf);
}

Test(btf_shape, per_cpu_variables_have_their_place_in_the_section)
{
	struct btf *btf = btf__new_empty();
	int u64 = btf__add_int(btf, "u64", 8, 0);
	int var = btf__add_var(btf, "steal_time", BTF_VAR_GLOBAL_ALLOCATED, u64);
	int64_t offset = 0;

	cr_expect(not(tt_btf_percpu_offset(btf, "steal_time", &offset)), "no such section");
	btf__add_datasec(btf, ".data..percpu", 4096);
	btf__add_datasec_var_info(btf, var, 64, 8);
	cr_expect(tt_btf_percpu_offset(btf, "steal_time", &offset));
	cr_expect(eq(i64, offset, 64));
	cr_expect(not(tt_btf_percpu_offset(btf, "runqueues", &offset)));
	btf__free(btf);
}

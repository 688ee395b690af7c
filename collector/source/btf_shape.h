/* SPDX-License-Identifier: GPL-2.0-or-later */
/* btf_shape - what the running kernel's BTF says it has. All decisions between hooks rest on this, none on a version. */
#pragma once

#include <bpf/btf.h>
#include <stdbool.h>
#include <stdint.h>

/* Number of arguments of a raw tracepoint, -1 when the kernel has no such tracepoint. */
int tt_btf_tracepoint_args(const struct btf *btf, const char *name);
bool tt_btf_has_func(const struct btf *btf, const char *name);
/* Place of a field in bytes; fields of anonymous structs and unions inside are the struct's own. */
bool tt_btf_field_offset(const struct btf *btf, const char *struct_name, const char *field,
			 int64_t *ret_offset);
bool tt_btf_has_field(const struct btf *btf, const char *struct_name, const char *field);
/* Value of a constant of any enum, also of one without a name (which CO-RE cannot find). */
bool tt_btf_enum_value(const struct btf *btf, const char *name, int64_t *ret_value);
/* Place of a per-CPU variable in its section. Differences between two of them are the same on every CPU. */
bool tt_btf_percpu_offset(const struct btf *btf, const char *name, int64_t *ret_offset);

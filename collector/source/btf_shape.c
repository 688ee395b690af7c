/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/source/btf_shape.h"

#include <stdio.h>
#include <string.h>

/* The kernel describes tracepoint NAME as typedef btf_trace_NAME: pointer to a function of (void *,
 * arguments). */
int tt_btf_tracepoint_args(const struct btf *btf, const char *name)
{
	char type_name[128];
	const struct btf_type *t;
	int id;

	snprintf(type_name, sizeof(type_name), "btf_trace_%s", name);
	id = btf__find_by_name_kind(btf, type_name, BTF_KIND_TYPEDEF);
	if (id < 0)
		return -1;
	t = btf__type_by_id(btf, btf__type_by_id(btf, id)->type);
	if (!t || !btf_is_ptr(t))
		return -1;
	t = btf__type_by_id(btf, t->type);
	if (!t || !btf_is_func_proto(t) || btf_vlen(t) < 1)
		return -1;
	return btf_vlen(t) - 1;
}

bool tt_btf_has_func(const struct btf *btf, const char *name)
{
	return btf__find_by_name_kind(btf, name, BTF_KIND_FUNC) > 0;
}

/* Anonymous structs and unions are looked into however deep they nest: pcpu_hot has two levels of them. */
static bool find_field(const struct btf *btf, const struct btf_type *t, const char *field, uint32_t *ret_bits)
{
	const struct btf_member *m = btf_members(t);

	for (unsigned i = 0; i < btf_vlen(t); i++, m++) {
		const char *name = btf__name_by_offset(btf, m->name_off);
		uint32_t bits = btf_member_bit_offset(t, i), inner_bits;
		const struct btf_type *inner;

		if (name && *name) {
			if (strcmp(name, field))
				continue;
			*ret_bits = bits;
			return true;
		}
		inner = btf__type_by_id(btf, m->type);
		if (inner && btf_is_composite(inner) && find_field(btf, inner, field, &inner_bits)) {
			*ret_bits = bits + inner_bits;
			return true;
		}
	}
	return false;
}

bool tt_btf_field_offset(const struct btf *btf, const char *struct_name, const char *field,
			 int64_t *ret_offset)
{
	int id = btf__find_by_name_kind(btf, struct_name, BTF_KIND_STRUCT);
	uint32_t bits;

	if (id < 0 || !find_field(btf, btf__type_by_id(btf, id), field, &bits))
		return false;
	*ret_offset = bits / 8;
	return true;
}

bool tt_btf_has_field(const struct btf *btf, const char *struct_name, const char *field)
{
	int64_t offset;

	return tt_btf_field_offset(btf, struct_name, field, &offset);
}

bool tt_btf_enum_value(const struct btf *btf, const char *name, int64_t *ret_value)
{
	for (unsigned id = 1; id < btf__type_cnt(btf); id++) {
		const struct btf_type *t = btf__type_by_id(btf, id);
		const struct btf_enum *e;

		if (!btf_is_enum(t))
			continue;
		e = btf_enum(t);
		for (unsigned i = 0; i < btf_vlen(t); i++, e++) {
			const char *e_name = btf__name_by_offset(btf, e->name_off);

			if (e_name && !strcmp(e_name, name)) {
				*ret_value = e->val;
				return true;
			}
		}
	}
	return false;
}

bool tt_btf_percpu_offset(const struct btf *btf, const char *name, int64_t *ret_offset)
{
	int section_id = btf__find_by_name_kind(btf, ".data..percpu", BTF_KIND_DATASEC);
	const struct btf_var_secinfo *var;
	const struct btf_type *section;

	if (section_id < 0)
		return false;
	section = btf__type_by_id(btf, section_id);
	var = btf_var_secinfos(section);
	for (unsigned i = 0; i < btf_vlen(section); i++, var++) {
		const struct btf_type *t = btf__type_by_id(btf, var->type);
		const char *var_name = t ? btf__name_by_offset(btf, t->name_off) : NULL;

		if (var_name && !strcmp(var_name, name)) {
			*ret_offset = var->offset;
			return true;
		}
	}
	return false;
}

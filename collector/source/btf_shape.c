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

/* Also looks into anonymous structs and unions, one level deep. */
bool tt_btf_has_field(const struct btf *btf, const char *struct_name, const char *field)
{
	int id = btf__find_by_name_kind(btf, struct_name, BTF_KIND_STRUCT);
	const struct btf_type *t, *inner;
	const struct btf_member *m, *n;

	if (id < 0)
		return false;
	t = btf__type_by_id(btf, id);
	m = btf_members(t);
	for (unsigned i = 0; i < btf_vlen(t); i++, m++) {
		const char *name = btf__name_by_offset(btf, m->name_off);

		if (name && !strcmp(name, field))
			return true;
		if (name && *name)
			continue;
		inner = btf__type_by_id(btf, m->type);
		if (!inner || !btf_is_composite(inner))
			continue;
		n = btf_members(inner);
		for (unsigned j = 0; j < btf_vlen(inner); j++, n++) {
			name = btf__name_by_offset(btf, n->name_off);
			if (name && !strcmp(name, field))
				return true;
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

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kind.c - name, shape and size of a kind, from bpf/kinds.def. */
#include "collector/event/decode.h"

struct kind {
	const char *name, *shape;
	size_t size;
};

static const struct kind kinds[] = {
#define TT_KIND(id, NAME, SHAPE, payload, shown, key) [id] = { shown, #SHAPE, sizeof(struct payload) },
#include "bpf/kinds.def"
#undef TT_KIND
};

static const struct kind *find_kind(unsigned kind)
{
	return kind < sizeof(kinds) / sizeof(kinds[0]) && kinds[kind].name ? &kinds[kind] : NULL;
}

const char *tt_kind_name(unsigned kind)
{
	const struct kind *k = find_kind(kind);

	return k ? k->name : NULL;
}

const char *tt_kind_shape(unsigned kind)
{
	const struct kind *k = find_kind(kind);

	return k ? k->shape : NULL;
}

size_t tt_kind_size(unsigned kind)
{
	const struct kind *k = find_kind(kind);

	return k ? k->size : 0;
}

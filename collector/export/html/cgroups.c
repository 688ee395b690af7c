/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/export/html/cgroups.h"

#include <errno.h>
#include <stdlib.h>

#include "collector/aggregate/index.h"

enum { NR_CGROUPS_MAX = 65536, NAME_MAX_BYTES = 128 };

struct tt_page_cgroups {
	const struct tt_world *world;
	uint64_t *ids;
	uint32_t nr;
	struct tt_index by_id;
};

int tt_page_cgroups_open(const struct tt_world *world, struct tt_page_cgroups **ret_c)
{
	struct tt_page_cgroups *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	c->world = world;
	c->ids = calloc(NR_CGROUPS_MAX, sizeof(*c->ids));
	if (!c->ids || tt_index_open(&c->by_id, NR_CGROUPS_MAX)) {
		tt_page_cgroups_close(c);
		return -ENOMEM;
	}
	*ret_c = c;
	return 0;
}

void tt_page_cgroups_close(struct tt_page_cgroups *c)
{
	if (!c)
		return;
	free(c->ids);
	tt_index_close(&c->by_id);
	free(c);
}

uint32_t tt_page_cgroups_get(struct tt_page_cgroups *c, uint64_t cgroup_id)
{
	uint32_t i = tt_index_find(&c->by_id, cgroup_id);

	if (!cgroup_id)
		return 0;
	if (i == TT_INDEX_NONE) {
		if (c->nr == NR_CGROUPS_MAX)
			return 0;
		i = c->nr++;
		c->ids[i] = cgroup_id;
		tt_index_put(&c->by_id, cgroup_id, i);
	}
	return i + 1;
}

void tt_page_cgroups_put(const struct tt_page_cgroups *c, struct tt_page_pack *pack)
{
	char name[NAME_MAX_BYTES];

	tt_page_pack_column(pack, "cgroup.name", TT_PAGE_TEXTS);
	for (uint32_t i = 0; i < c->nr; i++)
		tt_page_pack_raw(pack, tt_world_cgroup_name(c->world, c->ids[i], name, sizeof(name)));
	tt_page_pack_column(pack, "cgroup.path", TT_PAGE_TEXTS);
	for (uint32_t i = 0; i < c->nr; i++) {
		const char *path = tt_world_cgroup_path(c->world, c->ids[i]);

		tt_page_pack_raw(pack, path ? path : "");
	}
}

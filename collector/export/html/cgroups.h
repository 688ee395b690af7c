/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cgroups - those that something in the page names, in order of appearance: columns "cgroup.name" and "cgroup.path". */
#pragma once

#include "collector/aggregate/world.h"
#include "collector/export/html/pack.h"

struct tt_page_cgroups;

int tt_page_cgroups_open(const struct tt_world *world, struct tt_page_cgroups **ret_c); /* -ENOMEM */
void tt_page_cgroups_close(struct tt_page_cgroups *c);
uint32_t tt_page_cgroups_get(struct tt_page_cgroups *c, uint64_t cgroup_id); /* place + 1; 0 = none */
void tt_page_cgroups_put(const struct tt_page_cgroups *c, struct tt_page_pack *pack);

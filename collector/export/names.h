/* SPDX-License-Identifier: GPL-2.0-or-later */
/* names - each text once, under a number. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define TT_NAMES_NONE UINT32_MAX

struct tt_names;

/* At most max names of nr_bytes together, touched as they fill. -ENOMEM. */
int tt_names_open(uint32_t max, size_t nr_bytes, struct tt_names **ret_n);
void tt_names_close(struct tt_names *n);
/* Numbers from 0 in order of first appearance. TT_NAMES_NONE: no room for a new one. */
uint32_t tt_names_get(struct tt_names *n, const char *text);
const char *tt_names_text(const struct tt_names *n, uint32_t id); /* valid as long as n */
uint32_t tt_names_nr(const struct tt_names *n);

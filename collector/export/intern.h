/* SPDX-License-Identifier: GPL-2.0-or-later */
/* intern - each text once, under a number. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define TT_INTERN_NONE UINT32_MAX

struct tt_intern;

/* At most max names of nr_bytes together, touched as they fill. -ENOMEM. */
int tt_intern_open(uint32_t max, size_t nr_bytes, struct tt_intern **ret_n);
void tt_intern_close(struct tt_intern *n);
/* Numbers from 0 in order of first appearance. TT_INTERN_NONE: no room for a new one. */
uint32_t tt_intern_get(struct tt_intern *n, const char *text);
const char *tt_intern_text(const struct tt_intern *n, uint32_t id); /* valid as long as n */
uint32_t tt_intern_nr(const struct tt_intern *n);

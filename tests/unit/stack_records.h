/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stack_records - for tests: the records of stacks and names, into batches. */
#pragma once

#include "tests/unit/batches.h"

static inline size_t tb_padded(size_t len)
{
	return (len + 7) / 8 * 8;
}

static inline void tb_stack(union tb *t, uint64_t id, uint64_t space, unsigned flags, const uint64_t *ips, unsigned nr)
{
	struct tt_stack *rec = tb_record(t, TT_EV_STACK, sizeof(*rec) + nr * sizeof(*ips), TT_CPU_NONE, 1);

	rec->id = id;
	rec->space = space;
	rec->pid = space ? 100 : 0;
	rec->nr = (uint16_t)nr;
	rec->flags = (uint16_t)(flags | (space ? TT_STACK_USER : 0));
	memcpy(rec + 1, ips, nr * sizeof(*ips));
}

static inline void tb_alias(union tb *t, uint64_t id, uint64_t same_as)
{
	struct tt_stack_alias *rec = tb_record(t, TT_EV_STACK_ALIAS, sizeof(*rec), TT_CPU_NONE, 1);

	rec->id = id;
	rec->same_as = same_as;
}

static inline struct tt_module *tb_module(union tb *t, uint32_t id, unsigned flags, const char *path)
{
	struct tt_module *rec = tb_record(t, TT_EV_MODULE, sizeof(*rec) + tb_padded(strlen(path)), TT_CPU_NONE, 2);

	rec->id = id;
	rec->flags = (uint16_t)flags;
	rec->path_len = (uint32_t)strlen(path);
	memcpy(rec + 1, path, strlen(path));
	return rec;
}

static inline void tb_symbol(union tb *t, uint32_t id, const char *name)
{
	struct tt_symbol *rec = tb_record(t, TT_EV_SYMBOL, sizeof(*rec) + tb_padded(strlen(name)), TT_CPU_NONE, 2);

	rec->id = id;
	rec->name_len = (uint32_t)strlen(name);
	memcpy(rec + 1, name, strlen(name));
}

static inline struct tt_frame *tb_frame(union tb *t, uint64_t space, uint64_t ip, uint32_t module, uint32_t symbol)
{
	struct tt_frame *rec = tb_record(t, TT_EV_FRAME, sizeof(*rec), TT_CPU_NONE, 2);

	rec->space = space;
	rec->ip = ip;
	rec->module = module;
	rec->symbol = symbol;
	rec->offset = 0x10;
	return rec;
}

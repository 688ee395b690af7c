/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dwarf_scopes - which functions were inlined where an address is, and which source line it comes from, as the compiler wrote it into
 * the file's DWARF.
 *
 * Units and functions are found by tables of their own, not by .debug_aranges, which not every compiler writes. Asking for addresses in
 * ascending order is cheap: the functions of one unit are in memory at a time.
 */
#pragma once

#include <libelf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "collector/symbol/dso.h"

enum {
	TT_DWARF_DEPTH_MAX = 32
}; /* functions inlined into each other, the one that they are in included; more are left out */

struct tt_dwarf;

struct tt_dwarf_frame {
	const char *name; /* mangled where it is; NULL = not known */
	const char *file; /* NULL = not known */
	uint32_t line;
	uint64_t start;
};

int tt_dwarf_open(Elf *elf, struct tt_dwarf **ret); /* -ENOENT: it has none; -ENOMEM */
void tt_dwarf_close(struct tt_dwarf *d);	    /* before the file */

/* A file that the DWARF refers to for what several files share (dwz); what is it called, and of which build id? */
bool tt_dwarf_alt(const struct tt_dwarf *d, const char **ret_name, struct tt_build_id *ret_build_id);
void tt_dwarf_set_alt(struct tt_dwarf *d, Elf *alt); /* stays open until close */
int tt_dwarf_index(struct tt_dwarf *d);		     /* after that, before the first find. -ENOMEM */

/* The innermost function first, the one that all were inlined into last. 0 = nothing is known. Valid until close. */
unsigned tt_dwarf_find(struct tt_dwarf *d, uint64_t address,
		       struct tt_dwarf_frame frames[static TT_DWARF_DEPTH_MAX]);

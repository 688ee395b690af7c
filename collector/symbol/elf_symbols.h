/* SPDX-License-Identifier: GPL-2.0-or-later */
/* elf_symbols - the functions of an ELF file by address: .symtab and .dynsym of the file and of its debug file, the table in
 * .gnu_debugdata, and the stubs of its PLT.
 *
 * One sorted table, looked up by bisection. A symbol with a size covers just that; where several do, the one that begins last is right
 * (code within code). One without a size goes up to the next symbol or the end of its section, and does not matter inside of one that
 * has a size. Which of several names of one address is taken: symbol_choice.h. Data, undefined and absolute symbols and the assembler's
 * marks ($x, .L) are left out; an IFUNC's name is that of its resolver, which is code.
 *
 * At most TT_ELF_SYMBOLS_MAX symbols, 48 bytes each.
 */
#pragma once

#include "collector/symbol/elf_file.h"

enum {
	TT_ELF_SYMBOLS_MAX = 4 << 20,
	TT_DEBUGDATA_BYTES_MAX = 128 << 20, /* of .gnu_debugdata, unpacked */
};

struct tt_elf_symbols;

int tt_elf_symbols_open(const struct tt_elf_file *file, struct tt_elf_symbols **ret); /* -ENOMEM */
void tt_elf_symbols_close(struct tt_elf_symbols *s);

/* Takes all symbols of a file (file itself, its debug file), which must stay open. Returns whether there was a .symtab. */
bool tt_elf_symbols_add(struct tt_elf_symbols *s, const struct tt_elf_file *from);
bool tt_elf_symbols_add_debugdata(struct tt_elf_symbols *s);
void tt_elf_symbols_add_plt(struct tt_elf_symbols *s);
int tt_elf_symbols_sort(struct tt_elf_symbols *s); /* nothing may be added any more. -ENOMEM */
uint32_t tt_elf_symbols_nr(const struct tt_elf_symbols *s);

struct tt_elf_symbol {
	uint64_t start;
	const char *name; /* as in the file: mangled, with its version */
	bool is_plt;	  /* a stub that jumps there */
};
bool tt_elf_symbols_find(const struct tt_elf_symbols *s, uint64_t address, struct tt_elf_symbol *ret);

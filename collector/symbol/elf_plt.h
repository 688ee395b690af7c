/* SPDX-License-Identifier: GPL-2.0-or-later */
/* elf_plt - which stub of a procedure linkage table jumps to which function.
 *
 * x86-64 only: a stub is known by its jmp *slot(%rip), and the slot by the relocation that fills it, so it does not matter in which order
 * the linker wrote them. Elsewhere nothing is found.
 */
#pragma once

#include "collector/symbol/elf_file.h"

/* name is valid as long as the file is open. Return false to stop. */
typedef bool (*tt_elf_plt_fn)(void *ctx, uint64_t address, uint64_t size, const char *name);
void tt_elf_plt_walk(const struct tt_elf_file *f, tt_elf_plt_fn fn, void *ctx);

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/symbol/elf_plt.h"

#include <gelf.h>
#include <stdlib.h>
#include <string.h>

enum { SLOTS_MAX = 1 << 20 };

/* A word that the dynamic linker fills with the address of a function. */
struct slot {
	uint64_t address;
	const char *name;
};

struct slots {
	struct slot *slots;
	size_t nr, room;
};

static bool add_slot(struct slots *s, uint64_t address, const char *name)
{
	if (s->nr == SLOTS_MAX)
		return false;
	if (s->nr == s->room) {
		size_t room = s->room ? 2 * s->room : 256;
		struct slot *slots = realloc(s->slots, room * sizeof(*slots));

		if (!slots)
			return false;
		s->slots = slots;
		s->room = room;
	}
	s->slots[s->nr++] = (struct slot){ address, name };
	return true;
}

static void read_relocations(Elf *elf, Elf_Scn *section, const GElf_Shdr *head, struct slots *s)
{
	Elf_Data *data = elf_getdata(section, NULL), *symbols = NULL;
	Elf_Scn *table = elf_getscn(elf, head->sh_link);
	GElf_Shdr table_head;
	GElf_Rela rela;

	if (table && gelf_getshdr(table, &table_head) && table_head.sh_type == SHT_DYNSYM)
		symbols = elf_getdata(table, NULL);
	for (int i = 0; data && symbols && gelf_getrela(data, i, &rela); i++) {
		uint64_t type = GELF_R_TYPE(rela.r_info), index = GELF_R_SYM(rela.r_info);
		const char *name;
		GElf_Sym symbol;

		if ((type != R_X86_64_JUMP_SLOT && type != R_X86_64_GLOB_DAT) || index > INT32_MAX ||
		    !gelf_getsym(symbols, (int)index, &symbol))
			continue;
		name = elf_strptr(elf, table_head.sh_link, symbol.st_name);
		if (name && *name && !add_slot(s, rela.r_offset, name))
			return;
	}
}

static int compare(const void *a, const void *b)
{
	const struct slot *x = a, *y = b;

	return x->address < y->address ? -1 : x->address > y->address;
}

static const char *find(const struct slots *s, uint64_t address)
{
	const struct slot key = { .address = address };
	const struct slot *found = bsearch(&key, s->slots, s->nr, sizeof(key), compare);

	return found ? found->name : NULL;
}

/* [endbr64] [bnd] jmp *slot(%rip): where the slot is. */
static bool decode_stub(const unsigned char *code, size_t len, uint64_t address, uint64_t *ret_slot)
{
	static const unsigned char endbr64[] = { 0xf3, 0x0f, 0x1e, 0xfa };
	size_t at = len >= sizeof(endbr64) && !memcmp(code, endbr64, sizeof(endbr64)) ? sizeof(endbr64) : 0;
	int32_t distance;

	if (at < len && code[at] == 0xf2)
		at++;
	if (len < at + 6 || code[at] != 0xff || code[at + 1] != 0x25)
		return false;
	memcpy(&distance, code + at + 2, sizeof(distance));
	*ret_slot = address + at + 6 + (uint64_t)(int64_t)distance;
	return true;
}

/* Stubs are 16 bytes each, in .plt.got of some linkers 8. */
static bool walk_stubs(Elf_Scn *section, const GElf_Shdr *head, const struct slots *s, tt_elf_plt_fn fn,
		       void *ctx)
{
	Elf_Data *data = elf_rawdata(section, NULL);
	size_t step = head->sh_entsize == 8 ? 8 : 16;

	for (size_t at = 0; data && data->d_buf && at < data->d_size; at += step) {
		size_t left = data->d_size - at;
		const char *name;
		uint64_t slot;

		if (!decode_stub((const unsigned char *)data->d_buf + at, left < step ? left : step,
				 head->sh_addr + at, &slot))
			continue;
		name = find(s, slot);
		if (name && !fn(ctx, head->sh_addr + at, step, name))
			return false;
	}
	return true;
}

void tt_elf_plt_walk(const struct tt_elf_file *f, tt_elf_plt_fn fn, void *ctx)
{
	struct slots slots = { .nr = 0 };
	Elf_Scn *section = NULL;
	GElf_Shdr head;
	size_t names;

	if (f->machine != EM_X86_64 || elf_getshdrstrndx(f->elf, &names))
		return;
	while ((section = elf_nextscn(f->elf, section)))
		if (gelf_getshdr(section, &head) && head.sh_type == SHT_RELA)
			read_relocations(f->elf, section, &head, &slots);
	if (slots.nr)
		qsort(slots.slots, slots.nr, sizeof(*slots.slots), compare);
	while (slots.nr && (section = elf_nextscn(f->elf, section))) {
		const char *name =
			gelf_getshdr(section, &head) ? elf_strptr(f->elf, names, head.sh_name) : NULL;

		if (name && !strncmp(name, ".plt", 4) && head.sh_type == SHT_PROGBITS &&
		    !walk_stubs(section, &head, &slots, fn, ctx))
			break;
	}
	free(slots.slots);
}

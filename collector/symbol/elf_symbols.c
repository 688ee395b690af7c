/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/symbol/elf_symbols.h"

#include <errno.h>
#include <gelf.h>
#include <lzma.h>
#include <stdlib.h>
#include <string.h>

#include "collector/symbol/elf_plt.h"
#include "collector/symbol/symbol_choice.h"

enum {
	NR_AT_FIRST = 4096,
	SECTIONS_MAX = 65536,
	XZ_MEMORY_MAX = 256 << 20, /* the largest preset needs 65 MiB */
};

#define NO_PARENT UINT32_MAX

struct symbol {
	uint64_t start, end;
	uint64_t section_end; /* of one without a size: it does not go beyond */
	const char *name;
	uint32_t name_len; /* without the version */
	uint32_t parent;   /* the last one before that reaches beyond the start of this one */
	bool has_size : 1, is_relic : 1, is_weak : 1, is_global : 1, is_plt : 1;
};

struct section {
	uint64_t start, end;
	bool is_code;
};

struct tt_elf_symbols {
	const struct tt_elf_file *file;
	struct symbol *symbols;
	uint32_t nr, room;
	bool is_full; /* or there is no memory */
	Elf *debugdata;
	char *debugdata_image;
};

int tt_elf_symbols_open(const struct tt_elf_file *file, struct tt_elf_symbols **ret)
{
	struct tt_elf_symbols *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->file = file;
	*ret = s;
	return 0;
}

void tt_elf_symbols_close(struct tt_elf_symbols *s)
{
	if (!s)
		return;
	if (s->debugdata)
		elf_end(s->debugdata);
	free(s->debugdata_image);
	free(s->symbols);
	free(s);
}

uint32_t tt_elf_symbols_nr(const struct tt_elf_symbols *s)
{
	return s->nr;
}

static bool add(struct tt_elf_symbols *s, const struct symbol *symbol)
{
	if (s->nr == s->room && !s->is_full) {
		uint32_t room = s->room ? 2 * s->room : NR_AT_FIRST;
		struct symbol *symbols =
			room <= TT_ELF_SYMBOLS_MAX ? realloc(s->symbols, room * sizeof(*symbols)) : NULL;

		s->is_full = !symbols;
		if (symbols) {
			s->symbols = symbols;
			s->room = room;
		}
	}
	if (s->is_full)
		return false;
	s->symbols[s->nr++] = *symbol;
	return true;
}

/* --- one table --- */

static struct section *read_sections(Elf *elf, size_t *ret_nr)
{
	struct section *sections;
	Elf_Scn *section = NULL;
	size_t nr = 0;

	if (elf_getshdrnum(elf, &nr) || !nr || nr > SECTIONS_MAX)
		return NULL;
	sections = calloc(nr, sizeof(*sections));
	while (sections && (section = elf_nextscn(elf, section))) {
		size_t i = elf_ndxscn(section);
		GElf_Shdr head;

		if (i >= nr || !gelf_getshdr(section, &head) || !(head.sh_flags & SHF_ALLOC))
			continue;
		sections[i] = (struct section){ .start = head.sh_addr,
						.end = head.sh_addr + head.sh_size,
						.is_code = head.sh_flags & SHF_EXECINSTR };
	}
	*ret_nr = nr;
	return sections;
}

static bool is_mark(const char *name)
{
	return name[0] == '$' || (name[0] == '.' && name[1] == 'L') || name[0] == '\1';
}

/* What is a function, or may be one: assembler code often says nothing of its labels. */
static bool is_function(const GElf_Sym *symbol, const char *name, const struct section *section)
{
	switch (GELF_ST_TYPE(symbol->st_info)) {
	case STT_FUNC:
	case STT_GNU_IFUNC:
		return true;
	case STT_NOTYPE:
		return section && section->is_code && !is_mark(name);
	default:
		return false;
	}
}

static void take_symbol(struct tt_elf_symbols *s, const GElf_Sym *sym, const char *name,
			const struct section *section)
{
	const struct tt_elf_segment *code;
	const char *version;
	struct symbol symbol = { .start = sym->st_value, .name = name };

	if (!is_function(sym, name, section))
		return;
	if (s->file->machine == EM_ARM) /* the lowest bit says Thumb */
		symbol.start &= ~(uint64_t)1;
	code = tt_elf_file_code(s->file, symbol.start);
	if (!code)
		return;
	symbol.section_end = code->address + code->memory_size;
	symbol.end = sym->st_size < symbol.section_end - symbol.start ? symbol.start + sym->st_size
								      : symbol.section_end;
	if (section && section->end > symbol.start && section->end < symbol.section_end)
		symbol.section_end = section->end;
	version = strchr(name + 1, '@');
	symbol.has_size = sym->st_size > 0;
	symbol.is_relic = version && version[1] != '@';
	symbol.is_weak = GELF_ST_BIND(sym->st_info) == STB_WEAK;
	symbol.is_global = GELF_ST_BIND(sym->st_info) != STB_LOCAL;
	symbol.name_len = (uint32_t)(version ? (size_t)(version - name) : strnlen(name, UINT32_MAX));
	add(s, &symbol);
}

static void read_table(struct tt_elf_symbols *s, Elf *elf, Elf_Scn *table, uint32_t strings,
		       const struct section *sections, size_t nr_sections)
{
	Elf_Data *data = elf_getdata(table, NULL);
	GElf_Sym symbol;

	for (int i = 0; data && !s->is_full && gelf_getsym(data, i, &symbol); i++) {
		const struct section *section = NULL;
		const char *name;

		if (symbol.st_shndx == SHN_UNDEF ||
		    (symbol.st_shndx >= SHN_LORESERVE && symbol.st_shndx != SHN_XINDEX))
			continue;
		if (symbol.st_shndx < nr_sections)
			section = &sections[symbol.st_shndx];
		name = elf_strptr(elf, strings, symbol.st_name);
		if (name && *name)
			take_symbol(s, &symbol, name, section);
	}
}

static bool read_tables(struct tt_elf_symbols *s, Elf *elf)
{
	size_t nr_sections = 0;
	struct section *sections = read_sections(elf, &nr_sections);
	Elf_Scn *section = NULL;
	bool has_symtab = false;

	while ((section = elf_nextscn(elf, section))) {
		GElf_Shdr head;

		if (!gelf_getshdr(section, &head) ||
		    (head.sh_type != SHT_SYMTAB && head.sh_type != SHT_DYNSYM))
			continue;
		has_symtab |= head.sh_type == SHT_SYMTAB;
		read_table(s, elf, section, head.sh_link, sections, sections ? nr_sections : 0);
	}
	free(sections);
	return has_symtab;
}

bool tt_elf_symbols_add(struct tt_elf_symbols *s, const struct tt_elf_file *from)
{
	return read_tables(s, from->elf);
}

/* --- .gnu_debugdata: an ELF file with a .symtab, packed by xz --- */

static Elf_Data *find_debugdata(Elf *elf)
{
	Elf_Scn *section = NULL;
	size_t names;

	if (elf_getshdrstrndx(elf, &names))
		return NULL;
	while ((section = elf_nextscn(elf, section))) {
		GElf_Shdr head;
		const char *name = gelf_getshdr(section, &head) ? elf_strptr(elf, names, head.sh_name) : NULL;

		if (name && head.sh_type == SHT_PROGBITS && !strcmp(name, ".gnu_debugdata"))
			return elf_rawdata(section, NULL);
	}
	return NULL;
}

/* NULL: no memory, too large, or not of the form. */
static char *unpack(const void *packed, size_t packed_len, size_t *ret_len)
{
	lzma_stream xz = LZMA_STREAM_INIT;
	size_t room = 1 << 20, len = 0;
	char *bytes = NULL;
	lzma_ret ret;

	if (lzma_stream_decoder(&xz, XZ_MEMORY_MAX, 0) != LZMA_OK)
		return NULL;
	xz.next_in = packed;
	xz.avail_in = packed_len;
	do {
		char *more = room <= TT_DEBUGDATA_BYTES_MAX ? realloc(bytes, room) : NULL;

		if (!more) {
			ret = LZMA_MEM_ERROR;
			break;
		}
		bytes = more;
		xz.next_out = (uint8_t *)bytes + len;
		xz.avail_out = room - len;
		ret = lzma_code(&xz, LZMA_FINISH);
		len = room - xz.avail_out;
		room *= 2;
	} while (ret == LZMA_OK);
	lzma_end(&xz);
	if (ret != LZMA_STREAM_END) {
		free(bytes);
		return NULL;
	}
	*ret_len = len;
	return bytes;
}

bool tt_elf_symbols_add_debugdata(struct tt_elf_symbols *s)
{
	Elf_Data *packed = find_debugdata(s->file->elf);
	size_t len;

	if (!packed || !packed->d_buf || s->debugdata)
		return false;
	s->debugdata_image = unpack(packed->d_buf, packed->d_size, &len);
	s->debugdata = s->debugdata_image ? elf_memory(s->debugdata_image, len) : NULL;
	return s->debugdata && elf_kind(s->debugdata) == ELF_K_ELF && read_tables(s, s->debugdata);
}

static bool take_stub(void *ctx, uint64_t address, uint64_t size, const char *name)
{
	struct tt_elf_symbols *s = ctx;
	const char *version = strchr(name + 1, '@');
	const struct symbol stub = {
		.start = address,
		.end = address + size,
		.name = name,
		.name_len = (uint32_t)(version ? (size_t)(version - name) : strnlen(name, UINT32_MAX)),
		.has_size = true,
		.is_plt = true,
	};

	return !tt_elf_file_code(s->file, address) || add(s, &stub);
}

void tt_elf_symbols_add_plt(struct tt_elf_symbols *s)
{
	tt_elf_plt_walk(s->file, take_stub, s);
}

/* --- the whole --- */

static struct tt_symbol_choice choice_of(const struct symbol *symbol)
{
	return (struct tt_symbol_choice){ .name = { symbol->name, symbol->name_len },
					  .has_size = symbol->has_size,
					  .is_relic = symbol->is_relic,
					  .is_weak = symbol->is_weak,
					  .is_global = symbol->is_global };
}

static int compare(const void *a, const void *b)
{
	const struct symbol *x = a, *y = b;
	struct tt_symbol_choice choice_x, choice_y;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	choice_x = choice_of(x);
	choice_y = choice_of(y);
	return tt_symbol_compare(&choice_x, &choice_y);
}

/* One symbol for each address, and none without a size inside of one that has one. */
static void drop_aliases(struct tt_elf_symbols *s)
{
	uint64_t covered = 0; /* up to here by symbols with a size */
	uint32_t nr = 0;

	for (uint32_t i = 0; i < s->nr; i++) {
		const struct symbol *symbol = &s->symbols[i];

		if (nr && s->symbols[nr - 1].start == symbol->start) {
			if (s->symbols[nr - 1].has_size && symbol->end > s->symbols[nr - 1].end)
				s->symbols[nr - 1].end = symbol->end;
		} else if (symbol->has_size || symbol->start >= covered) {
			s->symbols[nr++] = *symbol;
		}
		if (nr && s->symbols[nr - 1].has_size && s->symbols[nr - 1].end > covered)
			covered = s->symbols[nr - 1].end;
	}
	s->nr = nr;
}

static void set_ends(struct tt_elf_symbols *s)
{
	for (uint32_t i = 0; i < s->nr; i++) {
		struct symbol *symbol = &s->symbols[i];

		if (symbol->has_size)
			continue;
		symbol->end = symbol->section_end;
		if (i + 1 < s->nr && s->symbols[i + 1].start < symbol->end)
			symbol->end = s->symbols[i + 1].start;
	}
}

int tt_elf_symbols_sort(struct tt_elf_symbols *s)
{
	uint32_t *open,
		nr_open =
			0; /* those that reach beyond the present start, each beyond the one opened after it */

	if (!s->nr)
		return 0;
	qsort(s->symbols, s->nr, sizeof(*s->symbols), compare);
	drop_aliases(s);
	set_ends(s);
	open = malloc(s->nr * sizeof(*open));
	if (!open)
		return -ENOMEM;
	for (uint32_t i = 0; i < s->nr; i++) {
		while (nr_open && s->symbols[open[nr_open - 1]].end <= s->symbols[i].start)
			nr_open--;
		s->symbols[i].parent = nr_open ? open[nr_open - 1] : NO_PARENT;
		open[nr_open++] = i;
	}
	free(open);
	return 0;
}

bool tt_elf_symbols_find(const struct tt_elf_symbols *s, uint64_t address, struct tt_elf_symbol *ret)
{
	uint32_t low = 0, high = s->nr; /* the first symbol behind address */
	uint32_t i;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (s->symbols[middle].start <= address)
			low = middle + 1;
		else
			high = middle;
	}
	for (i = low ? low - 1 : NO_PARENT; i != NO_PARENT; i = s->symbols[i].parent) {
		const struct symbol *symbol = &s->symbols[i];

		if (address >= symbol->end)
			continue;
		*ret = (struct tt_elf_symbol){ symbol->start, symbol->name, symbol->is_plt };
		return true;
	}
	return false;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/symbol/dwarf_scopes.h"

#include <dwarf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <elfutils/libdw.h>
#include <elfutils/libdwelf.h>

enum {
	RANGES_MAX = 16 << 20,
	NESTING_MAX = 48, /* of namespaces, or of blocks: the walks recurse */
};

/* Addresses that belong to a unit or to a function. */
struct range {
	uint64_t start, end;
	Dwarf_Off die;
};

struct ranges {
	struct range *ranges;
	size_t nr, room;
};

struct tt_dwarf {
	Dwarf *dwarf, *alt;
	struct ranges units;
	struct ranges functions; /* of unit */
	Dwarf_Off unit;
	bool has_unit;
	Dwarf_Files *files; /* of unit; NULL = none */
};

static int add_range(struct ranges *r, uint64_t start, uint64_t end, Dwarf_Off die)
{
	if (end <= start || !start) /* functions that the linker left out begin at 0 */
		return 0;
	if (r->nr == r->room) {
		size_t room = r->room ? 2 * r->room : 256;
		struct range *ranges = room <= RANGES_MAX ? realloc(r->ranges, room * sizeof(*ranges)) : NULL;

		if (!ranges)
			return -ENOMEM;
		r->ranges = ranges;
		r->room = room;
	}
	r->ranges[r->nr++] = (struct range){ start, end, die };
	return 0;
}

static int add_die(struct ranges *r, Dwarf_Die *die)
{
	Dwarf_Addr base, start, end;
	ptrdiff_t at = 0;
	int err = 0;

	while (!err && (at = dwarf_ranges(die, at, &base, &start, &end)) > 0)
		err = add_range(r, start, end, dwarf_dieoffset(die));
	return err;
}

static int compare(const void *a, const void *b)
{
	const struct range *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return x->end > y->end ? -1 : x->end < y->end;
}

static void sort(struct ranges *r)
{
	if (r->nr)
		qsort(r->ranges, r->nr, sizeof(*r->ranges), compare);
}

/* The last one that begins at or before address and covers it; looks at a few, as ranges seldom overlap. */
static const struct range *find(const struct ranges *r, uint64_t address)
{
	size_t low = 0, high = r->nr;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (r->ranges[middle].start <= address)
			low = middle + 1;
		else
			high = middle;
	}
	for (unsigned i = 0; i < 16 && low > i; i++)
		if (r->ranges[low - 1 - i].end > address)
			return &r->ranges[low - 1 - i];
	return NULL;
}

/* The next child of the same parent. An attribute says where it is, and may lie: only forward counts. */
static bool next_sibling(Dwarf_Die *die)
{
	Dwarf_Die next;

	if (dwarf_siblingof(die, &next) || dwarf_dieoffset(&next) <= dwarf_dieoffset(die))
		return false;
	*die = next;
	return true;
}

static bool holds_functions(int tag)
{
	return tag == DW_TAG_namespace || tag == DW_TAG_module || tag == DW_TAG_class_type ||
	       tag == DW_TAG_structure_type || tag == DW_TAG_union_type;
}

static int add_functions(struct ranges *r, Dwarf_Die *parent, unsigned depth)
{
	Dwarf_Die die;
	int err = 0;

	if (depth > NESTING_MAX || dwarf_child(parent, &die))
		return 0;
	do {
		int tag = dwarf_tag(&die);

		if (tag == DW_TAG_subprogram)
			err = add_die(r, &die);
		else if (holds_functions(tag))
			err = add_functions(r, &die, depth + 1);
	} while (!err && next_sibling(&die));
	return err;
}

int tt_dwarf_open(Elf *elf, struct tt_dwarf **ret)
{
	struct tt_dwarf *d = calloc(1, sizeof(*d));

	if (!d)
		return -ENOMEM;
	d->dwarf = dwarf_begin_elf(elf, DWARF_C_READ, NULL);
	if (!d->dwarf) {
		free(d);
		return -ENOENT;
	}
	*ret = d;
	return 0;
}

void tt_dwarf_close(struct tt_dwarf *d)
{
	if (!d)
		return;
	dwarf_end(d->dwarf);
	if (d->alt)
		dwarf_end(d->alt);
	free(d->units.ranges);
	free(d->functions.ranges);
	free(d);
}

bool tt_dwarf_alt(const struct tt_dwarf *d, const char **ret_name, struct tt_build_id *ret_build_id)
{
	const void *build_id;
	ssize_t len = dwelf_dwarf_gnu_debugaltlink(d->dwarf, ret_name, &build_id);

	if (len <= 0 || len > TT_BUILD_ID_MAX)
		return false;
	ret_build_id->len = (uint8_t)len;
	memcpy(ret_build_id->bytes, build_id, (size_t)len);
	return true;
}

void tt_dwarf_set_alt(struct tt_dwarf *d, Elf *alt)
{
	if (d->alt)
		return;
	d->alt = dwarf_begin_elf(alt, DWARF_C_READ, NULL);
	if (d->alt)
		dwarf_setalt(d->dwarf, d->alt);
}

int tt_dwarf_index(struct tt_dwarf *d)
{
	Dwarf_CU *unit = NULL;
	Dwarf_Die die;
	uint8_t type;
	int err = 0;

	while (!err && !dwarf_get_units(d->dwarf, unit, &unit, NULL, &type, &die, NULL))
		if (dwarf_tag(&die) == DW_TAG_compile_unit || dwarf_tag(&die) == DW_TAG_skeleton_unit)
			err = add_die(&d->units, &die);
	sort(&d->units);
	return err;
}

static bool enter_unit(struct tt_dwarf *d, Dwarf_Off unit, Dwarf_Die *ret_die)
{
	size_t nr_files;

	if (!dwarf_offdie(d->dwarf, unit, ret_die))
		return false;
	if (d->has_unit && d->unit == unit)
		return true;
	d->has_unit = true;
	d->unit = unit;
	d->functions.nr = 0;
	if (add_functions(&d->functions, ret_die, 0))
		d->functions.nr = 0;
	sort(&d->functions);
	if (dwarf_getsrcfiles(ret_die, &d->files, &nr_files))
		d->files = NULL;
	return true;
}

static bool number_of(Dwarf_Die *die, unsigned name, uint64_t *ret)
{
	Dwarf_Attribute attr;
	Dwarf_Word value;

	if (!dwarf_attr(die, name, &attr) || dwarf_formudata(&attr, &value))
		return false;
	*ret = value;
	return true;
}

/* Of the function itself or of what it is an instance of. */
static const char *name_of(Dwarf_Die *die)
{
	Dwarf_Attribute attr;
	const char *name = NULL;

	if (dwarf_attr_integrate(die, DW_AT_linkage_name, &attr) ||
	    dwarf_attr_integrate(die, DW_AT_MIPS_linkage_name, &attr))
		name = dwarf_formstring(&attr);
	if (!name && dwarf_attr_integrate(die, DW_AT_name, &attr))
		name = dwarf_formstring(&attr);
	return name;
}

/* The function inlined into parent that address is in; blocks between the two do not matter. */
static bool find_inlined(Dwarf_Die *parent, uint64_t address, Dwarf_Die *ret, unsigned depth)
{
	Dwarf_Die die;

	if (depth > NESTING_MAX || dwarf_child(parent, &die))
		return false;
	do {
		int tag = dwarf_tag(&die);

		if (tag == DW_TAG_inlined_subroutine && dwarf_haspc(&die, address) == 1) {
			*ret = die;
			return true;
		}
		if ((tag == DW_TAG_lexical_block || tag == DW_TAG_try_block || tag == DW_TAG_catch_block) &&
		    dwarf_haspc(&die, address) == 1 && find_inlined(&die, address, ret, depth + 1))
			return true;
	} while (next_sibling(&die));
	return false;
}

static void set_line(struct tt_dwarf_frame *frame, Dwarf_Die *unit, uint64_t address)
{
	Dwarf_Line *line = dwarf_getsrc_die(unit, address);
	int number = 0;

	if (!line || dwarf_lineno(line, &number) || number <= 0)
		return;
	frame->line = (uint32_t)number;
	frame->file = dwarf_linesrc(line, NULL, NULL);
}

static void set_call(const struct tt_dwarf *d, struct tt_dwarf_frame *frame, Dwarf_Die *inlined)
{
	uint64_t line, file;
	const char *name;

	if (!number_of(inlined, DW_AT_call_line, &line) || !line || line > INT32_MAX)
		return;
	frame->line = (uint32_t)line;
	if (!d->files || !number_of(inlined, DW_AT_call_file, &file))
		return;
	name = dwarf_filesrc(d->files, file, NULL, NULL);
	if (name && strcmp(name, "???") != 0) /* the file 0 of old versions, which is none */
		frame->file = name;
}

unsigned tt_dwarf_find(struct tt_dwarf *d, uint64_t address,
		       struct tt_dwarf_frame frames[static TT_DWARF_DEPTH_MAX])
{
	const struct range *unit_range = find(&d->units, address), *range;
	Dwarf_Die unit, scopes[TT_DWARF_DEPTH_MAX]; /* the outermost first */
	unsigned nr = 0;

	memset(frames, 0, TT_DWARF_DEPTH_MAX * sizeof(frames[0]));
	if (!unit_range || !enter_unit(d, unit_range->die, &unit))
		return 0;
	range = find(&d->functions, address);
	if (range && dwarf_offdie(d->dwarf, range->die, &scopes[0])) {
		nr = 1;
		while (nr < TT_DWARF_DEPTH_MAX && find_inlined(&scopes[nr - 1], address, &scopes[nr], 0))
			nr++;
	}
	if (!nr) { /* assembler code has lines, too */
		set_line(&frames[0], &unit, address);
		return frames[0].line > 0;
	}
	for (unsigned i = 0; i < nr; i++) {
		struct tt_dwarf_frame *frame = &frames[nr - 1 - i];
		Dwarf_Addr start;

		frame->name = name_of(&scopes[i]);
		if (!dwarf_entrypc(&scopes[i], &start))
			frame->start = start;
		if (i + 1 < nr)
			set_call(d, frame, &scopes[i + 1]);
		else
			set_line(frame, &unit, address);
	}
	return nr;
}

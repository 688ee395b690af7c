/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stacks.c - see stacks.h. A stack is a run of numbers of addresses, so each address and its names are there once; frames of
 * an address are a list. Tables are hashes of slot numbers: what is looked for is compared in the slot itself. */
#include "collector/aggregate/stacks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { NONE = UINT32_MAX };

struct stack {
	uint64_t id;
	uint32_t first; /* in ips */
	uint16_t nr;
	bool is_cut;
};

struct alias {
	uint64_t id, same_as;
};

struct address {
	uint64_t space, ip;
	uint32_t first_frame, last_frame; /* NONE = no name */
};

struct frame {
	uint64_t offset;
	uint32_t module, symbol, file, line;
	uint32_t next;
	bool is_inlined;
};

struct module {
	uint16_t flags;
	uint8_t build_id_len, build_id[sizeof(((struct tt_module *)0)->build_id)];
};

/* A hash of slot numbers + 1, at most half full; 0 = free. */
struct slots {
	uint32_t *cells;
	uint64_t mask;
};

struct tt_stacks {
	struct stack *stacks;
	struct alias *aliases;
	uint32_t *ips; /* slots of addresses */
	struct address *addresses;
	struct frame *frames;
	struct slots by_id, by_alias, by_address;
	uint32_t *symbols, *module_names; /* where in names, by id; 0 = unknown */
	struct module *modules;		  /* by id */
	char *names;			  /* the first byte is never a name's */
	uint32_t nr_stacks, nr_aliases, nr_ips, nr_addresses, nr_frames, nr_name_bytes;
	uint64_t nr_forgotten;
};

static int open_slots(struct slots *sl, unsigned max)
{
	uint64_t nr_cells = 4;

	while (nr_cells < 2 * (uint64_t)max)
		nr_cells *= 2;
	sl->mask = nr_cells - 1;
	sl->cells = calloc(nr_cells, sizeof(*sl->cells));
	return sl->cells ? 0 : -ENOMEM;
}

int tt_stacks_open(struct tt_stacks **ret_s)
{
	struct tt_stacks *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	/* as large as they may become: the kernel gives the pages when they are touched */
	s->stacks = calloc(TT_STACKS_MAX, sizeof(*s->stacks));
	s->aliases = calloc(TT_STACKS_ALIASES_MAX, sizeof(*s->aliases));
	s->ips = calloc(TT_STACKS_IPS_MAX, sizeof(*s->ips));
	s->addresses = calloc(TT_STACKS_ADDRESSES_MAX, sizeof(*s->addresses));
	s->frames = calloc(TT_STACKS_FRAMES_MAX, sizeof(*s->frames));
	s->symbols = calloc(TT_STACKS_SYMBOLS_MAX, sizeof(*s->symbols));
	s->module_names = calloc(TT_STACKS_MODULES_MAX, sizeof(*s->module_names));
	s->modules = calloc(TT_STACKS_MODULES_MAX, sizeof(*s->modules));
	s->names = calloc(TT_STACKS_NAME_BYTES_MAX, 1);
	s->nr_name_bytes = 1;
	if (!s->stacks || !s->aliases || !s->ips || !s->addresses || !s->frames || !s->symbols ||
	    !s->module_names || !s->modules || !s->names || open_slots(&s->by_id, TT_STACKS_MAX) ||
	    open_slots(&s->by_alias, TT_STACKS_ALIASES_MAX) ||
	    open_slots(&s->by_address, TT_STACKS_ADDRESSES_MAX)) {
		tt_stacks_close(s);
		return -ENOMEM;
	}
	*ret_s = s;
	return 0;
}

void tt_stacks_close(struct tt_stacks *s)
{
	if (!s)
		return;
	free(s->stacks);
	free(s->aliases);
	free(s->ips);
	free(s->addresses);
	free(s->frames);
	free(s->symbols);
	free(s->module_names);
	free(s->modules);
	free(s->names);
	free(s->by_id.cells);
	free(s->by_alias.cells);
	free(s->by_address.cells);
	free(s);
}

/* Tables */

static uint64_t mix(uint64_t key)
{
	key = (key ^ (key >> 30)) * 0xbf58476d1ce4e5b9ull;
	key = (key ^ (key >> 27)) * 0x94d049bb133111ebull;
	return key ^ (key >> 31);
}

/* The cell of the stack, or the free one where it would go. */
static uint32_t *stack_cell(const struct tt_stacks *s, uint64_t id)
{
	uint64_t i = mix(id) & s->by_id.mask;

	while (s->by_id.cells[i] && s->stacks[s->by_id.cells[i] - 1].id != id)
		i = (i + 1) & s->by_id.mask;
	return &s->by_id.cells[i];
}

static uint32_t *alias_cell(const struct tt_stacks *s, uint64_t id)
{
	uint64_t i = mix(id) & s->by_alias.mask;

	while (s->by_alias.cells[i] && s->aliases[s->by_alias.cells[i] - 1].id != id)
		i = (i + 1) & s->by_alias.mask;
	return &s->by_alias.cells[i];
}

static uint32_t *address_cell(const struct tt_stacks *s, uint64_t space, uint64_t ip)
{
	uint64_t i = mix(ip ^ mix(space)) & s->by_address.mask;

	for (; s->by_address.cells[i]; i = (i + 1) & s->by_address.mask) {
		const struct address *a = &s->addresses[s->by_address.cells[i] - 1];

		if (a->ip == ip && a->space == space)
			break;
	}
	return &s->by_address.cells[i];
}

/* The slot of an address; NONE = no room. */
static uint32_t get_address(struct tt_stacks *s, uint64_t space, uint64_t ip)
{
	uint32_t *cell = address_cell(s, space, ip);

	if (*cell)
		return *cell - 1;
	if (s->nr_addresses == TT_STACKS_ADDRESSES_MAX)
		return NONE;
	s->addresses[s->nr_addresses] = (struct address){ space, ip, NONE, NONE };
	*cell = ++s->nr_addresses;
	return *cell - 1;
}

/* Records */

/* 0 = no room, or there is no name. The same name is told once, under its id. */
static uint32_t keep_name(struct tt_stacks *s, const char *name, uint32_t len)
{
	uint32_t at = s->nr_name_bytes;

	len = (uint32_t)strnlen(name, len);
	if (!len)
		return 0;
	if (len >= TT_STACKS_NAME_BYTES_MAX - at) {
		s->nr_forgotten++;
		return 0;
	}
	memcpy(s->names + at, name, len);
	s->names[at + len] = '\0';
	s->nr_name_bytes += len + 1;
	return at;
}

static void on_symbol(struct tt_stacks *s, const struct tt_symbol *rec)
{
	if (!rec->id || rec->id >= TT_STACKS_SYMBOLS_MAX)
		s->nr_forgotten++;
	else if (!s->symbols[rec->id])
		s->symbols[rec->id] = keep_name(s, (const char *)(rec + 1), rec->name_len);
}

static void on_module(struct tt_stacks *s, const struct tt_module *rec)
{
	struct module *m;

	if (!rec->id || rec->id >= TT_STACKS_MODULES_MAX) {
		s->nr_forgotten++;
		return;
	}
	m = &s->modules[rec->id];
	m->flags = rec->flags;
	m->build_id_len = rec->build_id_len;
	memcpy(m->build_id, rec->build_id, sizeof(m->build_id));
	if (!s->module_names[rec->id])
		s->module_names[rec->id] = keep_name(s, (const char *)(rec + 1), rec->path_len);
}

/* The last frame of an address is the function that is there; what comes after it is the same told again. */
static bool is_complete(const struct tt_stacks *s, const struct address *a)
{
	return a->last_frame != NONE && !s->frames[a->last_frame].is_inlined;
}

static void on_frame(struct tt_stacks *s, const struct tt_frame *rec)
{
	uint32_t slot = s->nr_frames < TT_STACKS_FRAMES_MAX ? get_address(s, rec->space, rec->ip) : NONE;
	struct address *a;

	if (slot == NONE) {
		s->nr_forgotten++;
		return;
	}
	a = &s->addresses[slot];
	if (is_complete(s, a))
		return;
	s->frames[s->nr_frames] = (struct frame){
		.offset = rec->offset,
		.module = rec->module,
		.symbol = rec->symbol,
		.file = rec->file,
		.line = rec->line,
		.next = NONE,
		.is_inlined = (rec->flags & TT_FRAME_INLINED) != 0,
	};
	if (a->last_frame == NONE)
		a->first_frame = s->nr_frames;
	else
		s->frames[a->last_frame].next = s->nr_frames;
	a->last_frame = s->nr_frames++;
}

static void on_stack(struct tt_stacks *s, const struct tt_stack *rec)
{
	const tt_u64 *ips = (const tt_u64 *)(rec + 1);
	uint32_t *cell = stack_cell(s, rec->id);

	if (rec->id < TT_STACK_IDS || *cell)
		return;
	if (s->nr_stacks == TT_STACKS_MAX || rec->nr > TT_STACKS_IPS_MAX - s->nr_ips) {
		s->nr_forgotten++;
		return;
	}
	for (unsigned i = 0; i < rec->nr; i++) {
		uint32_t slot = get_address(s, rec->space, ips[i]);

		if (slot == NONE) {
			s->nr_forgotten++;
			return;
		}
		s->ips[s->nr_ips + i] = slot;
	}
	s->stacks[s->nr_stacks] = (struct stack){
		.id = rec->id,
		.first = s->nr_ips,
		.nr = rec->nr,
		.is_cut = (rec->flags & (TT_STACK_CUT | TT_STACK_LOST_WAY)) != 0,
	};
	s->nr_ips += rec->nr;
	*cell = ++s->nr_stacks;
}

static void on_alias(struct tt_stacks *s, const struct tt_stack_alias *rec)
{
	uint32_t *cell = alias_cell(s, rec->id);

	if (rec->id < TT_STACK_IDS)
		return;
	if (*cell) { /* something better is known now */
		s->aliases[*cell - 1].same_as = rec->same_as;
		return;
	}
	if (s->nr_aliases == TT_STACKS_ALIASES_MAX) {
		s->nr_forgotten++;
		return;
	}
	s->aliases[s->nr_aliases] = (struct alias){ rec->id, rec->same_as };
	*cell = ++s->nr_aliases;
}

void tt_stacks_event(struct tt_stacks *s, const struct tt_event *ev)
{
	const struct tt_record *rec = ((const struct tt_ev_record *)ev)->rec;

	switch (ev->kind) {
	case TT_EV_STACK:
		on_stack(s, (const struct tt_stack *)rec);
		break;
	case TT_EV_STACK_ALIAS:
		on_alias(s, (const struct tt_stack_alias *)rec);
		break;
	case TT_EV_MODULE:
		on_module(s, (const struct tt_module *)rec);
		break;
	case TT_EV_SYMBOL:
		on_symbol(s, (const struct tt_symbol *)rec);
		break;
	case TT_EV_FRAME:
		on_frame(s, (const struct tt_frame *)rec);
		break;
	}
}

/* Questions */

static const char *name_of(const struct tt_stacks *s, const uint32_t *table, uint32_t id, uint32_t max)
{
	return id < max && table[id] ? s->names + table[id] : NULL;
}

static void fill_frame(const struct tt_stacks *s, const struct address *a, const struct frame *f,
		       struct tt_frame_info *info)
{
	*info = (struct tt_frame_info){ .ip = a->ip, .is_kernel = !a->space };
	if (!f)
		return;
	info->offset = f->offset;
	info->symbol = name_of(s, s->symbols, f->symbol, TT_STACKS_SYMBOLS_MAX);
	info->module = name_of(s, s->module_names, f->module, TT_STACKS_MODULES_MAX);
	info->module_id = f->module;
	info->file = name_of(s, s->symbols, f->file, TT_STACKS_SYMBOLS_MAX);
	info->line = f->line;
	info->is_inlined = f->is_inlined && f->next != NONE;
	if (f->module < TT_STACKS_MODULES_MAX && s->modules[f->module].flags & TT_MODULE_KERNEL)
		info->is_kernel = true;
}

uint64_t tt_stacks_canonical(const struct tt_stacks *s, uint64_t id)
{
	uint32_t cell = s->nr_aliases ? *alias_cell(s, id) : 0;

	return cell ? s->aliases[cell - 1].same_as : id;
}

/* NULL = unknown */
static const struct stack *find_stack(const struct tt_stacks *s, uint64_t id)
{
	uint64_t own = tt_stacks_canonical(s, id);
	uint32_t cell = own >= TT_STACK_IDS ? *stack_cell(s, own) : 0;

	return cell ? &s->stacks[cell - 1] : NULL;
}

bool tt_stacks_has(const struct tt_stacks *s, uint64_t id)
{
	return find_stack(s, id) != NULL;
}

unsigned tt_stacks_frames(const struct tt_stacks *s, uint64_t id, struct tt_frame_info *frames, unsigned max,
			  bool *ret_cut)
{
	const struct stack *st = find_stack(s, id);
	unsigned nr = 0, i;

	for (i = 0; st && i < st->nr && nr < max; i++) {
		const struct address *a = &s->addresses[s->ips[st->first + i]];
		uint32_t at = a->first_frame;

		if (at == NONE)
			fill_frame(s, a, NULL, &frames[nr++]);
		for (; at != NONE && nr < max; at = s->frames[at].next)
			fill_frame(s, a, &s->frames[at], &frames[nr++]);
	}
	if (ret_cut)
		*ret_cut = st && (st->is_cut || i < st->nr);
	return nr;
}

bool tt_stacks_module(const struct tt_stacks *s, uint32_t module_id, struct tt_module_info *ret_info)
{
	const char *path = name_of(s, s->module_names, module_id, TT_STACKS_MODULES_MAX);
	const struct module *m;

	if (!path)
		return false;
	m = &s->modules[module_id];
	*ret_info = (struct tt_module_info){ path, m->flags, m->build_id_len, m->build_id };
	return true;
}

char *tt_build_id_text(char *dst, const struct tt_module_info *module)
{
	static const char digits[] = "0123456789abcdef";
	char *to = dst;

	for (unsigned i = 0; i < module->build_id_len; i++) {
		*to++ = digits[module->build_id[i] >> 4];
		*to++ = digits[module->build_id[i] & 15];
	}
	*to = '\0';
	return dst;
}

uint64_t tt_stacks_nr(const struct tt_stacks *s)
{
	return s->nr_stacks;
}

uint64_t tt_stacks_nr_forgotten(const struct tt_stacks *s)
{
	return s->nr_forgotten;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/symbol/kallsyms.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "collector/source/proc_file.h"
#include "collector/symbol/symbol_choice.h"

enum {
	LINE_BYTES_MAX = 1024, /* KSYM_NAME_LEN is 512; longer lines are skipped */
	MODULES_MAX = 4096,
	NAME_BYTES_MAX = 64 << 20,
	NR_AT_FIRST = 8192,
};

struct symbol {
	uint64_t start;
	uint32_t name;	 /* in names: length (u16), bytes */
	uint16_t module; /* 0 = the kernel proper */
	uint8_t is_weak : 1, is_global : 1;
};

struct tt_kallsyms {
	int fd;
	bool are_hidden;
	struct symbol *symbols;
	uint32_t nr, room;
	char *names;
	uint32_t names_len, names_room;
	uint32_t modules[MODULES_MAX]; /* where their names are */
	uint32_t nr_modules;
	char line[LINE_BYTES_MAX]; /* the beginning of one that is not whole yet */
	size_t line_len;
};

struct tt_kallsyms *tt_kallsyms_new(void)
{
	struct tt_kallsyms *k = calloc(1, sizeof(*k));

	if (!k)
		return NULL;
	k->fd = -1;
	k->nr_modules = 1;
	return k;
}

void tt_kallsyms_close(struct tt_kallsyms *k)
{
	if (!k)
		return;
	if (k->fd >= 0)
		close(k->fd);
	free(k->symbols);
	free(k->names);
	free(k);
}

static int store_name(struct tt_kallsyms *k, struct tt_slice name, uint32_t *ret)
{
	uint16_t len = (uint16_t)name.len;
	size_t need = k->names_len + sizeof(len) + name.len;

	if (need > k->names_room) {
		size_t room = k->names_room ? k->names_room : 1 << 16;
		char *names;

		if (need > NAME_BYTES_MAX)
			return -ENOMEM;
		while (room < need)
			room *= 2;
		names = realloc(k->names, room);
		if (!names)
			return -ENOMEM;
		k->names = names;
		k->names_room = (uint32_t)room;
	}
	*ret = k->names_len;
	memcpy(k->names + k->names_len, &len, sizeof(len));
	memcpy(k->names + k->names_len + sizeof(len), name.text, name.len);
	k->names_len = (uint32_t)need;
	return 0;
}

static struct tt_slice stored_name(const struct tt_kallsyms *k, uint32_t at)
{
	uint16_t len;

	memcpy(&len, k->names + at, sizeof(len));
	return (struct tt_slice){ k->names + at + sizeof(len), len };
}

static int add_symbol(struct tt_kallsyms *k, const struct symbol *symbol)
{
	if (k->nr == TT_KALLSYMS_MAX)
		return 0;
	if (k->nr == k->room) {
		uint32_t room = k->room ? 2 * k->room : NR_AT_FIRST;
		struct symbol *symbols = realloc(k->symbols, room * sizeof(*symbols));

		if (!symbols)
			return -ENOMEM;
		k->symbols = symbols;
		k->room = room;
	}
	k->symbols[k->nr++] = *symbol;
	return 0;
}

/* Symbols of a module stand together, so the one before is the one asked for, nearly always. */
static int module_number(struct tt_kallsyms *k, struct tt_slice name, uint16_t *ret)
{
	int err;

	for (uint32_t i = k->nr_modules - 1; i > 0; i--) {
		struct tt_slice known = stored_name(k, k->modules[i]);

		if (known.len == name.len && !memcmp(known.text, name.text, name.len)) {
			*ret = (uint16_t)i;
			return 0;
		}
	}
	*ret = 0;
	if (k->nr_modules == MODULES_MAX)
		return 0;
	err = store_name(k, name, &k->modules[k->nr_modules]);
	if (!err)
		*ret = (uint16_t)k->nr_modules++;
	return err;
}

/* "ffffffff81000000 T _stext", "ffffffffc0123000 t nft_trace_init\t[nf_tables]" */
static int take_line(struct tt_kallsyms *k, struct tt_slice line)
{
	struct symbol symbol = { .start = 0 };
	struct tt_slice type, name, module;
	char letter;
	int err;

	if (!tt_slice_take_hex(&line, &symbol.start) || !symbol.start || !tt_slice_take_word(&line, &type) ||
	    type.len != 1 || !tt_slice_take_word(&line, &name))
		return 0;
	letter = *type.text;
	if (letter != 't' && letter != 'T' && letter != 'w' && letter != 'W')
		return 0;
	symbol.is_weak = letter == 'w' || letter == 'W';
	symbol.is_global = letter == 'T' || letter == 'W';
	if (tt_slice_take_word(&line, &module)) {
		err = module_number(k, module, &symbol.module);
		if (err)
			return err;
	}
	err = store_name(k, name, &symbol.name);
	return err ? err : add_symbol(k, &symbol);
}

int tt_kallsyms_feed(struct tt_kallsyms *k, const char *text, size_t len)
{
	const char *pos = text, *end = text + len, *newline;
	struct tt_slice line;
	int err = 0;

	if (k->line_len) {
		size_t rest;

		newline = memchr(text, '\n', len);
		rest = newline ? (size_t)(newline + 1 - text) : len;
		if (k->line_len + rest <= sizeof(k->line)) {
			memcpy(k->line + k->line_len, text, rest);
			k->line_len += rest;
		} else {
			k->line[0] = '-'; /* of a length that no line has */
		}
		pos += rest;
		if (!newline)
			return 0;
		if (k->line[k->line_len - 1] == '\n')
			k->line_len--;
		err = take_line(k, (struct tt_slice){ k->line, k->line_len });
		k->line_len = 0;
	}
	while (!err && pos < end && memchr(pos, '\n', (size_t)(end - pos))) {
		tt_slice_next_line(&pos, end, &line);
		if (line.len < LINE_BYTES_MAX)
			err = take_line(k, line);
	}
	if (err || pos == end)
		return err;
	k->line_len = (size_t)(end - pos);
	if (k->line_len > sizeof(k->line)) {
		k->line_len = sizeof(k->line);
		k->line[0] = '-';
	} else {
		memcpy(k->line, pos, k->line_len);
	}
	return 0;
}

static struct tt_symbol_choice choice_of(const struct tt_kallsyms *k, const struct symbol *symbol)
{
	return (struct tt_symbol_choice){ .name = stored_name(k, symbol->name),
					  .has_size = true,
					  .is_weak = symbol->is_weak,
					  .is_global = symbol->is_global };
}

/* By address; of one address the best name first. */
static int compare(const void *a, const void *b, void *ctx)
{
	const struct symbol *x = a, *y = b;
	struct tt_symbol_choice choice_x, choice_y;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	choice_x = choice_of(ctx, x);
	choice_y = choice_of(ctx, y);
	return tt_symbol_compare(&choice_x, &choice_y);
}

int tt_kallsyms_end(struct tt_kallsyms *k)
{
	uint32_t nr = 0;
	int err = 0;

	if (k->line_len)
		err = take_line(k, (struct tt_slice){ k->line, k->line_len });
	k->line_len = 0;
	if (k->nr)
		qsort_r(k->symbols, k->nr, sizeof(*k->symbols), compare, k);
	for (uint32_t i = 0; i < k->nr; i++)
		if (!nr || k->symbols[nr - 1].start != k->symbols[i].start)
			k->symbols[nr++] = k->symbols[i];
	k->nr = nr;
	return err;
}

bool tt_kallsyms_find(const struct tt_kallsyms *k, uint64_t address, struct tt_kallsym *ret)
{
	uint32_t low = 0, high = k->nr; /* the first symbol behind address */
	const struct symbol *symbol;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (k->symbols[middle].start <= address)
			low = middle + 1;
		else
			high = middle;
	}
	if (!low)
		return false;
	symbol = &k->symbols[low - 1];
	if (address - symbol->start >= TT_KALLSYM_BYTES_MAX)
		return false;
	ret->start = symbol->start;
	ret->name = stored_name(k, symbol->name);
	ret->module =
		symbol->module ? stored_name(k, k->modules[symbol->module]) : (struct tt_slice){ "", 0 };
	/* where the code ends, nothing begins */
	return symbol->module || !(tt_slice_is(ret->name, "_etext") || tt_slice_is(ret->name, "_einittext"));
}

/* --- the file --- */

static ssize_t read_retry(int fd, char *buf, size_t size)
{
	ssize_t len;

	do
		len = read(fd, buf, size);
	while (len < 0 && errno == EINTR);
	return len < 0 ? -errno : len;
}

/* The first symbols may be offsets in per-CPU memory, which are small or 0 by themselves; code never is. */
static bool shows_zeros(int fd)
{
	char text[8192];
	const char *pos = text;
	struct tt_slice line, type;
	ssize_t len;

	while ((len = read_retry(fd, text, sizeof(text))) > 0) {
		for (pos = text; tt_slice_next_line(&pos, text + len, &line);) {
			uint64_t address;

			if (!tt_slice_take_hex(&line, &address) || !tt_slice_take_word(&line, &type))
				continue;
			if (tt_slice_is(type, "T") || tt_slice_is(type, "t"))
				return !address;
		}
	}
	return false;
}

int tt_kallsyms_open(const char *root, struct tt_kallsyms **ret)
{
	struct tt_kallsyms *k = tt_kallsyms_new();
	int root_fd, err;

	if (!k)
		return -ENOMEM;
	root_fd = tt_proc_open_root(root);
	err = root_fd < 0 ? root_fd : 0;
	if (!err) {
		k->fd = openat(root_fd, "proc/kallsyms", O_RDONLY | O_CLOEXEC | O_NONBLOCK);
		err = k->fd < 0 ? -errno : 0;
		close(root_fd);
	}
	if (err) {
		tt_kallsyms_close(k);
		return err;
	}
	k->are_hidden = shows_zeros(k->fd);
	*ret = k;
	return 0;
}

bool tt_kallsyms_are_hidden(const struct tt_kallsyms *k)
{
	return k->are_hidden;
}

int tt_kallsyms_load(struct tt_kallsyms *k)
{
	char text[16384];
	ssize_t len;
	int err = 0;

	if (lseek(k->fd, 0, SEEK_SET))
		return -errno;
	while (!err && (len = read_retry(k->fd, text, sizeof(text))) != 0)
		err = len < 0 ? (int)len : tt_kallsyms_feed(k, text, (size_t)len);
	return err ? err : tt_kallsyms_end(k);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/symbol/worker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "collector/symbol/dwarf_scopes.h"
#include "collector/symbol/elf_symbols.h"
#include "collector/symbol/perf_map.h"

enum { ATTEMPTS_MAX = 16, ANSWERS_FULL = TT_MESSAGE_BYTES_MAX - TT_ANSWER_BYTES_MAX };

/* Nothing is freed: the process ends with the file. */
struct worker {
	int fd, file_fd;
	bool with_inlines;
	/* an ELF file */
	struct tt_elf_file file, debug, alt;
	struct tt_elf_symbols *symbols;
	struct tt_dwarf *dwarf; /* NULL = none, or not asked for */
	/* a JIT's table */
	struct tt_perf_map *map;

	struct tt_answer answer;
	char names[TT_ANSWER_FRAMES_MAX][TT_NAME_BYTES_MAX + 8]; /* what the frames of answer point to */
	struct {
		struct tt_message_answers head;
		_Alignas(8) char bytes[TT_MESSAGE_BYTES_MAX];
	} out;
	size_t out_len;
};

/* --- debug files --- */

/* The next candidate from *attempt on. A descriptor, or -ENOENT. */
static int ask_for_file(struct worker *w, struct tt_message_need *need)
{
	struct tt_message_file file;
	unsigned nr_fds = 1;
	int fd = -1;

	need->type = TT_MESSAGE_NEED;
	if (tt_message_send(w->fd, need, sizeof(*need), NULL, 0) ||
	    tt_message_receive(w->fd, &file, sizeof(file), &fd, &nr_fds, false) != sizeof(file) ||
	    file.type != TT_MESSAGE_FILE)
		_exit(1);
	need->attempt = file.next_attempt;
	return nr_fds ? fd : -ENOENT;
}

static bool find_debug(struct worker *w)
{
	struct tt_message_need need = { .what = TT_NEED_DEBUG, .build_id = w->file.build_id };
	uint32_t crc;
	int fd;

	tt_elf_file_debug_link(&w->file, need.name, &crc);
	if (!need.build_id.len && !need.name[0])
		return false;
	for (unsigned i = 0; i < ATTEMPTS_MAX && (fd = ask_for_file(w, &need)) >= 0; i++) {
		if (!tt_elf_file_open(fd, &w->debug)) {
			if (tt_elf_file_belongs(&w->file, &w->debug, fd))
				return true;
			tt_elf_file_close(&w->debug);
		}
		close(fd);
	}
	return false;
}

static void find_alt(struct worker *w)
{
	struct tt_message_need need = { .what = TT_NEED_ALT };
	const char *name;
	int fd;

	if (!tt_dwarf_alt(w->dwarf, &name, &need.build_id) || strlen(name) >= sizeof(need.name))
		return;
	memcpy(need.name, name, strlen(name) + 1);
	for (unsigned i = 0; i < ATTEMPTS_MAX && (fd = ask_for_file(w, &need)) >= 0; i++) {
		if (!tt_elf_file_open(fd, &w->alt)) {
			if (w->alt.build_id.len == need.build_id.len &&
			    !memcmp(w->alt.build_id.bytes, need.build_id.bytes, need.build_id.len)) {
				tt_dwarf_set_alt(w->dwarf, w->alt.elf);
				return;
			}
			tt_elf_file_close(&w->alt);
		}
		close(fd);
	}
}

/* --- loading --- */

static int load_elf(struct worker *w)
{
	bool has_symtab;
	int err = tt_elf_file_open(w->file_fd, &w->file);

	if (!err)
		err = tt_elf_symbols_open(&w->file, &w->symbols);
	if (err)
		return err;
	has_symtab = tt_elf_symbols_add(w->symbols, &w->file);
	if (w->with_inlines && tt_dwarf_open(w->file.elf, &w->dwarf))
		w->dwarf = NULL;
	if ((!has_symtab || (w->with_inlines && !w->dwarf)) && find_debug(w)) {
		if (!has_symtab)
			has_symtab = tt_elf_symbols_add(w->symbols, &w->debug);
		if (w->with_inlines && !w->dwarf && tt_dwarf_open(w->debug.elf, &w->dwarf))
			w->dwarf = NULL;
	}
	if (!has_symtab)
		tt_elf_symbols_add_debugdata(w->symbols);
	tt_elf_symbols_add_plt(w->symbols);
	err = tt_elf_symbols_sort(w->symbols);
	if (!err && w->dwarf) {
		find_alt(w);
		err = tt_dwarf_index(w->dwarf);
	}
	return err;
}

/* Read once, as of now: it may be appended to, or cut, meanwhile. */
static int load_perf_map(struct worker *w)
{
	size_t room = 1 << 20, len = 0;
	char *text = NULL;
	ssize_t got;

	do {
		char *more = len + 1 < room && text ? text : realloc(text, room);

		if (!more)
			return -ENOMEM;
		text = more;
		got = pread(w->file_fd, text + len, room - len, (off_t)len);
		if (got > 0)
			len += (size_t)got;
		if (len == room)
			room *= 2;
	} while (got > 0 && len < TT_PERF_MAP_BYTES_MAX);
	return tt_perf_map_open(text, len, &w->map);
}

static void load(struct worker *w, uint32_t kind)
{
	struct tt_message_loaded loaded = { .type = TT_MESSAGE_LOADED };

	if (kind == TT_JOB_ELF) {
		loaded.status = load_elf(w);
		loaded.nr_symbols = w->symbols ? tt_elf_symbols_nr(w->symbols) : 0;
		loaded.build_id = w->file.build_id;
	} else {
		loaded.status = load_perf_map(w);
		loaded.nr_symbols = w->map ? tt_perf_map_nr(w->map) : 0;
	}
	if (tt_message_send(w->fd, &loaded, sizeof(loaded), NULL, 0) || loaded.status)
		_exit(1);
}

/* --- looking up --- */

static struct tt_slice demangled(struct worker *w, unsigned nth, const char *name, bool is_plt, bool *ret_cut)
{
	char *dst = w->names[nth];
	size_t len = tt_demangle(name, dst, ret_cut);

	if (is_plt && len + 4 <= TT_NAME_BYTES_MAX) {
		memcpy(dst + len, "@plt", 4);
		len += 4;
	}
	return (struct tt_slice){ dst, len };
}

static struct tt_slice fitting(const char *text, size_t len, bool *cut)
{
	size_t fit = tt_name_fit(text, len);

	*cut |= fit < len;
	return (struct tt_slice){ text, fit };
}

/* The symbol table says which function it is, as for files without DWARF; DWARF says what was inlined into it, and the lines. */
static void look_up_elf(struct worker *w, const struct tt_lookup *lookup)
{
	struct tt_dwarf_frame scopes[TT_DWARF_DEPTH_MAX];
	struct tt_answer *answer = &w->answer;
	struct tt_elf_symbol symbol;
	uint64_t address;
	unsigned nr = 0;
	bool has_symbol;

	if (!tt_elf_file_address(&w->file, lookup->offset - lookup->back, &address))
		return;
	answer->has_address = true;
	answer->address = address + lookup->back;
	has_symbol = tt_elf_symbols_find(w->symbols, address, &symbol);
	if (w->dwarf)
		nr = tt_dwarf_find(w->dwarf, address, scopes);
	for (unsigned i = 0; i < nr; i++) {
		struct tt_answer_frame *frame = &answer->frames[i];

		*frame = (struct tt_answer_frame){ .line = scopes[i].line };
		if (scopes[i].file)
			frame->file = fitting(scopes[i].file, strlen(scopes[i].file), &frame->is_cut);
		if (scopes[i].name && (i + 1 < nr || !has_symbol)) {
			frame->name = demangled(w, i, scopes[i].name, false, &frame->is_cut);
			if (scopes[i].start && scopes[i].start <= answer->address)
				frame->offset = answer->address - scopes[i].start;
		}
	}
	answer->nr_frames = nr;
	if (has_symbol) {
		unsigned last = nr ? nr - 1 : 0;
		struct tt_answer_frame *frame = &answer->frames[last];

		if (!nr)
			*frame = (struct tt_answer_frame){ .line = 0 };
		frame->name = demangled(w, last, symbol.name, symbol.is_plt, &frame->is_cut);
		frame->offset = answer->address - symbol.start;
		answer->nr_frames = last + 1;
	} else if (nr && !answer->frames[nr - 1].name.len && nr == 1) {
		answer->nr_frames = 0; /* a line, and nothing to call it */
	}
}

static void look_up_jit(struct worker *w, const struct tt_lookup *lookup)
{
	struct tt_answer_frame *frame = &w->answer.frames[0];
	struct tt_slice name;
	uint64_t start;

	w->answer.has_address = true;
	w->answer.address = lookup->offset;
	if (!tt_perf_map_find(w->map, lookup->offset - lookup->back, &name, &start))
		return;
	*frame = (struct tt_answer_frame){ .offset = lookup->offset - start };
	frame->name = fitting(name.text, name.len, &frame->is_cut);
	w->answer.nr_frames = 1;
}

static void flush(struct worker *w)
{
	if (w->out.head.nr && tt_message_send(w->fd, &w->out, sizeof(w->out.head) + w->out_len, NULL, 0))
		_exit(1);
	w->out.head = (struct tt_message_answers){ .type = TT_MESSAGE_ANSWERS };
	w->out_len = 0;
}

static void look_up(struct worker *w, const struct tt_message_lookup *message)
{
	for (uint32_t i = 0; i < message->nr; i++) {
		w->answer.has_address = false;
		w->answer.address = 0;
		w->answer.nr_frames = 0;
		if (w->map)
			look_up_jit(w, &message->lookups[i]);
		else
			look_up_elf(w, &message->lookups[i]);
		w->out_len += tt_answer_encode(&w->answer, w->out.bytes + w->out_len);
		w->out.head.nr++;
		if (w->out_len > ANSWERS_FULL)
			flush(w);
	}
	flush(w);
}

void tt_worker_run(int fd, int file_fd, const struct tt_message_job *job)
{
	struct worker *w = calloc(1, sizeof(*w));
	struct tt_message_lookup *message = malloc(sizeof(*message));
	ssize_t len;

	if (!w || !message)
		_exit(1);
	w->fd = fd;
	w->file_fd = file_fd;
	w->with_inlines = job->flags & TT_JOB_INLINES;
	flush(w);
	load(w, job->kind);
	while ((len = tt_message_receive(fd, message, sizeof(*message), NULL, NULL, false)) > 0) {
		if ((size_t)len < offsetof(struct tt_message_lookup, lookups) ||
		    message->type != TT_MESSAGE_LOOKUP || message->nr > TT_LOOKUPS_MAX ||
		    (size_t)len != offsetof(struct tt_message_lookup, lookups) +
					   message->nr * sizeof(message->lookups[0]))
			_exit(1);
		look_up(w, message);
	}
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/symbol/proc_maps.h"

#include <string.h>

static bool take_u32(struct tt_slice *s, uint32_t *ret)
{
	uint64_t value;

	if (!tt_slice_take_hex(s, &value) || value > UINT32_MAX)
		return false;
	*ret = (uint32_t)value;
	return true;
}

/* 7f01-7f02 r-xp 00001000 fd:01 1234    /usr/lib/x.so */
static bool parse_map(struct tt_slice line, struct tt_proc_map *ret)
{
	struct tt_slice flags, ino;

	if (!tt_slice_take_hex(&line, &ret->start) || !tt_slice_take_byte(&line, '-') ||
	    !tt_slice_take_hex(&line, &ret->end) || ret->end <= ret->start)
		return false;
	if (!tt_slice_take_word(&line, &flags) || flags.len != 4 || !tt_slice_take_byte(&line, ' '))
		return false;
	ret->is_executable = flags.text[2] == 'x';
	if (!tt_slice_take_hex(&line, &ret->offset) || !tt_slice_take_byte(&line, ' ') ||
	    !take_u32(&line, &ret->major) || !tt_slice_take_byte(&line, ':') ||
	    !take_u32(&line, &ret->minor) || !tt_slice_take_word(&line, &ino) ||
	    !tt_slice_u64(ino, &ret->ino))
		return false;
	while (tt_slice_take_byte(&line, ' '))
		;
	ret->path = line;
	return true;
}

bool tt_proc_next_map(const char **pos, const char *end, struct tt_proc_map *ret)
{
	struct tt_slice line;

	while (tt_slice_next_line(pos, end, &line))
		if (parse_map(line, ret))
			return true;
	return false;
}

size_t tt_proc_map_path(struct tt_slice path, char *dst, size_t size, bool *ret_deleted)
{
	static const char deleted[] = " (deleted)", newline[] = "\\012";
	const size_t deleted_len = sizeof(deleted) - 1, newline_len = sizeof(newline) - 1;
	bool is_deleted =
		path.len > deleted_len && !memcmp(path.text + path.len - deleted_len, deleted, deleted_len);
	size_t len = 0;

	if (is_deleted)
		path.len -= deleted_len;
	for (size_t i = 0; i < path.len && len < size; len++) {
		if (path.len - i >= newline_len && !memcmp(path.text + i, newline, newline_len)) {
			dst[len] = '\n';
			i += newline_len;
		} else {
			dst[len] = path.text[i++];
		}
	}
	if (ret_deleted)
		*ret_deleted = is_deleted;
	return len;
}

enum { LAST = -1 };

/* The nth word behind NAME: (0 = the first). */
static bool status_number(const char *text, size_t len, const char *name, int nth, uint32_t *ret)
{
	const char *pos = text;
	struct tt_slice line, word;
	uint64_t value;

	while (tt_slice_next_line(&pos, text + len, &line)) {
		struct tt_slice last = { .len = 0 };

		if (!tt_slice_take_word(&line, &word) || !tt_slice_is(word, name))
			continue;
		for (int i = 0; tt_slice_take_word(&line, &word); i++)
			if (nth == LAST || i == nth)
				last = word;
		if (!tt_slice_u64(last, &value) || value > UINT32_MAX)
			return false;
		*ret = (uint32_t)value;
		return true;
	}
	return false;
}

bool tt_proc_status_ns_pid(const char *text, size_t len, uint32_t *ret_pid)
{
	return status_number(text, len, "NSpid:", LAST, ret_pid);
}

bool tt_proc_status_uid(const char *text, size_t len, uint32_t *ret_effective_uid)
{
	return status_number(text, len, "Uid:", 1, ret_effective_uid);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/export/name.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "collector/base/escape.h"

/* A text that grows in a buffer; what does not fit is left out. */
struct text {
	char *at, *end;
};

static void put(struct text *t, const char *bytes, size_t len)
{
	if (len >= (size_t)(t->end - t->at)) {
		t->end = t->at; /* no piece after one that was left out */
		return;
	}
	memcpy(t->at, bytes, len);
	t->at += len;
}

/* Bytes of a blank beyond ASCII, which ECMAScript's \s has; 0 = it is none. */
static size_t wide_blank(const char *s)
{
	const unsigned char *u = (const unsigned char *)s;

	if (u[0] == 0xc2)
		return u[1] == 0xa0 ? 2 : 0;
	if (u[0] == 0xe1)
		return u[1] == 0x9a && u[2] == 0x80 ? 3 : 0;
	if (u[0] == 0xe2 && u[1] == 0x80)
		return u[2] <= 0x8a || u[2] == 0xaf ? 3 : 0;
	if (u[0] == 0xe2)
		return u[1] == 0x81 && u[2] == 0x9f ? 3 : 0;
	return u[0] == 0xe3 && u[1] == 0x80 && u[2] == 0x80 ? 3 : 0;
}

/* --- functions --- */

static bool ends_with(const char *s, size_t len, const char *tail)
{
	size_t nr = strlen(tail);

	return len >= nr && !memcmp(s + len - nr, tail, nr);
}

/* Where the parenthesis that the last byte closes was opened; len = nowhere. */
static size_t opening_of(const char *s, size_t len)
{
	unsigned depth = 0;

	for (size_t i = len; i--;) {
		if (s[i] == ')')
			depth++;
		else if (s[i] == '(' && !--depth)
			return i;
	}
	return len;
}

/* "f(int) const [clone .isra.0]": bytes up to the end of "f". */
static size_t without_parameters(const char *s, size_t len)
{
	static const char *const qualifiers[] = { " const", " volatile", " &", " &&", NULL };
	size_t whole = len, open;

	if (len && s[len - 1] == ']') {
		const char *clone = strstr(s, " [clone ");

		if (clone)
			len = (size_t)(clone - s);
	}
	for (unsigned i = 0; qualifiers[i]; i++) {
		if (ends_with(s, len, qualifiers[i])) {
			len -= strlen(qualifiers[i]);
			i = -1u; /* there may be another */
		}
	}
	if (!len || s[len - 1] != ')')
		return whole;
	open = opening_of(s, len);
	/* a parameter list stands right behind a name: not in "(anonymous namespace)", "a.(*b)", "x (y)" */
	if (open == len || !open || strchr(" .:(", s[open - 1]))
		return whole;
	if (len - open == 2 && ends_with(s, open, "operator"))
		return len; /* the name itself */
	return open;
}

/* The parenthesis at s + i opens a receiver of Go, ".(*T).": where it closes; 0 = it does not. */
static size_t end_of_receiver(const char *s, size_t i)
{
	size_t len;

	if (!i || s[i - 1] != '.')
		return 0;
	len = strcspn(s + i + 1, "()");
	return s[i + 1 + len] == ')' && s[i + 2 + len] == '.' ? i + 1 + len : 0;
}

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

static void put_function_char(struct text *t, const char *s, size_t *i, size_t *receiver_end)
{
	char c = s[*i];

	switch (c) {
	case '(':
		*receiver_end = end_of_receiver(s, *i);
		put(t, *receiver_end ? "(" : "{", 1);
		return;
	case ')':
		put(t, *receiver_end == *i && *i ? ")" : "}", 1);
		return;
	case ';':
		put(t, ":", 1);
		return;
	case '+':
		if (*i && is_word(s[*i - 1]))
			put(t, " ", 1);
		put(t, "plus", 4);
		if (is_word(s[*i + 1]))
			put(t, " ", 1);
		return;
	case '-':
		put(t, s[*i + 1] == '>' ? "=" : "-", 1);
		return;
	case '"':
	case '\'':
		return;
	default:
		put(t, &c, 1);
	}
}

/* Blanks at both ends, and before a last word that is a number. */
static void tie_ends(char *s, size_t len)
{
	size_t i = len, nr_dots = 0;

	for (size_t head = 0; s[head] == ' '; head++)
		s[head] = '_';
	while (i && s[i - 1] == ' ')
		s[--i] = '_';
	for (i = len; i && (isdigit((unsigned char)s[i - 1]) || (s[i - 1] == '.' && !nr_dots)); i--)
		nr_dots += s[i - 1] == '.';
	if (i && i < len && s[i - 1] == ' ')
		s[i - 1] = '_';
}

static void make_function_safe(char *dst, size_t size, const char *s)
{
	struct text t = { dst, dst + size };
	size_t receiver_end = 0;

	for (size_t i = 0; s[i]; i++) {
		size_t nr_blank = wide_blank(s + i);

		if (nr_blank) {
			put(&t, "_", 1);
			i += nr_blank - 1;
		} else {
			put_function_char(&t, s, &i, &receiver_end);
		}
	}
	*t.at = '\0';
	tie_ends(dst, (size_t)(t.at - dst));
}

static const char *base_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && slash[1] ? slash + 1 : path;
}

static void set_function(char *dst, size_t size, const char *name, size_t len, enum tt_name_style style)
{
	char safe[TT_NAME_FRAME_MAX];

	tt_escape(safe, sizeof(safe), name, len);
	if (style == TT_NAME_TEXT)
		make_function_safe(dst, size, safe);
	else
		snprintf(dst, size, "%s", safe);
}

char *tt_name_function(char *dst, size_t size, const struct tt_frame_info *f, enum tt_name_style style)
{
	char raw[TT_NAME_FRAME_MAX];
	const char *base;

	if (f->symbol && f->is_made) {
		snprintf(dst, size, "%s", f->symbol);
		return dst;
	}
	dst[0] = '\0';
	if (f->symbol)
		set_function(dst, size, f->symbol, without_parameters(f->symbol, strlen(f->symbol)), style);
	/* a name of nothing but quotes is none */
	if (dst[0] && strcmp(dst, "[unknown]"))
		return dst;
	base = f->module && f->module[0] ? base_of(f->module) : "unknown";
	snprintf(raw, sizeof(raw), base[0] == '[' ? "%s" : "[%s]", base);
	set_function(dst, size, raw, strlen(raw), style);
	return dst;
}

/* --- files --- */

char *tt_name_file(char *dst, size_t size, const struct tt_frame_info *f, enum tt_name_style style)
{
	if (f->is_made || f->is_inlined || !f->module || !f->module[0]) {
		snprintf(dst, size, "%s", f->is_made ? "timethief" : f->is_inlined ? "inlined" : "[unknown]");
		return dst;
	}
	tt_escape(dst, size, f->module, strlen(f->module));
	for (char *c = dst; *c && style == TT_NAME_TEXT; c++) {
		size_t nr_blank = wide_blank(c);

		if (nr_blank)
			memset(c, '_', nr_blank);
		else if (strchr(" ()", *c))
			*c = '_';
	}
	return dst;
}

/* --- tasks --- */

/* "12", "3.5:", "7/8": what a reader may take for a tid or a time. */
static bool looks_like_a_number(const char *word, size_t len)
{
	return len && strspn(word, "0123456789./:") >= len;
}

static size_t nr_characters(const char *s)
{
	size_t nr = 0;

	for (; *s; s++)
		nr += (*s & 0xc0) != 0x80;
	return nr;
}

static void make_task_safe(char *dst, size_t size, const char *s)
{
	struct text t = { dst, dst + size };
	bool begins = true; /* a word */

	if (*s == '#')
		put(&t, "_", 1);
	for (; *s; s++) {
		size_t nr_blank = wide_blank(s);

		if (begins && looks_like_a_number(s, strcspn(s, " ")))
			put(&t, "_", 1);
		begins = *s == ' ';
		if (nr_blank || (*s == ' ' && (t.at == dst || !s[1]))) {
			put(&t, "_", 1);
			s += nr_blank ? nr_blank - 1 : 0;
		} else {
			put(&t, *s == ';' ? ":" : s, 1);
		}
	}
	*t.at = '\0';
	if (nr_characters(dst) < 2)
		put(&t, "_", 1);
	*t.at = '\0';
}

char *tt_name_task(char *dst, size_t size, const char *comm, uint32_t tid, enum tt_name_style style)
{
	char safe[4 * TT_COMM_LEN + 1];

	if (!comm[0]) {
		snprintf(dst, size, ":%u", tid);
		return dst;
	}
	tt_escape(safe, sizeof(safe), comm, TT_COMM_LEN);
	if (style == TT_NAME_TEXT)
		make_task_safe(dst, size, safe);
	else
		snprintf(dst, size, "%s", safe);
	return dst;
}

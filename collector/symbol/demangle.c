/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/symbol/demangle.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <libiberty/demangle.h>

enum {
	MANGLED_BYTES_MAX = 16384, /* longer ones are left alone; the demangler needs stack in proportion */
	D_BYTES_MAX = 1024,	   /* its demangler has no bound for what it makes of back references */
	OPTIONS = DMGL_NO_OPTS,
};

size_t tt_name_fit(const char *name, size_t len)
{
	size_t fit = TT_NAME_BYTES_MAX;

	if (len <= fit)
		return len;
	while (fit && TT_NAME_BYTES_MAX - fit < 4 && (name[fit] & 0xc0) == 0x80)
		fit--;
	return (name[fit] & 0xc0) == 0x80 ? TT_NAME_BYTES_MAX : fit;
}

struct output {
	jmp_buf full; /* libiberty has no way to stop; it has only stack to give back */
	char bytes[TT_NAME_BYTES_MAX + 4];
	size_t len;
};

static void put(const char *text, size_t len, void *opaque)
{
	struct output *out = opaque;
	size_t room = sizeof(out->bytes) - out->len;

	if (!len)
		return;
	memcpy(out->bytes + out->len, text, len < room ? len : room);
	out->len += len < room ? len : room;
	if (len > room)
		longjmp(out->full, 1);
}

/* Whether it is a name of that language at all. */
static bool demangle_into(struct output *out, const char *name)
{
	out->len = 0;
	if (setjmp(out->full))
		return true;
	/* Rust first: its legacy names are C++ names, with a hash */
	if (rust_demangle_callback(name, OPTIONS, put, out))
		return true;
	out->len = 0;
	return cplus_demangle_v3_callback(name, OPTIONS, put, out);
}

static size_t copy(char *dst, const char *name, size_t len, bool *ret_cut)
{
	size_t fit = tt_name_fit(name, len);

	memcpy(dst, name, fit);
	if (ret_cut)
		*ret_cut = fit < len;
	return fit;
}

static size_t demangle_d(const char *name, char *dst, bool *ret_cut)
{
	char *plain = dlang_demangle(name, OPTIONS);
	size_t len = plain ? strlen(plain) : 0;

	if (len)
		len = copy(dst, plain, len, ret_cut);
	free(plain);
	return len;
}

size_t tt_demangle(const char *name, char *dst, bool *ret_cut)
{
	const char *version = *name ? strchr(name + 1, '@') : NULL;
	size_t len = version ? (size_t)(version - name) : strlen(name), plain_len = 0;
	char mangled[MANGLED_BYTES_MAX];
	struct output out;

	if (len < sizeof(mangled) && name[0] == '_') {
		memcpy(mangled, name, len);
		mangled[len] = '\0';
		if (name[1] == 'D' && len < D_BYTES_MAX)
			plain_len = demangle_d(mangled, dst, ret_cut);
		else if (demangle_into(&out, mangled) && out.len)
			plain_len = copy(dst, out.bytes, out.len, ret_cut);
	}
	return plain_len ? plain_len : copy(dst, name, len, ret_cut);
}

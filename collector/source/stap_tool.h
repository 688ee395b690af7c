/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stap_tool - SystemTap on this machine: what there is of it, whether a module may be loaded, and making one.
 *
 * Scripts are looked for in $TIMETHIEF_STAP_DIR, DIR/../share/timethief/stap and DIR/../stap, DIR being where this
 * program is. What can be used again (a changed copy of SystemTap's runtime, build folders with a System.map) is
 * kept in $TIMETHIEF_CACHE_DIR, else in /var/cache/timethief for root, else in $XDG_CACHE_HOME/timethief or
 * ~/.cache/timethief.
 */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "collector/source/stap_words.h"

enum { TT_STAP_WHY_MAX = 600 };

struct tt_stap_tool {
	bool has_stap, has_staprun;
	unsigned major, minor;	     /* of stap; 0.0 = it does not say */
	char scripts[PATH_MAX - 64]; /* the folder; "" = not found */
};

void tt_stap_tool_find(struct tt_stap_tool *tool);

/* The next four: 0, or -EPERM or -ENOSYS and one sentence that says what is missing and what to do. */
/* Whether this kernel loads a module of this process at all; is_signed: of the module, where that is known. */
int tt_stap_check_kernel(bool is_signed, char *why, size_t size);
/* The same, and whether staprun and the user's groups allow it. */
int tt_stap_check_insert(const struct tt_stap_tool *tool, bool is_signed, char *why, size_t size);
/* Whether one can be made for the release (or the build folder, with a slash), as far as can be told without trying. */
int tt_stap_check_build(const struct tt_stap_tool *tool, const char *release, char *why, size_t size);

/* What a module says of itself. */
struct tt_stap_module {
	char name[64], release[128];
	bool is_signed, is_ours; /* ours: it has our options */
};
int tt_stap_module_read(const char *path, struct tt_stap_module *ret, char *why, size_t size);
/* Of the section .modinfo: strings, one behind the other. */
void tt_stap_parse_modinfo(const char *text, size_t len, struct tt_stap_module *module);

struct tt_stap_build {
	const char *release; /* or a build folder, with a slash */
	const char *
		symbols; /* a copy of that machine's /proc/kallsyms, NULL = of this one if it runs that release */
	const char *work_dir;  /* exists; timethief.ko is made there. Removed when the build is stopped */
	bool (*stopped)(void); /* NULL: by nobody */
	const struct tt_stap_tool *tool;
};
/* Compiles, with progress on a terminal; about 90 s the first time, 4 s later. 0, -EINTR (stopped; work_dir is gone), or an
 * error with its sentence. */
int tt_stap_build(const struct tt_stap_build *build, char *why, size_t size);

/* The folder for what can be used again, made if need be. */
int tt_stap_cache_dir(char *path, size_t size);
/* A new folder for us alone. */
int tt_stap_make_work_dir(char *path, size_t size);

/* Where the kernel lists modules and SystemTap's have their files: /proc, or $TIMETHIEF_STAP_PROC, which tests set. */
const char *tt_stap_proc(void);

#define TT_STAP_MODULE_NAME "timethief"

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kallsyms - names of the kernel's functions, its modules' and its BPF programs', from /proc/kallsyms.
 *
 * Whether addresses are shown is decided when the file is opened (kernel.kptr_restrict, CAP_SYSLOG), so that comes early; the text is
 * read when it is loaded, as of then. Only code symbols (t T w W) are kept: 16 bytes each and their names, about 5 MiB in all, at most
 * TT_KALLSYMS_MAX.
 *
 * The text tells no sizes: a function ends where the next one begins, and nothing is said of an address more than TT_KALLSYM_BYTES_MAX
 * behind the last one. Which of several names for one address is taken: symbol_choice.h.
 */
#pragma once

#include "collector/base/slice.h"

enum {
	TT_KALLSYMS_MAX = 1 << 20,
	TT_KALLSYM_BYTES_MAX = 1 << 17,
};

struct tt_kallsyms;

/* root: "" or the directory that holds proc. A negative errno of the file. */
int tt_kallsyms_open(const char *root, struct tt_kallsyms **ret);
void tt_kallsyms_close(struct tt_kallsyms *k);		  /* NULL is fine */
bool tt_kallsyms_are_hidden(const struct tt_kallsyms *k); /* all addresses are shown as 0 */
int tt_kallsyms_load(struct tt_kallsyms *k);		  /* the file's errno, or -ENOMEM */

struct tt_kallsym {
	uint64_t start;
	struct tt_slice name;
	struct tt_slice module; /* "[nf_tables]", "[bpf]"; "" = the kernel proper */
};

/* false = not known. Slices are valid as long as k. */
bool tt_kallsyms_find(const struct tt_kallsyms *k, uint64_t address, struct tt_kallsym *ret);

/* The two halves of load, for text from elsewhere: pieces of it in order, then its end. */
int tt_kallsyms_feed(struct tt_kallsyms *k, const char *text, size_t len);
int tt_kallsyms_end(struct tt_kallsyms *k);
struct tt_kallsyms *tt_kallsyms_new(void);

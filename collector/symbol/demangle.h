/* SPDX-License-Identifier: GPL-2.0-or-later */
/* demangle - names as the programmer wrote them, from names as the linker sees them: C++, Rust (legacy and v0), D.
 *
 * By libiberty and, as perf shows them, without the types of parameters: who adds up stacks wants overloads together. A name of a few bytes can stand for gigabytes: the result is cut at its bound while it is being
 * made. Time is bounded by the caller (rlimits of the process that does this), memory as far as C++ and Rust go.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum { TT_NAME_BYTES_MAX = 1000 }; /* of any name that is recorded */

/* Writes at most TT_NAME_BYTES_MAX bytes of UTF-8 or whatever the name was, without a NUL, and returns how many. What is no mangled name is
 * copied. A version behind it ("@@GLIBC_2.14") is left out. *ret_cut (may be NULL): it did not fit, and was cut between characters. */
size_t tt_demangle(const char *name, char *dst, bool *ret_cut);

/* The longest head of name that has at most TT_NAME_BYTES_MAX bytes and ends between two characters of UTF-8, if it is that. */
size_t tt_name_fit(const char *name, size_t len);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* name - names of tasks, functions and files as other tools can read them.
 *
 * What comes in is any bytes, of the recorded machine. What goes out is valid UTF-8 in one line (base/escape.h). Two styles:
 *
 *   TT_NAME_PLAIN  for formats that quote: as it is
 *   TT_NAME_TEXT   for perf-script text and folded stacks, where a character too many ends a name, a frame or the whole import. What
 *                  some reader would cut at is replaced by something that reads alike, in ASCII, for not every
 *                  font has more:
 *
 *     functions  ( )  { }   stackcollapse-perf.pl drops all from the first ( on, and frames that begin with one. Kept in .(*T). of
 *                           Go, where it does not
 *                ;    :     ends a frame when folded
 *                ->   =>    stackcollapse-perf.pl, inferno and flamescope make two frames of it
 *                +    plus  flamescope cuts at the first, Perfetto at the last: "operator plus", "A plus Send"
 *                "'   gone, as in stackcollapse-perf.pl
 *                a last word that is a number is tied to the one before: flamegraph.pl would read a second count
 *     files      one word without parentheses: blank ( ) become _
 *     tasks      ;    :    ends the name when folded
 *                a word of digits . / : gets a _ in front: it could be taken for a tid or a time
 *                a blank or # at the head, a blank at the end, one character alone: a _ is put there
 *     blanks beyond ASCII, which JavaScript takes for blanks: _
 *
 * In both styles the parameters of C++ functions go ("f(int, char const*)" is "f"), as perf prints them: an overload is the same
 * function to who looks at a flame graph.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "collector/aggregate/stacks.h"

enum tt_name_style { TT_NAME_PLAIN, TT_NAME_TEXT };

enum {
	TT_NAME_TASK_MAX = 128,	      /* bytes that always fit a task's name, NUL included */
	TT_NAME_FRAME_MAX = 48 << 10, /* and any of a batch's names */
};

/* All return dst. A name that is empty is ":TID", as in perf; TT_TID_UNKNOWN is nobody. */
char *tt_name_task(char *dst, size_t size, const char *comm, uint32_t tid, enum tt_name_style style);
/* Of the function at a frame; where it has no name, its module's in brackets ("[libc.so.6]", "[kernel.kallsyms]"): what
 * stackcollapse-perf.pl makes of perf's [unknown] (/usr/lib/libc.so.6), and all others would not. Without a module "[unknown]". */
char *tt_name_function(char *dst, size_t size, const struct tt_frame_info *f, enum tt_name_style style);
/* Of the file that it is in, as perf has it: "[kernel.kallsyms]", "/usr/lib/libc.so.6", "inlined", "[unknown]"; "timethief" for frames that
 * were made. */
char *tt_name_file(char *dst, size_t size, const struct tt_frame_info *f, enum tt_name_style style);

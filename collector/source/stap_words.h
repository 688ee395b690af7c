/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stap_words - what stap, staprun, stapio and the module say on stderr, and what it means for the user.
 *
 * The texts are those of SystemTap 4.8 (and the kernel's errors that staprun passes on), in the C locale. Of all that match
 * the most telling one counts, wherever it stood. Pure and bounded: a line longer than TT_STAP_LINE_MAX is
 * cut, the last TT_STAP_TAIL_LINES are kept. Plain value: zero it to initialise.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TT_STAP_LINE_MAX = 400, TT_STAP_TAIL_LINES = 12 };

struct tt_stap_rule;

struct tt_stap_words {
	const struct tt_stap_rule *rule;    /* NULL = nothing that matches any */
	char detail[TT_STAP_LINE_MAX];	    /* the line that matched */
	char first_error[TT_STAP_LINE_MAX]; /* the first that has "error" in it, for what no rule knows */
	uint64_t nr_skipped;		    /* probe handlers that the runtime did not run */
	uint64_t nr_errors;		    /* of handlers */
	uint64_t nr_transport_failures;	    /* packets that found no room */
	uint64_t nr_lines;
	char tail[TT_STAP_TAIL_LINES][TT_STAP_LINE_MAX]; /* line n is in n % TT_STAP_TAIL_LINES */
	char line[TT_STAP_LINE_MAX];
	uint32_t line_bytes;
};

/* told (NULL: nobody) gets every whole line. */
typedef void (*tt_stap_line_fn)(void *ctx, const char *line);
void tt_stap_words_add(struct tt_stap_words *w, const char *text, size_t len, tt_stap_line_fn told,
		       void *ctx);
void tt_stap_words_end(struct tt_stap_words *w, tt_stap_line_fn told, void *ctx); /* of the last line */

/* What went wrong and what to do, in one sentence. release: of the kernel that was meant. Returns the errno that fits: -EPERM
 * for a lack of rights, else -ENOSYS. With no rule: the first line with an error, else that it ended with status. */
int tt_stap_words_explain(const struct tt_stap_words *w, const char *release, int status, char *text,
			  size_t size);
/* Whether the rule that matched ends a recording's data (overload and the like), not only SystemTap's work. */
bool tt_stap_words_is_overload(const struct tt_stap_words *w);

/* Of "stap --version"; -EINVAL: it is not SystemTap's. */
int tt_stap_parse_version(const char *text, unsigned *ret_major, unsigned *ret_minor);

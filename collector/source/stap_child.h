/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stap_child - runs a program of SystemTap so that nothing of it outlives this process, however that ends.
 *
 * Between the two stands a keeper: a small process in a session of its own, which a Ctrl-C on the terminal does not reach. It
 * holds the end of a pipe whose other end is ours. When we say so, or are gone (SIGKILL included), it asks the
 * program to end (SIGTERM: stapio unloads its module), insists after a while, unloads the module if it is still there, and removes
 * the work folder. The program itself gets SIGTERM when the keeper dies.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct tt_stap_child;

struct tt_stap_child_options {
	char *const *argv; /* argv[0] is looked for in PATH */
	const char
		*work_dir; /* where the program runs, its TMPDIR; removed with all that is in it at the end */
	bool keep_work_dir; /* unless we said that it must end, or are gone */
	const char *module; /* unloaded at the end if it is still there. NULL = none */
};

/* Negative errno. A program that cannot be executed says so among its words and ends with status 127. */
int tt_stap_child_start(const struct tt_stap_child_options *opts, struct tt_stap_child **ret);
/* Non-blocking; its stdout and stderr. At its end everybody who could speak has ended. */
int tt_stap_child_words_fd(const struct tt_stap_child *c);
void tt_stap_child_end(struct tt_stap_child *c);
/* Waits up to timeout_ms for the end of it all. True: it has ended and been cleaned up, *ret_status is as waitpid tells. */
bool tt_stap_child_wait(struct tt_stap_child *c, int timeout_ms, int *ret_status);
/* CPU time of it all; 0 until it has ended. */
void tt_stap_child_cost(const struct tt_stap_child *c, uint64_t *ret_user_ns, uint64_t *ret_system_ns);
/* Ends it if need be, and waits. NULL is fine. */
void tt_stap_child_close(struct tt_stap_child *c);

/* Like rm -r. */
void tt_stap_remove_tree(const char *path);

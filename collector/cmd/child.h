/* SPDX-License-Identifier: GPL-2.0-or-later */
/* child - the command that a recording lasts as long as.
 *
 * Forked before anything is opened, so that it inherits nothing; it executes the command when recording has begun. The caller catches
 * SIGCHLD (without SA_RESTART) and asks tt_child_has_ended then.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

struct tt_child {
	pid_t pid;	 /* 0 = there is none, or it has ended */
	int wait_status; /* of wait(2); -1 = it has not ended, or did not run */
	int go_fd;	 /* write end: closing it without a byte tells it not to run */
	int err_fd;	 /* its errno when it cannot execute the command */
};

#define TT_CHILD_INIT                                                                                        \
	{                                                                                                    \
		.wait_status = -1, .go_fd = -1, .err_fd = -1                                                 \
	}

/* Asked before anything is recorded: a mistyped command must not cost a file its place. 0 or what execvp would say. */
int tt_child_check(const char *command);
/* command ends with NULL. hangup_is_ignored: for the command, too (nohup(1)). 0 or -errno of pipe or fork. */
int tt_child_prepare(struct tt_child *c, char *const *command, bool hangup_is_ignored);
/* 0: it runs, or has been ended by somebody. Else the negative errno of execvp. */
int tt_child_start(struct tt_child *c);
bool tt_child_has_ended(struct tt_child *c);
/* The recording is over and the command is not: it is asked to end, as perf record does, and gets 2 s for it. */
void tt_child_end(struct tt_child *c);

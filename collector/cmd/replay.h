/* SPDX-License-Identifier: GPL-2.0-or-later */
/* replay - a session file from its first epoch to its last, and what is said on stderr meanwhile: progress on a terminal,
 * damage, what part was asked for. For every subcommand that reads a session. */
#pragma once

#include "collector/cmd/options.h"
#include "collector/cmd/pipeline.h"
#include "collector/session/session.h"

/* --from --to: since the start of the session; to 0 = its end. */
struct tt_range_options {
	uint64_t from_ns, to_ns;
	const char *from_text, *to_text;
};
extern const struct argp tt_argp_range; /* its input is a struct tt_range_options */

/* Absolute, as struct tt_pipeline_options has them; 0 = none. */
uint64_t tt_range_from_ts_ns(const struct tt_range_options *range, const struct tt_info *info);
uint64_t tt_range_to_ts_ns(const struct tt_range_options *range, const struct tt_info *info);

/* Gives what is left of the session to the sink. Logs its failure; 0 or the sink's error (-EPIPE is the reader's of our output: not
 * logged). writes: the sink writes to stdout meanwhile; where that is the terminal too, there is no progress. */
int tt_replay_read(struct tt_session_reader *reader, const struct tt_sink *sink, const char *file, bool writes);
/* tt_session_open_twice, with progress while a pipe is copied. */
int tt_replay_open_twice(const char *file, struct tt_session_reader **ret_reader);

/* What all stacks and names of the session are, for who needs them before the first event: reads it to the end and goes back
 * to its beginning. Logs. */
int tt_replay_read_names(struct tt_session_reader *reader, const char *file, struct tt_stacks *stacks);
/* A session of counters has no single events to write. Logs; -ENODATA. */
int tt_replay_check_events(const struct tt_session_reader *reader, const char *file);

/* What is said about a file that is not whole; done is what was done with its whole part ("reported"). -EBADMSG when there is none. */
int tt_replay_check_end(const struct tt_session_reader *reader, const struct tt_pipeline *p, const char *file, const char *done);

/* The stretch that was looked at. Logs; -ERANGE: the range lies beyond the end. */
int tt_replay_interval(const struct tt_range_options *range, const struct tt_session_reader *reader, const struct tt_pipeline *p,
		       struct tt_interval *interval);
/* Of the whole session, the recorder's own counts hold more than the file: what was lost after the last record. */
void tt_replay_losses(const struct tt_session_reader *reader, const struct tt_pipeline *p, const struct tt_interval *interval,
		      uint64_t nr_lost[TT_LOSS_NR]);
/* One line about them, when there is any. */
void tt_replay_tell_losses(const char *file, const uint64_t nr_lost[TT_LOSS_NR]);

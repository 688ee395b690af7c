/* SPDX-License-Identifier: GPL-2.0-or-later */
/* replay - a session file from its first epoch to its last, and what is said on stderr meanwhile: progress on a terminal,
 * damage, what part was asked for. For every subcommand that reads a session. */
#pragma once

#include "collector/cmd/options.h"
#include "collector/cmd/pipeline.h"
#include "collector/cmd/view_options.h"
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

/* Gives what is left of the session to the sink, with progress on a terminal, unless quiet: stdout may be the same terminal. 0 or the
 * sink's error; logs none. */
int tt_replay_read(struct tt_session_reader *reader, const struct tt_sink *sink, const char *file,
		   bool quiet);

/* What is said about a file that is not whole; done is what was done with its whole part ("reported"). -EBADMSG when there is none. */
int tt_replay_check_end(const struct tt_session_reader *reader, const struct tt_pipeline *p, const char *file,
			const char *done);

/* The stretch that was looked at. Logs; -ERANGE: the range lies beyond the end. */
int tt_replay_interval(const struct tt_range_options *range, const struct tt_session_reader *reader,
		       const struct tt_pipeline *p, struct tt_interval *interval);

/* What is there while events come. Borrowed until the job is over. */
struct tt_replay_scene {
	const struct tt_info *info;
	const struct tt_world *world;
	const struct tt_view *view;
	const struct tt_stacks *stacks; /* NULL = not asked for */
	uint64_t from_ts_ns;		/* 0 = the start */
};

struct tt_replay_end {
	struct tt_interval interval;
	const struct tt_session_end *session;
	uint64_t nr_lost[TT_LOSS_NR];
	/* when the job asks for sections; else NULL */
	const struct tt_report *report;
	const struct tt_report_head *head;
};

/* What a report of this session and interval says of itself. only: the view's filters in words; nr_lost as tt_replay_losses has it, which the
 * head points to. */
void tt_replay_head(const struct tt_session_reader *reader, const struct tt_pipeline *p,
		    const struct tt_range_options *range, const struct tt_interval *interval, const char *file,
		    const char *only, const uint64_t *nr_lost, struct tt_report_head *head);

/* Of the whole session, the recorder's own counts hold more than the file: what was lost after the last record. */
void tt_replay_losses(const struct tt_session_reader *reader, const struct tt_pipeline *p,
		      const struct tt_interval *interval, uint64_t nr_lost[TT_LOSS_NR]);

/* What a command that writes single events does with them. */
struct tt_replay_job {
	const char *file;
	const struct tt_common_options *common; /* filters */
	const struct tt_range_options *range;
	const struct tt_view_options *view; /* NULL = the default */
	const char *done; /* see tt_replay_check_end */
	uint64_t sections; /* of the report that finish gets; 0 = none */
	bool takes_counters; /* also a session of counters only */
	bool writes_to_stdout;
	bool needs_stacks;
	bool needs_names_first; /* stacks are complete before the first event: the session is read twice */
	void *ctx;
	/* In this order; a failure ends it, and all but event have logged it. -EPIPE: nobody wants more, which ends it as well. */
	int (*open)(void *ctx, const struct tt_replay_scene *scene);
	int (*event)(void *ctx, const struct tt_event *ev);
	int (*finish)(void *ctx, const struct tt_replay_end *end);
};

/* Opens the session, reads it and tells what is to be told: damage, losses, stacks without room. Names of tasks, stacks and devices are
 * those of the whole session, whatever part is looked at. A session of counters only has no events: refused with -ENODATA, unless the job
 * takes it. */
int tt_replay_run(const struct tt_replay_job *job);

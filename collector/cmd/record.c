/* SPDX-License-Identifier: GPL-2.0-or-later */
/* timethief record: a source into a session file, until the time is over, the command ends, or somebody stops
 * it.
 *
 * Stores facts only; report analyses them, later and elsewhere. Everything that was attached is held by
 * descriptors of this process, so the kernel detaches it whichever way the process ends, SIGKILL included.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "collector/base/escape.h"
#include "collector/base/log.h"
#include "collector/base/privileges.h"
#include "collector/base/units.h"
#include "collector/cmd/child.h"
#include "collector/cmd/choose.h"
#include "collector/cmd/cmd.h"
#include "collector/cmd/options.h"
#include "collector/render/words.h"
#include "collector/session/session.h"
#include "collector/source/record_batch.h"
#include "collector/source/source.h"
#include "collector/symbol/symbols.h"

enum { COPIES_HZ = 250 };
#define UNWIND_WAIT_NS_DEFAULT 1000000

struct record_options {
	struct tt_common_options common;
	const char *file;
	uint64_t duration_ns; /* 0 = until told */
	uint64_t max_bytes;   /* 0 = no limit */
	bool stacks, with_inlined, with_debuginfod;
	const char *unwind;	  /* "fp" or "dwarf"; NULL = not given */
	uint64_t unwind_wait_ns; /* 0 = not given */
	uint32_t rate_hz; /* 0 = not given */
	char **command;	  /* NULL = none */
};

/* What a CPU's headers and records have told: to count the switches that never reached the program. */
struct cpu_count {
	uint64_t first_nr_switches, last_nr_switches, nr_shed, nr_recorded;
	uint64_t nr_grown; /* in windows before the present one */
	bool seen;
};

struct recording {
	struct tt_session_writer *writer;
	struct tt_source *source;
	struct tt_symbols *symbols; /* NULL = there are no stacks */
	struct tt_summary summary;
	struct tt_info info;
	struct cpu_count *cpus;
	unsigned nr_cpus;
	struct tt_child child;
	bool error_was_said;
	bool has_max_size;
	uint64_t open_events; /* of the epoch that is not written yet */
	uint64_t shown_ns, shown_events;
};

static volatile sig_atomic_t got_signal, got_child;
static bool hangup_is_ignored; /* nohup(1) */

static void on_signal(int sig)
{
	if (sig == SIGCHLD)
		got_child = 1;
	else
		got_signal = sig;
}

static bool was_stopped(void)
{
	return got_signal != 0;
}

static void catch_signals(void)
{
	struct sigaction sa = { .sa_handler = on_signal }, old; /* no SA_RESTART: poll must return */
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGCHLD };

	sigemptyset(&sa.sa_mask);
	hangup_is_ignored = !sigaction(SIGHUP, NULL, &old) && old.sa_handler == SIG_IGN;
	for (unsigned i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaction(signals[i], &sa, NULL);
	if (hangup_is_ignored)
		signal(SIGHUP, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* a file size limit is an error of write(), too */
	signal(SIGPIPE, SIG_IGN); /* a reader of "-o -" that goes away is an error of write() */
}

/* --- the sink --- */

/* Our own batches: no need to distrust them. nr_switches after each switch follows from the low bits that it
 * carries. */
static void count_switches(struct cpu_count *c, const struct tt_batch *b)
{
	const char *p = (const char *)(b + 1), *end = (const char *)b + b->size;

	if (b->flags & TT_BATCH_FIRST) { /* what a CPU does between two windows is nobody's loss */
		c->nr_grown += c->last_nr_switches - c->first_nr_switches;
		c->first_nr_switches = b->nr_switches;
	} else if (!c->seen) {
		c->first_nr_switches = b->nr_switches;
	}
	c->seen = true;
	c->last_nr_switches = b->nr_switches;
	c->nr_shed = b->nr_shed_switches;
	while (p < end) {
		const struct tt_switch *sw = (const void *)p;

		p += tt_packed_size(sw);
		if (sw->flags & TT_SW_MARK)
			continue;
		c->last_nr_switches += (uint16_t)(sw->seq - (uint16_t)c->last_nr_switches);
		c->nr_recorded++;
	}
}

static void count_batch(struct recording *r, const struct tt_batch *b)
{
	r->open_events += b->nr_records;
	if (b->stream == TT_STREAM_SCHED && b->cpu < r->nr_cpus)
		count_switches(&r->cpus[b->cpu], b);
}

static uint64_t nr_unseen_switches(const struct recording *r)
{
	uint64_t nr = 0;

	for (unsigned i = 0; i < r->nr_cpus; i++) {
		const struct cpu_count *c = &r->cpus[i];
		uint64_t grown = c->nr_grown + (c->last_nr_switches - c->first_nr_switches),
			 told = c->nr_recorded + c->nr_shed;

		if (c->seen && grown > told)
			nr += grown - told;
	}
	return nr;
}

static int write_batch(void *ctx, const void *batch, size_t len)
{
	struct recording *r = ctx;

	count_batch(r, batch);
	return tt_session_write_batch(r->writer, batch, len);
}

static int sink_batch(void *ctx, const void *data, size_t len)
{
	struct recording *r = ctx;
	const struct tt_batch *batch = data;

	r->summary.wire_bytes += len;
	if (r->symbols)
		batch = tt_symbols_note_batch(r->symbols, batch);
	return batch ? write_batch(r, batch, batch->size) : 0;
}

static int write_epoch(void *ctx, uint64_t until_ts_ns)
{
	struct recording *r = ctx;
	int err = tt_session_write_epoch(r->writer, until_ts_ns);

	if (!err) /* what does not fit into the file is not in the recording */
		r->summary.nr_events += r->open_events;
	else if (err != -ENOMEM) /* the writer says what it cannot write, and why */
		r->error_was_said = true;
	r->open_events = 0;
	return err;
}

static int sink_epoch(void *ctx, uint64_t until_ts_ns)
{
	struct recording *r = ctx;

	if (r->symbols)
		tt_symbols_epoch(r->symbols, until_ts_ns);
	return write_epoch(r, until_ts_ns);
}

/* --- what the user sees --- */

static void show_progress(struct recording *r)
{
	uint64_t now_ns = tt_now_ns(), nr_events = r->summary.nr_events + r->open_events;
	struct tt_source_stats stats;
	char bytes[16];

	if (now_ns - r->shown_ns < 500000000)
		return;
	r->source->ops->stats(r->source, &stats);
	memcpy(r->summary.nr_lost, stats.nr_lost, sizeof(stats.nr_lost));
	log_status("%.1f s  %.0f events/s  %llu lost  %sB", (double)(now_ns - r->summary.start_ts_ns) / 1e9,
		   (double)(nr_events - r->shown_events) * 1e9 / (double)(now_ns - r->shown_ns),
		   (unsigned long long)tt_loss_shed(r->summary.nr_lost),
		   tt_format_bytes(bytes, sizeof(bytes), tt_session_writer_bytes(r->writer)));
	r->shown_ns = now_ns;
	r->shown_events = nr_events;
}

static void show_summary(const struct recording *r, const char *file)
{
	const struct tt_summary *s = &r->summary;
	double seconds = (double)(s->end_ts_ns - s->start_ts_ns) / 1e9;
	char size[16], rings[16], rss[16], details[256] = "", programs[96] = "";
	size_t len = 0;

	for (unsigned i = 1; i < TT_LOSS_NR; i++)
		if (s->nr_lost[i] && len < sizeof(details))
			len += (size_t)snprintf(details + len, sizeof(details) - len, "%s%llu %s",
						len ? ", " : " (", (unsigned long long)s->nr_lost[i],
						tt_loss_words(i));
	if (len && len < sizeof(details) - 1)
		strcat(details, ")");
	log_info("%s: %.3f s, ended by %s, %llu events, %llu lost%s, %sB", file, seconds, s->ended_by,
		 (unsigned long long)s->nr_events, (unsigned long long)tt_loss_shed(s->nr_lost), details,
		 tt_format_bytes(size, sizeof(size), s->file_bytes));
	if (s->prog_runs)
		snprintf(programs, sizeof(programs), "BPF programs about %.3f s of CPU (%.2f %% of one), ",
			 (double)s->prog_ns / 1e9, seconds > 0 ? (double)s->prog_ns / 1e7 / seconds : 0);
	log_info("cost: %srecorder %.3f s user + %.3f s system, %sB peak memory, %sB rings", programs,
		 (double)s->cpu_user_ns / 1e9, (double)s->cpu_system_ns / 1e9,
		 tt_format_bytes(rss, sizeof(rss), s->peak_rss_bytes),
		 tt_format_bytes(rings, sizeof(rings), s->ring_bytes));
	if (s->command_status > 0)
		log_info("the command %s %d",
			 WIFSIGNALED(s->command_status) ? "was ended by signal" : "exited with",
			 WIFSIGNALED(s->command_status) ? WTERMSIG(s->command_status)
							: WEXITSTATUS(s->command_status));
}

static void show_names(const struct tt_symbols_stats *s, bool was_stopped_early)
{
	const struct {
		uint64_t nr;
		const char *words;
	} lacks[] = {
		{ s->nr_nowhere, "where nothing is mapped (code without frame pointers)" },
		{ s->nr_files_replaced, "files replaced meanwhile" },
		{ s->nr_files_failed, "files that could not be read" },
		{ s->nr_addresses_beyond, "addresses without room" },
		{ s->nr_stacks_beyond, "stacks told again for want of room" },
		{ s->nr_answers_beyond, "names of files that are gone without room" },
	};
	char details[240] = "";
	size_t len = 0;

	for (unsigned i = 0; i < sizeof(lacks) / sizeof(lacks[0]); i++)
		if (lacks[i].nr && len < sizeof(details))
			len += (size_t)snprintf(details + len, sizeof(details) - len, "; %llu %s",
						(unsigned long long)lacks[i].nr, lacks[i].words);
	log_info("names: %llu of %llu addresses, in %llu files%s%s", (unsigned long long)s->nr_resolved,
		 (unsigned long long)s->nr_addresses, (unsigned long long)s->nr_modules, details,
		 was_stopped_early ? "; stopped before the end" : "");
}

static void show_unwinding(const struct tt_symbols_stats *s)
{
	char bytes[16];

	log_info("unwinding: of %llu copies of user stacks (%sB) %llu whole, %llu cut where the copy ends, %llu without a way on, "
		 "%llu not unwound",
		 (unsigned long long)s->nr_copies, tt_format_bytes(bytes, sizeof(bytes), s->copies_bytes),
		 (unsigned long long)s->nr_whole, (unsigned long long)s->nr_cut, (unsigned long long)s->nr_astray,
		 (unsigned long long)s->nr_not_unwound);
}

static uint64_t timeval_ns(struct timeval tv)
{
	return (uint64_t)tv.tv_sec * 1000000000 + (uint64_t)tv.tv_usec * 1000;
}

static void fill_cost(struct recording *r)
{
	struct tt_symbols_stats symbols = { 0 };
	struct tt_source_stats stats;
	struct rusage usage;

	r->source->ops->stats(r->source, &stats);
	memcpy(r->summary.nr_lost, stats.nr_lost, sizeof(stats.nr_lost));
	r->summary.nr_lost[TT_LOSS_UNSEEN] += nr_unseen_switches(r);
	if (r->symbols)
		tt_symbols_read_stats(r->symbols, &symbols);
	for (unsigned i = 0; i < TT_LOSS_NR; i++)
		r->summary.nr_lost[i] += symbols.nr_lost[i];
	r->summary.prog_ns = stats.prog_ns;
	r->summary.prog_runs = stats.prog_runs;
	if (stats.ended_ts_ns)
		r->summary.end_ts_ns = stats.ended_ts_ns;
	r->summary.ring_bytes = stats.ring_bytes + symbols.ring_bytes;
	getrusage(RUSAGE_SELF, &usage);
	r->summary.cpu_user_ns = timeval_ns(usage.ru_utime);
	r->summary.cpu_system_ns = timeval_ns(usage.ru_stime);
	r->summary.cpu_user_ns += stats.helper_user_ns + symbols.helper_user_ns;
	r->summary.cpu_system_ns += stats.helper_system_ns + symbols.helper_system_ns;
	r->summary.peak_rss_bytes = (uint64_t)usage.ru_maxrss * 1024;
}

/* --- the run --- */

/* Until something ends it: fills ended_by. 0 or negative errno; a full disk and --max-size are ends, not
 * errors, here. */
static int run(struct recording *r, const struct record_options *opts)
{
	const uint64_t wake_ms = 200;
	int err = 0;

	while (!r->summary.ended_by[0]) {
		uint64_t elapsed_ns = tt_now_ns() - r->summary.start_ts_ns;
		uint64_t timeout_ms = wake_ms;

		if (got_signal) {
			strcpy(r->summary.ended_by, "signal");
			break;
		}
		if (got_child && tt_child_has_ended(&r->child)) {
			strcpy(r->summary.ended_by, "command");
			break;
		}
		if (opts->duration_ns) {
			if (elapsed_ns >= opts->duration_ns) {
				strcpy(r->summary.ended_by, "duration");
				break;
			}
			if ((opts->duration_ns - elapsed_ns) / 1000000 < timeout_ms)
				timeout_ms = (opts->duration_ns - elapsed_ns) / 1000000 + 1;
		}
		err = r->source->ops->poll(r->source, (int)timeout_ms);
		if (err == -EINTR)
			err = 0;
		if (err)
			break;
		show_progress(r);
	}
	return err;
}

static bool is_disk_full(int err)
{
	return err == -ENOSPC || err == -EDQUOT;
}

/* --- names --- */


static bool by_dwarf(const struct record_options *opts)
{
	return opts->unwind && !strcmp(opts->unwind, "dwarf");
}

/* What of --max-size is kept for them, and for stacks that are told at the end. */
static uint64_t names_bytes(const struct record_options *opts)
{
	const uint64_t most = by_dwarf(opts) ? 48 << 20 : 16 << 20, share = opts->max_bytes / (by_dwarf(opts) ? 2 : 4);

	if (!opts->stacks)
		return 0;
	return share < most ? share : most;
}

/* Copies of stacks are where the session is: on a disk that has room for it. */
static void copies_directory(const struct record_options *opts, char *ret, size_t size)
{
	const char *slash = strrchr(opts->file, '/'), *tmp = getenv("TMPDIR");

	if (!strcmp(opts->file, "-"))
		snprintf(ret, size, "%s", tmp && *tmp ? tmp : "/tmp");
	else if (!slash)
		snprintf(ret, size, ".");
	else
		snprintf(ret, size, "%.*s", slash > opts->file ? (int)(slash - opts->file) : 1, opts->file);
}

static int open_symbols(struct recording *r, const struct record_options *opts)
{
	char directory[4096];
	struct tt_symbols_options symbols_opts = {
		.root = "",
		.inlines = opts->with_inlined,
		.debuginfod = opts->with_debuginfod,
		.copies = by_dwarf(opts) ? directory : NULL,
	};

	copies_directory(opts, directory, sizeof(directory));
	return opts->stacks ? tt_symbols_open(&symbols_opts, &r->symbols) : 0;
}

static bool show_names_progress(void *ctx, bool unwinds, uint64_t nr_done, uint64_t nr_all)
{
	(void)ctx;
	log_status(unwinds ? "unwinding: %llu of %llu stacks" : "names of functions: %llu of %llu addresses",
		   (unsigned long long)nr_done, (unsigned long long)nr_all);
	return got_signal != 0;
}

/* Before the command is told to end: while it lives, its files can be found. A first Ctrl-C ends the recording, the second this. */
static int write_names(struct recording *r, const struct record_options *opts)
{
	struct tt_sink sink = { .ctx = r, .batch = write_batch, .epoch = write_epoch };
	struct tt_symbols_stats stats;
	int err;

	got_signal = 0;
	if (opts->max_bytes)
		tt_session_set_max_bytes(r->writer, opts->max_bytes);
	err = tt_symbols_finish(r->symbols, &sink, show_names_progress, r);
	tt_symbols_read_stats(r->symbols, &stats);
	if (by_dwarf(opts))
		show_unwinding(&stats);
	show_names(&stats, got_signal != 0);
	if (err == -EFBIG && r->has_max_size) {
		log_warn("--max-size has no room for all names%s: some addresses have none", by_dwarf(opts) ? " and stacks" : "");
		err = 0;
	}
	return err;
}

static int end_recording(struct recording *r, const struct record_options *opts, int err)
{
	int stop_err = r->source->ops->stop(r->source), end_err;

	if (!err)
		err = stop_err;
	if (err == -EFBIG && r->has_max_size) {
		strcpy(r->summary.ended_by, "max-size");
		err = 0;
	} else if (err == -EFBIG) {
		strcpy(r->summary.ended_by, "file size limit"); /* of the system: ulimit -f */
	} else if (is_disk_full(err)) {
		strcpy(r->summary.ended_by, "disk full");
	} else if (err) {
		strcpy(r->summary.ended_by, "error");
	}
	r->summary.end_ts_ns = tt_now_ns();
	if (!err && r->symbols) {
		err = write_names(r, opts);
		if (err)
			strcpy(r->summary.ended_by, is_disk_full(err) ? "disk full" : "error");
	}
	tt_child_end(&r->child);
	r->summary.command_status = r->child.wait_status;
	fill_cost(r);
	r->summary.file_bytes = tt_session_writer_bytes(r->writer);
	end_err = tt_session_write_end(r->writer, &r->summary);
	r->summary.file_bytes = tt_session_writer_bytes(r->writer);
	return err ? err : end_err;
}

static void fill_view(struct tt_info *info, const struct tt_common_options *common)
{
	if (common->pid_text)
		snprintf(info->filter_pid, sizeof(info->filter_pid), "%u", common->pid);
	if (common->cgroup)
		snprintf(info->filter_cgroup, sizeof(info->filter_cgroup), "%s", common->cgroup);
	if (common->device)
		snprintf(info->filter_device, sizeof(info->filter_device), "%s", common->device);
	if (common->cpu_text)
		snprintf(info->filter_cpu, sizeof(info->filter_cpu), "%s", common->cpu_text);
}

static void fill_command(struct tt_info *info, char **command)
{
	size_t len = 0;

	for (; command && *command && len < sizeof(info->command); command++) {
		char word[256];

		tt_escape(word, sizeof(word), *command, strlen(*command));
		len += (size_t)snprintf(info->command + len, sizeof(info->command) - len, "%s%s",
					len ? " " : "", word);
	}
}

/* A file is whole by epochs: one that may become only small needs small ones, or its first would not fit. */
static uint64_t epoch_bytes(uint64_t max_bytes)
{
	const uint64_t least = 32 << 10, most = 4 << 20;
	uint64_t bytes = max_bytes / 4;

	if (!max_bytes || bytes > most)
		return most;
	return bytes < least ? least : bytes;
}

/* A Ctrl-C before the start: run() ends with it, the command never runs. */
static int start_command(struct recording *r, const struct record_options *opts)
{
	int err = r->child.pid > 0 && !got_signal ? tt_child_start(&r->child) : 0;

	if (err) {
		log_error("cannot run '%s': %s", opts->command[0], strerror(-err));
		r->error_was_said = true;
	}
	return err;
}

static int record(struct recording *r, const struct record_options *opts)
{
	struct tt_sink sink = { .ctx = r, .batch = sink_batch, .epoch = sink_epoch };
	struct tt_source_options source_opts;
	uint32_t device;
	int err = tt_common_check_host(&opts->common, &device);

	if (err)
		return err;
	if (opts->command && (err = tt_child_check(opts->command[0]))) {
		log_error("cannot run '%s': %s", opts->command[0], strerror(-err));
		return err;
	}
	/* filters choose what the report shows: a time line with holes could not say who stole the time */
	tt_source_options_fill(&source_opts, &opts->common, 0);
	source_opts.epoch_bytes = epoch_bytes(opts->max_bytes);
	source_opts.pid = 0;
	source_opts.cpu_mask = NULL;
	source_opts.stacks = opts->stacks;
	source_opts.rate_hz = opts->rate_hz;
	if (by_dwarf(opts)) {
		source_opts.copies_hz = COPIES_HZ;
		source_opts.copy_wait_ns = opts->unwind_wait_ns;
	}
	source_opts.stopped = was_stopped;
	if (opts->command && (err = tt_child_prepare(&r->child, opts->command, hangup_is_ignored))) {
		log_error("cannot fork for the command: %s", strerror(-err));
		return err;
	}
	err = open_symbols(r, opts);
	if (err)
		return err;
	tt_info_fill_host(&r->info, "");
	fill_view(&r->info, &opts->common);
	fill_command(&r->info, opts->command);
	err = tt_choose_source(opts->common.source, &source_opts, &r->info, &sink, &r->source);
	if (err)
		return err;
	if (strcmp(r->info.source, "bpf") != 0) { /* then there are no stacks */
		tt_symbols_close(r->symbols);
		r->symbols = NULL;
	}
	r->has_max_size = opts->max_bytes != 0;
	r->nr_cpus = r->info.nr_cpus_possible;
	r->cpus = calloc(r->nr_cpus + 1, sizeof(*r->cpus));
	if (!r->cpus)
		return -ENOMEM;
	if (r->symbols)
		snprintf(r->info.unwind, sizeof(r->info.unwind), "%s", opts->unwind ? opts->unwind : "fp");
	r->info.start_ts_ns = r->summary.start_ts_ns = tt_now_ns();
	err = tt_session_create(opts->file, &r->info, opts->max_bytes - names_bytes(opts), &r->writer);
	if (err)
		return err;
	if (r->symbols)
		tt_symbols_start(r->symbols);
	r->summary.start_ts_ns = tt_now_ns();
	r->shown_ns = r->summary.start_ts_ns;
	err = r->source->ops->start(r->source);
	r->summary.start_ts_ns = tt_now_ns(); /* -d is time recorded, not time spent attaching */
	tt_privileges_drop((r->child.pid > 0 ? TT_MAY_KILL : 0) | (r->symbols ? TT_MAY_READ : 0));
	if (!err)
		err = start_command(r, opts);
	if (!err)
		err = run(r, opts);
	err = end_recording(r, opts, err);
	show_summary(r, opts->file);
	if (is_disk_full(err))
		log_error("%s: no space left: the recording ends here; what was written before can be read",
			  opts->file);
	else if (err && !r->error_was_said)
		log_error("%s: the recording failed: %s", opts->file, strerror(-err));
	return err;
}

/* --- command line --- */

enum { OPT_MAX_SIZE = 0x300, OPT_STACKS, OPT_RATE, OPT_INLINE, OPT_DEBUGINFOD, OPT_UNWIND, OPT_UNWIND_WAIT };

static const struct argp_option options[] = {
	{ "duration", 'd', "DUR", 0, "Record for so long (500ms, 10s, 5m); else until CMD ends or Ctrl-C",
	  0 },
	{ "output", 'o', "FILE", 0,
	  "Session file (timethief.tt); an existing one becomes FILE.old; - is stdout", 0 },
	{ "max-size", OPT_MAX_SIZE, "SIZE", 0,
	  "End the recording before the file grows beyond SIZE (64k, 100m, 2g)", 0 },
	{ "stacks", OPT_STACKS, NULL, 0,
	  "With each stolen stretch, wait, request and sample the stack of who was hit; samples the CPUs, "
	  "too (--probe cpu)",
	  0 },
	{ "inline", OPT_INLINE, NULL, 0, "With --stacks: also functions that were inlined, by DWARF", 0 },
	{ "debuginfod", OPT_DEBUGINFOD, NULL, 0,
	  "With --stacks: names of files without symbols from the servers in DEBUGINFOD_URLS", 0 },
	{ "unwind", OPT_UNWIND, "HOW", 0,
	  "With --stacks: user stacks by fp (frame pointers, default) or dwarf (also of programs built without: bounded copies of "
	  "stacks, of samples, steal seen at a tick and long waits, unwound at the end)",
	  0 },
	{ "unwind-wait", OPT_UNWIND_WAIT, "DUR", 0, "dwarf: also of tasks that leave a CPU, if one of their last 16 waits was so long (1ms)", 0 },
	{ "rate", OPT_RATE, "HZ", 0, "Sample each CPU so often a second (99)", 0 },
	{ 0 }
};

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	const uint64_t year_ns = 365ull * 24 * 3600 * 1000000000;
	struct record_options *opts = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		tt_argp_share(state, 3, &opts->common);
		return 0;
	case 'd':
		opts->duration_ns = tt_option_duration_ns("--duration", arg, 1000000, year_ns);
		return 0;
	case 'o':
		if (!*arg)
			tt_usage_error("--output: the file name is empty");
		opts->file = arg;
		return 0;
	case OPT_MAX_SIZE:
		opts->max_bytes = tt_option_size_bytes("--max-size", arg, 64 << 10, 1ull << 50);
		return 0;
	case OPT_STACKS:
		opts->stacks = true;
		return 0;
	case OPT_INLINE:
		opts->with_inlined = true;
		return 0;
	case OPT_DEBUGINFOD:
		opts->with_debuginfod = true;
		return 0;
	case OPT_UNWIND:
		if (strcmp(arg, "fp") != 0 && strcmp(arg, "dwarf") != 0)
			tt_usage_error("--unwind: '%s' is no way to unwind; write fp or dwarf", arg);
		opts->unwind = arg;
		return 0;
	case OPT_UNWIND_WAIT:
		opts->unwind_wait_ns = tt_option_duration_ns("--unwind-wait", arg, 1000, year_ns);
		return 0;
	case OPT_RATE:
		if (tt_parse_u32(arg, &opts->rate_hz) || !opts->rate_hz || opts->rate_hz > TT_RATE_HZ_MAX)
			tt_usage_error("--rate: '%s' is no rate; write a number from 1 to %d", arg,
				       TT_RATE_HZ_MAX);
		return 0;
	case ARGP_KEY_END:
		if (!opts->stacks && (opts->with_inlined || opts->with_debuginfod || opts->unwind))
			tt_usage_error("%s has a meaning only with --stacks",
				       opts->with_inlined ? "--inline" : opts->unwind ? "--unwind" : "--debuginfod");
		if (opts->unwind_wait_ns && !by_dwarf(opts))
			tt_usage_error("--unwind-wait has a meaning only with --unwind dwarf");
		if (!opts->unwind_wait_ns)
			opts->unwind_wait_ns = UNWIND_WAIT_NS_DEFAULT;
		if (opts->stacks)
			tt_require_bpf(&opts->common, "--stacks");
		if (opts->rate_hz)
			tt_require_bpf(&opts->common, "--rate");
		if (opts->rate_hz || (opts->stacks && !opts->common.probes_given))
			opts->common.probes |= TT_PROBE_CPU;
		return 0;
	case ARGP_KEY_ARG:
		/* the first word that is no option begins CMD; everything behind it is CMD's */
		opts->command = &state->argv[state->next - 1];
		state->next = state->argc;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static int run_record(int argc, char **argv)
{
	static const struct argp_child children[] = {
		{ &tt_argp_source, 0, "What is recorded:", 1 },
		{ &tt_argp_filter, 0, "What the report shows (everything is recorded):", 2 },
		{ &tt_argp_talk, 0, "Other:", 3 },
		{ 0 }
	};
	static const struct argp argp = {
		.options = options,
		.parser = parse_option,
		.args_doc = "[-- CMD...]",
		.doc = "Record steal, disk requests and context switches of this machine into a session "
		       "file.\v"
		       "With CMD the recording lasts as long as it runs; when the recording ends first (-d, "
		       "Ctrl-C, "
		       "--max-size), CMD gets SIGTERM.",
		.children = children,
	};
	struct record_options opts = { .common = TT_COMMON_OPTIONS_INIT, .file = "timethief.tt" };
	struct recording *r;
	int err;

	if (tt_argp_parse(&argp, ARGP_IN_ORDER, argc, argv, &opts))
		return TT_EXIT_USAGE;
	r = calloc(1, sizeof(*r));
	if (!r)
		return TT_EXIT_FAILED;
	r->child = (struct tt_child)TT_CHILD_INIT;
	catch_signals();
	err = record(r, &opts);
	tt_child_end(&r->child);
	tt_symbols_close(r->symbols);
	if (r->source)
		r->source->ops->close(r->source);
	tt_session_writer_close(r->writer);
	free(r->cpus);
	free(r);
	if (err == -EINVAL && opts.common.nr_hooks) /* a hook that no ladder has */
		return TT_EXIT_USAGE;
	return err ? TT_EXIT_FAILED : TT_EXIT_OK;
}

const struct tt_command tt_command_record = {
	.name = "record",
	.help = "record a session",
	.run = run_record,
};

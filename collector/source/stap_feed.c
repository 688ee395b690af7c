/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From SystemTap's streams to the sink: windows of CPUs, epochs, losses. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "collector/base/log.h"
#include "collector/source/stap_private.h"

enum { READ_BYTES = 64 << 10 };

/* --- batches --- */

/* Adds up what the records of a batch say, so that the head is what the next header would be. */
static void follow_cpu(struct stap_cpu *cpu, const struct tt_batch *batch)
{
	const char *at = (const char *)(batch + 1), *end = (const char *)batch + batch->size;
	struct tt_batch *head = &cpu->head;

	*head = *batch;
	head->size = sizeof(*head);
	head->nr_records = 0;
	while (at < end) { /* the batch was checked */
		const struct tt_switch *sw = (const void *)at;

		head->base_ts_ns += sw->dts_ns;
		head->steal_clock_ns += tt_dur32_unpack(sw->steal_ns);
		at += tt_packed_size(sw);
		if (sw->flags & TT_SW_MARK)
			continue;
		head->nr_switches += (uint16_t)(sw->seq - (uint16_t)head->nr_switches);
		head->wait_total_ns += tt_dur32_unpack(sw->wait_ns);
		head->prev_tid = sw->next_tid;
	}
	if (batch->flags & TT_BATCH_FIRST)
		cpu->begun = cpu->open = true;
	if (batch->flags & TT_BATCH_LAST)
		cpu->open = false;
	if (head->base_ts_ns > cpu->end_ts_ns)
		cpu->end_ts_ns = head->base_ts_ns;
}

static bool has_hook_change(const struct tt_batch *batch)
{
	const char *at = (const char *)(batch + 1), *end = (const char *)batch + batch->size;

	for (; at < end; at += ((const struct tt_record *)at)->size)
		if (((const struct tt_record *)at)->kind == TT_EV_HOOK_CHANGE)
			return true;
	return false;
}

int tt_stap_on_batch(void *ctx, const struct tt_batch *batch)
{
	struct stap_source *s = ctx;
	int err = 0;

	if (batch->stream == TT_STREAM_SCHED) {
		if (batch->cpu >= s->nr_cpus) { /* what it says of its CPU cannot be kept */
			s->nr_packets_lost++;
			return 0;
		}
		follow_cpu(&s->cpus[batch->cpu], batch);
	} else {
		tt_disk_names_note_batch(s->disk_names, batch);
		/* from the kernel's counters right before it the new hook can be compared */
		if (has_hook_change(batch))
			err = tt_stap_emit_counters(s);
	}
	s->bytes_since_epoch += batch->size;
	return err ? err : s->src.sink.batch(s->src.sink.ctx, batch, batch->size);
}

/* --- reading --- */

static void tell_line(void *ctx, const char *line)
{
	(void)ctx;
	/* the scripts speak to the user about hooks that are silent and the like */
	if (!strncmp(line, "WARNING: timethief: ", 20))
		log_warn("%s", line + 20);
	else
		log_verbose("stap: %s", line);
}

static void read_words(struct stap_source *s)
{
	char text[4096];
	ssize_t n = read(tt_stap_child_words_fd(s->child), text, sizeof(text));

	if (n > 0) {
		tt_stap_words_add(&s->words, text, (size_t)n, tell_line, NULL);
	} else if (n == 0) {
		tt_stap_words_end(&s->words, tell_line, NULL);
		s->child_ended = true;
	}
}

static int refuse_stream(const struct stap_source *s)
{
	const struct tt_stap_stats *stats = tt_stap_streams_stats(s->streams);

	log_error("stap: what comes from CPU %u is not timethief's from byte %llu on (%d bytes without a "
		  "record); the module is "
		  "for another version: timethief stap-build makes one",
		  stats->skip_stream, (unsigned long long)stats->skip_offset, TT_STAP_GARBAGE_MAX);
	return -EBADMSG;
}

static int read_stream(struct stap_source *s, unsigned cpu, bool has_hung_up)
{
	static unsigned char bytes[READ_BYTES]; /* one thread, one source */
	ssize_t n = read(s->fifo_fds[cpu], bytes, sizeof(bytes));
	int err = 0;

	if (n > 0)
		err = tt_stap_streams_push(s->streams, cpu, bytes, (size_t)n);
	else if (n == 0 && has_hung_up) {
		close(s->fifo_fds[cpu]);
		s->fifo_fds[cpu] = -1;
		err = tt_stap_streams_end(s->streams, cpu);
	} else if (n < 0 && errno != EAGAIN && errno != EINTR) {
		err = -errno;
	}
	return err == -EBADMSG ? refuse_stream(s) : err;
}

/* A packet that does not come: given up after a while, or when no stream can bring it any more. */
static int judge_missing(struct stap_source *s, bool is_end)
{
	uint64_t now_ns = tt_now_ns();
	uint32_t sequence;
	int err = 0;

	while (!err && tt_stap_streams_wait(s->streams, &sequence)) {
		if (!s->missing_since_ns || s->missing_sequence != sequence) {
			s->missing_since_ns = now_ns;
			s->missing_sequence = sequence;
		}
		if (!is_end && now_ns - s->missing_since_ns < STAP_MISSING_MS * 1000000ull)
			return 0;
		log_verbose("stap: packet %u did not come", sequence);
		err = tt_stap_streams_give_up(s->streams);
	}
	s->missing_since_ns = 0;
	return err;
}

int tt_stap_feed(struct stap_source *s, int timeout_ms)
{
	struct pollfd *fds = s->fds;
	unsigned nr_open = 0;
	int n, err = 0;

	for (unsigned i = 0; i < s->nr_cpus; i++)
		fds[i] = (struct pollfd){ .fd = s->fifo_fds[i], .events = POLLIN };
	fds[s->nr_cpus] = (struct pollfd){ .fd = s->child_ended ? -1 : tt_stap_child_words_fd(s->child),
					   .events = POLLIN };
	n = poll(fds, s->nr_cpus + 1, timeout_ms);
	if (n < 0)
		err = -errno;
	for (unsigned i = 0; n > 0 && !err && i < s->nr_cpus; i++)
		if (fds[i].revents)
			err = read_stream(s, i, fds[i].revents & POLLHUP);
	if (n > 0 && !err && fds[s->nr_cpus].revents)
		read_words(s);
	/* those that nobody has opened for writing hang up never */
	for (unsigned i = 0; i < s->nr_cpus; i++)
		nr_open += s->fifo_fds[i] >= 0 && fds[i].revents;
	if (!err)
		err = judge_missing(s, s->child_ended && !nr_open);
	return err ? err : s->child_ended && !nr_open;
}

/* --- losses --- */

static uint64_t status_number(const char *status, const char *name)
{
	char value[32];

	return tt_stap_status_word(status, name, value, sizeof(value)) ? strtoull(value, NULL, 10) : 0;
}

static void raise_to(uint64_t *count, uint64_t now)
{
	if (now > *count)
		*count = now;
}

/* What is lost is known from three sides: the headers of batches, the module's counts, SystemTap's words. */
void tt_stap_read_losses(struct stap_source *s)
{
	const struct tt_stap_stats *stats = tt_stap_streams_stats(s->streams);
	uint64_t nr_switches = 0, nr_records = 0, nr_nested = 0;
	char status[512];

	for (unsigned i = 0; i < s->nr_cpus; i++) {
		nr_switches += s->cpus[i].head.nr_shed_switches;
		nr_records += s->cpus[i].head.nr_shed_records;
		nr_nested += s->cpus[i].head.nr_nested;
	}
	tt_stap_read_status(s, status, sizeof(status));
	raise_to(&s->nr_lost[TT_LOSS_SWITCHES], nr_switches);
	raise_to(&s->nr_lost[TT_LOSS_RECORDS], nr_records);
	raise_to(&s->nr_lost[TT_LOSS_NESTED], nr_nested);
	raise_to(&s->nr_lost[TT_LOSS_TASK_STATE], status_number(status, "lost_task_state"));
	raise_to(&s->nr_lost[TT_LOSS_REQUEST_STATE], status_number(status, "lost_request_state"));
	raise_to(&s->nr_lost[TT_LOSS_UNSEEN], s->words.nr_skipped);
	raise_to(&s->nr_lost[TT_LOSS_PACKETS], stats->nr_missing + s->nr_packets_lost);
}

/* Shed switches and records, and nested handlers, are in the batch headers; these are not. */
static int emit_losses(struct stap_source *s)
{
	static const uint32_t told_here[] = { TT_LOSS_TASK_STATE, TT_LOSS_REQUEST_STATE, TT_LOSS_UNSEEN,
					      TT_LOSS_PACKETS };

	tt_stap_read_losses(s);
	for (unsigned i = 0; i < sizeof(told_here) / sizeof(told_here[0]); i++) {
		uint32_t what = told_here[i];
		struct tt_loss rec = { .what = what, .since_ts_ns = s->last_epoch_ns };
		int err;

		if (s->nr_lost[what] <= s->told_lost[what])
			continue;
		rec.count = s->nr_lost[what] - s->told_lost[what];
		s->told_lost[what] = s->nr_lost[what];
		err = tt_record_emit(&s->src.sink, &rec, sizeof(rec), TT_EV_LOSS, tt_now_ns());
		if (err)
			return err;
	}
	return 0;
}

/* --- windows and epochs --- */

int tt_stap_emit_counters(struct stap_source *s)
{
	int err = tt_proc_emit_cpu_counters(s->proc_root, &s->src.sink, NULL, NULL);

	if (!err && s->probes & TT_PROBE_DISK)
		err = tt_proc_emit_disk_counters(s->proc_root, &s->src.sink, s->only_dev,
						 &s->disk_names->known);
	return err;
}

uint64_t tt_stap_promise_ns(const struct stap_source *s)
{
	uint64_t newest_ns = 0, until_ns = UINT64_MAX;

	for (unsigned i = 0; i < s->nr_cpus; i++)
		if (s->cpus[i].open && s->cpus[i].end_ts_ns > newest_ns)
			newest_ns = s->cpus[i].end_ts_ns;
	for (unsigned i = 0; i < s->nr_cpus; i++) {
		const struct stap_cpu *cpu = &s->cpus[i];

		if (cpu->open && cpu->end_ts_ns + STAP_SILENT_MS * 1000000ull > newest_ns &&
		    cpu->end_ts_ns < until_ns)
			until_ns = cpu->end_ts_ns;
	}
	if (until_ns == UINT64_MAX || until_ns < STAP_LAG_MS * 1000000ull)
		return 0;
	return until_ns - STAP_LAG_MS * 1000000ull;
}

int tt_stap_make_epoch(struct stap_source *s, uint64_t until_ns)
{
	int err;

	if (until_ns <= s->last_epoch_ns)
		return 0;
	err = tt_disk_names_describe(s->disk_names, s->proc_root, &s->src.sink, until_ns);
	if (!err)
		err = emit_losses(s);
	if (!err)
		err = s->src.sink.epoch(s->src.sink.ctx, until_ns);
	s->last_epoch_ns = until_ns;
	s->bytes_since_epoch = 0;
	return err;
}

/* After "end": a short recording is over before anything of it has come. */
void tt_stap_read_windows(struct stap_source *s)
{
	char status[512];

	tt_stap_read_status(s, status, sizeof(status));
	s->nr_windows = (unsigned)status_number(status, "cpus_ended");
}

bool tt_stap_all_windows_ended(const struct stap_source *s)
{
	unsigned nr_begun = 0;

	for (unsigned i = 0; i < s->nr_cpus; i++) {
		if (s->cpus[i].open)
			return false;
		nr_begun += s->cpus[i].begun;
	}
	return nr_begun >= s->nr_windows;
}

int tt_stap_close_windows(struct stap_source *s)
{
	int err = 0;

	for (unsigned i = 0; i < s->nr_cpus && !err; i++) {
		struct stap_cpu *cpu = &s->cpus[i];

		if (!cpu->open)
			continue;
		log_verbose("stap: CPU %u: nothing told the end of its window; it ends with its last record",
			    i);
		cpu->open = false;
		cpu->head.flags = TT_BATCH_LAST;
		err = s->src.sink.batch(s->src.sink.ctx, &cpu->head, sizeof(cpu->head));
	}
	return err;
}

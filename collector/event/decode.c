/* SPDX-License-Identifier: GPL-2.0-or-later */
/* decode.c - see decode.h. A batch is checked as a whole, then taken apart by a cursor that yields event by
 * event: a record (or the header) sets bits in cursor->todo, and each call of tt_decode_next turns the lowest
 * one into an event. */
#include "collector/event/decode.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* What a record or a header can yield, in the order in which it is yielded. */
enum {
	TODO_WINDOW_BEGIN = 1,
	TODO_LOSS = 2,
	TODO_SHED_WAIT = 4,
	TODO_STEAL = 8,
	TODO_SWITCH = 16,
	TODO_RECORD = 32,
	TODO_WINDOW_END = 64,
};

/* A CPU after the last record that was decoded. */
struct tt_decode_cpu {
	bool known; /* a SCHED batch was seen */
	bool slice_known;
	uint32_t running_tid;
	uint64_t last_ts_ns;	    /* last record, or what the header said after a loss */
	uint64_t last_switch_ts_ns; /* valid with slice_known */
	uint64_t steal_clock_ns, nr_switches, wait_total_ns;
	uint64_t nr_shed_switches;
	uint64_t records_ts_ns; /* base of the last RECORDS batch */
	uint32_t nr_shed_records, nr_nested;
};

struct tt_decoder {
	struct tt_decode_stats stats;
	struct tt_decode_cpu *cpus[TT_DECODE_CPUS_MAX + 1]; /* made on demand; the last is TT_CPU_NONE */
};

int tt_decoder_open(struct tt_decoder **ret_dec)
{
	struct tt_decoder *dec = calloc(1, sizeof(*dec));

	if (!dec)
		return -ENOMEM;
	*ret_dec = dec;
	return 0;
}

void tt_decoder_close(struct tt_decoder *dec)
{
	if (!dec)
		return;
	for (unsigned i = 0; i <= TT_DECODE_CPUS_MAX; i++)
		free(dec->cpus[i]);
	free(dec);
}

const struct tt_decode_stats *tt_decoder_stats(const struct tt_decoder *dec)
{
	return &dec->stats;
}

/* Bytes of the packed record at the head of left bytes; 0 = it does not fit. */
static size_t packed_size(const unsigned char *at, size_t left)
{
	const struct tt_switch *sw = (const void *)at;
	size_t size;

	if (left < sizeof(struct tt_mark) || (!(sw->flags & TT_SW_MARK) && left < sizeof(*sw)))
		return 0;
	size = tt_packed_size(sw);
	return size <= left ? size : 0;
}

static bool is_record_kind(unsigned kind)
{
	return kind != TT_EV_SWITCH && kind != TT_EV_STEAL && tt_kind_size(kind);
}

/* What follows the fixed part of a record is in it. */
static bool tail_fits(const struct tt_record *rec)
{
	size_t tail = rec->size - tt_kind_size(rec->kind);

	switch (rec->kind) {
	case TT_EV_STACK:
		return ((const struct tt_stack *)rec)->nr <= tail / sizeof(uint64_t);
	case TT_EV_USER_COPY:
		return ((const struct tt_user_copy *)rec)->nr_bytes <= tail;
	case TT_EV_MODULE:
		return ((const struct tt_module *)rec)->path_len <= tail &&
		       ((const struct tt_module *)rec)->build_id_len <= sizeof(((struct tt_module *)0)->build_id);
	case TT_EV_SYMBOL:
		return ((const struct tt_symbol *)rec)->name_len <= tail;
	default:
		return true;
	}
}

/* Bytes of the whole record at the head of left bytes; 0 = it does not fit or says what cannot be. */
static size_t record_size(const unsigned char *at, size_t left)
{
	const struct tt_record *rec = (const void *)at;

	if (left < sizeof(*rec) || rec->size < sizeof(*rec) || rec->size % 8 || rec->size > left)
		return 0;
	if (is_record_kind(rec->kind) && (rec->size < tt_kind_size(rec->kind) || !tail_fits(rec)))
		return 0;
	if (rec->cpu >= TT_DECODE_CPUS_MAX && rec->cpu != TT_CPU_NONE)
		return 0;
	return rec->ts_ns < TT_DECODE_TS_MAX_NS ? rec->size : 0;
}

static bool header_ok(const struct tt_batch *b, size_t len)
{
	if (b->size != len || b->version != TT_WIRE_VERSION || b->base_ts_ns >= TT_DECODE_TS_MAX_NS)
		return false;
	if (b->stream == TT_STREAM_SCHED)
		return b->cpu < TT_DECODE_CPUS_MAX;
	return b->stream == TT_STREAM_RECORDS && (b->cpu < TT_DECODE_CPUS_MAX || b->cpu == TT_CPU_NONE);
}

int tt_batch_check(const void *data, size_t len)
{
	const struct tt_batch *b = data;
	const unsigned char *at = data, *end = at + len;
	unsigned nr_records = 0;

	if (len < sizeof(*b) || len > TT_BATCH_BYTES_MAX || len % 8 || (uintptr_t)data % 8 ||
	    !header_ok(b, len))
		return -EBADMSG;
	for (at += sizeof(*b); at < end; nr_records++) {
		size_t left = (size_t)(end - at);
		size_t size = b->stream == TT_STREAM_SCHED ? packed_size(at, left) : record_size(at, left);

		if (!size)
			return -EBADMSG;
		at += size;
	}
	return nr_records == b->nr_records ? 0 : -EBADMSG;
}

static unsigned cpu_slot(unsigned cpu)
{
	return cpu < TT_DECODE_CPUS_MAX ? cpu : TT_DECODE_CPUS_MAX;
}

int tt_decode_admit(struct tt_decoder *dec, const void *data, size_t len)
{
	const struct tt_batch *b = data;
	struct tt_decode_cpu **state;

	if (tt_batch_check(data, len)) {
		dec->stats.nr_rejected_batches++;
		return -EBADMSG;
	}
	state = &dec->cpus[cpu_slot(b->cpu)];
	if (!*state)
		*state = calloc(1, sizeof(**state));
	return *state ? 0 : -ENOMEM;
}

static void note_loss(struct tt_decode_cursor *cur, enum tt_loss_what what, uint64_t count)
{
	if (!count)
		return;
	cur->nr_lost[what] += count;
	cur->dec->stats.nr_lost[what] += count;
	cur->todo |= TODO_LOSS;
}

/* Growth of a cumulative count. One that went back was started anew (begins) or is an older header's: no
 * growth. */
static uint64_t grow64(uint64_t *last, uint64_t now, bool begins)
{
	uint64_t grown = now > *last ? now - *last : begins && now < *last ? now : 0;

	if (now > *last || begins)
		*last = now;
	return grown;
}

/* The same for a 32-bit count, which wraps. */
static uint64_t grow32(uint32_t *last, uint32_t now, bool begins)
{
	int32_t diff = (int32_t)(now - *last);
	uint64_t grown = diff > 0 ? (uint32_t)diff : begins && diff < 0 ? now : 0;

	if (diff > 0 || begins)
		*last = now;
	return grown;
}

static void set_window(struct tt_decode_cursor *cur, bool begins)
{
	const struct tt_decode_cpu *st = cur->state;

	cur->window = (struct tt_ev_window){
		.ev = { .kind = TT_EV_WINDOW, .cpu = cur->cpu, .ts_ns = cur->ts_ns },
		.begins = begins,
		.tid = st->running_tid,
		.steal_clock_ns = st->steal_clock_ns,
		.nr_switches = st->nr_switches,
		.wait_total_ns = st->wait_total_ns,
	};
	cur->todo |= begins ? TODO_WINDOW_BEGIN : TODO_WINDOW_END;
}

static void set_steal(struct tt_decode_cursor *cur, uint64_t steal_ns, uint32_t tid, unsigned seen, bool shed)
{
	uint64_t last_ts_ns = cur->state->last_ts_ns;

	cur->steal = (struct tt_ev_steal){
		.ev = { .kind = TT_EV_STEAL, .cpu = cur->cpu, .ts_ns = cur->ts_ns },
		.steal_ns = steal_ns,
		.since_ns = cur->ts_ns > last_ts_ns ? cur->ts_ns - last_ts_ns : 0,
		.tid = tid,
		.seen = (uint8_t)seen,
		.shed = shed,
	};
	cur->todo |= TODO_STEAL;
}

/* Steal between the last record and this header that no record explains. A clock that starts to be known (0
 * before) is believed only when its growth fits into the time that passed. */
static uint64_t unexplained_steal_ns(const struct tt_decode_cpu *st, const struct tt_batch *b)
{
	uint64_t grown_ns;

	if (b->steal_clock_ns <= st->steal_clock_ns)
		return 0;
	grown_ns = b->steal_clock_ns - st->steal_clock_ns;
	if (!st->steal_clock_ns &&
	    (b->base_ts_ns < st->last_ts_ns || grown_ns > b->base_ts_ns - st->last_ts_ns))
		return 0;
	return grown_ns;
}

/* Waits of switches that are missing. Without one the two sums may differ by the rounding of long waits. */
static void set_shed_wait(struct tt_decode_cursor *cur, uint64_t wait_total_ns)
{
	struct tt_decode_cpu *st = cur->state;

	if (wait_total_ns <= st->wait_total_ns)
		return;
	cur->shed_wait = (struct tt_ev_shed_wait){
		.ev = { .kind = TT_EV_SHED_WAIT, .cpu = cur->cpu, .ts_ns = cur->ts_ns },
		.since_ts_ns = st->last_ts_ns,
		.wait_ns = wait_total_ns - st->wait_total_ns,
	};
	cur->todo |= TODO_SHED_WAIT;
}

/* A further batch of a CPU: what happened between its header and the record before that was not recorded? */
static void bridge_gap(struct tt_decode_cursor *cur, const struct tt_batch *b, uint64_t nr_shed)
{
	struct tt_decode_cpu *st = cur->state;
	int64_t nr_jumped = (int64_t)(b->nr_switches - st->nr_switches);
	uint64_t steal_ns = unexplained_steal_ns(st, b);

	if (nr_jumped < 0 || (uint64_t)nr_jumped < nr_shed)
		cur->dec->stats.nr_seq_mismatches++;
	else
		note_loss(cur, TT_LOSS_UNSEEN, (uint64_t)nr_jumped - nr_shed);
	if (steal_ns)
		set_steal(cur, steal_ns, TT_TID_UNKNOWN, TT_SEEN_SYNC, true);
	if (nr_jumped || nr_shed) {
		st->slice_known = false;
		set_shed_wait(cur, b->wait_total_ns);
	}
	if (nr_jumped || nr_shed || steal_ns || (b->flags & TT_BATCH_AFTER_SHED))
		st->last_ts_ns = b->base_ts_ns;
}

static void start_sched(struct tt_decode_cursor *cur, const struct tt_batch *b)
{
	struct tt_decode_cpu *st = cur->state;
	bool begins = b->flags & TT_BATCH_FIRST;
	bool anew = begins || !st->known;
	uint64_t nr_shed = grow64(&st->nr_shed_switches, b->nr_shed_switches, begins);

	if (anew) {
		st->last_ts_ns = b->base_ts_ns;
		st->slice_known = false;
	}
	cur->loss_since_ts_ns = st->last_ts_ns;
	note_loss(cur, TT_LOSS_SWITCHES, nr_shed);
	note_loss(cur, TT_LOSS_RECORDS, grow32(&st->nr_shed_records, b->nr_shed_records, begins));
	note_loss(cur, TT_LOSS_NESTED, grow32(&st->nr_nested, b->nr_nested, begins));
	if (!anew)
		bridge_gap(cur, b, nr_shed);
	st->known = true;
	st->running_tid = b->prev_tid;
	st->steal_clock_ns = b->steal_clock_ns;
	st->nr_switches = b->nr_switches;
	st->wait_total_ns = b->wait_total_ns;
	if (begins)
		set_window(cur, true);
}

static void start_records(struct tt_decode_cursor *cur, const struct tt_batch *b)
{
	struct tt_decode_cpu *st = cur->state;

	cur->loss_since_ts_ns = b->base_ts_ns;
	if (st->records_ts_ns && st->records_ts_ns < b->base_ts_ns)
		cur->loss_since_ts_ns = st->records_ts_ns;
	note_loss(cur, TT_LOSS_RECORDS, grow32(&st->nr_shed_records, b->nr_shed_records, false));
	st->records_ts_ns = b->base_ts_ns;
}

void tt_decode_start(struct tt_decoder *dec, struct tt_decode_cursor *cur, const void *data)
{
	const struct tt_batch *b = data;

	cur->dec = dec;
	cur->state = dec->cpus[cpu_slot(b->cpu)];
	cur->at = (const unsigned char *)data + sizeof(*b);
	cur->nr_left = b->nr_records;
	cur->todo = 0;
	cur->cpu = b->cpu;
	cur->batch_flags = b->flags;
	cur->stream = b->stream;
	cur->ts_ns = b->base_ts_ns;
	memset(cur->nr_lost, 0, sizeof(cur->nr_lost));
	dec->stats.nr_batches++;
	if (b->stream == TT_STREAM_SCHED)
		start_sched(cur, b);
	else
		start_records(cur, b);
}

/* Compares seq with what must follow. A hole is switches that the kernel did not show to the program; who was
 * switched out is then not certain, but the record before is the best there is. */
static void follow_seq(struct tt_decode_cursor *cur, uint16_t seq)
{
	struct tt_decode_cpu *st = cur->state;
	int16_t nr_missing = (int16_t)(uint16_t)(seq - (uint16_t)(st->nr_switches + 1));

	st->nr_switches += 1 + (uint64_t)(int64_t)nr_missing;
	if (!nr_missing)
		return;
	cur->dec->stats.nr_seq_mismatches++;
	st->slice_known = false;
	if (nr_missing > 0) {
		cur->loss_since_ts_ns = st->last_ts_ns;
		note_loss(cur, TT_LOSS_UNSEEN, (uint64_t)nr_missing);
	}
}

/* Steal of a packed record, whichever it is. */
static void take_steal(struct tt_decode_cursor *cur, uint32_t packed, unsigned flags, uint32_t victim_tid,
		       unsigned seen)
{
	uint64_t steal_ns = tt_dur32_unpack(packed);

	if (flags & TT_SW_STEAL_JUMP) {
		cur->loss_since_ts_ns = cur->state->last_ts_ns;
		note_loss(cur, TT_LOSS_JUMP, 1);
	}
	if (!steal_ns)
		return;
	cur->state->steal_clock_ns += steal_ns;
	set_steal(cur, steal_ns, victim_tid, seen, false);
}

static uint64_t ext_word(const uint64_t *ext, unsigned nr, unsigned i)
{
	return i < nr ? ext[i] : TT_STACK_NONE;
}

static void take_switch(struct tt_decode_cursor *cur, const struct tt_switch *rec)
{
	struct tt_decode_cpu *st = cur->state;
	struct tt_ev_switch *sw = &cur->sw;

	cur->dec->stats.nr_switches++;
	follow_seq(cur, rec->seq);
	if (rec->steal_ns || (rec->flags & TT_SW_STEAL_JUMP))
		take_steal(cur, rec->steal_ns, rec->flags, st->running_tid, TT_SEEN_SWITCH);
	sw->ev = (struct tt_event){
		.kind = TT_EV_SWITCH, .cpu = cur->cpu, .flags = rec->flags, .ts_ns = cur->ts_ns
	};
	sw->prev_tid = st->running_tid;
	sw->next_tid = rec->next_tid;
	sw->slice_ns = st->slice_known && cur->ts_ns > st->last_switch_ts_ns
			       ? cur->ts_ns - st->last_switch_ts_ns
			       : 0;
	sw->wait_ns = tt_dur32_unpack(rec->wait_ns);
	sw->deliver_ns = tt_dur32_unpack(rec->deliver_ns);
	sw->waker_tid = rec->waker_tid;
	sw->queued_cpu = rec->queued_cpu;
	sw->next_prio = rec->next_prio;
	sw->wait_kind = (rec->flags & TT_SW_WAIT_MASK) >> TT_SW_WAIT_SHIFT;
	sw->has_stacks = rec->ext != 0;
	if (sw->has_stacks) {
		const uint64_t *ext = (const void *)(rec + 1);

		sw->prev_kstack = ext_word(ext, rec->ext, TT_EXT_PREV_KSTACK);
		sw->prev_ustack = ext_word(ext, rec->ext, TT_EXT_PREV_USTACK);
		sw->waker_kstack = ext_word(ext, rec->ext, TT_EXT_WAKER_KSTACK);
		sw->waker_ustack = ext_word(ext, rec->ext, TT_EXT_WAKER_USTACK);
		if (cur->todo & TODO_STEAL) {
			cur->steal.kstack = sw->prev_kstack;
			cur->steal.ustack = sw->prev_ustack;
		}
	}
	cur->todo |= TODO_SWITCH;
	st->running_tid = rec->next_tid;
	st->wait_total_ns += sw->wait_ns;
	st->slice_known = true;
	st->last_switch_ts_ns = cur->ts_ns;
}

static void take_mark(struct tt_decode_cursor *cur, const struct tt_mark *rec)
{
	cur->dec->stats.nr_marks++;
	take_steal(cur, rec->steal_ns, rec->flags, rec->tid,
		   (rec->flags & TT_SW_SEEN_MASK) >> TT_SW_SEEN_SHIFT);
	if (!(cur->todo & TODO_STEAL))
		return;
	cur->steal.ev.flags = rec->flags;
	cur->steal.kstack = ext_word((const void *)(rec + 1), rec->ext, TT_EXT_PREV_KSTACK);
	cur->steal.ustack = ext_word((const void *)(rec + 1), rec->ext, TT_EXT_PREV_USTACK);
}

static void take_packed(struct tt_decode_cursor *cur)
{
	const struct tt_switch *rec = (const void *)cur->at;

	cur->ts_ns += rec->dts_ns;
	cur->at += tt_packed_size(rec);
	if (rec->flags & TT_SW_MARK)
		take_mark(cur, (const void *)rec);
	else
		take_switch(cur, rec);
	cur->state->last_ts_ns = cur->ts_ns;
}

struct tt_ev_record tt_decode_record_event(const struct tt_record *rec)
{
	struct tt_ev_record ev = {
		.ev = { .kind = rec->kind, .cpu = (uint16_t)rec->cpu, .ts_ns = rec->ts_ns },
		.rec = rec,
	};

	if (rec->kind == TT_EV_DISK)
		ev.ev.flags = ((const struct tt_disk *)rec)->flags;
	return ev;
}

static void take_record(struct tt_decode_cursor *cur)
{
	const struct tt_record *rec = (const void *)cur->at;

	cur->at += rec->size;
	if (!is_record_kind(rec->kind)) {
		cur->dec->stats.nr_unknown_records++;
		return;
	}
	cur->dec->stats.nr_records++;
	if (rec->kind == TT_EV_LOSS) {
		const struct tt_loss *loss = (const void *)rec;

		if (loss->what < TT_LOSS_NR)
			cur->dec->stats.nr_lost[loss->what] += loss->count;
	}
	cur->record = tt_decode_record_event(rec);
	cur->todo |= TODO_RECORD;
}

/* One of the losses that were noted; the bit stays set while there are more. */
static const struct tt_event *next_loss(struct tt_decode_cursor *cur)
{
	unsigned what = 0;

	while (what < TT_LOSS_NR - 1 && !cur->nr_lost[what])
		what++;
	cur->loss = (struct tt_loss){
		.rec = { .size = sizeof(cur->loss),
			 .kind = TT_EV_LOSS,
			 .cpu = cur->cpu,
			 .ts_ns = cur->ts_ns },
		.since_ts_ns = cur->loss_since_ts_ns,
		.count = cur->nr_lost[what],
		.what = what,
	};
	cur->nr_lost[what] = 0;
	while (what < TT_LOSS_NR && !cur->nr_lost[what])
		what++;
	if (what == TT_LOSS_NR)
		cur->todo &= ~(unsigned)TODO_LOSS;
	cur->record = tt_decode_record_event(&cur->loss.rec);
	return &cur->record.ev;
}

static const struct tt_event *next_todo(struct tt_decode_cursor *cur)
{
	unsigned bit = cur->todo & -cur->todo;

	if (bit == TODO_LOSS)
		return next_loss(cur);
	cur->todo ^= bit;
	switch (bit) {
	case TODO_SHED_WAIT:
		return &cur->shed_wait.ev;
	case TODO_STEAL:
		return &cur->steal.ev;
	case TODO_SWITCH:
		return &cur->sw.ev;
	case TODO_RECORD:
		return &cur->record.ev;
	default:
		return &cur->window.ev;
	}
}

const struct tt_event *tt_decode_next(struct tt_decode_cursor *cur)
{
	while (!cur->todo) {
		if (cur->nr_left) {
			cur->nr_left--;
			if (cur->stream == TT_STREAM_SCHED)
				take_packed(cur);
			else
				take_record(cur);
		} else if (cur->stream == TT_STREAM_SCHED && (cur->batch_flags & TT_BATCH_LAST)) {
			cur->batch_flags &= ~TT_BATCH_LAST;
			set_window(cur, false);
		} else {
			return NULL;
		}
	}
	return next_todo(cur);
}

int tt_decode(struct tt_decoder *dec, const void *data, size_t len, tt_event_fn fn, void *ctx)
{
	struct tt_decode_cursor cur;
	const struct tt_event *ev;
	int err = tt_decode_admit(dec, data, len);

	if (err)
		return err;
	tt_decode_start(dec, &cur, data);
	while ((ev = tt_decode_next(&cur)))
		fn(ctx, ev);
	return 0;
}

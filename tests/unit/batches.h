/* SPDX-License-Identifier: GPL-2.0-or-later */
/* batches - for tests: batches as a probe writes them, by hand, at random, and like `perf bench sched pipe`.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "bpf/event.h"

union tb {
	struct tt_batch b;
	_Alignas(8) uint8_t data[TT_BATCH_BYTES_MAX];
};

static inline void tb_begin(union tb *t, unsigned stream, unsigned cpu, uint64_t base_ts_ns)
{
	memset(t, 0, sizeof(*t));
	t->b.size = sizeof(t->b);
	t->b.cpu = (uint16_t)cpu;
	t->b.stream = (uint8_t)stream;
	t->b.version = TT_WIRE_VERSION;
	t->b.base_ts_ns = base_ts_ns;
}

/* Room for one more record, zeroed. */
static inline void *tb_add(union tb *t, size_t size)
{
	void *at = t->data + t->b.size;

	memset(at, 0, size);
	t->b.size += (uint32_t)size;
	t->b.nr_records++;
	return at;
}

/* The n-th switch of a batch whose header says nr_switches: seq is right by itself. */
static inline struct tt_switch *tb_switch(union tb *t, uint32_t dts_ns, uint32_t next_tid, unsigned nth)
{
	struct tt_switch *sw = tb_add(t, sizeof(*sw));

	sw->dts_ns = dts_ns;
	sw->next_tid = next_tid;
	sw->seq = (uint16_t)(t->b.nr_switches + nth);
	sw->queued_cpu = TT_CPU_NONE;
	return sw;
}

static inline struct tt_mark *tb_mark(union tb *t, uint32_t dts_ns, uint32_t steal_ns, unsigned seen,
				      uint32_t tid)
{
	struct tt_mark *mark = tb_add(t, sizeof(*mark));

	mark->dts_ns = dts_ns;
	mark->steal_ns = steal_ns;
	mark->flags = (uint16_t)(TT_SW_MARK | seen << TT_SW_SEEN_SHIFT);
	mark->tid = tid;
	return mark;
}

/* Words behind the record that was added last. */
static inline void tb_ext(union tb *t, uint8_t *ret_ext, const uint64_t *words, unsigned nr)
{
	memcpy(t->data + t->b.size, words, nr * sizeof(*words));
	t->b.size += nr * (uint32_t)sizeof(*words);
	*ret_ext = (uint8_t)nr;
}

static inline void *tb_record(union tb *t, unsigned kind, size_t size, unsigned cpu, uint64_t ts_ns)
{
	struct tt_record *rec = tb_add(t, size);

	rec->size = (uint16_t)size;
	rec->kind = (uint16_t)kind;
	rec->cpu = cpu;
	rec->ts_ns = ts_ns;
	return rec;
}

/* xorshift64*: the same numbers everywhere */
static inline uint64_t tb_random(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * 0x2545f4914f6cdd1dull;
}

/* Whatever the rules of tt_batch_check allow. */
static inline void tb_random_batch(union tb *t, uint64_t *seed)
{
	unsigned stream = tb_random(seed) % 4 ? TT_STREAM_SCHED : TT_STREAM_RECORDS;
	unsigned nr = (unsigned)(tb_random(seed) % 60);

	tb_begin(t, stream, (unsigned)(tb_random(seed) % 5), tb_random(seed) >> 20);
	if (stream == TT_STREAM_RECORDS && tb_random(seed) % 2)
		t->b.cpu = TT_CPU_NONE;
	t->b.steal_clock_ns = tb_random(seed);
	t->b.nr_switches = tb_random(seed);
	t->b.wait_total_ns = tb_random(seed);
	t->b.nr_shed_switches = tb_random(seed) >> 50;
	t->b.nr_shed_records = (uint32_t)tb_random(seed);
	t->b.prev_tid = (uint32_t)tb_random(seed) % 3;
	t->b.nr_nested = (uint32_t)tb_random(seed);
	t->b.flags = (uint16_t)tb_random(seed);
	while (nr--) {
		uint64_t rnd = tb_random(seed);
		size_t size = stream == TT_STREAM_RECORDS ? 16 + rnd % 32 * 8
			      : rnd % 3			  ? 32 + rnd % 4 * 8
							  : 16 + rnd / 3 % 3 * 8;
		bool is_mark = stream == TT_STREAM_SCHED && !(rnd % 3);
		uint8_t *at;

		if (t->b.size + size > sizeof(t->data))
			break;
		at = tb_add(t, size);
		for (size_t i = 0; i < size; i += 8) {
			uint64_t word = tb_random(seed) >> (rnd >> 58);

			memcpy(at + i, &word, 8);
		}
		if (stream == TT_STREAM_RECORDS) {
			struct tt_record *rec = (void *)at;

			rec->size = (uint16_t)size;
			rec->kind = (uint16_t)(100 + rnd % 7);
			rec->cpu = (uint32_t)(rnd >> 30) % 5;
			rec->ts_ns >>= 20;
		} else if (is_mark) {
			struct tt_mark *mark = (void *)at;

			mark->flags |= TT_SW_MARK;
			mark->ext = (uint8_t)((size - 16) / 8);
		} else {
			struct tt_switch *sw = (void *)at;

			sw->flags &= (uint16_t)~TT_SW_MARK;
			sw->ext = (uint8_t)((size - 32) / 8);
			sw->next_tid %= 3;
		}
	}
}

/* One CPU of `perf bench sched pipe`: two tasks and the idle task take turns, the rest is noise of the usual
 * size. */
struct tb_pipe {
	uint64_t seed, ts_ns, nr_switches, wait_total_ns, steal_clock_ns;
	uint32_t running_tid, turn, cpu;
};

static inline uint32_t tb_noise(uint64_t *seed, uint32_t middle, uint32_t spread)
{
	uint32_t sum = 0;

	for (unsigned i = 0; i < 4; i++)
		sum += (uint32_t)(tb_random(seed) % (spread + 1));
	return middle + sum / 2 - spread;
}

static inline void tb_pipe_batch(union tb *t, struct tb_pipe *p)
{
	static const uint32_t tids[4] = { 4711, 0, 4712, 0 };

	tb_begin(t, TT_STREAM_SCHED, p->cpu, p->ts_ns);
	t->b.steal_clock_ns = p->steal_clock_ns;
	t->b.nr_switches = p->nr_switches;
	t->b.wait_total_ns = p->wait_total_ns;
	t->b.prev_tid = p->running_tid;
	for (unsigned i = 1; i <= 126; i++) {
		uint32_t next_tid = tids[p->turn++ % 4];
		struct tt_switch *sw =
			tb_switch(t, tb_noise(&p->seed, next_tid ? 1800 : 2600, 400), next_tid, i);

		sw->next_prio = 120;
		sw->queued_cpu = (uint16_t)p->cpu;
		if (next_tid) {
			sw->flags = TT_STATE_RUNNING | TT_WAIT_WAKEUP << TT_SW_WAIT_SHIFT;
			sw->wait_ns = tb_noise(&p->seed, 1100, 200);
			sw->deliver_ns = tb_noise(&p->seed, 180, 40);
			sw->waker_tid = 4711 + 4712 - next_tid;
		} else {
			sw->flags = TT_STATE_SLEEPING;
		}
		p->ts_ns += sw->dts_ns;
		p->wait_total_ns += sw->wait_ns;
		p->running_tid = next_tid;
		p->nr_switches++;
	}
}

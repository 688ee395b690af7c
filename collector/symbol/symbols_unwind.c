/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From copies of stacks to stacks.
 *
 * While recording, a copy is put aside with what its process has mapped at that time. At the end a worker unwinds those of one set of mappings after
 * another; what comes of it are addresses, noted like those of any stack. An event keeps the id of its copy, which is told to be the same as
 * that of the stack. Where nothing comes of a copy, it stays the stack that was taken by frame pointers. */
#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <xxhash.h>

#include "collector/base/log.h"
#include "collector/symbol/symbols_private.h"

enum {
	HELD_MAX = 32768, /* different sets of mappings */
	HELD_AT_FIRST = 64,
	NONE_HELD = UINT32_MAX,
	STEP_MS = 100,
	SILENCE_MAX_S = 20,	  /* for one stack, and the files that it leads to */
	COPIES_PER_WORKER = 4096, /* its limits (worker.h) are for that many */
	DEATHS_MAX = 3,		  /* of workers, for one set of mappings */
};

/* --- while recording --- */

void tt_symbols_take_copy(struct tt_symbols *s, const struct tt_user_copy *copy)
{
	s->stats.nr_copies++;
	if (tt_copies_add(&s->copies, copy))
		return;
	s->stats.nr_lost[TT_LOSS_COPIES]++;
	s->stats.nr_not_unwound++;
}

const struct tt_batch *tt_symbols_without_copy(struct tt_symbols *s, const struct tt_batch *batch)
{
	const struct tt_user_copy *copy = (const void *)(batch + 1);

	s->without_copy.batch = *batch;
	s->without_copy.batch.size = sizeof(s->without_copy);
	s->without_copy.alias = (struct tt_stack_alias){
		.rec = copy->rec,
		.id = copy->id,
		.same_as = copy->by_frame_pointers,
	};
	s->without_copy.alias.rec.kind = TT_EV_STACK_ALIAS;
	s->without_copy.alias.rec.size = sizeof(s->without_copy.alias);
	return &s->without_copy.batch;
}

static int add_held(struct tt_symbols *s, struct tt_map_table *table, uint32_t hash)
{
	if (s->nr_held == s->held_room) {
		uint32_t room = s->held_room ? 2 * s->held_room : HELD_AT_FIRST;
		struct tt_map_table **held =
			s->nr_held < HELD_MAX ? realloc(s->held, room * sizeof(*held)) : NULL;

		if (!held)
			return -ENOMEM;
		s->held = held;
		s->held_room = room;
	}
	if (tt_slots_add(&s->held_slots, hash, s->nr_held))
		return -ENOMEM;
	s->held[s->nr_held++] = table;
	return 0;
}

/* Each file is looked at while the process lives: then it can be told from another one in its place. A file that is gone with the process,
 * deleted or of a container, is not there at the end: its part of a stack is not unwound. */
static void see_all(struct tt_symbols *s, const struct tt_map_table *table, uint32_t pid)
{
	struct tt_mapping mapping;

	for (uint32_t n = 0; tt_map_table_nth(table, n, &mapping); n++)
		tt_symbols_see(s, mapping.dso, pid, mapping.start);
}

void tt_symbols_place_copy(struct tt_symbols *s, uint32_t nth)
{
	struct tt_copy_entry *entry = &s->copies.entries[nth];
	struct tt_map_table *table = tt_mappings_hold(&s->mappings, entry->pid);
	uint32_t hash, probe = 0, i;

	entry->maps = NONE_HELD;
	if (!table)
		return; /* a kernel thread by now; or it has numbers that are not ours */
	hash = tt_map_table_hash(table, &s->held_slots);
	while ((i = tt_slots_next(&s->held_slots, hash, &probe)) != TT_SLOTS_NONE) {
		if (tt_map_tables_are_equal(s->held[i], table)) { /* read anew, or of a child */
			entry->maps = i;
			tt_mappings_let_go(&s->mappings, table); /* once is enough */
			return;
		}
	}
	/* what is held of processes that are gone must leave room for those that come */
	if (s->mappings.nr_mappings > TT_MAPPINGS_MAX / 2 || add_held(s, table, hash)) {
		tt_mappings_let_go(&s->mappings, table);
		return;
	}
	entry->maps = s->nr_held - 1;
	see_all(s, table, entry->pid);
}

void tt_symbols_close_copies(struct tt_symbols *s)
{
	for (uint32_t i = 0; i < s->nr_held; i++)
		tt_mappings_let_go(&s->mappings, s->held[i]);
	free(s->held);
	s->held = NULL;
	s->nr_held = s->held_room = 0;
	tt_slots_free(&s->held_slots);
	tt_copies_close(&s->copies);
}

/* --- at the end --- */

struct unwinding {
	struct tt_symbols *s;
	struct tt_frame_writer *writer;
	struct tt_id_set told; /* stacks that the session has */
	bool (*is_stopped)(void *ctx, uint64_t nr_done);
	void *ctx;
	uint64_t nr_done;
	/* the worker, and what it works for */
	int fd;
	uint32_t nr_asked; /* files; each at most once */
	uint32_t nr_given; /* copies */
	unsigned nr_deaths;
	const struct tt_map_table *table;
	struct tt_copy_room copy;
	union {
		uint32_t type;
		struct tt_message_need need;
		struct tt_message_walked walked;
	} in;
};

static bool is_stopped(struct unwinding *u)
{
	return u->is_stopped(u->ctx, u->nr_done);
}

static void note_address(struct unwinding *u, const struct tt_copy_entry *entry, uint64_t ip, bool is_return)
{
	struct tt_symbols *s = u->s;
	struct tt_mapping mapping;
	bool is_new;
	uint32_t i = tt_addresses_note(&s->addresses, entry->space, ip, is_return, &is_new);
	struct tt_address *address;

	if (i == TT_SLOTS_NONE || !is_new)
		return;
	address = &s->addresses.entries[i];
	address->dso = TT_DSO_NONE;
	address->offset = ip;
	if (tt_map_table_find(u->table, ip - tt_address_back(address), &mapping))
		tt_symbols_place(s, address, entry->pid, &mapping);
}

static int tell_stack(struct unwinding *u, const struct tt_copy_entry *entry, enum tt_unwound how,
		      const uint64_t *ips, uint32_t nr)
{
	struct tt_stack stack = {
		.space = entry->space,
		.pid = entry->pid,
		.nr = (tt_u16)nr,
		.flags = TT_STACK_USER | TT_STACK_DWARF,
	};
	enum tt_id_seen seen;
	int err = 0;

	if (how == TT_UNWOUND_CUT)
		stack.flags |= TT_STACK_CUT;
	else if (how == TT_UNWOUND_LOST)
		stack.flags |= TT_STACK_LOST_WAY;
	stack.id = XXH3_64bits_withSeed(ips, nr * sizeof(*ips),
					u->s->held_slots.seed ^ entry->space ^ stack.flags);
	if (stack.id < TT_STACK_IDS)
		stack.id += TT_STACK_IDS;
	seen = tt_id_set_add(&u->told, stack.id);
	u->s->stats.nr_stacks_beyond += seen == TT_ID_NO_ROOM;
	if (seen != TT_ID_KNOWN) {
		for (uint32_t i = 0; i < nr; i++)
			note_address(u, entry, ips[i], i > 0);
		err = tt_frame_writer_stack(u->writer, &stack, ips);
	}
	return err ? err : tt_frame_writer_alias(u->writer, entry->id, stack.id);
}

/* It stays as frame pointers have it. */
static int leave(struct unwinding *u)
{
	u->s->stats.nr_lost[TT_LOSS_COPIES]++;
	u->s->stats.nr_not_unwound++;
	return 0;
}

/* Frame pointers know more: not a step was possible, or the copy ended before frames that the kernel could still read. */
static bool is_worse(const struct tt_message_walked *walked, const struct tt_copy_entry *entry)
{
	return walked->how != TT_UNWOUND_WHOLE && entry->by_frame_pointers >= TT_STACK_IDS &&
	       (walked->nr <= 1 ||
		(walked->how == TT_UNWOUND_CUT && walked->nr < entry->nr_by_frame_pointers));
}

static int tell(struct unwinding *u, const struct tt_copy_entry *entry)
{
	const struct tt_message_walked *walked = &u->in.walked;

	switch (walked->how) {
	case TT_UNWOUND_WHOLE:
		u->s->stats.nr_whole++;
		break;
	case TT_UNWOUND_CUT:
		u->s->stats.nr_cut++;
		break;
	default:
		u->s->stats.nr_astray++;
	}
	if (is_worse(walked, entry))
		return 0;
	return tell_stack(u, entry, walked->how, walked->ips, walked->nr);
}

static int open_mapped(struct tt_symbols *s, const struct tt_map_table *table, uint32_t nth)
{
	enum tt_found found;
	struct tt_mapping mapping;

	if (!tt_map_table_nth(table, nth, &mapping))
		return -ENOENT;
	switch (tt_dso(&s->dsos, mapping.dso)->kind) {
	case TT_DSO_FILE:
		return tt_dso_open(&s->files, &s->dsos, mapping.dso, &found);
	case TT_DSO_VDSO:
		return tt_symbols_open_vdso();
	default:
		return -ENOENT;
	}
}

/* One that does not read what it asked for is not waited for. */
static bool can_take(const struct unwinding *u)
{
	struct pollfd ready = { .fd = u->fd, .events = POLLOUT };

	return poll(&ready, 1, STEP_MS) > 0 && ready.revents == POLLOUT;
}

static int give_file(struct unwinding *u)
{
	struct tt_mapping last;
	int fd = open_mapped(u->s, u->table, u->in.need.attempt), err;
	const struct tt_message_file file = { .type = TT_MESSAGE_FILE, .has_file = fd >= 0 };

	err = !tt_map_table_nth(u->table, u->nr_asked++, &last) || !can_take(u) ||
	      tt_message_send(u->fd, &file, sizeof(file), &fd, fd >= 0);
	if (fd >= 0)
		close(fd);
	return err ? -EPROTO : 0;
}

static bool is_walked(const struct unwinding *u, size_t len)
{
	const struct tt_message_walked *walked = &u->in.walked;

	return len >= offsetof(struct tt_message_walked, ips) && walked->type == TT_MESSAGE_WALKED &&
	       walked->nr && walked->nr <= TT_STACK_DEPTH_MAX && walked->how <= TT_UNWOUND_LOST &&
	       len == offsetof(struct tt_message_walked, ips) + walked->nr * sizeof(walked->ips[0]);
}

/* Gives the worker the files that it asks for, until it has unwound the copy that it got. 0, -ECANCELED, -EPROTO: there is no sense in it. */
static int wait_for_stack(struct unwinding *u)
{
	for (unsigned steps = 0; steps < SILENCE_MAX_S * 1000 / STEP_MS;) {
		struct pollfd ready = { .fd = u->fd, .events = POLLIN };
		ssize_t len;

		if (is_stopped(u))
			return -ECANCELED;
		if (poll(&ready, 1, STEP_MS) <= 0) {
			steps++;
			continue;
		}
		len = tt_message_receive(u->fd, &u->in, sizeof(u->in), NULL, NULL, true);
		if (len == -EAGAIN)
			continue;
		if (len >= (ssize_t)sizeof(u->in.type) && is_walked(u, (size_t)len))
			return 0;
		if (len != sizeof(u->in.need) || u->in.type != TT_MESSAGE_NEED ||
		    u->in.need.what != TT_NEED_MAPPED || give_file(u))
			return -EPROTO;
	}
	return -EPROTO;
}

static int send_maps(struct unwinding *u)
{
	struct tt_message_maps message = { .type = TT_MESSAGE_MAPS };
	struct tt_mapping mapping;
	bool has_more = tt_map_table_nth(u->table, 0, &mapping);
	int err = 0;

	for (uint32_t n = 0; !err && !message.is_last;) {
		for (message.nr = 0; has_more && message.nr < TT_UNWIND_MAPS_MAX;
		     has_more = tt_map_table_nth(u->table, ++n, &mapping))
			message.maps[message.nr++] =
				(struct tt_unwind_map){ mapping.start, mapping.end, mapping.offset };
		message.is_last = !has_more;
		err = tt_message_send(u->fd, &message,
				      offsetof(struct tt_message_maps, maps) +
					      message.nr * sizeof(message.maps[0]),
				      NULL, 0);
	}
	return err;
}

static int send_copy(struct unwinding *u)
{
	struct tt_message_walk message = { .type = TT_MESSAGE_WALK, .nr_bytes = u->copy.copy.nr_bytes };

	memcpy(message.regs, u->copy.copy.regs, sizeof(message.regs));
	memcpy(message.bytes, u->copy.bytes, message.nr_bytes);
	return tt_message_send(u->fd, &message, offsetof(struct tt_message_walk, bytes) + message.nr_bytes,
			       NULL, 0);
}

static void end_worker(struct unwinding *u)
{
	if (u->fd >= 0)
		close(u->fd);
	u->fd = -1;
}

static void start_worker(struct unwinding *u)
{
	end_worker(u);
	u->nr_asked = u->nr_given = 0;
	u->fd = tt_resolver_start_worker(u->s->resolver, TT_JOB_UNWIND, false, -1);
	if (u->fd >= 0 && send_maps(u))
		end_worker(u);
}

/* Some file of those that the process had mapped, or this stack. */
static void worker_died(struct unwinding *u, uint32_t pid)
{
	enum { WARNINGS_MAX = 5 };

	end_worker(u);
	u->nr_deaths++;
	if (++u->s->stats.nr_unwinders_failed <= WARNINGS_MAX)
		log_warn("symbols: unwinding stacks of process %u failed%s", pid,
			 u->nr_deaths == DEATHS_MAX ? " again: the rest of them are by frame pointers" : "");
}

static int unwind_one(struct unwinding *u, const struct tt_copy_entry *entry)
{
	int err;

	if (!u->table || u->nr_deaths >= DEATHS_MAX || is_stopped(u) ||
	    tt_copies_read(&u->s->copies, entry, &u->copy))
		return leave(u);
	if (u->fd < 0 || u->nr_given == COPIES_PER_WORKER)
		start_worker(u);
	u->nr_given++;
	err = u->fd < 0 || !can_take(u) || send_copy(u) ? -EPROTO : wait_for_stack(u);
	if (!err)
		return tell(u, entry);
	if (err == -EPROTO)
		worker_died(u, entry->pid);
	else
		end_worker(u);
	return leave(u);
}

/* Copies of one set of mappings, from *at on. */
static int unwind_held(struct unwinding *u, const struct tt_copy_entry *entries, uint32_t nr, uint32_t *at)
{
	uint32_t maps = entries[*at].maps;
	int err = 0;

	u->table = maps == NONE_HELD ? NULL : u->s->held[maps];
	u->nr_deaths = 0;
	for (; !err && *at < nr && entries[*at].maps == maps; ++*at, u->nr_done++)
		err = unwind_one(u, &entries[*at]);
	end_worker(u);
	return err;
}

static int compare_maps(const void *a, const void *b)
{
	const struct tt_copy_entry *x = a, *y = b;

	if (x->maps != y->maps)
		return x->maps < y->maps ? -1 : 1;
	return x->ts_ns < y->ts_ns ? -1 : x->ts_ns > y->ts_ns;
}

int tt_symbols_unwind(struct tt_symbols *s, struct tt_frame_writer *writer,
		      bool (*stopped)(void *ctx, uint64_t nr_done), void *ctx)
{
	struct tt_copy_entry *entries = s->copies.entries;
	struct unwinding *u;
	int err = 0;

	if (!s->copies.nr)
		return 0;
	u = calloc(1, sizeof(*u));
	if (!u)
		return -ENOMEM;
	*u = (struct unwinding){ .s = s, .writer = writer, .is_stopped = stopped, .ctx = ctx, .fd = -1 };
	tt_id_set_init(&u->told, TT_SYMBOLS_STACKS_MAX);
	s->stats.copies_bytes = s->copies.bytes;
	qsort(entries, s->copies.nr, sizeof(*entries), compare_maps);
	for (uint32_t i = 0; !err && i < s->copies.nr;)
		err = unwind_held(u, entries, s->copies.nr, &i);
	if (err) /* what was not told any more */
		s->stats.nr_lost[TT_LOSS_COPIES] += s->copies.nr - u->nr_done;
	tt_id_set_free(&u->told);
	free(u);
	return err;
}

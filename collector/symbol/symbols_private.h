/* SPDX-License-Identifier: GPL-2.0-or-later */
/* symbols_private - what the files of symbols share: symbols.c (life, batches), symbols_epoch.c (from addresses to files), symbols_hold.c
 * (files while their processes live), symbols_unwind.c (copies of stacks), symbols_order.c and symbols_finish.c (from files to records). */
#pragma once

#include "collector/symbol/addresses.h"
#include "collector/symbol/copies.h"
#include "collector/symbol/dso_file.h"
#include "collector/symbol/frame_writer.h"
#include "collector/symbol/id_set.h"
#include "collector/symbol/kallsyms.h"
#include "collector/symbol/map_queue.h"
#include "collector/symbol/map_rings.h"
#include "collector/symbol/resolver.h"
#include "collector/symbol/symbols.h"

enum {
	TT_EARLY_JOBS_MAX = 4,
	TT_EARLY_WAITING_MAX = TT_SYMBOLS_FDS_MAX,
	TT_JITS_MAX = 1024, /* processes whose JIT's table is looked for again and again */
};

/* Lookups of one file, and which addresses each of them is for. */
struct tt_lookup_list {
	uint32_t dso;
	uint32_t nr, nr_members;
	struct tt_lookup *lookups;
	uint32_t *members; /* numbers of addresses, in the order of the lookups */
	uint32_t *ends;	   /* members of the nth lookup end before this one */
};

struct tt_early_job {
	struct tt_symbols *s;
	struct tt_job *job; /* NULL = free */
	struct tt_lookup_list list;
};

/* A process whose first thread has exited. */
struct tt_leaver {
	uint32_t pid;
	uint32_t epoch; /* in which it was told */
};

struct tt_symbols {
	struct tt_symbols_options opts;
	struct tt_dsos dsos;
	struct tt_mappings mappings;
	struct tt_addresses addresses;
	struct tt_dso_files files;
	struct tt_kallsyms *kallsyms; /* NULL = none to be had */
	struct tt_map_rings *rings;   /* NULL = none to be had */
	struct tt_map_queue queue;
	struct tt_resolver *resolver;

	struct tt_copies copies;
	uint32_t nr_copies_placed; /* those behind wait for their epoch */
	struct tt_map_table **held; /* what copies refer to, each once */
	uint32_t nr_held, held_room;
	struct tt_slots held_slots;
	struct {
		struct tt_batch batch;
		struct tt_stack_alias alias;
	} without_copy;

	struct tt_id_set stacks;
	uint32_t *waiting; /* addresses that wait for their epoch */
	uint32_t nr_waiting, waiting_room;

	uint32_t epoch;
	uint32_t
		as_of; /* grows when something may have changed unseen; what was read as of before is not to be trusted */
	uint32_t exits_as_of; /* as of then all exits are known */
	bool no_processes;    /* their numbers are not ours */
	int kallsyms_err, rings_err;
	uint64_t ticked_ts_ns, started_ts_ns;
	struct tt_leaver *leavers;
	uint32_t nr_leavers, leavers_room;

	uint32_t fds_max;
	uint32_t jits[TT_JITS_MAX];
	uint32_t nr_jits, next_jit;
	uint32_t early_waiting[TT_EARLY_WAITING_MAX]; /* dsos, with their files held */
	uint32_t nr_early_waiting;
	struct tt_early_job early_jobs[TT_EARLY_JOBS_MAX];
	uint64_t *answers;		     /* encoded; an address' answer is the place of its first word */
	uint32_t answers_used, answers_room; /* words */

	struct tt_symbols_stats stats;
};

/* The kernel's are told first, those of nobody last. */
enum tt_address_class { TT_CLASS_KERNEL, TT_CLASS_FILE, TT_CLASS_NOBODY };

static inline enum tt_address_class tt_address_class(const struct tt_address *address)
{
	if (address->flags & TT_ADDRESS_KERNEL)
		return TT_CLASS_KERNEL;
	return address->dso != TT_DSO_NONE ? TT_CLASS_FILE : TT_CLASS_NOBODY;
}

/* How all is told at the end. */
struct tt_symbols_order {
	uint32_t *numbers; /* of addresses: by class, rank of the dso, offset */
	uint32_t *ranks;   /* of each dso; those that are one module have the same */
	uint32_t *dsos;	   /* those that have addresses, by rank */
	uint32_t nr_dsos;
};

/* symbols_order.c. Zero to initialise. -ENOMEM */
int tt_symbols_order_make(struct tt_symbols_order *o, const struct tt_symbols *s);
void tt_symbols_order_free(struct tt_symbols_order *o);

/* symbols.c */
/* A file had no answer: says so, for the first few, and counts. */
void tt_symbols_file_failed(struct tt_symbols *s, const char *path, int err);

/* symbols_epoch.c */
/* The mappings of a process, anew. Negative: it is gone. */
int tt_symbols_read_maps(struct tt_symbols *s, uint32_t pid);
void tt_symbols_drain(struct tt_symbols *s); /* rings to queue */
void tt_symbols_notice_exits(struct tt_symbols *s);
void tt_symbols_advance(struct tt_symbols *s, uint64_t until_ts_ns);
/* An address that was noted: it is in this mapping of the process. */
void tt_symbols_place(struct tt_symbols *s, struct tt_address *address, uint32_t pid, const struct tt_mapping *mapping);

/* symbols_unwind.c */
void tt_symbols_take_copy(struct tt_symbols *s, const struct tt_user_copy *copy);
/* To be written at once: the stack of the copy that is in the batch is the one by frame pointers, as long as nothing better is told, which
 * a recording that is killed never does. Valid until the next call. */
const struct tt_batch *tt_symbols_without_copy(struct tt_symbols *s, const struct tt_batch *batch);
/* The nth copy is of a process that has mapped now what it had then. */
void tt_symbols_place_copy(struct tt_symbols *s, uint32_t nth);
/* All copies, into stacks and addresses. is_stopped: asked often; told how many are done. What the sink says. */
int tt_symbols_unwind(struct tt_symbols *s, struct tt_frame_writer *writer, bool (*is_stopped)(void *ctx, uint64_t nr_done), void *ctx);
void tt_symbols_close_copies(struct tt_symbols *s);

/* symbols_finish.c */
int tt_symbols_open_vdso(void);

/* symbols_hold.c */
/* Address is in a file that pid has mapped: have a look at it, and hold it, if that was not done. */
void tt_symbols_see(struct tt_symbols *s, uint32_t dso, uint32_t pid, uint64_t address);
void tt_symbols_see_jit(struct tt_symbols *s, uint32_t dso);
/* The process maps nothing of before any more. */
void tt_symbols_release_holder(struct tt_symbols *s, uint32_t pid);
void tt_symbols_retry_jits(struct tt_symbols *s);
void tt_symbols_step_early_jobs(struct tt_symbols *s, int timeout_ms);
bool tt_symbols_has_early_jobs(const struct tt_symbols *s);
void tt_symbols_end_early_jobs(struct tt_symbols *s);

/* lookup_list.c */
/* By what is looked up; of equal ones by address space, so that the order is always the same. */
int tt_lookup_compare(const struct tt_address *a, const struct tt_address *b);
/* The addresses numbers[0..nr) of one dso, by offset; each offset once. -ENOMEM. */
int tt_lookup_list_make(struct tt_lookup_list *list, const struct tt_addresses *addresses, uint32_t dso,
			uint32_t *numbers, uint32_t nr);
void tt_lookup_list_free(struct tt_lookup_list *list);

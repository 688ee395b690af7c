/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mappings - which processes there are, and what each has mapped executable: as of the last event that was told.
 *
 * Events must be told in the order of their times. A fork shares the table of its parent until one of them maps something, so thousands of
 * forks cost 24 bytes each. New mappings override what they overlap; the kernel does not say when something is unmapped, so what is
 * not overridden stays. Bounds: TT_PROCESSES_MAX processes, TT_MAPPINGS_MAX mappings together, TT_MAPPINGS_PER_PROCESS_MAX each: about
 * 8 MiB when all is used. What comes beyond is counted and not remembered. Pure: opens and logs nothing.
 */
#pragma once

#include "collector/symbol/dso.h"

enum {
	TT_PROCESSES_MAX = 65536,
	TT_MAPPINGS_MAX = 131072,
	TT_MAPPINGS_PER_PROCESS_MAX = 4096,
};

struct tt_mapping {
	uint64_t start, end, offset; /* offset: of start in the file */
	uint32_t dso, pad;
};

struct tt_map_table;

struct tt_process {
	uint32_t pid, parent_pid;  /* parent_pid 0 = not known */
	struct tt_map_table *maps; /* NULL = nothing is mapped, or known */
	uint32_t as_of;		   /* the caller's; 0 = never read */
	uint16_t nr_held;	   /* the caller's: files that are open because it lives */
	bool has_exited;
	bool has_threads; /* perhaps: it lives on when its first thread has exited */
};

struct tt_mappings {
	struct tt_dsos *dsos;
	struct tt_process *processes;
	uint32_t nr, room; /* of processes; the last one takes the place of one that is removed */
	uint32_t nr_mappings;
	uint64_t nr_beyond; /* processes and mappings that found no room */
	struct tt_slots slots;
};

void tt_mappings_open(struct tt_mappings *m, struct tt_dsos *dsos);
void tt_mappings_close(struct tt_mappings *m); /* before dsos */

/* NULL = not known. Valid until a process is added or removed. */
struct tt_process *tt_mappings_process(const struct tt_mappings *m, uint32_t pid);
/* The same, adding it if need be; NULL = no room, counted. */
struct tt_process *tt_mappings_get_process(struct tt_mappings *m, uint32_t pid);
void tt_mappings_forget(struct tt_mappings *m, uint32_t pid);

/* map->dso has a reference for the call, which it keeps or gives back. */
void tt_mappings_map(struct tt_mappings *m, uint32_t pid, const struct tt_mapping *map);
void tt_mappings_fork(struct tt_mappings *m, uint32_t parent_pid, uint32_t pid);
void tt_mappings_exec(struct tt_mappings *m, uint32_t pid); /* also: before its mappings are told all anew */

/* false = nothing is known to be there. */
bool tt_mappings_find(const struct tt_mappings *m, uint32_t pid, uint64_t address, struct tt_mapping *ret);
/* The nth mapping of a process, by address; false = it has fewer. */
bool tt_mappings_nth(const struct tt_process *process, uint32_t n, struct tt_mapping *ret);

/* What a process has mapped now, to be looked at later: it stays as it is until it is let go. NULL = nothing. It stays in use, and counts, as long as anybody holds it. */
struct tt_map_table *tt_mappings_hold(struct tt_mappings *m, uint32_t pid);
void tt_mappings_let_go(struct tt_mappings *m, struct tt_map_table *table); /* NULL is fine */
uint32_t tt_map_table_hash(const struct tt_map_table *table, const struct tt_slots *slots);
bool tt_map_tables_are_equal(const struct tt_map_table *a, const struct tt_map_table *b);
bool tt_map_table_find(const struct tt_map_table *table, uint64_t address, struct tt_mapping *ret);
bool tt_map_table_nth(const struct tt_map_table *table, uint32_t n, struct tt_mapping *ret);

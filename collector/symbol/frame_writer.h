/* SPDX-License-Identifier: GPL-2.0-or-later */
/* frame_writer - what was found, as records: TT_EV_MODULE, TT_EV_SYMBOL, TT_EV_FRAME; and stacks that were unwound.
 *
 * A name is told once and then goes by its id. Which names were told is known by a hash of 64 bits, keyed for this process: 6 MiB for 262,144.
 */
#pragma once

#include "collector/source/record_batch.h"
#include "collector/symbol/answer.h"
#include "collector/symbol/dso.h"

struct tt_frame_writer {
	const struct tt_sink *sink;
	struct tt_record_batch batch;
	uint64_t ts_ns, epoch_bytes; /* given since the last epoch */
	uint32_t nr_modules, nr_symbols;
	uint64_t nr_names_cut;
	uint64_t *hashes; /* of the names told; the id is the place + 1 */
	uint32_t room;
	struct tt_slots slots;
};

void tt_frame_writer_open(struct tt_frame_writer *w, const struct tt_sink *sink);
void tt_frame_writer_close(struct tt_frame_writer *w);

/* The id that the next module will have; told when its flags are known, which may be after its frames. */
uint32_t tt_frame_writer_new_module(struct tt_frame_writer *w);
int tt_frame_writer_module(struct tt_frame_writer *w, uint32_t id, uint16_t flags, struct tt_slice path,
			   const struct tt_build_id *build_id);

/* The frames of an address; of an answer without any, and of NULL, one without a symbol: then offset says where in the module. */
int tt_frame_writer_frames(struct tt_frame_writer *w, uint64_t space, uint64_t ip, uint32_t module,
			   uint64_t offset, const struct tt_answer *answer);
/* nr: at most TT_STACK_DEPTH_MAX. */
int tt_frame_writer_stack(struct tt_frame_writer *w, const struct tt_stack *stack, const uint64_t *ips);
int tt_frame_writer_alias(struct tt_frame_writer *w, uint64_t id, uint64_t same_as);
int tt_frame_writer_loss(struct tt_frame_writer *w, uint32_t what, uint64_t count, uint64_t since_ts_ns);
int tt_frame_writer_finish(struct tt_frame_writer *w); /* the last batch and its epoch */

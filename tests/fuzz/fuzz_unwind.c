/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz_unwind - any registers and any stack of a process, with the files that it really runs. */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/symbol/own_stack.h"

#ifdef __x86_64__
static struct own_stack *get_own(void)
{
	static struct own_stack own;

	if (!own.nr_maps)
		own_stack_maps(&own);
	return &own;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct tt_unwinder *unwinder;
	static uint8_t stack[TT_COPY_BYTES_MAX];
	struct own_stack *own = get_own();
	uint64_t regs[TT_COPY_REGS] = { 0 }, ips[TT_STACK_DEPTH_MAX];
	size_t nr_bytes;
	enum tt_unwound how;
	unsigned nr;

	if (size < sizeof(regs))
		return 0;
	if (!unwinder && tt_unwinder_open(own->maps, own->nr_maps, own_stack_file, own, &unwinder))
		return 0;
	memcpy(regs, data, sizeof(regs));
	nr_bytes = size - sizeof(regs) < sizeof(stack) ? size - sizeof(regs) : sizeof(stack);
	memcpy(stack, data + sizeof(regs), nr_bytes);
	nr = tt_unwinder_walk(unwinder, regs, stack, nr_bytes, ips, &how);
	if (!nr || nr > TT_STACK_DEPTH_MAX || how > TT_UNWOUND_LOST ||
	    (how == TT_UNWOUND_LOST && ips[0] != regs[16]))
		__builtin_trap();
	return 0;
}

#ifdef TT_FUZZ_STANDALONE
/* The stack of this function. */
static size_t tt_fuzz_seed(unsigned nth, uint8_t *data, size_t max)
{
	struct own_stack *own = get_own();

	if (nth || max < sizeof(own->regs) + sizeof(own->bytes))
		return 0;
	own_stack_take(own);
	memcpy(data, own->regs, sizeof(own->regs));
	memcpy(data + sizeof(own->regs), own->bytes, own->nr_bytes);
	return sizeof(own->regs) + own->nr_bytes;
}
#endif
#else
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	(void)data;
	(void)size;
	return 0;
}

#ifdef TT_FUZZ_STANDALONE
static size_t tt_fuzz_seed(unsigned nth, uint8_t *data, size_t max)
{
	(void)nth;
	(void)data;
	(void)max;
	return 0;
}
#endif
#endif

#ifdef TT_FUZZ_STANDALONE
static void tt_fuzz_repair(uint8_t *data, size_t size)
{
	(void)data;
	(void)size;
}
#endif

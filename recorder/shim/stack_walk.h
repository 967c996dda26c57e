#ifndef LOITER_SHIM_STACK_WALK_H
#define LOITER_SHIM_STACK_WALK_H

#include <stdbool.h>
#include <stdint.h>

#include "recorder/shim/stack_memo.h"

/*
 * Walking the stack of the calling thread by unwind rules, into its memo.
 *
 *   W1  No lock, no allocation; the one system call is that of readable.h, where stack_reach.h and
 *       code_module.h say.
 *   W2  No word is read that the stack's reach does not hold, and sp grows with each frame, but
 *       over a signal frame: so a walk ends, and faults nowhere, whatever lies on the stack.
 *   W3  A frame without unwind data (JIT code, assembly) is left by its frame pointer, if what is
 *       found there looks like a frame. Such a stack is marked.
 */

/* A function that is still running, by its registers. */
struct stack_registers {
	uintptr_t pc;
	uintptr_t sp;
	uintptr_t bp;
};

/* In the constructor. `depth`: frames to keep, at most STACK_DEPTH_MAX. False: no walks here. */
bool stack_walk_init(uint32_t depth);

/*
 * From now on walks are those of the process of `slot`, which is told of modules that are met. All
 * that memos remember of stacks in a parent process is forgotten.
 */
void stack_walk_serve(struct process_slot *slot, enum segment_clock clock);

/* What was found. */
struct stack_walk {
	const uintptr_t *addresses; /* in the memo, innermost first, see stack_capture.h */
	uint32_t count;
	uint64_t flags; /* STACK_WORD_FLAG_* */
	uint64_t hash;  /* of addresses, modules and flags */
	uint32_t id;    /* where this very stack was stored, if it is the memo's; or STACK_NONE */
	uint32_t turn;  /* of the memo, for stack_memo_store_id() */
};

/* False: a signal handler came between and walked with the same memo; there is no result. */
bool stack_walk(struct stack_memo *memo, const struct stack_registers *from,
		struct stack_walk *result);

#endif

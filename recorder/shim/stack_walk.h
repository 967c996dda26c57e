#ifndef LOITER_SHIM_STACK_WALK_H
#define LOITER_SHIM_STACK_WALK_H

#include <stdint.h>

#include "recorder/ring/segment.h"

/*
 * What a thread remembers of its previous stack. Owned by one thread; the memory must not be on
 * its stack or in its static TLS (both may be tiny). All zero bytes is the reset state.
 */
struct stack_memo {
	uintptr_t frames[STACK_DEPTH_MAX];
	uint32_t frame_count;
	uint32_t last_id;
};

/* To be called when the memo gets another owner. */
void stack_memo_reset(struct stack_memo *memo);

#endif

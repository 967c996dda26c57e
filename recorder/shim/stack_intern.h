#ifndef LOITER_SHIM_STACK_INTERN_H
#define LOITER_SHIM_STACK_INTERN_H

#include <stdint.h>

#include "recorder/ring/segment.h"

/*
 * Id of the stack with these frames (innermost first) and
 * STACK_WORD_FLAGs in `stacks`, stored at the first time. `hash` depends on the frames, the flags
 * and whatever else makes two stacks different (the modules that the addresses were in). STACK_NONE
 * when there is no room; that is counted in `full`. Any number of threads may call it at the same
 * time.
 */
uint32_t stack_intern(struct segment_stacks *stacks, const uintptr_t *frames, uint32_t count,
		uint64_t flags, uint64_t hash);

#endif

#ifndef LOITER_SHIM_STACK_LIBUNWIND_H
#define LOITER_SHIM_STACK_LIBUNWIND_H

#include <stdbool.h>
#include <stdint.h>

#include "recorder/shim/stack_walk.h"

/*
 * Stacks by libunwind, for a C library that cannot find unwind data without a lock (glibc before
 * 2.35). libunwind is loaded privately, by name: linked, its own `backtrace` would take the place
 * of the C library's in the whole program. It takes locks and blocks signals, so what
 * stack_capture.h promises does not hold with it; see docs/recording.md.
 */

/* Loads the library, so only in a constructor. `depth`: frames to keep. */
bool stack_libunwind_init(uint32_t depth);

/* As stack_walk(), from the caller on; of the memo it uses the space only. */
bool stack_libunwind_walk(struct stack_memo *memo, struct stack_walk *result);

#endif

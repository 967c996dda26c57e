#ifndef LOITER_SHIM_STACK_LIBUNWIND_H
#define LOITER_SHIM_STACK_LIBUNWIND_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Stacks by libunwind, for a C library that cannot find unwind data without a lock (glibc before
 * 2.35). libunwind is loaded privately, by name: linked, its own `backtrace` would take the place
 * of the C library's in the whole program. It takes locks and blocks signals, so what
 * stack_capture.h promises does not hold with it; see docs/recording.md.
 */

/* Loads the library. May be called in a constructor only. */
bool stack_libunwind_init(void);

/* Return addresses of the calling thread, innermost first; their count. */
uint32_t stack_libunwind_walk(uintptr_t *frames, uint32_t frames_max);

#endif

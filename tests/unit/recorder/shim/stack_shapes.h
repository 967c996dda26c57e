#ifndef LOITER_TEST_STACK_SHAPES_H
#define LOITER_TEST_STACK_SHAPES_H

#include <stdbool.h>

/*
 * Calls `leaf` from functions with frames of every shape that a compiler makes: without and with
 * frame pointer, with a size known at run time, realigned, large, with arguments on the stack, in
 * recursions, under functions of libc, in signal handlers. Compiled several times, with different
 * options; each has its own name. Without the large frames 64 KiB of stack are enough.
 */
typedef void stack_leaf(void);

#ifdef __cplusplus
extern "C" {
#endif

void stack_shapes_O0(stack_leaf *leaf, bool with_large_frames);
void stack_shapes_O2(stack_leaf *leaf, bool with_large_frames);
void stack_shapes_fp(stack_leaf *leaf, bool with_large_frames);  /* -O2 -fno-omit-frame-pointer */
void stack_shapes_cxx(stack_leaf *leaf, bool with_large_frames); /* with exceptions */

#ifdef __cplusplus
}
#endif

#endif

/*
 * Looked at by test_symbolizer.c: a call with two levels of inlining around it. The lines matter;
 * add only at the end.
 */
#include "tests/unit/recorder/symbols/inlined_calls.h"

static inline __attribute__((always_inline)) void innermost(place_taker *take)
{
	take(); /* line 9 */
}

static inline __attribute__((always_inline)) void middle(place_taker *take)
{
	innermost(take); /* line 14 */
}

__attribute__((noinline)) void outermost(place_taker *take)
{
	middle(take);                        /* line 19 */
	__asm__ volatile("" : : : "memory"); /* no tail call */
}

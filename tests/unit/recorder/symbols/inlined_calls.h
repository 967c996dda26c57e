#ifndef LOITER_TESTS_INLINED_CALLS_H
#define LOITER_TESTS_INLINED_CALLS_H

typedef void place_taker(void);

/* Calls `take` from code that was inlined twice. */
void outermost(place_taker *take);

#endif

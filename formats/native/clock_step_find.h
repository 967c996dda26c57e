#ifndef LOITER_NATIVE_CLOCK_STEP_FIND_H
#define LOITER_NATIVE_CLOCK_STEP_FIND_H

#include <stdint.h>

#include "formats/model/event.h"

/*
 * The step of the clock that took these times, in 2^-32 ns: 2^32 when it shows none longer than a
 * nanosecond. `guess` is what was found before, or 0, and is kept when it still fits.
 */
uint64_t clock_step_find(const struct event *events, uint32_t rows, uint64_t guess);

#endif

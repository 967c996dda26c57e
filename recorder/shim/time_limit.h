#ifndef LOITER_SHIM_TIME_LIMIT_H
#define LOITER_SHIM_TIME_LIMIT_H

#include <stdbool.h>
#include <time.h>

/*
 * A hook that tries first may only do so when the real function would not have refused its time
 * limit before looking at the object.
 */
static inline bool time_limit_clock_is_sound(clockid_t clock)
{
	return clock == CLOCK_REALTIME || clock == CLOCK_MONOTONIC;
}

static inline bool time_limit_is_sound(const struct timespec *limit)
{
	return limit->tv_nsec >= 0 && limit->tv_nsec < 1000000000;
}

#endif

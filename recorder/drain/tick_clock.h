#ifndef LOITER_DRAIN_TICK_CLOCK_H
#define LOITER_DRAIN_TICK_CLOCK_H

#include <stdint.h>

#include "recorder/drain/tick_map.h"
#include "recorder/ring/segment.h"

/*
 * The clock of a recording: the time stamp counter where it can be trusted (9 ns a reading), else
 * clock_gettime (22 ns, or a system call in some virtual machines).
 *
 * Trusted means: the processor says that it runs at one rate whatever the power state (CPUID
 * 80000007h, EDX bit 8), the kernel has not ruled it out as a clock of its own (it does so when
 * the processors' counters disagree), reading it is not forbidden to this process, and two
 * measured rates agree with each other.
 */
struct tick_clock {
	enum segment_clock kind;
	uint64_t ticks_per_second; /* to a thousandth; for thresholds only, tick_map does the rest
				    */
};

/* Sleeps for some milliseconds to measure. */
void tick_clock_init(struct tick_clock *clock);

uint64_t tick_clock_now(const struct tick_clock *clock);

/* Both clocks at one moment: the tightest of a few tries, in case of being interrupted. */
struct tick_anchor tick_clock_anchor(const struct tick_clock *clock);

/* A length of time in ticks, at least 1. */
uint64_t tick_clock_ticks(const struct tick_clock *clock, uint64_t ns);

/* About so many ns. */
uint64_t tick_clock_ns(const struct tick_clock *clock, uint64_t ticks);

/* META_CLOCK. */
const char *tick_clock_name(const struct tick_clock *clock);

#endif

#ifndef LOITER_RING_CLOCK_H
#define LOITER_RING_CLOCK_H

#include <stdint.h>
#include <time.h>

#include "recorder/ring/segment.h"

/*
 * Reading time in the traced program, in the ticks that the header asks for.
 *
 * The counter read is not ordered with the loads and stores around it: it may be off by the few
 * nanoseconds that a processor looks ahead. That is far below the price of any wait, and between
 * two tasks there is always a system call or a contended cache line. Within one ring the producer
 * sees to it that times do not decrease (R7), also when the thread moves to another processor.
 *
 * Neither way enters the kernel, sets errno, or can fail: the clock exists since Linux 2.0. Where
 * the vDSO cannot help (some virtual machines) clock_gettime() is a system call, only slower.
 */
static inline uint64_t clock_ticks(enum segment_clock clock)
{
#ifdef __x86_64__
	if (__builtin_expect(clock == SEGMENT_CLOCK_TSC, 1))
		return __builtin_ia32_rdtsc();
#else
	(void)clock;
#endif
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

#endif

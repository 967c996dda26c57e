#include "recorder/drain/tick_clock.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>

#include "formats/base/macros.h"

#define NS_PER_S     1000000000ull
#define MEASURE_NS   2000000
#define ANCHOR_TRIES 5u
/* Two rates measured over MEASURE_NS each differ by less, even when one reading was disturbed. */
#define RATE_TOLERANCE_PERCENT 2u
#define RATE_MIN               100000000ull
#define RATE_MAX               20000000000ull

static uint64_t monotonic_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

#if defined(__x86_64__)
#include <cpuid.h>
#include <x86intrin.h>

static uint64_t read_counter(void)
{
	return __rdtsc();
}

static bool counter_is_invariant(void)
{
	unsigned a, b, c, d;

	return __get_cpuid(0x80000007u, &a, &b, &c, &d) && (d & (1u << 8));
}

static bool counter_is_allowed(void)
{
	int mode = PR_TSC_ENABLE;

	return prctl(PR_GET_TSC, &mode, 0, 0, 0) != 0 || mode == PR_TSC_ENABLE;
}

/* A kernel that does not say counts as one that has nothing against it. */
static bool kernel_accepts_counter(void)
{
	FILE *file = fopen(
			"/sys/devices/system/clocksource/clocksource0/available_clocksource", "re");
	char line[256] = "";
	bool accepts;

	if (!file)
		return true;
	accepts = !fgets(line, sizeof(line), file) || strstr(line, "tsc");
	fclose(file);
	return accepts;
}
#else
static uint64_t read_counter(void)
{
	return 0;
}

static bool counter_is_invariant(void)
{
	return false;
}

static bool counter_is_allowed(void)
{
	return false;
}

static bool kernel_accepts_counter(void)
{
	return false;
}
#endif

/* Ticks per second as seen over a short sleep; 0 when time stood still. */
static uint64_t measure_rate(const struct tick_clock *clock)
{
	const struct timespec pause = { 0, MEASURE_NS };
	struct tick_anchor begin = tick_clock_anchor(clock);
	struct tick_anchor end;

	nanosleep(&pause, NULL);
	end = tick_clock_anchor(clock);
	if (end.ns <= begin.ns || end.ticks <= begin.ticks)
		return 0;
	return (uint64_t)((double)(end.ticks - begin.ticks) * (double)NS_PER_S /
			  (double)(end.ns - begin.ns));
}

static bool rates_agree(uint64_t a, uint64_t b)
{
	uint64_t apart = a > b ? a - b : b - a;

	return a >= RATE_MIN && a <= RATE_MAX && apart <= a / 100 * RATE_TOLERANCE_PERCENT;
}

void tick_clock_init(struct tick_clock *clock)
{
	*clock = (struct tick_clock){ SEGMENT_CLOCK_MONOTONIC, NS_PER_S };
	if (counter_is_invariant() && counter_is_allowed() && kernel_accepts_counter()) {
		struct tick_clock counter = { SEGMENT_CLOCK_TSC, 0 };
		uint64_t first = measure_rate(&counter);

		counter.ticks_per_second = measure_rate(&counter);
		if (rates_agree(first, counter.ticks_per_second))
			*clock = counter;
	}
}

uint64_t tick_clock_now(const struct tick_clock *clock)
{
	return clock->kind == SEGMENT_CLOCK_TSC ? read_counter() : monotonic_ns();
}

struct tick_anchor tick_clock_anchor(const struct tick_clock *clock)
{
	struct tick_anchor best = { 0, 0 };
	uint64_t best_width = UINT64_MAX;

	if (clock->kind == SEGMENT_CLOCK_MONOTONIC) {
		best.ns = best.ticks = monotonic_ns();
		return best;
	}
	for (unsigned i = 0; i < ANCHOR_TRIES; i++) {
		uint64_t before = read_counter();
		uint64_t ns = monotonic_ns();
		uint64_t width = read_counter() - before;

		if (width < best_width) {
			best_width = width;
			best = (struct tick_anchor){ before + width / 2, ns };
		}
	}
	return best;
}

uint64_t tick_clock_ticks(const struct tick_clock *clock, uint64_t ns)
{
	uint64_t ticks = (uint64_t)((double)ns * (double)clock->ticks_per_second /
				    (double)NS_PER_S);

	return ticks ? ticks : 1;
}

uint64_t tick_clock_ns(const struct tick_clock *clock, uint64_t ticks)
{
	return (uint64_t)((double)ticks * (double)NS_PER_S / (double)clock->ticks_per_second);
}

const char *tick_clock_name(const struct tick_clock *clock)
{
	return clock->kind == SEGMENT_CLOCK_TSC ? "tsc" : "monotonic";
}

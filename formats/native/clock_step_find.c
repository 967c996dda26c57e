#include "formats/native/clock_step_find.h"

#include <stdbool.h>
#include <stdlib.h>

#include "formats/native/clock_steps.h"

/*
 * A clock with whole nanoseconds has a step that divides all differences: their greatest common
 * divisor. Otherwise the differences are multiples of the step, each rounded to a nanosecond.
 * Folded around a circle of one step they then lie close together at its top, and anywhere when the
 * circle is of another size. So circles of many sizes are tried on some short differences; the
 * largest on which they lie at the top up to rounding is the step (its half and its third do as
 * well, but tell less).
 */
#define SAMPLES        256u
#define SAMPLES_LEAST  64u
#define SAMPLE_MAX_NS  2048u
#define SAMPLES_SPREAD 512u

/* Circles go by their turns per nanosecond, in 2^-32: from 256 ns down to 4 ns. */
#define TURN_FIRST (UINT32_MAX / 256)
#define TURN_LAST  (UINT32_MAX / 4)
/* The longest sample moves by an eighth of a turn from one circle to the next. */
#define TURN_STEP (UINT32_MAX / 8 / SAMPLE_MAX_NS)
#define FINE      64u

/*
 * Rounding both ends to nanoseconds moves a difference by less than one; the rest is what the step
 * itself is off. One in eight may lie anywhere: the counters of two processors may stand between
 * each other's steps.
 */
#define ROUNDING_NS 1.1

struct samples {
	uint32_t ns[SAMPLES];
	uint32_t count;
};

/* Short differences from all over the block. */
static struct samples take_samples(const struct event *events, uint32_t rows)
{
	struct samples samples = { .count = 0 };
	uint32_t wanted = rows / SAMPLES_SPREAD + 1;

	for (uint32_t row = 1; row < rows && samples.count < SAMPLES; row++) {
		uint64_t ns = events[row].time_ns - events[row - 1].time_ns;

		if (ns > 0 && ns < SAMPLE_MAX_NS) {
			samples.ns[samples.count++] = (uint32_t)ns;
			row += wanted - 1;
		}
	}
	return samples;
}

/* How far from the top, in 2^-32 turns. */
static uint32_t distance(uint32_t ns, uint32_t turn)
{
	uint32_t at = ns * turn;

	return at > UINT32_MAX / 2 ? 0 - at : at;
}

/* 2^30 if they lie anywhere. */
static uint32_t mean_distance(const struct samples *samples, uint32_t turn)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < samples->count; i++)
		sum += distance(samples->ns[i], turn);
	return (uint32_t)(sum / samples->count);
}

/* Is this circle the step, up to rounding? */
static bool circle_fits(const struct samples *samples, uint32_t turn)
{
	uint32_t near = (uint32_t)(ROUNDING_NS * turn);
	uint32_t fits = 0;

	for (uint32_t i = 0; i < samples->count; i++)
		fits += distance(samples->ns[i], turn) <= near;
	return fits >= samples->count - samples->count / 8;
}

static uint32_t best_circle_near(const struct samples *samples, uint32_t turn)
{
	uint32_t best = turn;
	uint32_t least = UINT32_MAX;

	for (uint32_t i = 0; i <= 2 * FINE; i++) {
		uint32_t at = turn - TURN_STEP + i * (TURN_STEP / FINE);
		uint32_t mean = mean_distance(samples, at);

		if (mean < least) {
			least = mean;
			best = at;
		}
	}
	return best;
}

/*
 * The largest circle that fits, or one not much smaller that fits still better: when the samples
 * are all about as long, say 40 steps, then a bit more and 39 steps do nearly as well.
 */
static uint64_t find_circle(const struct samples *samples)
{
	uint32_t found = 0;
	uint32_t least = UINT32_MAX;
	uint32_t last = TURN_LAST;

	if (samples->count < SAMPLES_LEAST)
		return STEP_ONE;
	for (uint32_t turn = TURN_FIRST; turn < last; turn += TURN_STEP) {
		uint32_t fine;
		uint32_t mean;

		if (mean_distance(samples, turn) >= 1u << 29)
			continue;
		fine = best_circle_near(samples, turn);
		mean = mean_distance(samples, fine);
		if (mean >= least || !circle_fits(samples, fine))
			continue;
		if (found == 0 && fine < TURN_LAST / 3 * 2)
			last = fine + fine / 2;
		found = fine;
		least = mean;
	}
	return found ? (uint64_t)(((uint128)1 << 64) / found) : STEP_ONE;
}

/* 0 when all events have one time. */
static uint64_t common_divisor(const struct event *events, uint32_t rows)
{
	uint64_t divisor = 0;

	for (uint32_t row = 1; row < rows && divisor != 1; row++) {
		uint64_t ns = events[row].time_ns - events[row - 1].time_ns;

		while (ns != 0) {
			uint64_t rest = divisor % ns;

			if (divisor == 0)
				rest = 0;
			divisor = ns;
			ns = rest;
		}
	}
	return divisor;
}

/*
 * Makes a step exact: over a distance of N steps it is as exact as a nanosecond divided by N, and a
 * step that is exact enough tells how many lie in a distance some times as long.
 */
#define REFINE_PAIRS 256u
#define REFINE_TO_NS (1ull << 27)

static uint64_t refine_over(
		const struct event *events, uint32_t rows, uint64_t step, uint64_t distance)
{
	uint64_t ns = 0;
	uint64_t steps = 0;
	uint32_t pairs = 0;

	for (uint32_t from = 0, to = 1; pairs < REFINE_PAIRS; from += (to - from + 7) / 8) {
		uint64_t length;

		while (to < rows && events[to].time_ns - events[from].time_ns < distance)
			to++;
		if (to >= rows)
			break;
		length = events[to].time_ns - events[from].time_ns;
		if (length > 4 * distance)
			continue;
		ns += length;
		steps += (uint64_t)((((uint128)length << 32) + step / 2) / step);
		pairs++;
	}
	return pairs >= 8 ? (uint64_t)(((uint128)ns << 32) / steps) : step;
}

static uint64_t refine(const struct event *events, uint32_t rows, uint64_t step)
{
	for (uint64_t distance = 64 * (step >> 32); distance < REFINE_TO_NS; distance *= 4)
		step = refine_over(events, rows, step, distance);
	return step;
}

static bool still_fits(const struct samples *samples, uint64_t guess)
{
	if (guess < 4 * STEP_ONE || guess > 256 * STEP_ONE || samples->count < SAMPLES_LEAST)
		return false;
	return circle_fits(samples, (uint32_t)(((uint128)1 << 64) / guess));
}

uint64_t clock_step_find(const struct event *events, uint32_t rows, uint64_t guess)
{
	uint64_t divisor = common_divisor(events, rows);
	struct samples samples;
	uint64_t step;

	if (divisor == 0)
		return guess ? guess : STEP_ONE;
	if (divisor > 1)
		return (divisor < 1ull << 31 ? divisor : 1) * STEP_ONE;
	samples = take_samples(events, rows);
	if (still_fits(&samples, guess))
		return guess;
	step = find_circle(&samples);
	return step == STEP_ONE ? step : refine(events, rows, step);
}

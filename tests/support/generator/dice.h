#ifndef LOITER_TESTS_GENERATOR_DICE_H
#define LOITER_TESTS_GENERATOR_DICE_H

#include <stdint.h>

/*
 * Pseudo-random numbers that are the same on every machine: integers only. A stream for each
 * purpose, so that a change in one place does not shift all the others.
 */
struct dice {
	uint64_t state;
};

static inline uint64_t dice_mix(uint64_t value)
{
	value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9u;
	value = (value ^ value >> 27) * 0x94d049bb133111ebu;
	return value ^ value >> 31;
}

/* A stream of its own for each pair. */
static inline struct dice dice_for(uint64_t seed, uint64_t purpose)
{
	return (struct dice){ dice_mix(dice_mix(seed) ^ purpose * 0x9e3779b97f4a7c15u) };
}

/* splitmix64 */
static inline uint64_t dice_next(struct dice *dice)
{
	return dice_mix(dice->state += 0x9e3779b97f4a7c15u);
}

/* Below `limit`, which is not 0. */
static inline uint32_t dice_below(struct dice *dice, uint32_t limit)
{
	return (uint32_t)((dice_next(dice) >> 32) * limit >> 32);
}

/*
 * Below `limit`, number k about 1/(k + 1) times as likely as 0: how stacks, locks and names are
 * used. First a power of two is chosen, then a number up to it.
 */
static inline uint32_t dice_rank(struct dice *dice, uint32_t limit)
{
	unsigned bits = 0;
	uint32_t rank;

	if (limit < 2)
		return 0;
	while (limit >> bits > 1)
		bits++;
	do {
		unsigned scale = dice_below(dice, bits + 1);

		rank = (1u << scale) - 1 + dice_below(dice, 1u << scale);
	} while (rank >= limit);
	return rank;
}

/*
 * A time with this mean, as the time to the next of many independent happenings: the negative
 * logarithm of an even number in (0, 1], straight lines between powers of two. At most 2^40.
 */
static inline uint64_t dice_time(struct dice *dice, uint64_t mean_ns)
{
	uint64_t even = dice_next(dice) | 1;
	unsigned zeros = (unsigned)__builtin_clzll(even);
	uint64_t fraction = (even << zeros & INT64_MAX) >> 47; /* 16 bits behind the leading one */
	uint64_t halvings = ((uint64_t)(zeros + 1) << 16) - fraction;

	return mean_ns * (halvings * 45426 >> 16) >> 16; /* ln 2 in 16 bits */
}

#endif

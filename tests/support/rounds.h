#ifndef LOITER_SUPPORT_ROUNDS_H
#define LOITER_SUPPORT_ROUNDS_H

#include <stddef.h>

/*
 * Takes some steps again and again, each from one and the same place. A compiler may unroll a loop
 * that it can see through, and make two calls of one that follows a branch; then equal stacks are
 * not equal. So the step that has a stack taken must be straight on; what depends on the round goes
 * into the steps before and after it.
 */
typedef void round_step(int round, void *context);

/* `steps` ends with NULL. */
__attribute__((noinline, unused)) static void run_rounds(
		int rounds, round_step *const *steps, void *context)
{
	volatile int end = rounds;

	for (int round = 0; round < end; round++)
		for (round_step *const volatile *step = steps; *step; step++)
			(*step)(round, context);
}

#endif

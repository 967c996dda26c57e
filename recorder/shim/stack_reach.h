#ifndef LOITER_SHIM_STACK_REACH_H
#define LOITER_SHIM_STACK_REACH_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "recorder/shim/readable.h"

/*
 * Which bytes of the stack a walk may read, whatever stack it is: a thread's, the main thread's, a
 * signal handler's, a coroutine's that nobody told us of.
 *
 * The page that the stack pointer is in can be read. Upwards from there, page by page, the kernel
 * is asked when a walk gets there, except where the answer is known:
 *   - The main thread's stack is one mapping up to __libc_stack_end; the kernel keeps everything
 *     else at least MAIN_STACK_MIN away from there.
 *   - The descriptor of any other thread lies at the upper end of its stack, for glibc also when
 *     the program supplied the stack. Once every page from some place up to the descriptor is
 *     known to be readable it stays so as long as the thread lives; `thread_low` is that place. So
 *     a thread asks once for each page of its stack that it waits in, and not at all for the first
 *     two.
 * What was learnt about any other stack is forgotten after the walk: it may be gone the next time.
 */
struct stack_reach {
	uintptr_t low; /* [low, high) can be read; multiples of 8 */
	uintptr_t high;
	uintptr_t *thread_low; /* lives on in the memo; 0: nothing known yet; see .c for bit 0 */
	uint32_t questions;    /* how often the kernel was asked */
};

/* A walk asks no more often than this: 40 µs, one 1 MiB deep in a new thread. */
#define STACK_QUESTIONS_MAX 256u

/* In the constructor, in the main thread. */
void stack_reach_init(void);

/* Set by init: the end of the main thread's stack, and its descriptor, which lies elsewhere. */
extern uintptr_t stack_reach_main_end;
extern uintptr_t stack_reach_main_descriptor;

/* glibc's thread descriptor is where the thread pointer points to; its first word says where. */
static inline uintptr_t stack_reach_descriptor(void)
{
#ifdef __x86_64__
	uintptr_t pointer;

	__asm__("movq %%fs:0, %0" : "=r"(pointer));
	return pointer;
#else
	return (uintptr_t)pthread_self();
#endif
}

/* The part of stack_reach_begin() for which the kernel or a red zone matters. */
void stack_reach_begin_slowly(struct stack_reach *reach, uintptr_t sp);

/*
 * From `low` upwards; `sp` is the stack pointer of a running function, `low` may be up to a red
 * zone below it.
 */
static inline void stack_reach_begin(
		struct stack_reach *reach, uintptr_t *thread_low, uintptr_t low, uintptr_t sp)
{
	uintptr_t end = stack_reach_descriptor();

	reach->thread_low = thread_low;
	reach->questions = 0;
	reach->low = (low + 7) & ~(uintptr_t)7;
	reach->high = end;
	/* Bit 0 of `thread_low` does no harm here. */
	if (sp >= end || *thread_low == 0 || low < *thread_low)
		stack_reach_begin_slowly(reach, sp);
}

/*
 * The same, within a walk, for a stack pointer that was found in memory and may be none. False: it
 * is none. Only the known part of the thread's stack needs no question.
 */
static inline bool stack_reach_move(struct stack_reach *reach, uintptr_t low, uintptr_t sp)
{
	bool known = *reach->thread_low != 0 && sp >= *reach->thread_low &&
		     sp < stack_reach_descriptor();

	if (!known && !readable_page(sp))
		return false;
	stack_reach_begin(reach, reach->thread_low, low, sp);
	return true;
}

/* Makes `reach` include all up to `end`; false: it cannot. */
bool stack_reach_extend(struct stack_reach *reach, uintptr_t end);

/*
 * After a walk that ended at its limit of frames, far from the thread's descriptor: asks for some
 * more pages from there downwards, so that after a few walks the two ends meet.
 */
void stack_reach_learn(struct stack_reach *reach);

/* May the eight bytes at `address` be read? */
static inline bool stack_reach_holds(struct stack_reach *reach, uintptr_t address)
{
	uintptr_t from_low = address - reach->low;

	/* Rotated right by three an unaligned distance is larger than any size. */
	if (__builtin_expect((from_low >> 3 | from_low << 61) < (reach->high - reach->low) >> 3, 1))
		return true;
	return address % 8 == 0 && address >= reach->low && address < UINTPTR_MAX - 8 &&
	       stack_reach_extend(reach, address + 8);
}

#endif

#include "recorder/shim/stack_reach.h"

#include <stddef.h>

/* Between the main thread's stack and anything else the kernel leaves 128 MiB (mmap_base()). */
#define MAIN_STACK_MAX (120u << 20)

/* Pages asked for in one stack_reach_learn(). */
#define LEARN_QUESTIONS 32u

/* In `thread_low`: the page below cannot be read, this is where the thread's stack ends. */
#define BOTTOM_KNOWN ((uintptr_t)1)

/* Set by the loader: where the kernel put argc. */
extern void *__libc_stack_end;

uintptr_t stack_reach_main_end;
uintptr_t stack_reach_main_descriptor;

static uintptr_t page_of(uintptr_t address)
{
	return address & ~(uintptr_t)(READABLE_PAGE - 1);
}

void stack_reach_init(void)
{
	stack_reach_main_end = (uintptr_t)__libc_stack_end & ~(uintptr_t)7;
	stack_reach_main_descriptor = stack_reach_descriptor();
}

/* Does the range meet the known part of the thread's stack? Then it has all of it. */
static bool join_thread_stack(struct stack_reach *reach)
{
	uintptr_t thread_low = *reach->thread_low & ~BOTTOM_KNOWN;
	uintptr_t thread_end = stack_reach_descriptor();

	if (thread_end == stack_reach_main_descriptor || reach->high < thread_low ||
			reach->high > thread_end)
		return false;
	if (page_of(reach->low) < thread_low)
		*reach->thread_low = page_of(reach->low);
	reach->high = thread_end;
	return true;
}

void stack_reach_begin_slowly(struct stack_reach *reach, uintptr_t sp)
{
	reach->high = page_of(sp) + READABLE_PAGE;
	if (reach->low < page_of(sp) && !readable_page(reach->low))
		reach->low = page_of(sp);
	if (stack_reach_main_end - sp < MAIN_STACK_MAX) {
		reach->high = stack_reach_main_end;
		return;
	}
	if (*reach->thread_low == 0)
		*reach->thread_low = page_of(stack_reach_descriptor());
	join_thread_stack(reach);
}

bool stack_reach_extend(struct stack_reach *reach, uintptr_t end)
{
	if (end <= reach->high)
		return true;
	/* A stack ends where its thread's descriptor or the program's arguments begin. */
	if (reach->high == stack_reach_main_end || reach->high == stack_reach_descriptor())
		return false;
	while (reach->high < end) {
		if (reach->questions == STACK_QUESTIONS_MAX ||
				end - reach->high > STACK_QUESTIONS_MAX * READABLE_PAGE)
			return false;
		reach->questions++;
		if (!readable_page(reach->high))
			return false;
		reach->high += READABLE_PAGE;
		if (join_thread_stack(reach))
			return reach->high >= end;
	}
	return true;
}

void stack_reach_learn(struct stack_reach *reach)
{
	uintptr_t thread_low = *reach->thread_low;

	if (stack_reach_descriptor() == stack_reach_main_descriptor || reach->high > thread_low ||
			(thread_low & BOTTOM_KNOWN))
		return;
	for (uint32_t i = 0; i < LEARN_QUESTIONS && thread_low > reach->high; i++) {
		if (!readable_page(thread_low - READABLE_PAGE)) {
			thread_low |= BOTTOM_KNOWN;
			break;
		}
		thread_low -= READABLE_PAGE;
	}
	*reach->thread_low = thread_low;
}

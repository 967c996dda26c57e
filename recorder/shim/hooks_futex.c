#include <errno.h>
#include <linux/futex.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "recorder/shim/hook.h"
#include "recorder/shim/shim.h"
#include "recorder/shim/wait.h"
#include "recorder/shim/wakers.h"

/*
 * The futex system calls of those who build their own locks on syscall(): Rust's standard library,
 * libstdc++'s semaphores and atomic waits, the guards of C++ statics. A wait whose word has
 * changed meanwhile returns at once and is none, which shows in the time it took.
 *
 * The memory that a caller points to is never looked at: a wrong address is the kernel's business.
 */
#ifndef FUTEX_LOCK_PI2 /* Linux 5.14 */
#define FUTEX_LOCK_PI2 13
#endif
#ifndef SYS_futex_waitv /* Linux 5.16 */
#define SYS_futex_waitv 449
#endif

enum {
	FIRST,
	SECOND,
	THIRD,
	FOURTH,
	FIFTH,
	SIXTH,
	ARGUMENT_COUNT
};

enum futex_use {
	FUTEX_USE_OTHER,
	FUTEX_USE_WAIT,
	FUTEX_USE_WAKE,
	FUTEX_USE_WAKE_TWO, /* or moves waiters to the second word */
};

static enum futex_use use_of(long operation)
{
	switch (operation & FUTEX_CMD_MASK) {
	case FUTEX_WAIT:
	case FUTEX_WAIT_BITSET:
	case FUTEX_WAIT_REQUEUE_PI:
	case FUTEX_LOCK_PI:
	case FUTEX_LOCK_PI2:
		return FUTEX_USE_WAIT;
	case FUTEX_WAKE:
	case FUTEX_WAKE_BITSET:
	case FUTEX_UNLOCK_PI:
		return FUTEX_USE_WAKE;
	case FUTEX_REQUEUE:
	case FUTEX_CMP_REQUEUE:
	case FUTEX_CMP_REQUEUE_PI:
	case FUTEX_WAKE_OP:
		return FUTEX_USE_WAKE_TWO;
	default:
		return FUTEX_USE_OTHER;
	}
}

static void note_wakes(enum futex_use use, const long arguments[ARGUMENT_COUNT])
{
	if (use != FUTEX_USE_WAKE && use != FUTEX_USE_WAKE_TWO)
		return;
	wakers_note((const void *)arguments[FIRST], thread_task(), false);
	if (use == FUTEX_USE_WAKE_TWO)
		wakers_note((const void *)arguments[FIFTH], thread_task(), false);
}

/* Is it a call that may wait? Then `wait` says on what. */
static bool describe_wait(struct wait *wait, long number, const long arguments[ARGUMENT_COUNT])
{
	if (number == SYS_futex_waitv) {
		/* Which of the words is in memory of the caller. */
		wait->event.flags = arguments[FOURTH] ? EVENT_FLAG_TIMED : 0;
		return true;
	}
	enum futex_use use = use_of(arguments[SECOND]);
	note_wakes(use, arguments);
	wait->event.object_kind = OBJECT_FUTEX;
	wait->event.object = (uint64_t)arguments[FIRST];
	wait->event.flags = arguments[FOURTH] ? EVENT_FLAG_TIMED : 0;
	return use == FUTEX_USE_WAIT;
}

static void end_futex_wait(struct wait *wait, uint64_t mark, long result)
{
	const void *word = (const void *)(uintptr_t)wait->event.object;

	if (result >= 0)
		wait_end(wait, wakers_since(word, mark), 0);
	else
		wait_end(wait, TASK_NONE,
				errno == ETIMEDOUT ? EVENT_FLAG_TIMED_OUT : EVENT_FLAG_INTERRUPTED);
}

/*
 * The C library passes on six arguments whatever the call takes, and so do we; those that the
 * caller did not give are whatever lay in their places.
 */
HOOK(long, syscall, long number, ...)
{
	struct wait wait = WAIT(REASON_FUTEX_WAIT, OBJECT_NONE, 0);
	long a[ARGUMENT_COUNT];
	va_list list;

	va_start(list, number);
	for (int i = 0; i < ARGUMENT_COUNT; i++)
		a[i] = va_arg(list, long);
	va_end(list);

	if ((number != SYS_futex && number != SYS_futex_waitv) || !shim_is_live() ||
			!describe_wait(&wait, number, a))
		return NEXT(syscall)(number, a[0], a[1], a[2], a[3], a[4], a[5]);

	uint64_t mark = wakers_mark((const void *)(uintptr_t)wait.event.object);
	wait_try(&wait);
	long result = NEXT(syscall)(number, a[0], a[1], a[2], a[3], a[4], a[5]);
	end_futex_wait(&wait, mark, result);
	return result;
}

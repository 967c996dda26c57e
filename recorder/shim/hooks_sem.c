#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <time.h>

#include "recorder/shim/hook.h"
#include "recorder/shim/shim.h"
#include "recorder/shim/time_limit.h"
#include "recorder/shim/wait.h"
#include "recorder/shim/wakers.h"

/* Semaphores: tried first; who posts leaves a note for the waiter. */

NEXT_SYMBOL(sem_trywait);

/*
 * A wait is a cancellation point also when it would not wait, and a try is none. `errno` is set by
 * the try only if the real call would set it too.
 */
static inline bool wait_at_once(sem_t *semaphore)
{
	int saved_errno = errno;

	pthread_testcancel();
	if (NEXT(sem_trywait)(semaphore) == 0)
		return true;
	errno = saved_errno;
	return false;
}

struct sem_waiting {
	struct wait wait;
	uint64_t mark;
};

static inline __attribute__((always_inline)) void begin_sem_wait(
		struct sem_waiting *waiting, const sem_t *semaphore, uint8_t flags)
{
	waiting->wait = (struct wait)WAIT(REASON_SEMAPHORE_WAIT, OBJECT_SEMAPHORE, semaphore);
	waiting->wait.event.flags = flags;
	waiting->mark = wakers_mark(semaphore);
	wait_begin(&waiting->wait);
}

static void end_sem_wait(struct sem_waiting *waiting, const sem_t *semaphore, int result)
{
	if (result == 0)
		wait_end(&waiting->wait, wakers_since(semaphore, waiting->mark), 0);
	else
		wait_end(&waiting->wait, TASK_NONE,
				errno == ETIMEDOUT ? EVENT_FLAG_TIMED_OUT : EVENT_FLAG_INTERRUPTED);
}

HOOK(int, sem_wait, sem_t *semaphore)
{
	struct sem_waiting waiting;

	if (!shim_is_live())
		return NEXT(sem_wait)(semaphore);
	if (wait_at_once(semaphore))
		return 0;
	begin_sem_wait(&waiting, semaphore, 0);
	int result = NEXT(sem_wait)(semaphore);
	end_sem_wait(&waiting, semaphore, result);
	return result;
}

HOOK(int, sem_timedwait, sem_t *restrict semaphore, const struct timespec *restrict limit)
{
	struct sem_waiting waiting;

	if (!shim_is_live() || !time_limit_is_sound(limit))
		return NEXT(sem_timedwait)(semaphore, limit);
	if (wait_at_once(semaphore))
		return 0;
	begin_sem_wait(&waiting, semaphore, EVENT_FLAG_TIMED);
	int result = NEXT(sem_timedwait)(semaphore, limit);
	end_sem_wait(&waiting, semaphore, result);
	return result;
}

HOOK(int, sem_clockwait, sem_t *restrict semaphore, clockid_t clock,
		const struct timespec *restrict limit)
{
	struct sem_waiting waiting;

	if (!shim_is_live() || !time_limit_clock_is_sound(clock) || !time_limit_is_sound(limit))
		return NEXT(sem_clockwait)(semaphore, clock, limit);
	if (wait_at_once(semaphore))
		return 0;
	begin_sem_wait(&waiting, semaphore, EVENT_FLAG_TIMED);
	int result = NEXT(sem_clockwait)(semaphore, clock, limit);
	end_sem_wait(&waiting, semaphore, result);
	return result;
}

HOOK(int, sem_post, sem_t *semaphore)
{
	if (shim_is_live())
		wakers_note(semaphore, thread_task(), false);
	return NEXT(sem_post)(semaphore);
}

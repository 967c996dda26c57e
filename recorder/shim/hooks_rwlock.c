#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <time.h>

#include "recorder/shim/hook.h"
#include "recorder/shim/shim.h"
#include "recorder/shim/time_limit.h"
#include "recorder/shim/wait.h"

/*
 * Reader-writer locks, tried first like mutexes. A try does not queue behind waiting writers where
 * the lock prefers them, which the real call does: the answer is the same, the order under load
 * may differ.
 */

NEXT_SYMBOL_EARLY(pthread_rwlock_tryrdlock, __pthread_rwlock_tryrdlock);
NEXT_SYMBOL_EARLY(pthread_rwlock_trywrlock, __pthread_rwlock_trywrlock);

/* The kernel's id of the writer that holds the lock; readers leave no name. */
static inline uint32_t writer_of(const pthread_rwlock_t *lock)
{
	return (uint32_t)__atomic_load_n(&lock->__data.__cur_writer, __ATOMIC_RELAXED);
}

/* True: the wait has begun. A writer that asks again is refused by the real call. */
static inline __attribute__((always_inline)) bool begin_rwlock_wait(
		struct wait *wait, const pthread_rwlock_t *lock)
{
	uint32_t writer = writer_of(lock);

	if (writer != 0 && writer == thread_self.tid)
		return false;
	wait->event.peer = writer;
	wait->event.flags |= writer ? EVENT_FLAG_PEER_IS_TID : 0;
	wait_begin(wait);
	return true;
}

static void end_rwlock_wait(struct wait *wait, int result)
{
	if (result == 0)
		wait_end(wait, wait->event.peer, wait->event.flags & EVENT_FLAG_PEER_IS_TID);
	else
		wait_end(wait, TASK_NONE,
				result == ETIMEDOUT ? EVENT_FLAG_TIMED_OUT
						    : EVENT_FLAG_INTERRUPTED);
}

#define RWLOCK_BODY(name, reason_, try_, wait_flags, passes, arguments) \
	{                                                               \
		struct wait wait;                                       \
                                                                        \
		if (!shim_is_live() || (passes))                        \
			return NEXT(name) arguments;                    \
		if (NEXT(try_)(lock) == 0)                              \
			return 0;                                       \
		wait = (struct wait)WAIT(reason_, OBJECT_RWLOCK, lock); \
		wait.event.flags = (wait_flags);                        \
		if (!begin_rwlock_wait(&wait, lock))                    \
			return NEXT(name) arguments;                    \
		int result = NEXT(name) arguments;                      \
		end_rwlock_wait(&wait, result);                         \
		return result;                                          \
	}

HOOK_EARLY(int, pthread_rwlock_rdlock, __pthread_rwlock_rdlock, pthread_rwlock_t *lock)
RWLOCK_BODY(pthread_rwlock_rdlock, REASON_RWLOCK_READ, pthread_rwlock_tryrdlock, 0, false, (lock))

HOOK_EARLY(int, pthread_rwlock_wrlock, __pthread_rwlock_wrlock, pthread_rwlock_t *lock)
RWLOCK_BODY(pthread_rwlock_wrlock, REASON_RWLOCK_WRITE, pthread_rwlock_trywrlock, 0, false, (lock))

HOOK(int, pthread_rwlock_timedrdlock, pthread_rwlock_t *restrict lock,
		const struct timespec *restrict limit)
RWLOCK_BODY(pthread_rwlock_timedrdlock, REASON_RWLOCK_READ, pthread_rwlock_tryrdlock,
		EVENT_FLAG_TIMED, !time_limit_is_sound(limit), (lock, limit))

HOOK(int, pthread_rwlock_timedwrlock, pthread_rwlock_t *restrict lock,
		const struct timespec *restrict limit)
RWLOCK_BODY(pthread_rwlock_timedwrlock, REASON_RWLOCK_WRITE, pthread_rwlock_trywrlock,
		EVENT_FLAG_TIMED, !time_limit_is_sound(limit), (lock, limit))

HOOK(int, pthread_rwlock_clockrdlock, pthread_rwlock_t *restrict lock, clockid_t clock,
		const struct timespec *restrict limit)
RWLOCK_BODY(pthread_rwlock_clockrdlock, REASON_RWLOCK_READ, pthread_rwlock_tryrdlock,
		EVENT_FLAG_TIMED, !time_limit_clock_is_sound(clock) || !time_limit_is_sound(limit),
		(lock, clock, limit))

HOOK(int, pthread_rwlock_clockwrlock, pthread_rwlock_t *restrict lock, clockid_t clock,
		const struct timespec *restrict limit)
RWLOCK_BODY(pthread_rwlock_clockwrlock, REASON_RWLOCK_WRITE, pthread_rwlock_trywrlock,
		EVENT_FLAG_TIMED, !time_limit_clock_is_sound(clock) || !time_limit_is_sound(limit),
		(lock, clock, limit))

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <threads.h>
#include <time.h>

#include "recorder/shim/hook.h"
#include "recorder/shim/shim.h"
#include "recorder/shim/time_limit.h"
#include "recorder/shim/wait.h"

/*
 * Mutexes. Nothing is recorded of a lock that is free: the hook tries it first, and only when that
 * says EBUSY there is a wait to tell of.
 *
 * Trying first is the same as locking for normal, recursive, error-checking and adaptive mutexes.
 * Others are looked at instead: priority inheritance and protection and hardware elision do more
 * than take a word, and glibc's try on a robust mutex that is not recoverable (seen in 2.36) says
 * so, but leaves it locked. If such a mutex is taken between the look and the lock, that wait is
 * missed.
 *
 * Every answer other than "locked" and "busy" comes from the real function, which is called next.
 *
 * Unlock is not hooked: the holder seen at the beginning is the waker at the end.
 */

/* Bits of __data.__kind in glibc. */
#define KIND_TYPE             3
#define KIND_RECURSIVE        1
#define KIND_ERRORCHECK       2
#define KIND_ROBUST           16
#define KIND_PRIORITY_INHERIT 32
#define KIND_PRIORITY_PROTECT 64
#define KIND_ELISION          256

/* Kinds with the kernel's id of the holder in the lock word. */
#define KIND_TID_IN_WORD (KIND_ROBUST | KIND_PRIORITY_INHERIT)
#define KIND_LOOK_ONLY   (KIND_TID_IN_WORD | KIND_PRIORITY_PROTECT | KIND_ELISION)

/* Of a lock word with an id; a dead holder's lock is there for the next to take. */
#define LOCK_WORD_TID  0x3fffffffu
#define LOCK_WORD_DEAD 0x40000000u

NEXT_SYMBOL_EARLY(pthread_mutex_trylock, __pthread_mutex_trylock);

static inline int kind_of(const pthread_mutex_t *mutex)
{
	return __atomic_load_n(&mutex->__data.__kind, __ATOMIC_RELAXED);
}

/* The kernel's id of the holder; 0 = free, or not known. */
static uint32_t holder_of(const pthread_mutex_t *mutex)
{
	uint32_t word = (uint32_t)__atomic_load_n(&mutex->__data.__lock, __ATOMIC_RELAXED);

	if (kind_of(mutex) & KIND_TID_IN_WORD)
		return word & LOCK_WORD_DEAD ? 0 : word & LOCK_WORD_TID;
	return (uint32_t)__atomic_load_n(&mutex->__data.__owner, __ATOMIC_RELAXED) & LOCK_WORD_TID;
}

static inline bool lock_at_once(pthread_mutex_t *mutex)
{
	return __builtin_expect((kind_of(mutex) & KIND_LOOK_ONLY) == 0, 1) &&
	       NEXT(pthread_mutex_trylock)(mutex) == 0;
}

/* The caller holds it already and the kind answers that with a result instead of a wait. */
static bool answers_holder(const pthread_mutex_t *mutex, uint32_t holder)
{
	int type = kind_of(mutex) & KIND_TYPE;

	return holder == thread_self.tid && holder != 0 &&
	       (type == KIND_RECURSIVE || type == KIND_ERRORCHECK);
}

/* True: the wait has begun, and wait_end() must follow. */
static inline __attribute__((always_inline)) bool begin_lock_wait(
		struct wait *wait, const pthread_mutex_t *mutex, uint8_t flags)
{
	uint32_t holder = holder_of(mutex);

	if ((kind_of(mutex) & KIND_LOOK_ONLY) && holder == 0)
		return false;
	if (answers_holder(mutex, holder))
		return false;
	wait->event.peer = holder;
	wait->event.flags = flags | (holder ? EVENT_FLAG_PEER_IS_TID : 0);
	wait_begin(wait);
	return true;
}

static void end_lock_wait(struct wait *wait, int result)
{
	if (result == 0 || result == EOWNERDEAD)
		wait_end(wait, wait->event.peer, wait->event.flags & EVENT_FLAG_PEER_IS_TID);
	else
		wait_end(wait, TASK_NONE,
				result == ETIMEDOUT ? EVENT_FLAG_TIMED_OUT
						    : EVENT_FLAG_INTERRUPTED);
}

HOOK_EARLY(int, pthread_mutex_lock, __pthread_mutex_lock, pthread_mutex_t *mutex)
{
	struct wait wait;

	if (!shim_is_live())
		return NEXT(pthread_mutex_lock)(mutex);
	if (lock_at_once(mutex))
		return 0;

	wait = (struct wait)WAIT(REASON_MUTEX_LOCK, OBJECT_MUTEX, mutex);
	if (!begin_lock_wait(&wait, mutex, 0))
		return NEXT(pthread_mutex_lock)(mutex);
	int result = NEXT(pthread_mutex_lock)(mutex);
	end_lock_wait(&wait, result);
	return result;
}

HOOK(int, pthread_mutex_timedlock, pthread_mutex_t *mutex, const struct timespec *limit)
{
	struct wait wait;

	if (!shim_is_live())
		return NEXT(pthread_mutex_timedlock)(mutex, limit);
	if (lock_at_once(mutex))
		return 0;

	wait = (struct wait)WAIT(REASON_MUTEX_LOCK, OBJECT_MUTEX, mutex);
	if (!begin_lock_wait(&wait, mutex, EVENT_FLAG_TIMED))
		return NEXT(pthread_mutex_timedlock)(mutex, limit);
	int result = NEXT(pthread_mutex_timedlock)(mutex, limit);
	end_lock_wait(&wait, result);
	return result;
}

HOOK(int, pthread_mutex_clocklock, pthread_mutex_t *mutex, clockid_t clock,
		const struct timespec *limit)
{
	struct wait wait;

	if (!shim_is_live() || !time_limit_clock_is_sound(clock))
		return NEXT(pthread_mutex_clocklock)(mutex, clock, limit);
	if (lock_at_once(mutex))
		return 0;

	wait = (struct wait)WAIT(REASON_MUTEX_LOCK, OBJECT_MUTEX, mutex);
	if (!begin_lock_wait(&wait, mutex, EVENT_FLAG_TIMED))
		return NEXT(pthread_mutex_clocklock)(mutex, clock, limit);
	int result = NEXT(pthread_mutex_clocklock)(mutex, clock, limit);
	end_lock_wait(&wait, result);
	return result;
}

/* ---- C11: the same mutexes under other names, which the C library does not reach by ours ---- */

static inline pthread_mutex_t *posix_mutex(mtx_t *mutex)
{
	return (pthread_mutex_t *)(void *)mutex;
}

static int error_of(int result)
{
	return result == thrd_success ? 0 : result == thrd_timedout ? ETIMEDOUT : EINVAL;
}

HOOK(int, mtx_lock, mtx_t *mutex)
{
	struct wait wait;

	if (!shim_is_live())
		return NEXT(mtx_lock)(mutex);
	if (lock_at_once(posix_mutex(mutex)))
		return thrd_success;

	wait = (struct wait)WAIT(REASON_MUTEX_LOCK, OBJECT_MUTEX, mutex);
	if (!begin_lock_wait(&wait, posix_mutex(mutex), 0))
		return NEXT(mtx_lock)(mutex);
	int result = NEXT(mtx_lock)(mutex);
	end_lock_wait(&wait, error_of(result));
	return result;
}

HOOK(int, mtx_timedlock, mtx_t *restrict mutex, const struct timespec *restrict limit)
{
	struct wait wait;

	if (!shim_is_live())
		return NEXT(mtx_timedlock)(mutex, limit);
	if (lock_at_once(posix_mutex(mutex)))
		return thrd_success;

	wait = (struct wait)WAIT(REASON_MUTEX_LOCK, OBJECT_MUTEX, mutex);
	if (!begin_lock_wait(&wait, posix_mutex(mutex), EVENT_FLAG_TIMED))
		return NEXT(mtx_timedlock)(mutex, limit);
	int result = NEXT(mtx_timedlock)(mutex, limit);
	end_lock_wait(&wait, error_of(result));
	return result;
}

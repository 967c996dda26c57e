#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <time.h>

#include "recorder/shim/hook.h"
#include "recorder/shim/shim.h"
#include "recorder/shim/time_limit.h"
#include "recorder/shim/wait.h"

/*
 * Mutexes. Nothing is recorded of a lock that is free: the hook tries it first, and only when that
 * says EBUSY there is a wait to tell of.
 *
 * Trying first is the same as locking for all kinds but those whose lock is more than taking a
 * word (priority inheritance and protection, hardware elision); these are looked at instead. Every
 * answer other than "locked" and "busy" comes from the real function, which is called next.
 *
 * Unlock is not hooked: the holder seen at the beginning is the waker at the end.
 */

/* Bits of __data.__kind in glibc that rule out trying first. */
#define KIND_PRIORITY_INHERIT 32
#define KIND_PRIORITY_PROTECT 64
#define KIND_ELISION          256
#define KIND_LOOK_ONLY        (KIND_PRIORITY_INHERIT | KIND_PRIORITY_PROTECT | KIND_ELISION)
#define KIND_TYPE             3
#define KIND_RECURSIVE        1
#define KIND_ERRORCHECK       2

/* Of the lock word of a priority-inheriting or robust mutex: the kernel's id of the holder. */
#define LOCK_WORD_TID 0x3fffffff

NEXT_SYMBOL_EARLY(pthread_mutex_trylock, __pthread_mutex_trylock);

static inline int kind_of(const pthread_mutex_t *mutex)
{
	return __atomic_load_n(&mutex->__data.__kind, __ATOMIC_RELAXED);
}

static uint32_t holder_of(const pthread_mutex_t *mutex)
{
	if (kind_of(mutex) & KIND_PRIORITY_INHERIT)
		return (uint32_t)__atomic_load_n(&mutex->__data.__lock, __ATOMIC_RELAXED) &
		       LOCK_WORD_TID;
	return (uint32_t)__atomic_load_n(&mutex->__data.__owner, __ATOMIC_RELAXED) & LOCK_WORD_TID;
}

/* A kind that may not be tried: is it free, as far as one can see? */
static bool looks_free(const pthread_mutex_t *mutex)
{
	return holder_of(mutex) == 0;
}

/*
 * Was the mutex got without waiting? Then *result is what the program gets: 0, or EOWNERDEAD from
 * a robust one.
 */
static inline bool lock_at_once(pthread_mutex_t *mutex, int *result)
{
	if (__builtin_expect(kind_of(mutex) & KIND_LOOK_ONLY, 0))
		return false;
	*result = NEXT(pthread_mutex_trylock)(mutex);
	return *result == 0 || *result == EOWNERDEAD;
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

	if ((kind_of(mutex) & KIND_LOOK_ONLY) && looks_free(mutex))
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
	uint8_t flags = 0;

	if (result == 0 || result == EOWNERDEAD) {
		wait_end(wait, wait->event.peer, wait->event.flags & EVENT_FLAG_PEER_IS_TID);
		return;
	}
	flags = result == ETIMEDOUT ? EVENT_FLAG_TIMED_OUT : EVENT_FLAG_INTERRUPTED;
	wait_end(wait, TASK_NONE, flags);
}

HOOK_EARLY(int, pthread_mutex_lock, __pthread_mutex_lock, pthread_mutex_t *mutex)
{
	struct wait wait;
	int result;

	if (!shim_is_live())
		return NEXT(pthread_mutex_lock)(mutex);
	if (lock_at_once(mutex, &result))
		return result;

	wait = (struct wait)WAIT(REASON_MUTEX_LOCK, OBJECT_MUTEX, mutex);
	if (!begin_lock_wait(&wait, mutex, 0))
		return NEXT(pthread_mutex_lock)(mutex);
	result = NEXT(pthread_mutex_lock)(mutex);
	end_lock_wait(&wait, result);
	return result;
}

HOOK(int, pthread_mutex_timedlock, pthread_mutex_t *mutex, const struct timespec *limit)
{
	struct wait wait;
	int result;

	if (!shim_is_live())
		return NEXT(pthread_mutex_timedlock)(mutex, limit);
	if (lock_at_once(mutex, &result))
		return result;

	wait = (struct wait)WAIT(REASON_MUTEX_LOCK, OBJECT_MUTEX, mutex);
	if (!begin_lock_wait(&wait, mutex, EVENT_FLAG_TIMED))
		return NEXT(pthread_mutex_timedlock)(mutex, limit);
	result = NEXT(pthread_mutex_timedlock)(mutex, limit);
	end_lock_wait(&wait, result);
	return result;
}

HOOK(int, pthread_mutex_clocklock, pthread_mutex_t *mutex, clockid_t clock,
		const struct timespec *limit)
{
	struct wait wait;
	int result;

	if (!shim_is_live() || !time_limit_clock_is_sound(clock))
		return NEXT(pthread_mutex_clocklock)(mutex, clock, limit);
	if (lock_at_once(mutex, &result))
		return result;

	wait = (struct wait)WAIT(REASON_MUTEX_LOCK, OBJECT_MUTEX, mutex);
	if (!begin_lock_wait(&wait, mutex, EVENT_FLAG_TIMED))
		return NEXT(pthread_mutex_clocklock)(mutex, clock, limit);
	result = NEXT(pthread_mutex_clocklock)(mutex, clock, limit);
	end_lock_wait(&wait, result);
	return result;
}

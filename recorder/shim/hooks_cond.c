#include <errno.h>
#include <pthread.h>
#include <threads.h>
#include <time.h>

#include "recorder/shim/hook.h"
#include "recorder/shim/shim.h"
#include "recorder/shim/wait.h"
#include "recorder/shim/wakers.h"

/*
 * Condition variables. There is no way to ask whether a wait would wait (it always does), so each
 * one is recorded. Who signals leaves a note, so that the waiter can name its waker and, if nobody
 * was waiting at the time, the lost wake-up can be told.
 *
 * glibc has two versions of the four functions with different ideas of what lies in a
 * pthread_cond_t; a program gets the one that it was linked against, and so must we. In the old
 * one nothing but the address of the condition can be used.
 */

/* __wrefs counts waiters in steps of 8; the low bits are flags. */
#define WAITERS_SHIFT 3

static inline bool nobody_waits(const pthread_cond_t *cond)
{
	return __atomic_load_n(&cond->__data.__wrefs, __ATOMIC_RELAXED) >> WAITERS_SHIFT == 0;
}

static inline void note_signal(const void *cond, bool lost)
{
	if (shim_is_live())
		wakers_note(cond, thread_task(), lost);
}

struct cond_wait {
	struct wait wait;
	uint64_t mark;
};

static inline __attribute__((always_inline)) void begin_cond_wait(
		struct cond_wait *waiting, const void *cond, uint8_t flags)
{
	struct waker_note last;

	waiting->wait = (struct wait)WAIT(REASON_COND_WAIT, OBJECT_COND, cond);
	waiting->wait.event.flags = flags;
	waiting->mark = wakers_mark(cond);
	last = wakers_last(cond);
	if (last.nobody_waited) {
		waiting->wait.event.peer = last.task;
		waiting->wait.event.flags |= EVENT_FLAG_SIGNALLED_BEFORE;
	}
	wait_begin(&waiting->wait);
}

static void end_cond_wait(struct cond_wait *waiting, int result)
{
	const void *cond = (const void *)(uintptr_t)waiting->wait.event.object;

	if (result == 0 || result == EOWNERDEAD)
		wait_end(&waiting->wait, wakers_since(cond, waiting->mark), 0);
	else
		wait_end(&waiting->wait, TASK_NONE,
				result == ETIMEDOUT ? EVENT_FLAG_TIMED_OUT
						    : EVENT_FLAG_INTERRUPTED);
}

#define COND_WAIT_HOOK(local, at, version)                                             \
	HOOK_VERSION(int, local, pthread_cond_wait, at, version, pthread_cond_t *cond, \
			pthread_mutex_t *mutex)                                        \
	{                                                                              \
		struct cond_wait waiting;                                              \
                                                                                       \
		begin_cond_wait(&waiting, cond, 0);                                    \
		int result = NEXT(local)(cond, mutex);                                 \
		end_cond_wait(&waiting, result);                                       \
		return result;                                                         \
	}

#define COND_TIMEDWAIT_HOOK(local, at, version)                                             \
	HOOK_VERSION(int, local, pthread_cond_timedwait, at, version, pthread_cond_t *cond, \
			pthread_mutex_t *mutex, const struct timespec *limit)               \
	{                                                                                   \
		struct cond_wait waiting;                                                   \
                                                                                            \
		begin_cond_wait(&waiting, cond, EVENT_FLAG_TIMED);                          \
		int result = NEXT(local)(cond, mutex, limit);                               \
		end_cond_wait(&waiting, result);                                            \
		return result;                                                              \
	}

#define COND_WAKE_HOOK(local, name, at, version, lost)                    \
	HOOK_VERSION(int, local, name, at, version, pthread_cond_t *cond) \
	{                                                                 \
		note_signal(cond, lost);                                  \
		return NEXT(local)(cond);                                 \
	}

COND_WAIT_HOOK(cond_wait_version_2_3_2, "@@", "GLIBC_2.3.2")
COND_WAIT_HOOK(cond_wait_version_2_2_5, "@", "GLIBC_2.2.5")
COND_TIMEDWAIT_HOOK(cond_timedwait_version_2_3_2, "@@", "GLIBC_2.3.2")
COND_TIMEDWAIT_HOOK(cond_timedwait_version_2_2_5, "@", "GLIBC_2.2.5")
COND_WAKE_HOOK(cond_signal_version_2_3_2, pthread_cond_signal, "@@", "GLIBC_2.3.2",
		nobody_waits(cond))
COND_WAKE_HOOK(cond_signal_version_2_2_5, pthread_cond_signal, "@", "GLIBC_2.2.5", false)
COND_WAKE_HOOK(cond_broadcast_version_2_3_2, pthread_cond_broadcast, "@@", "GLIBC_2.3.2",
		nobody_waits(cond))
COND_WAKE_HOOK(cond_broadcast_version_2_2_5, pthread_cond_broadcast, "@", "GLIBC_2.2.5", false)

HOOK(int, pthread_cond_clockwait, pthread_cond_t *cond, pthread_mutex_t *mutex, clockid_t clock,
		const struct timespec *limit)
{
	struct cond_wait waiting;

	begin_cond_wait(&waiting, cond, EVENT_FLAG_TIMED);
	int result = NEXT(pthread_cond_clockwait)(cond, mutex, clock, limit);
	end_cond_wait(&waiting, result);
	return result;
}

/* ---- C11 ---- */

static int error_of(int result)
{
	return result == thrd_success ? 0 : result == thrd_timedout ? ETIMEDOUT : EINVAL;
}

HOOK(int, cnd_wait, cnd_t *cond, mtx_t *mutex)
{
	struct cond_wait waiting;

	begin_cond_wait(&waiting, cond, 0);
	int result = NEXT(cnd_wait)(cond, mutex);
	end_cond_wait(&waiting, error_of(result));
	return result;
}

HOOK(int, cnd_timedwait, cnd_t *restrict cond, mtx_t *restrict mutex,
		const struct timespec *restrict limit)
{
	struct cond_wait waiting;

	begin_cond_wait(&waiting, cond, EVENT_FLAG_TIMED);
	int result = NEXT(cnd_timedwait)(cond, mutex, limit);
	end_cond_wait(&waiting, error_of(result));
	return result;
}

HOOK(int, cnd_signal, cnd_t *cond)
{
	note_signal(cond, nobody_waits((const pthread_cond_t *)(const void *)cond));
	return NEXT(cnd_signal)(cond);
}

HOOK(int, cnd_broadcast, cnd_t *cond)
{
	note_signal(cond, nobody_waits((const pthread_cond_t *)(const void *)cond));
	return NEXT(cnd_broadcast)(cond);
}

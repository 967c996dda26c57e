#include <pthread.h>
#include <threads.h>

#include "recorder/shim/hook.h"
#include "recorder/shim/shim.h"
#include "recorder/shim/wait.h"
#include "recorder/shim/wakers.h"

/*
 * One-time initialisation and barriers: whoever comes while another task is inside, or before all
 * have come, waits.
 */

/* Bits of a pthread_once_t, and of the once_flag of C11, in glibc. */
#define ONCE_IN_PROGRESS 1
#define ONCE_DONE        2

static inline int once_state(const void *once)
{
	return __atomic_load_n((const int *)once, __ATOMIC_RELAXED);
}

static inline bool once_is_taken(const void *once)
{
	return (once_state(once) & (ONCE_IN_PROGRESS | ONCE_DONE)) == ONCE_IN_PROGRESS;
}

/* Whoever goes inside is whom the others wait for. */
static inline void note_runner(const void *once)
{
	if (once_state(once) == 0)
		wakers_note(once, thread_task(), false);
}

HOOK_EARLY(int, pthread_once, __pthread_once, pthread_once_t *once, void (*routine)(void))
{
	struct wait wait = WAIT(REASON_ONCE, OBJECT_ONCE, once);

	if ((once_state(once) & ONCE_DONE) || !shim_is_live())
		return NEXT(pthread_once)(once, routine);
	if (!once_is_taken(once)) {
		note_runner(once);
		return NEXT(pthread_once)(once, routine);
	}
	wait.event.peer = wakers_last(once).task;
	wait_begin(&wait);
	int result = NEXT(pthread_once)(once, routine);
	wait_end(&wait, wait.event.peer, 0);
	return result;
}

HOOK(void, call_once, once_flag *once, void (*routine)(void))
{
	struct wait wait = WAIT(REASON_ONCE, OBJECT_ONCE, once);

	if ((once_state(once) & ONCE_DONE) || !shim_is_live()) {
		NEXT(call_once)(once, routine);
		return;
	}
	if (!once_is_taken(once)) {
		note_runner(once);
		NEXT(call_once)(once, routine);
		return;
	}
	wait.event.peer = wakers_last(once).task;
	wait_begin(&wait);
	NEXT(call_once)(once, routine);
	wait_end(&wait, wait.event.peer, 0);
}

/*
 * Every task that arrives leaves a note; the one that completes the round is the last to do so and
 * does not wait, which shows in the time it took.
 */
HOOK(int, pthread_barrier_wait, pthread_barrier_t *barrier)
{
	struct wait wait = WAIT(REASON_BARRIER_WAIT, OBJECT_BARRIER, barrier);

	if (!shim_is_live())
		return NEXT(pthread_barrier_wait)(barrier);
	wakers_note(barrier, thread_task(), false);
	uint64_t mark = wakers_mark(barrier);
	wait_try(&wait);
	int result = NEXT(pthread_barrier_wait)(barrier);
	wait_end(&wait, wakers_since(barrier, mark), 0);
	return result;
}

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <threads.h>

#include "recorder/shim/births.h"
#include "recorder/shim/hook.h"
#include "recorder/shim/shim.h"
#include "recorder/shim/time_limit.h"
#include "recorder/shim/wait.h"
#include "recorder/shim/wakers.h"

/* ---- create ---- */

static void *run_posix(void *argument)
{
	struct birth birth = birth_take(argument);

	thread_born(birth.task, birth.created);
	return birth.routine.posix(birth.argument);
}

static int run_c11(void *argument)
{
	struct birth birth = birth_take(argument);

	thread_born(birth.task, birth.created);
	return birth.routine.c11(birth.argument);
}

/*
 * CREATE is said before the thread exists, so that it comes before everything the thread says
 * itself, however long the creator is kept from going on.
 */
static void announce(struct birth *birth, const struct stack_registers *here)
{
	struct thread *self = &thread_self;

	birth->task = atomic_fetch_add_explicit(&shim.slot->next_task, 1, memory_order_relaxed);
	birth->created = false;
	enum thread_entry entry = thread_enter(self);
	if (entry != THREAD_ENTERED) {
		thread_count_lost(self, entry, 1);
		return;
	}

	struct event event = { .kind = EVENT_CREATE, .task = birth->task };
	event.stack = thread_stack(self, here, &event.flags);
	event.time_ns = shim_ticks();
	birth->created = wait_push_other(self, &event);
	thread_leave(self);
}

/*
 * The thread did not come into being. Its task ends unborn, in a ring of its own that is given
 * back at once.
 */
static void withdraw(struct birth *birth)
{
	struct birth unborn = birth_take(birth);
	const struct ring_owner owner = {
		.process = shim.slot_index,
		.generation = shim.slot_generation,
		.task = unborn.task,
	};
	struct ring_producer producer;

	if (!unborn.created || !shim_is_live() ||
			ring_producer_take(&producer, &shim.rings, &owner) == RING_NONE)
		return;
	const struct event event = { .time_ns = shim_ticks(), .kind = EVENT_EXIT };
	ring_producer_push(&producer, &event, RING_SPARE_EXIT);
	ring_producer_close(&producer);
}

HOOK(int, pthread_create, pthread_t *thread, const pthread_attr_t *attributes,
		void *(*routine)(void *), void *argument)
{
	struct birth *birth = shim_is_live() ? birth_new() : NULL;
	struct stack_registers here;

	if (!birth)
		return NEXT(pthread_create)(thread, attributes, routine, argument);
	birth->routine.posix = routine;
	birth->argument = argument;
	STACK_REGISTERS_HERE(here);
	announce(birth, &here);

	uint32_t task = birth->task;
	int result = NEXT(pthread_create)(thread, attributes, run_posix, birth);
	if (result == 0)
		wakers_note((const void *)*thread, task, false);
	else
		withdraw(birth);
	return result;
}

HOOK(int, thrd_create, thrd_t *thread, thrd_start_t routine, void *argument)
{
	struct birth *birth = shim_is_live() ? birth_new() : NULL;
	struct stack_registers here;

	if (!birth)
		return NEXT(thrd_create)(thread, routine, argument);
	birth->routine.c11 = routine;
	birth->argument = argument;
	STACK_REGISTERS_HERE(here);
	announce(birth, &here);

	uint32_t task = birth->task;
	int result = NEXT(thrd_create)(thread, run_c11, birth);
	if (result == thrd_success)
		wakers_note((const void *)*thread, task, false);
	else
		withdraw(birth);
	return result;
}

/* ---- join ---- */

NEXT_SYMBOL(pthread_tryjoin_np);

/* A thread that has not run yet does not know its number; then its creator's note has it. */
static uint32_t task_of(pthread_t thread)
{
	uint32_t task = thread_task_of(thread);

	return task ? task : wakers_last((const void *)thread).task;
}

/*
 * A successful try *is* the join; every other answer but "still running" is left to the real
 * function. While the thread runs and is not joined, its descriptor can be read.
 */
static inline bool join_at_once(pthread_t thread, void **value, struct wait *wait, uint8_t flags)
{
	int result = NEXT(pthread_tryjoin_np)(thread, value);

	if (result != EBUSY)
		return result == 0;
	wait->event.peer = task_of(thread);
	wait->event.object = wait->event.peer;
	wait->event.flags = flags;
	return false;
}

static void end_join(struct wait *wait, int result)
{
	if (result == 0)
		wait_end(wait, (uint32_t)wait->event.object, 0);
	else
		wait_end(wait, TASK_NONE,
				result == ETIMEDOUT ? EVENT_FLAG_TIMED_OUT
						    : EVENT_FLAG_INTERRUPTED);
}

HOOK(int, pthread_join, pthread_t thread, void **value)
{
	struct wait wait = WAIT(REASON_JOIN, OBJECT_TASK, 0);

	if (!shim_is_live())
		return NEXT(pthread_join)(thread, value);
	if (join_at_once(thread, value, &wait, 0))
		return 0;
	wait_begin(&wait);
	int result = NEXT(pthread_join)(thread, value);
	end_join(&wait, result);
	return result;
}

HOOK(int, pthread_timedjoin_np, pthread_t thread, void **value, const struct timespec *limit)
{
	struct wait wait = WAIT(REASON_JOIN, OBJECT_TASK, 0);

	if (!shim_is_live() || (limit && !time_limit_is_sound(limit)))
		return NEXT(pthread_timedjoin_np)(thread, value, limit);
	if (join_at_once(thread, value, &wait, limit ? EVENT_FLAG_TIMED : 0))
		return 0;
	wait_begin(&wait);
	int result = NEXT(pthread_timedjoin_np)(thread, value, limit);
	end_join(&wait, result);
	return result;
}

HOOK(int, pthread_clockjoin_np, pthread_t thread, void **value, clockid_t clock,
		const struct timespec *limit)
{
	struct wait wait = WAIT(REASON_JOIN, OBJECT_TASK, 0);

	if (!shim_is_live() || !time_limit_clock_is_sound(clock) ||
			(limit && !time_limit_is_sound(limit)))
		return NEXT(pthread_clockjoin_np)(thread, value, clock, limit);
	if (join_at_once(thread, value, &wait, limit ? EVENT_FLAG_TIMED : 0))
		return 0;
	wait_begin(&wait);
	int result = NEXT(pthread_clockjoin_np)(thread, value, clock, limit);
	end_join(&wait, result);
	return result;
}

HOOK(int, thrd_join, thrd_t thread, int *status)
{
	struct wait wait = WAIT(REASON_JOIN, OBJECT_TASK, 0);
	void *value = NULL;

	if (!shim_is_live())
		return NEXT(thrd_join)(thread, status);
	if (join_at_once(thread, &value, &wait, 0)) {
		if (status)
			*status = (int)(intptr_t)value;
		return thrd_success;
	}
	wait_begin(&wait);
	int result = NEXT(thrd_join)(thread, status);
	end_join(&wait, result == thrd_success ? 0 : EINVAL);
	return result;
}

/* ---- names ---- */

static void say_name(uint32_t task, const char *name)
{
	struct thread *self = &thread_self;

	enum thread_entry entry = thread_enter(self);
	if (entry != THREAD_ENTERED) {
		thread_count_lost(self, entry, 1);
		return;
	}
	thread_say_name(self, task == self->task ? 0 : task, name);
	thread_leave(self);
}

HOOK(int, pthread_setname_np, pthread_t thread, const char *name)
{
	/* Before the call: afterwards a detached thread may be gone. */
	uint32_t task = shim_is_live() ? task_of(thread) : 0;
	int result = NEXT(pthread_setname_np)(thread, name);

	if (result == 0 && task != 0)
		say_name(task, name);
	return result;
}

HOOK(int, prctl, int option, ...)
{
	unsigned long arguments[4];
	va_list list;

	va_start(list, option);
	for (int i = 0; i < 4; i++)
		arguments[i] = va_arg(list, unsigned long);
	va_end(list);

	int result = NEXT(prctl)(option, arguments[0], arguments[1], arguments[2], arguments[3]);
	if (option == PR_SET_NAME && result == 0 && shim_is_live())
		say_name(thread_task(), (const char *)arguments[0]);
	return result;
}

#include <errno.h>
#include <stdbool.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

#include "recorder/shim/hook.h"
#include "recorder/shim/shim.h"
#include "recorder/shim/wait.h"

/* Sleeping is a wait with a time limit that mostly ends by it. */

#define SLEEP                                       \
	{                                           \
		.event = {                          \
			.kind = EVENT_BLOCK,        \
			.reason = REASON_SLEEP,     \
			.object_kind = OBJECT_NONE, \
			.flags = EVENT_FLAG_TIMED   \
		}                                   \
	}

static void end_sleep(struct wait *wait, bool whole)
{
	wait_end(wait, TASK_NONE, whole ? EVENT_FLAG_TIMED_OUT : EVENT_FLAG_INTERRUPTED);
}

HOOK(unsigned, sleep, unsigned seconds)
{
	struct wait wait = SLEEP;

	wait_try(&wait);
	unsigned rest = NEXT(sleep)(seconds);
	end_sleep(&wait, rest == 0);
	return rest;
}

HOOK(int, usleep, useconds_t microseconds)
{
	struct wait wait = SLEEP;

	wait_try(&wait);
	int result = NEXT(usleep)(microseconds);
	end_sleep(&wait, result == 0);
	return result;
}

HOOK(int, nanosleep, const struct timespec *request, struct timespec *rest)
{
	struct wait wait = SLEEP;

	wait_try(&wait);
	int result = NEXT(nanosleep)(request, rest);
	end_sleep(&wait, result == 0);
	return result;
}

HOOK(int, clock_nanosleep, clockid_t clock, int flags, const struct timespec *request,
		struct timespec *rest)
{
	struct wait wait = SLEEP;

	wait_try(&wait);
	int result = NEXT(clock_nanosleep)(clock, flags, request, rest);
	end_sleep(&wait, result == 0);
	return result;
}

HOOK(int, thrd_sleep, const struct timespec *request, struct timespec *rest)
{
	struct wait wait = SLEEP;

	wait_try(&wait);
	int result = NEXT(thrd_sleep)(request, rest);
	end_sleep(&wait, result == 0);
	return result;
}

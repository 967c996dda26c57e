#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "recorder/shim/hook.h"
#include "recorder/shim/wait.h"

/* Waiting for signals, and for child processes. */

static void end_signal_wait(struct wait *wait, bool failed)
{
	uint8_t flags = 0;

	if (failed)
		flags = errno == EAGAIN ? EVENT_FLAG_TIMED_OUT : EVENT_FLAG_INTERRUPTED;
	wait_end(wait, TASK_NONE, flags);
}

/* These two end by a handled signal only, and say so by failing. */
HOOK(int, pause, void)
{
	struct wait wait = WAIT(REASON_PAUSE, OBJECT_NONE, 0);

	wait_try(&wait);
	int result = NEXT(pause)();
	wait_end(&wait, TASK_NONE, 0);
	return result;
}

HOOK(int, sigsuspend, const sigset_t *mask)
{
	struct wait wait = WAIT(REASON_SIGNAL_WAIT, OBJECT_NONE, 0);

	wait_try(&wait);
	int result = NEXT(sigsuspend)(mask);
	wait_end(&wait, TASK_NONE, 0);
	return result;
}

HOOK(int, sigwait, const sigset_t *restrict set, int *restrict number)
{
	struct wait wait = WAIT(REASON_SIGNAL_WAIT, OBJECT_NONE, 0);

	wait_try(&wait);
	int error = NEXT(sigwait)(set, number);
	wait_end(&wait, TASK_NONE, error ? EVENT_FLAG_INTERRUPTED : 0);
	return error;
}

HOOK(int, sigwaitinfo, const sigset_t *restrict set, siginfo_t *restrict info)
{
	struct wait wait = WAIT(REASON_SIGNAL_WAIT, OBJECT_NONE, 0);

	wait_try(&wait);
	int result = NEXT(sigwaitinfo)(set, info);
	end_signal_wait(&wait, result < 0);
	return result;
}

HOOK(int, sigtimedwait, const sigset_t *restrict set, siginfo_t *restrict info,
		const struct timespec *restrict limit)
{
	struct wait wait = WAIT(REASON_SIGNAL_WAIT, OBJECT_NONE, 0);

	wait.event.flags = limit ? EVENT_FLAG_TIMED : 0;
	wait_try(&wait);
	int result = NEXT(sigtimedwait)(set, info, limit);
	end_signal_wait(&wait, result < 0);
	return result;
}

/* ---- children ---- */

/* A positive process id is waited for; every other number stands for several processes. */
static inline uint64_t one_child(pid_t pid)
{
	return pid > 0 ? (uint64_t)pid : 0;
}

static void end_child_wait(struct wait *wait, bool failed)
{
	wait_end(wait, TASK_NONE, failed ? EVENT_FLAG_INTERRUPTED : 0);
}

HOOK(pid_t, wait, int *status)
{
	struct wait waiting = WAIT(REASON_CHILD_WAIT, OBJECT_PROCESS, 0);

	wait_try(&waiting);
	pid_t child = NEXT(wait)(status);
	end_child_wait(&waiting, child < 0);
	return child;
}

HOOK(pid_t, waitpid, pid_t pid, int *status, int options)
{
	struct wait wait = WAIT(REASON_CHILD_WAIT, OBJECT_PROCESS, one_child(pid));

	if (options & WNOHANG)
		return NEXT(waitpid)(pid, status, options);
	wait_try(&wait);
	pid_t child = NEXT(waitpid)(pid, status, options);
	end_child_wait(&wait, child < 0);
	return child;
}

HOOK(pid_t, wait3, int *status, int options, struct rusage *usage)
{
	struct wait wait = WAIT(REASON_CHILD_WAIT, OBJECT_PROCESS, 0);

	if (options & WNOHANG)
		return NEXT(wait3)(status, options, usage);
	wait_try(&wait);
	pid_t child = NEXT(wait3)(status, options, usage);
	end_child_wait(&wait, child < 0);
	return child;
}

HOOK(pid_t, wait4, pid_t pid, int *status, int options, struct rusage *usage)
{
	struct wait wait = WAIT(REASON_CHILD_WAIT, OBJECT_PROCESS, one_child(pid));

	if (options & WNOHANG)
		return NEXT(wait4)(pid, status, options, usage);
	wait_try(&wait);
	pid_t child = NEXT(wait4)(pid, status, options, usage);
	end_child_wait(&wait, child < 0);
	return child;
}

HOOK(int, waitid, idtype_t type, id_t id, siginfo_t *info, int options)
{
	struct wait wait = WAIT(REASON_CHILD_WAIT, OBJECT_PROCESS, type == P_PID ? id : 0);

	if (options & WNOHANG)
		return NEXT(waitid)(type, id, info, options);
	wait_try(&wait);
	int result = NEXT(waitid)(type, id, info, options);
	end_child_wait(&wait, result < 0);
	return result;
}

/* These wait within the C library, where no hook sees it. */
HOOK(int, system, const char *command)
{
	struct wait wait = WAIT(REASON_CHILD_WAIT, OBJECT_PROCESS, 0);

	wait_try(&wait);
	int status = NEXT(system)(command);
	end_child_wait(&wait, status < 0);
	return status;
}

HOOK(int, pclose, FILE *stream)
{
	struct wait wait = WAIT(REASON_CHILD_WAIT, OBJECT_PROCESS, 0);

	wait_try(&wait);
	int status = NEXT(pclose)(stream);
	end_child_wait(&wait, status < 0);
	return status;
}

#include <errno.h>
#include <poll.h>
#include <sys/types.h>
#include <unistd.h>

#include "recorder/shim/hook.h"
#include "recorder/shim/shim.h"
#include "recorder/shim/wait.h"

static void end_io(struct wait *wait, bool failed)
{
	uint8_t flags = 0;

	if (failed)
		flags = errno == EAGAIN || errno == ETIMEDOUT ? EVENT_FLAG_TIMED_OUT
							      : EVENT_FLAG_INTERRUPTED;
	wait_end(wait, TASK_NONE, flags);
}

HOOK(ssize_t, read, int fd, void *buffer, size_t size)
{
	struct wait wait = WAIT(REASON_READ, OBJECT_DESCRIPTOR, fd);

	wait_try(&wait);
	ssize_t result = NEXT(read)(fd, buffer, size);
	end_io(&wait, result < 0);
	return result;
}

HOOK(ssize_t, write, int fd, const void *buffer, size_t size)
{
	struct wait wait = WAIT(REASON_WRITE, OBJECT_DESCRIPTOR, fd);

	wait_try(&wait);
	ssize_t result = NEXT(write)(fd, buffer, size);
	end_io(&wait, result < 0);
	return result;
}

HOOK(int, poll, struct pollfd *fds, nfds_t count, int timeout_ms)
{
	struct wait wait = WAIT(REASON_POLL, OBJECT_NONE, 0);

	if (timeout_ms == 0)
		return NEXT(poll)(fds, count, timeout_ms);
	wait.event.flags = timeout_ms > 0 ? EVENT_FLAG_TIMED : 0;
	wait_try(&wait);
	int result = NEXT(poll)(fds, count, timeout_ms);
	wait_end(&wait, TASK_NONE,
			result == 0  ? EVENT_FLAG_TIMED_OUT
			: result < 0 ? EVENT_FLAG_INTERRUPTED
				     : 0);
	return result;
}

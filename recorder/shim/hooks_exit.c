#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "recorder/ring/system_call.h"
#include "recorder/shim/hook.h"
#include "recorder/shim/shim.h"

/*
 * The process ends because it wants to. The recorder asks the kernel how a process ended, and is
 * told only by newer ones, and not when the process was gone before the recorder had seen it: then
 * what is left here tells an end in order from a crash, whose blocked tasks are evidence.
 *
 * A child of vfork() that ends is not this process, although it runs in its memory. A child that
 * has recorded nothing has no slot to leave anything in.
 */
static void leave(int status)
{
	if (atomic_load_explicit(&shim_page.is.live, memory_order_relaxed) == 0)
		return;
	if ((uint32_t)system_call(SYS_getpid, 0, 0, 0, 0) !=
			atomic_load_explicit(&shim.slot->pid, memory_order_relaxed))
		return;
	atomic_store_explicit(&shim.slot->left, SEGMENT_LEFT | ((uint32_t)status & 0xff),
			memory_order_relaxed);
}

static void leave_by_exit(int status, void *context)
{
	(void)context;
	leave(status);
}

bool shim_watch_exit(void)
{
	return on_exit(leave_by_exit, NULL) == 0;
}

#define EXIT_HOOK(name)                  \
	HOOK(void, name, int status)     \
	{                                \
		leave(status);           \
		NEXT(name)(status);      \
		__builtin_unreachable(); \
	}

EXIT_HOOK(_exit)
EXIT_HOOK(_Exit)

#include "recorder/shim/readable.h"

#include <errno.h>
#include <stddef.h>
#include <sys/syscall.h>

#include "recorder/ring/system_call.h"

/* What the kernel takes for the size of a signal mask. */
#define SIGNAL_MASK_BYTES 8

bool readable_page(uintptr_t address)
{
	uintptr_t word = address & ~(uintptr_t)(READABLE_PAGE - 1);

	return system_call(SYS_rt_sigprocmask, ~0L, (long)word, 0, SIGNAL_MASK_BYTES) == -EINVAL;
}

/* The one thing that parts of the shim want of its whole. */
#include "recorder/shim/shim.h"

#include <sys/mman.h>

bool shim_wipe_on_fork(void *memory, size_t size)
{
	return madvise(memory, size, MADV_WIPEONFORK) == 0;
}

#include "recorder/shim/stack_libunwind.h"

#include <dlfcn.h>
#include <stddef.h>

#define LIBUNWIND_NAME "libunwind.so.8"

static int (*unwind_backtrace)(void **buffer, int size);

bool stack_libunwind_init(void)
{
	if (unwind_backtrace)
		return true;

	void *library = dlopen(LIBUNWIND_NAME, RTLD_LOCAL | RTLD_NOW);
	if (!library)
		return false;

	/* POSIX guarantees the conversion that ISO C does not know. */
	*(void **)&unwind_backtrace = dlsym(library, "unw_backtrace");
	return unwind_backtrace != NULL;
}

uint32_t stack_libunwind_walk(uintptr_t *frames, uint32_t frames_max)
{
	int count = unwind_backtrace ? unwind_backtrace((void **)frames, (int)frames_max) : 0;

	return count > 0 ? (uint32_t)count : 0;
}

#include "recorder/shim/hook.h"

#include <dlfcn.h>
#include <errno.h>

/* The section's bounds, made by the linker. */
extern struct next_symbol __start_loiter_next[] __attribute__((visibility("hidden")));
extern struct next_symbol __stop_loiter_next[] __attribute__((visibility("hidden")));

/* Stands in for a function that this C library does not have. */
static long next_missing(void)
{
	errno = ENOSYS;
	return -1;
}

next_function *next_find(struct next_symbol *symbol)
{
	int saved_errno = errno;
	next_function *found = NULL;

	/*
	 * dlsym() finds out from its return address whose "next" is meant, so it may not be the
	 * last call of a function that is compiled to a jump; the store of its result prevents
	 * that. POSIX guarantees the conversion that ISO C does not know.
	 */
	if (symbol->version)
		*(void **)&found = dlvsym(RTLD_NEXT, symbol->name, symbol->version);
	if (!found)
		*(void **)&found = dlsym(RTLD_NEXT, symbol->name);
	if (!found)
		found = (next_function *)next_missing;
	__atomic_store_n(&symbol->address, found, __ATOMIC_RELAXED);
	errno = saved_errno;
	return found;
}

void next_find_all(void)
{
	for (struct next_symbol *symbol = __start_loiter_next; symbol < __stop_loiter_next;
			symbol++)
		next_find(symbol);
}

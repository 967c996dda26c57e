#include <dlfcn.h>

#include "recorder/shim/hook.h"
#include "recorder/shim/stack_capture.h"

/*
 * A file that was loaded at run time may give way to another at the same addresses. Loading is not
 * hooked: dlopen() looks at who calls it to find the file, and would find us.
 */
HOOK(int, dlclose, void *handle)
{
	int result = NEXT(dlclose)(handle);

	stack_capture_modules_changed();
	return result;
}

/*
 * Code that was loaded at run time waits like any other, also from its constructor, and may be
 * unloaded again.
 *
 * Events:
 *	1 run existing
 *	1 name plugin
 *	1 block sleep timed
 *	1 unblock timed-out
 *	1 block sleep timed
 *	1 unblock timed-out
 *	1 block sleep timed
 *	1 unblock timed-out
 *	1 block sleep timed
 *	1 unblock timed-out
 *	1 block sleep timed
 *	1 unblock timed-out
 *	1 block sleep timed
 *	1 unblock timed-out
 *	1 exit
 */
#include "tests/integration/shim/targets/target.h"

#include <dlfcn.h>
#include <libgen.h>

int main(int argc, char **argv)
{
	char path[4096];

	if (argc < 1)
		return 77;
	snprintf(path, sizeof(path), "%s/libshim_plugin.so", dirname(argv[0]));
	for (int i = 0; i < 2; i++) {
		void *plugin = dlopen(path, RTLD_NOW);
		if (!plugin) {
			printf("%s\n", dlerror());
			return 1;
		}
		int (*wait_there)(void) = NULL;
		*(void **)&wait_there = dlsym(plugin, "wait_there");
		SHOW(wait_there());
		SHOW(dlclose(plugin));
	}
	return 0;
}

/* What plugin.c loads. */
#include <unistd.h>

int wait_there(void);

__attribute__((constructor)) static void start(void)
{
	usleep(20000);
}

__attribute__((destructor)) static void stop(void)
{
	usleep(20000);
}

__attribute__((visibility("default"))) int wait_there(void)
{
	return usleep(20000);
}

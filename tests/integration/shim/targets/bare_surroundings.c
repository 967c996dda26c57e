/*
 * A program that closes all descriptors, leaves its directory and closes the root behind itself,
 * and drops its environment goes on being recorded.
 *
 * Events:
 *	1 run existing
 *	1 name bare_surroundin
 *	1 block sleep timed
 *	1 unblock timed-out
 *	1 create 2
 *	1 block join task 2 holder 2
 *	1 unblock waker 2
 *	1 exit
 *	2 run
 *	2 block sleep timed
 *	2 unblock timed-out
 *	2 exit
 */
#include "tests/integration/shim/targets/target.h"

#include <sys/resource.h>

static struct actor other;

static void *rest(void *unused)
{
	(void)unused;
	usleep(20000);
	actor_reaches(&other, 1);
	return NULL;
}

int main(void)
{
	clearenv();
	SHOW(chdir("/proc/self/fdinfo"));
	if (geteuid() == 0)
		SHOW(chroot("/sys/kernel"));
	else
		SHOW(0);
	close(STDIN_FILENO);
	close_range(STDERR_FILENO, ~0u, 0);
	SHOW(setrlimit(RLIMIT_NOFILE, &(struct rlimit){ 0, 0 }));
	SHOW(setrlimit(RLIMIT_FSIZE, &(struct rlimit){ 1 << 20, 1 << 20 }));
	usleep(20000);
	SHOW(pthread_create(&other.thread, NULL, rest, NULL));
	SHOW(pthread_join(other.thread, NULL));
	return 0;
}

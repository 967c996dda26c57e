/*
 * Children that are left alone: nothing of theirs is recorded, and nothing of ours is in the
 * environment of the programs that they become.
 *
 * Events:
 *	1 run existing
 *	1 name fork_alone
 *	1 block sleep timed
 *	1 unblock timed-out
 *	1 exit
 */
#include "tests/integration/shim/targets/target.h"

#include <sys/wait.h>

static int status;

static void *rest(void *unused)
{
	(void)unused;
	usleep(20000);
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t thread;

	if (argc > 2) {
		SHOW(getenv("LD_PRELOAD") == NULL);
		SHOW(getenv("LOITER_SEGMENT") == NULL);
		SHOW(getenv("LOITER_SEGMENT_TOKEN") == NULL);
		return 9;
	}
	SHOW(getenv("LD_PRELOAD") == NULL);
	fflush(stdout);
	if (fork() == 0) {
		pthread_create(&thread, NULL, rest, NULL);
		pthread_join(thread, NULL);
		usleep(20000);
		_exit(7);
	}
	SHOW(syscall(SYS_wait4, -1, &status, 0, NULL) > 0);
	SHOW(WEXITSTATUS(status));
	fflush(stdout);
	if (fork() == 0)
		execl(argv[0], argv[0], argv[1], "again", (char *)NULL);
	SHOW(syscall(SYS_wait4, -1, &status, 0, NULL) > 0);
	SHOW(WEXITSTATUS(status));
	usleep(20000);
	return 0;
}

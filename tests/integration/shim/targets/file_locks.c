/*
 * Locks on files, held by another open file or another process.
 *
 * Events:
 *	1 run existing
 *	1 name file_locks
 *	1 create 2
 *	1 block file lock descriptor 4
 *	1 unblock
 *	1 create 3
 *	1 block file lock descriptor 4
 *	1 unblock
 *	1 exit
 *	2 run
 *	2 exit
 *	3 run
 *	3 exit
 */
#include "tests/integration/shim/targets/target.h"

#include <sys/file.h>
#include <sys/wait.h>

static struct actor other;
static char path[] = "/tmp/shim-target-XXXXXX";
static int first, second;

static void *release_when_asleep(void *unused)
{
	struct actor main_thread = { .tid = getpid() };

	(void)unused;
	actor_await_sleep(&main_thread, 0);
	long_nap();
	flock(first, LOCK_UN);
	fcntl(first, F_OFD_SETLK, &(struct flock){ .l_type = F_UNLCK });
	actor_reaches(&other, 1);
	return NULL;
}

int main(void)
{
	struct flock lock = { .l_type = F_WRLCK };

	first = mkstemp(path);
	second = open(path, O_RDWR);
	SHOW(flock(first, LOCK_EX));
	SHOW(flock(second, LOCK_EX | LOCK_NB));
	pthread_create(&other.thread, NULL, release_when_asleep, NULL);
	SHOW(flock(second, LOCK_EX));
	actor_join(&other);

	SHOW(fcntl(first, F_OFD_SETLKW, &lock));
	SHOW(fcntl(second, F_OFD_SETLK, &lock));
	pthread_create(&other.thread, NULL, release_when_asleep, NULL);
	SHOW(fcntl(second, F_OFD_SETLKW, &lock));
	actor_join(&other);
	SHOW(fcntl(second, F_GETFL) == (O_RDWR | O_LARGEFILE));
	SHOW(fcntl(second, F_SETFD, FD_CLOEXEC));
	SHOW(fcntl(second, F_GETFD));
	SHOW(fcntl(-1, F_GETFD));
	SHOW(lockf(second, F_TEST, 0));
	unlink(path);
	return 0;
}

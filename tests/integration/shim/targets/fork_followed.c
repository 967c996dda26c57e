/*
 * Children of a program with threads: each is a process of its own, however it was made, as soon
 * as it does something worth recording.
 *
 * Options: follow
 *
 * Events:
 *	process 2 forked
 *	process 3 forked
 *	process 6 forked
 *	process 6 replaced
 *	process 7 forked
 *	1.1 run existing
 *	1.1 name fork_followed
 *	1.1 create 1.2
 *	1.1 exit
 *	1.2 run
 *	1.2 exit
 *	2.1 run existing
 *	2.1 name fork_followed
 *	2.1 block sleep timed
 *	2.1 unblock timed-out
 *	2.1 create 2.2
 *	2.1 block join task 2.2 holder 2.2
 *	2.1 unblock waker 2.2
 *	2.2 run
 *	2.2 block sleep timed
 *	2.2 unblock timed-out
 *	2.2 exit
 *	3.1 run existing
 *	3.1 name fork_followed
 *	3.1 block sleep timed
 *	3.1 unblock timed-out
 *	3.1 create 3.2
 *	3.1 block join task 3.2 holder 3.2
 *	3.1 unblock waker 3.2
 *	3.2 run
 *	3.2 block sleep timed
 *	3.2 unblock timed-out
 *	3.2 exit
 *	4.1 run existing
 *	4.1 name fork_followed
 *	4.1 block sleep timed
 *	4.1 unblock timed-out
 *	4.1 exit
 *	5.1 run existing
 *	5.1 name fork_followed
 *	5.1 block sleep timed
 *	5.1 unblock timed-out
 *	5.1 exit
 *	6.1 run existing
 *	6.1 name fork_followed
 *	6.1 block sleep timed
 *	6.1 unblock timed-out
 *	6.1 block sleep timed
 *	6.1 unblock timed-out
 *	7.1 run existing
 *	7.1 name fork_followed
 *	7.1 block sleep timed
 *	7.1 unblock timed-out
 *	7.1 create 7.2
 *	7.1 block join task 7.2 holder 7.2
 *	7.1 unblock waker 7.2
 *	7.2 run
 *	7.2 block sleep timed
 *	7.2 unblock timed-out
 *	7.2 exit
 *	8.1 run existing
 *	8.1 name fork_followed
 *	8.1 block sleep timed
 *	8.1 unblock timed-out
 *	8.1 exit
 */
#include "tests/integration/shim/targets/target.h"

#include <sched.h>
#include <spawn.h>
#include <sys/wait.h>

static struct actor other;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int status;

static void *stay(void *unused)
{
	(void)unused;
	pthread_mutex_lock(&mutex);
	actor_reaches(&other, 1);
	while (atomic_load(&other.at) < 100)
		nap();
	pthread_mutex_unlock(&mutex);
	return NULL;
}

static void *rest(void *unused)
{
	(void)unused;
	usleep(20000);
	return NULL;
}

static void in_child(void)
{
	pthread_t thread;

	usleep(20000);
	pthread_create(&thread, NULL, rest, NULL);
	pthread_join(thread, NULL);
	_exit(7);
}

static void reap(void)
{
	while (syscall(SYS_wait4, -1, &status, 0, NULL) < 0)
		continue;
	SHOW(WEXITSTATUS(status));
}

int main(int argc, char **argv)
{
	pid_t child;

	if (argc > 2 && strcmp(argv[2], "again") == 0) {
		usleep(20000);
		return 9;
	}
	fflush(stdout);
	pthread_create(&other.thread, NULL, stay, NULL);
	actor_await(&other, 1);

	if (fork() == 0)
		in_child();
	reap();
	/* The same without the C library's help. */
	if (syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, 0) == 0)
		in_child();
	reap();
	/* A child that does nothing leaves no trace. */
	if (fork() == 0)
		_exit(8);
	reap();
	char *const arguments[] = { argv[0], argv[1], (char *)"again", NULL };
	if (vfork() == 0) {
		execv(argv[0], arguments);
		_exit(1);
	}
	reap();
	SHOW(posix_spawn(&child, argv[0], NULL, NULL, arguments, environ));
	reap();
	/* One that waits, forks in turn, and becomes another program in the end. */
	if (fork() == 0) {
		usleep(20000);
		if (fork() == 0)
			in_child();
		reap();
		execv("/nonexistent", arguments);
		usleep(20000);
		execv(argv[0], arguments);
	}
	reap();
	atomic_store(&other.at, 100);
	actor_join(&other);
	return 0;
}

/*
 * Threads: created, joined in every way, detached, ended by pthread_exit(), named, refused.
 *
 * Events:
 *	1 run existing
 *	1 name threads
 *	1 create 2
 *	1 block join task 2 holder 2
 *	1 unblock waker 2
 *	1 create 3
 *	1 block join task 3 holder 3 timed
 *	1 unblock timed-out
 *	1 block join task 3 holder 3 timed
 *	1 unblock timed-out
 *	1 name of 3 waits for go
 *	1 create 4
 *	1 block join task 4 holder 4
 *	1 unblock interrupted
 *	1 create 5
 *	1 create 6
 *	1 block join task 1 holder 1
 *	1 unblock interrupted
 *	1 exit
 *	2 run
 *	2 exit
 *	3 run
 *	3 exit
 *	4 run
 *	4 exit
 *	5 run
 *	5 name by prctl
 *	5 name by pthread
 *	5 exit
 *	6 exit
 */
#include "tests/integration/shim/targets/target.h"

#include <sys/prctl.h>

static struct actor other;
static _Atomic int go;

static void *wait_for_go(void *argument)
{
	actor_reaches(&other, 1);
	while (!atomic_load(&go))
		nap();
	return argument;
}

static void *exit_deep_down(void *argument)
{
	actor_reaches(&other, 1);
	long_nap();
	pthread_exit(argument);
}

static void *name_itself(void *argument)
{
	prctl(PR_SET_NAME, "by prctl");
	pthread_setname_np(pthread_self(), "by pthread");
	prctl(PR_SET_TIMERSLACK, 1);
	actor_reaches(&other, 1);
	return argument;
}

static void start(void *(*routine)(void *), const pthread_attr_t *attributes)
{
	atomic_store(&go, 0);
	atomic_store(&other.at, 0);
	SHOW(pthread_create(&other.thread, attributes, routine, (void *)42));
}

static void *value;

int main(void)
{
	struct timespec limit;
	pthread_attr_t attributes;

	/* Waits for the thread's end. */
	start(exit_deep_down, NULL);
	SHOW(pthread_join(other.thread, &value));
	SHOW(value);

	/* Time limits, and the end at last. */
	start(wait_for_go, NULL);
	SHOW(pthread_tryjoin_np(other.thread, &value) == EBUSY);
	limit = in_ms(CLOCK_REALTIME, 20);
	SHOW(pthread_timedjoin_np(other.thread, &value, &limit));
	limit = in_ms(CLOCK_MONOTONIC, 20);
	SHOW(pthread_clockjoin_np(other.thread, &value, CLOCK_MONOTONIC, &limit));
	SHOW(pthread_setname_np(other.thread, "waits for go"));
	SHOW(pthread_setname_np(other.thread, "a name that is too long"));
	atomic_store(&go, 1);
	actor_join(&other);

	/* Detached: nobody waits. */
	pthread_attr_init(&attributes);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	start(wait_for_go, &attributes);
	actor_await(&other, 1);
	SHOW(pthread_join(other.thread, &value));
	atomic_store(&go, 1);
	while (task_state(other.tid) != '?')
		nap();
	atomic_store(&other.tid, 0);

	start(name_itself, NULL);
	actor_join(&other);

	/* A thread that cannot be: its stack does not fit into memory. */
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_JOINABLE);
	pthread_attr_setstacksize(&attributes, (size_t)1 << 47);
	start(wait_for_go, &attributes);

	SHOW(pthread_join(pthread_self(), NULL));
	return 0;
}

/*
 * One-time initialisation and barriers.
 *
 * Events:
 *	1 run existing
 *	1 name once_barrier
 *	1 create 2
 *	1 block once once 1 holder 2
 *	1 unblock waker 2
 *	1 create 3
 *	1 exit
 *	2 run
 *	2 exit
 *	3 run
 *	3 block barrier wait barrier 1
 *	3 unblock waker 1
 *	3 exit
 */
#include "tests/integration/shim/targets/target.h"

static struct actor other;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_barrier_t barrier;

static void initialise(void)
{
	long_nap();
}

static void *run_once(void *unused)
{
	(void)unused;
	actor_reaches(&other, 1);
	SHOW(pthread_once(&once, initialise));
	return NULL;
}

static void *arrive(void *unused)
{
	(void)unused;
	actor_reaches(&other, 1);
	SHOW(pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD);
	return NULL;
}

int main(void)
{
	pthread_create(&other.thread, NULL, run_once, NULL);
	actor_await_sleep(&other, 1);
	SHOW(pthread_once(&once, initialise));
	actor_join(&other);
	SHOW(pthread_once(&once, initialise));

	SHOW(pthread_barrier_init(&barrier, NULL, 2));
	pthread_create(&other.thread, NULL, arrive, NULL);
	actor_await_sleep(&other, 1);
	long_nap();
	SHOW(pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD);
	actor_join(&other);
	SHOW(pthread_barrier_destroy(&barrier));
	return 0;
}

/*
 * A program ended by a thread that is not its first, while others still wait.
 *
 * Events:
 *	1 run existing
 *	1 name endings
 *	1 create 2
 *	1 create 3
 *	1 create 4
 *	1 block pause
 *	2 run
 *	2 block sleep timed
 *	2 unblock timed-out
 *	2 exit
 *	3 run
 *	3 block mutex lock mutex 1 holder 1
 *	4 run
 *	4 block sleep timed
 *	4 unblock timed-out
 *	4 exit
 */
#include "tests/integration/shim/targets/target.h"

#include <signal.h>

static struct actor waiter, ender;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_key_t key;

/* Values of the program's own are destroyed, also when that waits, before the thread ends. */
static void destroy(void *value)
{
	(void)value;
	usleep(20000);
}

static void *wait_forever(void *unused)
{
	(void)unused;
	actor_reaches(&waiter, 1);
	pthread_mutex_lock(&mutex);
	return NULL;
}

static void at_exit(void)
{
	usleep(20000);
}

static void *with_value(void *unused)
{
	(void)unused;
	pthread_setspecific(key, &key);
	actor_reaches(&ender, 1);
	return NULL;
}

static void *end_program(void *unused)
{
	(void)unused;
	actor_await_sleep(&waiter, 1);
	SHOW(atexit(at_exit));
	exit(3);
}

int main(void)
{
	pthread_key_create(&key, destroy);
	pthread_mutex_lock(&mutex);
	pthread_create(&ender.thread, NULL, with_value, NULL);
	actor_join(&ender);
	pthread_create(&waiter.thread, NULL, wait_forever, NULL);
	pthread_create(&ender.thread, NULL, end_program, NULL);
	pause();
	return 0;
}

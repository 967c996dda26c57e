/*
 * Condition variables: whoever signalled is named, a signal that nobody waited for is remembered,
 * and time runs out by either clock.
 *
 * Events:
 *	1 run existing
 *	1 name conditions
 *	1 create 2
 *	1 create 3
 *	1 create 4
 *	1 block join task 4 holder 4
 *	1 unblock waker 4
 *	1 block cond wait cond 1 timed
 *	1 unblock timed-out
 *	1 block cond wait cond 2 timed
 *	1 unblock timed-out
 *	1 block cond wait cond 2 timed
 *	1 unblock timed-out
 *	1 block cond wait cond 2 timed
 *	1 unblock interrupted
 *	1 block cond wait cond 2 timed
 *	1 unblock interrupted
 *	1 exit
 *	2 run
 *	2 block cond wait cond 2
 *	2 unblock waker 1
 *	2 exit
 *	3 run
 *	3 block cond wait cond 2
 *	3 unblock waker 1
 *	3 exit
 *	4 run
 *	4 block cond wait cond 3 signaller 1 timed signalled-before
 *	4 unblock timed-out
 *	4 exit
 */
#include "tests/integration/shim/targets/target.h"

static struct actor other;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static pthread_cond_t early = PTHREAD_COND_INITIALIZER;
static pthread_cond_t monotonic;
static bool ready;

static void *wait_until_ready(void *unused)
{
	(void)unused;
	pthread_mutex_lock(&mutex);
	actor_reaches(&other, 1);
	while (!ready)
		SHOW(pthread_cond_wait(&cond, &mutex));
	ready = false;
	pthread_mutex_unlock(&mutex);
	return NULL;
}

static void *wait_for_early(void *unused)
{
	struct timespec limit = in_ms(CLOCK_REALTIME, 20);

	(void)unused;
	pthread_mutex_lock(&mutex);
	SHOW(pthread_cond_timedwait(&early, &mutex, &limit));
	pthread_mutex_unlock(&mutex);
	return NULL;
}

static void wake(int (*how)(pthread_cond_t *))
{
	pthread_create(&other.thread, NULL, wait_until_ready, NULL);
	actor_await_sleep(&other, 1);
	pthread_mutex_lock(&mutex);
	ready = true;
	SHOW(how(&cond));
	pthread_mutex_unlock(&mutex);
	actor_join(&other);
}

int main(void)
{
	pthread_condattr_t attributes;
	struct timespec limit;

	wake(pthread_cond_signal);
	wake(pthread_cond_broadcast);

	SHOW(pthread_cond_signal(&early));
	pthread_create(&other.thread, NULL, wait_for_early, NULL);
	pthread_join(other.thread, NULL);

	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&monotonic, &attributes);
	pthread_mutex_lock(&mutex);
	limit = in_ms(CLOCK_MONOTONIC, 20);
	SHOW(pthread_cond_timedwait(&monotonic, &mutex, &limit));
	limit = in_ms(CLOCK_MONOTONIC, 20);
	SHOW(pthread_cond_clockwait(&cond, &mutex, CLOCK_MONOTONIC, &limit));
	limit = in_ms(CLOCK_REALTIME, 20);
	SHOW(pthread_cond_clockwait(&cond, &mutex, CLOCK_REALTIME, &limit));
	SHOW(pthread_cond_clockwait(&cond, &mutex, CLOCK_PROCESS_CPUTIME_ID, &limit));
	SHOW(pthread_cond_timedwait(&cond, &mutex, &(struct timespec){ 0, 2000000000 }));
	pthread_mutex_unlock(&mutex);
	return 0;
}

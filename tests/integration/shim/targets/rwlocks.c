/*
 * Reader-writer locks: the writer that is waited for has a name, readers have none.
 *
 * Events:
 *	1 run existing
 *	1 name rwlocks
 *	1 create 2
 *	1 create 3
 *	1 create 4
 *	1 create 5
 *	1 block join task 5 holder 5
 *	1 unblock waker 5
 *	1 exit
 *	2 run
 *	2 block rwlock read rwlock 1 holder 1
 *	2 unblock waker 1
 *	2 exit
 *	3 run
 *	3 block rwlock write rwlock 1 holder 1
 *	3 unblock waker 1
 *	3 exit
 *	4 run
 *	4 block rwlock write rwlock 1
 *	4 unblock
 *	4 exit
 *	5 run
 *	5 block rwlock read rwlock 1 holder 1 timed
 *	5 unblock timed-out
 *	5 block rwlock write rwlock 1 holder 1 timed
 *	5 unblock timed-out
 *	5 block rwlock read rwlock 1 holder 1 timed
 *	5 unblock timed-out
 *	5 block rwlock write rwlock 1 holder 1 timed
 *	5 unblock timed-out
 *	5 exit
 */
#include "tests/integration/shim/targets/target.h"

static struct actor other;
static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;

static void *read_lock(void *unused)
{
	(void)unused;
	actor_reaches(&other, 1);
	SHOW(pthread_rwlock_rdlock(&lock));
	SHOW(pthread_rwlock_unlock(&lock));
	return NULL;
}

static void *write_lock(void *unused)
{
	(void)unused;
	actor_reaches(&other, 1);
	SHOW(pthread_rwlock_wrlock(&lock));
	SHOW(pthread_rwlock_unlock(&lock));
	return NULL;
}

static void *lock_in_time(void *unused)
{
	struct timespec limit = in_ms(CLOCK_REALTIME, 20);

	(void)unused;
	SHOW(pthread_rwlock_timedrdlock(&lock, &limit));
	limit = in_ms(CLOCK_REALTIME, 20);
	SHOW(pthread_rwlock_timedwrlock(&lock, &limit));
	limit = in_ms(CLOCK_MONOTONIC, 20);
	SHOW(pthread_rwlock_clockrdlock(&lock, CLOCK_MONOTONIC, &limit));
	limit = in_ms(CLOCK_MONOTONIC, 20);
	SHOW(pthread_rwlock_clockwrlock(&lock, CLOCK_MONOTONIC, &limit));
	SHOW(pthread_rwlock_timedwrlock(&lock, &(struct timespec){ 0, -1 }));
	SHOW(pthread_rwlock_clockwrlock(&lock, CLOCK_PROCESS_CPUTIME_ID, &limit));
	return NULL;
}

static void wait_for_me(void *(*routine)(void *))
{
	pthread_create(&other.thread, NULL, routine, NULL);
	actor_await_sleep(&other, 1);
	pthread_rwlock_unlock(&lock);
	actor_join(&other);
}

int main(void)
{
	struct timespec limit = in_ms(CLOCK_REALTIME, 100000);

	SHOW(pthread_rwlock_wrlock(&lock));
	SHOW(pthread_rwlock_rdlock(&lock)); /* would wait for itself, and is told so */
	SHOW(pthread_rwlock_wrlock(&lock));
	wait_for_me(read_lock);

	SHOW(pthread_rwlock_timedwrlock(&lock, &limit));
	wait_for_me(write_lock);

	SHOW(pthread_rwlock_rdlock(&lock));
	SHOW(pthread_rwlock_timedrdlock(&lock, &limit));
	pthread_rwlock_unlock(&lock);
	wait_for_me(write_lock);

	pthread_rwlock_wrlock(&lock);
	pthread_create(&other.thread, NULL, lock_in_time, NULL);
	pthread_join(other.thread, NULL);
	SHOW(pthread_rwlock_unlock(&lock));
	return 0;
}

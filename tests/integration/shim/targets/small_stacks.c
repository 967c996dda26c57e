/*
 * Threads with the smallest stack that there may be do all kinds of waits.
 *
 * Events:
 *	1 run existing
 *	1 name small_stacks
 *	1 create 2
 *	1 create 3
 *	1 create 4
 *	1 exit
 *	2 run
 *	2 block cond wait cond 1 timed
 *	2 unblock timed-out
 *	2 block mutex lock mutex 1 holder 2 timed
 *	2 unblock timed-out
 *	2 block semaphore wait semaphore 1 timed
 *	2 unblock timed-out
 *	2 block poll timed
 *	2 unblock timed-out
 *	2 block sleep timed
 *	2 unblock timed-out
 *	2 exit
 *	3 run
 *	3 block cond wait cond 1 timed
 *	3 unblock timed-out
 *	3 block mutex lock mutex 1 holder 3 timed
 *	3 unblock timed-out
 *	3 block semaphore wait semaphore 1 timed
 *	3 unblock timed-out
 *	3 block poll timed
 *	3 unblock timed-out
 *	3 block sleep timed
 *	3 unblock timed-out
 *	3 exit
 *	4 run
 *	4 block cond wait cond 1 timed
 *	4 unblock timed-out
 *	4 block mutex lock mutex 1 holder 4 timed
 *	4 unblock timed-out
 *	4 block semaphore wait semaphore 1 timed
 *	4 unblock timed-out
 *	4 block poll timed
 *	4 unblock timed-out
 *	4 block sleep timed
 *	4 unblock timed-out
 *	4 exit
 */
#include "tests/integration/shim/targets/target.h"

#include <limits.h>
#include <poll.h>
#include <semaphore.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static sem_t semaphore;
static struct actor other;

static void *wait_in_many_ways(void *unused)
{
	struct timespec limit = in_ms(CLOCK_REALTIME, 10);

	(void)unused;
	pthread_mutex_lock(&mutex);
	pthread_cond_timedwait(&cond, &mutex, &limit);
	limit = in_ms(CLOCK_REALTIME, 10);
	pthread_mutex_timedlock(&mutex, &limit);
	pthread_mutex_unlock(&mutex);
	limit = in_ms(CLOCK_REALTIME, 10);
	sem_timedwait(&semaphore, &limit);
	poll(NULL, 0, 10);
	usleep(10000);
	syscall(SYS_gettid);
	atomic_store(&other.tid, (int)syscall(SYS_gettid));
	return NULL;
}

int main(void)
{
	pthread_attr_t attributes;

	sem_init(&semaphore, 0, 0);
	pthread_attr_init(&attributes);
	SHOW(pthread_attr_setstacksize(&attributes, (size_t)PTHREAD_STACK_MIN));
	for (int i = 0; i < 3; i++) {
		SHOW(pthread_create(&other.thread, &attributes, wait_in_many_ways, NULL));
		actor_join(&other);
	}
	return 0;
}

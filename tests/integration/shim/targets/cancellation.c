/*
 * Threads cancelled while they wait: the wait ends there, whatever the cleanup handlers do next
 * comes after it, and the thread ends.
 *
 * Events:
 *	1 run existing
 *	1 name cancellation
 *	1 create 2
 *	1 create 3
 *	1 create 4
 *	1 create 5
 *	1 create 6
 *	1 create 7
 *	1 create 8
 *	1 create 9
 *	1 create 10
 *	1 exit
 *	2 run
 *	2 block cond wait cond 1
 *	2 unblock interrupted
 *	2 block mutex lock mutex 1 holder 1 timed
 *	2 unblock timed-out
 *	2 exit
 *	3 run
 *	3 block read descriptor 3
 *	3 unblock interrupted
 *	3 block mutex lock mutex 1 holder 1 timed
 *	3 unblock timed-out
 *	3 exit
 *	4 run
 *	4 block semaphore wait semaphore 1
 *	4 unblock interrupted
 *	4 exit
 *	5 run
 *	5 block sleep timed
 *	5 unblock interrupted
 *	5 exit
 *	6 run
 *	6 block poll
 *	6 unblock interrupted
 *	6 exit
 *	7 run
 *	7 exit
 *	8 run
 *	8 block mutex lock mutex 1 holder 1
 *	8 unblock interrupted
 *	8 block mutex lock mutex 1 holder 1 timed
 *	8 unblock timed-out
 *	8 exit
 *	9 run
 *	9 exit
 *	10 run
 *	10 block join task 9 holder 9
 *	10 unblock interrupted
 *	10 exit
 */
#include "tests/integration/shim/targets/target.h"

#include <poll.h>
#include <semaphore.h>

static struct actor other;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t held = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static pthread_t idle;
static sem_t semaphore;
static int fds[2];
static char byte;

static void unlock(void *argument)
{
	SHOW(pthread_mutex_unlock(argument));
}

/* Waits in the middle of being cancelled. */
static void wait_more(void *argument)
{
	struct timespec limit = in_ms(CLOCK_REALTIME, 20);

	(void)argument;
	SHOW(pthread_mutex_timedlock(&held, &limit));
}

static void *in_cond_wait(void *unused)
{
	(void)unused;
	pthread_mutex_lock(&mutex);
	pthread_cleanup_push(unlock, &mutex);
	pthread_cleanup_push(wait_more, NULL);
	actor_reaches(&other, 1);
	pthread_cond_wait(&cond, &mutex);
	pthread_cleanup_pop(0);
	pthread_cleanup_pop(0);
	return NULL;
}

static void *in_read(void *unused)
{
	(void)unused;
	pthread_cleanup_push(wait_more, NULL);
	actor_reaches(&other, 1);
	SHOW(read(fds[0], &byte, 1));
	pthread_cleanup_pop(0);
	return NULL;
}

static void *in_sem_wait(void *unused)
{
	(void)unused;
	actor_reaches(&other, 1);
	SHOW(sem_wait(&semaphore));
	return NULL;
}

static void *in_join(void *unused)
{
	(void)unused;
	actor_reaches(&other, 1);
	SHOW(pthread_join(idle, NULL));
	return NULL;
}

static void *in_sleep(void *unused)
{
	(void)unused;
	actor_reaches(&other, 1);
	SHOW(sleep(1000));
	return NULL;
}

static void *in_poll(void *unused)
{
	(void)unused;
	actor_reaches(&other, 1);
	SHOW(poll(NULL, 0, -1));
	return NULL;
}

/* A free semaphore does not keep a thread from being cancelled. */
static void *at_free_semaphore(void *unused)
{
	(void)unused;
	actor_reaches(&other, 1);
	pthread_cancel(pthread_self());
	SHOW(sem_wait(&semaphore));
	return NULL;
}

static void *asynchronously(void *unused)
{
	(void)unused;
	pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
	pthread_cleanup_push(wait_more, NULL);
	actor_reaches(&other, 1);
	SHOW(pthread_mutex_lock(&held));
	pthread_cleanup_pop(0);
	return NULL;
}

static void *stay(void *unused)
{
	(void)unused;
	while (atomic_load(&other.at) < 100)
		nap();
	return NULL;
}

static void cancel(void *(*routine)(void *), bool asleep)
{
	void *value = NULL;

	pthread_create(&other.thread, NULL, routine, NULL);
	if (asleep) {
		actor_await_sleep(&other, 1);
		long_nap();
		SHOW(pthread_cancel(other.thread));
	}
	while (task_state(atomic_load(&other.tid)) != '?' || atomic_load(&other.at) == 0)
		nap();
	pthread_join(other.thread, &value);
	SHOW(value == PTHREAD_CANCELED);
	atomic_store(&other.at, 0);
	atomic_store(&other.tid, 0);
}

int main(void)
{
	sem_init(&semaphore, 0, 0);
	SHOW(pipe(fds));
	pthread_mutex_lock(&held);
	cancel(in_cond_wait, true);
	SHOW(pthread_mutex_trylock(&mutex));
	cancel(in_read, true);
	cancel(in_sem_wait, true);
	cancel(in_sleep, true);
	cancel(in_poll, true);
	sem_post(&semaphore);
	cancel(at_free_semaphore, false);
	SHOW(sem_trywait(&semaphore));
	cancel(asynchronously, true);
	pthread_create(&idle, NULL, stay, NULL);
	cancel(in_join, true);
	atomic_store(&other.at, 100);
	long_nap();
	pthread_join(idle, NULL);
	return 0;
}

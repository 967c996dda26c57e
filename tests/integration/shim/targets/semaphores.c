/*
 * Semaphores: free ones are taken without a word, at zero the poster is the waker.
 *
 * Events:
 *	1 run existing
 *	1 name semaphores
 *	1 create 2
 *	1 block semaphore wait semaphore 1 timed
 *	1 unblock timed-out
 *	1 block semaphore wait semaphore 1 timed
 *	1 unblock timed-out
 *	1 exit
 *	2 run
 *	2 block semaphore wait semaphore 1
 *	2 unblock waker 1
 *	2 exit
 */
#include "tests/integration/shim/targets/target.h"

#include <semaphore.h>

static struct actor other;
static sem_t semaphore;

static void *take(void *unused)
{
	(void)unused;
	actor_reaches(&other, 1);
	SHOW(sem_wait(&semaphore));
	return NULL;
}

int main(void)
{
	struct timespec limit = in_ms(CLOCK_REALTIME, 20);

	SHOW(sem_init(&semaphore, 0, 3));
	SHOW(sem_wait(&semaphore));
	SHOW(sem_timedwait(&semaphore, &limit));
	SHOW(sem_clockwait(&semaphore, CLOCK_MONOTONIC, &limit));
	pthread_create(&other.thread, NULL, take, NULL);
	actor_await_sleep(&other, 1);
	sem_post(&semaphore);
	actor_join(&other);

	limit = in_ms(CLOCK_REALTIME, 20);
	SHOW(sem_timedwait(&semaphore, &limit));
	limit = in_ms(CLOCK_MONOTONIC, 20);
	SHOW(sem_clockwait(&semaphore, CLOCK_MONOTONIC, &limit));
	SHOW(sem_timedwait(&semaphore, &(struct timespec){ 0, -1 }));
	SHOW(sem_post(&semaphore));
	SHOW(sem_timedwait(&semaphore, &(struct timespec){ 0, -1 })); /* refused though free */
	SHOW(sem_clockwait(&semaphore, CLOCK_PROCESS_CPUTIME_ID, &limit));
	SHOW(sem_trywait(&semaphore));
	SHOW(sem_trywait(&semaphore));
	return 0;
}

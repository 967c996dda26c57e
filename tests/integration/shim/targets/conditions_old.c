/*
 * A program that was linked against the condition variables of glibc 2.2.5, which lie in memory in
 * another way than those of today.
 *
 * Events:
 *	1 run existing
 *	1 name conditions_old
 *	1 block cond wait cond 1 timed
 *	1 unblock timed-out
 *	1 create 2
 *	1 exit
 *	2 run
 *	2 block cond wait cond 1
 *	2 unblock waker 1
 *	2 exit
 */
#include "tests/integration/shim/targets/target.h"

#define OLD(name) __asm__(".symver " #name ", " #name "@GLIBC_2.2.5")
OLD(pthread_cond_init);
OLD(pthread_cond_destroy);
OLD(pthread_cond_wait);
OLD(pthread_cond_timedwait);
OLD(pthread_cond_signal);
OLD(pthread_cond_broadcast);

static struct actor other;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
/* One word, followed by words that nobody may touch. */
static struct {
	union {
		void *word;
		pthread_cond_t cond;
	} old;
} store;
static bool ready;

static void *wait_until_ready(void *unused)
{
	(void)unused;
	pthread_mutex_lock(&mutex);
	actor_reaches(&other, 1);
	while (!ready)
		SHOW(pthread_cond_wait(&store.old.cond, &mutex));
	pthread_mutex_unlock(&mutex);
	return NULL;
}

int main(void)
{
	struct timespec limit = in_ms(CLOCK_REALTIME, 20);

	memset(&store, 0x5a, sizeof(store));
	SHOW(pthread_cond_init(&store.old.cond, NULL));
	SHOW(pthread_cond_signal(&store.old.cond));
	pthread_mutex_lock(&mutex);
	SHOW(pthread_cond_timedwait(&store.old.cond, &mutex, &limit));
	pthread_mutex_unlock(&mutex);
	pthread_create(&other.thread, NULL, wait_until_ready, NULL);
	actor_await_sleep(&other, 1);
	pthread_mutex_lock(&mutex);
	ready = true;
	SHOW(pthread_cond_broadcast(&store.old.cond));
	pthread_mutex_unlock(&mutex);
	actor_join(&other);
	SHOW(((unsigned char *)&store)[sizeof(void *)]);
	return 0;
}

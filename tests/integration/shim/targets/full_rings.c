/*
 * Threads that fill one ring after the other, one of them begun by a handler before its first
 * function, while handlers wait in them: whichever ring a record is in, the story of its task fits
 * together, and nothing is lost for want of room.
 *
 * Options: slow
 */
#include "tests/integration/shim/targets/target.h"

#include <signal.h>
#include <sys/time.h>

#define ROUNDS 20000 /* of two records each, and a ring has 2016 */

static pthread_mutex_t held = PTHREAD_MUTEX_INITIALIZER;

static void try_in_vain(void)
{
	if (pthread_mutex_timedlock(&held, &(struct timespec){ 0, 0 }) != ETIMEDOUT)
		abort();
}

static void handler(int number)
{
	int saved = errno;

	(void)number;
	try_in_vain();
	errno = saved;
}

static void *fill_rings(void *unused)
{
	(void)unused;
	for (int i = 0; i < ROUNDS; i++)
		try_in_vain();
	return NULL;
}

/* A signal that only this thread can take is pending already. */
static void create_with_signal(pthread_t *thread)
{
#if __GLIBC_PREREQ(2, 32)
	pthread_attr_t attributes;
	sigset_t none, one;

	sigemptyset(&none);
	sigemptyset(&one);
	sigaddset(&one, SIGUSR1);
	sigprocmask(SIG_BLOCK, &one, NULL);
	kill(getpid(), SIGUSR1);
	pthread_attr_init(&attributes);
	pthread_attr_setsigmask_np(&attributes, &none);
	pthread_create(thread, &attributes, fill_rings, NULL);
#else
	pthread_create(thread, NULL, fill_rings, NULL);
#endif
}

int main(void)
{
	pthread_t threads[2];

	pthread_mutex_lock(&held);
	sigaction(SIGUSR1, &(struct sigaction){ .sa_handler = handler }, NULL);
	sigaction(SIGALRM, &(struct sigaction){ .sa_handler = handler, .sa_flags = SA_RESTART },
			NULL);
	create_with_signal(&threads[0]);
	setitimer(ITIMER_REAL, &(struct itimerval){ { 0, 50 }, { 0, 50 } }, NULL);
	pthread_create(&threads[1], NULL, fill_rings, NULL);
	for (int i = 0; i < 2; i++)
		SHOW(pthread_join(threads[i], NULL));
	setitimer(ITIMER_REAL, &(struct itimerval){ { 0, 0 }, { 0, 0 } }, NULL);
	return 0;
}

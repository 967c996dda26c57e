/*
 * Handlers that wait, at any instruction of a program that does nothing but wait. What cannot be
 * recorded is counted, and what is recorded makes sense: shim_check looks at every record.
 *
 * Options: lossy
 */
#include "tests/integration/shim/targets/target.h"

#include <signal.h>
#include <sys/time.h>

#define ROUNDS 30000

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t held = PTHREAD_MUTEX_INITIALIZER;
static int fds[2];
static _Atomic int handled;

static void handler(int number)
{
	int saved = errno;
	char byte;

	(void)number;
	pthread_mutex_timedlock(&held, &(struct timespec){ 0, 0 }); /* busy, but has no time */
	if (write(fds[1], "x", 1) == 1)
		while (read(fds[0], &byte, 1) < 0 && errno == EINTR)
			continue;
	atomic_fetch_add(&handled, 1);
	errno = saved;
}

static void *contend(void *unused)
{
	(void)unused;
	for (int i = 0; i < ROUNDS; i++) {
		errno = EDOM;
		pthread_mutex_lock(&mutex);
		pthread_mutex_unlock(&mutex);
		if (errno != EDOM)
			abort();
		if (i % 64 == 0)
			usleep(1);
		struct timespec limit = { 0, 0 };
		if (pthread_mutex_timedlock(&held, &limit) != ETIMEDOUT)
			abort();
	}
	return NULL;
}

int main(void)
{
	pthread_t threads[3];

	if (pipe(fds) != 0)
		return 1;
	fcntl(fds[0], F_SETFL, O_NONBLOCK);
	fcntl(fds[1], F_SETFL, O_NONBLOCK);
	pthread_mutex_lock(&held);
	sigaction(SIGALRM, &(struct sigaction){ .sa_handler = handler, .sa_flags = SA_RESTART },
			NULL);
	setitimer(ITIMER_REAL, &(struct itimerval){ { 0, 50 }, { 0, 50 } }, NULL);
	for (int i = 0; i < 3; i++)
		pthread_create(&threads[i], NULL, contend, NULL);
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	setitimer(ITIMER_REAL, &(struct itimerval){ { 0, 0 }, { 0, 0 } }, NULL);
	SHOW(atomic_load(&handled) > 100);
	return 0;
}

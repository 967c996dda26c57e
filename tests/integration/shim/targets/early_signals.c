/*
 * A signal that is pending when a thread begins: its handler runs, and waits, before the thread's
 * first function. What it waits for is told of a task by itself, which ends when the thread begins;
 * then the thread is the one that its creator has made.
 *
 * Events:
 *	1 run existing
 *	1 name early_signals
 *	1 create 2
 *	1 block join task 2 holder 2
 *	1 unblock waker 2
 *	1 exit
 *	2 run
 *	2 block sleep timed
 *	2 unblock timed-out
 *	2 exit
 *	3 run existing
 *	3 name early_signals
 *	3 block sleep timed
 *	3 unblock timed-out
 *	3 exit
 */
#include "tests/integration/shim/targets/target.h"

#include <signal.h>

static void sleep_a_little(int number)
{
	(void)number;
	usleep(20000);
}

static void *sleep_longer(void *unused)
{
	(void)unused;
	usleep(50000);
	return NULL;
}

int main(void)
{
#if __GLIBC_PREREQ(2, 32)
	pthread_attr_t attributes;
	pthread_t thread;
	sigset_t none, one;

	sigemptyset(&none);
	sigemptyset(&one);
	sigaddset(&one, SIGUSR1);
	sigprocmask(SIG_BLOCK, &one, NULL);
	sigaction(SIGUSR1, &(struct sigaction){ .sa_handler = sleep_a_little }, NULL);
	SHOW(kill(getpid(), SIGUSR1)); /* only the thread can take it */
	pthread_attr_init(&attributes);
	SHOW(pthread_attr_setsigmask_np(&attributes, &none));
	SHOW(pthread_create(&thread, &attributes, sleep_longer, NULL));
	SHOW(pthread_join(thread, NULL));
	return 0;
#else
	return 77; /* a thread cannot be given a mask before it begins */
#endif
}

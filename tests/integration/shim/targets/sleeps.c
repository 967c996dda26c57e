/*
 * Sleeping, to the end and interrupted. Sleeping for no time is none.
 *
 * Events:
 *	1 run existing
 *	1 name sleeps
 *	1 block sleep timed
 *	1 unblock timed-out
 *	1 block sleep timed
 *	1 unblock timed-out
 *	1 block sleep timed
 *	1 unblock timed-out
 *	1 block sleep timed
 *	1 unblock interrupted
 *	1 block sleep timed
 *	1 unblock interrupted
 *	1 block sleep timed
 *	1 unblock interrupted
 *	1 block sleep timed
 *	1 unblock interrupted
 *	1 exit
 */
#include "tests/integration/shim/targets/target.h"

#include <signal.h>
#include <sys/time.h>

static void ignore(int number)
{
	(void)number;
}

static void interrupt_soon(void)
{
	setitimer(ITIMER_REAL, &(struct itimerval){ .it_value = { 0, 20000 } }, NULL);
}

int main(void)
{
	struct timespec rest = { 0, 0 };

	sigaction(SIGALRM, &(struct sigaction){ .sa_handler = ignore }, NULL);
	SHOW(sleep(0));
	SHOW(usleep(0));
	SHOW(nanosleep(&(struct timespec){ 0, 0 }, NULL));
	SHOW(nanosleep(&(struct timespec){ 0, -1 }, NULL));

	SHOW(usleep(20000));
	SHOW(nanosleep(&(struct timespec){ 0, 20000000 }, NULL));
	rest = in_ms(CLOCK_MONOTONIC, 20);
	SHOW(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &rest, NULL));
	SHOW(clock_nanosleep(CLOCK_THREAD_CPUTIME_ID, 0, &rest, NULL));

	interrupt_soon();
	SHOW(sleep(50));
	interrupt_soon();
	SHOW(usleep(50000000) == -1 && errno == EINTR);
	interrupt_soon();
	SHOW(nanosleep(&(struct timespec){ 50, 0 }, &rest));
	SHOW(rest.tv_sec);
	interrupt_soon();
	SHOW(clock_nanosleep(CLOCK_MONOTONIC, 0, &(struct timespec){ 50, 0 }, &rest));
	SHOW(rest.tv_sec);
	return 0;
}

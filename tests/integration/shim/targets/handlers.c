/*
 * Signal handlers that wait while the thread waits, and that jump out of a wait. Waits never lie
 * inside each other: the outer one is suspended while the inner one lasts.
 *
 * Events:
 *	1 run existing
 *	1 name handlers
 *	1 block read descriptor 3
 *	1 unblock interrupted
 *	1 block sleep timed
 *	1 unblock timed-out
 *	1 block sleep timed
 *	1 unblock interrupted
 *	1 block mutex lock mutex 1 holder 1 timed
 *	1 unblock timed-out
 *	1 block read descriptor 3
 *	1 unblock interrupted
 *	1 block read descriptor 3
 *	1 unblock interrupted
 *	1 block sleep timed
 *	1 unblock timed-out
 *	1 block read descriptor 3
 *	1 unblock interrupted
 *	1 block sleep timed
 *	1 unblock timed-out
 *	1 block sleep timed
 *	1 unblock timed-out
 *	1 block read descriptor 3
 *	1 unblock interrupted
 *	1 block sleep timed
 *	1 unblock timed-out
 *	1 exit
 */
#include "tests/integration/shim/targets/target.h"

#include <setjmp.h>
#include <signal.h>
#include <sys/time.h>

static int fds[2];
static char byte;
static sigjmp_buf back;
static pthread_mutex_t held = PTHREAD_MUTEX_INITIALIZER;
static char stack[1 << 16];

static void alarm_soon(void)
{
	setitimer(ITIMER_REAL, &(struct itimerval){ .it_value = { 0, 30000 } }, NULL);
}

static void handle(void (*handler)(int), int flags)
{
	sigaction(SIGALRM, &(struct sigaction){ .sa_handler = handler, .sa_flags = flags }, NULL);
	alarm_soon();
}

static void sleep_a_little(int number)
{
	(void)number;
	usleep(20000);
}

static void lock_for_a_while(int number)
{
	struct timespec limit = in_ms(CLOCK_REALTIME, 20);

	(void)number;
	pthread_mutex_timedlock(&held, &limit);
}

static void write_a_byte(int number)
{
	(void)number;
	if (write(fds[1], "x", 1) != 1)
		abort();
}

static void jump(int number)
{
	(void)number;
	siglongjmp(back, 1);
}

static void sleep_and_jump(int number)
{
	(void)number;
	usleep(20000);
	siglongjmp(back, 1);
}

int main(void)
{
	SHOW(pipe(fds));
	pthread_mutex_lock(&held);

	handle(sleep_a_little, 0);
	SHOW(read(fds[0], &byte, 1));

	handle(lock_for_a_while, 0);
	SHOW(nanosleep(&(struct timespec){ 1000, 0 }, NULL));

	/* The handler's write does not wait; the read goes on and finds the byte. */
	handle(write_a_byte, SA_RESTART);
	SHOW(read(fds[0], &byte, 1));

	if (sigsetjmp(back, 1) == 0) {
		handle(jump, 0);
		SHOW(read(fds[0], &byte, 1));
	}
	/* Deeper than the wait that was left, and nothing of it remains. */
	usleep(20000);

	if (sigsetjmp(back, 1) == 0) {
		handle(sleep_and_jump, 0);
		SHOW(read(fds[0], &byte, 1));
	}
	usleep(20000);

	sigaltstack(&(stack_t){ .ss_sp = stack, .ss_size = sizeof(stack) }, NULL);
	handle(sleep_a_little, SA_ONSTACK);
	SHOW(read(fds[0], &byte, 1));
	return 0;
}

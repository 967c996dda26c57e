/*
 * Jumps within signal handlers that interrupted a wait: only waits whose frames are left end by
 * them. On the thread's stack and on the alternate one.
 *
 * Events:
 *	1 run existing
 *	1 name jumps
 *	1 block read descriptor 3
 *	1 unblock interrupted
 *	1 block sleep timed
 *	1 unblock timed-out
 *	1 block read descriptor 3
 *	1 unblock interrupted
 *	1 block read descriptor 3
 *	1 unblock interrupted
 *	1 block sleep timed
 *	1 unblock timed-out
 *	1 block read descriptor 3
 *	1 unblock interrupted
 *	1 block read descriptor 3
 *	1 unblock interrupted
 *	1 block pause
 *	1 unblock interrupted
 *	1 block read descriptor 3
 *	1 unblock interrupted
 *	1 block read descriptor 3
 *	1 unblock interrupted
 *	1 block pause
 *	1 unblock interrupted
 *	1 block read descriptor 3
 *	1 unblock interrupted
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
static sigjmp_buf within;
static sigjmp_buf out;
static char stack[1 << 16];

static void handle(int number, void (*handler)(int), int flags)
{
	sigaction(number, &(struct sigaction){ .sa_handler = handler, .sa_flags = flags }, NULL);
}

static void alarm_soon(void)
{
	setitimer(ITIMER_REAL, &(struct itimerval){ .it_value = { 0, 30000 } }, NULL);
}

static void read_interrupted(void (*handler)(int), int flags)
{
	handle(SIGALRM, handler, flags);
	alarm_soon();
	SHOW(read(fds[0], &byte, 1));
}

/* After the jump the read is as interrupted as before. */
static void jump_and_sleep(int number)
{
	(void)number;
	if (sigsetjmp(within, 1) == 0)
		siglongjmp(within, 1);
	usleep(20000);
	/* Time for the read to be a wait again. */
	for (int i = 0; i < 100; i++)
		nap();
}

static void jump_within(int number)
{
	(void)number;
	siglongjmp(within, 1);
}

/* The jump leaves a wait of this handler, and the read goes on. */
static void leave_a_pause(int number)
{
	(void)number;
	handle(SIGVTALRM, jump_within, SA_ONSTACK);
	if (sigsetjmp(within, 1) == 0) {
		timer_t timer;
		struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGVTALRM };

		timer_create(CLOCK_MONOTONIC, &event, &timer);
		timer_settime(timer, 0, &(struct itimerspec){ .it_value = { 0, 30000000 } }, NULL);
		pause();
	}
	for (int i = 0; i < 100; i++)
		nap();
}

static void jump_out(int number)
{
	(void)number;
	siglongjmp(out, 1);
}

int main(void)
{
	SHOW(pipe(fds));
	sigaltstack(&(stack_t){ .ss_sp = stack, .ss_size = sizeof(stack) }, NULL);
	read_interrupted(jump_and_sleep, 0);
	read_interrupted(jump_and_sleep, SA_ONSTACK);
	read_interrupted(leave_a_pause, 0);
	read_interrupted(leave_a_pause, SA_ONSTACK);
	if (sigsetjmp(out, 1) == 0)
		read_interrupted(jump_out, SA_ONSTACK);
	usleep(20000);
	return 0;
}

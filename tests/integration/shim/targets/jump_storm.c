/*
 * Handlers that jump within themselves and then wait, at any instruction of a thread that does
 * nothing but wait. What they interrupt goes on afterwards, so it must be left alone.
 *
 * Options: slow
 */
#include "tests/integration/shim/targets/target.h"

#include <setjmp.h>
#include <signal.h>
#include <sys/time.h>

#define ROUNDS 8000

static pthread_mutex_t held = PTHREAD_MUTEX_INITIALIZER;
static char stack[1 << 16];
static _Atomic int handled;

static void try_in_vain(void)
{
	if (pthread_mutex_timedlock(&held, &(struct timespec){ 0, 0 }) != ETIMEDOUT)
		abort();
}

static void handler(int number)
{
	int saved = errno;
	jmp_buf within;

	(void)number;
	if (setjmp(within) == 0)
		longjmp(within, 1);
	try_in_vain();
	atomic_fetch_add(&handled, 1);
	errno = saved;
}

static void storm(int flags)
{
	struct itimerval often = { { 0, 200 }, { 0, 200 } }, never = { { 0, 0 }, { 0, 0 } };

	sigaction(SIGALRM, &(struct sigaction){ .sa_handler = handler, .sa_flags = flags }, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	for (int i = 0; i < ROUNDS; i++)
		try_in_vain();
	setitimer(ITIMER_REAL, &never, NULL);
}

int main(void)
{
	pthread_mutex_lock(&held);
	sigaltstack(&(stack_t){ .ss_sp = stack, .ss_size = sizeof(stack) }, NULL);
	storm(SA_RESTART);
	storm(SA_RESTART | SA_ONSTACK);
	SHOW(atomic_load(&handled) > 100);
	return 0;
}

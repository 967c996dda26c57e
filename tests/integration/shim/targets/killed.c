/*
 * A program that is killed while it waits: the waits are there, also those that were only armed.
 *
 * Events:
 *	1 run existing
 *	1 name killed
 *	1 create 2
 *	1 create 3
 *	1 block join task 2 holder 2
 *	2 run
 *	2 block read descriptor 3
 *	3 run
 */
#include "tests/integration/shim/targets/target.h"

#include <signal.h>

static struct actor reader;
static int fds[2];

static void *wait_forever(void *unused)
{
	char byte;

	(void)unused;
	actor_reaches(&reader, 1);
	return read(fds[0], &byte, 1) < 0 ? &reader : NULL;
}

static void *kill_program(void *unused)
{
	struct actor main_thread = { .tid = getpid() };

	(void)unused;
	actor_await_sleep(&reader, 1);
	actor_await_sleep(&main_thread, 0);
	long_nap();
	kill(getpid(), SIGKILL);
	return NULL;
}

int main(void)
{
	pthread_t killer;

	SHOW(pipe(fds));
	fflush(stdout);
	pthread_create(&reader.thread, NULL, wait_forever, NULL);
	pthread_create(&killer, NULL, kill_program, NULL);
	pthread_join(reader.thread, NULL);
	return 0;
}

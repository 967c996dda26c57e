/*
 * What the compiler makes of read(), recv() and poll() when it checks sizes.
 *
 * Events:
 *	1 run existing
 *	1 name fortified
 *	1 create 2
 *	1 block read descriptor 3
 *	1 unblock
 *	1 block network receive descriptor 3
 *	1 unblock
 *	1 block network receive descriptor 3
 *	1 unblock
 *	1 block poll descriptor 3 timed
 *	1 unblock timed-out
 *	1 block poll descriptor 3 timed
 *	1 unblock timed-out
 *	1 exit
 *	2 run
 *	2 exit
 */
#include "tests/integration/shim/targets/target.h"

#include <poll.h>
#include <sys/socket.h>

static struct actor feeder;
static int fds[2];

static void *feed(void *unused)
{
	(void)unused;
	for (int i = 0; i < 3; i++) {
		struct actor main_thread = { .tid = getpid() };
		actor_await_sleep(&main_thread, 0);
		long_nap();
		syscall(SYS_write, fds[1], "x", 1);
	}
	actor_reaches(&feeder, 1);
	return NULL;
}

int main(int argc, char **argv)
{
	char buffer[8];
	struct pollfd one[1];
	volatile size_t size = (size_t)(argc > 0); /* not known to the compiler */

	(void)argv;
	SHOW(socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
	pthread_create(&feeder.thread, NULL, feed, NULL);
	SHOW(read(fds[0], buffer, size));
	SHOW(recv(fds[0], buffer, size, 0));
	SHOW(recvfrom(fds[0], buffer, size, 0, NULL, NULL));
	actor_join(&feeder);
	one[0] = (struct pollfd){ .fd = fds[0], .events = POLLIN };
	SHOW(poll(one, size, 20));
	SHOW(ppoll(one, size, &(struct timespec){ 0, 20000000 }, NULL));
	SHOW(pread(fds[0], buffer, size, 0));
	return 0;
}

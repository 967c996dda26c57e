/*
 * Connections: waiting for one, and for one to be made.
 *
 * Events:
 *	1 run existing
 *	1 name connections
 *	1 create 2
 *	1 block accept descriptor 3
 *	1 unblock
 *	1 block accept descriptor 3
 *	1 unblock
 *	1 create 3
 *	1 block connect descriptor 7
 *	1 unblock
 *	1 exit
 *	2 run
 *	2 exit
 *	3 run
 *	3 exit
 */
#include "tests/integration/shim/targets/target.h"

#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

static struct actor other;
static struct sockaddr_un address = { .sun_family = AF_UNIX };
static socklen_t address_size;
static int listener;
static int clients[4];

static void *connect_twice(void *unused)
{
	(void)unused;
	for (int i = 0; i < 2; i++) {
		struct actor main_thread = { .tid = getpid() };

		actor_await_sleep(&main_thread, 0);
		long_nap();
		syscall(SYS_connect, clients[i], &address, address_size);
	}
	actor_reaches(&other, 1);
	return NULL;
}

/* Lets one connection in when the main thread waits in the queue of those that are full. */
static void *accept_one(void *unused)
{
	struct actor main_thread = { .tid = getpid() };

	(void)unused;
	actor_await_sleep(&main_thread, 0);
	long_nap();
	syscall(SYS_accept, listener, NULL, NULL);
	actor_reaches(&other, 1);
	return NULL;
}

int main(void)
{
	/* A name in the abstract space: nothing is left behind. */
	address_size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 +
				   (size_t)snprintf(address.sun_path + 1, 64, "loiter-test-%d",
						   getpid()));
	listener = socket(AF_UNIX, SOCK_STREAM, 0);
	for (int i = 0; i < 4; i++)
		clients[i] = socket(AF_UNIX, SOCK_STREAM, 0);
	SHOW(bind(listener, (struct sockaddr *)&address, address_size));
	SHOW(listen(listener, 0));
	pthread_create(&other.thread, NULL, connect_twice, NULL);
	SHOW(accept(listener, NULL, NULL) >= 0);
	SHOW(accept4(listener, NULL, NULL, SOCK_CLOEXEC) >= 0);
	actor_join(&other);

	SHOW(connect(clients[2], (struct sockaddr *)&address, address_size));
	pthread_create(&other.thread, NULL, accept_one, NULL);
	SHOW(connect(clients[3], (struct sockaddr *)&address, address_size));
	actor_join(&other);
	return 0;
}

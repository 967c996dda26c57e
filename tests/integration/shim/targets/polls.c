/*
 * Waiting for several descriptors: not at all, for a time, until one is ready.
 *
 * Events:
 *	1 run existing
 *	1 name polls
 *	1 block poll descriptor 3 timed
 *	1 unblock timed-out
 *	1 block poll timed
 *	1 unblock timed-out
 *	1 block poll timed
 *	1 unblock timed-out
 *	1 block poll descriptor 3 timed
 *	1 unblock timed-out
 *	1 block poll descriptor 5 timed
 *	1 unblock timed-out
 *	1 block poll descriptor 5 timed
 *	1 unblock timed-out
 *	1 block poll descriptor 5 timed
 *	1 unblock timed-out
 *	1 block poll timed
 *	1 unblock timed-out
 *	1 block poll timed
 *	1 unblock timed-out
 *	1 block poll descriptor 3
 *	1 unblock interrupted
 *	1 create 2
 *	1 block poll descriptor 3
 *	1 unblock
 *	1 create 3
 *	1 block poll descriptor 3
 *	1 unblock
 *	1 create 4
 *	1 block poll descriptor 5 timed
 *	1 unblock
 *	1 create 5
 *	1 block poll
 *	1 unblock
 *	1 exit
 *	2 run
 *	2 exit
 *	3 run
 *	3 exit
 *	4 run
 *	4 exit
 *	5 run
 *	5 exit
 */
#include "tests/integration/shim/targets/target.h"

#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/time.h>

static struct actor feeder;
static int fds[2];
static int epoll;
static void *volatile nowhere = (void *)8;
static struct pollfd elsewhere[2];

/* Writes a byte when the main thread has been asleep for a while. */
static void *feed(void *unused)
{
	struct actor main_thread = { .tid = getpid() };

	(void)unused;
	actor_await_sleep(&main_thread, 0);
	long_nap();
	syscall(SYS_write, fds[1], "x", 1);
	actor_reaches(&feeder, 1);
	return NULL;
}

static void start_feeding(void)
{
	pthread_create(&feeder.thread, NULL, feed, NULL);
}

static void take(void)
{
	char byte;

	actor_join(&feeder);
	syscall(SYS_read, fds[0], &byte, 1);
}

static void ignore(int number)
{
	(void)number;
}

int main(void)
{
	struct pollfd mine = { .events = POLLIN };
	struct epoll_event event = { .events = EPOLLIN };
	struct timespec limit = { 0, 20000000 };
	struct timeval select_limit = { 0, 20000 };
	fd_set set;

	SHOW(pipe(fds));
	mine.fd = fds[0];
	elsewhere[0] = mine;
	elsewhere[1] = mine;
	epoll = epoll_create1(0);
	epoll_ctl(epoll, EPOLL_CTL_ADD, fds[0], &event);
	FD_ZERO(&set);

	/* Not at all. */
	SHOW(poll(&mine, 1, 0));
	SHOW(ppoll(&mine, 1, &(struct timespec){ 0, 0 }, NULL));
	SHOW(epoll_wait(epoll, &event, 1, 0));
	SHOW(select(0, NULL, NULL, NULL, &(struct timeval){ 0, 0 }));
	SHOW(pselect(0, NULL, NULL, NULL, &(struct timespec){ 0, 0 }, NULL));

	/* For a time. */
	SHOW(poll(&mine, 1, 20));
	SHOW(poll(elsewhere, 2, 20));
	SHOW(poll(NULL, 0, 20));
	SHOW(ppoll(&mine, 1, &limit, NULL));
	SHOW(epoll_wait(epoll, &event, 1, 20));
	SHOW(epoll_pwait(epoll, &event, 1, 20, NULL));
	SHOW(epoll_pwait2(epoll, &event, 1, &limit, NULL));
	SHOW(select(0, NULL, NULL, NULL, &select_limit));
	SHOW(pselect(0, NULL, NULL, NULL, &limit, NULL));

	/* Interrupted. */
	sigaction(SIGALRM, &(struct sigaction){ .sa_handler = ignore }, NULL);
	setitimer(ITIMER_REAL, &(struct itimerval){ .it_value = { 0, 20000 } }, NULL);
	SHOW(poll(&mine, 1, -1));

	/* With wrong pointers. */
	SHOW(poll(nowhere, 1, -1));
	SHOW(epoll_wait(epoll, nowhere, 0, -1));

	/* Until one is ready. */
	start_feeding();
	SHOW(poll(&mine, 1, -1));
	take();
	start_feeding();
	SHOW(ppoll(&mine, 1, NULL, NULL));
	take();
	start_feeding();
	SHOW(epoll_wait(epoll, &event, 1, 50000));
	take();
	start_feeding();
	FD_SET(fds[0], &set);
	SHOW(select(fds[0] + 1, &set, NULL, NULL, NULL));
	take();
	return 0;
}

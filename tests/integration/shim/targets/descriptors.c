/*
 * Reading and writing: calls that find what they want are not recorded, the others are, with the
 * descriptor. Failures come through with their errno.
 *
 * Events:
 *	1 run existing
 *	1 name descriptors
 *	1 create 2
 *	1 block read descriptor 3
 *	1 unblock
 *	1 block read descriptor 3
 *	1 unblock
 *	1 block network receive descriptor 3
 *	1 unblock
 *	1 block network receive descriptor 3
 *	1 unblock
 *	1 block network receive descriptor 3
 *	1 unblock
 *	1 block network receive descriptor 3
 *	1 unblock
 *	1 block network receive descriptor 3
 *	1 unblock timed-out
 *	1 create 3
 *	1 block write descriptor 4
 *	1 unblock
 *	1 block network send descriptor 4
 *	1 unblock
 *	1 block network send descriptor 4
 *	1 unblock
 *	1 block write descriptor 4
 *	1 unblock
 *	1 block network send descriptor 4
 *	1 unblock
 *	1 exit
 *	2 run
 *	2 exit
 *	3 run
 *	3 exit
 */
#include "tests/integration/shim/targets/target.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>

static struct actor feeder;
static int fds[2];
static char buffer[64];
static struct iovec part = { buffer, 1 };
static int rounds;
static void *volatile nowhere = (void *)8;

/* Gives one byte each time when the main thread has been asleep for a while. */
static void *feed(void *unused)
{
	(void)unused;
	for (int i = 0; i < rounds; i++) {
		struct actor main_thread = { .tid = getpid() };
		actor_await_sleep(&main_thread, 0);
		long_nap();
		syscall(SYS_write, fds[1], "x", 1);
	}
	actor_reaches(&feeder, 1);
	return NULL;
}

static void start_feeding(int count)
{
	rounds = count;
	pthread_create(&feeder.thread, NULL, feed, NULL);
}

static void read_in_every_way(void)
{
	SHOW(socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
	start_feeding(6);
	SHOW(read(fds[0], buffer, 1));
	SHOW(readv(fds[0], &part, 1));
	SHOW(recv(fds[0], buffer, 1, 0));
	SHOW(recvfrom(fds[0], buffer, 1, 0, NULL, NULL));
	SHOW(recvmsg(fds[0], &(struct msghdr){ .msg_iov = &part, .msg_iovlen = 1 }, 0));
	SHOW(recvmmsg(fds[0], &(struct mmsghdr){ { .msg_iov = &part, .msg_iovlen = 1 }, 0 }, 1, 0,
			NULL));
	actor_join(&feeder);
	/* Nothing to wait for. */
	SHOW(recv(fds[0], buffer, 1, MSG_DONTWAIT));
	SHOW(setsockopt(fds[0], SOL_SOCKET, SO_RCVTIMEO, &(struct timeval){ 0, 20000 },
			sizeof(struct timeval)));
	SHOW(recv(fds[0], buffer, 1, 0));
	/* There are bytes: no wait. */
	SHOW(write(fds[1], "abcdef", 6));
	SHOW(read(fds[0], buffer, 6));
}

/* Empties the socket when the main thread has been asleep for a while. */
static void *empty(void *unused)
{
	char big[4096];

	(void)unused;
	for (int i = 0; i < rounds; i++) {
		struct actor main_thread = { .tid = getpid() };
		actor_await_sleep(&main_thread, 0);
		long_nap();
		while (syscall(SYS_recvfrom, fds[0], big, sizeof(big), MSG_DONTWAIT, NULL, NULL) >
				0)
			continue;
		actor_reaches(&feeder, i + 1);
	}
	return NULL;
}

static char big[1 << 20];
static struct iovec big_part = { big, sizeof(big) };

/* When the socket was emptied for the time before. */
static void fill(int time)
{
	actor_await(&feeder, time);
	while (syscall(SYS_sendto, fds[1], big, 4096, MSG_DONTWAIT, NULL, 0) > 0)
		continue;
}

static void write_in_every_way(void)
{
	rounds = 5;
	fill(0);
	pthread_create(&feeder.thread, NULL, empty, NULL);
	SHOW(write(fds[1], big, 1));
	fill(1);
	SHOW(send(fds[1], big, 1, 0));
	fill(2);
	SHOW(sendto(fds[1], big, 1, 0, NULL, 0));
	fill(3);
	big_part.iov_len = 1;
	SHOW(writev(fds[1], &big_part, 1));
	fill(4);
	SHOW(sendmsg(fds[1], &(struct msghdr){ .msg_iov = &big_part, .msg_iovlen = 1 }, 0));
	actor_join(&feeder);
	fill(0);
	SHOW(send(fds[1], big, 1, MSG_DONTWAIT));
	close(fds[0]);
	SHOW(send(fds[1], big, 1, MSG_NOSIGNAL));
}

static void fail_in_every_way(void)
{
	SHOW(read(-1, buffer, 1));
	SHOW(write(-1, buffer, 1));
	SHOW(read(fds[1], nowhere, 1));
	SHOW(recv(0, buffer, 1, 0));
	SHOW(pread(fds[1], buffer, 1, 0));
	SHOW(pwrite(fds[1], buffer, 1, 0));
	SHOW(fsync(fds[1]));
	SHOW(accept(fds[1], NULL, NULL));
	SHOW(connect(fds[1], &(struct sockaddr){ .sa_family = AF_UNSPEC }, 0));
}

static void use_a_file(void)
{
	char path[] = "/tmp/shim-target-XXXXXX";
	int fd = mkstemp(path);

	unlink(path);
	SHOW(pwrite(fd, "hello", 5, 3));
	SHOW(pwritev(fd, &(struct iovec){ "world", 5 }, 1, 8));
	SHOW(pread(fd, buffer, 20, 2));
	SHOW(memcmp(buffer, "\0helloworld", 11));
	SHOW(preadv(fd, &(struct iovec){ buffer, 4 }, 1, 9));
	SHOW(preadv2(fd, &(struct iovec){ buffer, 4 }, 1, 9, 0));
	SHOW(fdatasync(fds[1]));
	SHOW(close(fd));
	SHOW(read(fd, buffer, 1));
}

int main(void)
{
	setvbuf(stdout, NULL, _IOFBF, 1 << 16);
	read_in_every_way();
	write_in_every_way();
	fail_in_every_way();
	use_a_file();
	return 0;
}

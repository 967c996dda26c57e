/*
 * Calls on a socket and a pipe that take microseconds to copy, and none that has to wait for
 * anybody. Usage: long_calls waiting|nonblocking, which is how the descriptors are opened.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#define ROUNDS 500

static char bytes[60000];

static int copy(int from, int to)
{
	struct iovec part = { bytes, sizeof(bytes) };

	return write(to, bytes, sizeof(bytes)) == sizeof(bytes) &&
	       readv(from, &part, 1) == sizeof(bytes) && writev(to, &part, 1) == sizeof(bytes) &&
	       read(from, bytes, sizeof(bytes)) == sizeof(bytes);
}

static int copy_by_socket(int from, int to)
{
	return send(to, bytes, sizeof(bytes), 0) == sizeof(bytes) &&
	       recv(from, bytes, sizeof(bytes), 0) == sizeof(bytes);
}

int main(int argc, char **argv)
{
	int nonblocking = argc > 1 && strcmp(argv[1], "nonblocking") == 0;
	int ends[2];
	int sockets[2];

	if (pipe2(ends, nonblocking ? O_NONBLOCK : 0) != 0 ||
			socketpair(AF_UNIX, SOCK_STREAM | (nonblocking ? SOCK_NONBLOCK : 0), 0,
					sockets) != 0)
		return 1;
	for (int i = 0; i < ROUNDS; i++)
		if (!copy(ends[0], ends[1]) || !copy(sockets[0], sockets[1]) ||
				!copy_by_socket(sockets[0], sockets[1]))
			return 1;
	return 0;
}

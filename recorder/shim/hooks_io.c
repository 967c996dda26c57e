#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "recorder/shim/hook.h"
#include "recorder/shim/wait.h"

/*
 * Calls on descriptors. Most of them do not wait, and asking first would change what they do, so
 * each is armed and recorded only if it took longer than the recorder's threshold. What cannot
 * wait by its arguments (MSG_DONTWAIT, no time to poll) is passed on. Whether a descriptor waits at
 * all costs a system call to find out, so that is asked afterwards, of the few calls that took
 * long.
 *
 * A call that took long did not necessarily sleep: copying a megabyte takes its time too.
 */

/* EAGAIN after a while is a time limit of the socket; a descriptor that never waits says it at
 * once. */
static uint8_t failure_flags(void)
{
	return errno == EAGAIN || errno == ETIMEDOUT ? EVENT_FLAG_TIMED_OUT
						     : EVENT_FLAG_INTERRUPTED;
}

static void end_io(struct wait *wait, bool failed)
{
	wait_end(wait, TASK_NONE, failed ? failure_flags() : 0);
}

/*
 * A call whose first parameter is the descriptor `fd`, that returns a negative number on failure.
 * It cannot wait if `passes` is true. `heeds`: nor can it if the descriptor is a socket or a pipe
 * with O_NONBLOCK.
 */
#define IO_HOOK(type, name, reason, heeds, passes, parameters, arguments) \
	NEXT_SYMBOL(name);                                                \
	HOOK_EXPORT type name parameters                                  \
	{                                                                 \
		struct wait wait = WAIT(reason, OBJECT_DESCRIPTOR, fd);   \
                                                                          \
		if (passes)                                               \
			return NEXT(name) arguments;                      \
		wait.heeds_nonblock = (heeds);                            \
		wait_try(&wait);                                          \
		type result = NEXT(name) arguments;                       \
		end_io(&wait, result < 0);                                \
		return result;                                            \
	}

#define HEEDS_NONBLOCK true
#define MAY_WAIT       false

/* What -D_FORTIFY_SOURCE makes of read(), recv() and poll(); no header declares them otherwise. */
ssize_t __read_chk(int fd, void *buffer, size_t size, size_t room);
ssize_t __pread_chk(int fd, void *buffer, size_t size, off_t offset, size_t room);
ssize_t __pread64_chk(int fd, void *buffer, size_t size, off64_t offset, size_t room);
ssize_t __recv_chk(int fd, void *buffer, size_t size, size_t room, int flags);
ssize_t __recvfrom_chk(int fd, void *restrict buffer, size_t size, size_t room, int flags,
		__SOCKADDR_ARG address, socklen_t *restrict address_size);
int __poll_chk(struct pollfd *fds, nfds_t count, int timeout_ms, size_t room);
int __ppoll_chk(struct pollfd *fds, nfds_t count, const struct timespec *limit,
		const sigset_t *mask, size_t room);

/* clang-format off */
IO_HOOK(ssize_t, read, REASON_READ, HEEDS_NONBLOCK, false,
		(int fd, void *buffer, size_t size),
		(fd, buffer, size))
IO_HOOK(ssize_t, __read_chk, REASON_READ, HEEDS_NONBLOCK, false,
		(int fd, void *buffer, size_t size, size_t room),
		(fd, buffer, size, room))
IO_HOOK(ssize_t, pread, REASON_READ, MAY_WAIT, false,
		(int fd, void *buffer, size_t size, off_t offset),
		(fd, buffer, size, offset))
IO_HOOK(ssize_t, pread64, REASON_READ, MAY_WAIT, false,
		(int fd, void *buffer, size_t size, off64_t offset),
		(fd, buffer, size, offset))
IO_HOOK(ssize_t, __pread_chk, REASON_READ, MAY_WAIT, false,
		(int fd, void *buffer, size_t size, off_t offset, size_t room),
		(fd, buffer, size, offset, room))
IO_HOOK(ssize_t, __pread64_chk, REASON_READ, MAY_WAIT, false,
		(int fd, void *buffer, size_t size, off64_t offset, size_t room),
		(fd, buffer, size, offset, room))
IO_HOOK(ssize_t, readv, REASON_READ, HEEDS_NONBLOCK, false,
		(int fd, const struct iovec *parts, int count),
		(fd, parts, count))
IO_HOOK(ssize_t, preadv, REASON_READ, MAY_WAIT, false,
		(int fd, const struct iovec *parts, int count, off_t offset),
		(fd, parts, count, offset))
IO_HOOK(ssize_t, preadv64, REASON_READ, MAY_WAIT, false,
		(int fd, const struct iovec *parts, int count, off64_t offset),
		(fd, parts, count, offset))
IO_HOOK(ssize_t, preadv2, REASON_READ, MAY_WAIT, flags & RWF_NOWAIT,
		(int fd, const struct iovec *parts, int count, off_t offset, int flags),
		(fd, parts, count, offset, flags))
IO_HOOK(ssize_t, preadv64v2, REASON_READ, MAY_WAIT, flags & RWF_NOWAIT,
		(int fd, const struct iovec *parts, int count, off64_t offset, int flags),
		(fd, parts, count, offset, flags))

IO_HOOK(ssize_t, write, REASON_WRITE, HEEDS_NONBLOCK, false,
		(int fd, const void *buffer, size_t size),
		(fd, buffer, size))
IO_HOOK(ssize_t, pwrite, REASON_WRITE, MAY_WAIT, false,
		(int fd, const void *buffer, size_t size, off_t offset),
		(fd, buffer, size, offset))
IO_HOOK(ssize_t, pwrite64, REASON_WRITE, MAY_WAIT, false,
		(int fd, const void *buffer, size_t size, off64_t offset),
		(fd, buffer, size, offset))
IO_HOOK(ssize_t, writev, REASON_WRITE, HEEDS_NONBLOCK, false,
		(int fd, const struct iovec *parts, int count),
		(fd, parts, count))
IO_HOOK(ssize_t, pwritev, REASON_WRITE, MAY_WAIT, false,
		(int fd, const struct iovec *parts, int count, off_t offset),
		(fd, parts, count, offset))
IO_HOOK(ssize_t, pwritev64, REASON_WRITE, MAY_WAIT, false,
		(int fd, const struct iovec *parts, int count, off64_t offset),
		(fd, parts, count, offset))
IO_HOOK(ssize_t, pwritev2, REASON_WRITE, MAY_WAIT, flags & RWF_NOWAIT,
		(int fd, const struct iovec *parts, int count, off_t offset, int flags),
		(fd, parts, count, offset, flags))
IO_HOOK(ssize_t, pwritev64v2, REASON_WRITE, MAY_WAIT, flags & RWF_NOWAIT,
		(int fd, const struct iovec *parts, int count, off64_t offset, int flags),
		(fd, parts, count, offset, flags))
IO_HOOK(ssize_t, sendfile, REASON_WRITE, MAY_WAIT, false,
		(int fd, int from, off_t *offset, size_t size),
		(fd, from, offset, size))
IO_HOOK(ssize_t, sendfile64, REASON_WRITE, MAY_WAIT, false,
		(int fd, int from, off64_t *offset, size_t size),
		(fd, from, offset, size))
IO_HOOK(int, fsync, REASON_WRITE, MAY_WAIT, false, (int fd), (fd))
IO_HOOK(int, fdatasync, REASON_WRITE, MAY_WAIT, false, (int fd), (fd))

IO_HOOK(int, accept, REASON_ACCEPT, HEEDS_NONBLOCK, false,
		(int fd, __SOCKADDR_ARG address, socklen_t *restrict size),
		(fd, address, size))
IO_HOOK(int, accept4, REASON_ACCEPT, HEEDS_NONBLOCK, false,
		(int fd, __SOCKADDR_ARG address, socklen_t *restrict size, int flags),
		(fd, address, size, flags))
IO_HOOK(int, connect, REASON_CONNECT, HEEDS_NONBLOCK, false,
		(int fd, __CONST_SOCKADDR_ARG address, socklen_t size),
		(fd, address, size))

IO_HOOK(ssize_t, recv, REASON_RECEIVE, HEEDS_NONBLOCK, flags & MSG_DONTWAIT,
		(int fd, void *buffer, size_t size, int flags),
		(fd, buffer, size, flags))
IO_HOOK(ssize_t, __recv_chk, REASON_RECEIVE, HEEDS_NONBLOCK, flags & MSG_DONTWAIT,
		(int fd, void *buffer, size_t size, size_t room, int flags),
		(fd, buffer, size, room, flags))
IO_HOOK(ssize_t, recvfrom, REASON_RECEIVE, HEEDS_NONBLOCK, flags & MSG_DONTWAIT,
		(int fd, void *restrict buffer, size_t size, int flags, __SOCKADDR_ARG address,
				socklen_t *restrict address_size),
		(fd, buffer, size, flags, address, address_size))
IO_HOOK(ssize_t, __recvfrom_chk, REASON_RECEIVE, HEEDS_NONBLOCK, flags & MSG_DONTWAIT,
		(int fd, void *restrict buffer, size_t size, size_t room, int flags,
				__SOCKADDR_ARG address, socklen_t *restrict address_size),
		(fd, buffer, size, room, flags, address, address_size))
IO_HOOK(ssize_t, recvmsg, REASON_RECEIVE, HEEDS_NONBLOCK, flags & MSG_DONTWAIT,
		(int fd, struct msghdr *message, int flags),
		(fd, message, flags))
IO_HOOK(int, recvmmsg, REASON_RECEIVE, HEEDS_NONBLOCK, flags & MSG_DONTWAIT,
		(int fd, struct mmsghdr *messages, unsigned count, int flags,
				struct timespec *limit),
		(fd, messages, count, flags, limit))
IO_HOOK(ssize_t, send, REASON_SEND, HEEDS_NONBLOCK, flags & MSG_DONTWAIT,
		(int fd, const void *buffer, size_t size, int flags),
		(fd, buffer, size, flags))
IO_HOOK(ssize_t, sendto, REASON_SEND, HEEDS_NONBLOCK, flags & MSG_DONTWAIT,
		(int fd, const void *buffer, size_t size, int flags, __CONST_SOCKADDR_ARG address,
				socklen_t address_size),
		(fd, buffer, size, flags, address, address_size))
IO_HOOK(ssize_t, sendmsg, REASON_SEND, HEEDS_NONBLOCK, flags & MSG_DONTWAIT,
		(int fd, const struct msghdr *message, int flags),
		(fd, message, flags))
IO_HOOK(int, sendmmsg, REASON_SEND, HEEDS_NONBLOCK, flags & MSG_DONTWAIT,
		(int fd, struct mmsghdr *messages, unsigned count, int flags),
		(fd, messages, count, flags))

IO_HOOK(int, flock, REASON_FILE_LOCK, MAY_WAIT, operation & (LOCK_NB | LOCK_UN),
		(int fd, int operation),
		(fd, operation))
IO_HOOK(int, lockf, REASON_FILE_LOCK, MAY_WAIT, command != F_LOCK,
		(int fd, int command, off_t size),
		(fd, command, size))
IO_HOOK(int, lockf64, REASON_FILE_LOCK, MAY_WAIT, command != F_LOCK,
		(int fd, int command, off64_t size),
		(fd, command, size))
/* clang-format on */

/* fcntl() takes an integer or a pointer, and passes either on in one register. */
#define FCNTL_HOOK(name)                                                          \
	HOOK(int, name, int fd, int command, ...)                                 \
	{                                                                         \
		struct wait wait = WAIT(REASON_FILE_LOCK, OBJECT_DESCRIPTOR, fd); \
		va_list list;                                                     \
                                                                                  \
		va_start(list, command);                                          \
		void *argument = va_arg(list, void *);                            \
		va_end(list);                                                     \
		if (command != F_SETLKW && command != F_OFD_SETLKW)               \
			return NEXT(name)(fd, command, argument);                 \
		wait_try(&wait);                                                  \
		int result = NEXT(name)(fd, command, argument);                   \
		end_io(&wait, result < 0);                                        \
		return result;                                                    \
	}

FCNTL_HOOK(fcntl)
FCNTL_HOOK(fcntl64)

/* ---- several descriptors ---- */

/*
 * Memory this close above our own frame can be read; anywhere else a wrong pointer is the kernel's
 * business.
 */
#define NEAR_BYTES 4096u

static void end_poll(struct wait *wait, int ready)
{
	wait_end(wait, TASK_NONE,
			ready > 0    ? 0
			: ready == 0 ? EVENT_FLAG_TIMED_OUT
				     : EVENT_FLAG_INTERRUPTED);
}

/* One descriptor is as good as a read; which it is can be told if it lies on the stack. */
static void name_descriptor(struct wait *wait, const struct pollfd *fds, nfds_t count)
{
	if (count != 1 || (uintptr_t)fds - (uintptr_t)__builtin_frame_address(0) >= NEAR_BYTES)
		return;
	wait->event.object_kind = OBJECT_DESCRIPTOR;
	/* The C library's header tells the compiler that poll() never reads what it is given. */
	__asm__("" : "+r"(fds));
	wait->event.object = (uint64_t)fds->fd;
}

static inline bool is_zero(const struct timespec *limit)
{
	return limit && limit->tv_sec == 0 && limit->tv_nsec == 0;
}

#define POLL_HOOK(name, limited, passes, parameters, arguments)       \
	NEXT_SYMBOL(name);                                            \
	HOOK_EXPORT int name parameters                               \
	{                                                             \
		struct wait wait = WAIT(REASON_POLL, OBJECT_NONE, 0); \
                                                                      \
		if (passes)                                           \
			return NEXT(name) arguments;                  \
		wait.event.flags = (limited) ? EVENT_FLAG_TIMED : 0;  \
		name_descriptor(&wait, fds, count);                   \
		wait_try(&wait);                                      \
		int ready = NEXT(name) arguments;                     \
		end_poll(&wait, ready);                               \
		return ready;                                         \
	}

#define EPOLL_HOOK(name, limited, passes, parameters, arguments)             \
	NEXT_SYMBOL(name);                                                   \
	HOOK_EXPORT int name parameters                                      \
	{                                                                    \
		struct wait wait = WAIT(REASON_POLL, OBJECT_DESCRIPTOR, fd); \
                                                                             \
		if (passes)                                                  \
			return NEXT(name) arguments;                         \
		wait.event.flags = (limited) ? EVENT_FLAG_TIMED : 0;         \
		wait_try(&wait);                                             \
		int ready = NEXT(name) arguments;                            \
		end_poll(&wait, ready);                                      \
		return ready;                                                \
	}

/* clang-format off */
POLL_HOOK(poll, timeout_ms > 0, timeout_ms == 0,
		(struct pollfd *fds, nfds_t count, int timeout_ms),
		(fds, count, timeout_ms))
POLL_HOOK(__poll_chk, timeout_ms > 0, timeout_ms == 0,
		(struct pollfd *fds, nfds_t count, int timeout_ms, size_t room),
		(fds, count, timeout_ms, room))
POLL_HOOK(ppoll, limit, is_zero(limit),
		(struct pollfd *fds, nfds_t count, const struct timespec *limit,
				const sigset_t *mask),
		(fds, count, limit, mask))
POLL_HOOK(__ppoll_chk, limit, is_zero(limit),
		(struct pollfd *fds, nfds_t count, const struct timespec *limit,
				const sigset_t *mask, size_t room),
		(fds, count, limit, mask, room))

EPOLL_HOOK(epoll_wait, timeout_ms > 0, timeout_ms == 0,
		(int fd, struct epoll_event *events, int room, int timeout_ms),
		(fd, events, room, timeout_ms))
EPOLL_HOOK(epoll_pwait, timeout_ms > 0, timeout_ms == 0,
		(int fd, struct epoll_event *events, int room, int timeout_ms,
				const sigset_t *mask),
		(fd, events, room, timeout_ms, mask))
EPOLL_HOOK(epoll_pwait2, limit, false,
		(int fd, struct epoll_event *events, int room, const struct timespec *limit,
				const sigset_t *mask),
		(fd, events, room, limit, mask))
/* clang-format on */

HOOK(int, select, int count, fd_set *restrict readable, fd_set *restrict writable,
		fd_set *restrict special, struct timeval *restrict limit)
{
	struct wait wait = WAIT(REASON_POLL, OBJECT_NONE, 0);

	if (limit && limit->tv_sec == 0 && limit->tv_usec == 0)
		return NEXT(select)(count, readable, writable, special, limit);
	wait.event.flags = limit ? EVENT_FLAG_TIMED : 0;
	wait_try(&wait);
	int ready = NEXT(select)(count, readable, writable, special, limit);
	end_poll(&wait, ready);
	return ready;
}

HOOK(int, pselect, int count, fd_set *restrict readable, fd_set *restrict writable,
		fd_set *restrict special, const struct timespec *restrict limit,
		const sigset_t *restrict mask)
{
	struct wait wait = WAIT(REASON_POLL, OBJECT_NONE, 0);

	if (is_zero(limit))
		return NEXT(pselect)(count, readable, writable, special, limit, mask);
	wait.event.flags = limit ? EVENT_FLAG_TIMED : 0;
	wait_try(&wait);
	int ready = NEXT(pselect)(count, readable, writable, special, limit, mask);
	end_poll(&wait, ready);
	return ready;
}

/* The C library asks the network from within, where no hook sees it. */
HOOK(int, getaddrinfo, const char *restrict node, const char *restrict service,
		const struct addrinfo *restrict hints, struct addrinfo **restrict found)
{
	struct wait wait = WAIT(REASON_RECEIVE, OBJECT_NONE, 0);

	wait_try(&wait);
	int result = NEXT(getaddrinfo)(node, service, hints, found);
	wait_end(&wait, TASK_NONE, result == 0 ? 0 : EVENT_FLAG_INTERRUPTED);
	return result;
}

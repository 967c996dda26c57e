/*
 * A preload library that compares, in real programs, our stacks with libunwind's: at calls that
 * block, and with STACK_ORACLE_PROF_US at arbitrary instructions, in a profiling signal. Appends
 * one line with the counts to the file STACK_ORACLE_OUT at the end of each process; prints the
 * first few differences to stderr.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "tests/support/stack_oracle.h"

#define EXPORT      __attribute__((visibility("default")))
#define DEPTH       100u
#define PRINTED_MAX 3

enum position {
	POSITION_HOOK,
	POSITION_SIGNAL,
	POSITION_COUNT
};

static _Atomic uint64_t verdicts[POSITION_COUNT][ORACLE_VERDICT_COUNT];
static _Atomic int printed;
static bool ready;
static __thread struct stack_oracle *oracle;
static __thread volatile bool busy;

static struct stack_oracle *thread_oracle(void)
{
	if (!oracle) {
		void *pages = mmap(NULL, sizeof(*oracle), PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		oracle = pages == MAP_FAILED ? NULL : pages;
	}
	return oracle;
}

static __attribute__((noinline)) void compare_here(enum position position)
{
	int saved_errno = errno;

	if (ready && !busy && thread_oracle()) {
		busy = true;
		enum oracle_verdict verdict = stack_oracle_compare(oracle);

		atomic_fetch_add(&verdicts[position][verdict], 1);
		if (verdict != ORACLE_EQUAL && atomic_fetch_add(&printed, 1) < PRINTED_MAX)
			stack_oracle_print(oracle, verdict);
		busy = false;
	}
	errno = saved_errno;
}

static void compare_in_signal(int number)
{
	(void)number;
	compare_here(POSITION_SIGNAL);
}

/* Calls that block, with the least that a wrapper needs. */
#define WRAP(type, name, parameters, ...)                          \
	EXPORT type name parameters                                \
	{                                                          \
		static __typeof__(name) *next;                     \
                                                                   \
		if (!next)                                         \
			*(void **)&next = dlsym(RTLD_NEXT, #name); \
		compare_here(POSITION_HOOK);                       \
		return next(__VA_ARGS__);                          \
	}

WRAP(ssize_t, read, (int fd, void *data, size_t size), fd, data, size)
WRAP(ssize_t, write, (int fd, const void *data, size_t size), fd, data, size)
WRAP(ssize_t, pread64, (int fd, void *data, size_t size, off64_t at), fd, data, size, at)
WRAP(ssize_t, pwrite64, (int fd, const void *data, size_t size, off64_t at), fd, data, size, at)
WRAP(ssize_t, recv, (int fd, void *data, size_t size, int flags), fd, data, size, flags)
WRAP(ssize_t, send, (int fd, const void *data, size_t size, int flags), fd, data, size, flags)
WRAP(int, poll, (struct pollfd * list, nfds_t count, int ms), list, count, ms)
WRAP(int, select, (int count, fd_set *in, fd_set *out, fd_set *bad, struct timeval *time), count,
		in, out, bad, time)
WRAP(int, epoll_wait, (int fd, struct epoll_event *events, int count, int ms), fd, events, count,
		ms)
WRAP(int, fsync, (int fd), fd)
WRAP(int, fdatasync, (int fd), fd)
WRAP(int, nanosleep, (const struct timespec *time, struct timespec *rest), time, rest)
WRAP(int, clock_nanosleep,
		(clockid_t clock, int flags, const struct timespec *time, struct timespec *rest),
		clock, flags, time, rest)
WRAP(int, pthread_mutex_lock, (pthread_mutex_t * mutex), mutex)
WRAP(int, pthread_cond_wait, (pthread_cond_t * cond, pthread_mutex_t *mutex), cond, mutex)
WRAP(int, pthread_cond_timedwait,
		(pthread_cond_t * cond, pthread_mutex_t *mutex, const struct timespec *time), cond,
		mutex, time)
WRAP(int, pthread_join, (pthread_t thread, void **result), thread, result)

EXPORT long syscall(long number, ...)
{
	static long (*next)(long, ...);
	long values[6];
	va_list list;

	if (!next)
		*(void **)&next = dlsym(RTLD_NEXT, "syscall");
	va_start(list, number);
	for (int i = 0; i < 6; i++)
		values[i] = va_arg(list, long);
	va_end(list);
	compare_here(POSITION_HOOK);
	return next(number, values[0], values[1], values[2], values[3], values[4], values[5]);
}

static void start_profiling(const char *period)
{
	struct sigaction action = { .sa_handler = compare_in_signal, .sa_flags = SA_RESTART };
	struct itimerval timer = { .it_interval.tv_usec = atoi(period),
		.it_value.tv_usec = atoi(period) };

	sigaction(SIGPROF, &action, NULL);
	setitimer(ITIMER_PROF, &timer, NULL);
}

__attribute__((constructor)) static void start(void)
{
	const char *period = getenv("STACK_ORACLE_PROF_US");

	ready = stack_oracle_init(DEPTH);
	if (ready && period)
		start_profiling(period);
}

static int print_counts(char *line, size_t size, const char *name, enum position position)
{
	uint64_t all = 0;

	for (int i = 0; i < ORACLE_VERDICT_COUNT; i++)
		all += verdicts[position][i];
	return snprintf(line, size,
			" %s: %lu stacks, %lu equal, memo %lu, frames %lu, early %lu/%lu;", name,
			(unsigned long)all, (unsigned long)verdicts[position][ORACLE_EQUAL],
			(unsigned long)verdicts[position][ORACLE_MEMO_DIFFERS],
			(unsigned long)verdicts[position][ORACLE_FRAMES_DIFFER],
			(unsigned long)verdicts[position][ORACLE_SHORTER],
			(unsigned long)verdicts[position][ORACLE_LONGER]);
}

__attribute__((destructor)) static void stop(void)
{
	const char *path = getenv("STACK_ORACLE_OUT");
	char line[512];
	int length = snprintf(line, sizeof(line), "%s", program_invocation_short_name);

	ready = false;
	length += print_counts(line + length, sizeof(line) - (size_t)length, "hook", POSITION_HOOK);
	length += print_counts(
			line + length, sizeof(line) - (size_t)length, "signal", POSITION_SIGNAL);
	line[length++] = '\n';

	int fd = path ? open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666) : -1;
	if (fd >= 0 && write(fd, line, (size_t)length) < 0)
		perror(path);
	if (fd >= 0)
		close(fd);
}

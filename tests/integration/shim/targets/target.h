#ifndef LOITER_TESTS_SHIM_TARGET_H
#define LOITER_TESTS_SHIM_TARGET_H

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/*
 * What the target programs share. Each does a fixed sequence of waits, prints every result that the
 * C library gave it, and has in its first comment the events that a recording must contain.
 *
 * Here a thread waits for another by looking at it through system calls of its own, which no hook
 * sees; so the order is sure and nothing of it is in the recording.
 */

/* Prints a result, and what errno is when it is a failure of that kind. */
#define SHOW(call)                                                       \
	do {                                                             \
		errno = 0;                                               \
		long show_result = (long)(call);                         \
		printf("%s: %ld errno %d\n", #call, show_result, errno); \
	} while (0)

/* A thread that may be waited for. */
struct actor {
	pthread_t thread;
	_Atomic int tid;
	_Atomic int at; /* how far it has come, see actor_reaches() */
};

static inline void nap(void)
{
	struct timespec pause = { 0, 200000 };

	syscall(SYS_nanosleep, &pause, NULL);
}

/* The calling thread is about to do the thing that blocks. */
static inline void actor_reaches(struct actor *actor, int at)
{
	atomic_store(&actor->tid, (int)syscall(SYS_gettid));
	atomic_store(&actor->at, at);
}

static inline char task_state(int tid)
{
	char path[64], text[256] = "";
	int fd;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid);
	fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY);
	if (fd < 0)
		return '?';
	if (syscall(SYS_read, fd, text, sizeof(text) - 1) <= 0)
		text[0] = '\0';
	syscall(SYS_close, fd);
	const char *end = strrchr(text, ')');
	return end ? end[2] : '?';
}

/* Returns when the actor has come to `at` and sleeps there. */
static inline void actor_await_sleep(struct actor *actor, int at)
{
	int asleep = 0;

	while (atomic_load(&actor->at) < at)
		nap();
	while (asleep < 5) {
		asleep = task_state(atomic_load(&actor->tid)) == 'S' ? asleep + 1 : 0;
		nap();
	}
}

static inline void actor_await(struct actor *actor, int at)
{
	while (atomic_load(&actor->at) < at)
		nap();
}

/* Joins a thread when it is gone, so that the join does not wait. */
static inline void actor_join(struct actor *actor)
{
	while (atomic_load(&actor->tid) == 0 || task_state(atomic_load(&actor->tid)) != '?')
		nap();
	pthread_join(actor->thread, NULL);
	atomic_store(&actor->at, 0);
	atomic_store(&actor->tid, 0);
}

/* Long enough to be recorded (the threshold is 5 ms in these tests) and taken by the drain. */
static inline void long_nap(void)
{
	struct timespec pause = { 0, 30000000 };

	syscall(SYS_nanosleep, &pause, NULL);
}

static inline struct timespec in_ms(clockid_t clock, long ms)
{
	struct timespec time;

	clock_gettime(clock, &time);
	time.tv_nsec += ms * 1000000;
	time.tv_sec += time.tv_nsec / 1000000000;
	time.tv_nsec %= 1000000000;
	return time;
}

#endif

/*
 * The system calls of those who build their own locks, and others through the same door.
 *
 * Events:
 *	1 run existing
 *	1 name futexes
 *	1 block futex wait futex 1 timed
 *	1 unblock timed-out
 *	1 block futex wait futex 1 timed
 *	1 unblock timed-out
 *	1 create 2
 *	1 block futex wait futex 1
 *	1 unblock waker 2
 *	1 create 3
 *	1 block futex wait futex 1
 *	1 unblock waker 3
 *	1 exit
 *	2 run
 *	2 exit
 *	3 run
 *	3 exit
 */
#include "tests/integration/shim/targets/target.h"

#include <limits.h>
#include <linux/futex.h>

static struct actor other;
static _Atomic uint32_t word, second;

static void *wake_it(void *argument)
{
	struct actor main_thread = { .tid = getpid() };
	long operation = (long)argument;

	actor_await_sleep(&main_thread, 0);
	long_nap();
	atomic_store(&word, 1);
	if (operation == FUTEX_WAKE)
		SHOW(syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0));
	else
		SHOW(syscall(SYS_futex, &second, FUTEX_WAKE_OP_PRIVATE, 1, 1L, &word,
				FUTEX_OP(FUTEX_OP_ADD, 0, FUTEX_OP_CMP_EQ, 1)));
	actor_reaches(&other, 1);
	return NULL;
}

int main(void)
{
	struct timespec limit = { 0, 20000000 };

	/* The word has changed: no wait. */
	SHOW(syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 7, NULL, NULL, 0));
	SHOW(syscall(SYS_futex, NULL, FUTEX_WAIT_PRIVATE, 7, NULL, NULL, 0));
	SHOW(syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, &limit, NULL, 0));
	SHOW(syscall(SYS_futex, &word, FUTEX_WAIT_BITSET_PRIVATE, 0, &limit, NULL, 0));
	limit = in_ms(CLOCK_MONOTONIC, 20);
	SHOW(syscall(SYS_futex, &word, FUTEX_WAIT_BITSET_PRIVATE, 0, &limit, NULL,
			FUTEX_BITSET_MATCH_ANY));

	pthread_create(&other.thread, NULL, wake_it, (void *)FUTEX_WAKE);
	SHOW(syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0));
	actor_join(&other);
	atomic_store(&word, 0);
	pthread_create(&other.thread, NULL, wake_it, (void *)FUTEX_WAKE_OP);
	SHOW(syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0));
	actor_join(&other);

	/* All six arguments arrive, and errno comes back. */
	SHOW(syscall(SYS_getpid) == getpid());
	SHOW(syscall(SYS_read, -1, NULL, 0));
	char *page = (char *)syscall(SYS_mmap, NULL, 4096L, 3L, 0x22L, -1L, 0L);
	SHOW(page[0]);
	SHOW(syscall(SYS_mmap, NULL, 4096L, 3L, 0x22L, -1L, 1L));
	SHOW(syscall(-1L));
	return 0;
}

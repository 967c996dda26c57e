/*
 * Mutexes of every kind: busy ones are waited for, answers other than "locked" come through.
 *
 * Events:
 *	1 run existing
 *	1 name mutexes
 *	1 create 2
 *	1 create 3
 *	1 create 4
 *	1 create 5
 *	1 create 6
 *	1 create 7
 *	1 create 8
 *	1 create 9
 *	1 block mutex lock mutex 1 holder 1 timed
 *	1 unblock timed-out
 *	1 block mutex lock mutex 1 holder 1 timed
 *	1 unblock interrupted
 *	1 create 10
 *	1 exit
 *	2 run
 *	2 block mutex lock mutex 2 holder 1
 *	2 unblock waker 1
 *	2 exit
 *	3 run
 *	3 block mutex lock mutex 3 holder 1
 *	3 unblock waker 1
 *	3 exit
 *	4 run
 *	4 block mutex lock mutex 4 holder 1
 *	4 unblock waker 1
 *	4 exit
 *	5 run
 *	5 block mutex lock mutex 5 holder 1
 *	5 unblock waker 1
 *	5 exit
 *	6 run
 *	6 block mutex lock mutex 6 holder 1
 *	6 unblock waker 1
 *	6 exit
 *	7 run
 *	7 block mutex lock mutex 7 holder 1
 *	7 unblock waker 1
 *	7 exit
 *	8 run
 *	8 block mutex lock mutex 8 holder 1
 *	8 unblock waker 1
 *	8 exit
 *	9 run
 *	9 block mutex lock mutex 1 holder 1 timed
 *	9 unblock timed-out
 *	9 block mutex lock mutex 1 holder 1 timed
 *	9 unblock timed-out
 *	9 block mutex lock mutex 1 holder 1 timed
 *	9 unblock timed-out
 *	9 block mutex lock mutex 1 holder 1 timed
 *	9 unblock waker 1
 *	9 exit
 *	10 run
 *	10 exit
 */
#include "tests/integration/shim/targets/target.h"

static struct actor other;

static void *lock_and_unlock(void *argument)
{
	pthread_mutex_t *mutex = argument;

	actor_reaches(&other, 1);
	SHOW(pthread_mutex_lock(mutex));
	SHOW(pthread_mutex_unlock(mutex));
	return NULL;
}

/* The kinds that differ in what they answer; each is taken twice by its holder first. */
static const struct kind {
	const char *name;
	int type;
	int robust;
	int protocol;
	bool twice;
} kinds[] = {
	{ "normal", PTHREAD_MUTEX_NORMAL, 0, 0, false },
	{ "recursive", PTHREAD_MUTEX_RECURSIVE, 0, 0, true },
	{ "errorcheck", PTHREAD_MUTEX_ERRORCHECK, 0, 0, true },
	{ "adaptive", PTHREAD_MUTEX_ADAPTIVE_NP, 0, 0, false },
	{ "robust", PTHREAD_MUTEX_ERRORCHECK, PTHREAD_MUTEX_ROBUST, 0, true },
	{ "inheriting", PTHREAD_MUTEX_ERRORCHECK, 0, PTHREAD_PRIO_INHERIT, true },
	{ "inheriting and robust", PTHREAD_MUTEX_ERRORCHECK, PTHREAD_MUTEX_ROBUST,
			PTHREAD_PRIO_INHERIT, true },
};
#define KIND_COUNT (sizeof(kinds) / sizeof(kinds[0]))

static pthread_mutex_t mutexes[KIND_COUNT];

static void try_kind(const struct kind *kind, pthread_mutex_t *mutex)
{
	pthread_mutexattr_t attributes;

	printf("%s\n", kind->name);
	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_settype(&attributes, kind->type);
	if (kind->robust)
		pthread_mutexattr_setrobust(&attributes, kind->robust);
	pthread_mutexattr_setprotocol(&attributes, kind->protocol);
	SHOW(pthread_mutex_init(mutex, &attributes));
	SHOW(pthread_mutex_lock(mutex));
	SHOW(pthread_mutex_trylock(mutex));
	if (kind->twice)
		SHOW(pthread_mutex_lock(mutex));
	pthread_create(&other.thread, NULL, lock_and_unlock, mutex);
	actor_await_sleep(&other, 1);
	while (pthread_mutex_unlock(mutex) == 0)
		if (kind->type != PTHREAD_MUTEX_RECURSIVE && kind->type != PTHREAD_MUTEX_ERRORCHECK)
			break;
	actor_join(&other);
}

static pthread_mutex_t timed = PTHREAD_MUTEX_INITIALIZER;

static void *lock_in_time(void *unused)
{
	struct timespec limit = in_ms(CLOCK_REALTIME, 20);

	(void)unused;
	SHOW(pthread_mutex_timedlock(&timed, &limit));
	limit = in_ms(CLOCK_MONOTONIC, 20);
	SHOW(pthread_mutex_clocklock(&timed, CLOCK_MONOTONIC, &limit));
	SHOW(pthread_mutex_clocklock(&timed, CLOCK_PROCESS_CPUTIME_ID, &limit));
	SHOW(pthread_mutex_timedlock(&timed, &(struct timespec){ 0, 0 }));
	limit = in_ms(CLOCK_REALTIME, 100000);
	actor_reaches(&other, 1);
	SHOW(pthread_mutex_timedlock(&timed, &limit));
	SHOW(pthread_mutex_unlock(&timed));
	return NULL;
}

static void try_time_limits(void)
{
	struct timespec limit = in_ms(CLOCK_REALTIME, 100000);

	puts("time limits");
	SHOW(pthread_mutex_timedlock(&timed, &limit));
	pthread_create(&other.thread, NULL, lock_in_time, NULL);
	actor_await_sleep(&other, 1);
	pthread_mutex_unlock(&timed);
	actor_join(&other);
	SHOW(pthread_mutex_clocklock(&timed, CLOCK_MONOTONIC, &(struct timespec){ 0, 0 }));
	limit = in_ms(CLOCK_REALTIME, 20);
	SHOW(pthread_mutex_timedlock(&timed, &limit)); /* deadlock with itself, for a while */
	SHOW(pthread_mutex_timedlock(&timed, &(struct timespec){ 1, -1 }));
	pthread_mutex_unlock(&timed);
}

static pthread_mutex_t orphan;

static void *lock_and_die(void *unused)
{
	(void)unused;
	actor_reaches(&other, 1);
	pthread_mutex_lock(&orphan);
	return NULL;
}

static void try_orphan(void)
{
	pthread_mutexattr_t attributes;

	puts("orphan");
	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
	SHOW(pthread_mutex_init(&orphan, &attributes));
	pthread_create(&other.thread, NULL, lock_and_die, NULL);
	actor_join(&other);
	SHOW(pthread_mutex_lock(&orphan) == EOWNERDEAD);
	SHOW(pthread_mutex_unlock(&orphan));
	SHOW(pthread_mutex_lock(&orphan) == ENOTRECOVERABLE);
}

int main(void)
{
	for (size_t i = 0; i < KIND_COUNT; i++)
		try_kind(&kinds[i], &mutexes[i]);
	try_time_limits();
	try_orphan();
	return 0;
}

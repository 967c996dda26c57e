/*
 * The threads of C11, which reach the C library's functions without their POSIX names.
 *
 * Events:
 *	1 run existing
 *	1 name c11
 *	1 create 2
 *	1 block join task 2 holder 2
 *	1 unblock waker 2
 *	1 create 3
 *	1 block join task 3 holder 3
 *	1 unblock waker 3
 *	1 create 4
 *	1 block once once 1 holder 4
 *	1 unblock waker 4
 *	1 exit
 *	2 run
 *	2 block mutex lock mutex 1 holder 1
 *	2 unblock waker 1
 *	2 block cond wait cond 1
 *	2 unblock waker 1
 *	2 block cond wait cond 1 timed
 *	2 unblock timed-out
 *	2 block sleep timed
 *	2 unblock timed-out
 *	2 exit
 *	3 run
 *	3 block mutex lock mutex 1 holder 1 timed
 *	3 unblock timed-out
 *	3 exit
 *	4 run
 *	4 exit
 */
#include "tests/integration/shim/targets/target.h"

#include <threads.h>

static struct actor other;
static mtx_t mutex;
static cnd_t cond;
static thrd_t thread;
static once_flag once = ONCE_FLAG_INIT;
static bool ready;

static int work(void *argument)
{
	struct timespec limit;

	(void)argument;
	actor_reaches(&other, 1);
	SHOW(mtx_lock(&mutex));
	actor_reaches(&other, 2);
	while (!ready)
		SHOW(cnd_wait(&cond, &mutex));
	limit = in_ms(CLOCK_REALTIME, 20);
	SHOW(cnd_timedwait(&cond, &mutex, &limit));
	SHOW(mtx_unlock(&mutex));
	SHOW(thrd_sleep(&(struct timespec){ 0, 20000000 }, NULL));
	return 42;
}

static int try_mutex(void *argument)
{
	struct timespec limit = in_ms(CLOCK_REALTIME, 20);

	(void)argument;
	SHOW(mtx_timedlock(&mutex, &limit));
	return 0;
}

static void initialise(void)
{
	long_nap();
}

static int run_once(void *argument)
{
	(void)argument;
	actor_reaches(&other, 1);
	call_once(&once, initialise);
	return 0;
}

int main(void)
{
	int result = 0;

	SHOW(mtx_init(&mutex, mtx_timed));
	SHOW(cnd_init(&cond));
	SHOW(mtx_lock(&mutex));
	SHOW(thrd_create(&thread, work, NULL));
	actor_await_sleep(&other, 1);
	SHOW(mtx_unlock(&mutex));
	actor_await_sleep(&other, 2);
	SHOW(mtx_lock(&mutex));
	ready = true;
	SHOW(cnd_signal(&cond));
	SHOW(mtx_unlock(&mutex));
	SHOW(thrd_join(thread, &result));
	SHOW(result);

	SHOW(mtx_lock(&mutex));
	SHOW(thrd_create(&thread, try_mutex, NULL));
	SHOW(thrd_join(thread, NULL));

	atomic_store(&other.at, 0);
	SHOW(thrd_create(&thread, run_once, NULL));
	actor_await_sleep(&other, 1);
	call_once(&once, initialise);
	call_once(&once, initialise);
	while (task_state(other.tid) != '?')
		nap();
	SHOW(thrd_join(thread, &result));
	SHOW(result);
	SHOW(cnd_broadcast(&cond));
	return 0;
}

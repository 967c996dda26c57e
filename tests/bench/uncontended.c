/*
 * One thread locks and unlocks a mutex that nobody else wants: the price of looking at a call that
 * does not block. A second thread exists, since a library may take shortcuts in a program that has
 * never made one. An operation is one lock and unlock.
 */
#include "tests/bench/workload.h"

#include <pthread.h>

static struct workload workload = { .name = "uncontended", .ops = 400000000 };
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static volatile uint64_t counter;

static void *lock_and_unlock(void *unused)
{
	(void)unused;
	for (uint64_t i = 0; i < workload.ops; i++) {
		pthread_mutex_lock(&lock);
		counter++;
		pthread_mutex_unlock(&lock);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t thread;

	workload_begin(&workload, argc, argv);
	pthread_create(&thread, NULL, lock_and_unlock, NULL);
	pthread_join(thread, NULL);
	return workload_end(&workload);
}

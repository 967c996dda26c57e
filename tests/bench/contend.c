/*
 * Several threads on one mutex with a short critical section: nearly every lock is busy, few really
 * sleep. An operation is one lock and unlock.
 */
#include "tests/bench/workload.h"

#include <pthread.h>
#include <stdlib.h>

static struct workload workload = { .name = "contend", .ops = 80000000, .threads = 8 };
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static volatile uint64_t shared;

static void *add_my_share(void *unused)
{
	(void)unused;
	for (uint64_t i = 0; i < workload.ops / workload.threads; i++) {
		pthread_mutex_lock(&lock);
		shared++;
		pthread_mutex_unlock(&lock);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t *threads;

	workload_begin(&workload, argc, argv);
	threads = calloc(workload.threads, sizeof(*threads));
	if (!threads)
		return 2;
	for (unsigned i = 0; i < workload.threads; i++)
		pthread_create(&threads[i], NULL, add_my_share, NULL);
	for (unsigned i = 0; i < workload.threads; i++)
		pthread_join(threads[i], NULL);
	free(threads);
	return workload_end(&workload);
}

/*
 * Short threads: an operation is one thread that is created, does nothing, and is joined; up to -t
 * of them are alive together.
 */
#include "tests/bench/workload.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

static struct workload workload = { .name = "spawn", .ops = 120000, .threads = 4 };

static void *do_nothing(void *unused)
{
	return unused;
}

int main(int argc, char **argv)
{
	pthread_t *threads;

	workload_begin(&workload, argc, argv);
	threads = calloc(workload.threads, sizeof(*threads));
	if (!threads)
		return 2;
	for (uint64_t done = 0; done < workload.ops; done += workload.threads) {
		for (unsigned i = 0; i < workload.threads; i++) {
			if (pthread_create(&threads[i], NULL, do_nothing, NULL) != 0) {
				fputs("spawn: no more threads\n", stderr);
				return 2;
			}
		}
		for (unsigned i = 0; i < workload.threads; i++)
			pthread_join(threads[i], NULL);
	}
	free(threads);
	return workload_end(&workload);
}

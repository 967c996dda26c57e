/*
 * A burst: almost two thousand threads within a tenth of a second.
 *
 * A small server answers requests, one short-lived thread each, about fifty a second. After half a
 * second somebody asks for a warm cache: warm_cache() starts one thread for each of 1900 entries at
 * once, and waits for them all. Requests go on meanwhile, and for a second after.
 *
 * See it:  loiter record -o burst.loiter -- fork_join_burst
 *          loiter burst.loiter         findings: the burst, its size, its peak, and warm_cache() as
 *                                      the place where it came from
 *          press 2 for the timeline:   the step in the number of live tasks
 * End:     by itself, status 0. Status 4 if the system refuses so many threads.
 *
 * Usage: fork_join_burst [SECONDS [SEED]]
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ENTRIES            1900
#define LOADER_STACK_BYTES (64u * 1024) /* address space for all of them at once: 120 MB */
#define QUIET_US           500000u
#define LOADING_US         100000u
#define REQUEST_EVERY_US   20000u
#define REQUEST_US         3000u
#define STATUS_REFUSED     4

static atomic_uint loaded, answered;
static atomic_bool stopping;

static void *load_entry(void *argument)
{
	unsigned seed = *(unsigned *)argument;

	usleep(LOADING_US + (unsigned)rand_r(&seed) % LOADING_US);
	loaded++;
	return NULL;
}

static void warm_cache(unsigned seed)
{
	static pthread_t loaders[ENTRIES];
	static unsigned seeds[ENTRIES];
	pthread_attr_t small_stack;

	pthread_attr_init(&small_stack);
	pthread_attr_setstacksize(&small_stack, LOADER_STACK_BYTES);
	for (unsigned i = 0; i < ENTRIES; i++) {
		int error;

		seeds[i] = seed + i;
		error = pthread_create(&loaders[i], &small_stack, load_entry, &seeds[i]);
		if (error) {
			fprintf(stderr, "loader %u of %d: %s\n", i, ENTRIES, strerror(error));
			exit(STATUS_REFUSED);
		}
	}
	pthread_attr_destroy(&small_stack);
	for (unsigned i = 0; i < ENTRIES; i++)
		pthread_join(loaders[i], NULL);
}

static void *answer_request(void *unused)
{
	(void)unused;
	usleep(REQUEST_US);
	answered++;
	return NULL;
}

static void *serve_requests(void *unused)
{
	(void)unused;
	pthread_setname_np(pthread_self(), "server");
	while (!stopping) {
		pthread_t request;

		pthread_create(&request, NULL, answer_request, NULL);
		usleep(REQUEST_EVERY_US);
		pthread_join(request, NULL);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	unsigned seconds = argc > 1 ? (unsigned)atoi(argv[1]) : 2;
	unsigned seed = argc > 2 ? (unsigned)atoi(argv[2]) : 1;
	pthread_t server;

	pthread_create(&server, NULL, serve_requests, NULL);
	usleep(QUIET_US);
	warm_cache(seed);
	sleep(seconds > 1 ? seconds - 1 : 1);
	stopping = true;
	pthread_join(server, NULL);
	printf("%u entries loaded, requests %s\n", loaded, answered > 0 ? "answered" : "lost");
	return 0;
}

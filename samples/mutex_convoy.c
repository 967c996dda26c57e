/*
 * One hot lock: everybody moves, nobody is fast.
 *
 * Eight workers answer requests. Each request looks something up in a cache, and the cache is
 * behind one lock that is held across a slow look-up (4 ms) instead of only around the few
 * instructions that need it. So seven of eight workers stand in line at any time. Nothing is stuck:
 * the program ends, only eight times later than it could.
 *
 * See it:  loiter record -o convoy.loiter -- mutex_convoy
 *          loiter convoy.loiter        findings: a convoy at look_up_under_lock(), and which share
 *                                      of all blocked time it makes
 *          press 3 for the flame:      nearly all blocked time is one column
 * End:     by itself, status 0.
 *
 * Usage: mutex_convoy [SECONDS [SEED]]
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define WORKERS    8
#define LOOK_UP_US 4000u
#define ANSWER_US  1000u

static pthread_mutex_t cache_lock = PTHREAD_MUTEX_INITIALIZER;
static atomic_bool stopping;
static atomic_uint answered;

/* The mistake: the slow part needs no lock. */
static void look_up_under_lock(unsigned key)
{
	pthread_mutex_lock(&cache_lock);
	usleep(LOOK_UP_US + key % 1000);
	pthread_mutex_unlock(&cache_lock);
}

static void answer_request(unsigned key)
{
	look_up_under_lock(key);
	usleep(ANSWER_US);
	answered++;
}

static void *run_worker(void *argument)
{
	unsigned *seed = argument;

	while (!stopping)
		answer_request((unsigned)rand_r(seed));
	return NULL;
}

int main(int argc, char **argv)
{
	unsigned seconds = argc > 1 ? (unsigned)atoi(argv[1]) : 3;
	unsigned seed = argc > 2 ? (unsigned)atoi(argv[2]) : 1;
	pthread_t workers[WORKERS];
	unsigned seeds[WORKERS];

	for (unsigned i = 0; i < WORKERS; i++) {
		char name[16];

		seeds[i] = seed + i;
		snprintf(name, sizeof(name), "worker %u", i + 1);
		pthread_create(&workers[i], NULL, run_worker, &seeds[i]);
		pthread_setname_np(workers[i], name);
	}
	sleep(seconds);
	stopping = true;
	for (unsigned i = 0; i < WORKERS; i++)
		pthread_join(workers[i], NULL);
	puts(answered > 0 ? "requests answered" : "no request answered");
	return 0;
}

/*
 * Two threads hand a turn to and fro with a mutex and a condition: each operation is one wait, one
 * signal and two lock operations, and nearly every wait blocks. -c 1 puts both on one CPU, which
 * takes the scheduler's moods out of the figure. -d 30 blocks at call depth 30.
 */
#include "tests/bench/workload.h"

#include <pthread.h>

static struct workload workload = { .name = "pingpong", .ops = 800000, .depth = 1 };
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t turned = PTHREAD_COND_INITIALIZER;
static uint64_t turn;

static void take_turn(uint64_t mine)
{
	pthread_mutex_lock(&lock);
	while (turn != mine)
		pthread_cond_wait(&turned, &lock);
	turn++;
	pthread_cond_signal(&turned);
	pthread_mutex_unlock(&lock);
}

/* One frame each: the compiler must neither inline the call nor turn it into a loop. */
static __attribute__((noinline)) void take_turn_at_depth(uint64_t mine, unsigned depth)
{
	if (depth > 1)
		take_turn_at_depth(mine, depth - 1);
	else
		take_turn(mine);
	__asm__ volatile("" ::: "memory");
}

static void *take_every_second_turn(void *first)
{
	for (uint64_t mine = *(const uint64_t *)first; mine < workload.ops; mine += 2)
		take_turn_at_depth(mine, workload.depth);
	return NULL;
}

int main(int argc, char **argv)
{
	uint64_t even = 0, odd = 1;
	pthread_t partner;

	workload_begin(&workload, argc, argv);
	pthread_create(&partner, NULL, take_every_second_turn, &odd);
	take_every_second_turn(&even);
	pthread_join(partner, NULL);
	return workload_end(&workload);
}

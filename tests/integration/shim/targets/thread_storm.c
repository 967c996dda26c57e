/*
 * Twenty thousand threads, joined and detached, in bursts. shim_check sees to it that none is
 * told twice or only in part, and that the rings suffice because they are given back.
 *
 * Options: lossy
 */
#include "tests/integration/shim/targets/target.h"

#define THREADS 20000
#define BURST   50

static _Atomic int ran;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static void *run(void *argument)
{
	pthread_mutex_lock(&mutex);
	atomic_fetch_add(&ran, 1);
	pthread_mutex_unlock(&mutex);
	return argument;
}

int main(void)
{
	pthread_attr_t detached;
	pthread_t threads[BURST];

	pthread_attr_init(&detached);
	pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
	for (int i = 0; i < THREADS; i += BURST) {
		for (int j = 0; j < BURST; j++)
			while (pthread_create(&threads[j], j % 2 ? &detached : NULL, run,
					       (void *)(intptr_t)j) != 0)
				nap();
		for (int j = 0; j < BURST; j += 2) {
			void *value;
			pthread_join(threads[j], &value);
			if (value != (void *)(intptr_t)j)
				abort();
		}
	}
	while (atomic_load(&ran) < THREADS)
		nap();
	SHOW(atomic_load(&ran));
	return 0;
}

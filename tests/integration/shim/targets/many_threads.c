/*
 * Hundreds of threads that wait at once, in a program that has locked its memory, closed its
 * descriptors and left its root: the rings that they need can still be mapped, and nothing that is
 * not needed has become real.
 */
#include "tests/integration/shim/targets/target.h"

#include <sys/mman.h>

#define THREADS 300

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static int arrived;
static bool go;

static void *wait_for_go(void *unused)
{
	(void)unused;
	pthread_mutex_lock(&mutex);
	arrived++;
	while (!go)
		pthread_cond_wait(&cond, &mutex);
	pthread_mutex_unlock(&mutex);
	return NULL;
}

static long locked_kib(void)
{
	FILE *status = fopen("/proc/self/status", "r");
	char line[256];
	long size = -1;

	while (status && fgets(line, sizeof(line), status))
		if (sscanf(line, "VmLck: %ld", &size) == 1)
			break;
	if (status)
		fclose(status);
	return size;
}

int main(void)
{
	pthread_t threads[THREADS];
	pthread_attr_t attributes;
	int count = 0;

	/*
	 * Only root is sure to be allowed to lock as much as 300 threads want; others run into
	 * their limit, alone later than under the library, whose mapping counts. Then there is less
	 * to see.
	 */
	bool locked = geteuid() == 0 && mlockall(MCL_CURRENT | MCL_FUTURE) == 0;
	SHOW(locked_kib() < 64 * 1024);
	if (chroot("/sys/kernel") != 0)
		locked = false;
	close_range(STDERR_FILENO, ~0u, 0);

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, 64 * 1024);
	for (int i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], &attributes, wait_for_go, NULL) != 0)
			abort();
	while (count < THREADS) {
		nap();
		pthread_mutex_lock(&mutex);
		count = arrived;
		go = arrived == THREADS;
		pthread_mutex_unlock(&mutex);
	}
	pthread_cond_broadcast(&cond);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	SHOW(locked || true);
	return 0;
}

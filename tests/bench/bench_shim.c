/*
 * What the hooks of the preload library cost, call by call.
 *
 *     bench_shim LIBRARY [ROUNDS [NAME...]]
 *
 * Each operation runs in a program of its own, bare and under the library in turn, so that both
 * meet the same mood of the machine; a figure is the median over the rounds of CPU time of the
 * thread per operation. The rings are emptied meanwhile by a process that looks once a millisecond
 * and forgets what it finds.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "tests/support/shim_recording.h"

#define ROUNDS_MAX 101

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t held = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static sem_t semaphore;
static int zero;

static void lock_pair(void)
{
	pthread_mutex_lock(&mutex);
	pthread_mutex_unlock(&mutex);
}

static void rwlock_pair(void)
{
	pthread_rwlock_rdlock(&rwlock);
	pthread_rwlock_unlock(&rwlock);
}

static void sem_pair(void)
{
	sem_post(&semaphore);
	sem_wait(&semaphore);
}

static void signal_nobody(void)
{
	pthread_cond_signal(&cond);
}

static void nothing(void)
{
}

static void run_once(void)
{
	pthread_once(&once, nothing);
}

static void read_byte(void)
{
	char byte;

	if (read(zero, &byte, 1) != 1)
		abort();
}

static void poll_nothing(void)
{
	poll(NULL, 0, 0);
}

static void plain_syscall(void)
{
	syscall(SYS_getppid);
}

/* A wait that is over at once: the mutex is held, and the time limit is long past. */
static void block_pair(void)
{
	static const struct timespec past = { -1, 0 };

	pthread_mutex_timedlock(&held, &past);
}

static void *return_at_once(void *argument)
{
	return argument;
}

static void create_join(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, return_at_once, NULL) != 0)
		abort();
	pthread_join(thread, NULL);
}

static const struct operation {
	const char *name;
	void (*run)(void);
	unsigned count; /* in one round */
	unsigned depth; /* of calls around it */
	bool records;   /* each operation leaves two records */
} operations[] = {
	{ "lock+unlock, free", lock_pair, 3000000, 0, false },
	{ "rdlock+unlock, free", rwlock_pair, 2000000, 0, false },
	{ "sem_post+wait, free", sem_pair, 2000000, 0, false },
	{ "cond_signal, nobody", signal_nobody, 5000000, 0, false },
	{ "once, done", run_once, 5000000, 0, false },
	{ "read 1 byte, there", read_byte, 500000, 0, false },
	{ "read 1 byte, depth 10", read_byte, 500000, 10, false },
	{ "poll, no time", poll_nothing, 500000, 0, false },
	{ "syscall, other", plain_syscall, 1000000, 0, false },
	{ "block+unblock", block_pair, 40000, 0, true },
	{ "block+unblock, depth 10", block_pair, 40000, 10, true },
	{ "block+unblock, depth 30", block_pair, 40000, 30, true },
	{ "create+join", create_join, 10000, 0, false },
};
#define OPERATION_COUNT (sizeof(operations) / sizeof(operations[0]))

static uint64_t cpu_ns(clockid_t clock)
{
	struct timespec time;

	clock_gettime(clock, &time);
	return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

/* So many records fit into a ring until the drain looks again. */
#define BURST 500u

static void pause_ms(long ms)
{
	struct timespec time = { 0, ms * 1000000 };

	syscall(SYS_nanosleep, &time, NULL);
}

/* CPU time of all operations; what lies between bursts does not count. */
static uint64_t repeat(const struct operation *operation, clockid_t clock, unsigned count)
{
	unsigned burst = operation->records ? BURST : count;
	uint64_t sum = 0;

	for (unsigned done = 0; done < count; done += burst) {
		uint64_t begin = cpu_ns(clock);
		for (unsigned i = 0; i < burst; i++)
			operation->run();
		sum += cpu_ns(clock) - begin;
		if (operation->records)
			pause_ms(3);
	}
	return sum;
}

__attribute__((noinline)) static uint64_t descend(
		unsigned depth, const struct operation *operation, clockid_t clock, unsigned count)
{
	uint64_t sum = depth == 0 ? repeat(operation, clock, count)
				  : descend(depth - 1, operation, clock, count);
	__asm__ volatile("" : "+r"(sum)); /* no tail call */
	return sum;
}

/* The program under measurement: prints nanoseconds per thousand operations. */
static int measure(const struct operation *operation)
{
	clockid_t clock = operation->run == create_join ? CLOCK_PROCESS_CPUTIME_ID
							: CLOCK_THREAD_CPUTIME_ID;

	/* A library may take short cuts in a program that never had a second thread. */
	create_join();
	zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	pthread_mutex_lock(&held);
	sem_init(&semaphore, 0, 0);
	run_once();
	descend(operation->depth, operation, clock, BURST);
	printf("%" PRIu64 "\n", descend(operation->depth, operation, clock, operation->count) *
						1000 / operation->count);
	return 0;
}

static double run_bare_or_not(const char *self, const char *library, size_t index)
{
	struct shim_options options = {
		.library = library,
		.clock = SEGMENT_CLOCK_TSC,
		.io_threshold_ns = 1000,
		.stack_depth = 64,
		.discard = true,
	};
	char path[] = "/tmp/bench-shim-XXXXXX", number[24];
	char *command[] = { (char *)(uintptr_t)self, (char *)(uintptr_t) "--measure", number,
		NULL };
	struct shim_recording recording;
	unsigned long long result = 0;

	snprintf(number, sizeof(number), "%zu", index);
	close(mkstemp(path));
	options.output = path;
	shim_recording_run(&recording, &options, command);
	FILE *file = fopen(path, "re");
	if (recording.status != 0 || !file || fscanf(file, "%llu", &result) != 1)
		fprintf(stderr, "bench_shim: %s failed\n", operations[index].name);
	if (recording.lost_full)
		fprintf(stderr, "bench_shim: %" PRIu64 " records lost\n", recording.lost_full);
	if (file)
		fclose(file);
	unlink(path);
	shim_recording_release(&recording);
	return (double)result / 1000;
}

static int compare(const void *one, const void *other)
{
	double difference = *(const double *)one - *(const double *)other;

	return difference < 0 ? -1 : difference > 0;
}

static double median(double *values, size_t count)
{
	qsort(values, count, sizeof(*values), compare);
	return values[count / 2];
}

static void compare_operation(const char *self, const char *library, size_t index, unsigned rounds)
{
	double bare[ROUNDS_MAX], hooked[ROUNDS_MAX], added[ROUNDS_MAX], ratio[ROUNDS_MAX];

	for (unsigned i = 0; i < rounds; i++) {
		bare[i] = run_bare_or_not(self, NULL, index);
		hooked[i] = run_bare_or_not(self, library, index);
		added[i] = hooked[i] - bare[i];
		ratio[i] = hooked[i] / bare[i];
	}
	printf("| %-24s | %8.1f | %8.1f | %8.1f | %5.2f |\n", operations[index].name,
			median(bare, rounds), median(hooked, rounds), median(added, rounds),
			median(ratio, rounds));
	fflush(stdout);
}

static bool wanted(const char *name, char **names)
{
	if (!*names)
		return true;
	for (; *names; names++)
		if (strstr(name, *names))
			return true;
	return false;
}

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "--measure") == 0)
		return measure(&operations[strtoul(argv[2], NULL, 10) % OPERATION_COUNT]);
	if (argc < 2) {
		fputs("usage: bench_shim LIBRARY [ROUNDS [NAME...]]\n", stderr);
		return 2;
	}
	unsigned rounds = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 7;
	if (rounds == 0 || rounds > ROUNDS_MAX)
		rounds = 7;
	puts("| operation                |  bare ns | hook ns  | added ns | ratio |\n"
	     "|--------------------------|----------|----------|----------|-------|");
	for (size_t i = 0; i < OPERATION_COUNT; i++)
		if (wanted(operations[i].name, argv + (argc > 2 ? 3 : 2)))
			compare_operation("/proc/self/exe", argv[1], i, rounds);
	return 0;
}

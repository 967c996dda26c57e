/*
 * What a call stack costs, in nanoseconds, by ways to get it and by depth of the calls.
 *
 *     bench_stack [ROUNDS]
 *
 * A round times every way for a few hundred stacks, one way right after the other, so that all meet
 * the same mood of the machine; printed is the median over the rounds. `depth` counts the calls
 * below the function that runs the rounds; the stack has a few frames more.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#define UNW_LOCAL_ONLY
#include <libunwind.h>

#include "formats/base/macros.h"
#include "recorder/shim/stack_capture.h"

#define ROUNDS_MAX 10000
#define REPEATS    100

enum way {
	WAY_WALK,         /* nothing remembered */
	WAY_MEMO_SAME,    /* the same stack as before */
	WAY_MEMO_SITE,    /* the two innermost frames differ from the stack before */
	WAY_CAPTURE_SAME, /* with the id from the arena */
	WAY_CAPTURE_SITE,
	WAY_CAPTURE_WALK,
	WAY_LIBUNWIND,
	WAY_GLIBC,
	WAY_COUNT
};

static const char *const way_names[WAY_COUNT] = {
	[WAY_WALK] = "walk",
	[WAY_MEMO_SAME] = "walk, memo, same stack",
	[WAY_MEMO_SITE] = "walk, memo, 2 inner frames differ",
	[WAY_CAPTURE_SAME] = "capture, same stack",
	[WAY_CAPTURE_SITE] = "capture, 2 inner frames differ",
	[WAY_CAPTURE_WALK] = "capture, nothing remembered",
	[WAY_LIBUNWIND] = "libunwind unw_backtrace",
	[WAY_GLIBC] = "glibc backtrace",
};

static const int depths[] = { 10, 30, 100 };

static struct process_slot slot;
static struct stack_memo memo;
static double *times[WAY_COUNT];
static int rounds = 300;
static volatile unsigned sink;

/* By name: libunwind has a function of this name, too. */
static int (*glibc_backtrace)(void **frames, int size);

static double now_ns(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static __attribute__((noinline)) void take(enum way way)
{
	struct stack_registers here;
	struct stack_walk walk;
	void *frames[STACK_DEPTH_MAX];
	uint8_t flags = 0;

	STACK_REGISTERS_HERE(here);
	switch (way) {
	case WAY_WALK:
		memo.committed = 0;
		stack_walk(&memo, &here, &walk);
		break;
	case WAY_MEMO_SAME:
	case WAY_MEMO_SITE:
		stack_walk(&memo, &here, &walk);
		break;
	case WAY_CAPTURE_WALK:
		memo.committed = 0;
		sink += stack_capture(&memo, &here, &flags);
		break;
	case WAY_CAPTURE_SAME:
	case WAY_CAPTURE_SITE:
		sink += stack_capture(&memo, &here, &flags);
		break;
	case WAY_LIBUNWIND:
		sink += (unsigned)unw_backtrace(frames, STACK_DEPTH_MAX);
		break;
	case WAY_GLIBC:
		sink += (unsigned)glibc_backtrace(frames, STACK_DEPTH_MAX);
		break;
	case WAY_COUNT:
		break;
	}
}

/* Two functions that call from two places each. */
static __attribute__((noinline)) void site(enum way way, unsigned which)
{
	if (which) {
		take(way);
		sink += 2;
	} else {
		take(way);
		sink++;
	}
}

static __attribute__((noinline)) void run_way(enum way way, int round)
{
	bool differs = way == WAY_MEMO_SITE || way == WAY_CAPTURE_SITE;
	double begin = now_ns();

	for (unsigned i = 0; i < REPEATS; i++)
		site(way, differs && (i & 1));
	times[way][round] = (now_ns() - begin) / REPEATS;
}

static __attribute__((noinline)) void run_rounds(void)
{
	for (int way = 0; way < WAY_COUNT; way++)
		for (int i = 0; i < 3; i++)
			run_way((enum way)way, 0); /* warm */
	for (int round = 0; round < rounds; round++)
		for (int way = 0; way < WAY_COUNT; way++)
			run_way((enum way)way, round);
}

/* A call chain of different functions, as in a real program. */
typedef void body(void);
static void descend_c(int depth, body *run);

static __attribute__((noinline)) void descend_a(int depth, body *run)
{
	char local[40];

	memset(local, depth, sizeof(local));
	__asm__ volatile("" : : "r"(local) : "memory");
	if (depth == 0)
		run();
	else
		descend_c(depth - 1, run);
	__asm__ volatile("" : : "r"(local) : "memory");
}

static __attribute__((noinline)) void descend_b(int depth, body *run)
{
	if (depth == 0)
		run();
	else
		descend_a(depth - 1, run);
	sink++;
}

static __attribute__((noinline)) void descend_c(int depth, body *run)
{
	char local[depth % 3 * 16 + 16]; /* a frame pointer is needed */

	memset(local, depth, sizeof(local));
	__asm__ volatile("" : : "r"(local) : "memory");
	if (depth == 0)
		run();
	else
		descend_b(depth - 1, run);
	__asm__ volatile("" : : "r"(local) : "memory");
}

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *values, int count)
{
	qsort(values, (size_t)count, sizeof(*values), compare_doubles);
	return values[count / 2];
}

static struct stack_memo *thread_memo;
static double first_walk;
static enum way first_way;

static __attribute__((noinline)) void walk_first(void)
{
	struct stack_registers here;
	struct stack_walk walk;
	void *frames[STACK_DEPTH_MAX];
	double begin = now_ns();

	STACK_REGISTERS_HERE(here);
	if (first_way == WAY_WALK)
		stack_walk(thread_memo, &here, &walk);
	else if (first_way == WAY_LIBUNWIND)
		sink += (unsigned)unw_backtrace(frames, STACK_DEPTH_MAX);
	else
		sink += (unsigned)glibc_backtrace(frames, STACK_DEPTH_MAX);
	first_walk = now_ns() - begin;
}

static void *new_thread(void *unused)
{
	(void)unused;
	descend_a(30, walk_first);
	return NULL;
}

/* The first stack in a new thread. `used`: in a memo that another thread left. */
static double first_in_thread(enum way way, bool used)
{
	double *values = calloc((size_t)rounds, sizeof(*values));
	void *pages = MAP_FAILED;

	first_way = way;
	for (int round = 0; round < rounds; round++) {
		pthread_t thread;

		if (pages == MAP_FAILED || !used)
			pages = mmap(NULL, sizeof(memo), PROT_READ | PROT_WRITE,
					MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		thread_memo = pages;
		stack_memo_reset(thread_memo);
		pthread_create(&thread, NULL, new_thread, NULL);
		pthread_join(thread, NULL);
		values[round] = first_walk;
		if (!used)
			munmap(pages, sizeof(memo));
	}
	double result = median(values, rounds);
	free(values);
	return result;
}

int main(int argc, char **argv)
{
	double results[LO_COUNT_OF(depths)][WAY_COUNT];

	if (argc > 1)
		rounds = atoi(argv[1]);
	if (argc > 2 || rounds < 1 || rounds > ROUNDS_MAX) {
		fprintf(stderr, "usage: bench_stack [ROUNDS]\n");
		return 2;
	}
	*(void **)&glibc_backtrace = dlsym(dlopen("libc.so.6", RTLD_NOW), "backtrace");
	for (int way = 0; way < WAY_COUNT; way++)
		times[way] = calloc((size_t)rounds, sizeof(double));
	if (!stack_capture_init(&slot, STACK_DEPTH_MAX, SEGMENT_CLOCK_MONOTONIC)) {
		fprintf(stderr, "bench_stack: no stacks with this C library\n");
		return 1;
	}

	for (size_t i = 0; i < LO_COUNT_OF(depths); i++) {
		descend_a(depths[i], run_rounds);
		for (int way = 0; way < WAY_COUNT; way++)
			results[i][way] = median(times[way], rounds);
	}
	printf("%-36s", "ns, depth");
	for (size_t i = 0; i < LO_COUNT_OF(depths); i++)
		printf(" %8d", depths[i]);
	printf("\n");
	for (int way = 0; way < WAY_COUNT; way++) {
		printf("%-36s", way_names[way]);
		for (size_t i = 0; i < LO_COUNT_OF(depths); i++)
			printf(" %8.1f", results[i][way]);
		printf("\n");
	}
	printf("first stack in a new thread, depth 30, with two clock reads:\n");
	printf("%-36s %8.0f\n", "walk, memo used before", first_in_thread(WAY_WALK, true));
	printf("%-36s %8.0f\n", "walk, memo in new pages", first_in_thread(WAY_WALK, false));
	printf("%-36s %8.0f\n", "libunwind unw_backtrace", first_in_thread(WAY_LIBUNWIND, true));
	printf("%-36s %8.0f\n", "glibc backtrace", first_in_thread(WAY_GLIBC, true));
	return 0;
}

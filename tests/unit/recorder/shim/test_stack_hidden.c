#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <dlfcn.h>
#include <pthread.h>

#include <cmocka.h>

#include "tests/unit/recorder/shim/stack_hidden.h"

#define ROOM 64u

static uintptr_t addresses[ROOM];
static uint64_t flags;
static uint32_t count;

static __attribute__((noinline)) void walk(void)
{
	volatile int local = 1;

	count = stack_hidden_walk(addresses, ROOM, &flags);
	local++;
}

static bool any_frame_in_library(void)
{
	Dl_info library;

	dladdr((void *)(uintptr_t)stack_hidden_walk, &library);
	for (uint32_t i = 0; i < count; i++) {
		Dl_info info;

		if (dladdr((void *)addresses[i], &info) && info.dli_fbase == library.dli_fbase)
			return true;
	}
	return false;
}

static bool is_in_walk(uintptr_t address)
{
	return address - (uintptr_t)walk < 1000; /* a sanitizer makes it long */
}

static void walk_from_program(void)
{
	walk();
	assert_in_range(count, 4, ROOM);
	assert_int_equal(flags, 0);
	assert_true(is_in_walk(addresses[0]));
	assert_false(any_frame_in_library());
}

static void the_innermost_frame_is_the_programs(void **state)
{
	(void)state;
	walk_from_program();
	walk_from_program();
}

static void *walk_in_thread(void *unused)
{
	stack_hidden_call(walk);
	return unused;
}

static uint32_t thread_count;

static void walk_from_thread(int round)
{
	pthread_t thread;

	/* With a memo of its own kind of stack, and of another. */
	if (round >= 3)
		walk();
	assert_int_equal(pthread_create(&thread, NULL, walk_in_thread, NULL), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(flags, 0);
	assert_true(is_in_walk(addresses[0]));
	assert_true(addresses[1] - (uintptr_t)walk_in_thread < 1000);
	assert_false(any_frame_in_library());
	if (round == 0)
		thread_count = count;
	assert_int_equal(count, thread_count);
}

static void frames_of_the_library_further_out_are_left_out(void **state)
{
	(void)state;
	for (int round = 0; round < 6; round++)
		walk_from_thread(round);
}

static void walk_through_library(void)
{
	uint32_t direct;

	walk();
	direct = count;
	stack_hidden_call(walk);
	assert_int_equal(count, direct);
	assert_false(any_frame_in_library());
}

static void between_frames_of_the_program_too(void **state)
{
	(void)state;
	walk_through_library();
	walk_through_library();
}

static int start(void **state)
{
	(void)state;
	return stack_hidden_init() ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_innermost_frame_is_the_programs),
		cmocka_unit_test(frames_of_the_library_further_out_are_left_out),
		cmocka_unit_test(between_frames_of_the_program_too),
	};

	return cmocka_run_group_tests(tests, start, NULL);
}

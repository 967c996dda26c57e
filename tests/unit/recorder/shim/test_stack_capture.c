#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <dlfcn.h>
#include <link.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/wait.h>
#include <unistd.h>

#define UNW_LOCAL_ONLY
#include <libunwind.h>

#include <cmocka.h>

#include "formats/base/macros.h"
#include "recorder/shim/code_module.h"
#include "recorder/shim/stack_capture.h"
#include "tests/support/stack_oracle.h"
#include "tests/unit/recorder/shim/stack_plugin.h"

#define DEPTH 100u

static struct process_slot *slot;
static struct stack_memo *memo;

static struct process_slot *slot_new(void)
{
	struct process_slot *zeroed = aligned_alloc(_Alignof(struct process_slot), sizeof(*zeroed));

	return zeroed ? memset(zeroed, 0, sizeof(*zeroed)) : NULL;
}

static __attribute__((noinline)) uint32_t capture(struct stack_memo *thread_memo, uint8_t *flags)
{
	struct stack_registers here;

	STACK_REGISTERS_HERE(here);
	return stack_capture(thread_memo, &here, flags);
}

static __attribute__((noinline)) uint32_t capture_deep(int depth, uint8_t *flags)
{
	volatile uint32_t id;

	if (depth > 0)
		id = capture_deep(depth - 1, flags);
	else
		id = capture(memo, flags);
	return id;
}

static uint32_t frame_count(uint32_t id)
{
	return (uint32_t)(slot->stacks.words[id] & STACK_COUNT_MASK);
}

static uintptr_t frame(uint32_t id, uint32_t index)
{
	return slot->stacks.words[id + 1 + index];
}

static void a_stack_has_one_id_and_its_frames_are_stored(void **state)
{
	uint32_t ids[10];
	uint8_t flags = 0;

	(void)state;
	for (int i = 0; i < 10; i++)
		ids[i] = capture_deep(i % 2, &flags);
	assert_int_equal(flags, 0);
	assert_int_not_equal(ids[0], STACK_NONE);
	assert_int_not_equal(ids[0], ids[1]);
	for (int i = 2; i < 10; i++)
		assert_int_equal(ids[i], ids[i % 2]);
	assert_int_equal(frame_count(ids[1]), frame_count(ids[0]) + 1);
	/* From the caller's on they are the same. */
	for (uint32_t i = 3; i < frame_count(ids[0]); i++)
		assert_int_equal(frame(ids[0], i), frame(ids[1], i + 1));
	assert_in_range(frame(ids[0], 0), (uintptr_t)capture, (uintptr_t)capture + 300);
}

static void a_stack_beyond_the_limit_is_flagged_as_cut(void **state)
{
	uint8_t flags = 0;
	uint32_t id;

	(void)state;
	for (int i = 0; i < 3; i++) {
		flags = 0;
		id = capture_deep(200, &flags);
		assert_int_equal(flags, EVENT_FLAG_STACK_CUT);
		assert_int_equal(frame_count(id), DEPTH);
		assert_true(slot->stacks.words[id] & STACK_WORD_FLAG_CUT);
	}
	flags = EVENT_FLAG_TIMED;
	capture_deep(2, &flags);
	assert_int_equal(flags, EVENT_FLAG_TIMED);
}

static void a_full_arena_gives_no_id_and_counts_each_stack(void **state)
{
	uint32_t used = slot->stacks.words_used;
	uint32_t full = slot->stacks.full;
	uint8_t flags = 0;

	(void)state;
	atomic_store(&slot->stacks.words_used, STACK_WORDS);
	for (int i = 0; i < 3; i++)
		assert_int_equal(capture_deep(55, &flags), STACK_NONE);
	assert_int_equal(slot->stacks.full, full + 3);
	atomic_store(&slot->stacks.words_used, used);
	assert_int_not_equal(capture_deep(55, &flags), STACK_NONE);
}

/* Exit status: 0 = as it should be. */
static __attribute__((noinline)) int check_in_child(uint32_t parent_id)
{
	struct process_slot *parent_slot = slot;
	uint8_t flags = 0;

	slot = slot_new();
	if (!slot || !stack_capture_init(slot, DEPTH, SEGMENT_CLOCK_MONOTONIC))
		return 1;
	uint32_t id = capture_deep(4, &flags);
	if (id == STACK_NONE || id != 1) /* the first one of a new arena */
		return 2;
	if (capture_deep(4, &flags) == STACK_NONE)
		return 3;
	/* The same function, called from here instead of from the test. */
	uint64_t frames = parent_slot->stacks.words[parent_id] & STACK_COUNT_MASK;
	return frame_count(id) == frames + 1 ? 0 : 4;
}

static void a_forked_child_has_stacks_of_its_own(void **state)
{
	uint8_t flags = 0;
	uint32_t id = capture_deep(4, &flags);
	pid_t child = fork();
	int status;

	(void)state;
	if (child == 0)
		_exit(check_in_child(id));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_true(WIFEXITED(status));
}

#define CAPTURERS       4
#define CAPTURER_ROUNDS 20000

struct capturer {
	uint32_t ids[30];
	uint32_t changed;
};

static __attribute__((noinline)) uint32_t capture_at(struct stack_memo *own, int depth)
{
	volatile uint32_t id;
	uint8_t flags = 0;

	if (depth > 0)
		id = capture_at(own, depth - 1);
	else
		id = capture(own, &flags);
	return id;
}

static void *capture_many(void *argument)
{
	struct capturer *capturer = argument;
	struct stack_memo *own = calloc(1, sizeof(*own));

	for (int i = 0; i < CAPTURER_ROUNDS; i++) {
		int depth = i * 7 % 30;
		uint32_t id = capture_at(own, depth);

		if (i < 30)
			capturer->ids[depth] = id;
		capturer->changed += capturer->ids[depth] != id;
	}
	free(own);
	return NULL;
}

static void threads_with_equal_stacks_get_equal_ids(void **state)
{
	static struct capturer capturers[CAPTURERS];
	pthread_t threads[CAPTURERS];

	(void)state;
	for (int i = 0; i < CAPTURERS; i++)
		pthread_create(&threads[i], NULL, capture_many, &capturers[i]);
	for (int i = 0; i < CAPTURERS; i++)
		pthread_join(threads[i], NULL);
	for (int i = 0; i < CAPTURERS; i++) {
		assert_int_equal(capturers[i].changed, 0);
		assert_memory_equal(capturers[i].ids, capturers[0].ids, sizeof(capturers[0].ids));
	}
}

/* Plug-ins */

static struct stack_oracle *oracle;
static enum oracle_verdict plugin_verdict;
static uint32_t plugin_id;

static void compare_in_plugin(void)
{
	uint8_t flags = 0;

	plugin_id = capture(memo, &flags);
	plugin_verdict = stack_oracle_compare(oracle);
}

static void *plugin_open(const char *name, stack_plugin_function **call)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/lib%s.so", STACK_PLUGIN_FOLDER, name);
	void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!library)
		fail_msg("%s", dlerror());
	*(void **)call = dlsym(library, "stack_plugin_call");
	assert_true(*call != NULL);
	return library;
}

/* The two variants take turns at the same place. `ids` are those seen last of each. */
static uint32_t reload(const char *const names[2], int rounds, bool has_build_id, uint32_t ids[2])
{
	uintptr_t places[2] = { 0, 0 };
	uint32_t same_place = 0;

	for (int round = 0; round < rounds; round++) {
		stack_plugin_function *call;
		void *library = plugin_open(names[round & 1], &call);
		uint32_t id_before = ids[round & 1];

		places[round & 1] = (uintptr_t)call;
		same_place += places[0] == places[1];
		call(compare_in_plugin);
		if (plugin_verdict != ORACLE_EQUAL)
			stack_oracle_print(oracle, plugin_verdict);
		assert_int_equal(plugin_verdict, ORACLE_EQUAL);
		assert_int_not_equal(plugin_id, STACK_NONE);
		ids[round & 1] = plugin_id;
		if (has_build_id && round > 1)
			assert_int_equal(plugin_id, id_before);
		dlclose(library);
		if (!has_build_id)
			stack_capture_modules_changed();
		unw_flush_cache(unw_local_addr_space, 0, 0);
	}
	return same_place;
}

static void a_plugin_in_the_place_of_another_is_told_apart(void **state)
{
	static const char *const names[] = { "stack_plugin_a", "stack_plugin_b" };
	uint32_t ids[2] = { 0, 0 };
	uint32_t modules = slot->module_count;

	(void)state;
	if (reload(names, 4000, true, ids) < 1000)
		skip(); /* the loader does not reuse addresses here */
	assert_int_not_equal(ids[0], ids[1]);
	/* One entry for each, not for each time. */
	assert_int_equal(slot->module_count, modules + 2);
	for (uint32_t i = modules; i < modules + 2; i++) {
		assert_int_equal(slot->modules[i].ready, 1);
		assert_true(slot->modules[i].build_id_size > 0);
		assert_non_null(strstr(slot->modules[i].path, names[i - modules]));
	}
}

static void so_are_plugins_without_build_id_if_unloading_is_told(void **state)
{
	static const char *const names[] = { "stack_plugin_c", "stack_plugin_d" };
	uint32_t ids[2] = { 0, 0 };

	(void)state;
	if (reload(names, 1000, false, ids) < 250)
		skip();
	assert_int_not_equal(ids[0], ids[1]);
}

/*
 * A callback of dl_iterate_phdr() runs under the loader's lock. If it waits for a mutex whose
 * holder is just then taking a stack in new code, the stack must not want that lock.
 */
static pthread_mutex_t contended = PTHREAD_MUTEX_INITIALIZER;
static sem_t callback_runs;
static sem_t mutex_is_held;

static int wait_in_callback(struct dl_phdr_info *info, size_t size, void *unused)
{
	(void)info;
	(void)size;
	(void)unused;
	sem_post(&callback_runs);
	pthread_mutex_lock(&contended);
	pthread_mutex_unlock(&contended);
	return 1;
}

static void *iterate(void *unused)
{
	sem_wait(&mutex_is_held);
	dl_iterate_phdr(wait_in_callback, NULL);
	return unused;
}

static stack_plugin_function *fresh_plugin;
static uint32_t id_under_lock;

static void capture_under_lock(void)
{
	uint8_t flags = 0;

	id_under_lock = capture(memo, &flags);
}

static void a_stack_is_taken_while_the_loader_is_locked(void **state)
{
	static const char *const names[] = { "stack_plugin_a", "stack_plugin_b" };

	(void)state;
	sem_init(&callback_runs, 0, 0);
	sem_init(&mutex_is_held, 0, 0);
	alarm(60); /* a deadlock ends the test */
	for (int i = 0; i < 20; i++) {
		pthread_t thread;
		void *library = plugin_open(names[i & 1], &fresh_plugin);

		pthread_create(&thread, NULL, iterate, NULL);
		pthread_mutex_lock(&contended);
		sem_post(&mutex_is_held);
		sem_wait(&callback_runs);
		usleep(1000); /* now it waits for us */
		/* Nothing known of a module without build id: its rules are made anew. */
		stack_capture_modules_changed();
		fresh_plugin(capture_under_lock);
		pthread_mutex_unlock(&contended);
		pthread_join(thread, NULL);
		assert_int_not_equal(id_under_lock, STACK_NONE);
		dlclose(library);
	}
	alarm(0);
}

static int start(void **state)
{
	(void)state;
	slot = slot_new();
	memo = calloc(1, sizeof(*memo));
	oracle = calloc(1, sizeof(*oracle));
	return slot && memo && oracle && stack_capture_init(slot, DEPTH, SEGMENT_CLOCK_MONOTONIC)
			       ? 0
			       : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_stack_has_one_id_and_its_frames_are_stored),
		cmocka_unit_test(a_stack_beyond_the_limit_is_flagged_as_cut),
		cmocka_unit_test(a_full_arena_gives_no_id_and_counts_each_stack),
		cmocka_unit_test(a_forked_child_has_stacks_of_its_own),
		cmocka_unit_test(threads_with_equal_stacks_get_equal_ids),
		cmocka_unit_test(a_plugin_in_the_place_of_another_is_told_apart),
		cmocka_unit_test(so_are_plugins_without_build_id_if_unloading_is_told),
		cmocka_unit_test(a_stack_is_taken_while_the_loader_is_locked),
	};

	return cmocka_run_group_tests(tests, start, NULL);
}

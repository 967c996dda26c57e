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
#include "tests/support/rounds.h"
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

static void capture_one_of_two(int round, void *context)
{
	uint32_t *ids = context;
	uint8_t flags = 0;

	ids[round] = capture_deep(round % 2, &flags);
	ids[round] += flags; /* there are none */
}

static void a_stack_has_one_id_and_its_frames_are_stored(void **state)
{
	round_step *const steps[] = { capture_one_of_two, NULL };
	uint32_t ids[10];

	(void)state;
	run_rounds(10, steps, ids);
	assert_int_not_equal(ids[0], STACK_NONE);
	assert_int_not_equal(ids[0], ids[1]);
	for (int i = 2; i < 10; i++)
		assert_int_equal(ids[i], ids[i % 2]);
	assert_int_equal(frame_count(ids[1]), frame_count(ids[0]) + 1);
	/* From the caller's on they are the same. */
	for (uint32_t i = 3; i < frame_count(ids[0]); i++)
		assert_int_equal(frame(ids[0], i), frame(ids[1], i + 1));
	assert_in_range(frame(ids[0], 0), (uintptr_t)capture, (uintptr_t)capture + 1000);
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

/* Round 0: the parent. Round 1: its child, in the very same stack, but with a slot of its own. */
struct forking {
	uint32_t ids[2];
	pid_t child;
};

static void fork_at_second(int round, void *context)
{
	struct forking *forking = context;

	if (round == 0)
		return;
	forking->child = fork();
	if (forking->child == 0) {
		struct process_slot *parents = slot;

		slot = slot_new();
		if (!slot || !stack_capture_init(slot, DEPTH, SEGMENT_CLOCK_MONOTONIC))
			_exit(1);
		/* Kept to compare with, in words that no stack of the child reaches. */
		memcpy((void *)&slot->stacks.words[STACK_WORDS / 2],
				(void *)&parents->stacks.words[forking->ids[0]],
				(1 + DEPTH) * sizeof(uint64_t));
	}
}

static void capture_forking(int round, void *context)
{
	struct forking *forking = context;
	uint8_t flags = 0;

	forking->ids[round] = capture_deep(4, &flags);
}

static void end_child(int round, void *context)
{
	struct forking *forking = context;

	if (round == 0 || forking->child != 0)
		return;
	/* The first stack of the new arena. */
	if (forking->ids[1] != 1 || frame_count(1) == 0)
		_exit(2);
	_exit(memcmp((void *)&slot->stacks.words[1], (void *)&slot->stacks.words[STACK_WORDS / 2],
			      (1 + frame_count(1)) * sizeof(uint64_t)) == 0
					? 0
					: 3);
}

static void a_forked_child_has_stacks_of_its_own(void **state)
{
	round_step *const steps[] = { fork_at_second, capture_forking, end_child, NULL };
	struct forking forking = { .ids = { 0 } };
	int status;

	(void)state;
	run_rounds(2, steps, &forking);
	assert_int_equal(waitpid(forking.child, &status, 0), forking.child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_int_equal(forking.ids[1], forking.ids[0]);
}

#define CAPTURERS       4
#define CAPTURER_ROUNDS 20000

struct capturer {
	struct stack_memo memo;
	uint32_t id;
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

static void capture_next(int round, void *context)
{
	struct capturer *capturer = context;

	capturer->id = capture_at(&capturer->memo, round * 7 % 30);
}

static void compare_with_first(int round, void *context)
{
	struct capturer *capturer = context;
	int depth = round * 7 % 30;

	if (round < 30)
		capturer->ids[depth] = capturer->id;
	capturer->changed += capturer->ids[depth] != capturer->id;
}

static void *capture_many(void *capturer)
{
	static round_step *const steps[] = { capture_next, compare_with_first, NULL };

	run_rounds(CAPTURER_ROUNDS, steps, capturer);
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

/* Two variants that take turns at the same place. */
struct reloading {
	const char *names[2];
	bool has_build_id;
	uint32_t ids[2]; /* seen last of each */
	uintptr_t places[2];
	int same_place;
	int moves;
	bool moved; /* this one is not where it was the last time */
	void *library;
	stack_plugin_function *call;
	pthread_attr_t attributes;
};

static void load(int round, void *context)
{
	struct reloading *reloading = context;
	int which = round & 1;

	reloading->library = plugin_open(reloading->names[which], &reloading->call);
	reloading->moved = reloading->places[which] != (uintptr_t)reloading->call;
	reloading->places[which] = (uintptr_t)reloading->call;
	reloading->moves += reloading->moved;
	reloading->same_place += reloading->places[0] == reloading->places[1];
}

static void *call_in_thread(void *context)
{
	struct reloading *reloading = context;

	reloading->call(compare_in_plugin);
	return NULL;
}

/*
 * In a new thread on an old stack, where the loader, which was at work in between, has not wiped
 * out what the last plug-in left.
 */
static void call(int round, void *context)
{
	struct reloading *reloading = context;
	pthread_t thread;

	(void)round;
	pthread_create(&thread, &reloading->attributes, call_in_thread, context);
	pthread_join(thread, NULL);
}

static void check_and_unload(int round, void *context)
{
	struct reloading *reloading = context;
	int which = round & 1;

	if (plugin_verdict != ORACLE_EQUAL)
		stack_oracle_print(oracle, plugin_verdict);
	assert_int_equal(plugin_verdict, ORACLE_EQUAL);
	assert_int_not_equal(plugin_id, STACK_NONE);
	if (reloading->has_build_id && !reloading->moved)
		assert_int_equal(plugin_id, reloading->ids[which]);
	reloading->ids[which] = plugin_id;
	dlclose(reloading->library);
	if (!reloading->has_build_id)
		stack_capture_modules_changed();
	unw_flush_cache(unw_local_addr_space, 0, 0);
}

static round_step *const reload_steps[] = { load, call, check_and_unload, NULL };

#define RELOADING_STACK (2u << 20) /* a sanitizer wants a lot */

static void reload(struct reloading *reloading, int rounds)
{
	void *stack = aligned_alloc(4096, RELOADING_STACK);

	assert_non_null(stack);
	pthread_attr_init(&reloading->attributes);
	pthread_attr_setstack(&reloading->attributes, stack, RELOADING_STACK);
	run_rounds(rounds, reload_steps, reloading);
	pthread_attr_destroy(&reloading->attributes);
	free(stack);
}

static void a_plugin_in_the_place_of_another_is_told_apart(void **state)
{
	struct reloading reloading = {
		.names = { "stack_plugin_a", "stack_plugin_b" },
		.has_build_id = true,
	};
	uint32_t modules = slot->module_count;

	(void)state;
	reload(&reloading, 4000);
	if (reloading.same_place < 1000)
		skip(); /* the loader does not reuse addresses here */
	assert_int_not_equal(reloading.ids[0], reloading.ids[1]);
	/* One entry for each place, not for each time: the rules are known the second time. */
	assert_int_equal(slot->module_count, modules + (uint32_t)reloading.moves);
	for (uint32_t i = modules; i < slot->module_count; i++) {
		assert_int_equal(slot->modules[i].ready, 1);
		assert_true(slot->modules[i].build_id_size > 0);
		assert_non_null(strstr(slot->modules[i].path, "stack_plugin_"));
	}
}

static void so_are_plugins_without_build_id_if_unloading_is_told(void **state)
{
	struct reloading reloading = { .names = { "stack_plugin_c", "stack_plugin_d" } };

	(void)state;
	reload(&reloading, 1000);
	if (reloading.same_place < 250)
		skip();
	assert_int_not_equal(reloading.ids[0], reloading.ids[1]);
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

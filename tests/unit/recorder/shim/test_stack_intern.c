#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <pthread.h>

#include <cmocka.h>

#include "formats/base/macros.h"
#include "recorder/shim/stack_intern.h"

#define HASH(tag, position) ((uint64_t)(tag) << 32 | (position))

static int stacks_new(void **state)
{
	*state = calloc(1, sizeof(struct segment_stacks));
	return *state ? 0 : -1;
}

static int stacks_free(void **state)
{
	free(*state);
	return 0;
}

static void a_stack_is_stored_with_count_flags_and_frames_innermost_first(void **state)
{
	struct segment_stacks *stacks = *state;
	const uintptr_t frames[] = { 0x1000, 0x2000, 0x3000 };
	uint32_t id = stack_intern(stacks, frames, 3, STACK_WORD_FLAG_CUT, HASH(7, 5));

	assert_int_not_equal(id, 0);
	assert_int_equal(stacks->words[id] & STACK_COUNT_MASK, 3);
	assert_true(stacks->words[id] & STACK_WORD_FLAG_CUT);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(stacks->words[id + 1 + i], frames[i]);
	assert_int_equal(stacks->index[5], HASH(7, id));
}

static void the_same_stack_has_the_same_id(void **state)
{
	struct segment_stacks *stacks = *state;
	const uintptr_t frames[] = { 0x1000, 0x2000 };
	uint32_t id = stack_intern(stacks, frames, 2, 0, HASH(7, 5));
	uint32_t used = stacks->words_used;

	assert_int_equal(stack_intern(stacks, frames, 2, 0, HASH(7, 5)), id);
	assert_int_equal(stacks->words_used, used);
}

static void one_hash_for_many_stacks_keeps_them_apart(void **state)
{
	struct segment_stacks *stacks = *state;
	uint32_t ids[40];

	for (uintptr_t i = 0; i < LO_COUNT_OF(ids); i++) {
		const uintptr_t frames[] = { 0x1000, 0x2000 + i };

		ids[i] = stack_intern(stacks, frames, 2, 0, HASH(1, 9));
		assert_int_not_equal(ids[i], 0);
	}
	for (uintptr_t i = 0; i < LO_COUNT_OF(ids); i++) {
		const uintptr_t frames[] = { 0x1000, 0x2000 + i };

		assert_int_equal(stack_intern(stacks, frames, 2, 0, HASH(1, 9)), ids[i]);
		assert_int_equal(stacks->words[ids[i] + 2], frames[1]);
	}
}

static void flags_and_length_make_different_stacks(void **state)
{
	struct segment_stacks *stacks = *state;
	const uintptr_t frames[] = { 0x1000, 0x2000, 0x3000 };
	uint32_t whole = stack_intern(stacks, frames, 3, 0, HASH(1, 9));
	uint32_t cut = stack_intern(stacks, frames, 3, STACK_WORD_FLAG_CUT, HASH(1, 9));
	uint32_t shorter = stack_intern(stacks, frames, 2, 0, HASH(1, 9));

	assert_int_not_equal(whole, cut);
	assert_int_not_equal(whole, shorter);
	assert_int_not_equal(cut, shorter);
}

static void the_index_is_searched_round_its_end(void **state)
{
	struct segment_stacks *stacks = *state;
	const uintptr_t first[] = { 0x1000 };
	const uintptr_t second[] = { 0x2000 };
	uint32_t at_end = stack_intern(stacks, first, 1, 0, HASH(1, STACK_INDEX - 1));
	uint32_t wrapped = stack_intern(stacks, second, 1, 0, HASH(1, STACK_INDEX - 1));

	assert_int_equal(stacks->index[STACK_INDEX - 1], HASH(1, at_end));
	assert_int_equal(stacks->index[0], HASH(1, wrapped));
}

static void endless_collisions_end_and_are_counted(void **state)
{
	struct segment_stacks *stacks = *state;
	uint32_t stored = 0;

	for (uintptr_t i = 0; i < 500; i++)
		stored += stack_intern(stacks, &i, 1, 0, HASH(1, 9)) != 0;
	assert_in_range(stored, 40, 499);
	assert_int_equal(stacks->full, 500 - stored);
	assert_int_equal(stacks->words_used, 2 * stored);
}

static void a_full_arena_refuses_counts_and_keeps_what_it_has(void **state)
{
	struct segment_stacks *stacks = *state;
	uintptr_t frames[STACK_DEPTH_MAX] = { 0 };
	uint32_t stored = 0;
	uint32_t first = 0;

	for (uintptr_t i = 0; i < 2 * STACK_WORDS / STACK_DEPTH_MAX; i++) {
		frames[0] = i;
		uint32_t id = stack_intern(stacks, frames, STACK_DEPTH_MAX, 0, HASH(i, i * 7919));

		if (id == 0)
			continue;
		first = first ? first : id;
		stored++;
		assert_true(id + 1 + STACK_DEPTH_MAX <= STACK_WORDS);
	}
	assert_int_equal(stored, (STACK_WORDS - 1) / (STACK_DEPTH_MAX + 1));
	assert_int_equal(stacks->full, 2 * STACK_WORDS / STACK_DEPTH_MAX - stored);
	assert_true(stacks->words_used <= STACK_WORDS);

	frames[0] = 0;
	assert_int_equal(stack_intern(stacks, frames, STACK_DEPTH_MAX, 0, HASH(0, 0)), first);
	/* What is left at the end still takes a short stack. */
	assert_int_not_equal(stack_intern(stacks, frames, 2, 0, HASH(1, 1)), 0);
}

#define RACERS       4
#define RACED_STACKS 2000

struct racer {
	struct segment_stacks *stacks;
	uint32_t ids[RACED_STACKS];
};

static void *intern_all(void *argument)
{
	struct racer *racer = argument;

	for (uintptr_t i = 0; i < RACED_STACKS; i++) {
		uintptr_t frames[] = { i, ~i, i * 3 };

		/* Tags and places in which several stacks meet. */
		racer->ids[i] = stack_intern(
				racer->stacks, frames, 3, 0, HASH(i % 3, i & ~(uintptr_t)3));
	}
	return NULL;
}

static void threads_that_store_the_same_stacks_agree_on_them(void **state)
{
	struct segment_stacks *stacks = *state;
	struct racer *racers = calloc(RACERS, sizeof(*racers));
	pthread_t threads[RACERS];

	assert_non_null(racers);
	for (unsigned i = 0; i < RACERS; i++) {
		racers[i].stacks = stacks;
		assert_int_equal(pthread_create(&threads[i], NULL, intern_all, &racers[i]), 0);
	}
	for (unsigned i = 0; i < RACERS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);

	for (uintptr_t i = 0; i < RACED_STACKS; i++) {
		for (unsigned racer = 0; racer < RACERS; racer++) {
			uint32_t id = racers[racer].ids[i];

			assert_int_equal(id, racers[0].ids[i]);
			assert_int_equal(stacks->words[id] & STACK_COUNT_MASK, 3);
			assert_true(stacks->words[id + 1] == i);
			assert_true(stacks->words[id + 2] == ~i);
			assert_true(stacks->words[id + 3] == i * 3);
		}
	}
	assert_int_equal(stacks->full, 0);
	free(racers);
}

#define STACKS_TEST(test) cmocka_unit_test_setup_teardown(test, stacks_new, stacks_free)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STACKS_TEST(a_stack_is_stored_with_count_flags_and_frames_innermost_first),
		STACKS_TEST(the_same_stack_has_the_same_id),
		STACKS_TEST(one_hash_for_many_stacks_keeps_them_apart),
		STACKS_TEST(flags_and_length_make_different_stacks),
		STACKS_TEST(the_index_is_searched_round_its_end),
		STACKS_TEST(endless_collisions_end_and_are_counted),
		STACKS_TEST(a_full_arena_refuses_counts_and_keeps_what_it_has),
		STACKS_TEST(threads_that_store_the_same_stacks_agree_on_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <pthread.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "recorder/shim/rule_table.h"

static uint64_t random_key(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return *seed >> (64 - RULE_KEY_BITS);
}

/* A rule that says which key it belongs to. */
static uint32_t rule_of(uint64_t key)
{
	return (uint32_t)(key * 0x9e3779b97f4a7c15u >> (64 - UNWIND_RULE_BITS)) |
	       unwind_rule_of_kind(UNWIND_CFA_SP);
}

static struct rule_table *table;

static int table_new(void **state)
{
	(void)state;
	table = rule_table_new();
	return table ? 0 : -1;
}

static int table_free(void **state)
{
	(void)state;
	return munmap(table, sizeof(*table));
}

static void what_was_put_is_found(void **state)
{
	uint64_t seed = 1;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		uint64_t key = random_key(&seed);

		assert_int_equal(rule_table_find(table, key), 0);
		rule_table_put(table, key, rule_of(key));
		assert_int_equal(rule_table_find(table, key), rule_of(key));
	}
	seed = 1;
	for (int i = 0; i < 1000; i++) {
		uint64_t key = random_key(&seed);

		assert_int_equal(rule_table_find(table, key), rule_of(key));
	}
}

/* The keys that differ in one bit from one that is there, and the ends of the range. */
static void no_other_key_is_found(void **state)
{
	const uint64_t keys[] = { 0x7f1234567890, 0x555555555555, 1, 0x7fffffffffff };

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		rule_table_put(table, keys[i], rule_of(keys[i]));
		for (int bit = 0; bit < RULE_KEY_BITS; bit++)
			assert_int_equal(rule_table_find(table, keys[i] ^ (uint64_t)1 << bit), 0);
	}
	assert_int_equal(rule_table_find(table, 0), 0);
}

static void key_zero_is_a_key(void **state)
{
	(void)state;
	rule_table_put(table, 0, rule_of(0));
	assert_int_equal(rule_table_find(table, 0), rule_of(0));
	rule_table_put(table, 16, rule_of(16));
	assert_int_equal(rule_table_find(table, 0), rule_of(0));
}

static void a_key_takes_one_place_however_often_it_is_put(void **state)
{
	(void)state;
	for (int i = 0; i < 100; i++)
		rule_table_put(table, 4711, rule_of(4711));
	const struct rule_set *set = &table->sets[rule_set_number(4711)];
	for (unsigned i = 1; i < RULE_SET_ENTRIES; i++)
		assert_int_equal(set->entries[i], 0);
	assert_int_equal(table->replaced, 0);
}

static void a_full_table_forgets_but_never_confuses(void **state)
{
	uint64_t seed = 1;
	unsigned found = 0;

	(void)state;
	for (int i = 0; i < 100000; i++) {
		uint64_t key = random_key(&seed);

		rule_table_put(table, key, rule_of(key));
		assert_int_equal(rule_table_find(table, key), rule_of(key));
	}
	seed = 1;
	for (int i = 0; i < 100000; i++) {
		uint64_t key = random_key(&seed);
		uint32_t rule = rule_table_find(table, key);

		assert_true(rule == 0 || rule == rule_of(key));
		found += rule != 0;
	}
	/* Every place is taken. */
	assert_int_equal(found, RULE_SETS * RULE_SET_ENTRIES);
}

/* Return addresses of one library: some ten bytes apart. */
static void neighbours_spread_over_the_sets(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < 8000; i++) {
		uint64_t key = 0x7f1234560000 + i * 13;

		rule_table_put(table, key, rule_of(key));
	}
	unsigned lost = 0;
	for (uint64_t i = 0; i < 8000; i++)
		lost += rule_table_find(table, 0x7f1234560000 + i * 13) == 0;
	assert_int_equal(lost, 0);
}

static void *put_and_find(void *argument)
{
	uint64_t seed = *(uint64_t *)argument;
	uintptr_t wrong = 0;

	for (int i = 0; i < 200000; i++) {
		/* Few keys, so that the threads meet; far more than one set holds. */
		uint64_t key = random_key(&seed) % 64 << (RULE_KEY_LOW_BITS + 2 * RULE_SETS_LOG2);
		uint32_t rule = rule_table_find(table, key);

		wrong += rule != 0 && rule != rule_of(key);
		if (rule == 0)
			rule_table_put(table, key, rule_of(key));
	}
	return (void *)wrong;
}

static void threads_never_see_the_rule_of_another_key(void **state)
{
	pthread_t threads[4];
	uint64_t seeds[4] = { 1, 2, 3, 4 };

	(void)state;
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, put_and_find, &seeds[i]), 0);
	for (int i = 0; i < 4; i++) {
		void *wrong;

		assert_int_equal(pthread_join(threads[i], &wrong), 0);
		assert_null(wrong);
	}
}

#define TABLE_TEST(test) cmocka_unit_test_setup_teardown(test, table_new, table_free)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TABLE_TEST(what_was_put_is_found),
		TABLE_TEST(no_other_key_is_found),
		TABLE_TEST(key_zero_is_a_key),
		TABLE_TEST(a_key_takes_one_place_however_often_it_is_put),
		TABLE_TEST(a_full_table_forgets_but_never_confuses),
		TABLE_TEST(neighbours_spread_over_the_sets),
		TABLE_TEST(threads_never_see_the_rule_of_another_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

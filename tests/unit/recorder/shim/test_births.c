#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdbool.h>

#include "recorder/shim/births.h"

static void a_record_arrives_as_it_was_given(void **state)
{
	int argument;
	struct birth *birth = birth_new();

	(void)state;
	assert_non_null(birth);
	birth->argument = &argument;
	birth->task = 9;
	birth->created = true;
	struct birth arrived = birth_take(birth);
	assert_ptr_equal(arrived.argument, &argument);
	assert_int_equal(arrived.task, 9);
	assert_true(arrived.created);
}

/* More than fit are refused after a bounded search; what was taken can be given out again. */
static void records_run_out_and_come_back(void **state)
{
	static struct birth *births[1 << 16];
	size_t count = 0;

	(void)state;
	while ((births[count] = birth_new()) != NULL)
		count++;
	assert_in_range(count, 1000, 60000);
	for (size_t i = 1; i < count; i++)
		assert_ptr_not_equal(births[i], births[0]);
	assert_null(birth_new());
	for (size_t i = 0; i < count; i++)
		birth_take(births[i]);
	assert_non_null(birth_new());
}

#define ROUNDS 100000u

static void *carry(void *failed)
{
	for (uint32_t i = 0; i < ROUNDS; i++) {
		struct birth *birth = birth_new();
		if (!birth)
			continue;
		birth->task = i;
		birth->argument = &birth;
		struct birth arrived = birth_take(birth);
		if (arrived.task != i || arrived.argument != &birth)
			*(_Atomic bool *)failed = true;
	}
	return NULL;
}

static void no_record_is_given_out_twice(void **state)
{
	pthread_t threads[4];
	_Atomic bool failed = false;

	(void)state;
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, carry, &failed), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	assert_false(failed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_record_arrives_as_it_was_given),
		cmocka_unit_test(records_run_out_and_come_back),
		cmocka_unit_test(no_record_is_given_out_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

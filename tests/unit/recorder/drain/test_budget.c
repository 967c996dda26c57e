#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "recorder/drain/budget.h"

static void without_limits_everything_is_within_them(void **state)
{
	const struct budget none = { 0, 0 };
	const struct budget_use all = { UINT64_MAX / 2, 1u << 30, 1u << 20, 1u << 20, UINT64_MAX };

	(void)state;
	assert_int_equal(budget_check(&none, &all), BUDGET_LEFT);
}

static void what_is_not_written_yet_counts_towards_the_size(void **state)
{
	const struct budget budget = { .max_bytes = 1 << 20 };
	struct budget_use use = { .file_bytes = 1 << 19 };

	(void)state;
	assert_int_equal(budget_check(&budget, &use), BUDGET_LEFT);
	use.unsealed_events = 200000; /* perhaps too many, perhaps not: they are compressed first */
	assert_int_equal(budget_check(&budget, &use), BUDGET_SEAL);
	use.file_bytes = (1 << 20) - (1 << 17);
	assert_int_equal(budget_check(&budget, &use), BUDGET_SIZE);
	use.file_bytes = 1 << 19;
	use.unsealed_events = 0;
	use.frames = 10000;
	assert_int_equal(budget_check(&budget, &use), BUDGET_SIZE);
	use.frames = 0;
	use.file_bytes = 1 << 20;
	assert_int_equal(budget_check(&budget, &use), BUDGET_SIZE);
}

static void no_more_events_are_allowed_than_there_is_room_for(void **state)
{
	const struct budget none = { 0, 0 };
	const struct budget budget = { .max_bytes = 1 << 20 };
	struct budget_use use = { .file_bytes = 1 << 19 };
	uint64_t most = budget_events(&budget, &use);

	(void)state;
	assert_int_equal(budget_events(&none, &use), UINT64_MAX);
	assert_true(most > 50000);
	use.unsealed_events = most;
	assert_int_equal(budget_check(&budget, &use), BUDGET_LEFT);
	use.file_bytes = 1 << 21;
	assert_int_equal(budget_events(&budget, &use), 1);
}

static void the_duration_ends_when_it_is_over_not_before(void **state)
{
	const struct budget budget = { .duration_ns = 1000 };
	struct budget_use use = { .elapsed_ns = 999 };

	(void)state;
	assert_int_equal(budget_check(&budget, &use), BUDGET_LEFT);
	use.elapsed_ns = 1000;
	assert_int_equal(budget_check(&budget, &use), BUDGET_DURATION);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_limits_everything_is_within_them),
		cmocka_unit_test(what_is_not_written_yet_counts_towards_the_size),
		cmocka_unit_test(no_more_events_are_allowed_than_there_is_room_for),
		cmocka_unit_test(the_duration_ends_when_it_is_over_not_before),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
